//! The tables that a published dataset may hold, column by column: the allow-list of writing, and what Croissant, the
//! datasheet and `equipoise dataset ls` describe. A table that is not here, or has another column, is not written.

use super::layout::part_of;
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

const fn column(name: &'static str, kind: ColumnType, about: &'static str) -> Column {
    Column { name, kind, about, refers: None }
}

const fn refers(name: &'static str, kind: ColumnType, about: &'static str, table: &'static str) -> Column {
    Column { name, kind, about, refers: Some(table) }
}

const PLATFORM: Column = column("platform", ColumnType::U8, "platform, numbered as in config.toml");

/// Every table that a dataset may hold.
pub const TABLES: [TableSpec; 10] = [
    TableSpec {
        name: "events",
        about: "What the platform's log says happened: who, whom, when, what kind, how many. No content exists.",
        seat: Seat::Operator,
        by_platform: true,
        key: 5,
        columns: &[
            column(
                "time",
                ColumnType::I32,
                "seconds from the start of the window, floored to the platform's bucket",
            ),
            refers("actor", ColumnType::U32, "account that acted", "accounts"),
            refers(
                "peer",
                ColumnType::U32,
                "account on the other side; 4294967295 if there is none",
                "accounts",
            ),
            column("kind", ColumnType::U8, "kind of event"),
            column("surface", ColumnType::U8, "where on the platform"),
            column("count", ColumnType::U16, "messages in the bucket, minutes of a call, otherwise 1"),
            column(
                "media",
                ColumnType::U8,
                "how many of `count` carried media; 0 where the platform does not see it",
            ),
            column(
                "mutuals",
                ColumnType::U8,
                "shared contacts, at most 254; 255 where the platform does not see it",
            ),
            column("detail", ColumnType::U8, "category of a report, otherwise 0"),
        ],
    },
    TableSpec {
        name: "accounts",
        about: "What the operator holds about each account besides its events.",
        seat: Seat::Operator,
        by_platform: true,
        key: 1,
        columns: &[
            column("account", ColumnType::U32, "account, numbered from 0 in random order on this platform"),
            column(
                "declared_age",
                ColumnType::U8,
                "age band that the account declared, often wrong; 255 unseen",
            ),
            column("region", ColumnType::U8, "coarse region code; 255 unseen"),
            column(
                "created",
                ColumnType::I32,
                "seconds from the start of the window; negative for older accounts",
            ),
            column("token", ColumnType::U64, "noisy linkage token; accounts of one person often share one"),
        ],
    },
    TableSpec {
        name: "edges",
        about: "Contacts at the start of the window, each once; later contacts are events.",
        seat: Seat::Operator,
        by_platform: true,
        key: 2,
        columns: &[
            refers("a", ColumnType::U32, "the smaller account number", "accounts"),
            refers("b", ColumnType::U32, "the larger account number", "accounts"),
        ],
    },
    TableSpec {
        name: "labels",
        about: "What the platform came to know about its accounts, and when: late, incomplete, sometimes wrong.",
        seat: Seat::Labels,
        by_platform: true,
        key: 0,
        columns: &[
            refers("account", ColumnType::U32, "account that the label is about", "accounts"),
            column(
                "known_at",
                ColumnType::I32,
                "seconds from the start of the window at which it became known",
            ),
            column("status", ColumnType::U8, "how far the platform got"),
            column("source", ColumnType::U8, "where the knowledge came from"),
        ],
    },
    TableSpec {
        name: "split_accounts",
        about: "Train, validation or test: all accounts of a person on one side, on every platform.",
        seat: Seat::Splits,
        by_platform: true,
        key: 1,
        columns: &[
            refers("account", ColumnType::U32, "account", "accounts"),
            column("split", ColumnType::U8, "side"),
        ],
    },
    TableSpec {
        name: "split_times",
        about: "The time cut: training and validation read events and labels before it, test decides from it on.",
        seat: Seat::Splits,
        by_platform: false,
        key: 1,
        columns: &[
            column("split", ColumnType::U8, "side"),
            column("from", ColumnType::I32, "first second"),
            column("until", ColumnType::I32, "first second after the end"),
        ],
    },
    TableSpec {
        name: "truth_persons",
        about: "TRUTH, for evaluation only: the simulated persons.",
        seat: Seat::Truth,
        by_platform: false,
        key: 1,
        columns: &[
            column("person", ColumnType::U32, "person, numbered from 0"),
            column("age_band", ColumnType::U8, "true age band"),
            column("girl", ColumnType::Bool, "girl or woman"),
            column("region", ColumnType::U8, "coarse region code"),
            column("sociability", ColumnType::F32, "standard normal trait: how many circles"),
            column(
                "vulnerability",
                ColumnType::F32,
                "positive trait with median 1: odds of accepting strangers",
            ),
        ],
    },
    TableSpec {
        name: "truth_accounts",
        about: "TRUTH, for evaluation only: who is behind an account and what it was simulated to be.",
        seat: Seat::Truth,
        by_platform: false,
        key: 2,
        columns: &[
            PLATFORM,
            column("account", ColumnType::U32, "account on that platform"),
            refers("person", ColumnType::U32, "person behind it", "truth_persons"),
            column("harmful", ColumnType::U8, "simulated harmful pattern; 0 none"),
            column(
                "benign_group",
                ColumnType::U8,
                "benign role; of a harmful account the one that it resembles",
            ),
            column(
                "matched_for",
                ColumnType::U8,
                "pattern that a benign look-alike was made to match; 0 none",
            ),
            column(
                "harm_start",
                ColumnType::I32,
                "second of the first harmful contact with a child; 2147483647 never",
            ),
        ],
    },
    TableSpec {
        name: "truth_stages",
        about: "TRUTH, for evaluation only: how long each harmful dyad stayed in each abstract stage.",
        seat: Seat::Truth,
        by_platform: false,
        key: 0,
        columns: &[
            PLATFORM,
            column("account", ColumnType::U32, "account with a harmful pattern"),
            refers("child", ColumnType::U32, "person on the other side", "truth_persons"),
            column("stage", ColumnType::U8, "stage 1 to 5"),
            column("from", ColumnType::I32, "second at which the stage began"),
            column("until", ColumnType::I32, "second at which it ended"),
        ],
    },
    TableSpec {
        name: "truth_contacts",
        about: "TRUTH, for evaluation only: the first contact of a harmful account with each child.",
        seat: Seat::Truth,
        by_platform: false,
        key: 0,
        columns: &[
            PLATFORM,
            column("account", ColumnType::U32, "account with a harmful pattern"),
            refers("child", ColumnType::U32, "person contacted", "truth_persons"),
            column("time", ColumnType::I32, "second of the first contact"),
        ],
    },
];

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
