//! Tables to Parquet files: snappy, delta-packed integers, row groups of at most a million rows, the same bytes every time.

use crate::atomic::Pending;
use crate::schema::{SYNTHETIC, to_parquet};
use crate::{ColumnData, ColumnType, StoreError, Table};
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{BoolType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::ColumnPath;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The most rows that a row group holds.
pub const ROW_GROUP_ROWS: usize = 1 << 20;

/// Writes a table under a temporary name, then gives the file its own. The metadata always say `synthetic=true`.
///
/// Law: the same table and metadata give the same bytes; the file names no writer version and no date.
///
/// # Errors
/// If a metadata key is given twice or is `synthetic` with a value other than `true`, or if the file cannot be written; then
/// nothing is left behind and what was there before stays.
pub fn write_table(path: &Path, table: &Table, meta: &[(&str, &str)]) -> Result<(), StoreError> {
    let mut writer = TableWriter::create(path, &table.schema(), meta)?;
    writer.append(table)?;
    writer.finish()
}

/// Writes a table of any length piece by piece, holding one piece at a time.
///
/// A piece starts a row group of its own, so the bytes depend on how the rows are cut into pieces; the rows do not.
pub struct TableWriter {
    pending: Pending,
    writer: SerializedFileWriter<File>,
    schema: Vec<(String, ColumnType)>,
    scratch: Scratch,
}

/// Parquet stores every integer as 32 or 64 bits, signed; this is where they are widened.
#[derive(Default)]
struct Scratch {
    narrow: Vec<i32>,
    wide: Vec<i64>,
}

impl fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableWriter")
            .field("path", &self.pending.target())
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl TableWriter {
    /// Opens a file for tables of `schema`.
    ///
    /// # Errors
    /// If a metadata key may not be set, or if the file cannot be created.
    pub fn create(
        path: &Path,
        schema: &[(String, ColumnType)],
        meta: &[(&str, &str)],
    ) -> Result<Self, StoreError> {
        let properties = Arc::new(properties(schema, meta, Packing::ByType)?);
        let (pending, file) = Pending::create(path)?;
        let writer = to_parquet(schema)
            .and_then(|parquet_schema| SerializedFileWriter::new(file, parquet_schema, properties))
            .map_err(|error| failed(path, error))?;
        Ok(Self { pending, writer, schema: schema.to_vec(), scratch: Scratch::default() })
    }

    /// Appends the rows of `table`.
    ///
    /// # Errors
    /// If its schema is not that of the file, or if the file cannot be written.
    pub fn append(&mut self, table: &Table) -> Result<(), StoreError> {
        if table.schema() != self.schema {
            return Err(StoreError::Schema {
                path: self.pending.target().to_path_buf(),
                found: words(&table.schema()),
                expected: words(&self.schema),
            });
        }
        write_groups(&mut self.writer, table, &mut self.scratch)
            .map_err(|error| failed(self.pending.target(), error))
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// If the file cannot be written; then nothing is left behind.
    pub fn finish(self) -> Result<(), StoreError> {
        let file = self.writer.into_inner().map_err(|error| failed(self.pending.target(), error))?;
        self.pending.commit(&file)
    }
}

/// Which columns of a file keep a dictionary; every integer column without one is delta-packed.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    /// Codes and small counts keep one. Elsewhere it is built, found too big and thrown away.
    ByType,
    /// These do: measured on the table at hand.
    Named(&'static [&'static str]),
}

impl Packing {
    fn keeps_dictionary(self, name: &str, kind: ColumnType) -> bool {
        match self {
            Self::ByType => matches!(kind, ColumnType::U8 | ColumnType::U16),
            Self::Named(names) => names.contains(&name),
        }
    }
}

/// The bytes of a whole file with the columns packed as told.
pub(crate) fn encode_table(
    table: &Table,
    meta: &[(&str, &str)],
    packing: Packing,
) -> Result<Vec<u8>, StoreError> {
    let schema = table.schema();
    let properties = Arc::new(properties(&schema, meta, packing)?);
    let encode = || {
        let mut writer = SerializedFileWriter::new(Vec::new(), to_parquet(&schema)?, properties)?;
        write_groups(&mut writer, table, &mut Scratch::default())?;
        writer.into_inner()
    };
    encode().map_err(|error| failed(Path::new("a table in memory"), error))
}

fn write_groups<W: io::Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    table: &Table,
    scratch: &mut Scratch,
) -> Result<(), ParquetError> {
    let mut start = 0;
    while start < table.rows() {
        let end = table.rows().min(start + ROW_GROUP_ROWS);
        let mut group = writer.next_row_group()?;
        for (_, data) in table.columns() {
            if let Some(mut column) = group.next_column()? {
                write_column(&mut column, data, start..end, scratch)?;
                column.close()?;
            }
        }
        group.close()?;
        start = end;
    }
    Ok(())
}

fn words(schema: &[(String, ColumnType)]) -> String {
    schema.iter().map(|(name, kind)| format!("{name}: {kind}")).collect::<Vec<_>>().join(", ")
}

/// A full disk reaches us inside a Parquet error; it is given back as what it is.
fn failed(path: &Path, error: ParquetError) -> StoreError {
    match error {
        ParquetError::External(inner) if inner.is::<io::Error>() => match inner.downcast::<io::Error>() {
            Ok(source) => StoreError::io(path, "write the file")(*source),
            Err(other) => StoreError::Encode { path: path.to_path_buf(), why: other.to_string() },
        },
        other => StoreError::Encode { path: path.to_path_buf(), why: other.to_string() },
    }
}

fn properties(
    schema: &[(String, ColumnType)],
    meta: &[(&str, &str)],
    packing: Packing,
) -> Result<WriterProperties, StoreError> {
    let mut keys: Vec<KeyValue> = vec![KeyValue::new(SYNTHETIC.to_owned(), "true".to_owned())];
    for &(key, value) in meta {
        if (key, value) == (SYNTHETIC, "true") {
            continue;
        }
        if keys.iter().any(|have| have.key == key) {
            return Err(StoreError::Metadata { key: key.to_owned() });
        }
        keys.push(KeyValue::new(key.to_owned(), value.to_owned()));
    }
    keys.sort_by(|a, b| a.key.cmp(&b.key));
    let mut builder = WriterProperties::builder()
        .set_created_by("equipoise-store".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_key_value_metadata(Some(keys));
    for (name, kind) in schema {
        let column = ColumnPath::new(vec![name.clone()]);
        let dictionary = packing.keeps_dictionary(name, *kind);
        let integer = !matches!(kind, ColumnType::F32 | ColumnType::F64 | ColumnType::Bool);
        builder = builder.set_column_dictionary_enabled(column.clone(), dictionary);
        if integer && !dictionary {
            builder = builder.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(builder.build())
}

fn write_column(
    column: &mut SerializedColumnWriter<'_>,
    data: &ColumnData,
    rows: Range<usize>,
    scratch: &mut Scratch,
) -> Result<(), ParquetError> {
    let Scratch { narrow, wide } = scratch;
    narrow.clear();
    wide.clear();
    match data {
        ColumnData::U8(values) => narrow.extend(values[rows].iter().map(|&v| i32::from(v))),
        ColumnData::U16(values) => narrow.extend(values[rows].iter().map(|&v| i32::from(v))),
        ColumnData::U32(values) => narrow.extend(values[rows].iter().map(|&v| v.cast_signed())),
        ColumnData::U64(values) => wide.extend(values[rows].iter().map(|&v| v.cast_signed())),
        ColumnData::I32(values) => {
            return column.typed::<Int32Type>().write_batch(&values[rows], None, None).map(|_| ());
        }
        ColumnData::I64(values) => {
            return column.typed::<Int64Type>().write_batch(&values[rows], None, None).map(|_| ());
        }
        ColumnData::F32(values) => {
            return column.typed::<FloatType>().write_batch(&values[rows], None, None).map(|_| ());
        }
        ColumnData::F64(values) => {
            return column.typed::<DoubleType>().write_batch(&values[rows], None, None).map(|_| ());
        }
        ColumnData::Bool(values) => {
            return column.typed::<BoolType>().write_batch(&values[rows], None, None).map(|_| ());
        }
    }
    if matches!(data, ColumnData::U64(_)) {
        column.typed::<Int64Type>().write_batch(wide, None, None).map(|_| ())
    } else {
        column.typed::<Int32Type>().write_batch(narrow, None, None).map(|_| ())
    }
}
