//! How each arm trains (`score`: and scores). An arm sees the training rows of a world and, of the tested accounts, the
//! features; never the truth.

mod alone;
mod mechanism;
mod rounds;
mod score;

pub(super) use mechanism::central;
pub(crate) use mechanism::{mechanism, planned_event};
pub(super) use rounds::{Parts, rounds};
pub(crate) use score::score;

use alone::{alone, beside_abstainers, grow, grow_together};
use mechanism::as_far_as_sealed;

use super::charge::charged;
use crate::config::{ArmKind, PartitionSpec};
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use crate::sums;
use crate::training::{ClientRows, ClippedSums, LocalEpochs, Material};
use equipoise_core::{ClipNorm, Params, Seed};
use equipoise_federated::{Devices, Divisor, FederationState, Outcome, SlotPlan, Stopwatch, TrainerFactory};
use equipoise_model::boosted::{Boosted, Sent};
use equipoise_privacy::{Mechanism, MechanismSpec, NoNoiseSpec, PoissonSampler, PrivacyClaim};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A trained arm.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Trained {
    /// One model a platform; a single one where all share it; none for a reference arm.
    pub models: Vec<Params>,
    /// One forest a platform, or a single one, for an arm that grows trees; none where a platform has no rows.
    pub trees: Vec<Option<Boosted>>,
    /// What growing trees together sent.
    pub histograms: Option<Sent>,
    /// What happened, for a federation.
    pub federation: Option<FederationState>,
    /// How sums were laid out, where updates were hidden.
    pub plan: Option<SlotPlan>,
    /// What may be said about the released model.
    pub claim: Option<PrivacyClaim>,
    /// What the same models promise other units.
    #[serde(default)]
    pub also: Vec<PrivacyClaim>,
    /// What bounding an account's rows left, where they were bounded.
    pub bound: Option<super::BoundRecord>,
    /// How the training of each model ended, for an arm without rounds.
    pub outcomes: Vec<Outcome>,
}

impl Trained {
    /// With what its claim rests on in the claim, where rows were bounded.
    fn bounded(mut self) -> Self {
        let contribution = self.bound.map(|record| record.bound);
        self.claim = self.claim.map(|claim| PrivacyClaim { contribution, ..claim });
        self
    }

    /// Whether every client's training gave finite numbers.
    pub(crate) fn stayed_finite(&self) -> bool {
        let rounds = self.federation.iter().flat_map(|state| &state.history);
        let all = rounds.flat_map(|round| round.outcomes.iter().map(|(_, outcome)| outcome));
        let lost = [Outcome::Diverged, Outcome::NotFinite];
        all.chain(&self.outcomes).all(|outcome| !lost.contains(outcome))
    }
}

/// What training needs besides rows.
pub(crate) struct Setting<'a> {
    /// The address of this training's draws. The same for all arms on one world: common random numbers.
    pub seed: Seed,
    /// The candidate under test, or the one that tuning chose.
    pub learning_rate: f64,
    /// Where rounds are written down, so that a killed run goes on; none while tuning.
    pub checkpoint: Option<&'a Path>,
    /// Who may read a clock.
    pub stopwatch: &'a dyn Stopwatch,
}

impl std::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting").field("learning_rate", &self.learning_rate).finish_non_exhaustive()
    }
}

/// The model before any training.
fn init(slice: &ArmSlice, columns: usize, seed: Seed) -> Result<Params, Fault> {
    let (model, start) = (expect(slice.model.as_ref(), "model")?, expect(slice.start, "start")?);
    Ok(model.init(columns, start.prior, seed.derive("init", 0)))
}

/// Trains an arm on a world.
///
/// # Errors
/// If training fails; a platform that drops out of a round is not a failure.
pub(crate) fn train(slice: &ArmSlice, world: &WorldData, setting: &Setting<'_>) -> Result<Trained, Fault> {
    let shown = super::view::to_train(slice, world);
    let (world, platforms) = (&*shown, world.meta.platforms.len());
    let material = Material::of(slice.model.as_ref(), world);
    match slice.arm {
        ArmKind::ReportsOnly | ArmKind::LiteralRule => Ok(Trained::default()),
        ArmKind::LocalOnly | ArmKind::LocalBinned | ArmKind::FusedPlain | ArmKind::FusedEncrypted => {
            let clients = ClientRows::by_platform(material, platforms);
            let trained = clients
                .iter()
                .enumerate()
                .map(|(p, rows)| alone(slice, rows, setting.seed.derive("platform", p as u64), setting));
            let (models, outcomes) = trained.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            Ok(Trained { models, outcomes, ..Trained::default() })
        }
        ArmKind::PooledUnlinked | ArmKind::PooledLinked | ArmKind::PooledBinned => {
            let linked = slice.arm == ArmKind::PooledLinked;
            let rows = ClientRows::pooled(if linked { (&world.train_linked).into() } else { material });
            let (model, outcome) = alone(slice, &rows, setting.seed, setting)?;
            Ok(Trained { models: vec![model], outcomes: vec![outcome], ..Trained::default() })
        }
        ArmKind::LocalTrees => grow(slice, &ClientRows::by_platform(&world.train, platforms), setting),
        ArmKind::FederatedTrees => grow_together(slice, world, setting),
        ArmKind::PooledTrees => grow(slice, &[ClientRows::pooled(&world.train)], setting),
        ArmKind::Federated | ArmKind::FederatedLogistic | ArmKind::FederatedBinned => {
            federate(slice, world, setting)
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // A loss weight is an f32 in the model.
fn federate(slice: &ArmSlice, world: &WorldData, setting: &Setting<'_>) -> Result<Trained, Fault> {
    let (model, section) =
        (expect(slice.model.as_ref(), "model")?, expect(slice.federation.as_ref(), "federation")?);
    let mut config = expect(slice.training.as_ref(), "training")?.clone();
    let platforms = world.meta.platforms.len();
    let material = Material::of(slice.model.as_ref(), world);
    let columns = material.columns();
    let (len, map) = (model.parameters(columns), section.compression.map());
    let rounding = section.rounding.unwrap_or_default();
    let rows = u32::try_from(world.train.label.len()).unwrap_or(u32::MAX);
    let count = section.partition.clients(u32::try_from(platforms).unwrap_or(u32::MAX), rows);
    let mut dealt = section.partition.deal(&world.train, setting.seed);
    let bounded = slice.privacy.as_ref().and_then(crate::config::PrivacySection::contribution);
    let bounded = bounded.map(|bound| super::bound::keep(bound, &world.train, &world.reads)).transpose()?;
    if let Some((kept, _)) = &bounded {
        dealt.iter_mut().zip(kept).filter(|(_, kept)| !**kept).for_each(|(client, _)| *client = u32::MAX);
    }
    // Of the accounts that might have had rows, only those that have some are clients.
    let count = if section.partition.is_natural() || section.partition.members().is_some() {
        count
    } else {
        count.min(1 + dealt.iter().max().unwrap_or(&0))
    };
    let clients = |positive| ClientRows::dealt(material, dealt.iter().copied(), count as usize, positive);
    let Some(privacy) = &slice.privacy else {
        config.learning_rate = setting.learning_rate;
        let spec = sums::averaged(
            map.sent(len * section.local.rule().sends()),
            count,
            section.weight_levels,
            section.quantizer,
        );
        let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().map_err(runtime)?;
        let start = init(slice, columns, setting.seed)?;
        let (mechanism, quantizer) = (mechanism.as_ref(), section.quantizer);
        let run = |trainers: &dyn TrainerFactory| {
            let parts = Parts { trainers, spec, mechanism, divisor: Divisor::Weights, quantizer };
            rounds(slice, start, &parts, setting)
        };
        let mut trained = if let Some(devices) = section.partition.devices() {
            let owners = PartitionSpec::platforms_of(&world.train, &dealt, platforms);
            let held = owners.last().map_or(0, |own| own.end) as usize;
            let clients = ClientRows::dealt(material, dealt.iter().copied(), held, 1.0);
            let inner = LocalEpochs::new(model, config, &clients, devices.weight_levels);
            let how = (quantizer, rounding, section.update_clip);
            run(&Devices::new(&inner, owners, *devices, section.weight_levels, how))?
        } else {
            let clients = clients(1.0);
            run(&LocalEpochs::new(model, config, &clients, section.weight_levels))?
        };
        if let Some(members) = section.partition.members() {
            trained.models = beside_abstainers(slice, world, members, &trained.models[0], setting)?;
        }
        return Ok(trained);
    };
    let clients = clients(config.positive_weight as f32);
    let sampler = PoissonSampler::new(privacy.sampling_rate);
    if let Some(steps) = privacy.local_steps() {
        let start = init(slice, columns, setting.seed)?;
        let mut trained =
            super::local::federate(slice, privacy, steps, &clients, (start, map.sent(len)), setting)?;
        trained.bound = bounded.map(|(_, record)| record);
        return Ok(trained.bounded());
    }
    let trainers = ClippedSums { spec: model, clients: &clients, clip: privacy.clip_norm, sampler };
    let quantizer = sums::private_quantizer(privacy);
    let charged_norm = |rows: &ClientRows| crate::training::charged(privacy.clip_norm, rows).get();
    let clip_norm = clients.iter().map(charged_norm).fold(privacy.clip_norm.get(), f64::max);
    let clip_norm = ClipNorm::new(clip_norm).map_err(runtime)?;
    let minimum = section.cohort.minimum;
    let on_platforms = sums::noise_on_platforms(privacy, clip_norm, minimum, map.sent(len), count);
    let (mechanism, room): (Box<dyn Mechanism>, _) = match on_platforms.map_err(Fault::Config)? {
        Some((noise, room)) => (Box::new(noise), room),
        None => match super::contacts::mechanism(privacy, world.meta.decisions.len())? {
            Some(aggregated) => (Box::new(aggregated), quantizer),
            None => (mechanism(privacy)?, quantizer),
        },
    };
    let expected: f64 = clients.iter().map(|client| sampler.expected(client.len())).sum();
    let parts = Parts {
        trainers: &trainers,
        spec: sums::private(map.sent(len), count, &room),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Fixed(expected),
        quantizer,
    };
    let mut trained = rounds(slice, init(slice, columns, setting.seed)?, &parts, setting)?;
    let history = trained.federation.as_ref().map_or(&[][..], |state| &state.history);
    let of = |unit| charged(mechanism.as_ref(), unit, privacy.rounds, history);
    let claim = of(privacy.promised());
    trained.also = privacy.promised_beside().iter().filter_map(|&unit| of(unit)).collect();
    let claim = claim.map(|claim| as_far_as_sealed(claim, slice.aggregation.as_ref()));
    trained.claim = claim;
    trained.bound = bounded.map(|(_, record)| record);
    Ok(trained.bounded())
}

/// A plan that this program made has what its arms need; one that was edited by hand may not.
pub(super) fn expect<T>(part: Option<T>, what: &str) -> Result<T, Fault> {
    part.ok_or_else(|| {
        Fault::Config(format!("the plan's arm has no {what}; make the plan again from its experiment file"))
    })
}
