//! Noised aggregation: sums over contacts are noised once, before training, and rows hold nothing else of other accounts (GAP,
//! Sajadmanesh et al., USENIX Security 2023; training on them is DP-SGD, Abadi et al. 2016).
//!
//! This is what earns the unit `account-private-graph`: nulling an account moves the sums of all other rows together by at most
//! [`crate::SumBound::sensitivity`], which the noise covers, and nulls its own row, which DP-SGD covers for one row. What other rows are
//! trained on is post-processing of the noised sums. The same sums and the rows of its two ends cover a `pair`. Everything is composed by
//! the Renyi accountant; the split of epsilon between sums and steps is a choice of the file.
//!
//! Valid only if rows hold their own account's data and the noised sums and nothing else (`schema = own`), and under the empty-place
//! convention of `SumBound`. What it does not promise: labels that an account's reports gave to others, and how many accounts there are.

use super::central_gaussian::{NOT_PROTECTED, also_open};
use super::{CentralGaussian, CentralGaussianSpec, Mechanism, MechanismError, NoiseLevel};
use crate::accountant::calibrate_beside;
use crate::{
    Adversary, DpEvent, NoiseError, NoiseSource, NoisedSums, PrivacyClaim, PrivacyUnit, RdpAccountant,
    Relation, SumBound, gaussian_noise_multiplier,
};
use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction, NoiseMultiplier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

/// The parameters of [`AggregatedGaussian`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AggregatedGaussianSpec {
    /// The L2 bound of one row's gradient, kept by the trainer.
    pub clip_norm: ClipNorm,
    /// Probability that a row takes part in a step.
    pub sampling_rate: Fraction,
    /// What the sums and all planned steps together cost at most.
    pub epsilon: Epsilon,
    /// The delta of the claim.
    pub delta: Delta,
    /// Planned steps.
    pub steps: u32,
    /// Part of epsilon that all releases of sums would cost alone, above 0 and below 1.
    pub share: Fraction,
    /// How often sums over contacts are released: once to train, and once more for each time that accounts are scored on noised ones.
    pub releases: NonZeroU32,
    /// Rows that an account adds to at most.
    pub rows_per_account: NonZeroU32,
    /// Largest L2 norm of what an account adds to one row.
    pub contact_clip: ClipNorm,
}

impl AggregatedGaussianSpec {
    /// Builds the mechanism: the noise of the sums from their share of epsilon, that of the steps from what the two cost together.
    ///
    /// # Errors
    /// If the share leaves nothing for one of the two, or no noise reaches epsilon.
    pub fn build(&self) -> Result<AggregatedGaussian, MechanismError> {
        if !self.epsilon.is_finite() || self.share.get() <= 0.0 || self.share.get() >= 1.0 {
            return Err(MechanismError::Share(self.share.get()));
        }
        let alone = Epsilon::new(self.share.get() * self.epsilon.get())
            .map_err(|_| MechanismError::Share(self.share.get()))?;
        let each = gaussian_noise_multiplier(alone, self.delta).get() * f64::from(self.releases.get()).sqrt();
        let each = NoiseMultiplier::new(each).map_err(|_| MechanismError::Share(self.share.get()))?;
        let sums = NoisedSums {
            rows_per_account: self.rows_per_account.get(),
            clip: self.contact_clip,
            noise_multiplier: each,
            releases: self.releases.get(),
        };
        let before = sums.event(1.0);
        let steps = self.steps_beside(each, &before)?;
        let steps = CentralGaussianSpec {
            clip_norm: self.clip_norm,
            sampling_rate: self.sampling_rate,
            noise: NoiseLevel::NoiseMultiplier(steps),
            delta: self.delta,
            steps: self.steps,
            rows_per_account: None,
        };
        Ok(AggregatedGaussian {
            sums,
            steps: steps.build()?,
            sampling_rate: self.sampling_rate,
            delta: self.delta,
        })
    }

    /// The noise of the steps, found once in the life of a process: every arm, candidate and world asks the same.
    fn steps_beside(
        &self,
        each: NoiseMultiplier,
        before: &DpEvent,
    ) -> Result<NoiseMultiplier, MechanismError> {
        type Asked = (u64, u32, u64, u32, u64, u64);
        static FOUND: Mutex<BTreeMap<Asked, NoiseMultiplier>> = Mutex::new(BTreeMap::new());
        let [each, rate, delta, epsilon] =
            [each.get(), self.sampling_rate.get(), self.delta.get(), self.epsilon.get()].map(f64::to_bits);
        let asked = (each, self.releases.get(), rate, self.steps, delta, epsilon);
        let found = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(noise) = found().get(&asked).copied() {
            return Ok(noise);
        }
        let noise = calibrate_beside(self.epsilon, self.delta, before, self.sampling_rate, self.steps)?;
        found().insert(asked, noise);
        Ok(noise)
    }

    /// Sums for training alone, and for scoring as well.
    ///
    /// # Panics
    /// Never: the numbers are in range.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let once = Self {
            clip_norm: ClipNorm::new(1.0).expect("in range"),
            sampling_rate: Fraction::new(0.05).expect("in range"),
            epsilon: Epsilon::new(4.0).expect("in range"),
            delta: Delta::new(1e-5).expect("in range"),
            steps: 100,
            share: Fraction::new(0.6).expect("in range"),
            releases: NonZeroU32::MIN,
            rows_per_account: NonZeroU32::new(8).expect("in range"),
            contact_clip: ClipNorm::new(1.0).expect("in range"),
        };
        vec![once, Self { releases: NonZeroU32::new(11).expect("in range"), ..once }]
    }
}

impl NoisedSums {
    /// All releases of the sums, in the accountant's words, for a unit that moves them by `times` less than an account may.
    fn event(&self, times: f64) -> DpEvent {
        let noise_multiplier = self.noise_multiplier.get() * times;
        DpEvent::PoissonGaussian { sampling_rate: 1.0, noise_multiplier }.repeated(self.releases)
    }
}

/// Noised sums over contacts once, and noised clipped steps on rows that hold nothing else of contacts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AggregatedGaussian {
    sums: NoisedSums,
    steps: CentralGaussian,
    sampling_rate: Fraction,
    delta: Delta,
}

impl AggregatedGaussian {
    /// How the sums are noised.
    #[must_use]
    pub const fn sums(&self) -> NoisedSums {
        self.sums
    }

    /// The deviation of a step's noise over one row's bound.
    #[must_use]
    pub const fn noise_multiplier(&self) -> NoiseMultiplier {
        self.steps.noise_multiplier()
    }

    /// Noises the sums of one release. `bound` is what they were made under.
    ///
    /// # Errors
    /// If protected noise was asked for and the operating system gives no entropy.
    ///
    /// # Panics
    /// If `bound` is not the one that is accounted: noise for another bound would be charged as if it were for this one.
    pub fn noise_sums(
        &self,
        sums: &mut [f64],
        bound: &SumBound,
        source: NoiseSource,
    ) -> Result<(), NoiseError> {
        let same = bound.rows_per_account.get() == self.sums.rows_per_account && bound.clip == self.sums.clip;
        assert!(same, "sums were bounded otherwise than is accounted");
        source.add_gaussian(sums, self.sums.noise_multiplier.get() * bound.sensitivity().value.get())
    }

    /// What the sums and `steps` steps cost a unit that reaches `rows` rows and moves the sums `times` less than an account.
    fn account(&self, steps: u32, rows: NonZeroU32, times: f64) -> f64 {
        let (sampling_rate, noise_multiplier) = (self.sampling_rate.get(), self.noise_multiplier().get());
        let step = if rows.get() == 1 {
            self.steps.event()
        } else {
            DpEvent::PoissonGaussianRows { sampling_rate, noise_multiplier, rows }
        };
        let mut accountant = RdpAccountant::new();
        accountant.compose(&self.sums.event(times), 1);
        accountant.compose(&step, steps);
        accountant.epsilon(self.delta).epsilon
    }
}

const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

impl Mechanism for AggregatedGaussian {
    fn name(&self) -> &'static str {
        "aggregated-gaussian"
    }

    fn event(&self) -> DpEvent {
        self.steps.event()
    }

    fn before_steps(&self) -> Option<DpEvent> {
        Some(self.sums.event(1.0))
    }

    fn on_server_with(
        &self,
        sum: &mut [f64],
        dim_sensitivity: f64,
        source: NoiseSource,
    ) -> Result<(), NoiseError> {
        self.steps.on_server_with(sum, dim_sensitivity, source)
    }

    fn claim(&self, unit: PrivacyUnit, steps: u32) -> Option<PrivacyClaim> {
        let (rows, times) = match unit {
            PrivacyUnit::Row => return self.steps.claim(unit, steps),
            // What is public in one of the two is private in the other, and nulling does the same to both.
            PrivacyUnit::AccountPrivateGraph | PrivacyUnit::AccountFixedGraph => (NonZeroU32::MIN, 1.0),
            // Two entries instead of one for each of an account's rows, and the rows of both ends.
            PrivacyUnit::Pair => (TWO, (f64::from(self.sums.rows_per_account) / 2.0).sqrt()),
            _ => return None,
        };
        let claim = self.steps.claim(PrivacyUnit::Row, steps)?;
        let mut not_protected = vec![also_open(unit)];
        let scored = self.sums.releases > 1;
        not_protected.extend(NOT_PROTECTED.into_iter().filter_map(|open| match open {
            "the contact graph" => (unit == PrivacyUnit::AccountFixedGraph).then_some(open),
            "what scores reveal at inference, contacts' live features included" if scored => {
                Some("what an account's own score reveals of it")
            }
            _ => Some(open),
        }));
        not_protected.push("how many accounts there are, which divides every sum");
        not_protected.push(
            "who would have had the place that an account leaves in a full list of contacts (it stays empty)",
        );
        Some(PrivacyClaim {
            unit,
            relation: Relation::ZeroOut,
            epsilon: self.account(steps, rows, times),
            renyi: None,
            adversary: Adversary::ReleasedModel,
            not_protected: not_protected.into_iter().map(String::from).collect(),
            rows: rows.get(),
            sums: Some(self.sums),
            accountant: "Renyi accounting of the noised sums and the subsampled Gaussian together, noise idealised as real-valued and \
                         secret"
                .into(),
            ..claim
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gaussian_epsilon, zcdp_epsilon};
    use equipoise_core::Seed;

    fn by_hand(sums: f64, releases: u32, steps: f64) -> AggregatedGaussian {
        let one = ClipNorm::new(1.0).unwrap();
        let delta = Delta::new(1e-5).unwrap();
        let all = Fraction::new(1.0).unwrap();
        let noise = |multiplier| NoiseMultiplier::new(multiplier).unwrap();
        let spec = CentralGaussianSpec {
            clip_norm: one,
            sampling_rate: all,
            noise: NoiseLevel::NoiseMultiplier(noise(steps)),
            delta,
            steps: 4,
            rows_per_account: None,
        };
        let sums = NoisedSums { rows_per_account: 8, clip: one, noise_multiplier: noise(sums), releases };
        AggregatedGaussian { sums, steps: spec.build().unwrap(), sampling_rate: all, delta }
    }

    /// With everybody in every step all of it is Gaussian, and squares of signal over noise add up.
    #[test]
    fn sums_and_full_batch_steps_cost_what_a_hand_adds_up() {
        let mechanism = by_hand(2.0, 1, 4.0);
        let of = |unit| mechanism.claim(unit, 4).unwrap().epsilon;
        let rho = |squares: f64| zcdp_epsilon(squares / 2.0, 1e-5).epsilon;
        // An account: 1/2^2 + 4 steps of 1/4^2.
        let account = of(PrivacyUnit::AccountPrivateGraph);
        assert!((account - rho(0.25 + 0.25)).abs() < 1e-9, "{account}");
        // The Gaussian itself, at a noise of 1/sqrt(1/2), is a little below what Renyi makes of it.
        let exact =
            gaussian_epsilon(NoiseMultiplier::new(2.0_f64.sqrt()).unwrap(), Delta::new(1e-5).unwrap());
        assert!(account > exact && account < 1.1 * exact, "{account} {exact}");
        // A pair: two entries where eight rows are covered (noise 2 * sqrt(8 / 2)), and two rows in every step.
        assert!((of(PrivacyUnit::Pair) - rho(1.0 / 16.0 + 4.0 * 4.0 / 16.0)).abs() < 1e-9);
        assert!((of(PrivacyUnit::AccountFixedGraph) - account).abs() < 1e-12);
        // Scoring on noised sums three times costs three more of them.
        let scored = by_hand(2.0, 4, 4.0).claim(PrivacyUnit::AccountPrivateGraph, 4).unwrap().epsilon;
        assert!((scored - rho(1.0 + 0.25)).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_charged_for_steps_that_did_not_happen_and_sums_are_charged_once() {
        let mechanism = by_hand(2.0, 1, 4.0);
        let none = mechanism.claim(PrivacyUnit::AccountPrivateGraph, 0).unwrap().epsilon;
        assert!((none - zcdp_epsilon(0.125, 1e-5).epsilon).abs() < 1e-9);
    }

    #[test]
    fn a_calibrated_mechanism_claims_its_target_and_its_sums_their_share() {
        for spec in AggregatedGaussianSpec::examples() {
            let mechanism = spec.build().unwrap();
            let claim = mechanism.claim(PrivacyUnit::AccountPrivateGraph, spec.steps).unwrap();
            assert!(claim.epsilon <= 4.0 && claim.epsilon > 3.99, "{}", claim.epsilon);
            let together = mechanism.sums.noise_multiplier.get() / f64::from(mechanism.sums.releases).sqrt();
            let alone = gaussian_epsilon(NoiseMultiplier::new(together).unwrap(), spec.delta);
            assert!((alone - 2.4).abs() < 1e-6, "{alone}");
            for unit in PrivacyUnit::ALL {
                let offered = !matches!(unit, PrivacyUnit::LinkedPerson | PrivacyUnit::AccountSenderOwned);
                assert_eq!(mechanism.claim(unit, 10).is_some(), offered, "{unit:?}");
            }
        }
    }

    #[test]
    fn the_claim_hides_the_graph_and_names_what_stays_open() {
        let [once, scored] = [0, 1].map(|at| AggregatedGaussianSpec::examples()[at].build().unwrap());
        let text = once.claim(PrivacyUnit::AccountPrivateGraph, 100).unwrap().to_string();
        for part in [
            "contact graph private",
            "noised sums",
            "at most 8 other rows",
            "full list",
            "reports gave",
            "at inference",
        ] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
        let not = text.split("Not protected: ").last().unwrap();
        assert!(!not.contains("the contact graph"), "{text}");
        let text = scored.claim(PrivacyUnit::Pair, 100).unwrap().to_string();
        assert!(text.contains("released 11 times") && !text.contains("at inference"), "{text}");
    }

    #[test]
    fn sums_get_noise_of_the_deviation_that_is_accounted() {
        let mechanism = by_hand(2.0, 1, 4.0);
        let bound = SumBound {
            clip: ClipNorm::new(1.0).unwrap(),
            rows_per_account: NonZeroU32::new(8).unwrap(),
            seed: Seed::root(1),
        };
        let mut sums = vec![3.0; 40_000];
        mechanism.noise_sums(&mut sums, &bound, NoiseSource::Replayable(Seed::root(5))).unwrap();
        let square = sums.iter().map(|v| (v - 3.0) * (v - 3.0)).sum::<f64>() / 40_000.0;
        // 2 * sqrt(8); the standard error of a deviation from 40,000 draws is 0.35 %.
        assert!((square.sqrt() / (2.0 * 8.0_f64.sqrt()) - 1.0).abs() < 0.02);
        let other = SumBound { rows_per_account: NonZeroU32::new(9).unwrap(), ..bound };
        let wrong = std::panic::catch_unwind(|| {
            mechanism.noise_sums(&mut [0.0], &other, NoiseSource::Replayable(Seed::root(5)))
        });
        assert!(wrong.is_err(), "noise for another bound was charged as if it were for this one");
    }

    #[test]
    fn a_share_that_leaves_nothing_is_refused() {
        for share in [0.0, 1.0] {
            let spec = AggregatedGaussianSpec {
                share: Fraction::new(share).unwrap(),
                ..AggregatedGaussianSpec::examples()[0]
            };
            assert!(spec.build().unwrap_err().to_string().contains("share"));
        }
        let free =
            AggregatedGaussianSpec { epsilon: Epsilon::INFINITE, ..AggregatedGaussianSpec::examples()[0] };
        assert!(free.build().is_err());
    }
}
