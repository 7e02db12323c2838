//! What platforms that do not follow the protocol do to the model, under each way of combining updates: rules that see every update,
//! and hidden sums, where nothing but the clip stands in the way.
//!
//! All cells of a world share its rows, with one reserved column behind the features that is zero in every honest row: the backdoor's
//! trigger. It means nothing and stands for no behaviour; what it is to bring about is a false alarm. Training and scoring are those of
//! an experiment's arm.

use super::file::{Attack, PoisoningSection, Rule, Target};
use crate::data::WorldData;
use crate::exec::{self, Setting};
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use equipoise_attack::{PoisonSpec, RowPoisonSpec};
use equipoise_core::{Fraction, Seed};
use equipoise_eval::Case;
use equipoise_federated::{FaultSpec, Stragglers, Untimed};
use serde::{Deserialize, Serialize};

/// Above this share of the harmless accounts' scores an account stands out.
const STANDS_OUT: f64 = 0.99;

/// What became of the model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PoisoningResult {
    /// Platforms that did not follow the protocol.
    pub(crate) byzantine: Vec<u32>,
    pub(crate) average_precision: Option<f64>,
    pub(crate) recall_at_budget: Option<f64>,
    /// Share of the harmless accounts that stand out (above the 99th percentile of harmless accounts without the trigger) when the
    /// reserved column is set. By construction 1 % without an attack that uses it.
    pub(crate) triggered: f64,
    /// Whether every platform's training gave finite numbers.
    pub(crate) finite: bool,
}

/// The world with the reserved column.
pub(super) fn with_reserved(world: &WorldData) -> WorldData {
    let mut world = world.clone();
    let columns = world.meta.columns.len();
    let widened = |values: &[f32]| -> Vec<f32> {
        values.chunks_exact(columns).flat_map(|row| row.iter().copied().chain([0.0])).collect()
    };
    world.train.values = widened(&world.train.values);
    world.test.values = widened(&world.test.values);
    world.train.columns += 1;
    world.meta.columns.push("reserved".into());
    world
}

/// The name of an attack in results.
pub(super) fn name(attack: &Attack) -> &'static str {
    match attack {
        Attack::Update(spec) => spec.attack().name(),
        Attack::Rows(RowPoisonSpec::None {}) => "none",
        Attack::Rows(RowPoisonSpec::LabelFlip { .. }) => "label-flip",
        Attack::Rows(RowPoisonSpec::Backdoor { .. }) => "backdoor",
    }
}

fn faults(byzantine: Fraction) -> FaultSpec {
    let none = Fraction::new(0.0).expect("in range");
    FaultSpec {
        over_selection: 1.0,
        deadline: 1e6,
        speed_sigma: 0.0,
        round_sigma: 0.0,
        stragglers: Stragglers::Late,
        crash: none,
        away_rounds: 0,
        byzantine,
    }
}

/// Trains one cell on a world with the reserved column.
///
/// # Errors
/// If training fails for another reason than what the attack does to it.
pub(super) fn run(
    target: &Target,
    section: &PoisoningSection,
    world: &WorldData,
    (attack, rule): (&Attack, &Rule),
    seed: Seed,
) -> Result<PoisoningResult, Fault> {
    let about = &target.file.experiment;
    let honest = matches!(attack, Attack::Update(PoisonSpec::None(_)) | Attack::Rows(RowPoisonSpec::None {}));
    let share = if honest { Fraction::new(0.0).map_err(runtime)? } else { section.byzantine };
    let platforms = u32::try_from(world.meta.platforms.len()).unwrap_or(u32::MAX);
    // The address that the round loop draws them at.
    let byzantine = faults(share).byzantine(platforms, seed.derive("federation", 0));
    let mut slice = arm(target)?;
    if let Some(federation) = &mut slice.federation {
        federation.update_clip = rule.update_clip;
        federation.poison = None;
        federation.cohort.faults = Some(faults(Fraction::new(0.0).map_err(runtime)?));
        if let (Attack::Update(spec), false) = (attack, honest) {
            federation.poison = Some(*spec);
            federation.cohort.faults = Some(faults(share));
        }
    }
    slice.aggregation = Some(rule.aggregation.clone());
    let mut poisoned = world.clone();
    if let Attack::Rows(spec) = attack {
        for &platform in &byzantine {
            let at = seed.derive("poisoned-rows", u64::from(platform));
            poison_rows(&mut poisoned, platform, spec, at);
        }
    }
    let setting = Setting { seed, learning_rate: about.learning_rate, checkpoint: None, stopwatch: &Untimed };
    let trained = exec::train_arm(&slice, &poisoned, &setting)?;
    let evaluation = &target.plan.first().evaluation;
    let reviewer = seed.derive("reviewer", 0);
    let scores = exec::score_arm(&slice, world, &trained)?;
    let cases = exec::reviewed_cases(world, &scores, evaluation, reviewer);
    let metric = |name: &str| {
        let metrics = evaluation.metrics();
        metrics.iter().find(|metric| metric.name() == name).and_then(|metric| metric.compute(&cases))
    };
    let mut triggered = world.clone();
    let columns = world.meta.columns.len();
    let value = match attack {
        Attack::Rows(RowPoisonSpec::Backdoor { value, .. }) => *value,
        _ => 1.0,
    };
    triggered.test.values.chunks_exact_mut(columns).for_each(|row| row[columns - 1] = value);
    let with = exec::score_arm(&slice, &triggered, &trained)?;
    let with = exec::reviewed_cases(&triggered, &with, evaluation, reviewer);
    Ok(PoisoningResult {
        byzantine,
        average_precision: metric("average-precision"),
        recall_at_budget: metric("recall-at-budget"),
        triggered: stands_out(&cases, &with),
        finite: trained.stayed_finite(),
    })
}

/// The attacked arm, as the experiment's first point has it.
fn arm(target: &Target) -> Result<ArmSlice, Fault> {
    let wanted = target.file.experiment.arm;
    let found = target.plan.arms.iter().find(|arm| arm.slice.arm == wanted && arm.slice.privacy.is_none());
    found.map(|arm| arm.slice.clone()).ok_or_else(|| {
        Fault::Config(format!("experiment.on: it has no arm `{}` without a guarantee", wanted.id()))
    })
}

fn poison_rows(world: &mut WorldData, platform: u32, spec: &RowPoisonSpec, seed: Seed) {
    let rows = &mut world.train;
    let width = rows.columns;
    let own: Vec<usize> =
        (0..rows.label.len()).filter(|&row| u32::from(rows.platform[row]) == platform).collect();
    let mut values: Vec<f32> =
        own.iter().flat_map(|&row| &rows.values[row * width..(row + 1) * width]).copied().collect();
    let mut labels: Vec<bool> = own.iter().map(|&row| rows.label[row] > 0.5).collect();
    let spec = match *spec {
        // The reserved column stands behind all others, whatever the file's number of features.
        RowPoisonSpec::Backdoor { share, value, target, .. } => {
            RowPoisonSpec::Backdoor { share, column: width - 1, value, target }
        }
        other => other,
    };
    spec.apply(&mut values, width, &mut labels, seed);
    for ((&row, poisoned), label) in own.iter().zip(values.chunks_exact(width)).zip(labels) {
        rows.values[row * width..(row + 1) * width].copy_from_slice(poisoned);
        rows.label[row] = f32::from(u8::from(label));
    }
}

/// The share of harmless accounts whose score with the trigger lies above the 99th percentile of those without it.
fn stands_out(without: &[Case], with: &[Case]) -> f64 {
    let harmless = |cases: &[Case]| -> Vec<f32> {
        cases.iter().filter(|case| !case.harmful).map(|case| case.score.get()).collect()
    };
    let (mut without, with) = (harmless(without), harmless(with));
    without.sort_by(f32::total_cmp);
    let Some(&limit) = without.get((STANDS_OUT * without.len() as f64) as usize) else { return 0.0 };
    with.iter().filter(|score| **score > limit).count() as f64 / with.len().max(1) as f64
}
