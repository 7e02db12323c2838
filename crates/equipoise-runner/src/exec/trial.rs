//! The trial stage: one arm on one test world, from training to cases.

use super::arms::{self, Setting};
use super::{Context, TuneRecord, fuse, review};
use crate::config::Evaluation;
use crate::data::{Tested, WorldData};
use crate::fault::{Fault, runtime};
use crate::plan::{ArmSlice, Stage, Unit};
use equipoise_core::{RiskScore, Seed, SimTime};
use equipoise_encrypted::fusion::ScoreGrid;
use equipoise_eval::Case;
use equipoise_features::Token;
use equipoise_federated::{Outcome, RoundRecord, SlotPlan};
use equipoise_model::boosted::Sent;
use equipoise_model::{ModelSpec, TorchTensor};
use equipoise_privacy::PrivacyClaim;
use equipoise_store::{Table, read_json, read_table, write_json_atomic, write_table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What a trial leaves besides its tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrialRecord {
    /// The learning rate that tuning chose.
    pub learning_rate: Option<f64>,
    /// Parameters of one model.
    pub parameters: u64,
    /// BLAKE3 of all models, in order.
    pub model_hash: String,
    /// Every metric on this world; none where it does not exist.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// How sums were laid out.
    pub plan: Option<SlotPlan>,
    /// What may be said about the released model.
    pub claim: Option<PrivacyClaim>,
    /// What bounding an account's rows left, where they were bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<super::BoundRecord>,
    /// What growing trees together sent.
    pub histograms: Option<Sent>,
    /// How well its scores say what they mean, before and after calibration, where they are calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<super::CalibrationRecord>,
    /// What fusing scores did, where an arm does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fusion: Option<super::FusionRecord>,
    /// What the scores of reviewed accounts rest on, where a model over rows made them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<super::ExplanationRecord>,
    /// What was told about the tested accounts with a guarantee, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<super::ReleasedRecall>,
    /// How the training of each model ended, for an arm without rounds (those have `rounds.json`).
    pub outcomes: Vec<Outcome>,
}

/// Runs the trial and writes its directory.
pub(super) fn run(
    context: &Context<'_>,
    unit: &Unit,
    arm: &ArmSlice,
    evaluation: &Evaluation,
    dir: &Path,
    checkpoint: &Path,
) -> Result<(), Fault> {
    let whole = context.world(&unit.needs[0])?;
    let world = arm.schema.unwrap_or_default().view(&whole);
    let tuned = match unit.needs.get(1) {
        Some(tune) => Some(tuned(context, tune)?),
        None => None,
    };
    let learning_rate = tuned.as_ref().map(|record| record.chosen);
    let index = u64::from(world.meta.index);
    let stopwatch = context.clock.seats(&unit.id);
    let setting = Setting {
        seed: Seed::root(arm.seed).derive("trial", index),
        learning_rate: learning_rate.unwrap_or(0.0),
        checkpoint: Some(checkpoint),
        stopwatch: &stopwatch,
    };
    let trained = super::kept::trained(context, unit, arm, || arms::train(arm, &world, &setting))?;
    let own = arms::score(arm, &world, &trained)?;
    let fused = match (&arm.fusion, &tuned) {
        (Some(section), Some(tuned)) => {
            let grids = tuned.grids.iter().map(|cuts| ScoreGrid::new(cuts.clone()));
            let grids = grids.collect::<Result<Vec<_>, _>>().map_err(runtime)?;
            let keep = super::fusion_path(checkpoint);
            Some(fuse::run(section, &world, &grids, &own, &stopwatch, Some(&keep))?)
        }
        _ => None,
    };
    let scores = fused.as_ref().map_or(&own, |fused| &fused.scores);
    let cases = review::cases(&world, scores, evaluation, Seed::root(arm.seed).derive("reviewer", index));
    let calibration = super::calibrate::run(arm, &world, &trained, &cases)?;
    let at = Seed::root(arm.seed).derive("explanation", index);
    let explanation = super::explain::run(arm, &world, &trained, &own, &cases, at)?;
    let released = match (&arm.privacy, evaluation.release) {
        (Some(_), Some(spec)) => {
            let at = Seed::root(arm.seed).derive("evaluation-release", index);
            Some(super::release::tell(spec, &cases, at.derive("arm", fold(&unit.id)))?)
        }
        _ => None,
    };
    let metrics = evaluation.metrics();
    let metrics = metrics.iter().map(|metric| (metric.name().to_owned(), metric.compute(&cases))).collect();
    let mut hasher = blake3::Hasher::new();
    trained.models.iter().for_each(|model| {
        hasher.update(&model.to_le_bytes());
    });
    for forest in trained.trees.iter().flatten() {
        hasher.update(&serde_json::to_vec(forest).map_err(runtime)?);
    }
    let record = TrialRecord {
        learning_rate,
        parameters: trained.models.first().map_or(0, |model| model.len() as u64),
        model_hash: hasher.finalize().to_hex().to_string(),
        metrics,
        plan: trained.plan.clone(),
        claim: trained.claim.clone(),
        bound: trained.bound,
        histograms: trained.histograms,
        calibration,
        fusion: fused.as_ref().map(|fused| fused.record.clone()),
        explanation,
        released,
        outcomes: trained.outcomes.clone(),
    };
    write_json_atomic(&dir.join("trial.json"), &record).map_err(runtime)?;
    if !trained.trees.is_empty() {
        write_json_atomic(&dir.join("trees.json"), &trained.trees).map_err(runtime)?;
    }
    write_models(arm, &world, &trained, &record, dir)?;
    if let Some(state) = &trained.federation {
        write_json_atomic(&dir.join("rounds.json"), &state.history).map_err(runtime)?;
    }
    let values = fused.as_ref().map(|fused| fused.values.as_slice());
    write_scores(&world, scores, record.calibration.as_ref(), values, dir)?;
    write_review(&cases, dir)
}

/// A unit's id as a number: arms are not to share the noise of what they tell, or a difference would tell it without.
fn fold(id: &str) -> u64 {
    u64::from_str_radix(id, 16).unwrap_or(0)
}

fn tuned(context: &Context<'_>, tune: &str) -> Result<TuneRecord, Fault> {
    let unit = context.unit(tune)?;
    debug_assert_eq!(unit.stage, Stage::Tune);
    read_json(&context.dir(unit).join("tune.json")).map_err(runtime)
}

/// Models as safetensors in `PyTorch`'s layout, with a card in the header: see [`published`].
fn write_models(
    arm: &ArmSlice,
    world: &WorldData,
    trained: &arms::Trained,
    record: &TrialRecord,
    dir: &Path,
) -> Result<(), Fault> {
    let (models, Some(spec)) = (&trained.models, &arm.model) else { return Ok(()) };
    if models.is_empty() {
        return Ok(());
    }
    let names = if spec.reads_sequences() { Token::NAMES.join(",") } else { world.meta.columns.join(",") };
    let own = match (arm.arm, spec.reads_sequences()) {
        (_, true) => Token::COLUMNS,
        (crate::config::ArmKind::PooledLinked, _) => 2 * world.meta.columns.len(),
        _ => world.meta.columns.len(),
    };
    let card = serde_json::json!({
        "note": "synthetic-trained; not for operational decisions about people",
        "arm": arm.arm.id(),
        "model": serde_json::to_string(spec).map_err(runtime)?,
        "features": names,
        "scale": arm.scale.as_ref().map(serde_json::to_string).transpose().map_err(runtime)?.unwrap_or_default(),
        "seed": arm.seed.to_string(),
        "learning-rate": record.learning_rate.map_or_else(String::new, |rate| rate.to_string()),
        "calibration": record.calibration.as_ref().map_or_else(|| "none".to_owned(), |record| record.describe()),
        "privacy": trained.claim.as_ref().map_or_else(|| "no guarantee".to_owned(), ToString::to_string),
    });
    let names: Vec<&str> = match models.len() {
        1 => vec!["global"],
        _ => world.meta.platforms.iter().map(String::as_str).collect(),
    };
    let named: Vec<(&str, &[f32])> =
        names.into_iter().zip(models.iter().map(|model| model.0.as_slice())).collect();
    let bytes = published(spec, own, &named, card)?;
    equipoise_store::write_atomic(&dir.join("model.safetensors"), &bytes).map_err(runtime)
}

/// Safetensors, written by hand so that the bytes depend on no library: eight bytes of length, a JSON header, little-endian numbers.
/// Each tensor of each model is `NAME.` and its name in [`ModelSpec::to_torch`], for instance `global.layers.0.weight`.
fn published(
    spec: &ModelSpec,
    columns: usize,
    models: &[(&str, &[f32])],
    card: serde_json::Value,
) -> Result<Vec<u8>, Fault> {
    let (mut header, mut numbers) = (serde_json::Map::new(), Vec::<u8>::new());
    header.insert("__metadata__".into(), card);
    for (name, model) in models {
        for TorchTensor { name: part, shape, values } in spec.to_torch(columns, model) {
            let from = numbers.len();
            values.iter().for_each(|value| numbers.extend(value.to_le_bytes()));
            let about =
                serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [from, numbers.len()] });
            header.insert(format!("{name}.{part}"), about);
        }
    }
    let mut text = serde_json::to_string(&header).map_err(runtime)?;
    while text.len() % 8 != 0 {
        text.push(' ');
    }
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend(numbers);
    Ok(bytes)
}

fn write_scores(
    world: &WorldData,
    scores: &[f32],
    calibration: Option<&super::CalibrationRecord>,
    values: Option<&[u32]>,
    dir: &Path,
) -> Result<(), Fault> {
    let mut table = Table::new()
        .with("decision", world.test.decision.clone())
        .and_then(|table| table.with("case", world.test.case.clone()))
        .and_then(|table| table.with("risk_score", scores.to_vec()))
        .map_err(runtime)?;
    if let Some(calibration) = calibration {
        let platform = |case: &u32| world.cases.platform[*case as usize];
        let rows = world.test.case.iter().zip(scores);
        let probability: Vec<f32> =
            rows.map(|(case, score)| calibration.map(platform(case)).apply(*score)).collect();
        table = table.with("probability", probability).map_err(runtime)?;
    }
    if let Some(values) = values {
        table = table.with("fused_value", values.to_vec()).map_err(runtime)?;
    }
    let meta = [("note", "synthetic-trained; not for operational decisions about people")];
    write_table(&dir.join("scores.parquet"), &table, &meta).map_err(runtime)
}

fn write_review(cases: &[Case], dir: &Path) -> Result<(), Fault> {
    let times = |of: fn(&Case) -> Option<SimTime>| -> Vec<i32> {
        cases.iter().map(|case| of(case).map_or(i32::MAX, |at| at.0)).collect()
    };
    let scores: Vec<f32> = cases.iter().map(|case| case.score.get()).collect();
    let table = Table::new()
        .with("risk_score", scores)
        .and_then(|table| table.with("reviewed", times(|case| case.reviewed)))
        .and_then(|table| table.with("identified", times(|case| case.identified)))
        .and_then(|table| table.with("wrongly_restricted", times(|case| case.wrongly_restricted_at)))
        .map_err(runtime)?;
    write_table(&dir.join("review.parquet"), &table, &[]).map_err(runtime)
}

/// A finished trial's record and rounds.
///
/// # Errors
/// If a file is missing or damaged.
pub fn read_trial(dir: &Path) -> Result<(TrialRecord, Vec<RoundRecord>), Fault> {
    let record = read_json(&dir.join("trial.json")).map_err(runtime)?;
    let rounds = dir.join("rounds.json");
    let history = if rounds.exists() { read_json(&rounds).map_err(runtime)? } else { vec![] };
    Ok((record, history))
}

/// A finished trial's cases: its scores and reviews beside the world's truth.
///
/// # Errors
/// If a file is missing or damaged.
pub fn read_cases(world: &Tested, dir: &Path) -> Result<Vec<Case>, Fault> {
    let (table, _) = read_table(&dir.join("review.parquet")).map_err(runtime)?;
    let mut cases = review::blank_cases(&world.meta, &world.cases);
    let scores = table.f32("risk_score").map_err(runtime)?;
    let column = |name: &str| table.i32(name).map_err(runtime);
    let (reviewed, identified, wrongly) =
        (column("reviewed")?, column("identified")?, column("wrongly_restricted")?);
    if scores.len() != cases.len() {
        return Err(Fault::Runtime(format!(
            "{}: {} cases, the world has {}",
            dir.display(),
            scores.len(),
            cases.len()
        )));
    }
    let time = |value: i32| (value != i32::MAX).then_some(SimTime(value));
    for (at, case) in cases.iter_mut().enumerate() {
        case.score = RiskScore::new(scores[at]);
        case.reviewed = time(reviewed[at]);
        case.identified = time(identified[at]);
        case.wrongly_restricted_at = time(wrongly[at]);
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Two inputs, three outputs: ours is row by input, `PyTorch`'s row by output.
    #[test]
    fn weights_are_turned_and_named_as_torch_has_them() {
        let spec = ModelSpec::Mlp { hidden: vec![3] };
        let model: Vec<f32> = (0..13_u8).map(f32::from).collect();
        let bytes = published(&spec, 2, &[("global", &model)], serde_json::json!({ "arm": "x" })).unwrap();
        let length = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let read = |name: &str| -> (Vec<u64>, Vec<f32>) {
            let of = &header[name];
            let numbers = |value: &serde_json::Value| -> Vec<u64> {
                value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect()
            };
            let offsets = numbers(&of["data_offsets"]);
            let data = &bytes[8 + length..][offsets[0] as usize..offsets[1] as usize];
            let values = data.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
            (numbers(&of["shape"]), values.collect())
        };
        assert_eq!(read("global.layers.0.weight"), (vec![3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        assert_eq!(read("global.layers.0.bias"), (vec![3], vec![6.0, 7.0, 8.0]));
        assert_eq!(read("global.layers.1.weight"), (vec![1, 3], vec![9.0, 10.0, 11.0]));
        assert_eq!(read("global.layers.1.bias"), (vec![1], vec![12.0]));
        assert_eq!(header["__metadata__"]["arm"], "x");
        assert_eq!(length % 8, 0);
    }
}
