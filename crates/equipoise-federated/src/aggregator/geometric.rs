//! The geometric median by smoothed Weiszfeld steps (Pillutla et al., "Robust aggregation for federated learning", IEEE
//! TSP 2022): the point with the smallest summed distance to all updates. Breakdown point 1/2. Each step is a weighted mean, so
//! it could run over several secure sums; here it sees the updates. Ignores weights.

use super::Aggregator;
use super::units::Units;
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// The geometric median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeometricMedian {
    /// Weiszfeld steps; the paper finds three to be enough in training.
    pub steps: u32,
    /// Distances below this share of the median distance count as it (`nu` in the paper, made free of scale).
    pub smoothing: f64,
}

impl Aggregator for GeometricMedian {
    fn name(&self) -> &'static str {
        "geometric-median"
    }

    fn minimum_cohort(&self) -> usize {
        3
    }

    fn tolerates(&self, cohort: usize) -> usize {
        cohort.saturating_sub(1) / 2
    }

    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let units = Units::of(updates);
        let mut order = units.all();
        order.sort_unstable_by_key(|row| units.client(*row));
        // From the coordinate-wise median: from the mean, a wild update of any size would set the scale of the first steps.
        let mut centre = units.by_coordinate(&order, |column| super::units::middle(column));
        for _ in 0..self.steps {
            let distance = |row: &usize| {
                let square: f64 = units.row(*row).iter().zip(&centre).map(|(x, c)| (x - c) * (x - c)).sum();
                libm::sqrt(square)
            };
            let distances: Vec<f64> = order.iter().map(distance).collect();
            let mut sorted = distances.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let floor = (self.smoothing * super::units::middle(&sorted)).max(f64::MIN_POSITIVE);
            let mut next = vec![0.0; centre.len()];
            let mut total = 0.0;
            for (row, distance) in order.iter().zip(&distances) {
                let weight = floor / distance.max(floor);
                total += weight;
                next.iter_mut().zip(units.row(*row)).for_each(|(sum, value)| *sum += weight * value);
            }
            next.iter_mut().for_each(|sum| *sum /= total);
            centre = next;
        }
        centre
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    const RULE: GeometricMedian = GeometricMedian { steps: 200, smoothing: 1e-6 };

    /// Three corners of a right triangle with legs of 300: the Fermat point lies at about (63.4, 63.4).
    #[test]
    fn three_points_have_their_fermat_point() {
        let updates = [outgoing(0, 1, &[0, 0]), outgoing(1, 1, &[300, 0]), outgoing(2, 1, &[0, 300])];
        let got = RULE.aggregate(&updates);
        let wanted = 300.0 / (3.0 + 3.0_f64.sqrt());
        assert!((got[0] - wanted).abs() < 0.1 && (got[1] - wanted).abs() < 0.1, "{got:?} {wanted}");
    }

    #[test]
    fn a_wild_client_moves_it_little_however_far_it_goes() {
        let with = |wild: i32| {
            let updates = [[0, 0], [10, 0], [0, 10], [10, 10], [wild, wild]];
            let updates: Vec<_> =
                updates.iter().enumerate().map(|(id, v)| outgoing(id as u32, 1, v)).collect();
            RULE.aggregate(&updates)
        };
        let (near, far) = (with(200), with(2_000));
        assert!((near[0] - far[0]).abs() < 0.2 && far[0] < 11.0, "{near:?} {far:?}");
    }
}
