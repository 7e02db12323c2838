//! What an arm sent, as its rounds recorded it: between platforms, and inside those that hold devices.

use super::ArmResults;
use super::seats::{DEVICES, HISTOGRAMS};
use crate::config::AggregationSpec;
use crate::report::data::CostRow;

#[allow(clippy::cast_precision_loss)]
pub(super) fn cost(arm: &ArmResults<'_>) -> Option<CostRow> {
    if let Some(sent) = arm.trials.iter().flatten().find_map(|trial| trial.record.histograms) {
        return Some(CostRow {
            arm: arm.plan.id.clone(),
            scheme: HISTOGRAMS.to_owned(),
            parameters: 0,
            rounds: sent.sums,
            virtual_time: None,
            upload_bytes_per_platform_round: 8.0 * sent.words as f64 / sent.sums.max(1) as f64,
            bytes_per_parameter: 0.0,
            slots: None,
            width_bits: None,
            noise_headroom_bits: None,
        });
    }
    let scheme = match arm.plan.slice.aggregation.as_ref()? {
        AggregationSpec::Hidden(scheme) => scheme.build().name(),
        AggregationSpec::Visible(rule) => rule.rule().name(),
    };
    let trial = arm.trials.iter().flatten().next()?;
    let opened: Vec<_> = trial.rounds.iter().filter(|round| round.opened).collect();
    let uploads: u64 = opened.iter().map(|round| round.cohort.clients.len() as u64).sum();
    let bytes: u64 = opened.iter().map(|round| round.wire.upload_bytes).sum();
    let each = if uploads == 0 { 0.0 } else { bytes as f64 / uploads as f64 };
    let slots = trial.record.plan.as_ref().filter(|plan| plan.polynomials > 0);
    Some(CostRow {
        arm: arm.plan.id.clone(),
        scheme: scheme.to_owned(),
        parameters: trial.record.parameters,
        rounds: trial.rounds.len() as u64,
        virtual_time: Some(trial.rounds.iter().map(|round| round.cohort.duration).sum())
            .filter(|time: &f64| *time > 0.0),
        upload_bytes_per_platform_round: each,
        bytes_per_parameter: each / trial.record.parameters.max(1) as f64,
        slots: slots.map(|plan| u64::from(plan.slots)),
        width_bits: slots.map(|plan| plan.width_bits),
        noise_headroom_bits: slots.map(|plan| f64::from(plan.delta_log2) - 1.0 - plan.noise_bound_log2),
    })
}

/// What devices sent to their platforms, where platforms hold federations of their own.
#[allow(clippy::cast_precision_loss)]
pub(super) fn inside(arm: &ArmResults<'_>) -> Option<CostRow> {
    let trial = arm.trials.iter().flatten().next()?;
    let within: Vec<_> = trial.rounds.iter().flat_map(|round| &round.inside).collect();
    let (platforms, bytes) =
        (within.len() as f64, within.iter().map(|inside| inside.upload_bytes).sum::<u64>());
    let devices = within.iter().map(|inside| u64::from(inside.answered)).sum::<u64>();
    (devices > 0).then(|| CostRow {
        arm: arm.plan.id.clone(),
        scheme: format!("{DEVICES} ({:.0} of them a platform and round)", devices as f64 / platforms),
        parameters: trial.record.parameters,
        rounds: trial.rounds.len() as u64,
        virtual_time: None,
        upload_bytes_per_platform_round: bytes as f64 / platforms,
        bytes_per_parameter: bytes as f64 / devices as f64 / trial.record.parameters.max(1) as f64,
        slots: None,
        width_bits: None,
        noise_headroom_bits: None,
    })
}
