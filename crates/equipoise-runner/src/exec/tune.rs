//! The tuning stage: every arm tries the same number of learning rates on development worlds, and the best by average
//! precision is frozen before a test world is read. Development worlds are simulated and public, so their truth may be used
//! and choosing costs no privacy.

use super::arms::{self, Setting};
use super::{Context, review};
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::plan::{ArmSlice, Unit};
use equipoise_core::Seed;
use equipoise_eval::MetricSpec;
use equipoise_federated::Untimed;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What tuning found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TuneRecord {
    /// Learning rates, and the mean average precision of each over the development worlds; none where training diverged.
    pub candidates: Vec<(f64, Option<f64>)>,
    /// The chosen one: the best, the first among equals.
    pub chosen: f64,
}

/// Runs the candidates.
pub(super) fn run(context: &Context<'_>, unit: &Unit, arm: &ArmSlice, dir: &Path) -> Result<(), Fault> {
    let mut candidates = Vec::with_capacity(arm.learning_rates.len());
    for &learning_rate in &arm.learning_rates {
        let mut sum = Some(0.0);
        for id in &unit.needs {
            let world = context.world(id)?;
            let value = precision(arm, &arm.schema.unwrap_or_default().view(&world), learning_rate);
            sum = sum.zip(value).map(|(sum, value)| sum + value);
        }
        #[allow(clippy::cast_precision_loss)]
        candidates.push((learning_rate, sum.map(|sum| sum / unit.needs.len() as f64)));
    }
    let mut best: Option<(f64, f64)> = None;
    for &(rate, value) in &candidates {
        if let Some(value) = value.filter(|value| best.is_none_or(|(_, top)| *value > top)) {
            best = Some((rate, value));
        }
    }
    let chosen = best.map(|(rate, _)| rate).ok_or_else(|| {
        Fault::Runtime(format!("{}: no learning rate trained; try smaller ones", unit.label))
    })?;
    equipoise_store::write_json_atomic(&dir.join("tune.json"), &TuneRecord { candidates, chosen })
        .map_err(runtime)
}

/// Average precision of one candidate on one development world; none if training failed, for instance by diverging.
fn precision(arm: &ArmSlice, world: &WorldData, learning_rate: f64) -> Option<f64> {
    let seed = Seed::root(arm.seed).derive("tune", u64::from(world.meta.index));
    let setting = Setting { seed, learning_rate, checkpoint: None, stopwatch: &Untimed };
    let trained = arms::train(arm, world, &setting).ok().filter(arms::Trained::stayed_finite)?;
    let scores = arms::score(arm, world, &trained).ok()?;
    let mut cases = review::blank_cases(world);
    review::rank(world, &scores, &mut cases);
    MetricSpec::AveragePrecision.build().compute(&cases)
}
