//! Writes one table with every column type, for a foreign reader to open: `--example sample -- <path>`.

use equipoise_store::{ColumnData, StoreError, Table, write_table};

fn main() -> Result<(), StoreError> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "sample.parquet".to_owned());
    let table = Table::new()
        .with("a_u8", ColumnData::U8(vec![0, 255]))?
        .with("a_u16", ColumnData::U16(vec![0, u16::MAX]))?
        .with("a_u32", ColumnData::U32(vec![0, u32::MAX]))?
        .with("a_u64", ColumnData::U64(vec![0, u64::MAX]))?
        .with("a_i32", ColumnData::I32(vec![i32::MIN, i32::MAX]))?
        .with("a_i64", ColumnData::I64(vec![i64::MIN, i64::MAX]))?
        .with("a_f32", ColumnData::F32(vec![-0.5, f32::MAX]))?
        .with("a_f64", ColumnData::F64(vec![0.1, f64::MIN_POSITIVE]))?
        .with("a_bool", ColumnData::Bool(vec![false, true]))?;
    write_table(path.as_ref(), &table, &[("generator", "sample")])
}
