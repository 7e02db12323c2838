//! What one contact adds to a row by itself: a short vector of numbers in 0..=1 for each sampled contact, so that sums of them can be
//! bounded contact by contact and noised (noised aggregation, GAP: Sajadmanesh et al., USENIX Security 2023).
//!
//! The columns of the dictionary are shares and maxima over contacts, which no sum of bounded parts gives. A vector here depends on the
//! events between the two accounts and on what they declared, on nothing else: not on how many other contacts there are. What it does
//! not promise: privacy. That is a matter of clipping, of how many rows an account adds to, and of noise, all outside this crate.

use crate::dyad::{Dyad, NEVER};
use crate::summary::{Codes, UNKNOWN_AGE, log_scaled, share};
use equipoise_core::{AccountId, PlatformId, SimTime};

/// One column of what a contact adds.
struct ContactColumn {
    name: &'static str,
    label_adjacent: bool,
    value: fn(Codes, Codes, &Dyad) -> f64,
}

const fn column(name: &'static str, value: fn(Codes, Codes, &Dyad) -> f64) -> ContactColumn {
    ContactColumn { name, label_adjacent: false, value }
}

const fn truth(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// Own profile, the contact's, and their events from the own side. Eight numbers: every column takes its part of the clip norm, and of the
/// noise.
const COLUMNS: [ContactColumn; 8] = [
    column("contact", |_, _, _| 1.0),
    column("contact-minor", |_, peer, _| truth(peer.is_minor())),
    column("contact-younger", |own, peer, _| {
        truth(own.age != UNKNOWN_AGE && peer.age != UNKNOWN_AGE && peer.age < own.age)
    }),
    column("contact-begun", |_, _, dyad| truth(dyad.began_by == 0)),
    column("contact-one-sided", |_, _, dyad| {
        truth(dyad.last_message != NEVER && dyad.messages[0] > 0 && dyad.messages[1] == 0)
    }),
    column("contact-messages", |_, _, dyad| log_scaled(f64::from(dyad.messages[0]), 200.0)),
    column("contact-off-hours", |_, _, dyad| {
        share(f64::from(dyad.off_hours_out), f64::from(dyad.messages[0]))
    }),
    ContactColumn {
        name: "contact-objects",
        label_adjacent: true,
        value: |_, _, dyad| truth(dyad.blocks[1] > 0 || dyad.mutes[1] > 0 || dyad.reports[1] > 0),
    },
];

fn columns(label_adjacent: bool) -> impl Iterator<Item = &'static ContactColumn> {
    COLUMNS.iter().filter(move |column| label_adjacent || !column.label_adjacent)
}

/// The names of what a contact adds, in order; without the label-adjacent group the last is not there.
#[must_use]
pub fn contact_columns(label_adjacent: bool) -> Vec<&'static str> {
    columns(label_adjacent).map(|column| column.name).collect()
}

/// Puts what `peer` adds to the row of `own` behind the others.
#[allow(clippy::cast_possible_truncation)] // values lie in 0..=1
pub(crate) fn push(label_adjacent: bool, own: Codes, peer: Codes, dyad: &Dyad, values: &mut Vec<f32>) {
    values.extend(columns(label_adjacent).map(|column| (column.value)(own, peer, dyad) as f32));
}

/// What every sampled contact adds to the rows of one platform at one cut-off.
#[derive(Clone, PartialEq, Debug)]
pub struct ContactBlock {
    /// Whose accounts.
    pub platform: PlatformId,
    /// Vectors depend on events strictly before this instant.
    pub cutoff: SimTime,
    /// Columns of a vector, in the order of [`contact_columns`].
    pub columns: usize,
    /// The accounts, as in the row block of the same cut-off.
    pub accounts: Vec<AccountId>,
    /// The sampled contacts of each account by id, account after account.
    pub contacts: Vec<AccountId>,
    /// `[contacts, columns]`.
    pub values: Vec<f32>,
    /// One past the last contact of each account.
    pub ends: Vec<u32>,
}

impl ContactBlock {
    /// The contacts of account number `at`, and what each adds.
    #[must_use]
    pub fn of(&self, at: usize) -> (&[AccountId], &[f32]) {
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        let end = self.ends[at] as usize;
        (&self.contacts[from..end], &self.values[from * self.columns..end * self.columns])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_world::{accounts, log, profiles, run, spec, view};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Nulling a contact's events takes its own vectors away and leaves every other one as it is, where samples have room.
        #[test]
        fn a_vector_depends_on_its_own_two_accounts_alone(profiles in profiles(), events in log(160)) {
            let (view, spec) = (view(profiles), spec(64, true));
            let block = run(&view, &spec, &events).contact_block(&accounts());
            let gone = AccountId(1);
            let kept: Vec<_> =
                events.iter().filter(|event| event.actor != gone && event.peer != gone).copied().collect();
            let without = run(&view, &spec, &kept).contact_block(&accounts());
            for at in (0..accounts().len()).filter(|at| *at != gone.index()) {
                let (contacts, values) = block.of(at);
                let rest: Vec<_> = contacts
                    .iter()
                    .zip(values.chunks(block.columns))
                    .filter(|(contact, _)| **contact != gone)
                    .collect();
                let (others, theirs) = without.of(at);
                prop_assert_eq!(rest, others.iter().zip(theirs.chunks(block.columns)).collect::<Vec<_>>());
            }
            prop_assert!(without.of(gone.index()).0.is_empty());
        }

        #[test]
        fn vectors_lie_in_the_unit_cube_and_beside_what_rows_read(profiles in profiles(), events in log(160)) {
            let stream = run(&view(profiles), &spec(4, true), &events);
            let (block, rows) = (stream.contact_block(&accounts()), stream.snapshot(&accounts()));
            prop_assert!(block.values.iter().all(|value| (0.0..=1.0).contains(value)));
            for at in 0..accounts().len() {
                prop_assert_eq!(block.of(at).0, &rows.reads_of(at)[1..]);
            }
        }
    }

    #[test]
    fn the_column_next_to_the_label_can_be_switched_off() {
        let (with, without) = (contact_columns(true), contact_columns(false));
        assert_eq!((with.len(), without.len()), (8, 7));
        assert_eq!(with[..7], without[..]);
    }
}
