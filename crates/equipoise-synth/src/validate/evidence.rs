//! What the checks look at: several worlds of one specification, each watched while it ran, and a few worlds made for
//! one purpose. One seed's events are seen once and then forgotten.

use super::digest::Digest;
use super::facts::WorldFacts;
use super::messages::Sampling;
use super::watch::Watch;
use crate::{Outcome, StrangerCounts, StrangerWatch, World, WorldError, WorldSpec};
use equipoise_core::{
    AccountId, Action, Budget, Event, EventSink, Fraction, Intent, Observer, PlatformId, PlatformState,
    Policy, RiskScore, Seed, Silent, SimTime, Verdict,
};

/// Harmful accounts as a share of ordinary ones in worlds that answer a survey: the `stress` profile. Patterns here act the
/// whole year, so that at the `realistic` one 17 of 100 children a year would meet one, where a retrospective survey gives
/// .6 to .7 (Finkelhor et al. 2022, over eight years): accounts, which the profiles count, are not child-years.
const SURVEY_PREVALENCE: f64 = 1e-4;

/// Harmful accounts as a share of ordinary ones in worlds that answer for rare cases. Benign reports follow the base rate
/// ([`crate::ResponseSpec`]), so that what becomes of a report does not depend on it.
const ENLARGED: f64 = 0.05;

/// One world that ran.
#[derive(Clone, Debug)]
pub struct SeedRun {
    /// What stood still.
    pub facts: WorldFacts,
    /// Truth and labels.
    pub outcome: Outcome,
    /// What was seen of its events.
    pub watch: Watch,
    /// Splits of its accounts, made by whoever trains on it.
    pub splits: Vec<Split>,
    /// Contact with people never met, where it was counted.
    pub strangers: Option<StrangerCounts>,
}

/// Two sinks, one after the other.
struct Both<'a>(&'a mut dyn EventSink, &'a mut dyn EventSink);

impl EventSink for Both<'_> {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        self.0.on_events(platform, until, events);
        self.1.on_events(platform, until, events);
    }
}

/// Which accounts a split puts where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Split {
    /// Its name.
    pub name: String,
    /// `[platform][account]`.
    pub part: Vec<Vec<Part>>,
}

/// Where a split puts an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Its rows may be trained on.
    Train,
    /// It is tested.
    Test,
    /// Neither.
    Neither,
}

/// A run that should have equalled another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Twin {
    /// What was different about it: threads, policies.
    pub name: String,
    /// Its number.
    pub digest: Digest,
}

/// Offences that the police recorded in a simulated period, on the footing of the founding document: units are offences,
/// mentions of platforms are marginals and not a partition.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordedOffences {
    /// Which parameterisation of targeting.
    pub parameterisation: String,
    /// Offences recorded.
    pub offences: u64,
    /// Of these, offences with at least one platform known.
    pub platform_known: u64,
    /// Of these, offences that name each service; one offence may count several times.
    pub mentions: Vec<Mention>,
    /// Offences with the gender of the child known.
    pub gender_known: u64,
    /// Of these, girls.
    pub girls: u64,
    /// Standard error of the share of girls, with records of one account clustered.
    pub girls_error: f64,
}

/// How often recorded offences name one service, beside the published share.
#[derive(Clone, PartialEq, Debug)]
pub struct Mention {
    /// A neutral name of the service and of the reading of the published number.
    pub name: String,
    /// Offences that name it.
    pub count: u64,
    /// Standard error of the simulated share, with records of one account clustered: they name the same services.
    pub error: f64,
    /// The published share of offences with a platform known.
    pub share: f64,
    /// Half of the published share's binomial interval.
    pub room: f64,
}

/// How far the order of simple methods moves when one assumed parameter moves by a quarter.
#[derive(Clone, PartialEq, Debug)]
pub struct Sensitivity {
    /// The methods whose order is compared.
    pub methods: Vec<String>,
    /// Parameter, direction (`+25%`, `-25%`), Kendall's tau of the order against the unmoved world.
    pub moves: Vec<(String, String, f64)>,
    /// Kendall's tau between two unmoved worlds of different seeds: what noise alone does.
    pub noise: Vec<f64>,
}

/// Everything that the checks of this crate look at.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Worlds of the specification, one a seed.
    pub runs: Vec<SeedRun>,
    /// Worlds of a whole year, for statements about a year (V8).
    pub years: Vec<SeedRun>,
    /// Worlds enlarged in prevalence, for what few people do in a world as it is (V18); else the runs answer.
    pub enlarged: Vec<SeedRun>,
    /// Smaller worlds with the splits that an experiment made of them (V16).
    pub divided: Vec<SeedRun>,
    /// Runs that should equal the first of them (V20).
    pub twins: Vec<Twin>,
    /// Recorded offences by parameterisation (V7, V9).
    pub recorded: Vec<RecordedOffences>,
    /// Only where it was asked for (V21).
    pub sensitivity: Option<Sensitivity>,
}

/// How much evidence to gather.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// The seed from which all others are derived.
    pub seed: u64,
    /// Worlds.
    pub seeds: u32,
    /// Persons of the worlds of a year.
    pub year_persons: u32,
    /// Persons of the enlarged worlds; none of these worlds at 0.
    pub enlarged_persons: u32,
    /// Persons and days of the twins.
    pub twin: (u32, u16),
}

impl SeedRun {
    /// Builds and runs one world, watched.
    ///
    /// # Errors
    /// If the specification cannot be simulated.
    pub fn play(
        spec: &WorldSpec,
        seed: Seed,
        sampling: Sampling,
        observer: &dyn Observer,
    ) -> Result<Self, WorldError> {
        let world = World::build(spec, seed)?;
        let facts = WorldFacts::of(&world);
        let mut watch = Watch::new(&facts, sampling);
        let outcome = world.run(None, &mut watch, observer)?;
        Ok(Self { facts, outcome, watch, splits: Vec::new(), strangers: None })
    }

    /// The same, counting contact with people never met (V8).
    ///
    /// # Errors
    /// If the specification cannot be simulated.
    pub fn survey(spec: &WorldSpec, seed: Seed, observer: &dyn Observer) -> Result<Self, WorldError> {
        let world = World::build(spec, seed)?;
        let facts = WorldFacts::of(&world);
        let (mut watch, mut strangers) = (Watch::new(&facts, Sampling(u64::MAX)), StrangerWatch::new(&world));
        let outcome = world.run(None, &mut Both(&mut watch, &mut strangers), observer)?;
        let strangers = Some(strangers.counts());
        Ok(Self { facts, outcome, watch, splits: Vec::new(), strangers })
    }

    /// A run put together from its parts: a log that was read back, or edited by a test.
    #[must_use]
    pub fn replay<'a>(
        facts: WorldFacts,
        outcome: Outcome,
        batches: impl Iterator<Item = (PlatformId, SimTime, &'a [Event])>,
        sampling: Sampling,
    ) -> Self {
        let mut watch = Watch::new(&facts, sampling);
        for (platform, until, events) in batches {
            watch.on_events(platform, until, events);
        }
        Self { facts, outcome, watch, splits: Vec::new(), strangers: None }
    }

    /// The number of the run, with labels, tokens and truth.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut digest = self.watch.digest;
        digest.outcome(&self.outcome);
        digest
    }
}

impl Evidence {
    /// Gathers what this crate alone can: worlds, years and twins. Recorded offences, splits and the sensitivity come
    /// from the caller.
    ///
    /// # Errors
    /// If the specification cannot be simulated.
    pub fn gather(spec: &WorldSpec, effort: &Effort, observer: &dyn Observer) -> Result<Self, WorldError> {
        let root = Seed::root(effort.seed).derive("validate", 0);
        let sampling = Sampling::for_size(spec.persons, spec.days);
        let mut year = WorldSpec { persons: effort.year_persons, days: 365, ..spec.clone() };
        // Surveys ask everybody; a world enlarged in harm would answer for the roles in it.
        if year.harm.prevalence.p() > SURVEY_PREVALENCE {
            year.harm.prevalence.value = Fraction::new(SURVEY_PREVALENCE).expect("between 0 and 1");
        }
        let mut enlarged = WorldSpec { persons: effort.enlarged_persons, ..spec.clone() };
        if enlarged.harm.prevalence.p() < ENLARGED {
            enlarged.harm.prevalence.value = Fraction::new(ENLARGED).expect("between 0 and 1");
        }
        let (mut runs, mut years, mut more) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..u64::from(effort.seeds) {
            runs.push(SeedRun::play(spec, root.derive("run", index), sampling, observer)?);
            if effort.year_persons > 0 {
                years.push(SeedRun::survey(&year, root.derive("year", index), observer)?);
            }
            if effort.enlarged_persons > 0 {
                let seed = root.derive("enlarged", index);
                more.push(SeedRun::play(&enlarged, seed, Sampling(u64::MAX), observer)?);
            }
        }
        let twins = twins(spec, effort.twin, root.derive("twin", 0))?;
        Ok(Self { runs, years, enlarged: more, twins, ..Self::default() })
    }
}

/// Permits everything: must equal no policy at all.
#[derive(Clone, Copy, Debug)]
struct Idle;

impl Policy for Idle {
    fn permit(&self, _: &Intent, _: &PlatformState<'_>) -> Verdict {
        Verdict::Permit
    }
    fn act(&mut self, _: &[(AccountId, RiskScore)], _: Budget) -> Vec<Action> {
        Vec::new()
    }
}

/// The same small world with 1, 2 and 8 threads, again, and with policies that permit everything.
fn twins(spec: &WorldSpec, (persons, days): (u32, u16), seed: Seed) -> Result<Vec<Twin>, WorldError> {
    let spec = WorldSpec { persons, days, ..spec.clone() };
    let run = |name: &str, policies: bool| -> Result<Twin, WorldError> {
        let world = World::build(&spec, seed)?;
        let mut digest = Digest::default();
        let mut idle: Vec<Box<dyn Policy>> =
            world.views().iter().map(|_| Box::new(Idle) as Box<dyn Policy>).collect();
        let sink: &mut dyn EventSink = &mut digest;
        let outcome = world.run(policies.then_some(idle.as_mut_slice()), sink, &Silent)?;
        digest.outcome(&outcome);
        Ok(Twin { name: name.to_owned(), digest })
    };
    let mut twins = vec![run("the default thread pool", false)?];
    for threads in [1, 2, 8] {
        let name = format!("{threads} threads");
        // Without a pool of its own there is nothing to compare; the check then misses that twin.
        if let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            twins.push(pool.install(|| run(&name, false))?);
        }
    }
    twins.push(run("policies that permit everything", true)?);
    Ok(twins)
}
