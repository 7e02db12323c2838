//! How a number between two steps of the grid becomes one of them: the nearest, or a drawn one whose mean is the number.
//!
//! Stochastic rounding of updates: Suresh, Yu, Kumar, McMahan, "Distributed Mean Estimation with Limited Communication", ICML 2017,
//! section 2; Alistarh, Grubic, Li, Tomioka, Vojnovic, "QSGD", NeurIPS 2017, section 3. On a grid of few bits, rounding to the nearest
//! loses every coordinate below half a step in every round; a drawn step keeps it on average and pays with variance.
//!
//! What is not promised: privacy. The draws are no noise in the sense of a guarantee, and may as well be public.

use crate::Quantizer;
use equipoise_core::{Draw, Seed};
use serde::{Deserialize, Serialize};

/// Room for floating-point sums whose order differs, and for a step that is added in `f64`.
const FLOAT_SLACK: f64 = 1e-6;

/// How a number between two steps of the grid becomes one of them.
///
/// Laws (see [`crate::laws::check_rounding`]): less than one step away; whole steps stay as they are; a function of grid, values and
/// seed; two numbers under one draw land at most their distance and one step apart, which is what [`Rounding::sensitivity`] rests on;
/// the mean over draws is the number itself, where [`Rounding::is_unbiased`] says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rounding {
    /// The nearest step, ties to even.
    Nearest {},
    /// The step above with a probability of what lies above the step below.
    Stochastic {},
}

impl Default for Rounding {
    fn default() -> Self {
        Self::Nearest {}
    }
}

impl Rounding {
    /// The name in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nearest {} => "nearest",
            Self::Stochastic {} => "stochastic",
        }
    }

    /// Whether the mean over draws is the number itself.
    #[must_use]
    pub const fn is_unbiased(self) -> bool {
        matches!(self, Self::Stochastic {})
    }

    /// Runs on the platform: coordinates as integers of the grid, cut to its range; not finite is 0. `seed` addresses the draws of
    /// this update, one a coordinate.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "at most 31 bits")]
    pub fn encode(self, grid: &Quantizer, values: &[f32], seed: Seed) -> Vec<i64> {
        let Self::Stochastic {} = self else {
            let nearest = grid.encoder();
            return values.iter().map(|&value| nearest(value)).collect();
        };
        let (top, clip) = (grid.max_integer(), grid.clip_abs);
        let steps = top as f64 / f64::from(clip);
        let mut rng = seed.rng();
        // One draw a coordinate whatever its value, so that neighbours share their draws.
        let mut drawn = |value: f32| {
            let kept = if value.is_finite() { value.clamp(-clip, clip) } else { 0.0 };
            let integer = (f64::from(kept) * steps + rng.uniform()).floor() as i64;
            integer.clamp(-top, top)
        };
        values.iter().map(|&value| drawn(value)).collect()
    }

    /// The L2 sensitivity of a sum of platforms' rounded updates of weight 1, in real units, when one unit moves one platform's update
    /// (before rounding) by at most `l2`: one and the same for both ways, `(l2 + sqrt(dim) lsb) (1 + 1e-6)` or less.
    ///
    /// Proof for the nearest step: [`Quantizer::rounded_sensitivity`]. For a drawn one: a coordinate becomes `floor(x + u)` steps with
    /// a `u` that does not depend on the data. For fixed draws, `floor(x + u)` and `floor(y + u)` differ by less than `|x - y| + 1`, so
    /// the rounded vectors lie at most `l2 + sqrt(dim) lsb` apart; the mechanism keeps its bound for each value of the draws, hence for
    /// their mixture, and even if the draws are public. Independent draws for neighbours would cost twice the rounding term.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a dimension is far below 2^52")]
    pub fn sensitivity(self, grid: &Quantizer, l2: f64, dim: usize) -> f64 {
        match self {
            Self::Nearest {} => grid.rounded_sensitivity(l2, dim),
            Self::Stochastic {} => (l2 + libm::sqrt(dim as f64) * grid.lsb()) * (1.0 + FLOAT_SLACK),
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Nearest {} => "coordinates go to the nearest step of the grid, ties to even",
            Self::Stochastic {} => {
                "coordinates go to a drawn neighbour, right on average (Suresh et al., ICML 2017; QSGD, NeurIPS 2017)"
            }
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![Self::Nearest {}, Self::Stochastic {}]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Quantizer = Quantizer { clip_abs: 7.0, bits: 4 };

    #[test]
    fn a_quarter_of_a_step_goes_up_one_time_in_four() {
        let quarters = vec![2.25_f32; 40_000];
        let drawn = Rounding::Stochastic {}.encode(&GRID, &quarters, Seed::root(1));
        let up = drawn.iter().filter(|&&integer| integer == 3).count();
        assert_eq!(up + drawn.iter().filter(|&&integer| integer == 2).count(), 40_000);
        // Standard error sqrt(.25 .75 40,000) = 87; the band is five of them.
        assert!((9_567..10_433).contains(&up), "{up}");
    }

    #[test]
    fn the_ends_of_the_range_and_broken_numbers_stay_on_the_grid() {
        for bits in 2..=32 {
            let grid = Quantizer { clip_abs: 0.3, bits };
            let values = [0.3, -0.3, 9.0, -9.0, f32::NAN, f32::INFINITY];
            let top = grid.max_integer();
            for seed in 0..50 {
                let drawn = Rounding::Stochastic {}.encode(&grid, &values, Seed::root(seed));
                assert_eq!(drawn, [top, -top, top, -top, 0, 0], "{bits}");
            }
        }
    }

    #[test]
    fn rounding_to_the_nearest_is_the_quantiser_s_own() {
        let values = [0.5, 1.5, -2.51, 6.99, 8.0];
        let own: Vec<i64> = values.iter().map(|&value| GRID.encode(value).0).collect();
        assert_eq!(Rounding::Nearest {}.encode(&GRID, &values, Seed::root(3)), own);
    }
}
