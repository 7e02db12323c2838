//! The page of measured times. It is drawn from `timings.json` and, like it, stands outside the run's hash.

use crate::clock::Measured;
use crate::fault::{Fault, runtime};
use crate::plan::Plan;
use crate::report::data::ReportData;
use crate::report::{TimingRow, Timings, render_timings};
use equipoise_store::{read_json, write_atomic};
use std::path::Path;

/// Draws `timings.html`.
///
/// # Errors
/// If the disk does not take it.
pub fn write(dir: &Path, data: &ReportData, plan: &Plan) -> Result<(), Fault> {
    let measured: Measured = read_json(&dir.join("timings.json")).map_err(runtime)?;
    let mut rows = Vec::new();
    for arm in &plan.arms {
        #[allow(clippy::cast_precision_loss)]
        let rounds =
            data.costs.iter().find(|cost| cost.arm == arm.id).map_or(1.0, |cost| cost.rounds.max(1) as f64);
        // What a fusion does, it does for each account that it opens.
        let fused = data.fusions.iter().find(|row| row.arm == arm.id);
        let times = fused.map_or(rounds, |row| (row.accounts * row.sessions).max(1.0));
        let units: Vec<_> = measured.seats.iter().filter(|(unit, _)| arm.trials.contains(unit)).collect();
        let mut seats = std::collections::BTreeMap::new();
        for (seat, seconds) in units.iter().flat_map(|(_, seats)| seats.iter()) {
            *seats.entry(*seat).or_insert(0.0) += seconds;
        }
        for (seat, seconds) in seats {
            #[allow(clippy::cast_precision_loss)]
            let each = 1e3 * seconds / (times * units.len().max(1) as f64);
            rows.push(TimingRow {
                arm: arm.id.clone(),
                seat: format!("{seat:?}"),
                milliseconds_per_round: each,
            });
        }
    }
    let stages: Vec<(String, f64)> =
        measured.stages.iter().map(|(stage, seconds)| (stage.name().to_owned(), *seconds)).collect();
    let total_seconds = measured.stages.values().sum();
    let page = render_timings(&Timings { rows, stages, total_seconds });
    write_atomic(&dir.join("timings.html"), page.as_bytes()).map_err(runtime)
}
