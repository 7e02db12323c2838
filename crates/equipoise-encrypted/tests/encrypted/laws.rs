//! The laws of the secure sum hold for every scheme that an experiment can name, and reject wrong ones.

use equipoise_core::Seed;
use equipoise_encrypted::{SchemeSpec, SharedKeyGlwe};
use equipoise_federated::laws::check_secure_sum;
use equipoise_federated::{
    DynSecureSum, IntSum, LeakageProfile, PlanError, SlotPlan, Stopwatch, SumError, SumSession, VectorSpec,
    WireCost,
};
use equipoise_privacy::OutgoingUpdate;

#[test]
fn every_scheme_keeps_the_laws_of_a_secure_sum() {
    for spec in SchemeSpec::examples() {
        check_secure_sum(spec.build().as_ref(), Seed::root(1)).unwrap();
    }
}

#[test]
fn the_scheme_on_the_products_of_tfhe_keeps_the_same_laws() {
    check_secure_sum(&SharedKeyGlwe::with_stock_products(), Seed::root(2)).unwrap();
}

/// Encrypts correctly and then spoils what was opened.
struct Spoiled(SharedKeyGlwe, fn(&mut IntSum));
struct SpoiledSession<'a>(Box<dyn SumSession + 'a>, fn(&mut IntSum));

impl DynSecureSum for Spoiled {
    fn name(&self) -> &'static str {
        "spoiled"
    }
    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        DynSecureSum::plan(&self.0, spec)
    }
    fn session(&self, spec: &VectorSpec) -> Result<Box<dyn SumSession + '_>, SumError> {
        Ok(Box::new(SpoiledSession(self.0.session(spec)?, self.1)))
    }
    fn leakage(&self) -> LeakageProfile {
        DynSecureSum::leakage(&self.0)
    }
}

impl SumSession for SpoiledSession<'_> {
    fn sum(
        &mut self,
        round: u32,
        updates: &[OutgoingUpdate],
        stopwatch: &dyn Stopwatch,
    ) -> Result<(IntSum, WireCost), SumError> {
        let (mut sum, cost) = self.0.sum(round, updates, stopwatch)?;
        (self.1)(&mut sum);
        Ok((sum, cost))
    }
    fn plan(&self) -> &SlotPlan {
        self.0.plan()
    }
    fn leakage(&self) -> LeakageProfile {
        self.0.leakage()
    }
}

#[test]
fn a_sum_that_is_off_by_one_in_its_last_slot_breaks_the_laws() {
    let wrong = Spoiled(SharedKeyGlwe::default(), |sum| *sum.values.last_mut().unwrap() += 1);
    assert!(check_secure_sum(&wrong, Seed::root(3)).unwrap_err().contains("integer sum"));
}

#[test]
fn a_sum_that_forgets_weights_breaks_the_laws() {
    let wrong = Spoiled(SharedKeyGlwe::default(), |sum| sum.weight = u64::from(sum.clients));
    assert!(check_secure_sum(&wrong, Seed::root(4)).unwrap_err().contains("weights"));
}

#[test]
fn names_in_files_are_the_names_of_the_schemes_and_unknown_keys_are_errors() {
    for spec in SchemeSpec::examples() {
        let text = toml::to_string(&spec).unwrap();
        assert!(text.contains(&format!("[{}]", spec.build().name())), "{text}");
        assert_eq!(toml::from_str::<SchemeSpec>(&text).unwrap(), spec);
        assert!(spec.describe().contains(spec.build().name()));
    }
    assert!(toml::from_str::<SchemeSpec>("shared-key-glwe = { key-bits = 3 }").is_err());
    assert!(toml::from_str::<SchemeSpec>("shared-key-rsa = {}").is_err());
}

#[test]
fn the_leakage_profile_says_who_reads_single_updates() {
    let profile = SchemeSpec::SharedKeyGlwe {}.build().leakage();
    assert!(!profile.server_reads_single_updates());
    let reads: Vec<&str> = profile
        .seats
        .iter()
        .filter(|seat| seat.reads_single_updates)
        .map(|seat| seat.seat.as_str())
        .collect();
    assert!(reads.contains(&"server with one platform"), "{reads:?}");
    assert!(profile.headline.contains("any one platform reads every update"));
}
