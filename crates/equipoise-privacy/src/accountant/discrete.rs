//! Sums of integer noise from several platforms: the distributed discrete Gaussian (Kairouz, Liu, Steinke, arXiv
//! 2102.06387) and the Skellam mechanism (Agarwal, Kairouz, Liu, arXiv 2110.04995).
//!
//! Each platform rounds its clipped vector to the grid, adds its own integer noise, and only the sum is opened. A guarantee is
//! stated for the noise of the platforms that are *certain* to have added theirs. No amplification by sampling is claimed: no
//! theorem as tight as the continuous one exists for integer noise, so these epsilons are those of the discrete path alone.

use super::convert::{EpsilonAt, best_over};
use equipoise_core::{ClipNorm, NoiseMultiplier};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// The orders at which integer noise is accounted: whole numbers, because Skellam's bound is proven for these.
const ORDERS: std::ops::RangeInclusive<u32> = 2..=256;

/// What integer noise each platform adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntegerNoise {
    /// A discrete Gaussian each; their sum is nearly one, up to the divergence tau.
    DiscreteGaussian,
    /// The difference of two Poisson counts each; their sum is exactly one of the same kind.
    Skellam,
}

/// By how much rounding to the grid may lengthen one unit's vector.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum RoundedLength {
    /// By the root of the dimension, whatever the rounding: the only bound where a platform rounds once, after summing.
    Worst,
    /// Each unit's vector is rounded again until it is at most so long, as one draw in `1 / (1 - beta)` is (proposition 22).
    Conditional {
        /// The chance that one draw is too long.
        beta: f64,
    },
}

/// One release of a sum on the integer grid.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiscreteSum {
    /// Which noise.
    pub noise: IntegerNoise,
    /// The platforms that are certain to have added their share: all that take part, less those that may collude or drop out.
    pub honest: NonZeroU32,
    /// The coordinates of the vector.
    pub dimension: NonZeroU32,
    /// Grid steps per unit of length: one over the spacing.
    pub scale: f64,
    /// The L2 bound of one unit's vector before rounding.
    pub clip_norm: ClipNorm,
    /// Standard deviation of the *certain* noise in the sum over the clip norm.
    pub noise_multiplier: NoiseMultiplier,
    /// What rounding may add.
    pub rounded: RoundedLength,
}

impl DiscreteSum {
    /// The longest vector of one unit on the grid, in grid steps.
    #[must_use]
    pub fn l2_sensitivity(&self) -> f64 {
        let (length, d) = (self.scale * self.clip_norm.get(), f64::from(self.dimension.get()));
        let worst = length + libm::sqrt(d);
        match self.rounded {
            RoundedLength::Worst => worst,
            RoundedLength::Conditional { beta } => {
                let spread = libm::sqrt(-2.0 * libm::log(beta)) * (length + 0.5 * libm::sqrt(d));
                worst.min(libm::sqrt(length * length + 0.25 * d + spread))
            }
        }
    }

    /// The L1 norm that goes with it: integers, so at most the square of the L2 norm.
    fn l1_sensitivity(&self, l2: f64) -> f64 {
        (libm::sqrt(f64::from(self.dimension.get())) * l2).min(l2 * l2)
    }

    /// The standard deviation of the certain noise in the sum, in grid steps.
    #[must_use]
    pub fn total_deviation(&self) -> f64 {
        self.noise_multiplier.get() * self.scale * self.clip_norm.get()
    }

    /// What one platform adds: a noise of this variance, in grid steps squared.
    #[must_use]
    pub fn share_variance(&self) -> f64 {
        let total = self.total_deviation();
        total * total / f64::from(self.honest.get())
    }

    /// How far the sum of discrete Gaussians is from one of them, per coordinate: `10 sum_k e^(-2 pi^2 v k/(k+1))`.
    #[must_use]
    pub fn tau(&self) -> f64 {
        let exponent = -2.0 * std::f64::consts::PI * std::f64::consts::PI * self.share_variance();
        (1..self.honest.get())
            .map(|k| f64::from(k) / f64::from(k + 1))
            .map(|part| 10.0 * libm::exp(exponent * part))
            .sum()
    }

    /// The Renyi bound of one release at the order `a`. Skellam's holds at whole orders, so that one is taken at the next.
    #[must_use]
    pub fn rdp(&self, a: f64) -> f64 {
        // Read from a file, a scale may be anything, and a negative one would shorten the vector.
        if !(self.scale > 0.0 && self.scale.is_finite()) {
            return f64::INFINITY;
        }
        let l2 = self.l2_sensitivity();
        let l1 = self.l1_sensitivity(l2);
        let (deviation, d) = (self.total_deviation(), f64::from(self.dimension.get()));
        match self.noise {
            IntegerNoise::DiscreteGaussian => {
                let (l2, l1, tau) = (l2 / deviation, l1 / deviation, self.tau());
                let with_root = l2 + libm::sqrt(d) * tau;
                let first = 0.5 * a * l2 * l2 + tau * d;
                let second = 0.5 * a * (l2 * l2 + 2.0 * l1 * tau + tau * tau * d);
                first.min(second).min(0.5 * a * with_root * with_root)
            }
            IntegerNoise::Skellam => {
                let (a, variance) = (libm::ceil(a - 1e-9).max(2.0), deviation * deviation);
                let close = ((2.0 * a - 1.0) * l2 * l2 + 6.0 * l1) / (4.0 * variance * variance);
                0.5 * a * l2 * l2 / variance + close.min(1.5 * l1 / variance)
            }
        }
    }

    /// Epsilon of `releases` such sums at `delta`, over the whole orders 2 to 256.
    ///
    /// # Panics
    /// If `delta` is not in `(0, 1)`.
    #[must_use]
    pub fn epsilon(&self, releases: u64, delta: f64) -> EpsilonAt {
        #[allow(clippy::cast_precision_loss, reason = "counts of steps are far below 2^52")]
        let releases = releases as f64;
        best_over(ORDERS.map(f64::from).map(|a| (a, releases * self.rdp(a))), delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(noise: IntegerNoise, honest: u32, deviation: f64) -> DiscreteSum {
        DiscreteSum {
            noise,
            honest: NonZeroU32::new(honest).unwrap(),
            dimension: NonZeroU32::new(16).unwrap(),
            scale: 3.0,
            clip_norm: ClipNorm::new(2.0).unwrap(),
            noise_multiplier: NoiseMultiplier::new(deviation / 6.0).unwrap(),
            rounded: RoundedLength::Worst,
        }
    }

    #[test]
    fn the_numbers_on_paper() {
        // Length 6 on the grid, and at worst 4 more. One platform: no tau, so a/2 (10/20)^2 at order 8 is 1.
        let alone = sum(IntegerNoise::DiscreteGaussian, 1, 20.0);
        assert!((alone.l2_sensitivity() - 10.0).abs() < 1e-12 && alone.tau() <= 0.0);
        assert!((alone.rdp(8.0) - 1.0).abs() < 1e-12);
        // Skellam adds min{(15 * 100 + 6 * 40) / (4 * 160000), 3 * 40 / 800} with the L1 norm min(4 * 10, 100) = 40.
        let skellam = sum(IntegerNoise::Skellam, 1, 20.0);
        assert!((skellam.rdp(8.0) - 1.0 - 1740.0 / 640_000.0).abs() < 1e-12);
    }

    #[test]
    fn small_shares_cost_their_tau() {
        // A share of variance 1/2 for each of two: tau is 10 e^(-pi^2 / 2).
        let coarse = sum(IntegerNoise::DiscreteGaussian, 2, 1.0);
        assert!((coarse.tau() - 10.0 * (-std::f64::consts::PI.powi(2) / 2.0).exp()).abs() < 1e-12);
        let alone = sum(IntegerNoise::DiscreteGaussian, 1, 1.0);
        assert!(coarse.rdp(2.0) > alone.rdp(2.0));
    }

    #[test]
    fn fewer_honest_platforms_owe_larger_shares() {
        let (five, four) = (sum(IntegerNoise::Skellam, 5, 20.0), sum(IntegerNoise::Skellam, 4, 20.0));
        assert!((four.share_variance() / five.share_variance() - 1.25).abs() < 1e-12);
        assert!((four.epsilon(3, 1e-5).epsilon - five.epsilon(3, 1e-5).epsilon).abs() < 1e-12);
    }

    #[test]
    fn conditional_rounding_is_never_worse_than_the_worst() {
        for beta in [1e-9, 0.1, 0.5_f64, 0.999] {
            let conditional = DiscreteSum {
                rounded: RoundedLength::Conditional { beta },
                ..sum(IntegerNoise::Skellam, 3, 9.0)
            };
            assert!(conditional.l2_sensitivity() <= 10.0 && conditional.l2_sensitivity() >= 6.0);
        }
    }

    #[test]
    fn a_grid_that_is_none_bounds_nothing() {
        for noise in [IntegerNoise::DiscreteGaussian, IntegerNoise::Skellam] {
            for scale in [-1024.0, 0.0, f64::NAN, f64::INFINITY] {
                let sum = DiscreteSum { scale, ..sum(noise, 4, 1_000.0) };
                assert!(sum.rdp(2.0).is_infinite() && sum.epsilon(1, 1e-5).epsilon.is_infinite(), "{sum:?}");
            }
        }
    }
}
