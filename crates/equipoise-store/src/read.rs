//! Parquet files back to tables, whole or one row group at a time. Nothing in a file is trusted: not its length, its counts,
//! its types or its values.

use crate::schema::{SYNTHETIC, from_parquet};
use crate::{ColumnData, ColumnType, StoreError, Table};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// How many values are decoded at a time.
const CHUNK: usize = 1 << 16;

/// Reads a whole table and its metadata.
///
/// # Errors
/// As [`TableReader::open`] and [`TableReader::read_group`].
pub fn read_table(path: &Path) -> Result<(Table, BTreeMap<String, String>), StoreError> {
    let reader = TableReader::open(path)?;
    let mut whole = reader.empty()?;
    for group in 0..reader.groups() {
        if !whole.append(reader.read_group(group)?) {
            return Err(reader.broken("row groups of different columns"));
        }
    }
    Ok((whole, reader.meta))
}

/// Reads a table row group by row group, holding one at a time.
pub struct TableReader {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    bytes: u64,
    schema: Vec<(String, ColumnType)>,
    meta: BTreeMap<String, String>,
}

impl fmt::Debug for TableReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableReader")
            .field("path", &self.path)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl TableReader {
    /// Opens a file and checks its columns and metadata.
    ///
    /// # Errors
    /// If the file cannot be read, is not a whole Parquet file, holds a column that is not a required fixed-width number or
    /// bool, or does not say `synthetic=true`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io(path, "open the file"))?;
        let bytes = file.metadata().map_err(StoreError::io(path, "look at the file"))?.len();
        let reader =
            guarded(|| SerializedFileReader::new(file)).map_err(|error| broken(path, &error.to_string()))?;
        let file_meta = reader.metadata().file_metadata();
        let schema = from_parquet(path, file_meta.schema_descr())?;
        let meta: BTreeMap<String, String> = file_meta
            .key_value_metadata()
            .into_iter()
            .flatten()
            .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
            .collect();
        if meta.get(SYNTHETIC).is_none_or(|value| value != "true") {
            return Err(StoreError::NotSynthetic { path: path.to_path_buf() });
        }
        Ok(Self { path: path.to_path_buf(), reader, bytes, schema, meta })
    }

    /// The key-value metadata.
    #[must_use]
    pub const fn meta(&self) -> &BTreeMap<String, String> {
        &self.meta
    }

    /// The names and types of the columns, in order.
    #[must_use]
    pub fn schema(&self) -> &[(String, ColumnType)] {
        &self.schema
    }

    /// How many rows the file says it has; [`TableReader::read_group`] checks it.
    #[must_use]
    pub fn rows(&self) -> usize {
        usize::try_from(self.reader.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// How many row groups there are.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// The rows of one row group.
    ///
    /// # Errors
    /// If there is no such group, if its bytes cannot be decoded, if a value does not fit its type, or if there are more or
    /// fewer values than the file says.
    pub fn read_group(&self, group: usize) -> Result<Table, StoreError> {
        if group >= self.groups() {
            return Err(self.broken(&format!("no row group {group} of {}", self.groups())));
        }
        let group = self.reader.get_row_group(group).map_err(|error| self.broken(&error.to_string()))?;
        let mut table = Table::new();
        for (at, (name, kind)) in self.schema.iter().enumerate() {
            let data = self
                .read_column(group.as_ref(), at, *kind)
                .map_err(|error| self.broken(&format!("column `{name}`: {error}")))?;
            if usize::try_from(group.metadata().num_rows()) != Ok(data.len()) {
                return Err(self.broken(&format!("column `{name}` is short or long")));
            }
            table = table.with(name, data)?;
        }
        Ok(table)
    }

    fn read_column(
        &self,
        group: &dyn RowGroupReader,
        at: usize,
        kind: ColumnType,
    ) -> Result<ColumnData, ParquetError> {
        let damaged = |why: &str| ParquetError::General(why.to_owned());
        let chunk = group.metadata().column(at);
        // The Parquet reader stops the program over a place that cannot be, so it is checked before.
        let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
        let range = u64::try_from(start).ok().zip(u64::try_from(chunk.compressed_size()).ok());
        if range.and_then(|(start, bytes)| start.checked_add(bytes)).is_none_or(|end| end > self.bytes) {
            return Err(damaged("its place lies outside the file"));
        }
        guarded(|| group.get_column_reader(at).and_then(|column| read_column(column, kind)))
    }

    fn empty(&self) -> Result<Table, StoreError> {
        self.schema.iter().try_fold(Table::new(), |table, (name, kind)| table.with(name, kind.empty()))
    }

    fn broken(&self, why: &str) -> StoreError {
        broken(&self.path, why)
    }
}

/// Damaged bytes can trip an assertion inside the Parquet reader; that must cost a unit, not the run.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(ParquetError::General("the Parquet reader gave up".to_owned())))
}

fn broken(path: &Path, why: &str) -> StoreError {
    StoreError::NotParquet { path: path.to_path_buf(), why: why.to_owned() }
}

fn read_column(column: ColumnReader, kind: ColumnType) -> Result<ColumnData, ParquetError> {
    Ok(match (column, kind) {
        (ColumnReader::Int32ColumnReader(c), ColumnType::U8) => {
            ColumnData::U8(read_as(c, |v| u8::try_from(v).ok())?)
        }
        (ColumnReader::Int32ColumnReader(c), ColumnType::U16) => {
            ColumnData::U16(read_as(c, |v| u16::try_from(v).ok())?)
        }
        (ColumnReader::Int32ColumnReader(c), ColumnType::U32) => {
            ColumnData::U32(read_as(c, |v| Some(v.cast_unsigned()))?)
        }
        (ColumnReader::Int64ColumnReader(c), ColumnType::U64) => {
            ColumnData::U64(read_as(c, |v| Some(v.cast_unsigned()))?)
        }
        (ColumnReader::Int32ColumnReader(c), ColumnType::I32) => ColumnData::I32(read_as(c, Some)?),
        (ColumnReader::Int64ColumnReader(c), ColumnType::I64) => ColumnData::I64(read_as(c, Some)?),
        (ColumnReader::FloatColumnReader(c), ColumnType::F32) => ColumnData::F32(read_as(c, Some)?),
        (ColumnReader::DoubleColumnReader(c), ColumnType::F64) => ColumnData::F64(read_as(c, Some)?),
        (ColumnReader::BoolColumnReader(c), ColumnType::Bool) => ColumnData::Bool(read_as(c, Some)?),
        _ => {
            return Err(ParquetError::General(
                "the row group and the schema disagree about the type".to_owned(),
            ));
        }
    })
}

fn read_as<D: DataType, T>(
    mut column: ColumnReaderImpl<D>,
    narrow: impl Fn(D::T) -> Option<T>,
) -> Result<Vec<T>, ParquetError> {
    let mut all = Vec::new();
    let mut chunk: Vec<D::T> = Vec::with_capacity(CHUNK);
    loop {
        chunk.clear();
        let (rows, _, _) = column.read_records(CHUNK, None, None, &mut chunk)?;
        if rows == 0 {
            return Ok(all);
        }
        all.reserve(chunk.len());
        for value in chunk.drain(..) {
            all.push(
                narrow(value)
                    .ok_or_else(|| ParquetError::General("a value does not fit its type".to_owned()))?,
            );
        }
    }
}
