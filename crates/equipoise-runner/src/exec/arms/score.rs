//! How each arm scores the tested accounts: by its models, its trees, or what needs no training.

use super::{Trained, expect};
use crate::config::ArmKind;
use crate::data::{SequenceRows, WorldData};
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use crate::training::codebook;
use equipoise_core::Params;
use equipoise_model::boosted::Boosted;
use equipoise_model::{Steps, Trainer};

/// Scores every test row of a world, in `[0, 1]`.
///
/// # Errors
/// If a model does not fit the rows.
pub(crate) fn score(slice: &ArmSlice, world: &WorldData, trained: &Trained) -> Result<Vec<f32>, Fault> {
    let shown = crate::exec::view::to_score(slice, world);
    let world = &*shown;
    let test = &world.test;
    let columns = world.meta.columns.len();
    match slice.arm {
        ArmKind::ReportsOnly => {
            let score =
                |reports: &u16| equipoise_model::baselines::reports_only_score(u32::from(*reports)).get();
            Ok(test.reports.iter().map(score).collect())
        }
        ArmKind::LiteralRule => Ok(test.rule.clone()),
        ArmKind::PooledLinked => {
            let mut values = Vec::with_capacity(2 * test.values.len());
            for (own, linked) in test.values.chunks(columns).zip(test.linked.chunks(columns)) {
                values.extend_from_slice(own);
                values.extend_from_slice(linked);
            }
            scored(slice, &trained.models[0], 2 * columns, &values)
        }
        _ if trained.models.len().max(trained.trees.len()) > 1 => by_platform(slice, world, trained),
        ArmKind::LocalTrees | ArmKind::FederatedTrees | ArmKind::PooledTrees => {
            by_trees(trained.trees[0].as_ref(), columns, &test.values)
        }
        ArmKind::LocalOnly
        | ArmKind::LocalBinned
        | ArmKind::Federated
        | ArmKind::FederatedLogistic
        | ArmKind::FederatedBinned
        | ArmKind::PooledUnlinked
        | ArmKind::PooledBinned
        | ArmKind::FusedPlain
        | ArmKind::FusedEncrypted => {
            let all: Vec<usize> = (0..test.case.len()).collect();
            ranked(slice, world, &trained.models[0], &all)
        }
    }
}

/// Scores some of the test rows: by their features, or by the events beside them where the model reads those.
fn ranked(slice: &ArmSlice, world: &WorldData, model: &Params, rows: &[usize]) -> Result<Vec<f32>, Fault> {
    let spec = expect(slice.model.as_ref(), "model")?;
    let Some(sequences) = world.sequences.as_ref().filter(|_| spec.reads_sequences()) else {
        let columns = world.meta.columns.len();
        let values: Vec<f32> = rows
            .iter()
            .flat_map(|&row| &world.test.values[row * columns..(row + 1) * columns])
            .copied()
            .collect();
        return scored(slice, model, columns, &values);
    };
    let mut own = SequenceRows::default();
    rows.iter().for_each(|&row| own.push(sequences.test.of(row)));
    let codebook = codebook();
    let trainer = expect(slice.training.as_ref(), "training")?.trainer;
    let mut trainer = Trainer::with(spec, codebook.columns(), trainer).map_err(runtime)?;
    let steps = Steps { codebook, codes: &own.codes, ends: &own.ends };
    trainer.score_sequences(&model.0, &steps).map_err(runtime)
}

fn scored(slice: &ArmSlice, model: &Params, columns: usize, values: &[f32]) -> Result<Vec<f32>, Fault> {
    let mut trainer = Trainer::new(expect(slice.model.as_ref(), "model")?, columns).map_err(runtime)?;
    trainer.score(&model.0, columns, values).map_err(runtime)
}

/// Without rows there is no forest and nothing to rank by: every score is the lowest.
fn by_trees(forest: Option<&Boosted>, columns: usize, values: &[f32]) -> Result<Vec<f32>, Fault> {
    match forest {
        Some(forest) => forest.score(columns, values).map_err(runtime),
        None => Ok(vec![0.0; values.len() / columns]),
    }
}

/// Each platform scores its own accounts with its own model.
fn by_platform(slice: &ArmSlice, world: &WorldData, trained: &Trained) -> Result<Vec<f32>, Fault> {
    let (case, values) = (&world.test.case, &world.test.values);
    let columns = world.meta.columns.len();
    let mut scores = vec![0.0; case.len()];
    for platform in 0..trained.models.len().max(trained.trees.len()) {
        let own: Vec<usize> = (0..case.len())
            .filter(|&row| usize::from(world.cases.platform[case[row] as usize]) == platform)
            .collect();
        let ranking = match trained.trees.get(platform) {
            Some(forest) => {
                let rows = own.iter().flat_map(|&row| &values[row * columns..(row + 1) * columns]);
                by_trees(forest.as_ref(), columns, &rows.copied().collect::<Vec<f32>>())?
            }
            None => ranked(slice, world, &trained.models[platform], &own)?,
        };
        for (row, score) in own.iter().zip(ranking) {
            scores[*row] = score;
        }
    }
    Ok(scores)
}
