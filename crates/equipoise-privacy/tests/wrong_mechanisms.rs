//! Deliberately wrong mechanisms: the law tests must reject each of them, and say why.
#![allow(clippy::unwrap_used)]

use equipoise_core::{Delta, Fraction, NoiseMultiplier, Seed};
use equipoise_privacy::{
    Adversary, DistributedNoise, DistributedNoiseSpec, DpEvent, Mechanism, NoiseError, NoiseSource,
    PrivacyClaim, PrivacyUnit, Relation, laws::check_mechanism_laws,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    HalfTheNoise,
    ForgetsSensitivity,
    SameNoiseEveryRound,
    FreshNoiseWhenRedone,
    OneDrawForAllCoordinates,
    Biased,
    DependsOnTheSum,
    ClaimsTooMuch,
    ClaimsWithoutNoise,
}

/// Noise multiplier 2 by its event; what it does depends on its fault.
#[derive(Debug)]
struct Faulty(Fault);

impl Mechanism for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }
    fn event(&self) -> DpEvent {
        if self.0 == Fault::ClaimsWithoutNoise {
            return DpEvent::None;
        }
        DpEvent::PoissonGaussian { sampling_rate: 0.1, noise_multiplier: 2.0 }
    }
    fn on_server_with(
        &self,
        sum: &mut [f64],
        sensitivity: f64,
        source: NoiseSource,
    ) -> Result<(), NoiseError> {
        let std = 2.0 * sensitivity;
        match self.0 {
            Fault::ClaimsWithoutNoise => Ok(()),
            Fault::HalfTheNoise => source.add_gaussian(sum, 0.5 * std),
            Fault::ForgetsSensitivity => source.add_gaussian(sum, 2.0 * 2.5),
            Fault::SameNoiseEveryRound => NoiseSource::Replayable(Seed::root(0)).add_gaussian(sum, std),
            Fault::FreshNoiseWhenRedone => NoiseSource::Protected.add_gaussian(sum, std),
            Fault::OneDrawForAllCoordinates => {
                let mut one = [0.0];
                source.add_gaussian(&mut one, std)?;
                sum.iter_mut().for_each(|value| *value += one[0]);
                Ok(())
            }
            Fault::Biased => {
                sum.iter_mut().for_each(|value| *value += 0.1 * sensitivity);
                source.add_gaussian(sum, std)
            }
            Fault::DependsOnTheSum => {
                let scale = 1.0 + 0.01 * sum[0];
                source.add_gaussian(sum, std * scale)
            }
            Fault::Nothing | Fault::ClaimsTooMuch => source.add_gaussian(sum, std),
        }
    }
    fn claim(&self, unit: PrivacyUnit, steps: u32) -> Option<PrivacyClaim> {
        let epsilon = if self.0 == Fault::ClaimsTooMuch { 1e-3 } else { 20.0 };
        Some(PrivacyClaim {
            unit,
            relation: Relation::ZeroOut,
            epsilon,
            delta: Delta::new(1e-5).unwrap(),
            adversary: Adversary::ReleasedModel,
            not_protected: vec!["everything else".into()],
            steps,
            local_steps: None,
            rounds: None,
            rows: 1,
            contribution: None,
            renyi: None,
            sampling_rate: Fraction::new(0.1).unwrap(),
            noise_multiplier: NoiseMultiplier::new(2.0).unwrap(),
            integer: None,
            sums: None,
            accountant: "none".into(),
        })
    }
}

#[test]
fn the_same_mechanism_without_a_fault_passes() {
    check_mechanism_laws(&Faulty(Fault::Nothing)).unwrap();
}

#[test]
fn every_fault_is_rejected_for_its_own_reason() {
    for (fault, reason) in [
        (Fault::HalfTheNoise, "variance"),
        (Fault::ForgetsSensitivity, "grow with the sensitivity"),
        (Fault::SameNoiseEveryRound, "two rounds drew the same"),
        (Fault::FreshNoiseWhenRedone, "second release"),
        (Fault::OneDrawForAllCoordinates, "of the noise over"),
        (Fault::Biased, "mean"),
        (Fault::DependsOnTheSum, "depends on the sum"),
        (Fault::ClaimsTooMuch, "far below"),
        (Fault::ClaimsWithoutNoise, "without noise claims"),
    ] {
        let error = check_mechanism_laws(&Faulty(fault)).expect_err("a wrong mechanism passed the laws");
        assert!(error.contains(reason), "{fault:?}: {error}");
    }
}

/// Integer noise on the platforms, done wrongly.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    OnTheServerToo,
    NoSharesAtAll,
    SharesOfASmallerSum,
    ClaimsLess,
    ClaimsAmplification,
}

#[derive(Debug)]
struct Distributed(Wrong, DistributedNoise, DistributedNoise);

impl Distributed {
    fn new(wrong: Wrong) -> Self {
        let spec = DistributedNoiseSpec::examples()[0];
        // One more platform is counted on than is certain: each share is too small.
        let smaller = DistributedNoiseSpec { tolerated: spec.tolerated - 1, ..spec };
        Self(wrong, spec.build().unwrap(), smaller.build().unwrap())
    }
}

impl Mechanism for Distributed {
    fn name(&self) -> &'static str {
        "distributed"
    }
    fn event(&self) -> DpEvent {
        self.1.event()
    }
    fn on_server_with(&self, sum: &mut [f64], _: f64, source: NoiseSource) -> Result<(), NoiseError> {
        if self.0 == Wrong::OnTheServerToo { source.add_gaussian(sum, 1.0) } else { Ok(()) }
    }
    fn on_platforms(&self) -> Option<&DistributedNoise> {
        match self.0 {
            Wrong::NoSharesAtAll => None,
            Wrong::SharesOfASmallerSum => Some(&self.2),
            _ => Some(&self.1),
        }
    }
    fn claim(&self, unit: PrivacyUnit, steps: u32) -> Option<PrivacyClaim> {
        let claim = Mechanism::claim(&self.1, unit, steps)?;
        Some(match self.0 {
            Wrong::ClaimsLess => PrivacyClaim { epsilon: 0.9 * claim.epsilon, ..claim },
            Wrong::ClaimsAmplification => {
                PrivacyClaim { sampling_rate: Fraction::new(0.1).unwrap(), ..claim }
            }
            _ => claim,
        })
    }
}

#[test]
fn every_way_to_add_shares_wrongly_is_rejected_for_its_own_reason() {
    check_mechanism_laws(&Distributed::new(Wrong::Nothing)).unwrap();
    for (wrong, reason) in [
        (Wrong::OnTheServerToo, "no noise at the server"),
        (Wrong::NoSharesAtAll, "they add none"),
        (Wrong::SharesOfASmallerSum, "other noise than is accounted"),
        (Wrong::ClaimsLess, "below what the event costs"),
        (Wrong::ClaimsAmplification, "amplifies"),
    ] {
        let error = check_mechanism_laws(&Distributed::new(wrong)).expect_err("a wrong mechanism passed");
        assert!(error.contains(reason), "{wrong:?}: {error}");
    }
}

/// A mechanism of ours whose claim leaves something out: what was released before the first step, or local steps.
#[derive(Debug)]
enum Forgets {
    Sums(equipoise_privacy::AggregatedGaussian),
    LocalSteps(equipoise_privacy::LocalGaussian),
}

impl Forgets {
    fn of(&self) -> &dyn Mechanism {
        match self {
            Self::Sums(sums) => sums,
            Self::LocalSteps(local) => local,
        }
    }
}

impl Mechanism for Forgets {
    fn name(&self) -> &'static str {
        self.of().name()
    }
    fn event(&self) -> DpEvent {
        self.of().event()
    }
    fn before_steps(&self) -> Option<DpEvent> {
        self.of().before_steps()
    }
    fn on_local_steps(&self) -> Option<&equipoise_privacy::LocalGaussian> {
        self.of().on_local_steps()
    }
    fn on_server_with(
        &self,
        sum: &mut [f64],
        sensitivity: f64,
        source: NoiseSource,
    ) -> Result<(), NoiseError> {
        self.of().on_server_with(sum, sensitivity, source)
    }
    fn claim(&self, unit: PrivacyUnit, steps: u32) -> Option<PrivacyClaim> {
        let claim = self.of().claim(unit, steps)?;
        Some(match self {
            Self::Sums(sums) => {
                PrivacyClaim { epsilon: sums.claim(PrivacyUnit::Row, steps)?.epsilon, ..claim }
            }
            Self::LocalSteps(_) => PrivacyClaim { steps, ..claim },
        })
    }
}

#[test]
fn a_claim_that_forgets_the_sums_or_the_local_steps_is_rejected_for_its_own_reason() {
    let sums = equipoise_privacy::AggregatedGaussianSpec::examples()[0].build().unwrap();
    let local = equipoise_privacy::LocalGaussianSpec::examples()[2].build().unwrap();
    for (wrong, why) in [
        (Forgets::Sums(sums), "leaves out what is released before the first step"),
        (Forgets::LocalSteps(local), "counts other steps than are taken"),
    ] {
        let error = check_mechanism_laws(&wrong).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
