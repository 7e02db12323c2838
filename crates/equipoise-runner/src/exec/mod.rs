//! Units, executed: each is idempotent, writes a directory of its own and is finished by one rename.

mod arms;
mod bare;
mod bound;
mod calibrate;
mod charge;
mod checkpoint;
pub(crate) mod claim;
mod explain;
mod fuse;
mod kept;
mod release;
mod review;
mod trial;
mod tune;
mod view;
mod world;

pub(crate) use arms::{Setting, Trained, mechanism, score as score_arm, train as train_arm};
pub use bare::bare;
pub use bound::BoundRecord;
pub(crate) use bound::keep as bounded_rows;
pub use calibrate::CalibrationRecord;
pub(crate) use calibrate::METRICS as CALIBRATION_METRICS;
pub use explain::ExplanationRecord;
pub use fuse::FusionRecord;
pub(crate) use fuse::in_loop as fuse_scores;
pub use release::ReleasedRecall;
pub(crate) use review::cases as reviewed_cases;
pub use trial::{TrialRecord, read_cases, read_trial};
pub use tune::TuneRecord;
pub(crate) use world::make as make_world;
pub(crate) use world::{Told, make_told};

use crate::clock::Clock;
use crate::data::{Tested, WorldData};
use crate::fault::{Fault, runtime};
use crate::plan::{Plan, Stage, Unit, Work};
use equipoise_core::{Observer, RunEvent};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Worlds that are made at the same time, and worlds that are kept in memory: what bounds the memory of a run.
const WORLDS_AT_ONCE: usize = 2;

/// Where a run lives and who listens.
pub struct Context<'a> {
    /// The frozen experiment.
    pub plan: &'a Plan,
    /// `runs/<name>-<id>`.
    pub run: PathBuf,
    /// `runs/cache`.
    pub cache: PathBuf,
    /// Who hears about progress.
    pub observer: &'a dyn Observer,
    /// Who may read a clock.
    pub clock: Clock,
    /// Units that this process computed, and did not find finished.
    pub computed: AtomicU64,
    /// Trainings that this process did, and did not find kept.
    pub trained: AtomicU64,
    loaded: Mutex<VecDeque<(String, Arc<WorldData>)>>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("run", &self.run).finish_non_exhaustive()
    }
}

impl<'a> Context<'a> {
    /// The places of a plan below `runs`.
    #[must_use]
    pub fn new(plan: &'a Plan, runs: &Path, observer: &'a dyn Observer) -> Self {
        let run = crate::rundir::run_dir(runs, plan);
        let (cache, clock, computed) = (runs.join("cache"), Clock::new(), AtomicU64::new(0));
        Self {
            plan,
            run,
            cache,
            observer,
            clock,
            computed,
            trained: AtomicU64::new(0),
            loaded: Mutex::default(),
        }
    }

    /// Where a unit's results lie, or will.
    #[must_use]
    pub fn dir(&self, unit: &Unit) -> PathBuf {
        match unit.stage {
            Stage::World => self.cache.join("world").join(&unit.id),
            Stage::Tune | Stage::Trial => self.run.join("units").join(&unit.id),
        }
    }

    /// Where claims lie.
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.cache.join("locks")
    }

    /// Whether a unit is finished and its files are whole.
    #[must_use]
    pub fn is_done(&self, unit: &Unit) -> bool {
        equipoise_store::is_done(&self.dir(unit))
    }

    /// A world, from memory or disk.
    ///
    /// # Errors
    /// If it was not made, or its files are damaged.
    pub fn world(&self, id: &str) -> Result<Arc<WorldData>, Fault> {
        let mut loaded = self.loaded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, world)) = loaded.iter().find(|(name, _)| name == id) {
            return Ok(Arc::clone(world));
        }
        let dir = self.cache.join("world").join(id);
        let world = Arc::new(WorldData::read(&dir).map_err(|error| damaged(&dir, &error))?);
        keep(&mut loaded, id, &world);
        Ok(world)
    }

    /// What a report needs of a world, from disk.
    ///
    /// # Errors
    /// As [`Self::world`].
    pub fn tested(&self, id: &str) -> Result<Tested, Fault> {
        let dir = self.cache.join("world").join(id);
        Tested::read(&dir).map_err(|error| damaged(&dir, &error))
    }

    /// Keeps a world that was just made, so that nobody has to read it.
    fn keep(&self, id: &str, world: WorldData) {
        let mut loaded = self.loaded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        keep(&mut loaded, id, &Arc::new(world));
    }

    /// The unit with this id.
    ///
    /// # Errors
    /// If the plan has none.
    pub fn unit(&self, id: &str) -> Result<&Unit, Fault> {
        self.plan
            .units
            .iter()
            .find(|unit| unit.id == id)
            .ok_or_else(|| Fault::Config(format!("the plan has no unit `{id}`; make it again")))
    }
}

/// Remembers a world in place of the one that was remembered first.
fn keep(loaded: &mut VecDeque<(String, Arc<WorldData>)>, id: &str, world: &Arc<WorldData>) {
    if loaded.len() >= WORLDS_AT_ONCE {
        loaded.pop_front();
    }
    loaded.push_back((id.to_owned(), Arc::clone(world)));
}

fn damaged(dir: &Path, error: &equipoise_store::StoreError) -> Fault {
    let error = format!("{:#}", anyhow::Error::msg(error.to_string()));
    Fault::Runtime(format!("{error}\n  mend: remove {} and run again; it is computed anew", dir.display()))
}

/// Executes one unit, unless it is finished; waits for another runner that is at it. Says whether there was anything to do.
///
/// # Errors
/// If what it needs is missing, or the work fails; then nothing half-written stays in its place.
pub fn execute(context: &Context<'_>, unit: &Unit) -> Result<bool, Fault> {
    if context.is_done(unit) {
        return Ok(false);
    }
    let _claim = claim::claim(&context.locks(), &unit.id)?;
    claimed(context, unit)
}

/// The same, without waiting: `None` while another runner is at it.
fn execute_if_free(context: &Context<'_>, unit: &Unit) -> Result<Option<bool>, Fault> {
    if context.is_done(unit) {
        return Ok(Some(false));
    }
    let Some(_claim) = claim::try_claim(&context.locks(), &unit.id)? else { return Ok(None) };
    claimed(context, unit).map(Some)
}

/// Executes a unit that this process has claimed.
fn claimed(context: &Context<'_>, unit: &Unit) -> Result<bool, Fault> {
    let dir = context.dir(unit);
    if equipoise_store::is_done(&dir) {
        return Ok(false);
    }
    for need in &unit.needs {
        let need = context.unit(need)?;
        if !context.is_done(need) {
            return Err(Fault::Config(format!(
                "unit {} ({}) needs unit {} ({}) first",
                unit.id, unit.label, need.id, need.label
            )));
        }
    }
    if dir.exists() {
        // A directory without a marker is what an interrupted copy or a careless hand left behind.
        std::fs::remove_dir_all(&dir).map_err(|error| io(&dir, &error))?;
    }
    let parent = dir.parent().unwrap_or(&dir);
    std::fs::create_dir_all(parent).map_err(|error| io(parent, &error))?;
    let scratch = equipoise_store::scratch_dir(&dir).map_err(runtime)?;
    let found = unit.stage != Stage::World && kept::taken_over(context, unit, &scratch)?;
    let worked =
        if found { Ok(()) } else { context.clock.stage(unit.stage, || work(context, unit, &scratch)) };
    let worked = worked.and_then(|()| {
        equipoise_store::finish_dir(&scratch).map_err(runtime)?;
        equipoise_store::publish_dir(&scratch, &dir).map_err(runtime)
    });
    if let Err(fault) = worked {
        let _ = std::fs::remove_dir_all(&scratch);
        return Err(fault);
    }
    let checkpoint = checkpoint_path(context, unit);
    let _ = std::fs::remove_file(&checkpoint);
    let _ = std::fs::remove_dir_all(fusion_path(&checkpoint));
    context.computed.fetch_add(u64::from(!found), Ordering::Relaxed);
    Ok(!found)
}

fn io(path: &Path, error: &std::io::Error) -> Fault {
    Fault::Runtime(format!(
        "{}: {error}; free space, check the rights, or choose another --runs",
        path.display()
    ))
}

fn checkpoint_path(context: &Context<'_>, unit: &Unit) -> PathBuf {
    context.run.join("checkpoints").join(format!("{}.json", unit.id))
}

/// Where a trial's fusion keeps what must outlive a kill: keys and records, until the trial is done.
fn fusion_path(checkpoint: &Path) -> PathBuf {
    checkpoint.with_extension("fusion")
}

fn work(context: &Context<'_>, unit: &Unit, dir: &Path) -> Result<(), Fault> {
    match &unit.work {
        Work::World(slice) => {
            let world = world::make(slice, &equipoise_core::Silent)?;
            world.write(dir).map_err(runtime)?;
            context.keep(&unit.id, world);
            Ok(())
        }
        Work::Tune(arm) => {
            context.trained.fetch_add(1, Ordering::Relaxed);
            tune::run(context, unit, arm, dir)
        }
        Work::Trial { arm, evaluation } => {
            let checkpoint = checkpoint_path(context, unit);
            if let Some(parent) = checkpoint.parent() {
                std::fs::create_dir_all(parent).map_err(|error| io(parent, &error))?;
            }
            trial::run(context, unit, arm, evaluation, dir, &checkpoint)
        }
    }
}

/// A unit that did not finish.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The unit.
    pub unit: String,
    /// For people.
    pub label: String,
    /// Why.
    pub why: String,
}

/// Executes all units, in parallel where they do not wait for each other. Failures are collected; what does not depend on them goes on.
///
/// Tuning comes first with the worlds that it reads; then a few test worlds at a time, each with its trials, so that a world which was made
/// is in memory where it is needed and goes when it is not.
pub fn execute_all(context: &Context<'_>) -> Vec<Failure> {
    let of = |stage: Stage| context.plan.units.iter().filter(move |unit| unit.stage == stage);
    let mut left = BTreeMap::new();
    for stage in [Stage::World, Stage::Tune, Stage::Trial] {
        let total = of(stage).count() as u64;
        context.observer.on(&RunEvent::Started { what: stage.name().into(), total });
        left.insert(stage, (total, AtomicU64::new(0)));
    }
    let spent = Spending::new(context.plan);
    let ended = |unit: &Unit, result: Result<bool, Fault>| {
        if result.is_ok() {
            spent.add(context, unit);
        }
        let (total, done) = &left[&unit.stage];
        let done = 1 + done.fetch_add(1, Ordering::Relaxed);
        let what = || unit.stage.name().into();
        context.observer.on(&RunEvent::Progress { what: what(), done });
        if done == *total {
            context.observer.on(&RunEvent::Finished { what: what() });
        }
        let failure = |why| Failure { unit: unit.id.clone(), label: unit.label.clone(), why };
        result.err().map(|fault| failure(fault.to_string()))
    };
    let mut failures = Vec::new();
    let mut run = |units: Vec<&Unit>| failures.extend(execute_group(context, &units, &ended));
    let tuned: BTreeSet<&String> = of(Stage::Tune).flat_map(|unit| &unit.needs).collect();
    let (first, then): (Vec<&Unit>, Vec<&Unit>) = of(Stage::World).partition(|unit| tuned.contains(&unit.id));
    first.chunks(WORLDS_AT_ONCE).for_each(|worlds| run(worlds.to_vec()));
    run(of(Stage::Tune).collect());
    for worlds in then.chunks(WORLDS_AT_ONCE) {
        run(worlds.to_vec());
        // Trials of one world stand together.
        let mut trials: Vec<&Unit> = of(Stage::Trial).filter(|trial| reads(trial, worlds)).collect();
        trials.sort_by(|a, b| a.needs.first().cmp(&b.needs.first()));
        run(trials);
    }
    // A trial on a world that tuning has read.
    run(of(Stage::Trial).filter(|trial| !reads(trial, &then)).collect());
    failures
}

/// What trials that are done have spent, world by world.
struct Spending {
    planned: f64,
    worlds: Mutex<BTreeMap<String, f64>>,
}

impl Spending {
    fn new(plan: &Plan) -> Self {
        Self { planned: crate::estimate::planned_epsilon(plan), worlds: Mutex::default() }
    }

    /// Adds a trial's and says so, where it spent anything.
    fn add(&self, context: &Context<'_>, unit: &Unit) {
        let (Work::Trial { arm, .. }, Some(world)) = (&unit.work, unit.needs.first()) else { return };
        let epsilon = crate::estimate::epsilon_of(context.plan, arm);
        if epsilon > 0.0 {
            let mut worlds = self.worlds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *worlds.entry(world.clone()).or_default() += epsilon;
            let most = worlds.values().fold(0.0, |most: f64, epsilon| most.max(*epsilon));
            context.observer.on(&RunEvent::Spent { epsilon: most, planned: self.planned });
        }
    }
}

fn reads(trial: &Unit, worlds: &[&Unit]) -> bool {
    worlds.iter().any(|world| trial.needs.first() == Some(&world.id))
}

/// Executes units that do not wait for each other. What another runner had claimed is waited for last; if it died there, the unit is ours.
fn execute_group(
    context: &Context<'_>,
    units: &[&Unit],
    ended: &(impl Fn(&Unit, Result<bool, Fault>) -> Option<Failure> + Sync),
) -> Vec<Failure> {
    let (failed, taken): (Vec<_>, Vec<_>) = units
        .par_iter()
        .with_max_len(1)
        .map(|unit| match execute_if_free(context, unit) {
            Ok(None) => (None, Some(*unit)),
            Ok(Some(worked)) => (ended(unit, Ok(worked)), None),
            Err(fault) => (ended(unit, Err(fault)), None),
        })
        .unzip();
    let mut failures: Vec<Failure> = failed.into_iter().flatten().collect();
    failures.extend(taken.into_iter().flatten().filter_map(|unit| ended(unit, execute(context, unit))));
    failures
}
