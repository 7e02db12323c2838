//! The mechanism of a federated arm: calibrated for its run, planned for people who look before, and as far as its seal holds.

use crate::config::AggregationSpec;
use crate::fault::{Fault, runtime};
use equipoise_privacy::{
    Adversary, CentralGaussianSpec, DpEvent, Mechanism, MechanismSpec, NoiseLevel, PrivacyClaim,
};

/// Shares of noise hide a sum from the aggregator; an update that it reads by itself has its own share alone, so that under a sum in the
/// clear the promise holds for recipients of the model and for nobody closer.
pub(super) fn as_far_as_sealed(
    mut claim: PrivacyClaim,
    aggregation: Option<&AggregationSpec>,
) -> PrivacyClaim {
    let reads =
        |scheme: &equipoise_encrypted::SchemeSpec| scheme.build().leakage().server_reads_single_updates();
    let clear = matches!(aggregation, Some(AggregationSpec::Hidden(scheme)) if reads(scheme));
    if claim.integer.is_some() && clear {
        claim.adversary = Adversary::ReleasedModel;
        claim.not_protected[0] =
            "the aggregator's view: it reads every update, with that platform's own share alone".into();
    }
    claim
}

/// What a section's mechanism does in a step, and before the first one, where accounts are scored on so many decisions. For people who
/// look at a plan; noise that platforms add depends on the model and is not known here.
///
/// # Errors
/// If no noise gives the epsilon.
pub(crate) fn planned_event(
    privacy: &crate::config::PrivacySection,
    decisions: usize,
) -> Result<DpEvent, Fault> {
    if let Some(steps) = privacy.local_steps() {
        return Ok(crate::exec::local::noise(privacy, steps)?.event());
    }
    match crate::exec::contacts::mechanism(privacy, decisions)? {
        Some(sums) => Ok(DpEvent::Compose(sums.before_steps().into_iter().chain([sums.event()]).collect())),
        None => Ok(mechanism(privacy)?.event()),
    }
}

/// The mechanism of a privacy section whose noise comes to the opened sum, calibrated to the epsilon.
///
/// # Errors
/// If no noise gives that epsilon, or platforms add it, which depends on how many there are.
pub(crate) fn mechanism(privacy: &crate::config::PrivacySection) -> Result<Box<dyn Mechanism>, Fault> {
    if privacy.noise.is_some_and(|noise| noise.on_platforms().is_some() || noise.in_local_steps().is_some()) {
        let why =
            "noise: only runs know noise that platforms add; take the key away or say `central-gaussian`";
        return Err(Fault::Config(why.into()));
    }
    if privacy.sums_over_contacts() {
        let why = "unit: only runs know noised sums over contacts; use `row` or `account-fixed-graph`";
        return Err(Fault::Config(why.into()));
    }
    MechanismSpec::CentralGaussian(central(privacy)).build().map_err(runtime)
}

/// One clipped step a round, noised for the section's epsilon over all rounds.
pub(in crate::exec) fn central(privacy: &crate::config::PrivacySection) -> CentralGaussianSpec {
    CentralGaussianSpec {
        clip_norm: privacy.clip_norm,
        sampling_rate: privacy.sampling_rate,
        noise: NoiseLevel::Epsilon(privacy.epsilon),
        delta: privacy.delta,
        steps: privacy.rounds,
        rows_per_account: privacy.rows_per_account(),
    }
}
