//! The weighted mean (McMahan et al., "Communication-efficient learning of deep networks from decentralized data",
//! AISTATS 2017). Breakdown point 0: one client moves it as far as its weight and the clip allow.

use super::Aggregator;
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// The weighted mean: the visible twin of a secure sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedMean {}

impl Aggregator for WeightedMean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn minimum_cohort(&self) -> usize {
        1
    }

    fn tolerates(&self, _: usize) -> usize {
        0
    }

    #[allow(clippy::cast_precision_loss)] // Sums stay below 2^53: the plan bounds them.
    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let weight: u64 = updates.iter().map(|update| u64::from(update.weight())).sum();
        let len = updates.first().map_or(0, |update| update.values().len());
        let mut sum = vec![0_i64; len];
        for update in updates {
            for (total, value) in sum.iter_mut().zip(update.values()) {
                *total += value;
            }
        }
        sum.into_iter().map(|total| total as f64 / weight as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    #[test]
    fn three_times_the_weight_counts_three_times() {
        let updates = [outgoing(0, 1, &[4]), outgoing(1, 3, &[0])];
        assert_eq!(WeightedMean {}.aggregate(&updates), vec![1.0]);
    }
}
