//! Mechanisms: what is done to an opened sum before it steps the released model, and what that buys.
//!
//! The registry [`MechanismSpec`] is the table of an experiment file; from Rust anyone passes their own [`Mechanism`].

mod aggregated_gaussian;
mod central_gaussian;
mod exact;
mod local_gaussian;
mod no_noise;

pub use aggregated_gaussian::{AggregatedGaussian, AggregatedGaussianSpec};
pub(crate) use central_gaussian::also_open;
pub use central_gaussian::{CentralGaussian, CentralGaussianSpec, NoiseLevel};
pub use local_gaussian::{LocalGaussian, LocalGaussianSpec};
pub use no_noise::{NoNoise, NoNoiseSpec};

use crate::{
    AccountError, DistributedNoise, DistributedNoiseSpec, DpEvent, NoiseError, NoiseSource, PrivacyClaim,
    PrivacyUnit, TooManyRows,
};
use equipoise_core::Seed;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A mechanism on the server's side of a round.
///
/// Laws, held by [`crate::laws::check_mechanism_laws`]: the noise does not depend on the sum, is unbiased, independent
/// between coordinates, Gaussian, and has exactly the deviation that [`Mechanism::event`] states; the same seed gives the
/// same noise and another seed other noise; an event without noise leaves the sum as it is and claims nothing; a claim is
/// not smaller than what the accountant says about the event. Where the event is a sum of integer noise, the server adds nothing, and
/// the shares of the platforms that are certain to add theirs have, summed, the deviation that the event states.
pub trait Mechanism: fmt::Debug + Send + Sync {
    /// Its name in experiment files.
    fn name(&self) -> &'static str;

    /// What **one** step releases, from the numbers that [`Mechanism::on_server_with`] uses.
    fn event(&self) -> DpEvent;

    /// What each platform adds in every local step, where it takes noised steps by itself; then the server adds nothing.
    fn on_local_steps(&self) -> Option<&LocalGaussian> {
        None
    }

    /// What is released once, before the first step, where something is: claims for units that it touches hold it as well.
    fn before_steps(&self) -> Option<DpEvent> {
        None
    }

    /// Noises the opened `sum` (real units, before division). `dim_sensitivity` is the L2 sensitivity of that sum with
    /// rounding, as [`crate::Quantizer::rounded_sensitivity`] gives it.
    ///
    /// # Errors
    /// If protected noise was asked for and the operating system gives no entropy.
    fn on_server_with(
        &self,
        sum: &mut [f64],
        dim_sensitivity: f64,
        source: NoiseSource,
    ) -> Result<(), NoiseError>;

    /// What each platform adds to its rounded update before it is sealed; nothing where the noise comes to the opened sum. The
    /// returned mechanism is the one that [`Mechanism::event`] accounts, and then the server adds nothing.
    fn on_platforms(&self) -> Option<&DistributedNoise> {
        None
    }

    /// [`Mechanism::on_server_with`] in simulation mode. `seed` addresses the round, not the attempt: a redone round gets
    /// the same noise.
    ///
    /// # Panics
    /// Never for the mechanisms of this crate: a replayable source cannot fail.
    fn on_server(&self, sum: &mut [f64], dim_sensitivity: f64, seed: Seed) {
        self.on_server_with(sum, dim_sensitivity, NoiseSource::Replayable(seed))
            .expect("a replayable source of noise cannot fail");
    }

    /// What `steps` steps claim for `unit`, or nothing.
    fn claim(&self, unit: PrivacyUnit, steps: u32) -> Option<PrivacyClaim>;
}

/// A mechanism that cannot be built from its parameters.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum MechanismError {
    /// Neither or both ways to state the noise.
    #[error("central-gaussian takes either epsilon or noise-multiplier, got {0}")]
    NoiseLevel(&'static str),
    /// The noise for the target epsilon could not be found.
    #[error("the noise of central-gaussian could not be calibrated")]
    Calibration(#[from] AccountError),
    /// The bound on an account's rows bounds nothing.
    #[error(transparent)]
    Rows(#[from] TooManyRows),
    /// Too many to count.
    #[error("steps: rounds times local steps are more than 32 bits count")]
    Steps,
    /// The sums take nothing or everything.
    #[error("share: of a finite epsilon the noised sums take a part above 0 and below 1, got {0}")]
    Share(f64),
    /// Noise on the platforms cannot be.
    #[error("distributed-integer: {0}")]
    Distributed(String),
}

/// The mechanisms that an experiment file can name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MechanismSpec {
    /// The control arm: the sum as it is.
    NoNoise(NoNoiseSpec),
    /// Gaussian noise on the opened sum.
    CentralGaussian(CentralGaussianSpec),
    /// The same on rows that hold noised sums over contacts, which hides who contacts whom.
    AggregatedGaussian(AggregatedGaussianSpec),
    /// Gaussian noise inside every local step of every platform.
    LocalGaussian(LocalGaussianSpec),
    /// Integer noise that each platform adds before its update is sealed.
    DistributedInteger(DistributedNoiseSpec),
}

impl MechanismSpec {
    /// Builds the mechanism; calibrates its noise if the file gives an epsilon.
    ///
    /// # Errors
    /// If the noise cannot be calibrated.
    pub fn build(&self) -> Result<Box<dyn Mechanism>, MechanismError> {
        Ok(match self {
            Self::NoNoise(spec) => Box::new(spec.build()),
            Self::CentralGaussian(spec) => Box::new(spec.build()?),
            Self::AggregatedGaussian(spec) => Box::new(spec.build()?),
            Self::LocalGaussian(spec) => Box::new(spec.build()?),
            Self::DistributedInteger(spec) => {
                Box::new(spec.build().map_err(|error| MechanismError::Distributed(error.to_string()))?)
            }
        })
    }

    /// The L2 bound that the trainer must clip each row's contribution to, if the mechanism needs one.
    #[must_use]
    pub const fn clip_norm(&self) -> Option<equipoise_core::ClipNorm> {
        match self {
            Self::NoNoise(_) => None,
            Self::CentralGaussian(spec) => Some(spec.clip_norm),
            Self::AggregatedGaussian(spec) => Some(spec.clip_norm),
            Self::LocalGaussian(spec) => Some(spec.step.clip_norm),
            Self::DistributedInteger(spec) => Some(spec.clip_norm),
        }
    }

    /// The rate of the Poisson sampler that the platforms must run, if the mechanism needs one.
    #[must_use]
    pub const fn sampling_rate(&self) -> Option<equipoise_core::Fraction> {
        match self {
            // Without amplification, whom a platform samples is its own business.
            Self::NoNoise(_) | Self::DistributedInteger(_) => None,
            Self::CentralGaussian(spec) => Some(spec.sampling_rate),
            Self::AggregatedGaussian(spec) => Some(spec.sampling_rate),
            Self::LocalGaussian(spec) => Some(spec.step.sampling_rate),
        }
    }

    /// One or more of every variant: what law tests and reference pages run over.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let mut examples = vec![Self::NoNoise(NoNoiseSpec {})];
        examples.extend(CentralGaussianSpec::examples().into_iter().map(Self::CentralGaussian));
        examples.extend(AggregatedGaussianSpec::examples().into_iter().map(Self::AggregatedGaussian));
        examples.extend(LocalGaussianSpec::examples().into_iter().map(Self::LocalGaussian));
        examples.extend(DistributedNoiseSpec::examples().into_iter().map(Self::DistributedInteger));
        examples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::check_mechanism_laws;

    #[test]
    fn every_mechanism_keeps_the_laws() {
        for spec in MechanismSpec::examples() {
            check_mechanism_laws(&*spec.build().unwrap()).unwrap();
        }
    }

    #[test]
    fn every_example_survives_being_written_and_read() {
        for spec in MechanismSpec::examples() {
            let text = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<MechanismSpec>(&text).unwrap(), spec, "{text}");
            let name = spec.build().unwrap().name();
            assert!(text.starts_with(&format!("{{\"{name}\":")), "{text}");
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(serde_json::from_str::<MechanismSpec>(r#"{"no-noise":{}}"#).is_ok());
        assert!(serde_json::from_str::<MechanismSpec>(r#"{"no-noise":{"sigma":1}}"#).is_err());
        assert!(serde_json::from_str::<MechanismSpec>(r#"{"laplace":{}}"#).is_err());
    }
}
