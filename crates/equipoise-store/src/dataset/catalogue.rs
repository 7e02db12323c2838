//! The catalogue of tables that a published dataset may hold: the allow-list of writing and reading, and what Croissant, the
//! datasheet and `equipoise dataset ls` describe. A table that is not in it, or has another column, is not written.

use super::layout::part_of;
use super::tables::TABLES;
use crate::{ColumnType, StoreError, Table, write_table};
use equipoise_core::PlatformId;
use std::path::{Path, PathBuf};

/// One column of a published table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Name, `[a-z0-9_]+`.
    pub name: &'static str,
    /// Type: fixed width, never text.
    pub kind: ColumnType,
    /// What it says, with its unit.
    pub about: &'static str,
    /// The table whose first column it refers to, if any.
    pub refers: Option<&'static str>,
}

/// Who may read a table when a model is trained.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Seat {
    /// The operator of the platform: `platform=<n>/`.
    Operator,
    /// The operator again, kept apart so that training names it: `labels/`.
    Labels,
    /// Evaluation only: `truth/`.
    Truth,
    /// Everybody who trains or evaluates: `splits/`.
    Splits,
}

/// One published table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableSpec {
    /// Name, unique in the dataset.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Who may read it.
    pub seat: Seat,
    /// Whether each platform has one of its own.
    pub by_platform: bool,
    /// How many of the first columns make a row unique.
    pub key: usize,
    /// Its columns, in order.
    pub columns: &'static [Column],
}

/// The table of that name.
#[must_use]
pub fn table_spec(name: &str) -> Option<&'static TableSpec> {
    TABLES.iter().find(|table| table.name == name)
}

/// The table whose file is called `name` below a dataset, and its platform (0 for tables that platforms share).
#[must_use]
pub fn table_at(name: &str) -> Option<(&'static TableSpec, PlatformId)> {
    if let Some((platform, _, _)) = part_of(name) {
        return Some((table_spec("events")?, platform));
    }
    let number = name.split_once("platform=").and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok());
    let platform = PlatformId(number.unwrap_or(0));
    let tables = TABLES.iter().filter(|table| table.name != "events");
    tables.into_iter().find(|table| table.place(platform) == name).map(|table| (table, platform))
}

impl TableSpec {
    /// Where the table lies; `platform` matters only if each platform has one. Events lie in parts below their directory.
    #[must_use]
    pub fn place(&self, platform: PlatformId) -> String {
        let short = self.name.split_once('_').map_or(self.name, |(_, rest)| rest);
        let own = format!("platform={}/", platform.0);
        match (self.seat, self.by_platform) {
            (Seat::Operator, _) => format!("{own}table={}/part-0.parquet", self.name),
            (Seat::Labels, _) => format!("labels/{own}part-0.parquet"),
            (Seat::Splits, true) => format!("splits/{own}{short}.parquet"),
            (Seat::Splits, false) => format!("splits/{short}.parquet"),
            (Seat::Truth, _) => format!("truth/{short}.parquet"),
        }
    }

    /// Whether `table` has exactly these columns, in this order.
    #[must_use]
    pub fn fits(&self, schema: &[(String, ColumnType)]) -> bool {
        schema.len() == self.columns.len()
            && self
                .columns
                .iter()
                .zip(schema)
                .all(|(want, (name, kind))| want.name == name && want.kind == *kind)
    }
}

/// Writes a table of the catalogue to its place below `dataset`; the place.
///
/// # Errors
/// If the columns are not those of the catalogue, or the file cannot be written.
pub fn write_catalogued(
    dataset: &Path,
    spec: &TableSpec,
    platform: PlatformId,
    table: &Table,
    meta: &[(&str, &str)],
) -> Result<PathBuf, StoreError> {
    let path = dataset.join(spec.place(platform));
    if !spec.fits(&table.schema()) {
        let words = |columns: Vec<String>| columns.join(", ");
        return Err(StoreError::Schema {
            path,
            found: words(table.schema().iter().map(|(name, kind)| format!("{name}: {kind}")).collect()),
            expected: words(spec.columns.iter().map(|c| format!("{}: {}", c.name, c.kind)).collect()),
        });
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(StoreError::io(parent, "make the directory"))?;
    }
    write_table(&path, table, meta)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events_to_table;

    #[test]
    fn the_events_of_the_catalogue_are_the_events_that_are_written() {
        assert!(table_spec("events").unwrap().fits(&events_to_table(&[]).schema()));
    }

    /// Not even the catalogue can name a wide float or a text: the data of a person is fixed-width and coarse.
    #[test]
    fn every_column_is_a_small_number_with_a_description() {
        for table in TABLES {
            assert!(table.key <= table.columns.len() && !table.about.is_empty(), "{}", table.name);
            for column in table.columns {
                assert!(!matches!(column.kind, ColumnType::F64 | ColumnType::I64), "{}", column.name);
                assert!(column.about.len() > 3, "{}/{}", table.name, column.name);
                let known = column.refers.is_none_or(|to| table_spec(to).is_some());
                assert!(known, "{}/{} refers to nothing", table.name, column.name);
            }
        }
    }

    #[test]
    fn names_of_people_places_and_content_are_no_columns() {
        let banned =
            ["name", "handle", "text", "content", "mail", "phone", "latitude", "longitude", "embedding"];
        for column in TABLES.iter().flat_map(|table| table.columns) {
            assert!(!banned.iter().any(|word| column.name.contains(word)), "{}", column.name);
        }
    }

    #[test]
    fn truth_lies_apart_from_everything_an_operator_reads() {
        for table in TABLES {
            let inside = table.place(PlatformId(0)).starts_with("truth/");
            assert_eq!(inside, table.seat == Seat::Truth, "{}", table.name);
        }
    }

    #[test]
    fn two_tables_never_share_a_place() {
        let mut places: Vec<String> = TABLES.iter().map(|table| table.place(PlatformId(3))).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), TABLES.len());
    }

    #[test]
    fn a_place_leads_back_to_its_table() {
        for table in TABLES.iter().filter(|table| table.name != "events") {
            let platform = PlatformId(if table.by_platform { 3 } else { 0 });
            assert_eq!(table_at(&table.place(platform)), Some((table, platform)));
        }
        assert_eq!(
            table_at("platform=3/table=events/block=1/week=12.parquet").map(|(t, p)| (t.name, p.0)),
            Some(("events", 3))
        );
        for stranger in [
            "notes.csv",
            "truth/persons.csv",
            "platform=0/table=events/part-0.parquet",
            "platform=0/table=events/block=01/week=2.parquet",
        ] {
            assert_eq!(table_at(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn a_table_with_another_column_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let spec = table_spec("edges").unwrap();
        let table = Table::new().with("a", vec![1_u32]).unwrap().with("c", vec![2_u32]).unwrap();
        let error = write_catalogued(directory.path(), spec, PlatformId(0), &table, &[]).unwrap_err();
        assert!(
            error.to_string().ends_with("columns a: u32, c: u32, the file was opened for a: u32, b: u32")
        );
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
