//! What the pages of a dataset say about it. Every figure comes from here, and everything here was counted or configured:
//! the runner fills it from the card, the resolved world and the files on disk.

use super::{Cohort, FileSum};
use equipoise_core::PlatformId;

/// Stands on every page of a dataset and beside every score that a model trained on one gives.
pub const NOTICE: &str = "synthetic; not for operational decisions about people";

/// Everything that Croissant, the datasheet and the README say.
#[derive(Clone, PartialEq, Debug)]
pub struct DatasetFacts {
    /// Short name: letters, digits and hyphens.
    pub name: String,
    /// Title, one line.
    pub title: String,
    /// MAJOR.MINOR.PATCH: changed data, added data, changed words.
    pub version: String,
    /// Day of publication, `YYYY-MM-DD`, from the card and not from a clock.
    pub published: String,
    /// SPDX name of the licence of the data.
    pub licence: String,
    /// Where the dataset is hosted; relative to its own directory if nowhere yet.
    pub url: String,
    /// Program and version that made it.
    pub generator: String,
    /// File name of the world that it was made from.
    pub world: String,
    /// Root of all randomness.
    pub seed: u64,
    /// Simulated persons.
    pub persons: u32,
    /// Days of the window.
    pub days: u16,
    /// Blocks of accounts that a log is cut into.
    pub blocks: u16,
    /// Content hash of the data files.
    pub hash: String,
    /// Rates of the world whose source is a citation.
    pub cited_rates: usize,
    /// Rates of the world whose source is an assumption.
    pub assumed_rates: usize,
    /// The distinct citations.
    pub citations: Vec<String>,
    /// In id order.
    pub platforms: Vec<PlatformFacts>,
    /// (column or column of one table, its codes with their names).
    pub codes: Vec<(String, Vec<(u8, String)>)>,
    /// (what is counted, groups with small ones hidden).
    pub subgroups: Vec<(String, Vec<(String, Cohort)>)>,
    /// Rows of the tables that are not a platform's own, by table.
    pub rows: Vec<(String, u64)>,
    /// Every data file, in byte order of names.
    pub files: Vec<FileSum>,
}

/// What is said about one platform.
#[derive(Clone, PartialEq, Debug)]
pub struct PlatformFacts {
    /// Number.
    pub id: PlatformId,
    /// Neutral name in the world file.
    pub name: String,
    /// Abstract service design.
    pub archetype: String,
    /// Length of a message bucket, seconds.
    pub bucket_seconds: i32,
    /// Days of events that such a platform would keep; the dataset holds the whole window.
    pub retention_days: u16,
    /// Kinds of events that its log can contain.
    pub kinds: Vec<String>,
    /// What it does not see, in words.
    pub unseen: Vec<String>,
    /// Rows of its tables, by table.
    pub rows: Vec<(String, u64)>,
}

impl PlatformFacts {
    /// Rows of one of its tables.
    #[must_use]
    pub fn rows_of(&self, table: &str) -> u64 {
        self.rows.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows)
    }
}

impl DatasetFacts {
    /// Rows of all logs.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.platforms.iter().map(|platform| platform.rows_of("events")).sum()
    }

    /// Bytes of all data files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The names of a column's codes: those of this table's column, or of every column of that name.
    #[must_use]
    pub fn codes_of(&self, table: &str, column: &str) -> Option<&[(u8, String)]> {
        let own = format!("{table}/{column}");
        let find = |wanted: &str| self.codes.iter().find(|(name, _)| name == wanted);
        find(&own).or_else(|| find(column)).map(|(_, codes)| codes.as_slice())
    }

    /// One paragraph: what it is.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{}. Simulated platform metadata of {} persons who do not exist over {} days on {} abstract platforms: {} events \
             (who, whom, when, what kind, how many), accounts, contacts, what each platform came to know, and, kept apart, the \
             ground truth. There are no messages, names, media or places. {NOTICE}.",
            self.title,
            self.persons,
            self.days,
            self.platforms.len(),
            self.events(),
        )
    }
}
