//! A run of accounts with everything that their rows are made of.
//!
//! An event has two sides, and each side's statistics belong to one account; so a batch falls into *halves* (own account,
//! its contact), a shard takes the halves of its accounts, and no shard waits for another. Within a batch the order of
//! halves of different contacts means nothing (a sample is the bottom of a ranking that never looks at the data), so a
//! shard takes them account by account and contact by contact: the few events of one conversation meet their dyad while
//! it is at hand, and one look-up serves them all. Halves of one dyad keep the order of the log.

use crate::account::OwnActivity;
use crate::dyad::{Dyad, begins_contact, forms_contact};
use crate::moment::Moment;
use crate::rule::RuleCounter;
use crate::sample::{Found, Samples};
use crate::sequence::{self, Rings, SlotArenas};
use crate::summary::Codes;
use crate::{FeatureSpec, LiteralRule};
use equipoise_core::{AccountId, Event, EventKind, PlatformSchema};
use std::hint::black_box;

/// Accounts of a shard, as a power of two: their samples' ids fit into a core's own cache.
pub(crate) const SHARD_BITS: u32 = 9;

/// Where the halves of one contact begin and end among the sorted ones.
type Group = std::ops::Range<usize>;
/// How many groups are looked ahead.
const WARM: usize = 32;

/// One side of one event.
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    /// Place of the event in the batch.
    event: u32,
    /// The other side; [`AccountId::NONE`] for an event without one.
    peer: u32,
    /// The own account, counted from the shard's first.
    own: u16,
    /// 0 if the own account acted.
    side: u8,
}

/// The first time in a batch that an account turned to a declared minor, as far as the sample can tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Turn {
    event: u32,
    own: u16,
}

/// What a batch is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) events: &'a [Event],
    pub(crate) schema: &'a PlatformSchema,
    pub(crate) codes: &'a [Codes],
    pub(crate) label_adjacent: bool,
}

/// The running statistics of up to 2^[`SHARD_BITS`] accounts.
#[derive(Debug)]
pub(crate) struct Shard {
    first: u32,
    own: Vec<OwnActivity>,
    own_rings: Rings,
    rules: Vec<RuleCounter>,
    samples: Samples,
    slots: SlotArenas,
    waiting: Vec<Half>,
    /// Scratch of a batch.
    sorted: Vec<Half>,
    ends: Vec<u32>,
    turns: Vec<Turn>,
}

impl Shard {
    pub(crate) fn new(first: u32, spec: &FeatureSpec) -> Self {
        Self {
            first,
            own: Vec::new(),
            own_rings: Rings::new(spec.marks_per_contact(), 0),
            rules: Vec::new(),
            samples: Samples::starting_at(first, spec.contact_seed, spec.max_contacts),
            slots: SlotArenas { dyads: Vec::new(), rings: Rings::new(spec.marks_per_contact(), 0) },
            waiting: Vec::new(),
            sorted: Vec::new(),
            ends: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// Makes room for `accounts` accounts.
    pub(crate) fn grow(&mut self, accounts: usize) {
        self.own.resize(accounts, OwnActivity::EMPTY);
        self.own_rings.grow(accounts);
        self.rules.resize_with(accounts, RuleCounter::default);
        self.samples.grow(accounts);
        self.ends.resize(accounts + 1, 0);
    }

    #[inline]
    const fn place(&self, account: AccountId) -> usize {
        (account.0 - self.first) as usize
    }

    pub(crate) fn own(&self, account: AccountId) -> OwnActivity {
        self.own[self.place(account)]
    }

    pub(crate) fn rule(&self, account: AccountId) -> LiteralRule {
        self.rules[self.place(account)].rule
    }

    pub(crate) const fn samples(&self) -> &Samples {
        &self.samples
    }

    pub(crate) fn dyad(&self, slot: usize) -> &Dyad {
        &self.slots.dyads[slot]
    }

    /// The rings of the contacts, by slot.
    pub(crate) const fn rings(&self) -> &Rings {
        &self.slots.rings
    }

    /// The ring of the events without a contact, with its number.
    pub(crate) fn own_ring(&self, account: AccountId) -> (&Rings, usize) {
        (&self.own_rings, self.place(account))
    }

    /// Notes one side of event `event` of the coming batch. Call in the order of the log.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a shard is small
    pub(crate) fn note(&mut self, event: u32, own: AccountId, peer: AccountId, side: u8) {
        let half = Half { event, peer: peer.0, own: self.place(own) as u16, side };
        assert!(usize::from(half.own) < self.own.len(), "{own} has no profile");
        self.waiting.push(half);
    }

    /// Takes in what was noted.
    pub(crate) fn take(&mut self, batch: &Batch<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        self.sort();
        let sorted = std::mem::take(&mut self.sorted);
        let mut groups: [Group; WARM] = std::array::from_fn(|_| 0..0);
        let mut from = 0;
        while from < sorted.len() {
            let mut known = 0;
            while known < WARM && from < sorted.len() {
                let until = from + run(&sorted[from..]);
                groups[known] = from..until;
                (known, from) = (known + 1, until);
            }
            self.warm(&sorted, &groups[..known]);
            for group in &groups[..known] {
                self.group(&sorted[group.clone()], batch);
            }
        }
        self.sorted = sorted;
        self.turn(batch);
    }

    /// Puts what waits into the order (own account, contact, log): a counting sort by account, then a few moves each.
    fn sort(&mut self) {
        self.ends.fill(0);
        for half in &self.waiting {
            self.ends[usize::from(half.own) + 1] += 1;
        }
        for at in 1..self.ends.len() {
            self.ends[at] += self.ends[at - 1];
        }
        self.sorted.clear();
        self.sorted.resize(self.waiting.len(), Half::default());
        for half in self.waiting.drain(..) {
            // What began as the start of an account's run is its end after the last of it.
            let next = &mut self.ends[usize::from(half.own)];
            self.sorted[*next as usize] = half;
            *next += 1;
        }
        let mut from = 0;
        for end in &self.ends[..self.ends.len() - 1] {
            self.sorted[from..*end as usize].sort_unstable_by_key(|half| (half.peer, half.event));
            from = *end as usize;
        }
    }

    /// Reads what the next few groups will touch and forgets it. These reads do not wait for one another, so the core
    /// has many cache misses under way at once; the updates after them find their lines near by.
    #[inline]
    fn warm(&self, sorted: &[Half], groups: &[Group]) {
        // Two rounds: looking a slot up is long, so that it would keep the dyads of later groups waiting.
        let mut slots = [usize::MAX; WARM];
        for (slot, group) in slots.iter_mut().zip(groups) {
            let half = sorted[group.start];
            let own = AccountId(self.first + u32::from(half.own));
            *slot = self.samples.find(own, AccountId(half.peer)).unwrap_or(usize::MAX);
        }
        for slot in slots {
            if let Some(dyad) = self.slots.dyads.get(slot) {
                black_box((dyad.last_message, dyad.last_side, self.slots.rings.touch(slot)));
            }
        }
    }

    fn group(&mut self, halves: &[Half], batch: &Batch<'_>) {
        let (own, peer) = (halves[0].own, AccountId(halves[0].peer));
        if peer.is_some() {
            self.dyad_group(AccountId(self.first + u32::from(own)), peer, halves, batch);
            return;
        }
        for half in halves {
            let event = &batch.events[half.event as usize];
            self.own[usize::from(own)].add(event, Moment::new(event.time));
            self.own_rings.push(usize::from(own), event, true);
        }
    }

    fn dyad_group(&mut self, own: AccountId, peer: AccountId, halves: &[Half], batch: &Batch<'_>) {
        let mut slot = self.samples.find(own, peer);
        let mut outside = false;
        let mut turned = false;
        for half in halves {
            let event = &visible(&batch.events[half.event as usize], batch.schema);
            let forms = forms_contact(event.kind);
            if slot.is_none() && forms && !outside {
                (slot, outside) = self.enter(own, peer);
            }
            let known = slot.is_some_and(|slot| self.slots.dyads[slot].turned);
            if let Some(slot) = slot {
                self.slots.dyads[slot].add(event, Moment::new(event.time), usize::from(half.side));
                if batch.label_adjacent || !event.kind.is_label_adjacent() {
                    self.slots.rings.push(slot, event, half.side == 0);
                }
            }
            let rule = &mut self.rules[usize::from(half.own)].rule;
            match (event.kind, half.side) {
                (EventKind::ContactRequest, 0) => bump(&mut rule.requests_sent),
                (EventKind::ContactAccept, 1) => bump(&mut rule.requests_accepted),
                _ => {}
            }
            if half.side == 0 && forms && !known && !turned {
                turned = true;
                if batch.codes[peer.index()].is_minor() {
                    self.turns.push(Turn { event: half.event, own: half.own });
                }
            }
        }
    }

    /// The slot of a contact that was just made, or that the sample has no room for it.
    fn enter(&mut self, own: AccountId, peer: AccountId) -> (Option<usize>, bool) {
        match self.samples.find_or_enter(own, peer) {
            Found::Known(slot) => (Some(slot), false),
            Found::Entered(slot) => {
                let moved = self.samples.take_move();
                self.slots.enter(slot, self.samples.slots(), moved);
                (Some(slot), false)
            }
            Found::Outside => (None, true),
        }
    }

    /// Tells the literal rule who turned to whom, in the order of the log: it counts by day.
    fn turn(&mut self, batch: &Batch<'_>) {
        self.turns.sort_unstable();
        for turn in self.turns.drain(..) {
            let event = &batch.events[turn.event as usize];
            let day = Moment::new(event.time).day;
            self.rules[usize::from(turn.own)].turn_to_minor(event.peer, day, begins_contact(event.kind));
        }
    }
}

/// How many of the first halves are about one dyad.
fn run(halves: &[Half]) -> usize {
    let first = halves[0];
    halves.iter().position(|half| (half.own, half.peer) != (first.own, first.peer)).unwrap_or(halves.len())
}

/// The event without what the platform's log cannot contain.
#[inline]
const fn visible(event: &Event, schema: &PlatformSchema) -> Event {
    Event {
        media: if schema.sees_media { event.media } else { 0 },
        mutuals: if schema.sees_mutuals { event.mutuals } else { Event::UNSEEN },
        ..*event
    }
}

/// Whether an event has one side, two, or is malformed (none).
#[inline]
pub(crate) fn sides(event: &Event) -> u8 {
    if sequence::is_own(event) { 1 } else { 2 * u8::from(event.peer.is_some() && event.actor != event.peer) }
}

fn bump(value: &mut u32) {
    *value = value.saturating_add(1);
}
