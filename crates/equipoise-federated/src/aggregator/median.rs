//! The coordinate-wise median (Yin et al., "Byzantine-robust distributed learning", ICML 2018). Breakdown point 1/2 in
//! each coordinate. Sees every update, so it cannot run behind a secure sum; ignores weights.

use super::Aggregator;
use super::units::{Units, middle};
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// The coordinate-wise median; the mean of the middle two for an even cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoordinateMedian {}

impl Aggregator for CoordinateMedian {
    fn name(&self) -> &'static str {
        "coordinate-median"
    }

    fn minimum_cohort(&self) -> usize {
        3
    }

    fn tolerates(&self, cohort: usize) -> usize {
        cohort.saturating_sub(1) / 2
    }

    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let units = Units::of(updates);
        units.by_coordinate(&units.all(), |column| middle(column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    #[test]
    fn one_wild_client_of_three_moves_nothing() {
        let honest = [outgoing(0, 1, &[1]), outgoing(1, 1, &[3]), outgoing(2, 1, &[2])];
        let attacked = [outgoing(0, 1, &[1]), outgoing(1, 1, &[1000]), outgoing(2, 1, &[2])];
        assert_eq!(CoordinateMedian {}.aggregate(&honest), vec![2.0]);
        assert_eq!(CoordinateMedian {}.aggregate(&attacked), vec![2.0]);
    }
}
