//! The smallest group that an export by subgroup may show. Everything here is simulated; the habit is kept all the same,
//! because the same code would print the same table about people.

use std::collections::BTreeMap;
use std::fmt;

/// A group of fewer members is not shown.
pub const MINIMUM_COHORT: u64 = 20;

/// A count that may be shown, or the fact that it may not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cohort {
    /// Nobody is in the group.
    Empty,
    /// Fewer than [`MINIMUM_COHORT`]; the number is gone.
    Small,
    /// So many.
    Shown(u64),
}

impl Cohort {
    /// Hides a small number.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        match count {
            0 => Self::Empty,
            1..MINIMUM_COHORT => Self::Small,
            shown => Self::Shown(shown),
        }
    }
}

impl fmt::Display for Cohort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("0"),
            Self::Small => write!(f, "fewer than {MINIMUM_COHORT}"),
            Self::Shown(count) => write!(f, "{count}"),
        }
    }
}

/// Counts of a partition, small ones hidden. One hidden group alone could be had back from a published total, so the next
/// smallest group is hidden with it.
#[must_use]
pub fn cohorts<K: Ord + Clone>(counts: &BTreeMap<K, u64>) -> BTreeMap<K, Cohort> {
    let mut shown: BTreeMap<K, Cohort> =
        counts.iter().map(|(key, &count)| (key.clone(), Cohort::new(count))).collect();
    if shown.values().filter(|cohort| **cohort == Cohort::Small).count() == 1 {
        let next =
            counts.iter().filter(|(_, count)| **count >= MINIMUM_COHORT).min_by_key(|(_, count)| **count);
        if let Some((key, _)) = next {
            shown.insert(key.clone(), Cohort::Small);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_nineteen_is_hidden_and_one_of_twenty_is_shown() {
        assert_eq!(Cohort::new(19).to_string(), "fewer than 20");
        assert_eq!(Cohort::new(20).to_string(), "20");
        assert_eq!(Cohort::new(0).to_string(), "0");
    }

    #[test]
    fn one_hidden_group_cannot_be_had_back_from_the_total() {
        let counts = BTreeMap::from([("a", 1_000), ("b", 7), ("c", 40)]);
        let shown = cohorts(&counts);
        assert_eq!(
            shown,
            BTreeMap::from([("a", Cohort::Shown(1_000)), ("b", Cohort::Small), ("c", Cohort::Small)])
        );
    }

    #[test]
    fn two_hidden_groups_hide_each_other() {
        let shown = cohorts(&BTreeMap::from([("a", 1_000), ("b", 7), ("c", 8)]));
        assert_eq!(shown["a"], Cohort::Shown(1_000));
    }
}
