//! Sums over contacts with a bound on what one account can move: the input of noised aggregation (GAP, Sajadmanesh et al., USENIX Security
//! 2023), which is what earns a guarantee while who contacts whom stays private.
//!
//! An account adds a short vector to the row of each contact that reads it. Each vector is clipped, and an account adds to at most
//! `rows_per_account` rows, chosen among its own by a public seed. So nulling an account moves the sums of *all other rows together* by at
//! most `clip * sqrt(rows_per_account)` in L2 ([`SumBound::sensitivity`]; a property test nulls every account). Its own row's sum moves by
//! more; it is read by that row alone, which is nulled with its account.
//!
//! **The empty-place convention.** A limit on a list looks at the list, so if an account had never been, a full list that it stood in would
//! take in somebody else, on the side of its contacts, of whom there may be many: no limit on degrees is stable under that. Nulling
//! therefore leaves the account's place in a full list empty. Where no list is full the two readings are one (a test), and
//! [`ContactSums::full`] says how many are, so that it can be printed.

use crate::{PrivacyUnit, Relation, Sensitivity};
use equipoise_core::{ClipNorm, Seed};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// What accounts add to rows, one entry a pair.
#[derive(Clone, Copy, Debug)]
pub struct Contributions<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Numbers of an entry.
    pub columns: usize,
    /// The row of each entry.
    pub row: &'a [u32],
    /// The account that adds it.
    pub account: &'a [u64],
    /// `[entries, columns]`.
    pub values: &'a [f32],
}

/// How much an account may move.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SumBound {
    /// Largest L2 norm of what an account adds to one row.
    pub clip: ClipNorm,
    /// Rows that an account adds to at most.
    pub rows_per_account: NonZeroU32,
    /// The order in which an account's rows are kept: public.
    pub seed: Seed,
}

/// Sums before noise: nothing that may leave.
#[derive(Clone, PartialEq)]
pub struct ContactSums {
    /// `[rows, columns]`.
    pub values: Vec<f64>,
    /// Accounts that would have added to more rows than they may.
    pub full: u64,
    /// Accounts that added something.
    pub accounts: u64,
}

impl std::fmt::Debug for ContactSums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactSums").finish_non_exhaustive()
    }
}

/// Room for the rounding of a sum: entries are clipped in `f64`, and a sum of a million of them loses less than this.
const ROUNDING: f64 = 1.0 + 1e-9;

impl SumBound {
    /// The largest L2 change of all other rows' sums together if one account is nulled.
    ///
    /// # Panics
    /// Never: a product of positive finite numbers of moderate size is a norm.
    #[must_use]
    pub fn sensitivity(&self) -> Sensitivity {
        let value = self.clip.get() * f64::from(self.rows_per_account.get()).sqrt() * ROUNDING;
        Sensitivity {
            unit: PrivacyUnit::AccountPrivateGraph,
            relation: Relation::ZeroOut,
            value: ClipNorm::new(value).expect("positive and finite"),
        }
    }

    /// Which entries are kept, and how many accounts would have added to more rows.
    fn kept(&self, from: &Contributions<'_>) -> (Vec<bool>, u64, u64) {
        let mut of_account = BTreeMap::<u64, Vec<(u64, usize)>>::new();
        for (entry, (&account, &row)) in from.account.iter().zip(from.row).enumerate() {
            let rank = self.seed.derive("account", account).derive("row", u64::from(row)).fingerprint();
            of_account.entry(account).or_default().push((rank, entry));
        }
        let most = self.rows_per_account.get() as usize;
        let (mut kept, mut full) = (vec![false; from.row.len()], 0);
        let accounts = of_account.len() as u64;
        for entries in of_account.values_mut() {
            full += u64::from(entries.len() > most);
            entries.sort_unstable();
            // One entry a row, whatever came in: two in one row would move it by twice the clip norm.
            let mut rows = Vec::new();
            for &(_, entry) in entries.iter() {
                if rows.len() < most && !rows.contains(&from.row[entry]) {
                    rows.push(from.row[entry]);
                    kept[entry] = true;
                }
            }
        }
        (kept, full, accounts)
    }

    /// Adds up what is kept, clipped.
    ///
    /// # Panics
    /// If the entries are not `[entries, columns]`, or one names a row that is not there.
    #[must_use]
    pub fn sums(&self, from: &Contributions<'_>) -> ContactSums {
        assert_eq!(from.row.len(), from.account.len(), "an entry has a row and an account");
        assert_eq!(from.values.len(), from.row.len() * from.columns, "an entry has every column");
        let (kept, full, accounts) = self.kept(from);
        let mut values = vec![0.0; from.rows * from.columns];
        let entries = from.values.chunks_exact(from.columns.max(1)).zip(from.row).zip(kept);
        for ((entry, &row), _) in entries.filter(|(_, kept)| *kept) {
            let norm = entry.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
            // What is not finite adds nothing: it has no direction that could be kept.
            let scale = if norm.is_finite() { (self.clip.get() / norm.max(1e-300)).min(1.0) } else { 0.0 };
            let sum = &mut values[row as usize * from.columns..(row as usize + 1) * from.columns];
            if scale > 0.0 {
                sum.iter_mut().zip(entry).for_each(|(sum, &v)| *sum += scale * f64::from(v));
            }
        }
        ContactSums { values, full, accounts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROWS: usize = 12;
    const MOST: u32 = 12;
    const COLUMNS: usize = 3;

    #[derive(Clone, Debug)]
    struct Graph {
        row: Vec<u32>,
        account: Vec<u64>,
        values: Vec<f32>,
    }

    impl Graph {
        fn of(&self) -> Contributions<'_> {
            let Self { row, account, values } = self;
            Contributions { rows: ROWS, columns: COLUMNS, row, account, values }
        }

        /// Row `a` belongs to account `a`: what the account adds, and what others add to its row, becomes nothing.
        fn nulled(&self, account: u64) -> Self {
            let mut without = self.clone();
            for (entry, values) in without.values.chunks_exact_mut(COLUMNS).enumerate() {
                if self.account[entry] == account || u64::from(self.row[entry]) == account {
                    values.fill(0.0);
                }
            }
            without
        }

        /// The account never was: its entries are not there at all.
        fn removed(&self, account: u64) -> Self {
            let mut without = Self { row: vec![], account: vec![], values: vec![] };
            for (entry, values) in self.values.chunks_exact(COLUMNS).enumerate() {
                if self.account[entry] != account && u64::from(self.row[entry]) != account {
                    without.row.push(self.row[entry]);
                    without.account.push(self.account[entry]);
                    without.values.extend_from_slice(values);
                }
            }
            without
        }
    }

    /// Every ordered pair at most once, hubs included; vectors from far below to far above the clip norm.
    fn graph() -> impl Strategy<Value = Graph> {
        let pair = (0..MOST, prop_oneof![0..2_u64, 0..u64::from(MOST)]);
        proptest::collection::btree_map(pair, proptest::array::uniform3(-4.0_f32..4.0), 0..90).prop_map(
            |entries| {
                let mut graph = Graph { row: vec![], account: vec![], values: vec![] };
                for ((row, account), values) in
                    entries.into_iter().filter(|((row, account), _)| u64::from(*row) != *account)
                {
                    graph.row.push(row);
                    graph.account.push(account);
                    graph.values.extend(values);
                }
                graph
            },
        )
    }

    fn bound(rows: u32) -> SumBound {
        SumBound {
            clip: ClipNorm::new(1.5).unwrap(),
            rows_per_account: NonZeroU32::new(rows).unwrap(),
            seed: Seed::root(9),
        }
    }

    /// L2 distance over the rows of others.
    fn moved(a: &ContactSums, b: &ContactSums, account: u64) -> f64 {
        let rows = a.values.chunks(COLUMNS).zip(b.values.chunks(COLUMNS)).enumerate();
        let others = rows.filter(|(row, _)| *row as u64 != account).flat_map(|(_, (a, b))| a.iter().zip(b));
        others.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    }

    proptest! {
        #[test]
        fn nulling_any_account_moves_the_others_by_no_more_than_the_sensitivity(graph in graph(), rows in 1_u32..6) {
            let bound = bound(rows);
            let whole = bound.sums(&graph.of());
            for account in 0..u64::from(MOST) {
                let gap = moved(&whole, &bound.sums(&graph.nulled(account).of()), account);
                prop_assert!(gap <= bound.sensitivity().value.get(), "account {account}: {gap}");
            }
        }

        #[test]
        fn one_contact_moves_two_rows_by_a_clip_norm_each(graph in graph(), rows in 1_u32..6) {
            let bound = bound(rows);
            let whole = bound.sums(&graph.of());
            for entry in 0..graph.row.len() {
                let (a, b) = (u64::from(graph.row[entry]), graph.account[entry]);
                let mut without = graph.clone();
                for (at, values) in without.values.chunks_exact_mut(COLUMNS).enumerate() {
                    let pair = (u64::from(graph.row[at]), graph.account[at]);
                    if pair == (a, b) || pair == (b, a) {
                        values.fill(0.0);
                    }
                }
                // No row is left out: the pair has both ends among them.
                let gap = moved(&whole, &bound.sums(&without.of()), u64::MAX);
                prop_assert!(gap <= 1.5 * std::f64::consts::SQRT_2 * ROUNDING, "{a} and {b}: {gap}");
            }
        }

        /// Where no list is full, an account that never was and one that is nulled are the same to everybody else.
        #[test]
        fn without_full_lists_nulling_is_removing(graph in graph()) {
            let bound = bound(MOST);
            prop_assert_eq!(bound.sums(&graph.of()).full, 0);
            for account in 0..u64::from(MOST) {
                let (nulled, removed) = (bound.sums(&graph.nulled(account).of()), bound.sums(&graph.removed(account).of()));
                prop_assert!(moved(&nulled, &removed, u64::MAX) < 1e-12);
            }
        }
    }

    /// With full lists it is not: the place that account 0 leaves in account 1's list goes to another row. So the convention says something.
    #[test]
    fn with_full_lists_removing_moves_rows_that_nulling_does_not() {
        let rows: Vec<u32> = (0..6).filter(|row| *row != 1).collect();
        let graph = Graph { account: vec![1; 5], values: vec![1.0; 15], row: rows };
        let bound = bound(1);
        let (whole, kept) = (bound.sums(&graph.of()), bound.kept(&graph.of()).0);
        assert_eq!((whole.full, whole.accounts), (1, 1));
        let held = u64::from(graph.row[kept.iter().position(|kept| *kept).unwrap()]);
        assert!(moved(&whole, &bound.sums(&graph.nulled(held).of()), held) < 1e-12);
        assert!(moved(&whole, &bound.sums(&graph.removed(held).of()), held) > 1.0);
    }

    #[test]
    fn sums_by_hand_with_one_vector_clipped_and_one_that_is_not_finite() {
        let graph = Graph {
            row: vec![0, 0, 2],
            account: vec![5, 6, 6],
            values: vec![0.3, 0.0, 0.4, 3.0, 0.0, 4.0, f32::NAN, 1.0, 1.0],
        };
        let sums = bound(2).sums(&graph.of()).values;
        // The second has norm 5 and becomes 0.9, 0, 1.2.
        for (got, want) in sums.iter().zip([1.2, 0.0, 1.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]) {
            assert!((got - want).abs() < 1e-6, "{sums:?}");
        }
    }

    #[test]
    fn sums_do_not_print() {
        assert_eq!(
            format!(
                "{:?}",
                bound(1).sums(&Contributions {
                    rows: 1,
                    columns: 1,
                    row: &[0],
                    account: &[4],
                    values: &[1.0]
                })
            ),
            "ContactSums { .. }"
        );
    }

    /// Two entries of one account in one row, and the bound allows two rows: `2 clip` in one place is more than `clip * sqrt(2)`.
    #[test]
    fn a_pair_that_comes_twice_counts_once() {
        let bound = SumBound {
            clip: ClipNorm::new(1.0).unwrap(),
            rows_per_account: NonZeroU32::new(2).unwrap(),
            seed: Seed::root(1),
        };
        let from = Contributions { rows: 2, columns: 1, row: &[1, 1], account: &[7, 7], values: &[5.0, 5.0] };
        let moved = bound.sums(&from).values;
        let norm = moved.iter().map(|v| v * v).sum::<f64>().sqrt();
        assert!(norm <= bound.sensitivity().value.get(), "{moved:?}");
        assert!((norm - 1.0).abs() < 1e-12);
    }
}
