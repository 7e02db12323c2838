//! Krum and Multi-Krum (Blanchard et al., "Machine learning with adversaries", NIPS 2017): each update is scored by the
//! summed squared distances to its `n - f - 2` nearest; the best one is taken, or the mean of the `m` best. Withstands `f`
//! byzantine clients of `n >= 2f + 3`. Krum throws away what the others learnt, which costs most where clients differ.

use super::Aggregator;
use super::units::Units;
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// The update that lies closest to its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Krum {
    /// Byzantine clients to withstand in a cohort.
    pub byzantine: u32,
}

/// The mean of the updates that lie closest to their neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiKrum {
    /// Byzantine clients to withstand in a cohort.
    pub byzantine: u32,
    /// Updates to average, at most `n - f`; more are cut to that.
    pub keep: u32,
}

/// Rows from the best score on, among `rows`; ties go to the smaller client number.
pub(super) fn ranked(units: &Units, rows: &[usize], byzantine: usize) -> Vec<usize> {
    let near = rows.len().saturating_sub(byzantine + 2).max(1);
    let mut scored: Vec<(f64, u32, usize)> = rows
        .iter()
        .map(|&row| {
            let mut distances: Vec<f64> = rows
                .iter()
                .filter(|other| **other != row)
                .map(|other| units.distance2(row, *other))
                .collect();
            distances.sort_unstable_by(f64::total_cmp);
            (distances.iter().take(near).sum(), units.client(row), row)
        })
        .collect();
    scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(_, _, row)| row).collect()
}

/// What `f` byzantine clients need: `2f + 3`.
const fn needed(byzantine: u32) -> usize {
    2 * byzantine as usize + 3
}

impl Aggregator for Krum {
    fn name(&self) -> &'static str {
        "krum"
    }

    fn minimum_cohort(&self) -> usize {
        needed(self.byzantine)
    }

    fn tolerates(&self, cohort: usize) -> usize {
        (self.byzantine as usize).min(cohort.saturating_sub(3) / 2)
    }

    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let units = Units::of(updates);
        let best = ranked(&units, &units.all(), self.byzantine as usize);
        best.first().map_or_else(Vec::new, |row| units.row(*row).to_vec())
    }
}

impl Aggregator for MultiKrum {
    fn name(&self) -> &'static str {
        "multi-krum"
    }

    fn minimum_cohort(&self) -> usize {
        needed(self.byzantine)
    }

    fn tolerates(&self, cohort: usize) -> usize {
        (self.byzantine as usize).min(cohort.saturating_sub(3) / 2)
    }

    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let units = Units::of(updates);
        let best = ranked(&units, &units.all(), self.byzantine as usize);
        let most = units.count().saturating_sub(self.byzantine as usize).max(1);
        units.mean_of(&best[..(self.keep.max(1) as usize).min(most)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    fn five() -> [OutgoingUpdate; 5] {
        [[0], [1], [3], [4], [1_000]].map(|value| value[0]).map(|v| outgoing(v as u32, 1, &[v]))
    }

    /// Two neighbours each: 0 scores 1 + 9, 1 scores 1 + 4, 3 scores 1 + 4, 4 scores 1 + 9; the tie goes to client 1.
    #[test]
    fn krum_takes_one_of_the_crowd() {
        assert_eq!(Krum { byzantine: 1 }.aggregate(&five()), vec![1.0]);
    }

    #[test]
    fn multi_krum_averages_the_best() {
        assert_eq!(MultiKrum { byzantine: 1, keep: 2 }.aggregate(&five()), vec![2.0]);
        assert_eq!(MultiKrum { byzantine: 1, keep: 99 }.aggregate(&five()), vec![2.0]);
    }

    #[test]
    fn a_client_twice_as_heavy_is_not_twice_as_far() {
        let mut updates = five();
        updates[2] = outgoing(3, 3, &[3]);
        assert_eq!(Krum { byzantine: 1 }.aggregate(&updates), vec![1.0]);
    }
}
