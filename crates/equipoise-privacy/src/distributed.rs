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
    AccountError, Adversary, DiscreteSum, DpEvent, IntegerShares, Mechanism, NoiseError, NoiseSource,
    OutgoingUpdate, PrivacyClaim, PrivacyUnit, QuantizedUpdate, Quantizer, RdpAccountant, Relation,
    calibrate_discrete,
};
use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction, NoiseMultiplier};
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
    /// The L2 bound of one row's contribution, kept by the trainer.
    pub clip_norm: ClipNorm,
    /// The rows that one account stands in at most, if the guarantee is for an account; all of them lie on one platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_account: Option<NonZeroU32>,
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
        "noise for a bound of {wanted} was asked for on an update whose units are bounded by {got:?}; let the trainer clip, and give a private sum the weight 1"
    )]
    Unbounded {
        /// The bound that the noise was sized for.
        wanted: f64,
        /// The bound that came with the update, times its weight.
        got: Option<f64>,
    },
    /// The update has more coordinates than are accounted.
    #[error(
        "noise for {dimension} coordinates was asked for on an update of {len}; account the length that is sent"
    )]
    Longer {
        /// The coordinates that the noise was sized for.
        dimension: NonZeroU32,
        /// Those of the update.
        len: usize,
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
        let rows = f64::from(self.rows_per_account.map_or(1, NonZeroU32::get));
        let all_rows = ClipNorm::new(rows * self.clip_norm.get());
        let mut sum = DiscreteSum {
            noise: self.noise,
            honest,
            dimension: self.dimension,
            scale: self.scale,
            clip_norm: all_rows.map_err(|_| DistributedNoiseError::TooLarge(rows))?,
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
        let (clip_norm, rows) = (self.clip_norm, self.rows_per_account);
        Ok(DistributedNoise { sum, tolerated, clip_norm, rows, delta: self.delta })
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
            rows_per_account: if tolerated == 0 { NonZeroU32::new(3) } else { None },
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
    /// Of one row.
    clip_norm: ClipNorm,
    rows: Option<NonZeroU32>,
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

    /// Platforms that must be in every sum: those that are certain to have added their share, and those that may have left theirs out.
    #[must_use]
    pub const fn platforms(&self) -> u32 {
        self.sum.honest.get() + self.tolerated
    }

    /// The grid with room for the noise: the same step, and as many more bits as a share needs that no one of `draws` exceeds, with a
    /// chance of at most 2^-40 over all of them. What exceeds it is an error of the sum and never a wrong sum. Nothing where 32 bits are
    /// too few.
    ///
    /// The tail is Bernstein's for a noise of variance v: P(|y| >= x) <= 2 exp(-x^2 / (2 (v + x / 3))), which holds for both kinds.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "checked against 32 bits"
    )]
    pub fn room(&self, grid: &Quantizer, draws: f64) -> Option<Quantizer> {
        // Skellam's rate is rounded up to whole numbers.
        let variance = self.sum.share_variance() + 2.0;
        let chance = libm::log(2.0 * draws.max(1.0)) + 40.0 * std::f64::consts::LN_2;
        let third = chance / 3.0;
        let reach = libm::ceil(third + libm::sqrt(third * third + 2.0 * chance * variance));
        let wanted = grid.max_integer() as f64 + reach;
        let of = |bits| Quantizer { bits, ..*grid }.max_integer() as f64;
        let bits = (grid.bits..=32).find(|&bits| of(bits) >= wanted)?;
        Some(Quantizer { clip_abs: (grid.lsb() * of(bits)) as f32, bits })
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
        let wanted = self.clip_norm.get();
        // The bound is before the weight, which scales contribution and rounding alike, and the noise is sized for a weight of 1.
        let weight = update.weight().max(1);
        let got = update.sensitivity().map(|bound| bound.value.get() * f64::from(weight));
        if weight > 1 || got.is_none_or(|got| got > wanted) {
            return Err(DistributedNoiseError::Unbounded { wanted, got });
        }
        let (dimension, len) = (self.sum.dimension, update.len());
        // Rounding lengthens a vector with the root of its coordinates.
        if u32::try_from(len).map_or(true, |len| len > dimension.get()) {
            return Err(DistributedNoiseError::Longer { dimension, len });
        }
        let mut noise = vec![0; len];
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

/// What a claim on sealed shares leaves open, whatever its unit.
const NOT_PROTECTED: [&str; 5] = [
    "the contact graph",
    "the linked accounts of a person",
    "what scores reveal at inference, contacts' live features included",
    "anything, if the sum is opened over other platforms than it says",
    "the seeds of the noise: a simulation draws it from addresses, so that whoever knows the experiment's seed knows it",
];

impl Mechanism for DistributedNoise {
    fn name(&self) -> &'static str {
        "distributed-integer"
    }

    fn event(&self) -> DpEvent {
        Self::event(self)
    }

    /// Nothing: what is opened holds the noise already.
    fn on_server_with(&self, _: &mut [f64], _: f64, _: NoiseSource) -> Result<(), NoiseError> {
        Ok(())
    }

    fn on_platforms(&self) -> Option<&DistributedNoise> {
        Some(self)
    }

    fn claim(&self, unit: PrivacyUnit, steps: u32) -> Option<PrivacyClaim> {
        let rows = match unit {
            PrivacyUnit::Row => NonZeroU32::MIN,
            PrivacyUnit::AccountFixedGraph => self.rows?,
            _ => return None,
        };
        // A row of an account in many is charged like the account: its own bound would be smaller.
        let open = [self.adversary().leaves_open(), crate::mechanism::also_open(unit)]
            .into_iter()
            .chain(NOT_PROTECTED);
        let bound = match self.sum.noise {
            IntegerNoise::DiscreteGaussian => "the distributed discrete Gaussian (arXiv 2102.06387)",
            IntegerNoise::Skellam => "Skellam noise (arXiv 2110.04995)",
        };
        Some(PrivacyClaim {
            unit,
            relation: Relation::ZeroOut,
            epsilon: self.epsilon(steps),
            renyi: None,
            delta: self.delta,
            adversary: self.adversary(),
            not_protected: open.map(String::from).collect(),
            steps,
            local_steps: None,
            rounds: None,
            rows: rows.get(),
            contribution: None,
            sampling_rate: Fraction::new(1.0).expect("in range"),
            noise_multiplier: self.sum.noise_multiplier,
            integer: Some(IntegerShares {
                noise: self.sum.noise,
                honest: self.sum.honest,
                tolerated: self.tolerated,
            }),
            sums: None,
            accountant: format!(
                "Renyi accounting of {bound} at whole orders, exact integers, no amplification by sampling claimed"
            ),
        })
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // Reaches of sums, far below 2^31.
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

    /// Test 12 of the design: the sum of the certain platforms' shares against the distribution that is accounted, exactly for Skellam,
    /// up to tau for the discrete Gaussian. A coarse grid, so that every cell is full. 5 standard deviations of a chi-square false-alarm
    /// at less than 1e-4; wrong weights (one platform too many, or too few) must be found.
    #[test]
    fn the_sum_of_certain_shares_has_the_distribution_that_is_accounted() {
        use crate::integer_noise::tests::standardised_chi_square;
        for spec in DistributedNoiseSpec::examples() {
            let dimension = NonZeroU32::new(40_000).unwrap();
            let noise =
                DistributedNoiseSpec { scale: 4.0, dimension, epsilon: Epsilon::new(60.0).unwrap(), ..spec };
            let noise = noise.build().unwrap();
            let honest = noise.sum().honest.get();
            let mut sum = vec![0_i64; 40_000];
            for client in 0..honest {
                let mut share = vec![0; sum.len()];
                let source = NoiseSource::Replayable(Seed::root(8).derive("client", u64::from(client)));
                noise.draw(&mut share, source).unwrap();
                sum.iter_mut().zip(share).for_each(|(sum, share)| *sum += share);
            }
            let share = noise.sum().share_variance();
            let weights = |clients: f64| -> Box<dyn Fn(i64) -> f64> {
                match spec.noise {
                    IntegerNoise::DiscreteGaussian => {
                        Box::new(move |y| -(y * y) as f64 / (2.0 * clients * share))
                    }
                    // ln I_y(m) with m = twice the rate of the sum, by its series around the largest term.
                    IntegerNoise::Skellam => {
                        let half = clients * libm::ceil(0.5 * share);
                        Box::new(move |y| {
                            let term = |k: f64| {
                                let order = y.unsigned_abs() as f64;
                                (2.0 * k + order) * half.ln()
                                    - libm::lgamma(k + 1.0)
                                    - libm::lgamma(k + order + 1.0)
                            };
                            let terms: Vec<f64> =
                                (0..(6.0 * half) as u32 + 200).map(|k| term(f64::from(k))).collect();
                            let most = terms.iter().copied().fold(f64::MIN, f64::max);
                            most + terms.iter().map(|t| (t - most).exp()).sum::<f64>().ln() - 2.0 * half
                        })
                    }
                }
            };
            let reach = (7.0 * noise.sum().total_deviation()) as i64 + 3;
            assert!(share > 1.0 && noise.sum().tau() < 1e-4, "{share}, {}", noise.sum().tau());
            let right = standardised_chi_square(&sum, weights(f64::from(honest)), reach);
            assert!(right.abs() < 5.0, "{:?}: {right}", spec.noise);
            for wrong in [honest - 1, honest + 1] {
                let found = standardised_chi_square(&sum, weights(f64::from(wrong)), reach);
                assert!(
                    found > 5.0,
                    "{:?}: {wrong} platforms instead of {honest} were not noticed: {found}",
                    spec.noise
                );
            }
        }
    }

    #[test]
    fn the_room_holds_every_share_at_the_same_step() {
        let grid = Quantizer { clip_abs: 64.0, bits: 20 };
        for spec in DistributedNoiseSpec::examples() {
            let noise = spec.build().unwrap();
            let room = noise.room(&grid, 1e9).unwrap();
            assert!((room.lsb() / grid.lsb() - 1.0).abs() < 1e-6 && room.bits >= grid.bits);
            let free = (room.max_integer() - grid.max_integer()) as f64;
            // ln(2e9) + 40 ln 2 = 49.1: at least sqrt(2 * 49.1) = 9.9 deviations.
            let share = noise.sum().share_variance().sqrt();
            assert!(free >= 9.9 * share, "{free} steps for a deviation of {share}");
        }
        let fine =
            DistributedNoiseSpec { scale: 1e6, ..DistributedNoiseSpec::examples()[0] }.build().unwrap();
        assert_eq!(fine.room(&Quantizer { bits: 32, ..grid }, 1.0), None);
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

    /// A weight scales what a row can move and its rounding, and more coordinates round farther: the noise is sized for neither.
    #[test]
    fn noise_on_a_weighted_or_longer_update_is_refused() {
        let noise = DistributedNoiseSpec::examples()[0].build().unwrap();
        let source = NoiseSource::Replayable(Seed::root(1));
        let grid = Quantizer { clip_abs: 1.0, bits: 11 };
        let update = |len, weight| {
            let value = ClipNorm::new(0.25).unwrap();
            let row = Sensitivity { unit: PrivacyUnit::Row, relation: Relation::ZeroOut, value };
            LocalUpdate::new(vec![0.0; len]).bounded_by_trainer(row).quantise(&grid, weight)
        };
        assert!(noise.on_platform(update(100, 1), source, 0, 0).is_ok());
        let weighted = noise.on_platform(update(100, 3), source, 0, 0).unwrap_err().to_string();
        assert!(weighted.ends_with("give a private sum the weight 1"), "{weighted}");
        let longer = noise.on_platform(update(101, 1), source, 0, 0).unwrap_err().to_string();
        assert!(
            longer.starts_with("noise for 100 coordinates was asked for on an update of 101"),
            "{longer}"
        );
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
