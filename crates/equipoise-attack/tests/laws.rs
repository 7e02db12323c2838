//! The laws over every registered attack, and over wrong ones that they must reject.

use equipoise_attack::{Infer, InferSpec, Poison, PoisonSpec, ReleasedModelView, laws};
use equipoise_core::Seed;
use equipoise_privacy::OutgoingUpdate;

#[test]
fn every_attack_keeps_its_laws() {
    for spec in InferSpec::examples() {
        laws::check_infer(spec.attack(), Seed::root(7)).unwrap();
    }
    for spec in PoisonSpec::examples() {
        for seed in 0..16 {
            laws::check_poison(spec.attack(), Seed::root(seed)).unwrap();
        }
    }
}

/// Wrong: calls rows members that fit badly.
struct Backwards;
impl Infer for Backwards {
    fn name(&self) -> &'static str {
        "backwards"
    }
    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        seen.losses.iter().map(|loss| f64::from(loss.min(1e6))).collect()
    }
}

/// Wrong: the later candidate is the likelier member.
struct ByPlace;
impl Infer for ByPlace {
    fn name(&self) -> &'static str {
        "by-place"
    }
    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        seen.losses
            .iter()
            .enumerate()
            .map(|(at, loss)| f64::from(at as u32) * 1e-3 - f64::from(loss.min(1e6)))
            .collect()
    }
}

/// Wrong: sends values that the server's range check would throw away.
struct Shouting;
impl Poison for Shouting {
    fn name(&self) -> &'static str {
        "shouting"
    }
    fn tamper(&self, honest: OutgoingUpdate, _: Seed) -> OutgoingUpdate {
        let loud = honest.values().iter().map(|value| value.saturating_mul(1 << 20)).collect();
        honest.tampered(loud)
    }
}

#[test]
fn wrong_attacks_are_rejected() {
    assert!(laws::check_infer(&Backwards, Seed::root(7)).unwrap_err().contains("misses members"));
    assert!(laws::check_infer(&ByPlace, Seed::root(7)).unwrap_err().contains("order of candidates"));
    assert!(laws::check_poison(&Shouting, Seed::root(1)).unwrap_err().contains("no honest client"));
}

#[test]
fn a_file_names_attacks_by_word() {
    let spec: std::collections::BTreeMap<String, PoisonSpec> =
        toml::from_str("poison.sign-flip = {}").unwrap();
    assert_eq!(spec["poison"], PoisonSpec::examples()[1]);
    assert!(
        toml::from_str::<std::collections::BTreeMap<String, PoisonSpec>>(
            "poison.sign-flip = { strength = 2 }"
        )
        .is_err()
    );
}
