//! Isotonic regression by pool-adjacent-violators (Ayer et al., Annals of Mathematical Statistics 1955; as a calibrator Zadrozny and Elkan,
//! KDD 2002): the rising function of the score that fits held-out rows best in squares. Needs many positives, and makes scores equal that
//! were not, which is why queues are sorted by the score itself.

use super::counts::{ScoreCounts, bin};
use serde::{Deserialize, Serialize};

/// A rising staircase over bins of the logit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Steps {
    /// First bin of each step but the first, rising.
    from: Vec<u16>,
    /// Value of each step, rising.
    values: Vec<f64>,
}

impl Steps {
    /// Number of steps.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none: never, for fitted ones.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn at(&self, score: f32) -> f64 {
        let bin = bin(score);
        self.values[self.from.partition_point(|&from| usize::from(from) <= bin)]
    }
}

/// Pools neighbours until shares rise. Bins without rows belong to the step below them.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Counts stay far below 2^53, bins below 2^16.
pub(super) fn fit(counts: &ScoreCounts) -> Steps {
    // Blocks of (first bin, rows, positives); shares are compared as products of whole numbers, so nothing is rounded.
    let mut blocks: Vec<(usize, u64, u64)> = Vec::new();
    for mut next in counts.each() {
        while let Some(&(from, rows, positives)) = blocks.last() {
            let falls = u128::from(positives) * u128::from(next.1) >= u128::from(next.2) * u128::from(rows);
            if !falls {
                break;
            }
            blocks.pop();
            next = (from, rows + next.1, positives + next.2);
        }
        blocks.push(next);
    }
    Steps {
        from: blocks.iter().skip(1).map(|(from, ..)| *from as u16).collect(),
        values: blocks.iter().map(|(_, rows, positives)| *positives as f64 / *rows as f64).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(rows: &[(f32, bool)]) -> ScoreCounts {
        let mut counts = ScoreCounts::default();
        rows.iter().for_each(|&(score, positive)| counts.add(score, positive));
        counts
    }

    /// Labels 0 1 0 0 1 1 of rising scores: the 1 before the two 0 is pooled with them.
    #[test]
    fn violators_are_pooled_by_hand() {
        let rows = [(0.1, false), (0.2, true), (0.3, false), (0.4, false), (0.5, true), (0.6, true)];
        let steps = fit(&counted(&rows));
        let fitted = rows.map(|(score, _)| steps.at(score));
        let thirds = fitted.map(|value| (value * 3.0).round() as u8);
        assert_eq!(thirds, [0, 1, 1, 1, 3, 3], "{fitted:?}");
        assert_eq!((steps.at(0.0), steps.at(1.0), steps.len()), (0.0, 1.0, 3));
    }

    proptest! {
        /// The definition: the fit at `i` is the largest, over beginnings up to `i`, of the smallest mean over ends from `i` on.
        #[test]
        fn the_fit_is_the_max_of_min_of_means(labels in proptest::collection::vec(any::<bool>(), 1..40)) {
            let score = |at: usize| (at as f32 + 1.0) / 64.0;
            let rows: Vec<(f32, bool)> = labels.iter().enumerate().map(|(at, &label)| (score(at), label)).collect();
            // Scores this close to the ends of the unit interval stand in bins of their own.
            let steps = fit(&counted(&rows));
            let mean = |a: usize, b: usize| {
                labels[a..=b].iter().filter(|label| **label).count() as f64 / (b - a + 1) as f64
            };
            for at in 0..labels.len() {
                let want = (0..=at)
                    .map(|a| (at..labels.len()).map(|b| mean(a, b)).fold(f64::INFINITY, f64::min))
                    .fold(f64::NEG_INFINITY, f64::max);
                prop_assert!((steps.at(score(at)) - want).abs() < 1e-12, "{at}");
            }
        }
    }
}
