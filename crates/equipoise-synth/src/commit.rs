//! From intents to events: order, validity, visibility, policy; then, at the tick's end, what changes.

use crate::simulation::{Filed, Live, Simulation};
use crate::world::NONE;
use equipoise_core::{
    Draw, Event, EventKind, EventSink, PlatformId, PlatformState, Policy, SimTime, Surface, Verdict,
};

/// The account is part of some block.
pub(crate) const BLOCKS: u8 = 1;
/// The account may not ask for contacts.
pub(crate) const FROZEN: u8 = 2;
/// Every other contact request of the account is lost.
pub(crate) const FRICTION: u8 = 4;

/// Time and actor decide nearly every comparison, so they come in one word.
fn first_key(event: &Event) -> u64 {
    (u64::from(event.time.0.unsigned_abs()) << 32) | u64::from(event.actor.0)
}

fn rest_key(event: &Event) -> u64 {
    (u64::from(event.peer.0) << 16) | (u64::from(event.kind.code()) << 8) | event.surface as u64
}

/// Sorts, and merges rows that differ in counts alone.
fn tidy(batch: &mut Vec<Event>) {
    batch
        .sort_unstable_by(|a, b| first_key(a).cmp(&first_key(b)).then_with(|| rest_key(a).cmp(&rest_key(b))));
    batch.dedup_by(|next, kept| {
        let same = first_key(next) == first_key(kept) && rest_key(next) == rest_key(kept);
        if same {
            match kept.kind {
                EventKind::Message => {
                    kept.count = kept.count.saturating_add(next.count);
                    kept.media = kept.media.saturating_add(next.media);
                }
                _ => {
                    kept.count = kept.count.max(next.count);
                    kept.detail = kept.detail.max(next.detail);
                }
            }
        }
        same
    });
}

const fn pair(a: u32, b: u32) -> (u32, u32) {
    if a < b { (a, b) } else { (b, a) }
}

impl Live {
    /// Whether the rows of accounts and blocks let the intent be.
    fn allowed(&self, event: &Event, created: i32) -> bool {
        let (actor, peer, time) = (event.actor.0, event.peer.0, event.time.0);
        if time < created || time >= self.closed_at[actor as usize] {
            return false;
        }
        if !event.peer.is_some() {
            return true;
        }
        if actor == peer || time >= self.closed_at[peer as usize] {
            return false;
        }
        let flags = self.flags[actor as usize];
        if event.kind == EventKind::ContactRequest
            && (flags & FROZEN != 0 || self.contacts.linked(actor, peer))
        {
            return false;
        }
        if flags & self.flags[peer as usize] & BLOCKS == 0 {
            return true;
        }
        let blocked = self.blocks.contains(&pair(actor, peer));
        // A report may follow a block; a second block may not.
        if blocked {
            return event.kind == EventKind::Report;
        }
        let now = self.blocks_now.iter().find(|(pair_now, _)| *pair_now == pair(actor, peer));
        let quiet = matches!(event.kind, EventKind::Block | EventKind::Report | EventKind::Mute);
        now.is_none_or(|(_, since)| quiet || time < *since)
    }

    fn visible(&self, event: &Event) -> bool {
        let hidden_group =
            event.kind == EventKind::Message && event.surface == Surface::Group && !self.sees_groups;
        self.schema.sees(event.kind) && !hidden_group
    }
}

impl Simulation<'_> {
    /// Turns this tick's intents of one platform into events and hands them to the sink.
    pub(crate) fn commit(
        &mut self,
        platform: usize,
        policy: Option<&mut Box<dyn Policy>>,
        sink: &mut dyn EventSink,
    ) {
        let world = self.world;
        let now = SimTime(self.tick * self.tick_seconds);
        let until = SimTime((self.tick + 1) * self.tick_seconds);
        let spare = std::mem::take(&mut self.sites[platform].spare);
        let mut batch = self.sites[platform].queue.take(self.tick, spare);
        tidy(&mut batch);
        self.sites[platform].out.clear();
        let (live, view) = (&mut self.sites[platform], &world.views()[platform]);
        live.gather_blocks(&batch);
        let mut contacted = std::mem::take(&mut live.contacted);
        let mut out = std::mem::take(&mut live.out);
        let mut effects = std::mem::take(&mut live.effects);
        for event in &mut batch {
            let (actor, peer) = (event.actor.0, event.peer.0);
            let mut created = world.sites[platform].accounts[actor as usize].created;
            if event.peer.is_some() {
                created = created.max(world.sites[platform].accounts[peer as usize].created);
            }
            if !live.allowed(event, created) {
                continue;
            }
            let visible = live.visible(event);
            if !live.schema.sees_media {
                event.media = 0;
            }
            if event.kind == EventKind::ContactRequest && live.schema.sees_mutuals {
                event.mutuals = u8::try_from(live.contacts.shared(actor, peer).min(254)).unwrap_or(254);
            }
            if live.flags[actor as usize] & FRICTION != 0 && event.kind == EventKind::ContactRequest {
                let address = self.seeds.warn.derive("friction", (u64::from(actor) << 32) | u64::from(peer));
                if address.rng().chance(0.5) {
                    continue;
                }
            }
            if let (true, Some(policy)) = (visible, policy.as_deref()) {
                let state = PlatformState {
                    platform: view.id,
                    now,
                    profiles: &view.profiles,
                    contacts: &live.contacts,
                };
                let goes_on = match policy.permit(event, &state) {
                    Verdict::Permit => true,
                    Verdict::Refuse => false,
                    Verdict::Warn => {
                        let address =
                            self.seeds.warn.derive("pair", (u64::from(actor) << 32) | u64::from(peer));
                        let at = u64::from(event.time.0.unsigned_abs()) << 4 | u64::from(event.kind.code());
                        address.derive("at", at).rng().chance(world.spec.responses.proceed_after_warning.p())
                    }
                };
                if !goes_on {
                    continue;
                }
            }
            let filed = Filed { by: actor, about: peer, time: event.time.0, detail: event.detail };
            match event.kind {
                EventKind::ContactRequest => effects.requests.push(filed),
                EventKind::ContactAccept => effects.accepts.push(filed),
                EventKind::Block => effects.blocks.push(filed),
                EventKind::Report => live.decide(world, self.seeds.review, platform, filed),
                _ => {}
            }
            let role = world.sites[platform].role_of[actor as usize];
            if role != NONE && matches!(event.kind, EventKind::ContactRequest | EventKind::Message) {
                contacted.push((role, peer, event.time.0));
            }
            if visible && world.sites[platform].logbook.write(event) {
                out.push(*event);
            }
        }
        batch.clear();
        live.spare = batch;
        self.events += out.len() as u64;
        sink.on_events(PlatformId(view.id.0), until, &out);
        if let Some(policy) = policy {
            policy.tick_end(&out);
        }
        live.out = out;
        live.effects = effects;
        live.contacted = contacted;
    }

    /// Applies what happened on a platform in this tick.
    pub(crate) fn settle(&mut self, platform: usize) {
        let mut contacted = std::mem::take(&mut self.sites[platform].contacted);
        for (role, peer, time) in contacted.drain(..) {
            if let Some(dyad) = self.actors[role as usize].dyad(peer) {
                dyad.contacted.get_or_insert(time);
            }
        }
        self.sites[platform].contacted = contacted;
        let mut effects = std::mem::take(&mut self.sites[platform].effects);
        for accept in effects.accepts.drain(..) {
            self.sites[platform].contacts.add(accept.by, accept.about);
            let role = self.world.sites[platform].role_of[accept.about as usize];
            if role != NONE {
                self.accepted(role as usize, accept.by, accept.time);
            }
        }
        for block in effects.blocks.drain(..) {
            let live = &mut self.sites[platform];
            live.blocks.insert(pair(block.by, block.about));
            for (one, other) in [(block.by, block.about), (block.about, block.by)] {
                self.sites[platform].flags[one as usize] |= BLOCKS;
                let role = self.world.sites[platform].role_of[one as usize];
                if role != NONE {
                    self.ended(role as usize, other, block.time);
                }
            }
        }
        for request in effects.requests.drain(..) {
            self.respond(platform, request);
        }
        self.file_decisions(platform);
        self.sites[platform].effects = effects;
    }
}

impl Live {
    /// Notes the blocks of this tick, so that the rest of the dyad's tick is silent.
    fn gather_blocks(&mut self, batch: &[Event]) {
        self.blocks_now.clear();
        for event in batch.iter().filter(|e| e.kind == EventKind::Block) {
            self.flags[event.actor.index()] |= BLOCKS;
            self.flags[event.peer.index()] |= BLOCKS;
            self.blocks_now.push((pair(event.actor.0, event.peer.0), event.time.0));
        }
    }
}
