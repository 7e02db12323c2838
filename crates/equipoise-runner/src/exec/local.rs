//! A private federation whose platforms take clipped and noised steps by themselves and send where those led: federated averaging of
//! noised models. What is charged is every local step of every round; how updates are then weighed and summed costs nothing more.

use super::arms::{Parts, Setting, Trained, expect, rounds};
use super::charge::charged;
use crate::config::PrivacySection;
use crate::fault::{Fault, runtime};
use crate::noised_steps::NoisedSteps;
use crate::plan::ArmSlice;
use crate::sums;
use crate::training::ClientRows;
use equipoise_core::Params;
use equipoise_federated::Divisor;
use equipoise_privacy::{LocalGaussian, LocalGaussianSpec, MechanismSpec, NoNoiseSpec, PoissonSampler};
use std::num::NonZeroU32;

/// The mechanism, calibrated to the epsilon over all local steps.
pub(super) fn noise(privacy: &PrivacySection, local_steps: NonZeroU32) -> Result<LocalGaussian, Fault> {
    let step = super::arms::central(privacy);
    LocalGaussianSpec { step, local_steps }.build().map_err(runtime)
}

/// Turns the rounds from `start`; an update is `sent` numbers.
pub(super) fn federate(
    slice: &ArmSlice,
    privacy: &PrivacySection,
    local_steps: NonZeroU32,
    clients: &[ClientRows],
    (start, sent): (Params, usize),
    setting: &Setting<'_>,
) -> Result<Trained, Fault> {
    let (model, section) =
        (expect(slice.model.as_ref(), "model")?, expect(slice.federation.as_ref(), "federation")?);
    let (own, levels) = (noise(privacy, local_steps)?, section.weight_levels);
    let sampler = PoissonSampler::new(privacy.sampling_rate);
    let trainers =
        NoisedSteps::new(model, clients, privacy.clip_norm, sampler, own, setting.learning_rate, levels);
    // The round loop adds nothing: noise that it added to a mean of updates would have no bound to be measured by.
    let silent = MechanismSpec::NoNoise(NoNoiseSpec {}).build().map_err(runtime)?;
    let count = u32::try_from(clients.len()).unwrap_or(u32::MAX);
    let parts = Parts {
        trainers: &trainers,
        spec: sums::averaged(sent, count, levels, section.quantizer),
        mechanism: silent.as_ref(),
        divisor: Divisor::Weights,
        quantizer: section.quantizer,
    };
    let mut trained = rounds(slice, start, &parts, setting)?;
    let history = trained.federation.as_ref().map_or(&[][..], |state| &state.history);
    trained.claim = charged(&own, privacy.promised(), privacy.rounds, history);
    Ok(trained)
}
