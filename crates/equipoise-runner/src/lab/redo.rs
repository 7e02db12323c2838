//! A plan computed from nothing in a directory of its own: what `reproduce`, `benchmark` and `stability` stand on.

use crate::exec::{Context, execute_all};
use crate::fault::{Fault, runtime};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::{gather, provenance, rundir};
use serde_json::Value;
use std::path::Path;

/// Runs the plan below `runs` and gives its `metrics.json`. What is finished there already is not computed again.
///
/// # Errors
/// If a unit fails.
pub(super) fn redo(plan: &Plan, runs: &Path, quiet: bool) -> Result<Value, Fault> {
    let start = crate::clock::now();
    let progress = Progress::new(quiet);
    let context = Context::new(plan, runs, &progress);
    rundir::open(&context.run, plan)?;
    let failures = execute_all(&context);
    if let Some(first) = failures.first() {
        let (count, label, why) = (failures.len(), &first.label, &first.why);
        return Err(Fault::Partial(format!("{count} units failed; the first: {label}: {why}")));
    }
    let data = gather::gather(&context, &failures)?;
    rundir::write_report(&context.run, &data, &crate::report::render(&data))?;
    rundir::seal(&context.run, &data, &context.clock.measured())?;
    crate::timings::write(&context.run, &data, context.plan)?;
    provenance::write(&context.run, &plan.id, plan.first().experiment.seed, start.elapsed().as_secs_f64())?;
    equipoise_store::read_json(&context.run.join("metrics.json")).map_err(runtime)
}
