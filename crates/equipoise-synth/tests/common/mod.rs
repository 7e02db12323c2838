//! Small worlds, a sink that remembers, and the validator's laws of a log (V19) as one function.
#![allow(dead_code, clippy::unwrap_used)]

use equipoise_core::{
    AccountId, Action, Budget, Draw, Event, EventKind, EventSink, Intent, PlatformId, PlatformState, Policy,
    RiskScore, Seed, Silent, SimTime, Verdict,
};
use equipoise_synth::validate::{Evidence, Finding, Laws, Pass, checks};
use equipoise_synth::{Outcome, World, WorldSpec};
use std::collections::BTreeSet;

pub(crate) fn research(persons: u32, days: u16) -> WorldSpec {
    read(include_str!("../../../../datasets/research.toml"), persons, days)
}

pub(crate) fn null(persons: u32, days: u16) -> WorldSpec {
    read(include_str!("../../../../datasets/null.toml"), persons, days)
}

fn read(text: &str, persons: u32, days: u16) -> WorldSpec {
    let mut spec: WorldSpec = toml::from_str(text).unwrap();
    (spec.persons, spec.days) = (persons, days);
    spec
}

/// Every batch as it came.
#[derive(Default, PartialEq, Debug)]
pub(crate) struct Log(pub(crate) Vec<(PlatformId, SimTime, Vec<Event>)>);

impl EventSink for Log {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        self.0.push((platform, until, events.to_vec()));
    }
}

impl Log {
    pub(crate) fn of(&self, platform: usize) -> impl Iterator<Item = &Event> {
        self.0.iter().filter(move |(p, _, _)| p.index() == platform).flat_map(|(_, _, events)| events)
    }
}

pub(crate) fn play(spec: &WorldSpec, seed: u64) -> (World, Log, Outcome) {
    let world = World::build(spec, Seed::root(seed)).unwrap();
    let mut log = Log::default();
    let outcome = world.run(None, &mut log, &Silent).unwrap();
    (world, log, outcome)
}

/// Permits everything.
pub(crate) struct Idle;
impl Policy for Idle {
    fn permit(&self, _: &Intent, _: &PlatformState<'_>) -> Verdict {
        Verdict::Permit
    }
    fn act(&mut self, _: &[(AccountId, RiskScore)], _: Budget) -> Vec<Action> {
        Vec::new()
    }
}

/// Refuses or warns about one kind.
pub(crate) struct Against(pub(crate) EventKind, pub(crate) Verdict);
impl Policy for Against {
    fn permit(&self, intent: &Intent, _: &PlatformState<'_>) -> Verdict {
        if intent.kind == self.0 { self.1 } else { Verdict::Permit }
    }
    fn act(&mut self, _: &[(AccountId, RiskScore)], _: Budget) -> Vec<Action> {
        Vec::new()
    }
}

/// What every log obeys: the laws of the validator (V19) over a log that was kept.
pub(crate) fn check_laws(world: &World, log: &Log, outcome: &Outcome) -> Result<(), String> {
    let mut laws = Laws::new(world.views());
    for (platform, until, events) in &log.0 {
        laws.on_events(*platform, *until, events);
    }
    laws.finish(outcome).first().map_or(Ok(()), |broken| Err(broken.first.clone()))
}

fn of(id: &str, evidence: &Evidence) -> Vec<Finding> {
    checks().iter().filter(|check| check.id() == id).flat_map(|check| check.run(evidence)).collect()
}

/// The planted evidence must fail check `id` in a finding that did not fail before.
pub(crate) fn fails(id: &str, sound: &Evidence, planted: &Evidence) {
    let (before, after) = (of(id, sound), of(id, planted));
    let failing =
        |found: &[Finding], name: &str| found.iter().any(|f| f.statistic == name && f.pass == Pass::Fail);
    let caught: Vec<&Finding> =
        after.iter().filter(|f| f.pass == Pass::Fail && !failing(&before, &f.statistic)).collect();
    assert!(!caught.is_empty(), "{id} does not see it\nbefore: {before:#?}\nafter: {after:#?}");
}

/// Swaps the ends of random pairs of ties: degrees stay, triangles go.
pub(crate) fn rewired(ties: &[(u32, u32)], seed: u64) -> Vec<(u32, u32)> {
    let mut rng = Seed::root(seed).rng();
    let mut list = ties.to_vec();
    let mut there: BTreeSet<(u32, u32)> = ties.iter().copied().collect();
    for _ in 0..3 * list.len() {
        let (i, j) = (rng.below(list.len()), rng.below(list.len()));
        let ((a, b), (c, d)) = (list[i], list[j]);
        let (x, y) = ((a.min(d), a.max(d)), (c.min(b), c.max(b)));
        if x.0 != x.1 && y.0 != y.1 && x != y && !there.contains(&x) && !there.contains(&y) {
            there.remove(&list[i]);
            there.remove(&list[j]);
            there.extend([x, y]);
            (list[i], list[j]) = (x, y);
        }
    }
    there.into_iter().collect()
}
