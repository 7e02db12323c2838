//! What calibration did: the metrics that a map may change, before and after, over worlds.

use super::ArmResults;
use super::arm::estimate;
use crate::exec::CALIBRATION_METRICS;
use crate::report::data::CalibrationRow;
use equipoise_eval::{Case, MetricSpec};

pub(super) fn rows(arm: &ArmResults<'_>) -> Vec<CalibrationRow> {
    let trials: Vec<_> = arm.trials.iter().flatten().collect();
    let records: Vec<_> = trials.iter().filter_map(|trial| trial.record.calibration.as_ref()).collect();
    if records.is_empty() {
        return vec![];
    }
    let worlds: Vec<&[Case]> = trials.iter().map(|trial| trial.cases.as_slice()).collect();
    let maps: Vec<String> = records.iter().map(|record| record.describe()).collect();
    let sum = |of: fn(&(u64, u64)) -> u64| records.iter().map(|record| of(&record.held_out)).sum();
    CALIBRATION_METRICS
        .map(MetricSpec::build)
        .iter()
        .map(|metric| {
            let values = |of: fn(&crate::exec::CalibrationRecord) -> &Values| -> Vec<Option<f64>> {
                records.iter().map(|record| of(record).get(metric.name()).copied().flatten()).collect()
            };
            CalibrationRow {
                arm: arm.plan.id.clone(),
                map: maps.join("; "),
                held_out: (sum(|held| held.0), sum(|held| held.1)),
                metric: metric.name().to_owned(),
                before: estimate(metric.as_ref(), &worlds, &values(|record| &record.before)),
                after: estimate(metric.as_ref(), &worlds, &values(|record| &record.after)),
            }
        })
        .collect()
}

type Values = std::collections::BTreeMap<String, Option<f64>>;
