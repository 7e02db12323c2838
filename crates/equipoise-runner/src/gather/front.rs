//! Safety, burden and privacy together: which arms no other arm beats, and in how many draws of the worlds that is so.
//!
//! Privacy is the claimed epsilon of the model that leaves the platforms, the same in every world; an arm without a guarantee stands
//! behind every arm with one. Worlds are drawn jointly for all arms, because arms share them. What is not promised: that a claim
//! is what an attack finds; that stands beside it in the privacy section where an experiment audits.

use super::ArmResults;
use super::arm::primary;
use super::compare::values;
use crate::config::{ArmKind, Experiment};
use crate::report::data::FrontRow;
use equipoise_core::Seed;
use equipoise_eval::stats::{pareto_front, pareto_membership};
use equipoise_eval::{Bootstrap, Metric};

/// Draws of the worlds.
const RESAMPLES: u32 = 1_000;
/// Burdens by preference: the first that every arm has a value of in every world.
const BURDENS: [&str; 2] = ["wrongful-restriction-burden", "false-positive-rate"];

/// The name of the burden and a row an arm; nothing with fewer than two worlds or arms.
pub(super) fn rows(arms: &[ArmResults<'_>], experiment: &Experiment) -> (String, Vec<FrontRow>) {
    // Rows of all platforms in one place are nobody's option.
    let may = |kind| {
        !matches!(
            kind,
            ArmKind::PooledUnlinked | ArmKind::PooledLinked | ArmKind::PooledTrees | ArmKind::PooledBinned
        )
    };
    let safety = primary(experiment);
    let metrics = experiment.evaluation.metrics();
    for name in BURDENS {
        let Some(burden) = metrics.iter().find(|metric| metric.name() == name) else { continue };
        let pick = |arm: &&ArmResults<'_>| may(arm.plan.slice.arm) && arm.trials.len() > 1;
        let found: Vec<_> = arms
            .iter()
            .filter(pick)
            .filter_map(|arm| Some((arm, values(arm, safety.as_ref())?, values(arm, burden.as_ref())?)))
            .collect();
        if found.len() == arms.iter().filter(pick).count() && found.len() > 1 {
            return (name.to_owned(), judge(&found, safety.as_ref(), experiment.experiment.seed));
        }
    }
    (String::new(), vec![])
}

type Found<'a, 'b> = (&'b ArmResults<'a>, Vec<f64>, Vec<f64>);

#[allow(clippy::cast_precision_loss)] // A count of worlds.
fn judge(found: &[Found<'_, '_>], safety: &dyn Metric, seed: u64) -> Vec<FrontRow> {
    let higher = [safety.higher_is_better(), false, false];
    // What leaves nobody's platform needs no guarantee; what leaves without one has none.
    let stays =
        |kind: ArmKind| !kind.federates() && !matches!(kind, ArmKind::FusedPlain | ArmKind::FusedEncrypted);
    let epsilon = |arm: &ArmResults<'_>| {
        if stays(arm.plan.slice.arm) { 0.0 } else { arm.claim().map_or(f64::INFINITY, |c| c.epsilon) }
    };
    let axes = |(arm, safe, burden): &Found<'_, '_>| {
        vec![safe.clone(), burden.clone(), vec![epsilon(arm); safe.len()]]
    };
    let designs: Vec<Vec<Vec<f64>>> = found.iter().map(axes).collect();
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let means: Vec<Vec<f64>> = designs.iter().map(|axes| axes.iter().map(mean).collect()).collect();
    let on = pareto_front(&means, &higher);
    let how = Bootstrap { resamples: RESAMPLES, level: super::arm::LEVEL };
    let Some(shares) = pareto_membership(&designs, &higher, &how, Seed::root(seed).derive("front", 0)) else {
        return vec![];
    };
    found
        .iter()
        .zip(&means)
        .zip(on.into_iter().zip(shares))
        .map(|(((arm, ..), means), (on_front, membership))| FrontRow {
            arm: arm.plan.id.clone(),
            safety: means[0],
            burden: means[1],
            epsilon: means[2].is_finite().then_some(means[2]),
            on_front,
            membership,
        })
        .collect()
}
