//! Small worlds, a sink that remembers, and the laws of a log (V19) as one function.
#![allow(dead_code, clippy::unwrap_used)]

use equipoise_core::{
    AccountId, Action, Budget, Event, EventKind, EventSink, Intent, LabelStatus, PlatformId, PlatformState,
    Policy, RiskScore, Seed, Silent, SimTime, Verdict,
};
use equipoise_synth::{Outcome, World, WorldSpec};
use std::collections::BTreeMap;

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

/// What every log obeys.
pub(crate) fn check_laws(world: &World, log: &Log, outcome: &Outcome) -> Result<(), String> {
    for view in world.views() {
        let platform = view.id.index();
        let mut closed = BTreeMap::new();
        for label in outcome.labels[platform].iter().filter(|l| l.status == LabelStatus::Actioned) {
            closed.entry(label.account).or_insert(label.known_at);
        }
        for (id, account) in (0_u32..).zip(&outcome.truth.platforms[platform].accounts) {
            if let Some(left) = account.left {
                let at = closed.entry(AccountId(id)).or_insert(left);
                *at = (*at).min(left);
            }
        }
        let (mut requests, mut blocks) = (BTreeMap::new(), BTreeMap::new());
        let mut last_until = SimTime(0);
        for (_, until, events) in log.0.iter().filter(|(p, _, _)| *p == view.id) {
            if *until <= last_until {
                return Err("batches overlap".into());
            }
            let mut last = None;
            for e in events {
                let key = (e.time, e.actor, e.peer, e.kind);
                if last.is_some_and(|last| last > key) {
                    return Err(format!("out of order: {e:?}"));
                }
                last = Some(key);
                one(world, platform, last_until, *until, e)?;
                for side in [e.actor, e.peer].into_iter().filter(|a| a.is_some()) {
                    if closed.get(&side).is_some_and(|at| e.time >= *at) {
                        return Err(format!("after closing: {e:?}"));
                    }
                }
                let pair = (e.actor.min(e.peer), e.actor.max(e.peer));
                let silent = !matches!(e.kind, EventKind::Report | EventKind::Block | EventKind::Mute);
                if e.peer.is_some() && silent && blocks.get(&pair).is_some_and(|at| e.time >= *at) {
                    return Err(format!("after a block: {e:?}"));
                }
                match e.kind {
                    EventKind::ContactRequest => _ = requests.entry((e.actor, e.peer)).or_insert(e.time),
                    EventKind::Block => _ = blocks.entry(pair).or_insert(e.time),
                    // Where requests are not logged there is nothing to compare with.
                    EventKind::ContactAccept | EventKind::ContactDecline
                        if view.schema.sees(EventKind::ContactRequest)
                            && requests.get(&(e.peer, e.actor)).is_none_or(|asked| *asked >= e.time) =>
                    {
                        return Err(format!("an answer without a request: {e:?}"));
                    }
                    _ => {}
                }
            }
            last_until = *until;
        }
    }
    Ok(())
}

fn one(world: &World, platform: usize, from: SimTime, until: SimTime, e: &Event) -> Result<(), String> {
    let view = &world.views()[platform];
    let schema = &view.schema;
    let seen = schema.sees(e.kind)
        && (schema.sees_media || e.media == 0)
        && (schema.sees_mutuals || e.mutuals == Event::UNSEEN)
        && e.time.0 % schema.bucket_seconds == 0;
    let created = [e.actor, e.peer]
        .into_iter()
        .filter(|a| a.is_some())
        .all(|a| view.profiles[a.index()].created <= e.time);
    let shaped =
        e.kind.has_peer() == e.peer.is_some() && e.actor.is_some() && e.actor != e.peer && e.count >= 1;
    if !(seen && created && shaped && e.time >= from && e.time < until) {
        return Err(format!("seen {seen}, created {created}, shaped {shaped}: {e:?}"));
    }
    Ok(())
}
