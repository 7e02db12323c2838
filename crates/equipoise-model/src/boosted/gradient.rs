//! Gradients of the logistic loss as integers, so that a sum is the same in any order and on any number of platforms.
//!
//! A row of label `y`, weight `w` and predicted `p` has gradient `w (p - y)` and hessian `w p (1 - p)`. Both are rounded to
//! units of a power of two: with weights up to 1, 2^-30 for the gradient and 2^-28 for the hessian, so that one row errs by
//! at most 2^-29; sums are exact up to 2^33 rows. Platforms that add their histograms must agree on the [`Scale`].

use crate::{ModelError, Rows};
use rayon::prelude::*;

/// Fixed, so that chunks do not depend on the number of threads (the result would not either).
const CHUNK: usize = 4096;

/// What one unit of an integer gradient and hessian is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scale {
    /// The least `e` with every weight at most `2^e`.
    exponent: i32,
}

impl Scale {
    /// The finest scale that holds weights up to `largest`.
    ///
    /// # Errors
    /// If `largest` is not positive and finite.
    pub fn for_weights_up_to(largest: f32) -> Result<Self, ModelError> {
        if !(largest > 0.0 && largest.is_finite()) {
            return Err(ModelError::Config {
                what: "the largest row weight",
                range: "positive and finite",
                got: f64::from(largest),
            });
        }
        let (mantissa, exponent) = libm::frexp(f64::from(largest));
        Ok(Self { exponent: if mantissa > 0.5 { exponent } else { exponent - 1 } })
    }

    /// The gradient of one unit.
    #[must_use]
    pub fn gradient(self) -> f64 {
        libm::ldexp(1.0, self.exponent - 30)
    }

    /// The hessian of one unit.
    #[must_use]
    pub fn hessian(self) -> f64 {
        libm::ldexp(1.0, self.exponent - 28)
    }
}

/// The gradient and hessian of each row, in units of the scale: at most 2^30 and 2^26 in size.
#[derive(Clone, Debug)]
pub struct Gradients {
    pub(super) scale: Scale,
    pub(super) pairs: Vec<[i32; 2]>,
}

impl Gradients {
    /// Gradients of all `rows` at the logits `logits` `[rows]`.
    ///
    /// # Panics
    /// If the lengths differ or a weight is above what `scale` holds; [`Boosted::fit`](super::Boosted::fit) checks both.
    #[must_use]
    pub fn at(logits: &[f64], rows: &Rows<'_>, scale: Scale) -> Self {
        let mut gradients = Self { scale, pairs: vec![[0; 2]; logits.len()] };
        gradients.update(logits, rows);
        gradients
    }

    /// Recomputes every pair.
    #[allow(clippy::cast_possible_truncation)] // Within 2^30 by the scale.
    pub(super) fn update(&mut self, logits: &[f64], rows: &Rows<'_>) {
        assert_eq!((logits.len(), rows.len()), (self.pairs.len(), self.pairs.len()), "one logit a row");
        let (per_gradient, per_hessian) = (1.0 / self.scale.gradient(), 1.0 / self.scale.hessian());
        self.pairs.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, pairs)| {
            for (offset, pair) in pairs.iter_mut().enumerate() {
                let row = chunk * CHUNK + offset;
                let (p, weight) = (sigmoid(logits[row]), f64::from(rows.weights[row]));
                let gradient = weight * (p - f64::from(rows.labels[row])) * per_gradient;
                let hessian = weight * p * (1.0 - p) * per_hessian;
                *pair = [(gradient + 0.5_f64.copysign(gradient)) as i32, (hessian + 0.5) as i32];
            }
        });
    }
}

/// The logistic function in double precision, without overflow at either end.
pub(super) fn sigmoid(logit: f64) -> f64 {
    let e = libm::exp(-logit.abs());
    if logit >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_its_largest_weight() {
        let exponent = |weight| Scale::for_weights_up_to(weight).unwrap().exponent;
        assert_eq!((exponent(1.0), exponent(1.1), exponent(2.0), exponent(0.25)), (0, 1, 1, -2));
        assert!(Scale::for_weights_up_to(0.0).is_err() && Scale::for_weights_up_to(f32::NAN).is_err());
    }

    #[test]
    fn gradients_of_a_coin_are_worked_by_hand() {
        let rows = Rows { columns: 1, values: &[0.0; 2], labels: &[0.0, 1.0], weights: &[2.0, 0.5] };
        let scale = Scale::for_weights_up_to(2.0).unwrap();
        let gradients = Gradients::at(&[0.0, 0.0], &rows, scale);
        let in_reals = |[g, h]: [i32; 2]| (f64::from(g) * scale.gradient(), f64::from(h) * scale.hessian());
        assert_eq!(in_reals(gradients.pairs[0]), (1.0, 0.5));
        assert_eq!(in_reals(gradients.pairs[1]), (-0.25, 0.125));
    }

    #[test]
    fn certain_rows_stay_within_their_bounds() {
        let rows = Rows { columns: 1, values: &[0.0; 3], labels: &[0.0, 1.0, 0.0], weights: &[1.0; 3] };
        let gradients =
            Gradients::at(&[800.0, -800.0, -800.0], &rows, Scale::for_weights_up_to(1.0).unwrap());
        assert_eq!(gradients.pairs, [[1 << 30, 0], [-(1 << 30), 0], [0, 0]]);
    }
}
