//! The mean of updates whose norms are cut to a multiple of the cohort's median norm (Sun et al., "Can you really backdoor
//! federated learning?", 2019, with the bound taken from the cohort, so that it needs no scale). One client moves the result
//! by at most `multiple * median / n`: bounded influence, but no breakdown point, since all bounded influences add up. The
//! server could not do this behind a secure sum; clients can do it themselves before (`update-clip`).

use super::Aggregator;
use super::units::{Units, middle};
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// The mean of norm-clipped updates; ignores weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormClippedMean {
    /// The largest norm, in median norms of the cohort; at least 1.
    pub multiple: f64,
}

impl Aggregator for NormClippedMean {
    fn name(&self) -> &'static str {
        "norm-clipped-mean"
    }

    fn minimum_cohort(&self) -> usize {
        3
    }

    fn tolerates(&self, _: usize) -> usize {
        0
    }

    fn shrinks(&self) -> bool {
        true
    }

    #[allow(clippy::cast_precision_loss)] // Cohorts are small.
    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let units = Units::of(updates);
        let mut order = units.all();
        order.sort_unstable_by_key(|row| units.client(*row));
        let norm = |row: &usize| libm::sqrt(units.row(*row).iter().map(|x| x * x).sum());
        let norms: Vec<f64> = order.iter().map(norm).collect();
        let mut sorted = norms.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let bound = self.multiple.max(1.0) * middle(&sorted);
        let mut mean = vec![0.0; order.first().map_or(0, |row| units.row(*row).len())];
        for (row, norm) in order.iter().zip(&norms) {
            let scale = if *norm > bound { bound / norm } else { 1.0 } / order.len() as f64;
            mean.iter_mut().zip(units.row(*row)).for_each(|(sum, value)| *sum += scale * value);
        }
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    /// Norms 3, 4 and 2,000; the bound is 2 x 4.
    #[test]
    fn a_long_update_is_cut_to_the_bound() {
        let updates = [outgoing(0, 1, &[3, 0]), outgoing(1, 1, &[0, 4]), outgoing(2, 1, &[0, 2_000])];
        let got = NormClippedMean { multiple: 2.0 }.aggregate(&updates);
        assert!((got[0] - 1.0).abs() < 1e-12 && (got[1] - 4.0).abs() < 1e-12, "{got:?}");
    }
}
