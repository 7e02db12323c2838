//! Gaussian noise on the opened sum of all platforms (DP-SGD's mechanism, Abadi et al. 2016, once per round).
//!
//! The sum is opened before the noise is added, so the claim holds against the recipient of the released models (A1)
//! only, and for the unit `row` only: rows read contacts' data, and without an occurrence bound an account's influence is
//! not bounded. It is valid if the trainer clips each row to `clip-norm`, the platforms Poisson-sample at `sampling-rate`,
//! and the sum is divided by a fixed public number afterwards.

use super::{Mechanism, MechanismError};
use crate::{
    Adversary, DpEvent, NoiseError, NoiseSource, PrivacyClaim, PrivacyUnit, RdpAccountant, Relation,
    calibrate_noise_multiplier,
};
use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction, NoiseMultiplier};
use serde::{Deserialize, Serialize};

/// How much noise: stated, or found from what it must buy.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum NoiseLevel {
    /// Found so that all planned steps together cost at most this.
    Epsilon(Epsilon),
    /// Stated, as the deviation over the sensitivity.
    NoiseMultiplier(NoiseMultiplier),
}

/// The parameters of [`CentralGaussian`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
pub struct CentralGaussianSpec {
    /// The L2 bound of one row's contribution, kept by the trainer.
    pub clip_norm: ClipNorm,
    /// Probability that a row takes part in a step.
    pub sampling_rate: Fraction,
    /// The keys `epsilon` or `noise-multiplier`: exactly one of them.
    pub noise: NoiseLevel,
    /// The delta of the claim.
    pub delta: Delta,
    /// Planned steps, over which an epsilon is calibrated.
    pub steps: u32,
}

/// The table as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    clip_norm: ClipNorm,
    sampling_rate: Fraction,
    #[serde(skip_serializing_if = "Option::is_none")]
    epsilon: Option<Epsilon>,
    #[serde(skip_serializing_if = "Option::is_none")]
    noise_multiplier: Option<NoiseMultiplier>,
    delta: Delta,
    steps: u32,
}

impl TryFrom<Table> for CentralGaussianSpec {
    type Error = MechanismError;
    fn try_from(table: Table) -> Result<Self, MechanismError> {
        let Table { clip_norm, sampling_rate, epsilon, noise_multiplier, delta, steps } = table;
        let noise = match (epsilon, noise_multiplier) {
            (Some(epsilon), None) => NoiseLevel::Epsilon(epsilon),
            (None, Some(multiplier)) => NoiseLevel::NoiseMultiplier(multiplier),
            (None, None) => return Err(MechanismError::NoiseLevel("neither")),
            (Some(_), Some(_)) => return Err(MechanismError::NoiseLevel("both")),
        };
        Ok(Self { clip_norm, sampling_rate, noise, delta, steps })
    }
}

impl From<CentralGaussianSpec> for Table {
    fn from(spec: CentralGaussianSpec) -> Self {
        let CentralGaussianSpec { clip_norm, sampling_rate, noise, delta, steps } = spec;
        let (epsilon, noise_multiplier) = match noise {
            NoiseLevel::Epsilon(epsilon) => (Some(epsilon), None),
            NoiseLevel::NoiseMultiplier(multiplier) => (None, Some(multiplier)),
        };
        Self { clip_norm, sampling_rate, epsilon, noise_multiplier, delta, steps }
    }
}

impl CentralGaussianSpec {
    /// Builds the mechanism; calibrates if the noise is given as an epsilon.
    ///
    /// # Errors
    /// If calibration has no answer.
    pub fn build(&self) -> Result<CentralGaussian, MechanismError> {
        let noise_multiplier = match self.noise {
            NoiseLevel::NoiseMultiplier(multiplier) => multiplier,
            NoiseLevel::Epsilon(epsilon) => {
                calibrate_noise_multiplier(epsilon, self.delta, self.sampling_rate, self.steps)?
            }
        };
        Ok(CentralGaussian { sampling_rate: self.sampling_rate, noise_multiplier, delta: self.delta })
    }

    /// One of each way to state the noise.
    ///
    /// # Panics
    /// Never: the numbers are in range.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let example = |noise| Self {
            clip_norm: ClipNorm::new(1.0).expect("in range"),
            sampling_rate: Fraction::new(0.05).expect("in range"),
            noise,
            delta: Delta::new(1e-5).expect("in range"),
            steps: 100,
        };
        vec![
            example(NoiseLevel::Epsilon(Epsilon::new(2.0).expect("in range"))),
            example(NoiseLevel::NoiseMultiplier(NoiseMultiplier::new(1.1).expect("in range"))),
        ]
    }
}

/// Adds `N(0, (noise_multiplier * sensitivity)^2)` to every coordinate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CentralGaussian {
    sampling_rate: Fraction,
    noise_multiplier: NoiseMultiplier,
    delta: Delta,
}

impl CentralGaussian {
    /// The deviation of the noise over the sensitivity, stated or calibrated.
    #[must_use]
    pub const fn noise_multiplier(&self) -> NoiseMultiplier {
        self.noise_multiplier
    }
}

/// What a row-level claim at the opened sum leaves open.
const NOT_PROTECTED: [&str; 6] = [
    "accounts whose data other rows read (contact features)",
    "the contact graph",
    "the linked accounts of a person",
    "the aggregator's view, which holds the sum before the noise",
    "what scores reveal at inference, contacts' live features included",
    "the last bits of floating-point noise",
];

impl Mechanism for CentralGaussian {
    fn name(&self) -> &'static str {
        "central-gaussian"
    }

    fn event(&self) -> DpEvent {
        DpEvent::PoissonGaussian {
            sampling_rate: self.sampling_rate.get(),
            noise_multiplier: self.noise_multiplier.get(),
        }
    }

    fn on_server_with(
        &self,
        sum: &mut [f64],
        dim_sensitivity: f64,
        source: NoiseSource,
    ) -> Result<(), NoiseError> {
        source.add_gaussian(sum, self.noise_multiplier.get() * dim_sensitivity)
    }

    fn claim(&self, unit: PrivacyUnit, steps: u32) -> Option<PrivacyClaim> {
        if unit != PrivacyUnit::Row {
            return None;
        }
        let mut accountant = RdpAccountant::new();
        accountant.compose(&self.event(), steps);
        Some(PrivacyClaim {
            unit,
            relation: Relation::ZeroOut,
            epsilon: accountant.epsilon(self.delta).epsilon,
            delta: self.delta,
            adversary: Adversary::ReleasedModel,
            not_protected: NOT_PROTECTED.map(String::from).to_vec(),
            steps,
            rounds: None,
            sampling_rate: self.sampling_rate,
            noise_multiplier: self.noise_multiplier,
            accountant:
                "Renyi accounting of the subsampled Gaussian, noise idealised as real-valued and secret"
                    .into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibrated_mechanism_claims_at_most_its_target() {
        let mechanism = CentralGaussianSpec::examples()[0].build().unwrap();
        let claim = mechanism.claim(PrivacyUnit::Row, 100).unwrap();
        assert!(claim.epsilon <= 2.0 && claim.epsilon > 1.999);
        assert!(mechanism.claim(PrivacyUnit::Row, 50).unwrap().epsilon < claim.epsilon);
    }

    #[test]
    fn nothing_is_claimed_for_accounts() {
        let mechanism = CentralGaussianSpec::examples()[1].build().unwrap();
        for unit in PrivacyUnit::ALL {
            assert_eq!(mechanism.claim(unit, 10).is_some(), unit == PrivacyUnit::Row);
        }
    }

    #[test]
    fn the_claim_names_what_stays_open() {
        let claim = CentralGaussianSpec::examples()[1].build().unwrap().claim(PrivacyUnit::Row, 10).unwrap();
        let text = claim.to_string();
        for open in
            ["contact features", "contact graph", "linked accounts", "before the noise", "at inference"]
        {
            assert!(text.contains(open), "{open} is missing in: {text}");
        }
        assert_eq!(claim.adversary, Adversary::ReleasedModel);
    }

    #[test]
    fn the_noise_is_stated_exactly_once() {
        let table = |noise: &str| {
            let text = format!(r#"{{"clip-norm":1,"sampling-rate":0.1,{noise}"delta":1e-5,"steps":3}}"#);
            serde_json::from_str::<CentralGaussianSpec>(&text).map_err(|error| error.to_string())
        };
        assert!(table(r#""epsilon":1,"#).is_ok() && table(r#""noise-multiplier":1,"#).is_ok());
        assert!(table("").unwrap_err().contains("got neither"));
        assert!(table(r#""epsilon":1,"noise-multiplier":1,"#).unwrap_err().contains("got both"));
    }

    #[test]
    fn an_infinite_epsilon_is_sent_to_no_noise() {
        let spec = CentralGaussianSpec {
            noise: NoiseLevel::Epsilon(Epsilon::INFINITE),
            ..CentralGaussianSpec::examples()[0]
        };
        assert!(matches!(spec.build(), Err(MechanismError::Calibration(_))));
    }
}
