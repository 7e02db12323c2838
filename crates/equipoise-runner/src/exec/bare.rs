//! What a plan computes, and nothing else: no store, no locks, no checkpoints, no report. The obvious version beside the one that survives kills
//! and shares its work: both give the same metrics, and its cost is what the runner's own is measured against (`tests/overhead.rs`).

use super::arms::{self, Setting};
use super::{calibrate, explain, review, tune, world};
use crate::data::WorldData;
use crate::fault::Fault;
use crate::plan::{Plan, Work};
use equipoise_core::{Seed, Silent};
use equipoise_federated::Untimed;
use std::collections::BTreeMap;

/// The metrics of each trial, by the unit's id.
pub(super) type Bare = BTreeMap<String, BTreeMap<String, Option<f64>>>;

/// Computes every unit of a plan from nothing, one after the other. Fused scores are left out.
///
/// # Errors
/// If a world or a training fails.
pub fn bare(plan: &Plan) -> Result<Bare, Fault> {
    let mut found = Bare::new();
    let mut worlds: BTreeMap<&str, WorldData> = BTreeMap::new();
    let mut chosen: BTreeMap<&str, f64> = BTreeMap::new();
    for unit in &plan.units {
        let needed = |at: usize| unit.needs.get(at).map_or("", String::as_str);
        let world = |id: &str| worlds.get(id).ok_or_else(|| Fault::Runtime(format!("no world {id}")));
        match &unit.work {
            Work::World(slice) => {
                worlds.insert(&unit.id, world::make(slice, &Silent)?);
            }
            Work::Tune(arm) => {
                let view = arm.schema.unwrap_or_default().view(world(needed(0))?);
                let mut best = (0.0, f64::NEG_INFINITY);
                for &rate in &arm.learning_rates {
                    let scores = tune::scores(arm, &view, rate);
                    let value = scores.and_then(|scores| tune::precision(&view, &scores));
                    if value.is_some_and(|value| value > best.1) {
                        best = (rate, value.unwrap_or_default());
                    }
                }
                chosen.insert(&unit.id, best.0);
            }
            Work::Trial { arm, evaluation } => {
                let view = arm.schema.unwrap_or_default().view(world(needed(0))?);
                let index = u64::from(view.meta.index);
                let setting = Setting {
                    seed: Seed::root(arm.seed).derive("trial", index),
                    learning_rate: chosen.get(needed(1)).copied().unwrap_or(0.0),
                    checkpoint: None,
                    stopwatch: &Untimed,
                };
                let trained = arms::train(arm, &view, &setting)?;
                let scores = arms::score(arm, &view, &trained)?;
                let seed = Seed::root(arm.seed).derive("reviewer", index);
                let cases = review::cases(&view, &scores, evaluation, seed);
                std::hint::black_box(calibrate::run(arm, &view, &trained, &cases)?);
                let at = Seed::root(arm.seed).derive("explanation", index);
                std::hint::black_box(explain::run(arm, &view, &trained, &scores, &cases, at)?);
                let metrics = evaluation.metrics();
                let metrics =
                    metrics.iter().map(|metric| (metric.name().to_owned(), metric.compute(&cases))).collect();
                found.insert(unit.id.clone(), metrics);
            }
        }
    }
    Ok(found)
}
