//! The truth about the accounts behind training rows, for attacks alone: an audit asks whether a model gives such facts away, so
//! somebody has to know them. No unit of a plan keeps it, and no model ever sees it.

use super::Cut;
use crate::data::TrainRows;
use equipoise_core::AccountId;
use equipoise_core::PlatformId;

/// One entry a training row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Whether the account's holder is truly a minor.
    pub(crate) minor: Vec<bool>,
    /// Whether the holder had been contacted by an account with a simulated harmful pattern before the row was cut.
    pub(crate) target: Vec<bool>,
}

impl Told {
    pub(super) fn of(cut: &Cut<'_>, rows: &TrainRows) -> Self {
        // The first harmful contact of each person, over all platforms.
        let truth = cut.truth();
        let mut first = vec![i32::MAX; truth.persons.len()];
        for account in truth.platforms.iter().flat_map(|platform| &platform.accounts) {
            for (time, child) in account.contacts.iter().filter(|_| account.harmful.is_some()) {
                let at = &mut first[child.0 as usize];
                *at = (*at).min(time.0);
            }
        }
        let about = |row: usize| truth.account(PlatformId(rows.platform[row]), AccountId(rows.account[row]));
        let rows_of = 0..rows.label.len();
        Self {
            minor: rows_of.clone().map(|row| about(row).true_age_band.is_minor()).collect(),
            target: rows_of.map(|row| first[about(row).person.0 as usize] < rows.cutoff[row]).collect(),
        }
    }
}
