//! What a world unit leaves on disk, and the same in memory: rows to train on, rows to decide on, and the truth that
//! only evaluation reads. This is the one place where rows and truth lie side by side, so it stays inside the runner.

mod tables;

pub(crate) use tables::{rows_of, with_rows};

use crate::contact_rows::WorldContacts;
use serde::{Deserialize, Serialize};

/// Facts about a world that a report prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WorldMeta {
    /// Which world of its role.
    pub index: u32,
    /// Platform names, in id order.
    pub platforms: Vec<String>,
    /// Names of the feature columns.
    pub columns: Vec<String>,
    /// What each platform sees, `[platform][column]`.
    pub seen: Vec<Vec<bool>>,
    /// Persons.
    pub persons: u32,
    /// Accounts, by platform.
    pub accounts: Vec<u32>,
    /// Tested accounts, by platform.
    pub tested: Vec<u32>,
    /// Events that the platforms saw.
    pub events: u64,
    /// Decision times, in seconds.
    pub decisions: Vec<i32>,
    /// First second of the test period.
    pub test_from: i32,
    /// End of the test period.
    pub test_until: i32,
    /// Names of the benign groups, by code.
    pub groups: Vec<String>,
    /// Names of the harmful patterns; code 0 is none.
    pub archetypes: Vec<String>,
    /// Training rows with a positive label, by platform.
    pub positives: Vec<u32>,
    /// Training rows, by platform.
    pub rows: Vec<u32>,
    /// Accounts with a simulated harmful pattern whose harmful contact began before the label cut-off, all persons.
    pub harmful_before_cutoff: u32,
    /// How many of them carried a positive label by then.
    pub harmful_labelled: u32,
    /// Positive labels on benign accounts by then.
    pub wrongly_labelled: u32,
}

/// Rows to train on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainRows {
    /// Features a row.
    pub columns: usize,
    /// Platform of each row.
    pub platform: Vec<u8>,
    /// Account of each row.
    pub account: Vec<u32>,
    /// Cut-off of each row, seconds.
    pub cutoff: Vec<i32>,
    /// Label that was known: 0 or 1.
    pub label: Vec<f32>,
    /// Which fold of 256 the row's person, household or team drew: what may be held out of training together.
    pub fold: Vec<u8>,
    /// `[rows, columns]`.
    pub values: Vec<f32>,
}

impl TrainRows {
    /// The rows, by index, for which `holds`.
    #[must_use]
    pub fn keep(&self, holds: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.label.len()).filter(|&row| holds(row)).collect();
        let columns = self.columns;
        let values = kept.iter().flat_map(|&row| &self.values[row * columns..(row + 1) * columns]);
        Self {
            columns,
            platform: kept.iter().map(|&row| self.platform[row]).collect(),
            account: kept.iter().map(|&row| self.account[row]).collect(),
            cutoff: kept.iter().map(|&row| self.cutoff[row]).collect(),
            label: kept.iter().map(|&row| self.label[row]).collect(),
            fold: kept.iter().map(|&row| self.fold[row]).collect(),
            values: values.copied().collect(),
        }
    }
}

/// Rows to decide on: one a decision and tested account that was still open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestRows {
    /// Index of the decision.
    pub decision: Vec<u16>,
    /// Index of the account in [`CaseRows`].
    pub case: Vec<u32>,
    /// Features, `[rows, columns]`.
    pub values: Vec<f32>,
    /// Features of the person's other accounts, `[rows, columns]`.
    pub linked: Vec<f32>,
    /// Reports known before the decision.
    pub reports: Vec<u16>,
    /// Score of the literal rule.
    pub rule: Vec<f32>,
}

/// Event sequences beside rows, one a row, as codes of [`equipoise_features::Token`]. Only worlds of experiments whose models read
/// sequences have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequenceRows {
    /// Codes, row after row, each oldest first.
    pub codes: Vec<u16>,
    /// One past the last code of each row.
    pub ends: Vec<u32>,
}

impl SequenceRows {
    /// Puts the sequence of the next row behind the others.
    ///
    /// # Panics
    /// If a world holds more than 2^32 events of sequences.
    pub fn push(&mut self, codes: &[u16]) {
        self.codes.extend_from_slice(codes);
        self.ends
            .push(u32::try_from(self.codes.len()).expect("a world's sequences hold fewer than 2^32 events"));
    }

    /// The codes of row `row`.
    #[must_use]
    pub fn of(&self, row: usize) -> &[u16] {
        let from = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.codes[from as usize..self.ends[row] as usize]
    }

    /// The sequences of the rows that `holds` keeps, in order.
    #[must_use]
    pub fn keep(&self, holds: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self::default();
        (0..self.ends.len()).filter(|&row| holds(row)).for_each(|row| kept.push(self.of(row)));
        kept
    }
}

/// The sequences of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorldSequences {
    /// Beside the rows to train on.
    pub train: SequenceRows,
    /// Beside the rows to decide on.
    pub test: SequenceRows,
}

/// The truth about tested accounts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseRows {
    /// Platform.
    pub platform: Vec<u8>,
    /// Account.
    pub account: Vec<u32>,
    /// Person.
    pub person: Vec<u32>,
    /// 0, or 1 + code of the pattern.
    pub archetype: Vec<u8>,
    /// Code of the benign group.
    pub group: Vec<u8>,
    /// Truly a minor.
    pub minor: Vec<bool>,
    /// First harmful contact, `i32::MAX` if none.
    pub harm_start: Vec<i32>,
    /// Closed by the platform's own moderation, `i32::MAX` if not.
    pub removed: Vec<i32>,
    /// Observation begins.
    pub entered: Vec<i32>,
    /// `contact_offsets[i]..contact_offsets[i + 1]` are the contacts of case `i`.
    pub contact_offsets: Vec<u32>,
    /// Child of each contact.
    pub contact_child: Vec<u32>,
    /// Time of each first contact.
    pub contact_time: Vec<i32>,
}

/// A world unit in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldData {
    /// Facts.
    pub meta: WorldMeta,
    /// One row an account.
    pub train: TrainRows,
    /// One row an account, with the features of the person's other accounts after its own.
    pub train_linked: TrainRows,
    /// Rows to decide on.
    pub test: TestRows,
    /// The truth.
    pub cases: CaseRows,
    /// What happened, event by event, where a model reads that.
    pub sequences: Option<WorldSequences>,
    /// Which accounts' data each training row used.
    pub reads: Reads,
    /// The noisy identifier that each tested account's platform holds, one a case, where an arm matches accounts. No truth, and no
    /// feature: only the matching of a fusion reads it.
    pub tokens: Option<Vec<u64>>,
    /// What each contact adds to each row, where an arm sums over contacts.
    pub contacts: Option<WorldContacts>,
}

/// The part of a world that reports need: a world's rows are many times as large.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// What the world is.
    pub meta: WorldMeta,
    /// Tested accounts.
    pub cases: CaseRows,
}

/// Which accounts' data each training row read: what privacy accounting for accounts rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Training row.
    pub row: Vec<u32>,
    /// An account of the row's platform whose data it used; the row's own account is among them.
    pub account: Vec<u32>,
}
