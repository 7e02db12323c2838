//! What orders the review queue: the public rule, or the model of an experiment's arm, trained before the loop begins.
//!
//! The model is trained on the platforms' past: a world of its own with the same specification, without measures, rows and labels
//! as the experiment says. In the loop each platform scores its own accounts from its own events; a fused arm then applies its
//! public function, and each platform gets the function's value back and keeps its own score. The step size is chosen
//! beforehand, not tuned. Scores stay frozen unless the file lets them be trained again (`retrain`).

use super::file::PolicyFile;
use super::learner::{Learner, Retrain};
use crate::config::{self, ArmKind};
use crate::data::{CaseRows, Reads, TestRows, TrainRows, WorldData, WorldMeta};
use crate::exec::{Setting, make_world, score_arm, train_arm};
use crate::fault::{Fault, config as bad, runtime};
use crate::plan::{ArmSlice, WorldRole, WorldSlice, slice};
use equipoise_core::{
    AccountId, AccountProfile, AccountRef, Event, EventSink, KnownLabel, PlatformId, PlatformView, RiskScore,
    ScoreSource, Seed, Silent, SimTime,
};
use equipoise_encrypted::fusion::ScoreGrid;
use equipoise_features::{FeatureStream, RowBlock};
use equipoise_federated::Untimed;
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What orders the queue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum ScoreSection {
    /// The public rule on contacts, blocks and reports.
    Rule {},
    /// A trained model.
    Model(ModelScore),
}

/// Whose model, and how it is trained.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ModelScore {
    /// The experiment whose features, protocol, model and federation these are, beside this file.
    pub(crate) on: PathBuf,
    /// Keys of that file that are set otherwise, as with `--set`.
    pub(crate) set: Vec<String>,
    /// Which arm of it.
    pub(crate) arm: ArmKind,
    /// Step size of training, chosen beforehand; with a finite epsilon the server's.
    pub(crate) learning_rate: f64,
    /// Whether the loop trains it again.
    pub(crate) retrain: Retrain,
}

/// Everything that training reads.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(super) slice: ArmSlice,
    /// The platforms' past; one a seed.
    past: WorldSlice,
    learning_rate: f64,
    retrain: Retrain,
}

impl Recipe {
    /// Holds a score against the experiment that it comes from. `places`: the folder of the policy file, and the world file.
    ///
    /// # Errors
    /// Names the key.
    pub(crate) fn new(
        score: &ModelScore,
        file: &PolicyFile,
        places: (&Path, &Path),
        world: &WorldSpec,
    ) -> Result<Self, Fault> {
        let wrong = |key: &str, why: String| bad(format!("score.model.{key}: {why}"));
        let at = places.0.join(&score.on);
        let loaded = config::load(&at, &score.set)?;
        if loaded.points.len() != 1 {
            let why = format!(
                "`{}` has {} points; name one value of each axis in `set`",
                at.display(),
                loaded.points.len()
            );
            return Err(wrong("on", why));
        }
        let experiment = loaded.first();
        let theirs = at.parent().unwrap_or_else(|| Path::new(".")).join(&experiment.world.dataset);
        if std::fs::canonicalize(&theirs).ok() != std::fs::canonicalize(places.1).ok() {
            let why = format!(
                "it is about {}, this file about {}; a score is trained on worlds of the kind that it meets",
                theirs.display(),
                places.1.display()
            );
            return Err(wrong("on", why));
        }
        let arm = score.arm;
        if !arm.trains() || arm == ArmKind::PooledLinked || experiment.model.reads_sequences() {
            let why = "use an arm that trains a model over rows of one account: `local-only`, `federated`, `fused-plain`, ...";
            return Err(wrong("arm", why.into()));
        }
        if experiment.privacy.sums_over_contacts() {
            return Err(wrong(
                "on",
                "noised sums over contacts are released for the rows of a run, not at every turn of a loop; use another `privacy.unit`"
                    .into(),
            ));
        }
        if arm.fuses() && experiment.fusion.is_none() {
            return Err(wrong("arm", format!("`{}` has no section [fusion]", at.display())));
        }
        if !(score.learning_rate.is_finite() && score.learning_rate > 0.0) {
            return Err(wrong("learning-rate", format!("must be above 0, got {}", score.learning_rate)));
        }
        if !file.world.abstain.is_empty() {
            return Err(wrong(
                "arm",
                "world.abstain must be empty: a platform without measures trains nothing".into(),
            ));
        }
        if experiment.privacy.sums_over_contacts() {
            let why = "its privacy.unit needs noised sums over contacts, which the loop does not make; set privacy.unit to \"row\"";
            return Err(wrong("on", why.into()));
        }
        score.retrain.check(experiment).map_err(|why| wrong("retrain", why))?;
        let mut past = world.clone();
        past.days = experiment.world.days;
        past.validate().map_err(|error| wrong("on", error.to_string()))?;
        let slice = slice(arm, experiment, world);
        let past = WorldSlice {
            world: past,
            features: experiment.features,
            protocol: experiment.protocol.clone(),
            seed: file.experiment.seed,
            role: WorldRole::Development,
            index: 0,
            sequences: false,
            tokens: false,
            contacts: false,
        };
        Ok(Self { slice, past, learning_rate: score.learning_rate, retrain: score.retrain })
    }

    /// What tells a training from others: equal addresses give equal models on one seed.
    pub(crate) fn address(&self) -> String {
        serde_json::to_string(&(&self.slice, &self.past, self.learning_rate)).unwrap_or_default()
    }
}

/// A score that was trained on one seed's past.
pub(crate) struct Prepared {
    pub(super) meta: WorldMeta,
    pub(super) trained: crate::exec::Trained,
    grids: Vec<ScoreGrid>,
    seed: Seed,
    /// What training sent to the server.
    updates: (u64, u64),
}

/// Trains a score for one seed.
///
/// # Errors
/// If the past cannot be simulated, or nothing is learned from it.
pub(crate) fn prepare(recipe: &Recipe, number: u16) -> Result<Prepared, Fault> {
    let past = make_world(&WorldSlice { index: u32::from(number), ..recipe.past.clone() }, &Silent)?;
    let seed = Seed::root(recipe.past.seed).derive("policy-training", u64::from(number));
    let world = recipe.slice.schema.unwrap_or_default().view(&past);
    let trained = recipe.train(&world, seed)?;
    if !trained.stayed_finite() {
        return Err(bad(format!(
            "score.model.learning-rate: training with {} diverged on seed {number}; try a smaller one",
            recipe.learning_rate
        )));
    }
    let grids = match recipe.slice.fusion {
        Some(_) => grids(recipe, &world, &score_arm(&recipe.slice, &world, &trained)?)?,
        None => Vec::new(),
    };
    let rounds = trained.federation.iter().flat_map(|state| &state.history);
    let updates = rounds.fold((0, 0), |(updates, bytes), round| {
        (updates + round.cohort.clients.len() as u64, bytes + round.wire.upload_bytes)
    });
    Ok(Prepared { meta: past.meta.clone(), trained, grids, seed, updates })
}

impl Recipe {
    /// One training.
    ///
    /// # Errors
    /// If it fails.
    pub(super) fn train(&self, world: &WorldData, seed: Seed) -> Result<crate::exec::Trained, Fault> {
        let setting =
            Setting { seed, learning_rate: self.learning_rate, checkpoint: None, stopwatch: &Untimed };
        train_arm(&self.slice, world, &setting)
    }
}

/// Each platform's grid, cut on its own scores.
fn grids(recipe: &Recipe, world: &WorldData, scores: &[f32]) -> Result<Vec<ScoreGrid>, Fault> {
    let levels = recipe.slice.fusion.as_ref().map_or(2, |section| section.levels);
    let mut samples: Vec<Vec<f32>> = vec![Vec::new(); world.meta.platforms.len()];
    for (case, score) in world.test.case.iter().zip(scores) {
        samples[usize::from(world.cases.platform[*case as usize])].push(*score);
    }
    samples.iter().map(|sample| ScoreGrid::of_upper_tail(sample, levels).map_err(runtime)).collect()
}

/// What others than the account's own platform were sent for the score's sake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Revealed {
    /// Model updates, and their bytes as they were sealed.
    pub(crate) updates: u64,
    pub(crate) update_bytes: u64,
    /// Different accounts whose pseudonym a server holds.
    pub(crate) pseudonyms: u64,
    /// Values that were opened, all decisions.
    pub(crate) openings: u64,
    /// Scores that a server reads in the clear: those of `fused-plain`.
    pub(crate) scores_read: u64,
    /// Models that were trained again in the loop.
    pub(crate) retrained: u64,
}

/// A trained score in the loop.
pub(crate) struct ModelSource<'a> {
    recipe: &'a Recipe,
    prepared: &'a Prepared,
    streams: Vec<FeatureStream>,
    profiles: Vec<Vec<AccountProfile>>,
    tokens: &'a [Vec<u64>],
    learner: Option<Learner>,
    /// The model that the loop trained last.
    newer: Option<(crate::exec::Trained, Vec<ScoreGrid>)>,
    /// The decision that `ready` is of.
    decision: Option<SimTime>,
    ready: Vec<Vec<(AccountId, RiskScore)>>,
    named: BTreeSet<AccountRef>,
    revealed: Revealed,
    error: Option<Fault>,
}

impl<'a> ModelSource<'a> {
    /// A score that has heard nothing of this world yet: how it is trained, and what came of it. `harmful` is read by oracle labels
    /// alone.
    ///
    /// # Errors
    /// If the features cannot be computed on these platforms.
    pub(crate) fn new(
        (recipe, prepared): (&'a Recipe, &'a Prepared),
        views: &[PlatformView],
        tokens: &'a [Vec<u64>],
        harmful: &[Vec<bool>],
    ) -> Result<Self, Fault> {
        let features = &recipe.past.features;
        let streams: Result<Vec<_>, _> =
            views.iter().map(|view| FeatureStream::new(view, features)).collect();
        Ok(Self {
            recipe,
            prepared,
            streams: streams.map_err(runtime)?,
            profiles: views.iter().map(|view| view.profiles.clone()).collect(),
            tokens,
            learner: Learner::new(recipe.retrain, prepared.seed, harmful),
            newer: None,
            decision: None,
            ready: vec![Vec::new(); views.len()],
            named: BTreeSet::new(),
            revealed: Revealed {
                updates: prepared.updates.0,
                update_bytes: prepared.updates.1,
                ..Revealed::default()
            },
            error: None,
        })
    }

    /// What was revealed; the first error, if any.
    ///
    /// # Errors
    /// The first thing that went wrong in the loop.
    pub(crate) fn finish(self) -> Result<Revealed, Fault> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Revealed { pseudonyms: self.named.len() as u64, ..self.revealed }),
        }
    }

    /// The rows of all accounts that exist now.
    fn snapshot(&self) -> Vec<RowBlock> {
        let rows = |stream: &FeatureStream| stream.snapshot(&stream.existing(stream.until()));
        self.streams.iter().map(rows).collect()
    }

    fn decide(&mut self, now: SimTime) -> Result<(), Fault> {
        let blocks = self.snapshot();
        let recipe = self.recipe;
        if let Some(learner) = &mut self.learner
            && let Some(rows) = learner.due(&blocks, now)
        {
            let world = self.prepared.world(rows, now);
            let world = recipe.slice.schema.unwrap_or_default().view(&world);
            let trained = recipe.train(&world, learner.seed())?;
            // A training that diverged changes nothing: the platform keeps the model that it has.
            if trained.stayed_finite() {
                let rounds = trained.federation.iter().flat_map(|state| &state.history);
                for round in rounds {
                    self.revealed.updates += round.cohort.clients.len() as u64;
                    self.revealed.update_bytes += round.wire.upload_bytes;
                }
                self.revealed.retrained += 1;
                let cut = match recipe.slice.fusion {
                    Some(_) => {
                        let shown = self.prepared.shown(&blocks, now, None);
                        let shown = recipe.slice.schema.unwrap_or_default().view(&shown);
                        grids(recipe, &shown, &score_arm(&recipe.slice, &shown, &trained)?)?
                    }
                    None => Vec::new(),
                };
                self.newer = Some((trained, cut));
            }
        }
        let shown = self.prepared.shown(&blocks, now, recipe.slice.fusion.is_some().then_some(self.tokens));
        let shown = recipe.slice.schema.unwrap_or_default().view(&shown);
        let (trained, cut) = match &self.newer {
            Some((trained, grids)) => (trained, grids),
            None => (&self.prepared.trained, &self.prepared.grids),
        };
        let own = score_arm(&recipe.slice, &shown, trained)?;
        let scores = match &recipe.slice.fusion {
            Some(section) => {
                let fused = crate::exec::fuse_scores(section, &shown, cut, &own, &Untimed)?;
                self.revealed.openings += fused.openings;
                if section.design == (equipoise_encrypted::fusion::FusionDesign::Plain {}) {
                    self.revealed.scores_read += fused.sent;
                }
                let case = |at: usize| AccountRef {
                    platform: PlatformId(shown.cases.platform[at]),
                    account: AccountId(shown.cases.account[at]),
                };
                self.named.extend((0..shown.cases.platform.len()).map(case));
                fused.scores
            }
            None => own,
        };
        self.ready.iter_mut().for_each(Vec::clear);
        for ((platform, account), score) in shown.cases.platform.iter().zip(&shown.cases.account).zip(scores)
        {
            self.ready[usize::from(*platform)].push((AccountId(*account), RiskScore::new(score)));
        }
        Ok(())
    }
}

impl Prepared {
    /// Rows to decide on, one case each.
    fn shown(&self, blocks: &[RowBlock], now: SimTime, tokens: Option<&[Vec<u64>]>) -> WorldData {
        let (mut test, mut cases) = (TestRows::default(), CaseRows::default());
        let mut names = Vec::new();
        for (platform, block) in (0_u8..).zip(blocks) {
            for account in &block.accounts {
                test.case.push(u32::try_from(cases.platform.len()).unwrap_or(u32::MAX));
                cases.platform.push(platform);
                cases.account.push(account.0);
                names.extend(tokens.map(|tokens| tokens[usize::from(platform)][account.index()]));
            }
            test.values.extend_from_slice(&block.values);
        }
        let rows = test.case.len();
        test.decision = vec![0; rows];
        test.linked = vec![0.0; test.values.len()];
        test.reports = vec![0; rows];
        test.rule = vec![0.0; rows];
        WorldData { test, cases, tokens: tokens.map(|_| names), ..self.world(TrainRows::default(), now) }
    }

    /// A world with nothing but rows to train on.
    fn world(&self, train: TrainRows, now: SimTime) -> WorldData {
        WorldData {
            meta: WorldMeta { decisions: vec![now.0], ..self.meta.clone() },
            train,
            train_linked: TrainRows { columns: 2 * self.meta.columns.len(), ..TrainRows::default() },
            test: TestRows::default(),
            cases: CaseRows::default(),
            sequences: None,
            reads: Reads::default(),
            tokens: None,
            contacts: None,
        }
    }
}

impl EventSink for ModelSource<'_> {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        let profiles = &mut self.profiles[platform.index()];
        let mut made = false;
        // An account that an actor makes on the way shows itself by its first event.
        for event in events {
            let profile = &mut profiles[event.actor.index()];
            if profile.created.0 == i32::MAX {
                (profile.created, made) = (event.time, true);
            }
        }
        let stream = &mut self.streams[platform.index()];
        if made {
            stream.refresh(profiles);
        }
        stream.observe(until, events);
    }
}

impl ScoreSource for ModelSource<'_> {
    fn scores(&mut self, platform: PlatformId, now: SimTime) -> Vec<(AccountId, RiskScore)> {
        if self.error.is_none() && self.decision != Some(now) {
            self.decision = Some(now);
            self.error = self.decide(now).err();
        }
        if self.error.is_some() { Vec::new() } else { self.ready[platform.index()].clone() }
    }

    fn knows(&mut self, platform: PlatformId, labels: &[KnownLabel], now: SimTime) {
        if let Some(learner) = &mut self.learner {
            learner.knows(platform, labels, now);
        }
    }

    fn decided(&mut self, account: AccountRef, upheld: bool, opened_at: SimTime) {
        if let Some(learner) = &mut self.learner {
            learner.decided(account, upheld, opened_at);
        }
    }
}
