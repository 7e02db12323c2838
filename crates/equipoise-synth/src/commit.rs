//! From intents to events. The skeleton's intents of a tick come first: order, validity, policy; what they change is
//! noted for the tick's end. Then the flesh of the tick, slot by slot and side by side: order, validity, policy. Both
//! together are what the platform's log shows.

use crate::actor::Actor;
use crate::adaptation::Trigger;
use crate::cost::Cost;
use crate::flesh::Block;
use crate::logbook::Logbook;
use crate::row::{Row, fold, tidy, weave};
use crate::screen::Screened;
use crate::simulation::{Filed, Live, Seeds, Simulation};
use crate::world::{NONE, World};
use equipoise_core::{
    DAY, Draw, Event, EventKind, EventSink, PlatformState, Policy, Seed, SimTime, Surface, Verdict,
};
use rayon::prelude::*;
use std::ops::Range;

/// The account is part of some block.
pub(crate) const BLOCKS: u8 = 1;
/// The account may not ask for contacts.
pub(crate) const FROZEN: u8 = 2;
/// Every other contact request of the account is lost.
pub(crate) const FRICTION: u8 = 4;
/// The account is closed or will be.
pub(crate) const CLOSING: u8 = 8;
/// A measure closed it while it was open: an appeal may take that back, and nothing else.
pub(crate) const BANNED: u8 = 16;

/// Fewer rows than these in a tick are not worth more than one task.
const ROWS_OF_A_TASK: usize = 8_192;

pub(crate) const fn pair(a: u32, b: u32) -> (u32, u32) {
    if a < b { (a, b) } else { (b, a) }
}

/// The events of one tick.
#[derive(Debug)]
pub(crate) struct Batches {
    until: SimTime,
    /// By platform.
    logs: Vec<Vec<Event>>,
}

impl Batches {
    /// Hands them over, platform by platform.
    pub(crate) fn give(&self, world: &World, sink: &mut dyn EventSink) {
        for (view, log) in world.views().iter().zip(&self.logs) {
            sink.on_events(view.id, self.until, log);
        }
    }
}

impl Live {
    /// Whether accounts and blocks let a skeleton's intent be, in the tick that begins at `now`.
    fn allowed(&self, event: &Event, now: i32) -> bool {
        let (actor, peer, time) = (event.actor.0, event.peer.0, event.time.0);
        if time < self.created(actor) || time >= self.closed_at[actor as usize] {
            return false;
        }
        if !event.peer.is_some() {
            return true;
        }
        if actor == peer || time < self.created(peer) || time >= self.closed_at[peer as usize] {
            return false;
        }
        if event.kind == EventKind::ContactRequest && self.contacts.linked(actor, peer) {
            return false;
        }
        match self.blocked_since(actor, peer) {
            // A report may follow a block; in the block's own tick so may what was on its way.
            Some(since) if since >= now => {
                let quiet = matches!(event.kind, EventKind::Block | EventKind::Report | EventKind::Mute);
                quiet || time < since
            }
            Some(_) => event.kind == EventKind::Report,
            None => true,
        }
    }

    fn blocked_since(&self, one: u32, other: u32) -> Option<i32> {
        let both = self.flags[one as usize] & self.flags[other as usize];
        if both & BLOCKS == 0 { None } else { self.blocks.get(&pair(one, other)).copied() }
    }

    /// Whether closings and blocks let a row of flesh be; it was made for accounts that existed.
    #[inline]
    pub(crate) fn lets(&self, row: Row) -> bool {
        let peer = if row.peer() == NONE { 0 } else { self.flags[row.peer() as usize] };
        (self.flags[row.actor() as usize] | peer) & (BLOCKS | CLOSING) == 0 || self.lets_flagged(row)
    }

    #[cold]
    #[allow(clippy::cast_possible_wrap)]
    fn lets_flagged(&self, row: Row) -> bool {
        let time = row.slot() as i32 * self.schema.bucket_seconds;
        let open = |account: u32| time < self.closed_at[account as usize];
        if row.peer() == NONE {
            return open(row.actor());
        }
        let since = self.blocked_since(row.actor(), row.peer());
        open(row.actor()) && open(row.peer()) && since.is_none_or(|since| time < since)
    }

    #[allow(clippy::cast_sign_loss)]
    const fn day_slots(&self) -> usize {
        (DAY / self.schema.bucket_seconds) as usize
    }

    fn visible(&self, event: &Event) -> bool {
        let hidden_group =
            event.kind == EventKind::Message && event.surface == Surface::Group && !self.sees_groups;
        self.schema.sees(event.kind) && !hidden_group
    }

    /// The flesh of some slots as events: written into `logbook` and woven with the skeleton's (`bones`) of the same slots,
    /// or as it stands if a policy is still to be asked.
    fn enflesh(&self, slots: Range<u32>, logbook: Option<&Logbook>, bones: &[Event]) -> Vec<Event> {
        let (mut rows, mut events) = (Vec::new(), Vec::new());
        for slot in slots.clone() {
            rows.clear();
            self.flesh.iter().for_each(|block: &Block| rows.extend_from_slice(block.slot(slot)));
            rows.sort_unstable();
            let keep =
                |row, event: &mut Event| self.lets(row) && logbook.is_none_or(|book| book.write(event));
            fold(&rows, self.schema.bucket_seconds, keep, &mut events);
        }
        #[allow(clippy::cast_possible_wrap)]
        let before = |slot: u32| {
            bones.partition_point(|event| event.time.0 < slot as i32 * self.schema.bucket_seconds)
        };
        let bones = &bones[before(slots.start)..before(slots.end)];
        if bones.is_empty() {
            return events;
        }
        let mut woven = Vec::with_capacity(events.len() + bones.len());
        weave(&events, bones, &mut woven);
        woven
    }
}

/// What platforms decide a tick with.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) world: &'a World,
    pub(crate) seeds: &'a Seeds,
    pub(crate) actors: &'a [Actor],
    pub(crate) true_ages: bool,
    tick: i32,
    now: i32,
}

/// What becomes of an intent of the skeleton.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Happens {
        /// Of a request: whether both knew somebody in common before the run, if anybody looked.
        tied: Option<bool>,
    },
    /// Accounts, contacts or blocks do not let it be.
    Impossible,
    /// A measure or an earlier action does not let it be.
    Stopped,
}

/// What a policy is asked with.
struct Question<'a> {
    policy: &'a dyn Policy,
    state: PlatformState<'a>,
    warn: Seed,
    proceed: f64,
}

impl Question<'_> {
    /// Whether the event may be, and the verdict.
    fn permits(&self, event: &Event) -> (bool, Verdict) {
        let verdict = self.policy.permit(event, &self.state);
        let goes_on = match verdict {
            Verdict::Permit => true,
            Verdict::Refuse => false,
            Verdict::Warn => {
                let pair = (u64::from(event.actor.0) << 32) | u64::from(event.peer.0);
                let at = u64::from(event.time.0.unsigned_abs()) << 4 | u64::from(event.kind.code());
                self.warn.derive("pair", pair).derive("at", at).rng().chance(self.proceed)
            }
        };
        (goes_on, verdict)
    }
}

impl Live {
    fn question<'a>(&'a self, desk: Desk<'a>, policy: &'a dyn Policy) -> Question<'a> {
        let view = &desk.world.views()[self.platform];
        let now = SimTime(desk.now);
        let profiles = self.profiles.as_deref().unwrap_or(&view.profiles);
        let state = PlatformState { platform: view.id, now, profiles, contacts: &self.contacts };
        let proceed = desk.world.spec.responses.proceed_after_warning.p();
        Question { policy, state, warn: desk.seeds.warn, proceed }
    }

    /// Decides this tick's intents of the skeleton. What the log shows of them is then in `bones`.
    fn commit(&mut self, desk: Desk<'_>, policy: Option<&dyn Policy>) {
        let spare = std::mem::take(&mut self.spare);
        let mut batch = self.queue.take(desk.tick, spare);
        tidy(&mut batch);
        self.bones.clear();
        let logbook = &desk.world.sites[self.platform].logbook;
        for slot in batch.chunk_by_mut(|a, b| a.time == b.time) {
            // Blocks come first: the rest of the dyad's tick is silent, from their slot on.
            let blocked = slot.iter().any(|event| event.kind == EventKind::Block);
            for blocks in [true, false].into_iter().skip(usize::from(!blocked)) {
                for event in slot.iter_mut().filter(|event| (event.kind == EventKind::Block) == blocks) {
                    match self.happens(desk, event, policy) {
                        Fate::Happens { tied } => self.note_effect(desk, event, tied),
                        fate => {
                            if fate == Fate::Stopped {
                                self.note_stop(desk, event);
                            }
                            event.count = 0;
                        }
                    }
                }
            }
            let mut bones = std::mem::take(&mut self.bones);
            for event in slot.iter_mut().filter(|event| event.count > 0 && self.visible(event)) {
                if logbook.write(event) {
                    bones.push(*event);
                }
            }
            self.bones = bones;
        }
        batch.clear();
        self.spare = batch;
        // Rows of flesh alone ask; those that are made apart from a run ask their skeleton, which marks a week at its end.
        if !self.flesh.is_empty() {
            self.mark_closing();
        }
    }

    /// Marks the accounts that close at some time, so that rows of the others need not ask when.
    pub(crate) fn mark_closing(&mut self) {
        for (flag, closed) in self.flags.iter_mut().zip(&self.closed_at) {
            *flag = if *closed == i32::MAX { *flag & !CLOSING } else { *flag | CLOSING };
        }
    }

    /// Notes what an event of the skeleton changes, at once for a block, at the tick's end for the rest.
    fn note_effect(&mut self, desk: Desk<'_>, event: &Event, tied: Option<bool>) {
        let (by, about, time) = (event.actor.0, event.peer.0, event.time.0);
        let filed = Filed { by, about, time, detail: event.detail, tied };
        match event.kind {
            EventKind::ContactRequest => self.effects.requests.push(filed),
            EventKind::ContactAccept => self.effects.accepts.push(filed),
            EventKind::Report => self.decide(desk.world, desk.seeds.review, self.platform, filed),
            EventKind::Block => {
                self.flags[by as usize] |= BLOCKS;
                self.flags[about as usize] |= BLOCKS;
                self.blocks.entry(pair(by, about)).or_insert(time);
                self.effects.blocks.push(filed);
                self.ask_to_report(desk, filed);
            }
            _ => {}
        }
        let role = desk.world.sites[self.platform].role_of[by as usize];
        if role != NONE && matches!(event.kind, EventKind::ContactRequest | EventKind::Message) {
            self.contacted.push((role, about, time));
        }
    }

    /// Notes that an intent was stopped: its dyad ends with the request, and the actor may change its ways.
    fn note_stop(&mut self, desk: Desk<'_>, event: &Event) {
        let role = desk.world.sites[self.platform].role_of[event.actor.index()];
        if event.kind == EventKind::ContactRequest {
            self.asked[1] += 1;
            if role != NONE {
                self.refused.push((role, event.peer.0, event.time.0, Trigger::Refused));
            }
        }
    }

    /// What an intent of the skeleton becomes; a request is told how many contacts both sides share.
    fn happens(&mut self, desk: Desk<'_>, event: &mut Event, policy: Option<&dyn Policy>) -> Fate {
        let request = event.kind == EventKind::ContactRequest;
        let (found_by, mut tied) = (event.detail, None);
        if request {
            event.detail = 0;
        }
        if !self.allowed(event, desk.now) {
            return Fate::Impossible;
        }
        self.asked[0] += u64::from(request);
        let flags = self.flags[event.actor.index()];
        if request && flags & FROZEN != 0 {
            self.cost(event.actor.0, Cost::held);
            return Fate::Stopped;
        }
        if let Screened::Stopped = self.screen(desk, event) {
            return Fate::Stopped;
        }
        if !self.schema.sees_media {
            event.media = 0;
        }
        if event.kind == EventKind::ContactRequest && self.schema.sees_mutuals {
            let ties = self.contacts.tied(event.actor.0, event.peer.0);
            let shared = ties + self.contacts.shared_later(event.actor.0, event.peer.0);
            tied = Some(ties > 0);
            event.mutuals = u8::try_from(shared.min(254)).unwrap_or(254);
        }
        if flags & FRICTION != 0 && request {
            let pair = (u64::from(event.actor.0) << 32) | u64::from(event.peer.0);
            if desk.seeds.warn.derive("friction", pair).rng().chance(0.5) {
                self.cost(event.actor.0, Cost::held);
                return Fate::Stopped;
            }
        }
        let Some(policy) = policy.filter(|_| self.visible(event)) else { return Fate::Happens { tied } };
        let intent = if request { Event { detail: found_by, ..*event } } else { *event };
        let (goes_on, verdict) = self.question(desk, policy).permits(&intent);
        self.cost_of(event.actor.0, verdict, goes_on);
        if goes_on { Fate::Happens { tied } } else { Fate::Stopped }
    }
}

impl Simulation<'_> {
    fn desk(&self) -> Desk<'_> {
        Desk {
            world: self.world,
            seeds: &self.seeds,
            actors: &self.actors,
            true_ages: self.true_ages,
            tick: self.tick,
            now: self.tick * self.tick_seconds,
        }
    }

    /// Decides this tick's intents of the skeleton, platform beside platform: within a tick none sees another.
    pub(crate) fn commit(&mut self, policies: Option<&mut [Box<dyn Policy>]>) {
        let mut sites = std::mem::take(&mut self.sites);
        let desk = self.desk();
        match policies {
            Some(policies) => sites
                .par_iter_mut()
                .zip(policies)
                .for_each(|(live, policy)| live.commit(desk, Some(policy.as_ref()))),
            None => sites.par_iter_mut().for_each(|live| live.commit(desk, None)),
        }
        self.sites = sites;
    }

    /// The whole log of this tick by platform; flesh that a policy may still refuse is not yet woven in.
    fn logs(&self, woven: bool) -> Vec<Vec<Event>> {
        let mut tasks = Vec::new();
        for live in &self.sites {
            let slots = self.slots(live);
            let rows = live.flesh.iter().map(Block::len).sum::<usize>() * slots.len() / live.day_slots();
            let step = (slots.len() * ROWS_OF_A_TASK).div_ceil(rows.max(1)).clamp(1, slots.len());
            for from in slots.clone().step_by(step) {
                #[allow(clippy::cast_possible_truncation)]
                let until = (from + step as u32).min(slots.end);
                tasks.push((live, from..until));
            }
        }
        let play = |(live, slots): &(&Live, Range<u32>)| {
            let logbook = woven.then_some(&self.world.sites[live.platform].logbook);
            let bones: &[Event] = if woven { &live.bones } else { &[] };
            (live.platform, live.enflesh(slots.clone(), logbook, bones))
        };
        let mut parts: Vec<Vec<Vec<Event>>> = vec![Vec::new(); self.sites.len()];
        for (platform, part) in tasks.par_iter().map(play).collect::<Vec<(usize, Vec<Event>)>>() {
            parts[platform].push(part);
        }
        let whole =
            |mut parts: Vec<Vec<Event>>| if parts.len() == 1 { parts.remove(0) } else { parts.concat() };
        parts.into_par_iter().map(whole).collect()
    }

    #[allow(clippy::cast_sign_loss)]
    fn slots(&self, live: &Live) -> Range<u32> {
        let (from, bucket) = (self.tick * self.tick_seconds, live.schema.bucket_seconds);
        (from / bucket) as u32..((from + self.tick_seconds) / bucket) as u32
    }

    /// This tick's events by platform, of a run that no policy watches.
    pub(crate) fn collect(&mut self) -> Batches {
        let until = SimTime((self.tick + 1) * self.tick_seconds);
        let logs = self.logs(true);
        self.events += logs.iter().map(|log| log.len() as u64).sum::<u64>();
        Batches { until, logs }
    }

    /// Asks the policies about the flesh and hands this tick's events to the sink and to them, platform by platform.
    pub(crate) fn emit(&mut self, policies: &mut [Box<dyn Policy>], sink: &mut dyn EventSink) {
        let until = SimTime((self.tick + 1) * self.tick_seconds);
        let logs = self.logs(false);
        for ((platform, mut log), policy) in logs.into_iter().enumerate().zip(policies) {
            let mut costs = std::mem::take(&mut self.sites[platform].costs);
            let live = &self.sites[platform];
            let question = live.question(self.desk(), policy.as_ref());
            let logbook = &self.world.sites[platform].logbook;
            log.retain_mut(|event| {
                if live.screen_ordinary(self.desk(), event, &mut costs) {
                    return false;
                }
                let (goes_on, verdict) = question.permits(event);
                costs.note(event.actor.0, verdict, goes_on);
                goes_on && logbook.write(event)
            });
            self.sites[platform].costs = costs;
            let live = &self.sites[platform];
            let mut woven = Vec::with_capacity(log.len() + live.bones.len());
            weave(&log, &live.bones, &mut woven);
            self.events += woven.len() as u64;
            sink.on_events(self.world.views()[platform].id, until, &woven);
            policy.tick_end(&woven);
        }
    }
}
