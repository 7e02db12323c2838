//! V19, the laws that every log obeys, checked while the events pass: sorted batches that do not overlap, nothing before
//! an account was made or after it was closed, silence after a block, no answer before its request, only what the
//! platform can see, counts of at least one. Memory: one number an account, one entry a request and a block.

use crate::Outcome;
use equipoise_core::{
    AccountId, Event, EventKind, EventSink, LabelSource, LabelStatus, PlatformId, PlatformView, SimTime,
};
use std::collections::BTreeMap;

/// A broken law with its first case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which law.
    pub law: &'static str,
    /// How often it was broken.
    pub count: u64,
    /// The first case in words.
    pub first: String,
}

/// The laws by name, in the order in which they are reported.
pub const LAWS: [&str; 7] = [
    "batches follow one another and are sorted",
    "rows show what the platform can see, of existing accounts",
    "counts are at least one and sides are two accounts",
    "an answer follows its request",
    "nothing crosses a block",
    "nothing happens after closing",
    "a label is known after it could be",
];

#[derive(Clone, Debug)]
struct Site {
    view: PlatformView,
    until: SimTime,
    requests: BTreeMap<(AccountId, AccountId), SimTime>,
    blocks: BTreeMap<(AccountId, AccountId), SimTime>,
    /// By account: the last event that names it.
    last: Vec<Option<Event>>,
    /// By account: the first report about it.
    reported: Vec<SimTime>,
}

/// Watches a log for broken laws.
#[derive(Clone, Debug)]
pub struct Laws {
    sites: Vec<Site>,
    counts: [u64; LAWS.len()],
    first: [String; LAWS.len()],
    events: u64,
}

impl Laws {
    /// A watch over the platforms of `views`, in id order.
    #[must_use]
    pub fn new(views: &[PlatformView]) -> Self {
        let site = |view: &PlatformView| Site {
            view: view.clone(),
            until: SimTime(0),
            requests: BTreeMap::new(),
            blocks: BTreeMap::new(),
            last: vec![None; view.profiles.len()],
            reported: vec![SimTime(i32::MAX); view.profiles.len()],
        };
        Self {
            sites: views.iter().map(site).collect(),
            counts: [0; LAWS.len()],
            first: Default::default(),
            events: 0,
        }
    }

    /// Events seen.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    fn broken(&mut self, law: usize, words: impl FnOnce() -> String) {
        if self.counts[law] == 0 {
            self.first[law] = words();
        }
        self.counts[law] += 1;
    }

    fn one(&mut self, platform: usize, from: SimTime, until: SimTime, e: &Event) {
        let site = &self.sites[platform];
        let (schema, accounts) = (site.view.schema, site.view.profiles.len());
        let sides = [e.actor, e.peer];
        if sides.iter().any(|a| a.is_some() && a.index() >= accounts) {
            return self.broken(1, || format!("no such account: {e:?}"));
        }
        let seen = schema.sees(e.kind)
            && (schema.sees_media || e.media == 0)
            && (schema.sees_mutuals || e.mutuals == Event::UNSEEN)
            && e.time.0.rem_euclid(schema.bucket_seconds) == 0;
        let of_window = e.time >= from && e.time < until;
        let created = sides
            .into_iter()
            .filter(|a| a.is_some())
            .all(|a| site.view.profiles[a.index()].created <= e.time);
        if !(seen && created && of_window) {
            self.broken(1, || format!("seen {seen}, created {created}, in its batch {of_window}: {e:?}"));
        }
        let shaped = e.kind.has_peer() == e.peer.is_some() && e.actor.is_some() && e.actor != e.peer;
        if !shaped || e.count == 0 {
            self.broken(2, || format!("shaped {shaped}, count {}: {e:?}", e.count));
        }
        self.pairs(platform, e);
        let site = &mut self.sites[platform];
        for side in sides.into_iter().filter(|a| a.is_some()) {
            if site.last[side.index()].is_none_or(|last| last.time <= e.time) {
                site.last[side.index()] = Some(*e);
            }
        }
    }

    fn pairs(&mut self, platform: usize, e: &Event) {
        if !e.peer.is_some() {
            return;
        }
        let site = &mut self.sites[platform];
        let pair = (e.actor.min(e.peer), e.actor.max(e.peer));
        let silent = !matches!(e.kind, EventKind::Report | EventKind::Block | EventKind::Mute);
        let crossed = silent && site.blocks.get(&pair).is_some_and(|at| e.time >= *at);
        let mut unasked = false;
        match e.kind {
            EventKind::ContactRequest => _ = site.requests.entry((e.actor, e.peer)).or_insert(e.time),
            EventKind::Block => _ = site.blocks.entry(pair).or_insert(e.time),
            // Where requests are not logged there is nothing to compare with.
            EventKind::ContactAccept | EventKind::ContactDecline
                if site.view.schema.sees(EventKind::ContactRequest) =>
            {
                unasked = site.requests.get(&(e.peer, e.actor)).is_none_or(|asked| *asked >= e.time);
            }
            EventKind::Report => {
                let first = &mut site.reported[e.peer.index()];
                *first = (*first).min(e.time);
            }
            _ => {}
        }
        if crossed {
            self.broken(4, || format!("after a block: {e:?}"));
        }
        if unasked {
            self.broken(3, || format!("an answer without a request: {e:?}"));
        }
    }

    /// What was broken, with the platforms' labels held against the log. Nothing of an account may be seen at or after
    /// the moment at which a platform closed it, and a label from a report needs an earlier report.
    #[must_use]
    pub fn finish(mut self, outcome: &Outcome) -> Vec<Violation> {
        for (platform, labels) in outcome.labels.iter().enumerate().take(self.sites.len()) {
            let mut closed = BTreeMap::new();
            for label in labels.iter().filter(|l| l.status == LabelStatus::Actioned) {
                closed.entry(label.account).or_insert(label.known_at);
            }
            let accounts = outcome.truth.platforms.get(platform).map_or(&[][..], |p| &p.accounts);
            for (id, left) in (0_u32..).zip(accounts).filter_map(|(id, a)| Some((id, a.left?))) {
                let at = closed.entry(AccountId(id)).or_insert(left);
                *at = (*at).min(left);
            }
            for (account, at) in closed {
                let last = self.sites[platform].last.get(account.index()).copied().flatten();
                if let Some(e) = last.filter(|e| e.time >= at) {
                    self.broken(5, || format!("after closing: {e:?}"));
                }
            }
            for label in labels.iter().filter(|l| l.source == LabelSource::UserReport) {
                let reported = self.sites[platform].reported.get(label.account.index());
                if reported.is_none_or(|at| *at > label.known_at) {
                    self.broken(6, || format!("a label without an earlier report: {label:?}"));
                }
            }
        }
        let found = LAWS.iter().zip(self.counts).zip(self.first);
        found
            .filter(|((_, count), _)| *count > 0)
            .map(|((law, count), first)| Violation { law, count, first })
            .collect()
    }
}

impl EventSink for Laws {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        let at = platform.index();
        if at >= self.sites.len() {
            return self.broken(1, || format!("no such platform: {platform}"));
        }
        let from = self.sites[at].until;
        if until <= from {
            self.broken(0, || format!("batches overlap: {until} after {from}"));
        }
        let key = |e: &Event| (e.time, e.actor, e.peer, e.kind);
        if let Some(pair) = events.windows(2).find(|pair| key(&pair[0]) > key(&pair[1])) {
            self.broken(0, || format!("out of order: {:?}", pair[1]));
        }
        for event in events {
            self.one(at, from, until, event);
        }
        self.events += events.len() as u64;
        self.sites[at].until = until;
    }
}
