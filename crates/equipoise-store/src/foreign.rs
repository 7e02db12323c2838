//! Named columns of a Parquet file that Equipoise did not write, for verbs that compute, print and forget.
//!
//! Unlike [`crate::TableReader`] this asks for no `synthetic=true` and takes nullable and text columns, as pandas and polars
//! write them; and unlike it the result is no [`crate::Table`], so that nothing of it can be stored. Columns that were not
//! named are not decoded.

use crate::StoreError;
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::Field;
use parquet::schema::types::Type;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// One value of a foreign column.
#[derive(Clone, PartialEq, Debug)]
pub enum ForeignValue {
    /// A null.
    Missing,
    /// A bool.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// Text.
    Text(String),
}

/// The columns of a foreign file.
#[derive(Clone, PartialEq, Debug)]
pub struct ForeignColumns {
    /// The name of every column of the file.
    pub names: Vec<String>,
    /// The columns that were asked for and exist, in the order of the file, each with one value a row.
    pub columns: Vec<(String, Vec<ForeignValue>)>,
}

/// Reads those of `wanted` that the file has.
///
/// # Errors
/// If the file cannot be read, is not whole Parquet, or a wanted column holds what is neither number, bool nor text.
pub fn read_foreign(path: &Path, wanted: &[&str]) -> Result<ForeignColumns, StoreError> {
    let file = File::open(path).map_err(StoreError::io(path, "open the file"))?;
    let foreign = |why: String| StoreError::Foreign { path: path.to_path_buf(), why };
    // Damaged bytes can trip an assertion inside the Parquet reader.
    catch_unwind(AssertUnwindSafe(|| read(file, wanted)))
        .unwrap_or_else(|_| Err(Refusal::Parquet(ParquetError::General("the reader gave up".to_owned()))))
        .map_err(|refusal| match refusal {
            Refusal::Parquet(error) => foreign(format!("not a Parquet file that can be read ({error}); it was cut short or is of another kind: write it again, or give CSV")),
            Refusal::Value { row, column } => foreign(format!(
                "row {row}, column `{column}`: neither a number, a bool nor text; write the column as one of them"
            )),
        })
}

enum Refusal {
    Parquet(ParquetError),
    Value { row: usize, column: String },
}

impl From<ParquetError> for Refusal {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error)
    }
}

fn read(file: File, wanted: &[&str]) -> Result<ForeignColumns, Refusal> {
    let reader = SerializedFileReader::new(file)?;
    let root = reader.metadata().file_metadata().schema();
    let names: Vec<String> = root.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let fields: Vec<Arc<Type>> =
        root.get_fields().iter().filter(|field| wanted.contains(&field.name())).cloned().collect();
    let mut columns: Vec<(String, Vec<ForeignValue>)> =
        fields.iter().map(|field| (field.name().to_owned(), Vec::new())).collect();
    if columns.is_empty() {
        return Ok(ForeignColumns { names, columns });
    }
    let projection = Type::group_type_builder(root.name()).with_fields(fields).build()?;
    for (index, row) in reader.get_row_iter(Some(projection))?.enumerate() {
        let row = row?;
        for ((_, field), (name, values)) in row.get_column_iter().zip(&mut columns) {
            let value =
                value(field).ok_or_else(|| Refusal::Value { row: index + 1, column: name.clone() })?;
            values.push(value);
        }
    }
    Ok(ForeignColumns { names, columns })
}

#[allow(clippy::cast_precision_loss)] // A score, time or weight beyond 2^53 has no more digits to lose.
fn value(field: &Field) -> Option<ForeignValue> {
    Some(match field {
        Field::Null => ForeignValue::Missing,
        Field::Bool(value) => ForeignValue::Bool(*value),
        Field::Byte(value) => ForeignValue::Number(f64::from(*value)),
        Field::Short(value) => ForeignValue::Number(f64::from(*value)),
        Field::Int(value) => ForeignValue::Number(f64::from(*value)),
        Field::Long(value) => ForeignValue::Number(*value as f64),
        Field::UByte(value) => ForeignValue::Number(f64::from(*value)),
        Field::UShort(value) => ForeignValue::Number(f64::from(*value)),
        Field::UInt(value) => ForeignValue::Number(f64::from(*value)),
        Field::ULong(value) => ForeignValue::Number(*value as f64),
        Field::Float(value) => ForeignValue::Number(f64::from(*value)),
        Field::Double(value) => ForeignValue::Number(*value),
        Field::Str(value) => ForeignValue::Text(value.clone()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnData, Table, write_table};

    #[test]
    fn only_the_named_columns_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.parquet");
        let table = Table::new()
            .with("score", ColumnData::F32(vec![0.5, 0.25]))
            .unwrap()
            .with("other", ColumnData::U8(vec![1, 2]))
            .unwrap()
            .with("label", ColumnData::Bool(vec![true, false]))
            .unwrap();
        write_table(&path, &table, &[]).unwrap();
        let got = read_foreign(&path, &["label", "score", "group"]).unwrap();
        assert_eq!(got.names, ["score", "other", "label"]);
        let number = ForeignValue::Number;
        assert_eq!(got.columns[0], ("score".to_owned(), vec![number(0.5), number(0.25)]));
        assert_eq!(got.columns[1].1, [ForeignValue::Bool(true), ForeignValue::Bool(false)]);
        assert_eq!(got.columns.len(), 2);
    }

    #[test]
    fn what_is_no_parquet_is_refused_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text.parquet");
        std::fs::write(&path, "PAR1 and then nothing of use PAR1").unwrap();
        let error = read_foreign(&path, &["score"]).unwrap_err().to_string();
        assert!(error.contains("text.parquet: not a Parquet file that can be read"), "{error}");
    }
}
