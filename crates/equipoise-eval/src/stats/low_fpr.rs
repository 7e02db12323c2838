//! Attacks at low false-positive rates (Carlini and others, IEEE S&P 2022): how many members an attack names when it may be
//! wrong about at most a given share of non-members. Equal scores are named together or not at all.

use super::binomial::clopper_pearson;
use serde::{Deserialize, Serialize};

/// The rates that are reported for every attack.
pub const REPORTED_RATES: [f64; 3] = [0.001, 0.01, 0.1];

/// False positives that a rate must allow before the rate itself is known to a factor of about two.
pub const RESOLVING: f64 = 10.0;

/// What an attack reaches at a false-positive rate, intervals by Clopper and Pearson at 95%.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OperatingPoint {
    /// The rate that was allowed.
    pub allowed: f64,
    /// Members named.
    pub true_positives: u64,
    /// Members.
    pub members: u64,
    /// Non-members named; at most `allowed` of them.
    pub false_positives: u64,
    /// Non-members.
    pub non_members: u64,
    /// Share of members named.
    pub true_positive_rate: f64,
    /// Its interval.
    pub true_positive_interval: (f64, f64),
    /// Share of non-members named.
    pub false_positive_rate: f64,
    /// Its interval: what the threshold would do to fresh non-members.
    pub false_positive_interval: (f64, f64),
    /// Whether the rate allows at least [`RESOLVING`] false positives; without it the point says little.
    pub resolved: bool,
}

/// The furthest threshold that names at most `allowed` of the non-members. `None` if either side is empty, a score is no
/// number or `allowed` lies outside `[0, 1]`.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn true_positive_rate_at(members: &[f64], non_members: &[f64], allowed: f64) -> Option<OperatingPoint> {
    let bad = members.iter().chain(non_members).any(|score| score.is_nan());
    if members.is_empty() || non_members.is_empty() || bad || !(0.0..=1.0).contains(&allowed) {
        return None;
    }
    let falling = |scores: &[f64]| {
        let mut scores: Vec<f64> = scores.iter().map(|score| score + 0.0).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        scores
    };
    let (members, non_members) = (falling(members), falling(non_members));
    let (n, m) = (non_members.len() as u64, members.len() as u64);
    // The first non-member, counted from the top, that may not be named any more; what ties with it is not named either.
    let most = (allowed * n as f64 * (1.0 + 1e-12)).floor();
    let barred = non_members.iter().enumerate().find(|(at, _)| *at as f64 >= most).map(|(_, score)| *score);
    let above = |scores: &[f64]| match barred {
        None => scores.len() as u64,
        Some(barred) => scores.partition_point(|score| *score > barred) as u64,
    };
    let (true_positives, false_positives) = (above(&members), above(&non_members));
    Some(OperatingPoint {
        allowed,
        true_positives,
        members: m,
        false_positives,
        non_members: n,
        true_positive_rate: true_positives as f64 / m as f64,
        true_positive_interval: clopper_pearson(true_positives, m, 0.95)?,
        false_positive_rate: false_positives as f64 / n as f64,
        false_positive_interval: clopper_pearson(false_positives, n, 0.95)?,
        resolved: allowed * n as f64 >= RESOLVING,
    })
}

/// [`true_positive_rate_at`] each of [`REPORTED_RATES`].
#[must_use]
pub fn reported_rates(members: &[f64], non_members: &[f64]) -> Option<[OperatingPoint; 3]> {
    let [a, b, c] = REPORTED_RATES.map(|rate| true_positive_rate_at(members, non_members, rate));
    Some([a?, b?, c?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(members: &[f64], non_members: &[f64], allowed: f64) -> (u64, u64) {
        let point = true_positive_rate_at(members, non_members, allowed).unwrap();
        (point.true_positives, point.false_positives)
    }

    /// A search in a ROC curve whose first point is forgotten gives 1 here.
    #[test]
    fn a_non_member_ranked_first_leaves_nothing() {
        let non_members: Vec<f64> = (0..1000).map(|rank| if rank == 0 { 9.0 } else { 0.0 }).collect();
        assert_eq!(named(&[5.0; 50], &non_members, 0.0005), (0, 0));
        assert_eq!(named(&[5.0; 50], &non_members, 0.001), (50, 1), "one of a thousand is a thousandth");
    }

    /// Ten non-members at 10, 9, .. 1; members at 9.5, 5.5, 5, .5.
    #[test]
    fn hand_made_ranks() {
        let non_members: Vec<f64> = (1..=10).map(f64::from).collect();
        let members = [9.5, 5.5, 5.0, 0.5];
        assert_eq!(named(&members, &non_members, 0.0), (0, 0));
        assert_eq!(named(&members, &non_members, 0.1), (1, 1));
        assert_eq!(
            named(&members, &non_members, 0.5),
            (2, 5),
            "the member at 5 ties with the sixth non-member"
        );
        assert_eq!(named(&members, &non_members, 0.6), (3, 6));
        assert_eq!(named(&members, &non_members, 1.0), (4, 10));
    }

    #[test]
    fn one_tie_of_everything_is_named_whole_or_not_at_all() {
        assert_eq!(named(&[1.0; 5], &[1.0; 5], 0.99), (0, 0));
        assert_eq!(named(&[1.0; 5], &[1.0; 5], 1.0), (5, 5));
    }

    /// privacy.md: a rate of 0.1% over 1,000 non-members with one false positive has the interval [3e-5, 5.6e-3].
    #[test]
    fn the_interval_says_how_little_a_thousand_non_members_resolve() {
        let non_members: Vec<f64> = (0..1000).map(f64::from).collect();
        let [low, middle, high] = reported_rates(&[2000.0; 20], &non_members).unwrap();
        assert_eq!((low.false_positives, low.true_positives), (1, 20));
        assert!((low.false_positive_interval.0 - 2.5e-5).abs() < 1e-6);
        assert!((low.false_positive_interval.1 - 5.56e-3).abs() < 1e-5);
        assert!(!low.resolved && middle.resolved && high.resolved);
        assert_eq!(reported_rates(&[], &non_members), None);
        assert_eq!(true_positive_rate_at(&[f64::NAN], &non_members, 0.1), None);
    }

    proptest! {
        /// The obvious version: of all thresholds between scores, the furthest that keeps the promise.
        #[test]
        fn the_furthest_honest_threshold_is_found(
            members in prop::collection::vec(0_u8..12, 1..30),
            non_members in prop::collection::vec(0_u8..12, 1..30),
            allowed in 0.0_f64..1.0,
        ) {
            let number = |values: &[u8]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
            let count = |values: &[u8], from: u8| values.iter().filter(|value| **value >= from).count() as u64;
            let honest = |from: &u8| count(&non_members, *from) as f64 <= allowed * non_members.len() as f64;
            let from = (0_u8..=12).find(honest).unwrap();
            let want = (count(&members, from), count(&non_members, from));
            prop_assert_eq!(named(&number(&members), &number(&non_members), allowed), want);
        }
    }
}
