//! Integer noise that each platform adds to its own rounded sum before sealing, so that the opened sum is private also against the
//! aggregator (the distributed discrete Gaussian and Skellam: Kairouz et al., arXiv 2102.06387; Agarwal et al., arXiv 2110.04995).
//!
//! Shares are sized for the `n - t` platforms that are *certain* to have added theirs: with `t` that collude or drop out, what
//! the others added still carries the whole guarantee. The order is fixed: round first, then add integers; noise on real numbers
//! that are rounded afterwards would not be post-processing of this guarantee.

use crate::accountant::{IntegerNoise, RoundedLength};
use crate::integer_noise::{LARGEST_VARIANCE, discrete_gaussian};
use crate::poisson_count::{LARGEST_RATE, skellam};
use crate::{
    AccountError, Adversary, DiscreteSum, DpEvent, NoiseError, NoiseSource, OutgoingUpdate, QuantizedUpdate,
    RdpAccountant, calibrate_discrete,
};
use equipoise_core::{ClipNorm, Delta, Epsilon, NoiseMultiplier};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// The parameters of [`DistributedNoise`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DistributedNoiseSpec {
    /// Which noise.
    pub noise: IntegerNoise,
    /// Platforms that take part in every sum.
    pub platforms: NonZeroU32,
    /// How many of them may collude with the aggregator or drop out without their noise.
    pub tolerated: u32,
    /// Coordinates of the vector.
    pub dimension: NonZeroU32,
    /// Grid steps per unit of length.
    pub scale: f64,
    /// The L2 bound of one unit's contribution, kept by the trainer.
    pub clip_norm: ClipNorm,
    /// What all sums together may cost.
    pub epsilon: Epsilon,
    /// The delta of that.
    pub delta: Delta,
    /// Sums that are opened.
    pub sums: NonZeroU32,
}

/// A distributed mechanism that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum DistributedNoiseError {
    /// Nobody is certain to add noise.
    #[error(
        "{tolerated} of {platforms} platforms may leave their noise out, so none is certain; tolerate at most {} of them",
        .platforms.get() - 1
    )]
    NobodyCertain {
        /// Platforms.
        platforms: NonZeroU32,
        /// Tolerated ones.
        tolerated: u32,
    },
    /// The grid is no grid.
    #[error("the scale of the grid must be positive and finite, got {0}; it is one over the spacing")]
    Scale(f64),
    /// The share does not fit the samplers.
    #[error("a share of variance {0:e} grid steps squared does not fit; take a coarser grid")]
    TooLarge(f64),
    /// The update has no bound on one unit's contribution, or a looser one.
    #[error(
        "noise for a bound of {wanted} was asked for on an update whose units are bounded by {got:?}; let the trainer clip"
    )]
    Unbounded {
        /// The bound that the noise was sized for.
        wanted: f64,
        /// The bound that came with the update.
        got: Option<f64>,
    },
    /// No noise buys the target.
    #[error("the integer noise could not be calibrated")]
    Calibration(#[from] AccountError),
    /// No entropy.
    #[error("no noise was drawn")]
    Entropy(#[from] NoiseError),
}

impl DistributedNoiseSpec {
    /// Builds the mechanism and calibrates the shares.
    ///
    /// # Errors
    /// If nobody is certain to add noise, the grid is none, or no noise buys the target.
    pub fn build(&self) -> Result<DistributedNoise, DistributedNoiseError> {
        let (platforms, tolerated) = (self.platforms, self.tolerated);
        let honest = platforms.get().checked_sub(tolerated).and_then(NonZeroU32::new);
        let honest = honest.ok_or(DistributedNoiseError::NobodyCertain { platforms, tolerated })?;
        if !(self.scale > 0.0 && self.scale.is_finite()) {
            return Err(DistributedNoiseError::Scale(self.scale));
        }
        let mut sum = DiscreteSum {
            noise: self.noise,
            honest,
            dimension: self.dimension,
            scale: self.scale,
            clip_norm: self.clip_norm,
            noise_multiplier: NoiseMultiplier::new(1.0).expect("in range"),
            // Platforms round once, after summing their clipped rows.
            rounded: RoundedLength::Worst,
        };
        sum.noise_multiplier =
            calibrate_discrete(self.epsilon, self.delta, &sum, u64::from(self.sums.get()))?;
        #[allow(clippy::cast_precision_loss, reason = "a limit")]
        let limit = LARGEST_VARIANCE.min(2.0 * LARGEST_RATE as f64);
        if sum.share_variance() > limit {
            return Err(DistributedNoiseError::TooLarge(sum.share_variance()));
        }
        Ok(DistributedNoise { sum, tolerated, delta: self.delta })
    }

    /// One of each kind.
    ///
    /// # Panics
    /// Never: the numbers are in range.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let whole = |n| NonZeroU32::new(n).expect("not 0");
        let example = |noise, tolerated| Self {
            noise,
            platforms: whole(5),
            tolerated,
            dimension: whole(100),
            scale: 1024.0,
            clip_norm: ClipNorm::new(1.0).expect("in range"),
            epsilon: Epsilon::new(2.0).expect("in range"),
            delta: Delta::new(1e-5).expect("in range"),
            sums: whole(10),
        };
        vec![example(IntegerNoise::DiscreteGaussian, 1), example(IntegerNoise::Skellam, 0)]
    }
}

/// What one platform adds, and what the opened sums cost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DistributedNoise {
    sum: DiscreteSum,
    tolerated: u32,
    delta: Delta,
}

impl DistributedNoise {
    /// The sum that is accounted, with the calibrated noise.
    #[must_use]
    pub const fn sum(&self) -> &DiscreteSum {
        &self.sum
    }

    /// One opened sum in the accountant's words, from the numbers that [`DistributedNoise::on_platform`] uses.
    #[must_use]
    pub const fn event(&self) -> DpEvent {
        DpEvent::DiscreteSum(self.sum)
    }

    /// Against whom the guarantee holds.
    #[must_use]
    pub const fn adversary(&self) -> Adversary {
        match self.tolerated {
            0 => Adversary::HonestButCurious,
            platforms => Adversary::Colluding { platforms },
        }
    }

    /// What `sums` opened sums cost.
    #[must_use]
    pub fn epsilon(&self, sums: u32) -> f64 {
        let mut accountant = RdpAccountant::new();
        accountant.compose(&self.event(), sums);
        accountant
            .epsilon(self.delta)
            .epsilon
            .min(self.sum.epsilon(u64::from(sums), self.delta.get()).epsilon)
    }

    /// Adds this platform's share to its rounded update.
    ///
    /// # Errors
    /// If the update's units are not bounded as the noise was sized for, or there is no entropy.
    pub fn on_platform(
        &self,
        update: QuantizedUpdate,
        source: NoiseSource,
        round: u32,
        client: u32,
    ) -> Result<OutgoingUpdate, DistributedNoiseError> {
        let wanted = self.sum.clip_norm.get();
        let got = update.sensitivity().map(|bound| bound.value.get());
        if got.is_none_or(|got| got > wanted) {
            return Err(DistributedNoiseError::Unbounded { wanted, got });
        }
        let mut noise = vec![0; update.len()];
        self.draw(&mut noise, source)?;
        Ok(update.with_noise(&noise, round, client))
    }

    /// Fills `noise` with one share.
    ///
    /// # Errors
    /// If there is no entropy.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked when built")]
    pub fn draw(&self, noise: &mut [i64], source: NoiseSource) -> Result<(), NoiseError> {
        let variance = self.sum.share_variance();
        let mut rng = source.rng("integer-noise")?;
        match self.sum.noise {
            IntegerNoise::DiscreteGaussian => {
                noise.iter_mut().for_each(|value| *value = discrete_gaussian(variance, &mut rng));
            }
            IntegerNoise::Skellam => {
                // A whole rate, rounded up.
                let rate = libm::ceil(0.5 * variance) as u64;
                noise.iter_mut().for_each(|value| *value = skellam(rate, &mut rng));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LocalUpdate, PrivacyUnit, Quantizer, Relation, Sensitivity};
    use equipoise_core::Seed;

    fn bounded(value: f64) -> QuantizedUpdate {
        let value = ClipNorm::new(value).unwrap();
        let row = Sensitivity { unit: PrivacyUnit::Row, relation: Relation::ZeroOut, value };
        let grid = Quantizer { clip_abs: 1.0, bits: 11 };
        LocalUpdate::new(vec![0.0; 100]).bounded_by_trainer(row).quantise(&grid, 1)
    }

    #[test]
    fn the_shares_of_the_certain_platforms_buy_the_target_alone() {
        for spec in DistributedNoiseSpec::examples() {
            let noise = spec.build().unwrap();
            let epsilon = noise.epsilon(spec.sums.get());
            assert!(epsilon <= 2.0 && epsilon > 1.99, "{epsilon}");
            let certain = f64::from(spec.platforms.get() - spec.tolerated);
            let total = noise.sum().total_deviation();
            assert!((certain * noise.sum().share_variance() / (total * total) - 1.0).abs() < 1e-12);
        }
    }

    /// 40 draws of 100 coordinates: the standard error of the variance is 2.2 %.
    #[test]
    fn what_is_drawn_has_the_variance_that_is_accounted() {
        for spec in DistributedNoiseSpec::examples() {
            let noise = spec.build().unwrap();
            let mut square = 0.0;
            for round in 0..40 {
                let mut share = vec![0; 100];
                noise
                    .draw(&mut share, NoiseSource::Replayable(Seed::root(3).derive("round", round)))
                    .unwrap();
                square += share.iter().map(|&y| (y as f64).powi(2)).sum::<f64>() / 4_000.0;
            }
            assert!((square / noise.sum().share_variance() - 1.0).abs() < 0.11, "{spec:?}: {square}");
        }
    }

    #[test]
    fn with_colluders_the_adversary_is_named_and_the_shares_grow() {
        let of = |tolerated| {
            DistributedNoiseSpec { tolerated, ..DistributedNoiseSpec::examples()[0] }.build().unwrap()
        };
        assert_eq!(of(0).adversary(), Adversary::HonestButCurious);
        assert_eq!(of(2).adversary(), Adversary::Colluding { platforms: 2 });
        let ratio = of(2).sum().share_variance() / of(0).sum().share_variance();
        assert!((ratio / (5.0 / 3.0) - 1.0).abs() < 1e-3, "n/(n-t) = 5/3, got {ratio}");
    }

    #[test]
    fn noise_on_an_unbounded_update_is_refused() {
        let noise = DistributedNoiseSpec::examples()[0].build().unwrap();
        let source = NoiseSource::Replayable(Seed::root(1));
        assert_eq!(noise.on_platform(bounded(1.0), source, 3, 2).unwrap().round(), 3);
        let loose = noise.on_platform(bounded(1.5), source, 3, 2).unwrap_err().to_string();
        assert!(loose.contains("noise for a bound of 1 was asked for"), "{loose}");
        let grid = Quantizer { clip_abs: 1.0, bits: 11 };
        let free = LocalUpdate::new(vec![0.0]).clip_l2(ClipNorm::new(1.0).unwrap()).quantise(&grid, 1);
        assert!(noise.on_platform(free, source, 0, 0).is_err());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_reason() {
        let spec = DistributedNoiseSpec::examples()[0];
        let why = |spec: DistributedNoiseSpec| spec.build().unwrap_err().to_string();
        assert!(
            why(DistributedNoiseSpec { tolerated: 5, ..spec })
                .contains("none is certain; tolerate at most 4")
        );
        assert!(
            why(DistributedNoiseSpec { scale: 0.0, ..spec }).contains("scale of the grid must be positive")
        );
        assert!(why(DistributedNoiseSpec { scale: 1e9, ..spec }).contains("take a coarser grid"));
        assert!(
            why(DistributedNoiseSpec { epsilon: Epsilon::INFINITE, ..spec })
                .contains("could not be calibrated")
        );
    }
}
