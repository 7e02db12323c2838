//! Rows as they leave this crate: flat, with the accounts that each of them read.

use crate::LiteralRule;
use equipoise_core::{AccountId, PlatformId, SimTime};

/// The rows of one platform at one cut-off.
#[derive(Clone, PartialEq, Debug)]
pub struct RowBlock {
    /// Whose accounts.
    pub platform: PlatformId,
    /// Rows depend on events strictly before this instant.
    pub cutoff: SimTime,
    /// Columns of a row, in the order of [`crate::dictionary`].
    pub columns: usize,
    /// `[rows, columns]`, row-major.
    pub values: Vec<f32>,
    /// The account of each row.
    pub accounts: Vec<AccountId>,
    /// The accounts whose data each row reads, row after row: the account itself, then its sampled contacts by id.
    pub reads: Vec<AccountId>,
    /// `reads_of(i)` is `reads[read_offsets[i]..read_offsets[i + 1]]`; rows + 1 entries.
    pub read_offsets: Vec<u32>,
}

impl RowBlock {
    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.accounts.len()
    }

    /// The features of row `row`, `[columns]`.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// The accounts whose data row `row` reads.
    #[must_use]
    pub fn reads_of(&self, row: usize) -> &[AccountId] {
        &self.reads[self.read_offsets[row] as usize..self.read_offsets[row + 1] as usize]
    }
}

/// The literal rule's numbers of one platform at one cut-off. Not covered by the bound on reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleBlock {
    /// Whose accounts.
    pub platform: PlatformId,
    /// Numbers depend on events strictly before this instant.
    pub cutoff: SimTime,
    /// The accounts, as in the [`RowBlock`] of the same cut-off.
    pub accounts: Vec<AccountId>,
    /// The numbers of each account.
    pub rules: Vec<LiteralRule>,
}

/// The sequences of one platform at one cut-off, as codes of [`crate::Token`]. A sequence reads the accounts that its row reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SequenceBlock {
    /// Whose accounts.
    pub platform: PlatformId,
    /// Sequences depend on events strictly before this instant.
    pub cutoff: SimTime,
    /// The accounts, as in the [`RowBlock`] of the same cut-off.
    pub accounts: Vec<AccountId>,
    /// Codes, account after account, each oldest first.
    pub codes: Vec<u16>,
    /// One past the last code of each account.
    pub ends: Vec<u32>,
}

impl SequenceBlock {
    /// The sequence of account number `at`, oldest event first.
    #[must_use]
    pub fn sequence(&self, at: usize) -> &[u16] {
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.codes[from as usize..self.ends[at] as usize]
    }
}
