//! Gaussian noise on the opened sum of all platforms (DP-SGD's mechanism, Abadi et al. 2016, once per round).
//!
//! The sum is opened before the noise is added, so the claim holds against the recipient of the released models (A1) only.
//! It is for the unit `row`, and for the unit `account-fixed-graph` if contributions are bounded (`rows-per-account`): rows
//! read contacts' data, and without that bound an account's influence has no limit. It is valid if the trainer clips each row
//! to `clip-norm`, the platforms Poisson-sample at `sampling-rate`, no account stands in more rows than the bound, and the
//! sum is divided by a fixed public number afterwards. Epsilon is the upper end of the exact accountant's bracket.

use super::{Mechanism, MechanismError, exact};
use crate::{Adversary, DpEvent, NoiseError, NoiseSource, PrivacyClaim, PrivacyUnit, Relation, SampledStep};
use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction, NoiseMultiplier};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

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
    /// Rows that an account may stand in, where that is bounded; an epsilon is then an account's, and a row's without it.
    pub rows_per_account: Option<NonZeroU32>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows_per_account: Option<NonZeroU32>,
}

impl TryFrom<Table> for CentralGaussianSpec {
    type Error = MechanismError;
    fn try_from(table: Table) -> Result<Self, MechanismError> {
        let Table { clip_norm, sampling_rate, epsilon, noise_multiplier, delta, steps, rows_per_account } =
            table;
        let noise = match (epsilon, noise_multiplier) {
            (Some(epsilon), None) => NoiseLevel::Epsilon(epsilon),
            (None, Some(multiplier)) => NoiseLevel::NoiseMultiplier(multiplier),
            (None, None) => return Err(MechanismError::NoiseLevel("neither")),
            (Some(_), Some(_)) => return Err(MechanismError::NoiseLevel("both")),
        };
        Ok(Self { clip_norm, sampling_rate, noise, delta, steps, rows_per_account })
    }
}

impl From<CentralGaussianSpec> for Table {
    fn from(spec: CentralGaussianSpec) -> Self {
        let CentralGaussianSpec { clip_norm, sampling_rate, noise, delta, steps, rows_per_account } = spec;
        let (epsilon, noise_multiplier) = match noise {
            NoiseLevel::Epsilon(epsilon) => (Some(epsilon), None),
            NoiseLevel::NoiseMultiplier(multiplier) => (None, Some(multiplier)),
        };
        Self { clip_norm, sampling_rate, epsilon, noise_multiplier, delta, steps, rows_per_account }
    }
}

impl CentralGaussianSpec {
    /// Builds the mechanism; calibrates if the noise is given as an epsilon.
    ///
    /// # Errors
    /// If calibration has no answer, or the bound on an account's rows bounds nothing.
    pub fn build(&self) -> Result<CentralGaussian, MechanismError> {
        let one = NoiseMultiplier::new(1.0).expect("in range");
        let rows = self.rows_per_account.unwrap_or(NonZeroU32::MIN);
        let step = SampledStep::of_rows(self.sampling_rate, one, rows)?;
        let noise_multiplier = match self.noise {
            NoiseLevel::NoiseMultiplier(multiplier) => multiplier,
            NoiseLevel::Epsilon(epsilon) => exact::calibrate(epsilon, self.delta, &step, self.steps)?,
        };
        let Self { sampling_rate, delta, rows_per_account, .. } = *self;
        Ok(CentralGaussian { sampling_rate, noise_multiplier, delta, rows_per_account })
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
            rows_per_account: None,
        };
        let epsilon = NoiseLevel::Epsilon(Epsilon::new(2.0).expect("in range"));
        vec![
            example(epsilon),
            Self { rows_per_account: NonZeroU32::new(4), ..example(epsilon) },
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
    rows_per_account: Option<NonZeroU32>,
}

impl CentralGaussian {
    /// The deviation of the noise over the sensitivity, stated or calibrated.
    #[must_use]
    pub const fn noise_multiplier(&self) -> NoiseMultiplier {
        self.noise_multiplier
    }
}

/// What a claim at the opened sum leaves open, whatever its unit.
pub(super) const NOT_PROTECTED: [&str; 5] = [
    "the contact graph",
    "the linked accounts of a person",
    "the aggregator's view, which holds the sum before the noise",
    "what scores reveal at inference, contacts' live features included",
    "the last bits of floating-point noise",
];

/// What is open besides, by unit.
pub(crate) const fn also_open(unit: PrivacyUnit) -> &'static str {
    match unit {
        PrivacyUnit::Row => "accounts whose data other rows read (contact features)",
        PrivacyUnit::Pair => {
            "rows of the two recomputed without their contact instead of nulled (that counts twice)"
        }
        _ => {
            "labels that the account's reports gave to other accounts, and rows recomputed without the account instead of nulled \
             (that counts twice)"
        }
    }
}

impl CentralGaussian {
    /// The rows that one unit reaches; nothing where its contribution is not bounded.
    const fn rows_of(&self, unit: PrivacyUnit) -> Option<NonZeroU32> {
        match unit {
            PrivacyUnit::Row => Some(NonZeroU32::MIN),
            // For what an account sent: if rows hold nothing else, which is the caller's to see to.
            PrivacyUnit::AccountFixedGraph | PrivacyUnit::AccountSenderOwned => self.rows_per_account,
            _ => None,
        }
    }
}

impl Mechanism for CentralGaussian {
    fn name(&self) -> &'static str {
        "central-gaussian"
    }

    fn event(&self) -> DpEvent {
        let (sampling_rate, noise_multiplier) = (self.sampling_rate.get(), self.noise_multiplier.get());
        match self.rows_per_account {
            None => DpEvent::PoissonGaussian { sampling_rate, noise_multiplier },
            Some(rows) => DpEvent::PoissonGaussianRows { sampling_rate, noise_multiplier, rows },
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
        let rows = self.rows_of(unit)?;
        let step = SampledStep::of_rows(self.sampling_rate, self.noise_multiplier, rows).ok()?;
        let accounted = exact::account(&step, steps, self.delta);
        let open = std::iter::once(also_open(unit)).chain(NOT_PROTECTED);
        Some(PrivacyClaim {
            unit,
            relation: Relation::ZeroOut,
            epsilon: accounted.epsilon,
            renyi: Some(accounted.renyi),
            delta: self.delta,
            adversary: Adversary::ReleasedModel,
            not_protected: open.map(String::from).collect(),
            steps,
            local_steps: None,
            rounds: None,
            rows: rows.get(),
            contribution: None,
            sampling_rate: self.sampling_rate,
            noise_multiplier: self.noise_multiplier,
            integer: None,
            sums: None,
            accountant: format!(
                "{} of the subsampled Gaussian, noise idealised as real-valued and secret",
                accounted.by()
            ),
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
        assert!(claim.epsilon <= 2.0 && claim.epsilon > 1.99, "{}", claim.epsilon);
        assert!(mechanism.claim(PrivacyUnit::Row, 50).unwrap().epsilon < claim.epsilon);
    }

    #[test]
    fn accounts_are_promised_something_only_where_their_rows_are_bounded() {
        let [_, bounded, free] = &CentralGaussianSpec::examples()[..] else { panic!("three examples") };
        let (bounded, free) = (bounded.build().unwrap(), free.build().unwrap());
        for unit in PrivacyUnit::ALL {
            assert_eq!(free.claim(unit, 10).is_some(), unit == PrivacyUnit::Row);
            let offered = matches!(
                unit,
                PrivacyUnit::Row | PrivacyUnit::AccountFixedGraph | PrivacyUnit::AccountSenderOwned
            );
            assert_eq!(bounded.claim(unit, 10).is_some(), offered);
        }
    }

    /// An account in four rows gets the epsilon that was asked for; a row, of which there is one, a smaller one.
    #[test]
    fn noise_for_an_account_is_calibrated_to_the_account() {
        let mechanism = CentralGaussianSpec::examples()[1].build().unwrap();
        let of = |unit| mechanism.claim(unit, 100).unwrap();
        let (account, row) = (of(PrivacyUnit::AccountFixedGraph), of(PrivacyUnit::Row));
        assert!(account.epsilon <= 2.0 && account.epsilon > 1.97, "{}", account.epsilon);
        assert!(row.epsilon < 0.5 * account.epsilon, "{}", row.epsilon);
        assert_eq!((account.rows, row.rows), (4, 1));
        let alone = CentralGaussianSpec::examples()[0].build().unwrap().noise_multiplier();
        assert!(mechanism.noise_multiplier().get() > 1.5 * alone.get());
    }

    #[test]
    fn an_account_in_more_rows_than_can_be_accounted_is_refused() {
        let spec = CentralGaussianSpec {
            rows_per_account: NonZeroU32::new(5000),
            ..CentralGaussianSpec::examples()[0]
        };
        assert!(spec.build().unwrap_err().to_string().contains("no bounded contribution"));
    }

    #[test]
    fn the_exact_accountant_needs_less_noise_than_renyi_and_renyi_is_said_beside_it() {
        let spec = CentralGaussianSpec::examples()[0];
        let renyi = crate::calibrate_noise_multiplier(
            Epsilon::new(2.0).unwrap(),
            spec.delta,
            spec.sampling_rate,
            spec.steps,
        );
        let mechanism = spec.build().unwrap();
        assert!(mechanism.noise_multiplier().get() < 0.97 * renyi.unwrap().get());
        let claim = mechanism.claim(PrivacyUnit::Row, spec.steps).unwrap();
        assert!(claim.renyi.unwrap() > 1.03 * claim.epsilon);
        assert!(claim.to_string().contains("Renyi accounting would say 2."), "{claim}");
    }

    #[test]
    fn the_claim_names_what_stays_open() {
        let claim = CentralGaussianSpec::examples()[2].build().unwrap().claim(PrivacyUnit::Row, 10).unwrap();
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
