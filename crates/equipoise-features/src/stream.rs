//! The online engine of one platform: events in, rows and sequences as of now out.

use crate::account::OwnActivity;
use crate::dictionary::{self, Feature};
use crate::dyad::{begins_contact, forms_contact};
use crate::moment::Moment;
use crate::rule::RuleCounter;
use crate::sample::{Found, Samples};
use crate::sequence::{self, NO_PEER, Rings, SlotArenas};
use crate::summary::{Codes, Summary, UNKNOWN_AGE, UNKNOWN_REGION};
use crate::{FeatureError, FeatureSpec, LiteralRule, RowBlock, RuleBlock, Token};
use equipoise_core::{
    AccountId, AccountProfile, Event, EventKind, PlatformId, PlatformSchema, PlatformView, SimTime,
};
use std::hint::black_box;

/// How many events are looked ahead.
const WARM: usize = 32;

/// Turns the events of one platform into rows as of the latest [`observe`](Self::observe).
///
/// Laws: rows do not depend on how the stream was cut into batches; they depend on no event at or after the cut-off, and
/// on no account outside [`RowBlock::reads_of`]. Steady-state events allocate nothing.
#[derive(Debug)]
pub struct FeatureStream {
    platform: PlatformId,
    schema: PlatformSchema,
    spec: FeatureSpec,
    until: SimTime,
    codes: Vec<Codes>,
    own: Vec<OwnActivity>,
    own_rings: Rings,
    rules: Vec<RuleCounter>,
    samples: Samples,
    slots: SlotArenas,
    columns: Vec<Column>,
}

/// A column of this platform's rows; `None` where the platform cannot see what the formula needs.
#[derive(Clone, Copy, Debug)]
struct Column(Option<&'static Feature>);

impl FeatureStream {
    /// An engine that has seen nothing yet.
    ///
    /// # Errors
    /// If the spec is out of its limits.
    pub fn new(view: &PlatformView, spec: &FeatureSpec) -> Result<Self, FeatureError> {
        spec.validate()?;
        let seen =
            |feature: &'static Feature| Column(feature.def.is_seen_by(&view.schema).then_some(feature));
        let mut stream = Self {
            platform: view.id,
            schema: view.schema,
            spec: *spec,
            until: SimTime(i32::MIN),
            codes: Vec::new(),
            own: Vec::new(),
            own_rings: Rings::new(spec.marks_per_contact(), 0),
            rules: Vec::new(),
            samples: Samples::new(spec.contact_seed, spec.max_contacts, 0),
            slots: SlotArenas { dyads: Vec::new(), rings: Rings::new(spec.marks_per_contact(), 0) },
            columns: dictionary::features(spec.label_adjacent).map(seen).collect(),
        };
        stream.refresh(&view.profiles);
        Ok(stream)
    }

    /// Takes the platform's current profiles: new accounts are appended, changed ones are replaced.
    pub fn refresh(&mut self, profiles: &[AccountProfile]) {
        let schema = self.schema;
        self.codes.clear();
        self.codes.extend(profiles.iter().map(|profile| codes(profile, &schema)));
        self.own.resize(profiles.len(), OwnActivity::EMPTY);
        self.own_rings.grow(profiles.len());
        self.rules.resize_with(profiles.len(), RuleCounter::default);
        self.samples.grow(profiles.len());
    }

    /// Whose events these are.
    #[must_use]
    pub const fn platform(&self) -> PlatformId {
        self.platform
    }

    /// Rows are as of this instant: the end of the latest batch.
    #[must_use]
    pub const fn until(&self) -> SimTime {
        self.until
    }

    /// Columns of a row.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The accounts that existed strictly before `cutoff`, by id.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // account ids are 32-bit
    pub fn existing(&self, cutoff: SimTime) -> Vec<AccountId> {
        let old = self.codes.iter().enumerate().filter(|(_, codes)| codes.created < cutoff);
        old.map(|(account, _)| AccountId(account as u32)).collect()
    }

    /// Takes the sorted events from the end of the batch before up to (not including) `until`.
    ///
    /// # Panics
    /// If the batch reaches outside these bounds or names an account without a profile: the log broke its law.
    pub fn observe(&mut self, until: SimTime, events: &[Event]) {
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            assert!(
                first.time >= self.until,
                "a batch overlaps the one before: {} < {}",
                first.time,
                self.until
            );
            assert!(last.time < until, "a batch reaches past its end: {} >= {until}", last.time);
        }
        debug_assert!(events.is_sorted(), "a batch is not sorted");
        let mut now = Moment::new(SimTime(0));
        for few in events.chunks(WARM) {
            self.warm(few);
            for event in few {
                if event.time.0 != now.at {
                    now = Moment::new(event.time);
                }
                if self.schema.sees(event.kind) {
                    self.add(event, now);
                }
            }
        }
        self.until = until;
    }

    /// Reads what the next few events will touch and forgets it. These reads do not wait for one another, so the core
    /// has many cache misses under way at once; the updates after them find their lines near by.
    #[inline]
    fn warm(&self, events: &[Event]) {
        let mut places = [usize::MAX; 2 * WARM];
        for (pair, event) in places.chunks_exact_mut(2).zip(events) {
            if event.peer.is_some() {
                pair[0] = self.samples.touch_chunk(event.actor);
                pair[1] = self.samples.touch_chunk(event.peer);
            } else {
                black_box(self.own[event.actor.index()].sessions);
            }
        }
        for place in places {
            black_box(self.samples.touch_peers(place.min(usize::MAX - 16)));
        }
        for (pair, event) in places.chunks_exact_mut(2).zip(events) {
            if event.peer.is_some() {
                pair[0] = self.samples.find(event.actor, event.peer).unwrap_or(usize::MAX);
                pair[1] = self.samples.find(event.peer, event.actor).unwrap_or(usize::MAX);
            }
        }
        for slot in places {
            if let Some(dyad) = self.slots.dyads.get(slot) {
                black_box((dyad.last_message, dyad.last_side, self.slots.rings.touch(slot)));
            }
        }
    }

    #[inline]
    fn add(&mut self, event: &Event, now: Moment) {
        if sequence::is_own(event) {
            self.own[event.actor.index()].add(event, now);
            self.own_rings.push(event.actor.index(), event, true);
        } else if event.peer.is_some() && event.actor != event.peer {
            let event = &self.visible_part(event);
            let was_known = self.add_side(event, now, event.actor, event.peer, 0);
            self.add_side(event, now, event.peer, event.actor, 1);
            self.count_for_rule(event, now, was_known);
        }
    }

    /// The event without what the platform's log cannot contain.
    #[inline]
    const fn visible_part(&self, event: &Event) -> Event {
        Event {
            media: if self.schema.sees_media { event.media } else { 0 },
            mutuals: if self.schema.sees_mutuals { event.mutuals } else { Event::UNSEEN },
            ..*event
        }
    }

    /// Adds the event to the dyad of `own` with `peer`. Says whether `own` is known to have turned to `peer` before.
    #[inline]
    fn add_side(&mut self, event: &Event, now: Moment, own: AccountId, peer: AccountId, side: usize) -> bool {
        let slot = if forms_contact(event.kind) {
            match self.samples.find_or_enter(own, peer) {
                Found::Known(slot) => slot,
                Found::Entered(slot) => {
                    let moved = self.samples.take_move();
                    self.slots.enter(slot, self.samples.slots(), moved);
                    slot
                }
                Found::Outside => return false,
            }
        } else if let Some(slot) = self.samples.find(own, peer) {
            slot
        } else {
            return false;
        };
        let dyad = &mut self.slots.dyads[slot];
        let known = dyad.turned;
        dyad.add(event, now, side);
        if self.spec.label_adjacent || !event.kind.is_label_adjacent() {
            self.slots.rings.push(slot, event, side == 0);
        }
        known
    }

    #[inline]
    fn count_for_rule(&mut self, event: &Event, now: Moment, was_known: bool) {
        match event.kind {
            EventKind::ContactRequest => bump(&mut self.rules[event.actor.index()].rule.requests_sent),
            EventKind::ContactAccept => bump(&mut self.rules[event.peer.index()].rule.requests_accepted),
            _ => {}
        }
        if !was_known && forms_contact(event.kind) && self.codes[event.peer.index()].is_minor() {
            let counts = begins_contact(event.kind);
            self.rules[event.actor.index()].turn_to_minor(event.peer, now.day, counts);
        }
    }

    /// The rows of `accounts` as of [`until`](Self::until).
    ///
    /// # Panics
    /// If an account has no profile.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // scaled values; fewer than 2^32 reads a block
    pub fn snapshot(&self, accounts: &[AccountId]) -> RowBlock {
        let mut block = RowBlock {
            platform: self.platform,
            cutoff: self.until,
            columns: self.columns(),
            values: Vec::with_capacity(accounts.len() * self.columns()),
            accounts: accounts.to_vec(),
            reads: Vec::new(),
            read_offsets: vec![0],
        };
        let mut summary = Summary::new(self.spec.max_contacts);
        let mut sampled = Vec::new();
        for &account in accounts {
            self.samples.sorted_into(account, &mut sampled);
            self.summarise(account, &sampled, &mut summary);
            block.values.extend(self.columns.iter().map(|column| column.value(&summary)));
            block.reads.push(account);
            block.reads.extend(sampled.iter().map(|&(peer, _)| peer));
            block.read_offsets.push(block.reads.len() as u32);
        }
        block
    }

    fn summarise(&self, account: AccountId, sampled: &[(AccountId, usize)], summary: &mut Summary) {
        let own = self.own[account.index()];
        summary.begin(self.codes[account.index()], own, self.until, self.schema.sees(EventKind::SessionOpen));
        for &(peer, slot) in sampled {
            summary.add(self.codes[peer.index()], &self.slots.dyads[slot]);
        }
        summary.end(self.samples.contacts(account));
    }

    /// The latest events of `account` before [`until`](Self::until), oldest first, at most `sequence-length`. Reads the
    /// same accounts as its row.
    ///
    /// # Panics
    /// If the account has no profile.
    #[must_use]
    pub fn sequence(&self, account: AccountId) -> Vec<Token> {
        let mut sampled = Vec::new();
        self.samples.sorted_into(account, &mut sampled);
        let mut held = Vec::new();
        self.own_rings.read(account.index(), NO_PEER, &mut held);
        for (peer, slot) in sampled {
            self.slots.rings.read(slot, self.codes[peer.index()].age, &mut held);
        }
        sequence::merge(held, usize::from(self.spec.sequence_length))
    }

    /// The literal rule's numbers of `account`. They count every contact: the bound on reads does not cover them.
    ///
    /// # Panics
    /// If the account has no profile.
    #[must_use]
    pub fn literal_rule(&self, account: AccountId) -> LiteralRule {
        self.rules[account.index()].rule
    }

    /// The literal rule's numbers of `accounts`.
    ///
    /// # Panics
    /// If an account has no profile.
    #[must_use]
    pub fn rule_block(&self, accounts: &[AccountId]) -> RuleBlock {
        let rules = accounts.iter().map(|&account| self.literal_rule(account)).collect();
        RuleBlock { platform: self.platform, cutoff: self.until, accounts: accounts.to_vec(), rules }
    }
}

impl Column {
    #[allow(clippy::cast_possible_truncation)] // values lie in -1..=1
    fn value(self, summary: &Summary) -> f32 {
        self.0.map_or(0.0, |feature| (feature.value)(summary) as f32)
    }
}

/// What the platform's schema lets it know of a profile.
pub(crate) fn codes(profile: &AccountProfile, schema: &PlatformSchema) -> Codes {
    let age = profile.declared_age.filter(|_| schema.sees_age);
    let region = profile.region.filter(|_| schema.sees_region);
    Codes {
        age: age.map_or(UNKNOWN_AGE, |age| age as u8),
        region: region.unwrap_or(UNKNOWN_REGION),
        created: profile.created,
    }
}

fn bump(value: &mut u32) {
    *value = value.saturating_add(1);
}
