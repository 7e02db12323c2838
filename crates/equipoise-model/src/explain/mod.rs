//! What a score rests on: each column's share of the difference between a row's logit and that of a public reference row, for the person
//! who reviews it. A share says what a model read, not why somebody acted, and never what would lower a score: nothing here searches.
//!
//! Linear models: exact. Networks: integrated gradients (Sundararajan, Taly and Yan, ICML 2017) along the straight line from the
//! reference. Trees: exact Shapley values of the game in which a column is the row's or the reference's ([`boosted`](crate::boosted);
//! Lundberg et al., Nature Machine Intelligence 2020, the interventional form with one reference).
//!
//! Laws, tested for every model that reads rows: shares sum to the difference of logits (networks: to the error of the sum over the
//! line, which is returned); a column that equals the reference's has no share; a column that the model does not read has none.

mod network;

use crate::rows::{length, not_finite};
use crate::sequence_network::READS_SEQUENCES;
use crate::{ModelError, Trainer};

/// Points on the line from the reference to the row at which a network's slope is taken.
const POINTS: usize = 512;

/// The shares of one row.
#[derive(Clone, PartialEq, Debug)]
pub struct Attribution {
    /// Share of each column, in logits.
    pub shares: Vec<f64>,
    /// Logit of the row less that of the reference.
    pub difference: f64,
}

impl Attribution {
    /// How far the shares are from adding up, in logits: rounding, or for a network the error of its sum over a line.
    #[must_use]
    pub fn gap(&self) -> f64 {
        (self.shares.iter().sum::<f64>() - self.difference).abs()
    }

    /// The `count` columns with the largest shares of either sign, the largest first; columns without a share are left out.
    #[must_use]
    pub fn largest(&self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> =
            (0..self.shares.len()).filter(|&at| self.shares[at].abs() > 0.0).collect();
        order.sort_by(|&a, &b| self.shares[b].abs().total_cmp(&self.shares[a].abs()).then(a.cmp(&b)));
        order.truncate(count);
        order
    }
}

/// Share of the `count` largest columns of `one` that are among those of `other`: 1 where an explanation is stable, undefined (none)
/// where nothing has a share.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A handful of columns.
pub fn overlap(one: &Attribution, other: &Attribution, count: usize) -> Option<f64> {
    let (one, other) = (one.largest(count), other.largest(count));
    let kept = one.iter().filter(|column| other.contains(column)).count();
    (!one.is_empty()).then(|| kept as f64 / one.len() as f64)
}

impl Trainer {
    /// The shares of `row`'s columns in its logit, held against `reference`.
    ///
    /// # Errors
    /// If lengths do not fit, a number is not finite, or the model reads sequences.
    pub fn explain(
        &mut self,
        weights: &[f32],
        row: &[f32],
        reference: &[f32],
    ) -> Result<Attribution, ModelError> {
        if self.sequence.is_some() {
            return Err(ModelError::Spec(READS_SEQUENCES));
        }
        length("the weights", self.parameters(), weights.len())?;
        for values in [row, reference] {
            length("a row", self.columns(), values.len())?;
            if let Some(at) = not_finite(values) {
                return Err(ModelError::Value {
                    what: "a feature",
                    row: 0,
                    range: "finite",
                    got: values[at],
                });
            }
        }
        Ok(match self.bins {
            Some(bins) => network::binned(bins, weights, row, reference),
            None if self.shapes.len() == 1 => network::linear(weights, row, reference),
            None => self.along_the_line(weights, row, reference),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_shares_come_first_and_absent_ones_not_at_all() {
        let of = |shares: &[f64]| Attribution { shares: shares.to_vec(), difference: shares.iter().sum() };
        let one = of(&[0.5, -2.0, 0.0, 1.0]);
        assert_eq!((one.largest(2), one.largest(9)), (vec![1, 3], vec![1, 3, 0]));
        assert!(one.gap() < 1e-12);
        assert_eq!(overlap(&one, &of(&[0.0, -1.0, 3.0, 0.1]), 2), Some(0.5));
        assert_eq!(overlap(&of(&[0.0]), &one, 2), None);
    }
}
