//! What arms with a guarantee told about their tested accounts, beside the oracle's numbers for the same counts.

use super::ArmResults;
use crate::exec::ReleasedRecall;
use crate::report::data::{LedgerRow, ReleasedRow};
use equipoise_eval::stats::summarise;

fn all<'a>(arm: &'a ArmResults<'_>) -> Vec<&'a ReleasedRecall> {
    arm.trials.iter().flatten().filter_map(|trial| trial.record.released.as_ref()).collect()
}

/// The row of an arm.
pub(super) fn row(arm: &ArmResults<'_>) -> Option<ReleasedRow> {
    let told = all(arm);
    let first = told.first()?;
    let shares: Vec<f64> = told.iter().filter_map(|told| told.share()).collect();
    let oracle: Vec<f64> = told.iter().filter_map(|told| told.oracle).collect();
    let estimate = |values: &[f64]| super::arm::plain_estimate(summarise(values, super::arm::LEVEL), values);
    Some(ReleasedRow {
        arm: arm.plan.label.clone(),
        epsilon: first.epsilon,
        delta: first.delta,
        scope: ReleasedRecall::SCOPE.to_string(),
        deviation: first.deviation,
        told: estimate(&shares),
        untold: told.len() - shares.len(),
        oracle: estimate(&oracle),
    })
}

/// What it cost, beside the model.
pub(super) fn ledger(arm: &ArmResults<'_>) -> Option<LedgerRow> {
    let first = *all(arm).first()?;
    Some(LedgerRow {
        release: format!("noised counts of tested accounts of `{}`", arm.plan.id),
        epsilon: Some(first.epsilon),
        delta: Some(first.delta),
        unit: ReleasedRecall::SCOPE.unit.name().to_owned(),
    })
}
