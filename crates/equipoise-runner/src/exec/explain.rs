//! What the scores of reviewed accounts rest on: shares of columns in the logit, held against a row in which nothing happened, added up
//! over the accounts that a queue picked. For the person who reviews and for whoever judges a model; one account's shares are never
//! written, and nothing says what would lower a score.

use super::arms::Trained;
use crate::config::ArmKind;
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use equipoise_core::{Draw, Seed};
use equipoise_eval::Case;
use equipoise_model::{Attribution, Trainer, overlap};
use serde::{Deserialize, Serialize};

/// Columns that a stable explanation keeps on top.
const TOP: usize = 3;
/// How far numbers are jittered to see whether it does, relative to each.
const JITTER: f64 = 0.01;

/// Sums over the reviewed accounts of one world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExplanationRecord {
    /// Accounts that were reviewed and whose score rests on something.
    pub accounts: u64,
    /// By column of the model: shares, and shares without their sign, in logits.
    pub shares: Vec<(f64, f64)>,
    /// Sum over accounts of the part of the three largest columns that stays when every number moves by up to a hundredth.
    pub stable: f64,
    /// The largest distance of shares from adding up to the difference of logits.
    pub gap: f64,
}

/// Explains the row that put each reviewed account on top; nothing for arms without a model over rows.
pub(super) fn run(
    slice: &ArmSlice,
    world: &WorldData,
    trained: &Trained,
    scores: &[f32],
    cases: &[Case],
    seed: Seed,
) -> Result<Option<ExplanationRecord>, Fault> {
    let by_trees = !trained.trees.is_empty();
    let reads_rows = slice.model.as_ref().is_some_and(|spec| !spec.reads_sequences());
    if !by_trees && (!reads_rows || trained.models.is_empty()) {
        return Ok(None);
    }
    let shown = super::view::to_score(slice, world);
    let (test, own) = (&shown.test, world.meta.columns.len());
    let linked = slice.arm == ArmKind::PooledLinked;
    let columns = if linked { 2 * own } else { own };
    let mut trainer = match &slice.model {
        Some(spec) if !by_trees => Some(Trainer::new(spec, columns).map_err(runtime)?),
        _ => None,
    };
    let mut explain = |platform: usize, row: &[f32]| -> Result<Option<Attribution>, Fault> {
        let nothing = vec![0.0; columns];
        let of = |count: usize| if count > 1 { platform } else { 0 };
        match &mut trainer {
            Some(trainer) => {
                let model = &trained.models[of(trained.models.len())].0;
                trainer.explain(model, row, &nothing).map(Some).map_err(runtime)
            }
            None => match &trained.trees[of(trained.trees.len())] {
                Some(forest) => forest.explain(row, &nothing).map(Some).map_err(runtime),
                None => Ok(None),
            },
        }
    };
    let mut record = ExplanationRecord { shares: vec![(0.0, 0.0); columns], ..ExplanationRecord::default() };
    for (case, row) in on_top(world, scores, cases).into_iter().enumerate() {
        let Some(row) = row else { continue };
        let mut values = test.values[row * own..(row + 1) * own].to_vec();
        if linked {
            values.extend_from_slice(&test.linked[row * own..(row + 1) * own]);
        }
        let platform = cases[case].platform.index();
        let Some(shares) = explain(platform, &values)? else { continue };
        let mut rng = seed.derive("jitter", case as u64).rng();
        values.iter_mut().for_each(|value| *value *= jitter(rng.uniform()));
        let Some(moved) = explain(platform, &values)? else { continue };
        let Some(stable) = overlap(&shares, &moved, TOP) else { continue };
        record.accounts += 1;
        record.stable += stable;
        record.gap = record.gap.max(shares.gap());
        for (sum, share) in record.shares.iter_mut().zip(&shares.shares) {
            *sum = (sum.0 + share, sum.1 + share.abs());
        }
    }
    Ok(Some(record))
}

#[allow(clippy::cast_possible_truncation)] // A factor next to one.
fn jitter(uniform: f64) -> f32 {
    (1.0 + JITTER * (2.0 * uniform - 1.0)) as f32
}

/// The highest row of each reviewed account up to its review, the earlier one of two alike.
fn on_top(world: &WorldData, scores: &[f32], cases: &[Case]) -> Vec<Option<usize>> {
    let mut best: Vec<Option<usize>> = vec![None; cases.len()];
    for (row, (&case, &decision)) in world.test.case.iter().zip(&world.test.decision).enumerate() {
        let (case, at) = (case as usize, world.meta.decisions[usize::from(decision)]);
        let before = cases[case].reviewed.is_some_and(|reviewed| at <= reviewed.0);
        if before && best[case].is_none_or(|best| scores[row] > scores[best]) {
            best[case] = Some(row);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_move_by_at_most_a_hundredth_and_zero_stays_zero() {
        assert!((jitter(0.0) - 0.99).abs() < 1e-6 && (jitter(1.0) - 1.01).abs() < 1e-6);
        assert!(0.0 * jitter(0.3) == 0.0);
    }
}
