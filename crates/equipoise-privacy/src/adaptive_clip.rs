//! Adaptive clipping (Andrew, Thakkar, McMahan, Ramaswamy, arXiv 1905.03871): the clip norm follows a quantile of the norms, which
//! it learns from a noised count, and that count is paid for.
//!
//! Each step releases, beside the sum, how many contributions were below the clip norm. Centred, one unit moves the count by half.
//! Sum and count together are one Gaussian release whose multiplier `z` satisfies `z^-2 = z_sum^-2 + (2 s)^-2` for count noise of
//! deviation `s`. There is no clip norm that follows the data for free: without a budget it does not exist.

use crate::{DpEvent, EpsilonAt, Ledger, LedgerError};
use equipoise_core::{ClipNorm, Fraction, NoiseMultiplier};
use serde::{Deserialize, Serialize};

/// How the clip norm follows.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdaptiveClipSpec {
    /// Where it starts; public.
    pub start: ClipNorm,
    /// The share of contributions that should stay unclipped.
    pub quantile: Fraction,
    /// The factor is `e^(-rate * (share - quantile))`.
    pub rate: f64,
    /// Standard deviation of the noise on the count, in contributions.
    pub count_noise: NoiseMultiplier,
}

/// Why a clip norm may not follow the data.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum AdaptiveClipError {
    /// Nothing pays for the counts.
    #[error(
        "a clip norm that follows the data is a release in every step, and there is no budget; give a finite epsilon or a fixed clip norm"
    )]
    NoBudget,
    /// The rate is none.
    #[error("the rate of an adaptive clip norm must be positive and finite, got {0}")]
    Rate(f64),
    /// The budget does not cover it.
    #[error("the steps with an adaptive clip norm do not fit the budget")]
    Overdrawn(#[from] LedgerError),
}

/// A clip norm that has been paid for.
#[derive(Clone, PartialEq, Debug)]
pub struct AdaptiveClip {
    spec: AdaptiveClipSpec,
    clip_norm: f64,
}

impl AdaptiveClipSpec {
    /// One step: the sum at `noise` and the count, as one event.
    ///
    /// # Panics
    /// Never: a combination of noise multipliers is one.
    #[must_use]
    pub fn event(&self, sampling_rate: Fraction, noise: NoiseMultiplier) -> DpEvent {
        let (sum, count) = (noise.get(), 2.0 * self.count_noise.get());
        let together = 1.0 / libm::sqrt(1.0 / (sum * sum) + 1.0 / (count * count));
        DpEvent::PoissonGaussian { sampling_rate: sampling_rate.get(), noise_multiplier: together }
    }

    /// Debits `steps` steps, sums included, before the first runs.
    ///
    /// # Errors
    /// If the ledger has no finite budget, or not enough of it.
    pub fn charge(
        self,
        ledger: &mut Ledger,
        sampling_rate: Fraction,
        noise: NoiseMultiplier,
        steps: u32,
    ) -> Result<(AdaptiveClip, EpsilonAt), AdaptiveClipError> {
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            return Err(AdaptiveClipError::Rate(self.rate));
        }
        if !ledger.budget().is_finite() {
            return Err(AdaptiveClipError::NoBudget);
        }
        let event = self.event(sampling_rate, noise).repeated(steps);
        let total = ledger.debit("sums and clip counts", event, None)?;
        Ok((AdaptiveClip { spec: self, clip_norm: self.start.get() }, total))
    }
}

impl AdaptiveClip {
    /// The clip norm of the coming step.
    ///
    /// # Panics
    /// Never: it stays in range.
    #[must_use]
    pub fn clip_norm(&self) -> ClipNorm {
        ClipNorm::new(self.clip_norm).expect("a clip norm between 1e-12 and 1e12")
    }

    /// The deviation of the noise that the centred count must carry.
    #[must_use]
    pub const fn count_deviation(&self) -> f64 {
        self.spec.count_noise.get()
    }

    /// What one contribution of this norm adds to the centred count.
    #[must_use]
    pub fn centred(&self, norm: f64) -> f64 {
        if norm <= self.clip_norm { 0.5 } else { -0.5 }
    }

    /// Moves the clip norm by the *noised* centred count over the expected number of contributions, a public number.
    pub fn follow(&mut self, noised_count: f64, expected: f64) {
        let share = (noised_count / expected + 0.5).clamp(0.0, 1.0);
        let factor = libm::exp(-self.spec.rate * (share - self.spec.quantile.get()));
        self.clip_norm = (self.clip_norm * factor).clamp(1e-12, 1e12);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Delta, Draw, Epsilon, Seed};

    fn spec() -> AdaptiveClipSpec {
        AdaptiveClipSpec {
            start: ClipNorm::new(10.0).unwrap(),
            quantile: Fraction::new(0.5).unwrap(),
            rate: 0.2,
            count_noise: NoiseMultiplier::new(10.0).unwrap(),
        }
    }

    fn charged(budget: Epsilon) -> Result<(AdaptiveClip, EpsilonAt), AdaptiveClipError> {
        let mut ledger = Ledger::new(budget, Delta::new(1e-5).unwrap());
        spec().charge(&mut ledger, Fraction::new(0.01).unwrap(), NoiseMultiplier::new(1.0).unwrap(), 1_000)
    }

    #[test]
    fn the_count_costs_what_the_formula_says() {
        // 1 and 2 * 10: 1 / sqrt(1 + 1/400).
        let event = spec().event(Fraction::new(0.01).unwrap(), NoiseMultiplier::new(1.0).unwrap());
        let DpEvent::PoissonGaussian { noise_multiplier, .. } = event else { panic!("{event:?}") };
        assert!((noise_multiplier - 1.0 / (1.0_f64 + 1.0 / 400.0).sqrt()).abs() < 1e-15);
        let (_, with) = charged(Epsilon::new(8.0).unwrap()).unwrap();
        let mut fixed = crate::RdpAccountant::new();
        fixed.compose(&DpEvent::PoissonGaussian { sampling_rate: 0.01, noise_multiplier: 1.0 }, 1_000);
        assert!(with.epsilon > fixed.epsilon(Delta::new(1e-5).unwrap()).epsilon);
    }

    #[test]
    fn without_a_budget_or_beyond_it_there_is_none() {
        let none = charged(Epsilon::INFINITE).unwrap_err();
        assert!(
            none.to_string().contains("there is no budget; give a finite epsilon or a fixed clip norm"),
            "{none}"
        );
        assert!(matches!(charged(Epsilon::new(0.5).unwrap()), Err(AdaptiveClipError::Overdrawn(_))));
    }

    /// Norms between 0 and 2: the median is 1. Noise of 10 on 200 contributions moves the share by 5 % a step.
    #[test]
    fn the_clip_norm_finds_the_quantile() {
        let (mut clip, _) = charged(Epsilon::new(8.0).unwrap()).unwrap();
        let mut rng = Seed::root(2).rng();
        let mut last = Vec::new();
        for step in 0..300 {
            let count: f64 = (0..200).map(|_| clip.centred(2.0 * rng.uniform())).sum();
            clip.follow(count + clip.count_deviation() * rng.normal(), 200.0);
            if step >= 200 {
                last.push(clip.clip_norm().get());
            }
        }
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
    }
}
