//! The allow-list between our nine column types and Parquet's: everything else is refused on reading.

use crate::{ColumnType, StoreError, table::check_name};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type, TypePtr};
use std::path::Path;
use std::sync::Arc;

/// The metadata key that every table carries.
pub(crate) const SYNTHETIC: &str = "synthetic";

/// The Parquet schema of named columns: all required, unsigned types by their logical types.
pub(crate) fn to_parquet(columns: &[(String, ColumnType)]) -> Result<TypePtr, ParquetError> {
    let fields = columns
        .iter()
        .map(|(name, kind)| {
            let (physical, logical) = encode(*kind);
            Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("table").with_fields(fields).build().map(Arc::new)
}

fn encode(kind: ColumnType) -> (Physical, Option<LogicalType>) {
    let unsigned = |bits| Some(LogicalType::integer(bits, false));
    match kind {
        ColumnType::U8 => (Physical::INT32, unsigned(8)),
        ColumnType::U16 => (Physical::INT32, unsigned(16)),
        ColumnType::U32 => (Physical::INT32, unsigned(32)),
        ColumnType::U64 => (Physical::INT64, unsigned(64)),
        ColumnType::I32 => (Physical::INT32, Some(LogicalType::integer(32, true))),
        ColumnType::I64 => (Physical::INT64, Some(LogicalType::integer(64, true))),
        ColumnType::F32 => (Physical::FLOAT, None),
        ColumnType::F64 => (Physical::DOUBLE, None),
        ColumnType::Bool => (Physical::BOOLEAN, None),
    }
}

/// The columns of a file.
///
/// # Errors
/// If one of them is not on the allow-list: text, bytes, decimals, timestamps, nullable, nested, odd names.
pub(crate) fn from_parquet(
    path: &Path,
    schema: &SchemaDescriptor,
) -> Result<Vec<(String, ColumnType)>, StoreError> {
    let mut columns: Vec<(String, ColumnType)> = Vec::with_capacity(schema.num_columns());
    for descriptor in schema.columns() {
        let name = descriptor.path().string();
        let kind = decode(descriptor).map_err(|found| StoreError::Forbidden {
            path: path.to_path_buf(),
            column: name.clone(),
            found,
        })?;
        check_name(&name)?;
        if columns.iter().any(|(taken, _)| *taken == name) {
            return Err(StoreError::Duplicate { name });
        }
        columns.push((name, kind));
    }
    Ok(columns)
}

fn decode(column: &ColumnDescriptor) -> Result<ColumnType, String> {
    if column.path().parts().len() != 1 || column.max_rep_level() > 0 {
        return Err("nested or repeated".to_owned());
    }
    if column.max_def_level() > 0 {
        return Err("nullable".to_owned());
    }
    let (physical, logical) = (column.physical_type(), column.logical_type_ref());
    ColumnType::ALL
        .into_iter()
        .find(|kind| {
            let (want_physical, want_logical) = encode(*kind);
            physical == want_physical
                && match logical {
                    Some(_) => logical == want_logical.as_ref(),
                    None => older_mark(*kind).contains(&column.converted_type()),
                }
        })
        .ok_or_else(|| match logical {
            Some(logical) => format!("{physical} ({logical:?})"),
            None => format!("{physical} ({})", column.converted_type()),
        })
}

/// What older writers say instead of a logical type. Signed integers of full width may be left unmarked.
const fn older_mark(kind: ColumnType) -> &'static [ConvertedType] {
    match kind {
        ColumnType::U8 => &[ConvertedType::UINT_8],
        ColumnType::U16 => &[ConvertedType::UINT_16],
        ColumnType::U32 => &[ConvertedType::UINT_32],
        ColumnType::U64 => &[ConvertedType::UINT_64],
        ColumnType::I32 => &[ConvertedType::NONE, ConvertedType::INT_32],
        ColumnType::I64 => &[ConvertedType::NONE, ConvertedType::INT_64],
        ColumnType::F32 | ColumnType::F64 | ColumnType::Bool => &[ConvertedType::NONE],
    }
}
