//! One pass over a run's events, from which every check takes what it needs: no check keeps the log. Memory is bounded by
//! accounts, requests and a sample of dyads, not by events.

use super::digest::Digest;
use super::facts::WorldFacts;
use super::hours::Hours;
use super::laws::Laws;
use super::messages::{Messages, Sampling};
use equipoise_core::{Event, EventKind, EventSink, PlatformId, SimTime};

/// Something that one account did about another, kept in full because it is rare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Deed {
    /// When.
    pub time: SimTime,
    /// Who.
    pub actor: u32,
    /// About whom.
    pub peer: u32,
    /// What kind.
    pub kind: EventKind,
    /// Report category.
    pub detail: u8,
}

/// Everything that the checks know of a run's events.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Broken laws (V19).
    pub laws: Laws,
    /// Hours of the day (V11).
    pub hours: Hours,
    /// A sample of message rows (V6, V8, V10).
    pub messages: Messages,
    /// Requests, answers, blocks, mutes and reports, `[platform]`, in order (V8, V18).
    pub deeds: Vec<Vec<Deed>>,
    /// Events by kind, `[platform][kind]` (V22).
    pub kinds: Vec<[u64; 15]>,
    /// A number that stands for all events in order (V20).
    pub digest: Digest,
}

impl Watch {
    /// A watch over a world that has not begun.
    #[must_use]
    pub fn new(facts: &WorldFacts, sampling: Sampling) -> Self {
        Self {
            laws: Laws::new(&facts.views),
            hours: Hours::new(facts),
            messages: Messages::new(facts, sampling),
            deeds: vec![Vec::new(); facts.views.len()],
            kinds: vec![[0; 15]; facts.views.len()],
            digest: Digest::default(),
        }
    }
}

impl EventSink for Watch {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        self.laws.on_events(platform, until, events);
        self.digest.on_events(platform, until, events);
        if platform.index() >= self.kinds.len() {
            return;
        }
        self.hours.on_events(platform, until, events);
        self.messages.on_events(platform, until, events);
        let (deeds, kinds) = (&mut self.deeds[platform.index()], &mut self.kinds[platform.index()]);
        for e in events {
            kinds[usize::from(e.kind.code())] += 1;
            if matches!(
                e.kind,
                EventKind::ContactRequest
                    | EventKind::ContactAccept
                    | EventKind::ContactDecline
                    | EventKind::Block
                    | EventKind::Mute
                    | EventKind::Report
            ) {
                let (actor, peer) = (e.actor.0, e.peer.0);
                deeds.push(Deed { time: e.time, actor, peer, kind: e.kind, detail: e.detail });
            }
        }
    }
}
