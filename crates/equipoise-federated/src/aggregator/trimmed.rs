//! The coordinate-wise trimmed mean (Yin et al., "Byzantine-robust distributed learning", ICML 2018). In each coordinate
//! the largest and the smallest `trim` of the values are left out. Breakdown point `trim`; ignores weights.

use super::Aggregator;
use super::units::Units;
use equipoise_core::Fraction;
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// The trimmed mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrimmedMean {
    /// Share of the cohort that is left out at either end, rounded down; below 1/2.
    pub trim: Fraction,
}

impl TrimmedMean {
    /// Values left out at either end; at least one stays.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn cut(&self, cohort: usize) -> usize {
        let cut = libm::floor(self.trim.get() * cohort as f64) as usize;
        cut.min(cohort.saturating_sub(1) / 2)
    }
}

impl Aggregator for TrimmedMean {
    fn name(&self) -> &'static str {
        "trimmed-mean"
    }

    fn minimum_cohort(&self) -> usize {
        3
    }

    fn tolerates(&self, cohort: usize) -> usize {
        self.cut(cohort)
    }

    #[allow(clippy::cast_precision_loss)] // Cohorts are small.
    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let units = Units::of(updates);
        let cut = self.cut(units.count());
        units.by_coordinate(&units.all(), |column| {
            let kept = &column[cut..column.len() - cut];
            kept.iter().sum::<f64>() / kept.len() as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    #[test]
    fn a_quarter_of_four_leaves_the_middle_two() {
        let updates =
            [outgoing(0, 1, &[1]), outgoing(1, 1, &[900]), outgoing(2, 1, &[2]), outgoing(3, 1, &[4])];
        let rule = TrimmedMean { trim: Fraction::new(0.25).unwrap() };
        assert_eq!(rule.aggregate(&updates), vec![3.0]);
    }

    #[test]
    fn something_is_left_however_much_is_cut() {
        let rule = TrimmedMean { trim: Fraction::new(1.0).unwrap() };
        let updates = [outgoing(0, 1, &[1]), outgoing(1, 1, &[900]), outgoing(2, 1, &[2])];
        assert_eq!(rule.aggregate(&updates), vec![2.0]);
    }
}
