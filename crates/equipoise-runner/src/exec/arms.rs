//! How each arm trains (`score`: and scores). An arm sees the training rows of a world and, of the tested accounts, the
//! features; never the truth.

mod score;

pub(crate) use score::score;

use super::charge::charged;
use crate::config::{AggregationSpec, ArmKind, PartitionSpec};
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use crate::sums;
use crate::training::{ClientRows, ClippedSums, LocalEpochs, Material, ended};
use equipoise_attack::PoisonSpec;
use equipoise_core::{ClipNorm, Params, Seed};
use equipoise_federated::{
    Aggregation, Devices, Divisor, Federation, FederationState, Outcome, SlotPlan, Stopwatch, TrainerFactory,
    VectorSpec,
};
use equipoise_model::Trainer;
use equipoise_model::boosted::{Boosted, BoostedSpec, Sent};
use equipoise_privacy::{
    Adversary, CentralGaussianSpec, DpEvent, Mechanism, MechanismSpec, NoNoiseSpec, NoiseLevel,
    PoissonSampler, PrivacyClaim, Quantizer,
};
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

/// One forest for each set of rows.
fn grow(slice: &ArmSlice, clients: &[ClientRows], setting: &Setting<'_>) -> Result<Trained, Fault> {
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
fn grow_together(slice: &ArmSlice, world: &WorldData, setting: &Setting<'_>) -> Result<Trained, Fault> {
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
fn alone(
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

/// One model a platform: the federation's for its members, and for each platform that abstains the one that it trains alone.
fn beside_abstainers(
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

/// Shares of noise hide a sum from the aggregator; an update that it reads by itself has its own share alone, so that under a sum in the
/// clear the promise holds for recipients of the model and for nobody closer.
fn as_far_as_sealed(mut claim: PrivacyClaim, aggregation: Option<&AggregationSpec>) -> PrivacyClaim {
    let reads =
        |scheme: &equipoise_encrypted::SchemeSpec| scheme.build().leakage().server_reads_single_updates();
    let clear = matches!(aggregation, Some(AggregationSpec::Hidden(scheme)) if reads(scheme));
    if claim.integer.is_some() && clear {
        claim.adversary = Adversary::ReleasedModel;
        claim.not_protected[0] =
            "the aggregator's view: it reads every update, with that platform's own share alone".into();
    }
    claim
}

/// What a section's mechanism does in a step, and before the first one, where accounts are scored on so many decisions. For people who
/// look at a plan; noise that platforms add depends on the model and is not known here.
///
/// # Errors
/// If no noise gives the epsilon.
pub(crate) fn planned_event(
    privacy: &crate::config::PrivacySection,
    decisions: usize,
) -> Result<DpEvent, Fault> {
    if let Some(steps) = privacy.local_steps() {
        return Ok(super::local::noise(privacy, steps)?.event());
    }
    match super::contacts::mechanism(privacy, decisions)? {
        Some(sums) => Ok(DpEvent::Compose(sums.before_steps().into_iter().chain([sums.event()]).collect())),
        None => Ok(mechanism(privacy)?.event()),
    }
}

/// The mechanism of a privacy section whose noise comes to the opened sum, calibrated to the epsilon.
///
/// # Errors
/// If no noise gives that epsilon, or platforms add it, which depends on how many there are.
pub(crate) fn mechanism(privacy: &crate::config::PrivacySection) -> Result<Box<dyn Mechanism>, Fault> {
    if privacy.noise.is_some_and(|noise| noise.on_platforms().is_some() || noise.in_local_steps().is_some()) {
        let why =
            "noise: only runs know noise that platforms add; take the key away or say `central-gaussian`";
        return Err(Fault::Config(why.into()));
    }
    if privacy.sums_over_contacts() {
        let why = "unit: only runs know noised sums over contacts; use `row` or `account-fixed-graph`";
        return Err(Fault::Config(why.into()));
    }
    let spec = CentralGaussianSpec {
        clip_norm: privacy.clip_norm,
        sampling_rate: privacy.sampling_rate,
        noise: NoiseLevel::Epsilon(privacy.epsilon),
        delta: privacy.delta,
        steps: privacy.rounds,
        rows_per_account: privacy.rows_per_account(),
    };
    MechanismSpec::CentralGaussian(spec).build().map_err(runtime)
}

pub(super) struct Parts<'a> {
    pub(super) trainers: &'a dyn TrainerFactory,
    pub(super) spec: VectorSpec,
    pub(super) mechanism: &'a dyn Mechanism,
    pub(super) divisor: Divisor,
    pub(super) quantizer: Quantizer,
}

pub(super) fn rounds(
    slice: &ArmSlice,
    params: Params,
    parts: &Parts<'_>,
    setting: &Setting<'_>,
) -> Result<Trained, Fault> {
    let section = expect(slice.federation.as_ref(), "federation")?;
    let scheme = match expect(slice.aggregation.as_ref(), "aggregation")? {
        AggregationSpec::Hidden(scheme) => Ok(scheme.build()),
        AggregationSpec::Visible(rule) => Err(rule),
    };
    let aggregation = match (&scheme, section.compression.sparsifier()) {
        (Ok(scheme), _) => Aggregation::Hidden(scheme.session(&parts.spec).map_err(runtime)?),
        (Err(rule), None) => Aggregation::Visible(rule.rule()),
        (Err(rule), Some(choice)) => Aggregation::Chosen(rule.rule(), choice),
    };
    // With a guarantee, the tuned rate is the server's: platforms take one clipped step and have none of their own.
    let one_step = slice.privacy.as_ref().is_some_and(|privacy| privacy.local_steps().is_none());
    let server = if one_step {
        section.server.with_learning_rate(setting.learning_rate)
    } else {
        section.server.clone()
    };
    let poison = section.poison.as_ref().map(PoisonSpec::attack);
    let tamper = |update, seed| match poison {
        Some(attack) => attack.tamper(update, &parts.quantizer, seed),
        None => update,
    };
    let mut federation = Federation {
        trainers: parts.trainers,
        local: section.local.rule(),
        compression: section.compression.map(),
        schedule: section.schedule,
        tamper: section.poison.is_some().then_some(&tamper),
        cohorts: section.cohort,
        quantizer: parts.quantizer,
        rounding: section.rounding.unwrap_or_default(),
        update_clip: section.update_clip,
        aggregation,
        mechanism: parts.mechanism,
        divisor: parts.divisor,
        server: server.optimizer(),
        seed: setting.seed.derive("federation", 0),
        stopwatch: setting.stopwatch,
    };
    federation.check().map_err(runtime)?;
    let mut state =
        super::checkpoint::read(setting.checkpoint)?.unwrap_or_else(|| FederationState::new(params));
    let mut keeper = super::checkpoint::Keeper::new(setting.checkpoint);
    while state.round < section.rounds {
        state = federation.step(state).map_err(runtime)?;
        keeper.keep(&state)?;
    }
    let rule = section.local.rule();
    let models = if rule.personal() {
        let (layers, none) = (parts.trainers.layers(), Vec::new());
        let own = |client| state.kept.get(&client).unwrap_or(&none);
        let model = |client| Params(rule.own_model(&state.params.0, own(client), &layers));
        (0..parts.trainers.clients()).map(model).collect()
    } else {
        vec![state.params.clone()]
    };
    Ok(Trained { models, plan: federation.plan().cloned(), federation: Some(state), ..Trained::default() })
}

/// A plan that this program made has what its arms need; one that was edited by hand may not.
pub(super) fn expect<T>(part: Option<T>, what: &str) -> Result<T, Fault> {
    part.ok_or_else(|| {
        Fault::Config(format!("the plan's arm has no {what}; make the plan again from its experiment file"))
    })
}
