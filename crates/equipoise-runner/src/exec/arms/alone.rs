//! Arms without rounds: each set of rows trains by itself, and trees that grow together from summed histograms.

use super::{Setting, Trained, expect, init};
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use crate::training::{ClientRows, Material, ended};
use equipoise_core::{Params, Seed};
use equipoise_federated::Outcome;
use equipoise_model::Trainer;
use equipoise_model::boosted::{Boosted, BoostedSpec};

/// One forest for each set of rows.
pub(super) fn grow(
    slice: &ArmSlice,
    clients: &[ClientRows],
    setting: &Setting<'_>,
) -> Result<Trained, Fault> {
    let spec = BoostedSpec {
        learning_rate: setting.learning_rate,
        ..expect(slice.trees.as_ref(), "trees")?.clone()
    };
    let mut trained = Trained::default();
    for (client, rows) in (0_u64..).zip(clients) {
        let seed = setting.seed.derive("platform", client);
        let forest = if rows.is_empty() {
            None
        } else {
            Some(Boosted::fit(&rows.rows(), &spec, seed).map_err(runtime)?)
        };
        trained.outcomes.push(ended(rows, Ok(1)).map_err(runtime)?.1);
        trained.trees.push(forest);
    }
    Ok(trained)
}

/// One forest from the platforms' summed histograms.
pub(super) fn grow_together(
    slice: &ArmSlice,
    world: &WorldData,
    setting: &Setting<'_>,
) -> Result<Trained, Fault> {
    let spec = BoostedSpec {
        learning_rate: setting.learning_rate,
        ..expect(slice.trees.as_ref(), "trees")?.clone()
    };
    let clients = ClientRows::by_platform(&world.train, world.meta.platforms.len());
    let parts: Vec<_> = clients.iter().map(ClientRows::rows).collect();
    let mut add = |sent: Vec<Vec<i64>>| {
        let mut sent = sent.into_iter();
        let mut sum = sent.next().unwrap_or_default();
        sent.for_each(|words| sum.iter_mut().zip(words).for_each(|(sum, word)| *sum += word));
        Ok(sum)
    };
    // The address of the pooled forest's draws, so that the two are one forest on one binning.
    let seed = setting.seed.derive("platform", 0);
    let (forest, sent) = Boosted::fit_parts(&parts, &spec, seed, &mut add).map_err(runtime)?;
    let outcomes = clients.iter().map(|rows| ended(rows, Ok(1)).map(|(_, outcome)| outcome));
    Ok(Trained {
        trees: vec![Some(forest)],
        histograms: Some(sent),
        outcomes: outcomes.collect::<Result<_, _>>().map_err(runtime)?,
        ..Trained::default()
    })
}

/// As many passes over the rows as a federation makes in all. A model that diverged is the one before any training.
pub(super) fn alone(
    slice: &ArmSlice,
    rows: &ClientRows,
    seed: Seed,
    setting: &Setting<'_>,
) -> Result<(Params, Outcome), Fault> {
    let (model, mut config) =
        (expect(slice.model.as_ref(), "model")?, expect(slice.training.as_ref(), "training")?.clone());
    config.learning_rate = setting.learning_rate;
    let passes = u32::from(config.epochs) * expect(slice.passes, "passes")?;
    config.epochs = u16::try_from(passes)
        .map_err(|_| Fault::Config(format!("rounds: {passes} passes are more than 65,535")))?;
    let start = init(slice, rows.columns, setting.seed)?;
    let mut params = start.clone();
    let mut trainer = Trainer::with(model, rows.columns, config.trainer).map_err(runtime)?;
    let trained = trainer.train(&mut params.0, rows.examples(), &config, seed);
    let (_, outcome) = ended(rows, trained.map(|stats| stats.steps)).map_err(runtime)?;
    Ok((if outcome.takes_part() { params } else { start }, outcome))
}

/// One model a platform: the federation's for its members, and for each platform that abstains the one that it trains alone.
pub(super) fn beside_abstainers(
    slice: &ArmSlice,
    world: &WorldData,
    members: &[u8],
    together: &Params,
    setting: &Setting<'_>,
) -> Result<Vec<Params>, Fault> {
    let material = Material::of(slice.model.as_ref(), world);
    let clients = ClientRows::by_platform(material, world.meta.platforms.len());
    let model = |(p, rows): (usize, &ClientRows)| {
        if members.iter().any(|&member| usize::from(member) == p) {
            return Ok(together.clone());
        }
        alone(slice, rows, setting.seed.derive("platform", p as u64), setting).map(|(model, _)| model)
    };
    clients.iter().enumerate().map(model).collect()
}
