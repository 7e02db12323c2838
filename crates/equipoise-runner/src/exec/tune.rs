//! The tuning stage: every arm tries the same number of learning rates on development worlds, and the best by average
//! precision is frozen before a test world is read. Development worlds are simulated and public, so their truth may be used
//! and choosing costs no privacy.

use super::arms::{self, Setting};
use super::{Context, review};
use crate::config::FusionSection;
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::plan::{ArmSlice, Unit};
use equipoise_core::Seed;
use equipoise_encrypted::fusion::ScoreGrid;
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
    /// The cuts of each platform's grid of scores, for an arm that fuses them: of the chosen model's scores on the development worlds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grids: Vec<Vec<f32>>,
}

/// Runs the candidates.
pub(super) fn run(context: &Context<'_>, unit: &Unit, arm: &ArmSlice, dir: &Path) -> Result<(), Fault> {
    let mut candidates = Vec::with_capacity(arm.learning_rates.len());
    for &learning_rate in &arm.learning_rates {
        let mut sum = Some(0.0);
        for id in &unit.needs {
            let world = context.world(id)?;
            let world = arm.schema.unwrap_or_default().view(&world);
            let value = scores(arm, &world, learning_rate).and_then(|scores| precision(&world, &scores));
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
    let grids = match &arm.fusion {
        Some(section) => grids(context, unit, arm, section, chosen)?,
        None => vec![],
    };
    equipoise_store::write_json_atomic(&dir.join("tune.json"), &TuneRecord { candidates, chosen, grids })
        .map_err(runtime)
}

/// Each platform's grid, from its scores of all development worlds.
fn grids(
    context: &Context<'_>,
    unit: &Unit,
    arm: &ArmSlice,
    section: &FusionSection,
    learning_rate: f64,
) -> Result<Vec<Vec<f32>>, Fault> {
    let mut samples: Vec<Vec<f32>> = Vec::new();
    for id in &unit.needs {
        let world = context.world(id)?;
        let world = arm.schema.unwrap_or_default().view(&world);
        samples.resize(world.meta.platforms.len(), vec![]);
        let scores = scores(arm, &world, learning_rate)
            .ok_or_else(|| Fault::Runtime(format!("{}: the chosen rate trains no more", unit.label)))?;
        for (case, score) in world.test.case.iter().zip(scores) {
            samples[usize::from(world.cases.platform[*case as usize])].push(score);
        }
    }
    let grid = |sample: &Vec<f32>| ScoreGrid::of_upper_tail(sample, section.levels).map_err(runtime);
    samples.iter().map(|sample| Ok(grid(sample)?.cuts().to_vec())).collect()
}

/// What one candidate scores on one development world; none if training failed, for instance by diverging.
pub(super) fn scores(arm: &ArmSlice, world: &WorldData, learning_rate: f64) -> Option<Vec<f32>> {
    let seed = Seed::root(arm.seed).derive("tune", u64::from(world.meta.index));
    let setting = Setting { seed, learning_rate, checkpoint: None, stopwatch: &Untimed };
    let trained = arms::train(arm, world, &setting).ok().filter(arms::Trained::stayed_finite)?;
    arms::score(arm, world, &trained).ok()
}

pub(super) fn precision(world: &WorldData, scores: &[f32]) -> Option<f64> {
    let mut cases = review::blank_cases(&world.meta, &world.cases);
    review::rank(world, scores, &mut cases);
    MetricSpec::AveragePrecision.build().compute(&cases)
}
