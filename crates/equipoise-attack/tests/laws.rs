//! The laws over every registered attack, and over wrong ones that they must reject.

use equipoise_attack::{Infer, InferSpec, Poison, PoisonSpec, ReleasedModelView, RowPoisonSpec, laws};
use equipoise_core::Seed;
use equipoise_privacy::{OutgoingUpdate, Quantizer};

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

#[test]
fn every_row_poison_keeps_its_laws_and_a_wrong_one_does_not() {
    for spec in RowPoisonSpec::examples() {
        let (column, share) = match spec {
            RowPoisonSpec::None {} => (None, 0.0),
            RowPoisonSpec::LabelFlip { share } => (None, share.get()),
            RowPoisonSpec::Backdoor { share, column, .. } => (Some(column), share.get()),
        };
        let apply =
            |rows: &mut [f32], width: usize, labels: &mut [bool], seed| spec.apply(rows, width, labels, seed);
        laws::check_row_poison(&apply, column, share, Seed::root(3)).unwrap();
    }
    let everywhere = |rows: &mut [f32], _: usize, _: &mut [bool], _: Seed| rows.fill(1.0);
    assert!(
        laws::check_row_poison(&everywhere, Some(0), 1.0, Seed::root(3))
            .unwrap_err()
            .contains("not reserved")
    );
    let all = |_: &mut [f32], _: usize, labels: &mut [bool], _: Seed| labels.fill(true);
    assert!(laws::check_row_poison(&all, None, 0.25, Seed::root(3)).unwrap_err().contains("more rows"));
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
    fn tamper(&self, honest: OutgoingUpdate, _: &Quantizer, _: Seed) -> OutgoingUpdate {
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
