//! V15: nothing from the future. Rows as of a cut-off must be the same bytes whether the events after it are there, gone or
//! somebody else's; and no training row may be cut at or after the moment at which its label became known.

use super::probes::{FEATURES, cutoff};
use crate::config::{Labels, Population, Protocol};
use crate::exec::make_world;
use crate::fault::{Fault, runtime};
use crate::plan::{WorldRole, WorldSlice};
use equipoise_core::{
    AccountId, DAY, Event, EventSink, Fraction, Observer, PlatformId, PlatformView, Seed, SimTime,
};
use equipoise_features::{MultiStream, RowBlock, SnapshotPlan};
use equipoise_synth::validate::{Check, Evidence, Finding, Kind, Part, Sampling, SeedRun, Split};
use equipoise_synth::{World, WorldSpec};

/// One training row's times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Trained {
    /// The row depends on events before this.
    pub(super) cutoff: i32,
    /// When a positive label of its account became known, `i32::MAX` for never.
    pub(super) known: i32,
    /// Whether the row carries a positive label.
    pub(super) positive: bool,
}

/// What V15 looks at.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct TimeEvidence {
    /// Rows as of the cut-off with the whole log.
    pub(super) whole: Vec<RowBlock>,
    /// The same from logs with a changed future: what was done to it, and the rows.
    pub(super) changed: Vec<(String, Vec<RowBlock>)>,
    /// Training rows of an experiment.
    pub(super) trained: Vec<Trained>,
    /// Labels known later than this must not be used.
    pub(super) label_cutoff: i32,
}

/// Keeps every batch.
#[derive(Default)]
pub(super) struct Kept(pub(super) Vec<(PlatformId, SimTime, Vec<Event>)>);

impl EventSink for Kept {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        self.0.push((platform, until, events.to_vec()));
    }
}

/// The rows of a kept log as of `at`.
pub(super) fn rows(views: &[PlatformView], log: &Kept, at: SimTime) -> Result<Vec<RowBlock>, Fault> {
    let plan = SnapshotPlan::new(vec![at]).map_err(runtime)?;
    let mut stream = MultiStream::new(views, &FEATURES, plan).map_err(runtime)?;
    for (platform, until, events) in &log.0 {
        stream.on_events(*platform, *until, events);
    }
    stream.finish().map(|(blocks, _)| blocks).map_err(runtime)
}

impl TimeEvidence {
    /// Gathers it from a world of this size.
    ///
    /// # Errors
    /// If the world or its rows cannot be made.
    pub(super) fn gather(
        spec: &WorldSpec,
        seed: u64,
        observer: &dyn Observer,
    ) -> Result<(Self, SeedRun), Fault> {
        let at = cutoff(spec);
        let world = World::build(spec, Seed::root(seed).derive("time", 0)).map_err(runtime)?;
        let mut log = Kept::default();
        world.run(None, &mut log, observer).map_err(runtime)?;
        let changed = [("removed", without(&log, at)), ("given to others", permuted(&log, at))];
        let changed = changed
            .into_iter()
            .map(|(name, log)| Ok((name.to_owned(), rows(world.views(), &log, at)?)))
            .collect::<Result<Vec<_>, Fault>>()?;
        let whole = rows(world.views(), &log, at)?;
        let (trained, label_cutoff, run) = experiment(spec, seed, observer)?;
        Ok((Self { whole, changed, trained, label_cutoff }, run))
    }
}

/// The log with nothing at or after the cut-off.
fn without(log: &Kept, at: SimTime) -> Kept {
    let keep = |events: &[Event]| events.iter().filter(|e| e.time < at).copied().collect();
    Kept(log.0.iter().map(|(platform, until, events)| (*platform, *until, keep(events))).collect())
}

/// The log with every later event done by the account before the one that did it.
fn permuted(log: &Kept, at: SimTime) -> Kept {
    let other = |account: AccountId| AccountId(account.0.saturating_sub(1));
    let change = |events: &[Event]| -> Vec<Event> {
        let mut events: Vec<Event> = events
            .iter()
            .map(|e| if e.time < at { *e } else { Event { actor: other(e.actor), ..*e } })
            .filter(|e| e.actor != e.peer)
            .collect();
        events.sort_unstable_by_key(|e| (e.time, e.actor, e.peer, e.kind));
        events
    };
    Kept(log.0.iter().map(|(platform, until, events)| (*platform, *until, change(events))).collect())
}

/// An experiment's training rows with the times of their labels, and its split of persons.
fn experiment(
    spec: &WorldSpec,
    seed: u64,
    observer: &dyn Observer,
) -> Result<(Vec<Trained>, i32, SeedRun), Fault> {
    let days = u32::from(spec.days);
    let protocol = Protocol {
        train_cutoffs: vec![days / 4, days / 2],
        label_cutoff: days * 2 / 3,
        decision_every: 2,
        test_share: Fraction::new(0.5).map_err(runtime)?,
        population: Population::All,
        labels: Labels::PlatformKnown,
    };
    let label_cutoff = i32::try_from(protocol.label_cutoff).map_err(runtime)? * DAY;
    let slice = WorldSlice {
        world: spec.clone(),
        features: FEATURES,
        protocol,
        seed,
        role: WorldRole::Test,
        index: 0,
        sequences: false,
        tokens: false,
        contacts: false,
    };
    let data = make_world(&slice, observer)?;
    // The same world once more, for its labels: the experiment's own path keeps none.
    let address = Seed::root(seed).derive("test", 0).derive("world", 0);
    let mut run = SeedRun::play(spec, address, Sampling(u64::MAX), observer).map_err(runtime)?;
    let known = |platform: u8, account: u32| {
        let labels = run.outcome.labels[usize::from(platform)].iter();
        let positive = labels.filter(|l| l.account.0 == account && l.status.is_positive());
        positive.map(|l| l.known_at.0).min().unwrap_or(i32::MAX)
    };
    let train = &data.train;
    let trained = (0..train.label.len())
        .map(|row| Trained {
            cutoff: train.cutoff[row],
            known: known(train.platform[row], train.account[row]),
            positive: train.label[row] > 0.5,
        })
        .collect();
    let mut part: Vec<Vec<Part>> =
        run.facts.accounts.iter().map(|list| vec![Part::Neither; list.len()]).collect();
    for (platform, account) in train.platform.iter().zip(&train.account) {
        part[usize::from(*platform)][*account as usize] = Part::Train;
    }
    for (platform, account) in data.cases.platform.iter().zip(&data.cases.account) {
        part[usize::from(*platform)][*account as usize] = Part::Test;
    }
    run.splits = vec![Split { name: "experiments, by person".to_owned(), part }];
    Ok((trained, label_cutoff, run))
}

/// V15.
pub(super) struct TimeLeak<'a>(pub(super) &'a TimeEvidence);

impl Check for TimeLeak<'_> {
    fn id(&self) -> &'static str {
        "V15"
    }
    fn statistic(&self) -> &'static str {
        "rows and labels from the future"
    }
    fn source(&self) -> &'static str {
        "by construction"
    }
    fn kind(&self) -> Kind {
        Kind::Exact
    }
    fn run(&self, _: &Evidence) -> Vec<Finding> {
        let header = self.header();
        let rows: u64 = self.0.whole.iter().map(|block| block.rows() as u64).sum();
        let mut findings: Vec<Finding> = self
            .0
            .changed
            .iter()
            .map(|(name, blocks)| {
                let changed = differences(&self.0.whole, blocks);
                header.exact(format!("rows that change when later events are {name}"), changed, rows, 1, "")
            })
            .collect();
        let trained = &self.0.trained;
        let late = trained.iter().filter(|t| t.positive && t.cutoff >= t.known).count() as u64;
        let unknown = trained.iter().filter(|t| t.positive && t.known > self.0.label_cutoff).count() as u64;
        let n = trained.iter().filter(|t| t.positive).count() as u64;
        findings.push(header.exact("training rows cut at or after their label was known", late, n, 1, ""));
        findings.push(header.exact(
            "training labels that were not known by their cut-off",
            unknown,
            n,
            1,
            "",
        ));
        findings
    }
}

/// Rows that are not the same bytes; rows without a partner count.
fn differences(a: &[RowBlock], b: &[RowBlock]) -> u64 {
    let mut count = 0;
    for at in 0..a.len().max(b.len()) {
        let (Some(a), Some(b)) = (a.get(at), b.get(at)) else {
            count += a.get(at).or(b.get(at)).map_or(0, RowBlock::rows) as u64;
            continue;
        };
        for row in 0..a.rows().max(b.rows()) {
            let bits = |block: &RowBlock| {
                (row < block.rows()).then(|| {
                    (block.accounts[row], block.row(row).iter().map(|v| v.to_bits()).collect::<Vec<u32>>())
                })
            };
            count += u64::from(bits(a) != bits(b));
        }
    }
    count
}
