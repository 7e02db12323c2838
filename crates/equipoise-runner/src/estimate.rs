//! What a run will cost, before it runs: minutes, disk and epsilon; and the refusal of a run that would cost more than its
//! sweep's budget.
//!
//! Epsilon is exact under what it says: every model that is trained with a guarantee on one world's rows is a release about
//! the same people, and releases add up (basic composition, Dwork et al. 2006); worlds have disjoint people. Arms without a
//! guarantee are references that a study of synthetic data may have; they are not counted. Minutes and disk are rough: a
//! few rates, fitted to the smoke experiment and to two minutes of `federation-gap` on two cores, times the sizes in the file. What is not
//! promised: that another machine is as fast, or that other experiments are estimated as well.

use crate::config::Budget;
use crate::exec::Context;
use crate::fault::{Fault, config};
use crate::plan::{ArmSlice, Plan, Unit, Work, WorldSlice};
use serde::Serialize;

/// What is left to do costs about this much.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Estimate {
    /// Minutes on this process's threads.
    pub minutes: f64,
    /// Gigabytes (10^9 bytes) that will be written.
    pub disk_gb: f64,
    /// Sum of the epsilons of the models that are trained with a guarantee on one world, finished or not, and of what is told about how
    /// well they do.
    pub epsilon: f64,
}

/// Seconds of one core for a person's day, with the rows that are cut from it.
const WORLD_SECONDS: f64 = 2.0e-5;
/// Seconds of one core for a row's pass through one parameter, and for what a row costs besides.
const PASS_SECONDS: f64 = 0.5e-9;
const ROW_SECONDS: f64 = 1.0e-7;
/// Seconds of one core for one parameter of one client in one round: packing, hiding, opening.
const ROUND_SECONDS: f64 = 1.5e-7;
/// Bytes of a row in a column, compressed.
const CELL_BYTES: f64 = 2.0;

/// Estimates what is not finished yet.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Sizes.
pub fn estimate(context: &Context<'_>) -> Estimate {
    let plan = context.plan;
    let left = plan.units.iter().filter(|unit| !context.is_done(unit));
    let (mut seconds, mut bytes) = (0.0, 0.0);
    for unit in left {
        let (s, b) = cost(plan, unit);
        seconds += s;
        bytes += b;
    }
    let minutes = seconds / 60.0 / rayon::current_num_threads() as f64;
    let epsilon = planned_epsilon(plan);
    Estimate { minutes, disk_gb: bytes / 1e9, epsilon }
}

/// What all arms spend of the people of one world.
#[must_use]
pub fn planned_epsilon(plan: &Plan) -> f64 {
    // A fold from 0: the sum of nothing is a negative zero.
    plan.arms.iter().fold(0.0, |sum, arm| sum + epsilon_of(plan, &arm.slice))
}

/// What training an arm on a world and telling how well it does spends of the people of that world.
#[must_use]
pub fn epsilon_of(plan: &Plan, arm: &ArmSlice) -> f64 {
    let told = plan.first().evaluation.release.map_or(0.0, |release| release.epsilon.get());
    arm.privacy.as_ref().map_or(0.0, |privacy| privacy.epsilon.get() + told)
}

#[allow(clippy::cast_precision_loss)]
fn cost(plan: &Plan, unit: &Unit) -> (f64, f64) {
    let e = plan.first();
    let columns = e.model_columns() as f64;
    let world = plan.units.iter().find_map(|unit| match &unit.work {
        Work::World(slice) => Some(slice),
        _ => None,
    });
    let rows = world.map_or(0.0, rows);
    match &unit.work {
        Work::World(slice) => {
            let days = f64::from(slice.world.persons) * f64::from(slice.world.days);
            let decisions =
                f64::from(u32::from(slice.world.days).saturating_sub(slice.protocol.label_cutoff))
                    / f64::from(slice.protocol.decision_every.max(1));
            let kept = rows * (slice.protocol.train_cutoffs.len() as f64 + decisions);
            (days * WORLD_SECONDS, kept * columns * CELL_BYTES)
        }
        Work::Tune(arm) => {
            let fits = arm.learning_rates.len() as f64 * f64::from(e.tuning.worlds);
            (fits * training(e, arm, rows), 1e3)
        }
        Work::Trial { arm, .. } => (training(e, arm, rows), rows * 16.0),
    }
}

/// Rows of one cut of a world: at most one a person and platform.
#[allow(clippy::cast_precision_loss)]
fn rows(slice: &WorldSlice) -> f64 {
    f64::from(slice.world.persons) * slice.world.platform.len() as f64 * 0.6
}

#[allow(clippy::cast_precision_loss)]
fn training(e: &crate::config::Experiment, arm: &ArmSlice, rows: f64) -> f64 {
    let Some(model) = &arm.model else { return 0.1 };
    let parameters = model.parameters(e.model_columns()) as f64;
    let steps = if e.model.reads_sequences() { f64::from(e.features.sequence_length) } else { 1.0 };
    let (rounds, share) = match (&arm.federation, &arm.privacy) {
        (Some(section), Some(privacy)) => (f64::from(section.rounds), privacy.sampling_rate.get()),
        (Some(section), None) => (f64::from(section.rounds), 1.0),
        (None, _) => (f64::from(arm.passes.unwrap_or(1)), 1.0),
    };
    let epochs = arm.training.as_ref().map_or(1.0, |training| f64::from(training.epochs));
    let seen = rows * e.protocol.train_cutoffs.len() as f64 * (1.0 - e.protocol.test_share.get());
    let passes = seen * rounds * share * epochs * steps * (parameters * PASS_SECONDS + ROW_SECONDS);
    let hidden = if arm.federation.is_some() { rounds * parameters * ROUND_SECONDS * 4.0 } else { 0.0 };
    passes + hidden + 0.02
}

/// Refuses a run that is estimated to cost more than its budget.
///
/// # Errors
/// [`Fault::Budget`] for epsilon, [`Fault::Config`] for minutes and disk; nothing was written.
pub fn within(budget: &Budget, estimate: &Estimate) -> Result<(), Fault> {
    let over = |name: &str, has: f64, may: Option<f64>, mend: &str| {
        let may = may.filter(|may| has > *may)?;
        Some(format!("budget: {name}: {has:.3} is estimated and {may} is allowed\n  mend: {mend}"))
    };
    let mend = "take points out of the sweep or raise `sweep.budget.epsilon` knowingly";
    if let Some(why) = over("epsilon", estimate.epsilon, budget.epsilon, mend) {
        return Err(Fault::Budget(why));
    }
    let mend = "take points or worlds out, or raise the budget";
    let why: Vec<String> = [
        over("minutes", estimate.minutes, budget.minutes, mend),
        over("disk-gb", estimate.disk_gb, budget.disk_gb, mend),
    ]
    .into_iter()
    .flatten()
    .collect();
    if why.is_empty() { Ok(()) } else { Err(config(why.join("\n"))) }
}
