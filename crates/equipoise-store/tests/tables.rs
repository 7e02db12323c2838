//! Tables on disk: what goes in comes out, the same bytes every time, and damage is an error with a name.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use equipoise_core::{AccountId, Event, EventKind, SimTime, Surface};
use equipoise_store::{
    ColumnData, ColumnType, ROW_GROUP_ROWS, StoreError, Table, TableReader, TableWriter, events_from_table,
    events_to_table, read_table, write_table,
};
use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use proptest::prelude::*;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

fn place(name: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    (directory, path)
}

fn names_in(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// All nine types, with floats as bits so that a NaN counts as equal to itself.
type Row = ((u8, u16, u32, u64), (i32, i64), (u32, u64), bool);

fn table_of(rows: &[Row]) -> Table {
    let columns: [(&str, ColumnData); 9] = [
        ("a_u8", ColumnData::U8(rows.iter().map(|r| r.0.0).collect())),
        ("a_u16", ColumnData::U16(rows.iter().map(|r| r.0.1).collect())),
        ("a_u32", ColumnData::U32(rows.iter().map(|r| r.0.2).collect())),
        ("a_u64", ColumnData::U64(rows.iter().map(|r| r.0.3).collect())),
        ("a_i32", ColumnData::I32(rows.iter().map(|r| r.1.0).collect())),
        ("a_i64", ColumnData::I64(rows.iter().map(|r| r.1.1).collect())),
        ("a_f32", ColumnData::F32(rows.iter().map(|r| f32::from_bits(r.2.0)).collect())),
        ("a_f64", ColumnData::F64(rows.iter().map(|r| f64::from_bits(r.2.1)).collect())),
        ("a_bool", ColumnData::Bool(rows.iter().map(|r| r.3).collect())),
    ];
    columns.into_iter().fold(Table::new(), |table, (name, data)| table.with(name, data).unwrap())
}

fn bits(table: &Table) -> Vec<(String, ColumnType, Vec<u64>)> {
    table
        .columns()
        .map(|(name, data)| {
            let values = match data {
                ColumnData::U8(v) => v.iter().map(|&x| u64::from(x)).collect(),
                ColumnData::U16(v) => v.iter().map(|&x| u64::from(x)).collect(),
                ColumnData::U32(v) => v.iter().map(|&x| u64::from(x)).collect(),
                ColumnData::U64(v) => v.clone(),
                ColumnData::I32(v) => v.iter().map(|&x| i64::from(x).cast_unsigned()).collect(),
                ColumnData::I64(v) => v.iter().map(|&x| x.cast_unsigned()).collect(),
                ColumnData::F32(v) => v.iter().map(|&x| u64::from(x.to_bits())).collect(),
                ColumnData::F64(v) => v.iter().map(|&x| x.to_bits()).collect(),
                ColumnData::Bool(v) => v.iter().map(|&x| u64::from(x)).collect(),
            };
            (name.to_owned(), data.kind(), values)
        })
        .collect()
}

fn sample() -> Table {
    let rows: Vec<Row> = (0..5_000_u32)
        .map(|i| {
            let wide = u64::from(i * i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let narrow = (i * i + 1).wrapping_mul(0x9E37_79B9);
            (
                (i.to_le_bytes()[0], i as u16, narrow, wide),
                (i.cast_signed(), wide.cast_signed()),
                (narrow, wide),
                i.is_multiple_of(3),
            )
        })
        .collect();
    table_of(&rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_type_comes_back_bit_for_bit(rows in prop::collection::vec(any::<Row>(), 0..300)) {
        let (_directory, path) = place("t.parquet");
        let table = table_of(&rows);
        write_table(&path, &table, &[("k", "v")]).unwrap();
        let (back, meta) = read_table(&path).unwrap();
        prop_assert_eq!(bits(&back), bits(&table));
        prop_assert_eq!(meta.get("k").map(String::as_str), Some("v"));
    }
}

#[test]
fn the_extremes_of_every_type_survive() {
    let rows: Vec<Row> = vec![
        ((0, 0, 0, 0), (i32::MIN, i64::MIN), (f32::NAN.to_bits(), f64::NEG_INFINITY.to_bits()), false),
        (
            (255, 65_535, u32::MAX, u64::MAX),
            (i32::MAX, i64::MAX),
            ((-0.0_f32).to_bits(), f64::MIN_POSITIVE.to_bits()),
            true,
        ),
    ];
    let (_directory, path) = place("t.parquet");
    write_table(&path, &table_of(&rows), &[]).unwrap();
    assert_eq!(bits(&read_table(&path).unwrap().0), bits(&table_of(&rows)));
}

#[test]
fn the_same_table_gives_the_same_bytes() {
    let (directory, path) = place("a.parquet");
    let other = directory.path().join("b.parquet");
    write_table(&path, &sample(), &[("b", "2"), ("a", "1")]).unwrap();
    write_table(&other, &sample(), &[("a", "1"), ("b", "2")]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(&other).unwrap());
}

/// A change here moves every stored table: it must be on purpose.
#[test]
fn the_bytes_of_a_small_table_are_frozen() {
    let (_directory, path) = place("t.parquet");
    write_table(&path, &Table::new().with("account", vec![1_u32, 2, 3]).unwrap(), &[]).unwrap();
    assert_eq!(blake3::hash(&fs::read(&path).unwrap()).to_hex().as_str(), FROZEN);
}
const FROZEN: &str = "c1e4ecbf42d967e53ed3141a4db8d5df26692bb02c82a0ab925b214ec74368df";

#[test]
fn a_table_without_rows_keeps_its_columns() {
    let (_directory, path) = place("t.parquet");
    write_table(&path, &table_of(&[]), &[]).unwrap();
    let (back, _) = read_table(&path).unwrap();
    assert_eq!((back.rows(), back.schema()), (0, table_of(&[]).schema()));
}

#[test]
fn a_long_table_is_cut_into_row_groups() {
    let (_directory, path) = place("t.parquet");
    let values: Vec<u32> = (0..u32::try_from(ROW_GROUP_ROWS).unwrap() + 7).collect();
    write_table(&path, &Table::new().with("id", values.clone()).unwrap(), &[]).unwrap();
    let reader = TableReader::open(&path).unwrap();
    assert_eq!(reader.groups(), 2);
    assert_eq!(reader.read_group(1).unwrap().rows(), 7);
    assert!(reader.read_group(2).is_err());
    assert_eq!(read_table(&path).unwrap().0.u32("id").unwrap(), values);
}

#[test]
fn pieces_are_read_back_as_one_table_and_other_columns_are_refused() {
    let (_directory, path) = place("t.parquet");
    let piece = |values: Vec<u32>| Table::new().with("id", values).unwrap();
    let mut writer = TableWriter::create(&path, &piece(vec![]).schema(), &[]).unwrap();
    writer.append(&piece(vec![1, 2])).unwrap();
    writer.append(&piece(vec![3])).unwrap();
    let stranger = Table::new().with("id", vec![1_u8]).unwrap();
    assert!(
        writer
            .append(&stranger)
            .unwrap_err()
            .to_string()
            .ends_with("columns id: u8, the file was opened for id: u32")
    );
    assert!(!path.exists(), "the file has no name before it is whole");
    writer.finish().unwrap();
    assert_eq!(read_table(&path).unwrap().0.u32("id").unwrap(), [1, 2, 3]);
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let (directory, path) = place("t.parquet");
    let mut writer = TableWriter::create(&path, &sample().schema(), &[]).unwrap();
    writer.append(&sample()).unwrap();
    drop(writer);
    assert!(names_in(directory.path()).is_empty());
}

#[test]
fn a_truncated_file_is_an_error_that_names_the_file() {
    let (directory, path) = place("whole.parquet");
    write_table(&path, &sample(), &[]).unwrap();
    let whole = fs::read(&path).unwrap();
    let cut = directory.path().join("cut.parquet");
    let tenths = (0..10).map(|tenth| whole.len() * tenth / 10);
    let ends = (1..20).map(|less| whole.len() - less);
    for length in tenths.chain(ends) {
        fs::write(&cut, &whole[..length]).unwrap();
        let error = read_table(&cut).unwrap_err();
        assert!(matches!(error, StoreError::NotParquet { .. }), "{length}: {error}");
        assert!(error.to_string().contains("cut.parquet: not a whole Parquet file"), "{error}");
    }
}

#[test]
fn foreign_bytes_are_an_error() {
    let (_directory, path) = place("t.parquet");
    for bytes in [&b""[..], b"PAR1", b"PAR1PAR1", b"hello, this is text, not a table", &[0xFF; 4096]] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(read_table(&path), Err(StoreError::NotParquet { .. })));
    }
    assert!(matches!(read_table(Path::new("/no/such/file")), Err(StoreError::Io { .. })));
}

/// A changed byte may go unnoticed in a value (the `done` marker is there for that); it must never stop the program.
#[test]
fn a_changed_byte_never_panics() {
    let (_directory, path) = place("t.parquet");
    let rows: Vec<Row> = (0..40_u8).map(|i| ((i, 1, 2, 3), (4, 5), (6, 7), true)).collect();
    write_table(&path, &table_of(&rows), &[]).unwrap();
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for change in [0x01, 0x80, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            fs::write(&path, &bytes).unwrap();
            if let Ok((table, _)) = read_table(&path) {
                assert!(table.rows() <= 40 * 40, "byte {at}: {} rows", table.rows());
            }
        }
    }
}

/// A file as another tool would write it: one column of `physical`, with the metadata that we ask for.
fn foreign(
    path: &Path,
    column: Type,
    write: impl FnOnce(&mut parquet::file::writer::SerializedColumnWriter<'_>),
    synthetic: bool,
) {
    let schema = Type::group_type_builder("schema").with_fields(vec![Arc::new(column)]).build().unwrap();
    let meta = synthetic.then(|| vec![KeyValue::new("synthetic".to_owned(), "true".to_owned())]);
    let properties = WriterProperties::builder().set_key_value_metadata(meta).build();
    let mut writer =
        SerializedFileWriter::new(File::create(path).unwrap(), Arc::new(schema), Arc::new(properties))
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    write(&mut column);
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn a_column_of_text_or_bytes_is_refused() {
    let (_directory, path) = place("t.parquet");
    for converted in [ConvertedType::UTF8, ConvertedType::NONE] {
        let column = Type::primitive_type_builder("note", Physical::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_converted_type(converted)
            .build()
            .unwrap();
        let write = |c: &mut parquet::file::writer::SerializedColumnWriter<'_>| {
            c.typed::<ByteArrayType>().write_batch(&[ByteArray::from("x")], None, None).unwrap();
        };
        foreign(&path, column, write, true);
        let error = read_table(&path).unwrap_err();
        assert!(matches!(&error, StoreError::Forbidden { column, .. } if column == "note"), "{error}");
        assert!(error.to_string().contains("column `note` is BYTE_ARRAY"), "{error}");
    }
}

fn one_integer(path: &Path, converted: ConvertedType, repetition: Repetition, value: i32, synthetic: bool) {
    let column = Type::primitive_type_builder("x", Physical::INT32)
        .with_repetition(repetition)
        .with_converted_type(converted)
        .build()
        .unwrap();
    let levels: Option<&[i16]> = (repetition == Repetition::OPTIONAL).then_some(&[1]);
    let write = |c: &mut parquet::file::writer::SerializedColumnWriter<'_>| {
        c.typed::<Int32Type>().write_batch(&[value], levels, None).unwrap();
    };
    foreign(path, column, write, synthetic);
}

#[test]
fn dates_narrow_signed_and_nullable_columns_are_refused() {
    let (_directory, path) = place("t.parquet");
    for (converted, repetition) in [
        (ConvertedType::DATE, Repetition::REQUIRED),
        (ConvertedType::INT_8, Repetition::REQUIRED),
        (ConvertedType::TIME_MILLIS, Repetition::REQUIRED),
        (ConvertedType::NONE, Repetition::OPTIONAL),
    ] {
        one_integer(&path, converted, repetition, 1, true);
        assert!(matches!(read_table(&path), Err(StoreError::Forbidden { .. })), "{converted}");
    }
    one_integer(&path, ConvertedType::NONE, Repetition::REQUIRED, -5, true);
    assert_eq!(read_table(&path).unwrap().0.i32("x").unwrap(), [-5]);
}

#[test]
fn a_value_that_does_not_fit_its_type_is_an_error() {
    let (_directory, path) = place("t.parquet");
    one_integer(&path, ConvertedType::UINT_8, Repetition::REQUIRED, 300, true);
    let error = read_table(&path).unwrap_err().to_string();
    assert!(error.contains("column `x`") && error.contains("does not fit"), "{error}");
}

#[test]
fn a_file_that_does_not_say_synthetic_is_refused() {
    let (_directory, path) = place("t.parquet");
    one_integer(&path, ConvertedType::NONE, Repetition::REQUIRED, 1, false);
    assert!(matches!(read_table(&path), Err(StoreError::NotSynthetic { .. })));
}

#[test]
fn nobody_can_write_a_table_that_says_it_is_not_synthetic() {
    let (directory, path) = place("t.parquet");
    for meta in [&[("synthetic", "false")][..], &[("a", "1"), ("a", "2")]] {
        assert!(matches!(write_table(&path, &sample(), meta), Err(StoreError::Metadata { .. })));
    }
    assert!(names_in(directory.path()).is_empty());
}

fn any_event() -> impl Strategy<Value = Event> {
    (any::<(i32, u32, u32, u16, u8, u8)>(), 0_u8..15, 0_u8..3, 0_u8..2).prop_map(
        |((time, actor, peer, count, media, mutuals), kind, surface, detail)| Event {
            time: SimTime(time),
            actor: AccountId(actor),
            peer: AccountId(peer),
            kind: EventKind::from_code(kind).unwrap(),
            surface: Surface::from_code(surface).unwrap(),
            count,
            media,
            mutuals,
            detail,
        },
    )
}

proptest! {
    #[test]
    fn events_come_back(events in prop::collection::vec(any_event(), 0..50)) {
        prop_assert_eq!(events_from_table(&events_to_table(&events)).unwrap(), events);
    }
}

#[test]
fn an_unknown_code_is_an_error_that_names_the_row() {
    let good = Event::new(SimTime(1), AccountId(1), AccountId(2), EventKind::Report);
    let with = |column: &str, code: u8| {
        events_to_table(&[good, good]).columns().fold(Table::new(), |table, (name, data)| {
            let data = if name == column { ColumnData::U8(vec![0, code]) } else { data.clone() };
            table.with(name, data).unwrap()
        })
    };
    let error = events_from_table(&with("kind", 15)).unwrap_err().to_string();
    assert!(error.starts_with("column `kind`, row 1: 15 is not a known code"), "{error}");
    assert!(events_from_table(&with("surface", 3)).is_err());
    let report = Table::new();
    let report = events_to_table(&[Event { detail: 2, ..good }])
        .columns()
        .fold(report, |t, (n, d)| t.with(n, d.clone()).unwrap());
    assert!(matches!(events_from_table(&report), Err(StoreError::Code { column: "detail", .. })));
}
