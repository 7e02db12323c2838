//! The session engine: sessions from a daily plan, conversations with log-normal gaps and replies.
//! Bursts belong to dyads (Karsai et al. 2012), so that one conversation is one train; "not calibrated" stays true until
//! the validation report says otherwise. A late reply may come without a session of its own (from a notification).

use crate::contacts::Contacts;
use crate::graph::{Way, circle_member};
use crate::queue::Queue;
use crate::rhythm::below;
use crate::simulation::Simulation;
use crate::spec::BehaviourSpec;
use equipoise_core::{
    AccountId, Archetype, CounterRng, DAY, Draw, Event, EventKind, HOUR, Seed, SimTime, Surface,
};

/// What a conversation needs of the world file.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    length: f64,
    /// Quantiles of the log-normal gap in seconds, at the middles of 1,024 equal shares: a draw costs one look-up.
    gaps: Vec<f32>,
    late: f64,
    late_hours: f64,
}

impl Pace {
    pub(crate) fn new(habits: &BehaviourSpec) -> Self {
        Self {
            length: habits.conversation.get(),
            gaps: gap_table(habits.gap_seconds.get(), habits.gap_sigma.get()),
            late: habits.late_reply.p(),
            late_hours: habits.late_reply_hours.get(),
        }
    }
}

/// Longer pauses belong to another conversation.
const LONGEST_GAP: f64 = 1_800.0;

#[allow(clippy::cast_possible_truncation)]
fn gap_table(median: f64, sigma: f64) -> Vec<f32> {
    let quantile = |p: f64| {
        let (mut low, mut high) = (-6.0, 6.0);
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            let below = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
            if below < p { low = middle } else { high = middle }
        }
        low
    };
    let middle = |slot: u16| (f64::from(slot) + 0.5) / 1_024.0;
    (0..1_024)
        .map(|slot| (median * libm::exp(sigma * quantile(middle(slot)))).min(LONGEST_GAP) as f32)
        .collect()
}

/// One conversation to be; the first side starts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    pub(crate) sides: [u32; 2],
    pub(crate) media: [f64; 2],
    pub(crate) start: i32,
    pub(crate) reply: f64,
    pub(crate) surface: Surface,
}

/// Writes the message rows of a conversation and returns when it ended.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub(crate) fn converse(queue: &mut Queue, rng: &mut CounterRng, pace: &Pace, talk: &Talk) -> i32 {
    let replied = rng.chance(talk.reply);
    let length = rng.geometric(if replied { pace.length } else { 1.0 + pace.length / 5.0 }).min(400);
    let (mut time, mut bucket) = (f64::from(talk.start), queue.floor(talk.start));
    let (mut counts, mut media) = ([0_u16; 2], [0_u8; 2]);
    let scale = f64::from(1_u32 << 30);
    for message in 0..length {
        // One draw a message, cut into a gap (10 bits), a side (1 bit) and a media flag (30 bits).
        let bits = rng.below(1 << 41);
        if message > 0 {
            time += f64::from(pace.gaps[bits & 1_023]);
        }
        let at = queue.floor(time as i32);
        if at != bucket {
            flush(queue, talk, bucket, &mut counts, &mut media);
            bucket = at;
        }
        let side = (bits >> 10) & usize::from(replied && message > 0);
        counts[side] += 1;
        media[side] = media[side].saturating_add(u8::from(((bits >> 11) as f64) < talk.media[side] * scale));
    }
    flush(queue, talk, bucket, &mut counts, &mut media);
    if !replied && rng.chance(pace.late) {
        let later = rng.log_normal(pace.late_hours, 1.0).min(48.0);
        let at = talk.start.saturating_add((later * f64::from(HOUR)) as i32);
        queue.messages(at, talk.sides[1], talk.sides[0], talk.surface, rng.geometric(2.0).min(50) as u16, 0);
    }
    time as i32
}

fn flush(queue: &mut Queue, talk: &Talk, bucket: i32, counts: &mut [u16; 2], media: &mut [u8; 2]) {
    for side in 0..2 {
        if counts[side] > 0 {
            queue.messages(
                bucket,
                talk.sides[side],
                talk.sides[1 - side],
                talk.surface,
                counts[side],
                media[side],
            );
        }
    }
    (*counts, *media) = ([0; 2], [0; 2]);
}

/// A contact to talk to, the closer the likelier; `None` without contacts.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn someone(contacts: &Contacts, account: u32, rng: &mut CounterRng) -> Option<u32> {
    let (fixed, extra) = (contacts.closest(account), contacts.extra(account));
    let weight = fixed.len().min(12) + extra.len();
    if weight == 0 {
        return None;
    }
    let pick = rng.below(weight);
    if pick < extra.len() {
        return Some(extra[pick]);
    }
    let u = rng.uniform();
    Some(fixed[(u * u * u * fixed.len() as f64) as usize])
}

impl Simulation<'_> {
    /// Draws every account's sessions of the day that begins now.
    pub(crate) fn plan_day(&mut self, day: i32) {
        let world = self.world;
        let weekend = SimTime::from_days(day).is_weekend();
        let sigma = world.spec.behaviour.day_sigma.get();
        for (platform, live) in self.sites.iter_mut().enumerate() {
            live.plans.iter_mut().for_each(Vec::clear);
            let seed = self
                .seeds
                .plan
                .derive("platform", platform as u64)
                .derive("day", u64::from(day.unsigned_abs()));
            for (id, account) in (0_u32..).zip(&world.sites[platform].accounts) {
                if live.closed_at[id as usize] <= day * DAY || account.created >= (day + 1) * DAY {
                    continue;
                }
                let mut rng = seed.derive("account", u64::from(id)).rng();
                let today = rng.log_normal(1.0, sigma);
                let usage = world.drift.usage(platform, day * DAY);
                let sessions = rng.poisson(account.sessions * today * usage).min(60);
                for ordinal in 0..sessions {
                    let start = day * DAY + world.rhythm.second(account.persona, weekend, &mut rng);
                    let tick = (start - day * DAY) / self.tick_seconds;
                    live.plans[tick.unsigned_abs() as usize].push((id, start, ordinal));
                }
            }
        }
    }

    /// Plays the planned sessions of this tick.
    pub(crate) fn play_sessions(&mut self, platform: usize) {
        let part = (self.tick * self.tick_seconds % DAY / self.tick_seconds).unsigned_abs() as usize;
        let plans = std::mem::take(&mut self.sites[platform].plans[part]);
        for (account, start, ordinal) in &plans {
            let created = self.world.sites[platform].accounts[*account as usize].created;
            if *start >= created {
                self.session(platform, *account, *start, *ordinal);
            }
        }
        self.sites[platform].plans[part] = plans;
    }

    fn session(&mut self, platform: usize, account: u32, start: i32, ordinal: u32) {
        let world = self.world;
        let (site, habits) = (&world.sites[platform], &world.spec.behaviour);
        let live = &mut self.sites[platform];
        let game = live.archetype == Archetype::GameLobby;
        let address = (u64::from(account) << 32) | u64::from(self.tick.unsigned_abs() << 6 | ordinal);
        let address = self.seeds.session[platform].derive("one", address);
        let mut rng = address.rng();
        live.queue.plain(start, account, u32::MAX, EventKind::SessionOpen);
        let mut time = start + below(&mut rng, 60);
        if rng.chance(if game { 0.5 } else { habits.group_joins.p() }) {
            let mut join =
                Event::new(SimTime(time), AccountId(account), AccountId::NONE, EventKind::GroupJoin);
            join.surface = if game { Surface::Lobby } else { Surface::Group };
            live.queue.push(join);
        }
        let conversations = 1 + u64::from(rng.chance(0.35));
        self.extras(platform, account, time, address);
        let live = &mut self.sites[platform];
        for number in 0..conversations {
            // A stream of its own: what one conversation meets must not shift the draws of anything else.
            let mut rng = address.derive("talk", number).rng();
            let stranger = game && rng.chance(habits.lobby_strangers.p());
            let peer = if stranger {
                stranger_of(site, habits.same_generation.p(), account, &mut rng)
            } else {
                someone(&live.contacts, account, &mut rng)
            };
            let Some(peer) = peer.filter(|peer| *peer != account) else { continue };
            if stranger && !world.talk_in_lobbies(platform, account, peer) {
                continue;
            }
            let surface = match (game, rng.chance(habits.group_share.p())) {
                (true, _) => Surface::Lobby,
                (false, true) => Surface::Group,
                (false, false) => Surface::Direct,
            };
            let media = [site.accounts[account as usize].media, site.accounts[peer as usize].media];
            let reply = if stranger { habits.reply_unknown.p() } else { habits.reply_known.p() };
            let talk = Talk { sides: [account, peer], media, start: time, reply, surface };
            time = converse(&mut live.queue, &mut rng, &self.pace, &talk) + below(&mut rng, 60);
        }
        live.queue.plain(time + 30, account, u32::MAX, EventKind::SessionClose);
    }

    /// Everything of a session besides messages. Whether something happens and with whom are separate streams.
    fn extras(&mut self, platform: usize, account: u32, time: i32, address: Seed) {
        let world = self.world;
        let (site, spec) = (&world.sites[platform], &world.spec);
        let (habits, answers) = (&spec.behaviour, &spec.responses);
        let live = &mut self.sites[platform];
        let mut happens = address.derive("extras", 0).rng();
        let asks = world.asks(platform, account) * world.drift.requests(platform, time);
        let kinds = [
            (EventKind::Search, habits.searches.p()),
            (EventKind::ProfileChange, habits.profile_changes.p()),
            (EventKind::Exposure, habits.exposures.p()),
            (EventKind::ContactRequest, habits.requests.p() * asks),
            (EventKind::Call, habits.calls.p()),
            (EventKind::GroupInvite, habits.group_invites.p()),
            (EventKind::Block, answers.ordinary_block.p()),
            (EventKind::Report, answers.ordinary_report.p()),
        ];
        for (kind, p) in kinds {
            if !happens.chance(p) {
                continue;
            }
            let mut rng = address.derive("extra", u64::from(kind.code())).rng();
            let peer = if kind == EventKind::Exposure {
                stranger_of(site, habits.same_generation.p(), account, &mut rng)
            } else if kind == EventKind::ContactRequest {
                match Way::of(&spec.graph.new_ties, rng.uniform()) {
                    Way::Triadic => someone(&live.contacts, account, &mut rng)
                        .and_then(|friend| someone(&live.contacts, friend, &mut rng)),
                    Way::Group => circle_member(world, platform, account, rng.uniform(), rng.uniform()),
                    Way::Recommendation | Way::Search => {
                        stranger_of(site, habits.same_generation.p(), account, &mut rng)
                    }
                }
            } else if kind.has_peer() {
                someone(&live.contacts, account, &mut rng)
            } else {
                Some(u32::MAX)
            };
            let Some(peer) = peer.filter(|peer| *peer != account) else { continue };
            let mut event = Event::new(SimTime(time), AccountId(account), AccountId(peer), kind);
            match kind {
                #[allow(clippy::cast_possible_truncation)]
                EventKind::Call => event.count = rng.geometric(habits.call_minutes.get()).min(600) as u16,
                EventKind::GroupInvite => event.surface = Surface::Group,
                _ => {}
            }
            live.queue.push(event);
        }
    }
}

/// An account outside the contacts, of the same generation with probability `same`.
pub(crate) fn stranger_of(
    site: &crate::world::Site,
    same: f64,
    account: u32,
    rng: &mut CounterRng,
) -> Option<u32> {
    let minor = site.accounts[account as usize].persona.is_minor() == rng.chance(same);
    let list = &site.targets[if minor { rng.below(2) } else { 2 }];
    if list.is_empty() { None } else { Some(list[rng.below(list.len())]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Seed;

    #[test]
    fn the_gap_table_has_the_median_and_the_log_scale_of_the_file() {
        let table = gap_table(45.0, 1.3);
        assert!((table[511] - 45.0).abs() < 0.2);
        // One standard deviation up: share 0.8413 of 1,024 is slot 861.
        assert!((f64::from(table[861]).ln() - 45.0_f64.ln() - 1.3).abs() < 0.01);
    }

    #[test]
    fn messages_of_one_bucket_and_direction_become_one_row() {
        let mut queue = Queue::new(3_600, 21_600, 86_400);
        let pace = Pace { length: 8.0, gaps: vec![1.0; 1_024], late: 0.0, late_hours: 2.0 };
        let talk =
            Talk { sides: [3, 4], media: [1.0, 0.0], start: 7_200, reply: 1.0, surface: Surface::Direct };
        converse(&mut queue, &mut Seed::root(4).rng(), &pace, &talk);
        let rows = queue.take(0, Vec::new());
        assert!(rows.len() <= 2 && rows.iter().all(|row| row.time == SimTime(7_200)));
        for row in rows {
            assert_eq!(u16::from(row.media), if row.actor == AccountId(3) { row.count } else { 0 });
        }
    }
}
