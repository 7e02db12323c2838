//! Gaussian noise inside every local step of every platform (inter-silo record-level privacy: Lowy and Razaviyayn, ICLR 2023; DP-SGD of
//! Abadi et al., CCS 2016, run by each platform alone).
//!
//! A platform takes several clipped and noised steps a round, each with the *full* noise, and sends where they led. What it sends is made
//! of noised numbers alone, so the claim needs no hidden sum and holds for whatever models the aggregator sends: adversary A4. The price
//! is noise on each platform's own small batch, `rounds * local steps` times. Local steps are all charged, although only where they lead
//! is sent. Valid if the trainer clips each row to `clip-norm`, samples at `sampling-rate` afresh in every local step, and divides by a
//! public number.

use super::{CentralGaussian, CentralGaussianSpec, Mechanism, MechanismError};
use crate::{Adversary, DpEvent, NoiseError, NoiseSource, PrivacyClaim, PrivacyUnit};
use equipoise_core::NoiseMultiplier;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// The parameters of [`LocalGaussian`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LocalGaussianSpec {
    /// One local step; its `steps` are rounds.
    pub step: CentralGaussianSpec,
    /// Noised steps that a platform takes in a round.
    pub local_steps: NonZeroU32,
}

impl LocalGaussianSpec {
    /// Builds the mechanism; calibrates over all local steps of all rounds if the noise is given as an epsilon.
    ///
    /// # Errors
    /// As [`CentralGaussianSpec::build`], or if there are more steps than can be counted.
    pub fn build(&self) -> Result<LocalGaussian, MechanismError> {
        let steps = self.step.steps.checked_mul(self.local_steps.get()).ok_or(MechanismError::Steps)?;
        let step = CentralGaussianSpec { steps, ..self.step }.build()?;
        Ok(LocalGaussian { step, local_steps: self.local_steps })
    }

    /// A noise that is found and one that is stated, and an account in several rows.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let of = |step| Self { step, local_steps: NonZeroU32::MIN.saturating_add(3) };
        CentralGaussianSpec::examples().into_iter().map(of).collect()
    }
}

/// Noises every local step; the server adds nothing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LocalGaussian {
    step: CentralGaussian,
    local_steps: NonZeroU32,
}

impl LocalGaussian {
    /// Steps that a platform takes in a round.
    #[must_use]
    pub const fn local_steps(&self) -> NonZeroU32 {
        self.local_steps
    }

    /// The deviation of each step's noise over the sensitivity.
    #[must_use]
    pub const fn noise_multiplier(&self) -> NoiseMultiplier {
        self.step.noise_multiplier()
    }

    /// Noises the clipped sum of one local step, on the platform. `source` addresses platform, round and step.
    ///
    /// # Errors
    /// If protected noise was asked for and the operating system gives no entropy.
    pub fn on_local_step(
        &self,
        sum: &mut [f64],
        sensitivity: f64,
        source: NoiseSource,
    ) -> Result<(), NoiseError> {
        self.step.on_server_with(sum, sensitivity, source)
    }
}

impl Mechanism for LocalGaussian {
    fn name(&self) -> &'static str {
        "local-gaussian"
    }

    /// One round: its local steps.
    fn event(&self) -> DpEvent {
        self.step.event().repeated(self.local_steps.get())
    }

    fn on_server_with(&self, _: &mut [f64], _: f64, _: NoiseSource) -> Result<(), NoiseError> {
        Ok(())
    }

    fn on_local_steps(&self) -> Option<&LocalGaussian> {
        Some(self)
    }

    fn claim(&self, unit: PrivacyUnit, rounds: u32) -> Option<PrivacyClaim> {
        let steps = rounds.checked_mul(self.local_steps.get())?;
        let claim = self.step.claim(unit, steps)?;
        let not_protected =
            claim.not_protected.iter().filter(|open| !open.starts_with("the aggregator's view"));
        Some(PrivacyClaim {
            adversary: Adversary::MaliciousAggregator,
            not_protected: not_protected.cloned().collect(),
            local_steps: Some(self.local_steps.get()),
            ..claim
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SampledStep, prv_bracket};

    #[test]
    fn every_local_step_of_every_round_is_charged() {
        let spec = LocalGaussianSpec::examples()[2];
        let (local, alone) = (spec.build().unwrap(), spec.step.build().unwrap());
        for rounds in [0, 1, 7] {
            let (local, alone) = (
                local.claim(PrivacyUnit::Row, rounds).unwrap(),
                alone.claim(PrivacyUnit::Row, 4 * rounds).unwrap(),
            );
            assert!((local.epsilon - alone.epsilon).abs() < 1e-12);
            assert_eq!((local.steps, local.local_steps), (4 * rounds, Some(4)));
        }
    }

    /// 100 rounds of 4 steps at rate 0.05 and noise 1.1, by the exact accountant asked directly.
    #[test]
    fn the_claim_is_the_accountants_word_on_all_local_steps() {
        let spec = LocalGaussianSpec::examples()[2];
        let claim = spec.build().unwrap().claim(PrivacyUnit::Row, 100).unwrap();
        let step = SampledStep::of_row(spec.step.sampling_rate, NoiseMultiplier::new(1.1).unwrap());
        let bracket = prv_bracket(&step, 400, spec.step.delta, 0.01).unwrap();
        assert!((claim.epsilon - bracket.upper).abs() < 1e-12, "{} {bracket:?}", claim.epsilon);
    }

    #[test]
    fn an_epsilon_is_what_all_rounds_cost_and_takes_more_noise_than_one_step_a_round() {
        let spec = LocalGaussianSpec::examples()[0];
        let (local, once) = (spec.build().unwrap(), spec.step.build().unwrap());
        let claim = local.claim(PrivacyUnit::Row, spec.step.steps).unwrap();
        assert!(claim.epsilon <= 2.0 && claim.epsilon > 1.98, "{}", claim.epsilon);
        assert!(local.noise_multiplier().get() > 1.3 * once.noise_multiplier().get());
    }

    #[test]
    fn the_claim_holds_whatever_the_aggregator_sends_and_does_not_leave_its_view_open() {
        let claim = LocalGaussianSpec::examples()[2].build().unwrap().claim(PrivacyUnit::Row, 10).unwrap();
        assert_eq!(claim.adversary, Adversary::MaliciousAggregator);
        let text = claim.to_string();
        assert!(text.contains("10 steps of 4 noised local steps each") && text.contains("(A4)"), "{text}");
        assert!(!text.contains("before the noise"), "{text}");
    }
}
