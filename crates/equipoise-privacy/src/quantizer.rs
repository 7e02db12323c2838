//! From real numbers to a signed integer grid, so that platforms' updates can be summed exactly and under encryption.
//!
//! Rounding is to nearest with ties to even, in `f64`: the same bytes on every machine. It adds to the sensitivity;
//! [`Quantizer::rounded_sensitivity`] says by how much.

use serde::{Deserialize, Serialize};

/// Room for floating-point sums whose order differs: every bound is charged this much more.
const FLOAT_SLACK: f64 = 1e-6;

/// A signed fixed-point grid: `2^bits - 1` levels from `-clip_abs` to `clip_abs`, zero among them.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quantizer {
    /// Coordinates beyond this absolute value are cut to it and counted as saturated.
    pub clip_abs: f32,
    /// Signed bits of one coordinate at weight 1, from 2 to 32.
    pub bits: u8,
}

/// A grid that cannot be built.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum QuantizerError {
    /// Bits outside the range.
    #[error("a quantiser has 2 to 32 signed bits, got {0}")]
    Bits(u8),
    /// The range is empty or not finite.
    #[error("a quantiser's clip-abs must be positive and finite, got {0}")]
    Range(f32),
}

impl Quantizer {
    /// Checks the numbers once, where they were parsed.
    ///
    /// # Errors
    /// If `bits` lies outside 2..=32 or `clip_abs` is not positive and finite.
    pub fn validate(&self) -> Result<(), QuantizerError> {
        if !(2..=32).contains(&self.bits) {
            return Err(QuantizerError::Bits(self.bits));
        }
        if !(self.clip_abs.is_normal() && self.clip_abs > 0.0) {
            return Err(QuantizerError::Range(self.clip_abs));
        }
        Ok(())
    }

    /// The largest integer of the grid, `2^(bits-1) - 1`.
    ///
    /// # Panics
    /// If the quantiser would not pass [`Quantizer::validate`].
    #[must_use]
    pub const fn max_integer(&self) -> i64 {
        assert!(self.bits >= 2 && self.bits <= 32, "a quantiser was used that validate() refuses");
        (1_i64 << (self.bits - 1)) - 1
    }

    /// The real size of one integer step.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "at most 31 bits")]
    pub fn lsb(&self) -> f64 {
        f64::from(self.clip_abs) / self.max_integer() as f64
    }

    /// One coordinate as an integer, and whether it had to be cut. A number that is not finite becomes 0 and counts as
    /// cut, so that one broken row cannot reach the sum.
    #[must_use]
    pub fn encode(&self, value: f32) -> (i64, bool) {
        (self.encoder()(value), self.cuts(value))
    }

    /// [`Quantizer::encode`] for many coordinates, each with [`Quantizer::cuts`] on its own: two loops without a branch, which a
    /// compiler lays side by side.
    ///
    /// The largest integer is below 2^31 and its product with `clip / clip` rounds to itself, so nothing leaves the grid.
    #[allow(clippy::cast_precision_loss, reason = "at most 31 bits")]
    pub(crate) fn encoder(&self) -> impl Fn(f32) -> i64 + use<> {
        let (steps, clip) = (self.max_integer() as f64 / f64::from(self.clip_abs), self.clip_abs);
        move |value| {
            // Choices between two numbers, not `clamp`, which may panic and so keeps a loop from being laid side by side.
            let kept = if value.abs() < f32::INFINITY { value } else { 0.0 };
            let kept = if kept > clip { clip } else { kept };
            let kept = if kept < -clip { -clip } else { kept };
            nearest(f64::from(kept) * steps)
        }
    }

    /// [`Quantizer::encoder`] for coordinates of which none has to be cut.
    #[allow(clippy::cast_precision_loss, reason = "at most 31 bits")]
    pub(crate) fn encoder_inside(&self) -> impl Fn(f32) -> i64 + use<> {
        let steps = self.max_integer() as f64 / f64::from(self.clip_abs);
        move |value| nearest(f64::from(value) * steps)
    }

    /// Whether a coordinate has to be cut.
    pub(crate) fn cuts(&self, value: f32) -> bool {
        value.is_nan() || value.abs() > self.clip_abs
    }

    /// An opened integer sum in real units, not divided: what a [`crate::Mechanism`] noises.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "sums of updates stay far below 2^52 steps")]
    pub fn real_sum(&self, sum: &[i64]) -> Vec<f64> {
        let lsb = self.lsb();
        sum.iter().map(|&value| value as f64 * lsb).collect()
    }

    /// An opened integer sum in real units, over `divisor` (a fixed public number: the expected batch or total weight,
    /// never the realised one).
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "to f32 is the point")]
    pub fn decode_sum(&self, sum: &[i64], divisor: f64) -> Vec<f32> {
        let scale = self.lsb() / divisor;
        sum.iter().map(|&value| (value as f64 * scale) as f32).collect()
    }

    /// The L2 sensitivity of a sum of platforms' *rounded* updates of weight 1, in real units, when one unit moves one
    /// platform's update (before rounding) by at most `l2`: `l2 (1 + 1e-6) + sqrt(dim) lsb`.
    ///
    /// Proof. A unit lives on one platform, so only that platform's vector changes, from `a` to `b` with `|a - b| <= l2`.
    /// Cutting coordinates to `[-clip_abs, clip_abs]` does not enlarge the distance. Rounding moves each coordinate of `a`
    /// and of `b` by at most `lsb / 2`, so the rounded vectors lie at most `l2 + 2 sqrt(dim) lsb / 2` apart. The factor
    /// `1 + 1e-6` is charged for floating-point sums. At weight w, multiply by w.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a dimension is far below 2^52")]
    pub fn rounded_sensitivity(&self, l2: f64, dim: usize) -> f64 {
        l2 * (1.0 + FLOAT_SLACK) + libm::sqrt(dim as f64) * self.lsb()
    }
}

/// The nearest integer, ties to even, for less than 2^51 steps: beside 1.5 x 2^52 a double holds whole numbers only, so the sum
/// rounds, and its low bits are the integer. Two instructions that a compiler can lay side by side, where a call to
/// `round` is neither.
#[inline]
const fn nearest(steps: f64) -> i64 {
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    (steps + WHOLE).to_bits().cast_signed() - WHOLE.to_bits().cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_integer_is_the_library_s() {
        let below = 0.5 - f64::EPSILON / 4.0;
        for x in [0.0, below, 0.5, 1.5, 2.5, -below, -0.5, -2.5, 1e9 + 0.5, -2_147_483_646.5, 3.499_999, 7.0]
        {
            assert!((nearest(x) as f64 - libm::rint(x)).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn four_bits_over_seven_have_a_step_of_one() {
        let quantizer = Quantizer { clip_abs: 7.0, bits: 4 };
        assert_eq!(quantizer.max_integer(), 7);
        assert!((quantizer.lsb() - 1.0).abs() < 1e-15);
        let encoded: Vec<_> =
            [0.49, 0.5, -1.5, 2.5, -1.49, 7.0, 7.5, -9.0].map(|v| quantizer.encode(v)).to_vec();
        let want = [0, 0, -2, 2, -1, 7]
            .map(|n| (n, false))
            .into_iter()
            .chain([(7, true), (-7, true)])
            .collect::<Vec<_>>();
        assert_eq!(encoded, want, "ties go to the even neighbour");
        assert_eq!(quantizer.decode_sum(&[14, -7], 2.0), vec![7.0, -3.5]);
        assert!(
            quantizer
                .real_sum(&[14, -7])
                .iter()
                .zip([14.0, -7.0])
                .all(|(got, want)| (got - want).abs() < 1e-12)
        );
    }

    #[test]
    fn numbers_that_are_not_finite_become_zero_and_are_counted() {
        let quantizer = Quantizer { clip_abs: 1.0, bits: 8 };
        for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(quantizer.encode(broken), (0, true));
        }
    }

    #[test]
    fn impossible_grids_are_refused() {
        assert_eq!(Quantizer { clip_abs: 1.0, bits: 1 }.validate(), Err(QuantizerError::Bits(1)));
        assert_eq!(Quantizer { clip_abs: 1.0, bits: 33 }.validate(), Err(QuantizerError::Bits(33)));
        assert!(Quantizer { clip_abs: 0.0, bits: 8 }.validate().is_err());
        assert!(Quantizer { clip_abs: f32::NAN, bits: 8 }.validate().is_err());
        assert!(Quantizer { clip_abs: 1.0, bits: 32 }.validate().is_ok());
        assert!(serde_json::from_str::<Quantizer>(r#"{"clip-abs":1.0,"bits":8,"scale":2}"#).is_err());
    }

    #[test]
    fn the_ends_of_the_range_reach_the_ends_of_the_grid() {
        for bits in 2..=32 {
            let quantizer = Quantizer { clip_abs: 0.3, bits };
            assert_eq!(quantizer.encode(0.3), (quantizer.max_integer(), false));
            assert_eq!(quantizer.encode(-0.3), (-quantizer.max_integer(), false));
        }
    }

    fn distance(quantizer: &Quantizer, a: &[f32], b: &[f32]) -> f64 {
        let square: f64 = a
            .iter()
            .zip(b)
            .map(|(&x, &y)| {
                let steps = quantizer.encode(x).0 - quantizer.encode(y).0;
                (steps as f64 * quantizer.lsb()).powi(2)
            })
            .sum();
        square.sqrt()
    }

    proptest! {
        #[test]
        fn rounding_keeps_two_neighbours_within_the_stated_bound(
            pairs in prop::collection::vec((-2.0_f32..2.0, -0.5_f32..0.5), 1..60),
            bits in 2_u8..12,
            clip_abs in 0.1_f32..2.0,
        ) {
            let quantizer = Quantizer { clip_abs, bits };
            let a: Vec<f32> = pairs.iter().map(|pair| pair.0).collect();
            let b: Vec<f32> = pairs.iter().map(|pair| pair.0 + pair.1).collect();
            let l2: f64 = a.iter().zip(&b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum::<f64>().sqrt();
            prop_assert!(distance(&quantizer, &a, &b) <= quantizer.rounded_sensitivity(l2, a.len()));
        }
    }

    #[test]
    fn the_rounding_term_of_the_bound_is_needed() {
        let quantizer = Quantizer { clip_abs: 7.0, bits: 4 };
        let (a, b) = ([0.499_f32; 16], [0.501_f32; 16]);
        // 16 coordinates, each 0.002 apart, land one step apart: 4 in L2, where the unrounded distance is 0.008.
        assert!((distance(&quantizer, &a, &b) - 4.0).abs() < 1e-12);
        assert!(quantizer.rounded_sensitivity(0.008_01, 16) >= 4.0);
    }
}
