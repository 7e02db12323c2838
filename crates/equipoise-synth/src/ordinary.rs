//! What an ordinary account does on a day, as a function of (seed, account, day) and of what could be seen when the day
//! began: who its contacts were. So any account's day can be made alone.
//!
//! A session splits in two. *Acts* (contact requests, blocks, reports) couple people; they are intents for the skeleton
//! of the world, which decides what becomes of them. Everything else is *flesh*: rows that change nothing for anybody.
//! Both come from one plan of the day, at addresses of their own.

use crate::contacts::{Bond, Contacts, Later};
use crate::engine::{LATEST_REPLY, Pace};
use crate::graph::{Way, circle_member};
use crate::row::Sheet;
use crate::stream::{Address, Stream};
use crate::talk::{Part, Talk, tell};
use crate::world::{Site, World};
use equipoise_core::{AccountId, Archetype, CounterRng, DAY, Draw, Event, EventKind, Seed, SimTime, Surface};

/// What a day needs of an account, small and side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    pub(crate) created: i32,
    /// Sessions of a median day.
    rate: f32,
    media: f32,
    /// Factor on its contact requests.
    asks: f32,
    minor: bool,
    /// Talks to people it does not know in game lobbies.
    lobbies: bool,
}

impl Habit {
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn all(world: &World, platform: usize) -> Vec<Self> {
        let accounts = &world.sites[platform].accounts;
        let habit = |(id, account): (u32, &crate::accounts::Account)| Self {
            created: account.created,
            rate: account.sessions as f32,
            media: account.media as f32,
            asks: world.asks(platform, id) as f32,
            minor: account.persona.is_minor(),
            lobbies: world.people[account.person as usize].talks_in_lobbies,
        };
        (0..).zip(accounts).map(habit).collect()
    }
}

/// What the days of one platform's accounts are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) world: &'a World,
    pub(crate) platform: usize,
    pub(crate) site: &'a Site,
    pub(crate) archetype: Archetype,
    pub(crate) habits: &'a [Habit],
    pub(crate) contacts: &'a Contacts,
    pub(crate) closed_at: &'a [i32],
    pub(crate) pace: &'a Pace,
    pub(crate) odds: &'a Odds,
    /// The platform's address of plans.
    pub(crate) plan: Seed,
}

/// Probabilities per session, in the engine's sessions.
#[derive(Clone, Debug)]
pub(crate) struct Odds {
    join: f64,
    /// Flesh: what else happens in a session.
    extras: [(EventKind, f64); 5],
    /// Acts, out of 2^21.
    acts: [(EventKind, f64); 3],
}

const ACT_BITS: u32 = 21;

impl Odds {
    pub(crate) fn new(world: &World, archetype: Archetype, pace: &Pace) -> Self {
        let (habits, answers) = (&world.spec.behaviour, &world.spec.responses);
        let per_session = |p: f64| (p / pace.sessions_factor()).min(1.0);
        let act = |p: f64| per_session(p) * f64::from(1_u32 << ACT_BITS);
        let game = archetype == Archetype::GameLobby;
        Self {
            join: per_session(if game { 0.5 } else { habits.group_joins.p() }),
            extras: [
                (EventKind::Search, per_session(habits.searches.p())),
                (EventKind::ProfileChange, per_session(habits.profile_changes.p())),
                (EventKind::Exposure, per_session(habits.exposures.p())),
                (EventKind::Call, per_session(habits.calls.p())),
                (EventKind::GroupInvite, per_session(habits.group_invites.p())),
            ],
            acts: [
                (EventKind::ContactRequest, act(habits.requests.p())),
                (EventKind::Block, act(answers.ordinary_block.p())),
                (EventKind::Report, act(answers.ordinary_report.p())),
            ],
        }
    }
}

/// The second conversation of a session: its probability.
const ANOTHER: f64 = 0.35;
/// Places below a session's address.
const TALK: u64 = 16;
const EXTRA: u64 = 32;
const ACT: u64 = 64;

/// One account on one day.
#[derive(Clone, Copy, Debug)]
struct Today<'a> {
    ground: &'a Ground<'a>,
    account: u32,
    /// When the day began.
    dawn: i32,
}

/// An act that an account will have in mind in one of its sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Planned {
    /// Towards somebody whom no contact led to: a function of the seed and the file as well.
    Settled(Event),
    /// Towards whom hangs on whom the account knows then.
    Open { account: u32, start: Start, kind: EventKind },
}

impl Planned {
    const fn account(&self) -> u32 {
        match self {
            Self::Settled(event) => event.actor.0,
            Self::Open { account, .. } => *account,
        }
    }
}

/// A session of a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    second: i32,
    address: Address,
    /// Decides which acts happen in it.
    acts: u64,
}

impl<'a> Ground<'a> {
    /// Makes `wanted` of one account on one day; `seed` is the day's place below [`Ground::plan`].
    fn day(&'a self, seed: Seed, account: u32, day: i32, mut wanted: impl FnMut(&Today<'a>, Start)) {
        let habit = self.habits[account as usize];
        let dawn = day * DAY;
        if habit.created >= dawn + DAY || self.closed_at[account as usize] <= dawn {
            return;
        }
        let address = Address::new(seed.derive("account", u64::from(account)));
        let mut stream = address.stream();
        let weekend = SimTime(dawn).is_weekend();
        let today = Today { ground: self, account, dawn };
        let usage = self.world.drift.usage(self.platform, dawn);
        for ordinal in 0..self.pace.sessions(f64::from(habit.rate) * usage, &mut stream) {
            let second = dawn + self.world.rhythm.second(habit.minor, weekend, &mut stream);
            let acts = stream.word();
            if second >= habit.created {
                wanted(&today, Start { second, address: address.at(u64::from(ordinal)), acts });
            }
        }
    }

    fn seed_of(&self, day: i32) -> Seed {
        self.plan.derive("day", u64::from(day.unsigned_abs()))
    }

    /// The acts of these accounts on one day, in no order that means anything.
    pub(crate) fn acts(&self, accounts: std::ops::Range<u32>, day: i32, out: &mut Vec<Event>) {
        let seed = self.seed_of(day);
        for account in accounts {
            self.day(seed, account, day, |today, start| today.acts(start, out));
        }
    }

    /// Which acts these accounts will have in mind on one day, if they are still there.
    pub(crate) fn plan_acts(&self, accounts: std::ops::Range<u32>, day: i32, out: &mut Vec<Planned>) {
        let seed = self.seed_of(day);
        for account in accounts {
            self.day(seed, account, day, |today, start| {
                today.chosen(start, |kind| {
                    if today.knows_already(kind, start) {
                        out.extend(today.act(kind, start).map(Planned::Settled));
                    } else {
                        out.push(Planned::Open { account, start, kind });
                    }
                });
            });
        }
    }

    /// The acts that were planned for one day, of those who are there, towards whom they know by now.
    pub(crate) fn planned(&self, planned: &[Planned], day: i32, out: &mut Vec<Event>) {
        let dawn = day * DAY;
        for one in planned.iter().filter(|one| self.closed_at[one.account() as usize] > dawn) {
            match *one {
                Planned::Settled(event) => out.push(event),
                Planned::Open { account, start, kind } => {
                    out.extend(Today { ground: self, account, dawn }.act(kind, start));
                }
            }
        }
    }

    /// Both acts and flesh of these accounts on the day that the sheet's window begins with.
    pub(crate) fn whole(
        &self,
        accounts: std::ops::Range<u32>,
        day: i32,
        sheet: &mut Sheet,
        acts: &mut Vec<Event>,
    ) {
        let seed = self.seed_of(day);
        for account in accounts {
            self.day(seed, account, day, |today, start| {
                today.acts(start, acts);
                today.session(start, Part::All, sheet);
            });
        }
    }

    /// The flesh of these accounts' sessions in `days`, as far as it falls into the sheet's window. Sessions of days before
    /// the window are made as far as they reach into it.
    pub(crate) fn flesh(
        &self,
        accounts: std::ops::Range<u32>,
        days: std::ops::Range<i32>,
        sheet: &mut Sheet,
    ) {
        let seeds: Vec<Seed> = days.clone().map(|day| self.seed_of(day)).collect();
        let whole_from = sheet.from().saturating_sub(self.pace.reach());
        let late_from = sheet.from().saturating_sub(LATEST_REPLY);
        for account in accounts {
            for (day, seed) in days.clone().zip(&seeds) {
                self.day(*seed, account, day, |today, start| {
                    if start.second >= whole_from {
                        today.session(start, Part::All, sheet);
                    } else if start.second >= late_from {
                        today.session(start, Part::Late, sheet);
                    }
                });
            }
        }
    }
}

impl Today<'_> {
    fn session(&self, start: Start, part: Part, sheet: &mut Sheet) {
        let (ground, account) = (self.ground, self.account);
        let mut stream = start.address.stream();
        let mut time = start.second + below(&mut stream, 60);
        let another = stream.chance(ANOTHER);
        if part == Part::All {
            sheet.own(start.second, account, EventKind::SessionOpen, Surface::Direct);
            if stream.chance(ground.odds.join) {
                let lobby = ground.archetype == Archetype::GameLobby;
                let surface = if lobby { Surface::Lobby } else { Surface::Group };
                sheet.own(time, account, EventKind::GroupJoin, surface);
            }
            for (kind, p) in ground.odds.extras {
                if stream.chance(p) {
                    self.extra(kind, time, start.address.at(EXTRA + u64::from(kind.code())), sheet);
                }
            }
        }
        for number in 0..=u64::from(another) {
            // A stream of its own: what one conversation meets must not shift the draws of anything else.
            let address = start.address.at(TALK + number);
            if let Some(talk) = self.talk(start.second, time, &mut address.stream()) {
                time = tell(sheet, ground.pace, &talk, start.second, address.at(0), part) + 30;
            }
        }
        if part == Part::All {
            sheet.own(time, account, EventKind::SessionClose, Surface::Direct);
        }
    }

    fn talk(&self, opened: i32, start: i32, stream: &mut Stream) -> Option<Talk> {
        let (ground, account) = (self.ground, self.account);
        let habits = &ground.world.spec.behaviour;
        let game = ground.archetype == Archetype::GameLobby;
        let stranger = stream.chance(habits.lobby_strangers.p()) && game;
        let group = stream.chance(habits.group_share.p());
        let (peer, bond) =
            if stranger { (self.stranger(stream)?, Bond::Stranger) } else { self.contact(account, stream)? };
        if bond == Bond::Quiet {
            return None;
        }
        let surface = match (game, group) {
            (true, _) => Surface::Lobby,
            (false, true) => Surface::Group,
            (false, false) => Surface::Direct,
        };
        let reply = if bond == Bond::Stranger { habits.reply_unknown.p() } else { habits.reply_known.p() };
        let (own, other) = (ground.habits[account as usize], ground.habits[peer as usize]);
        if stranger && !(own.lobbies && other.lobbies) {
            return None;
        }
        let media = [f64::from(own.media), f64::from(other.media)];
        let talk = Talk { sides: [account, peer], media, start, reply, surface };
        (peer != account && other.created <= opened).then_some(talk)
    }

    fn extra(&self, kind: EventKind, time: i32, address: Address, sheet: &mut Sheet) {
        let mut stream = address.stream();
        let peer = match kind {
            EventKind::Exposure => self.stranger(&mut stream),
            kind if kind.has_peer() => self.someone(self.account, &mut stream),
            _ => {
                sheet.own(time, self.account, kind, Surface::Direct);
                return;
            }
        };
        let Some(peer) = peer.filter(|peer| self.exists(*peer, time)) else { return };
        let (surface, count) = match kind {
            #[allow(clippy::cast_possible_truncation)]
            EventKind::Call => {
                let minutes = self.ground.world.spec.behaviour.call_minutes.get();
                (Surface::Direct, stream.geometric(minutes).min(600) as u16)
            }
            EventKind::GroupInvite => (Surface::Group, 1),
            _ => (Surface::Direct, 1),
        };
        sheet.push(time, self.account, peer, kind, surface, count, 0);
    }

    /// Factor on contact requests.
    fn asks(&self, time: i32) -> f64 {
        let own = self.ground.habits[self.account as usize].asks;
        f64::from(own) * self.ground.world.drift.requests(self.ground.platform, time)
    }

    fn acts(&self, start: Start, out: &mut Vec<Event>) {
        self.chosen(start, |kind| out.extend(self.act(kind, start)));
    }

    /// The kinds of acts of a session: a function of the seed and the file alone.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn chosen(&self, start: Start, mut take: impl FnMut(EventKind)) {
        for (field, (kind, odds)) in (0_u32..).zip(self.ground.odds.acts) {
            let share = (start.acts >> (field * ACT_BITS)) as u32 & ((1 << ACT_BITS) - 1);
            let odds = if kind == EventKind::ContactRequest { odds * self.asks(start.second) } else { odds };
            if f64::from(share) < odds {
                take(kind);
            }
        }
    }

    /// When an act happens, how it finds its other side, and the draws that are left for that.
    fn errand(&self, kind: EventKind, start: Start) -> (i32, Way, Stream) {
        let mut stream = start.address.at(ACT + u64::from(kind.code())).stream();
        let time = start.second + below(&mut stream, 60);
        (time, Way::of(&self.ground.world.spec.graph.new_ties, stream.uniform()), stream)
    }

    /// Whether an act leads to the same account whomever the actor knows by then.
    fn knows_already(&self, kind: EventKind, start: Start) -> bool {
        kind == EventKind::ContactRequest && self.errand(kind, start).1 != Way::Triadic
    }

    fn act(&self, kind: EventKind, start: Start) -> Option<Event> {
        let ground = self.ground;
        let (time, way, mut stream) = self.errand(kind, start);
        let peer = match (kind, way) {
            (EventKind::ContactRequest, Way::Triadic) => {
                self.someone(self.account, &mut stream).and_then(|friend| self.someone(friend, &mut stream))
            }
            (EventKind::ContactRequest, Way::Group) => {
                let (circle, member) = (stream.uniform(), stream.uniform());
                circle_member(ground.world, ground.platform, self.account, circle, member)
            }
            (EventKind::ContactRequest, _) => self.stranger(&mut stream),
            _ => self.someone(self.account, &mut stream),
        };
        let peer = peer.filter(|peer| self.exists(*peer, time))?;
        let mut event = Event::new(SimTime(time), AccountId(self.account), AccountId(peer), kind);
        if kind == EventKind::ContactRequest {
            event.detail = way.found_by() as u8;
        }
        Some(event)
    }

    fn exists(&self, peer: u32, time: i32) -> bool {
        peer != self.account && self.ground.habits[peer as usize].created <= time
    }

    fn someone(&self, account: u32, stream: &mut Stream) -> Option<u32> {
        self.contact(account, stream).map(|(peer, _)| peer)
    }

    fn contact(&self, account: u32, stream: &mut Stream) -> Option<(u32, Bond)> {
        let contacts = self.ground.contacts;
        let later = contacts.extra_at(account, self.dawn);
        choose(contacts.closest(account), later, stream.uniform(), stream.uniform())
    }

    /// An account outside the contacts, mostly of the same generation.
    fn stranger(&self, stream: &mut Stream) -> Option<u32> {
        let same = self.ground.world.spec.behaviour.same_generation.p();
        let minor = self.ground.habits[self.account as usize].minor == stream.chance(same);
        let (side, place) = (stream.below(2) as usize, stream.uniform());
        let list = &self.ground.site.targets[if minor { side } else { 2 }];
        list.get(share_of(place, list.len())).copied()
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
const fn below(stream: &mut Stream, n: u32) -> i32 {
    stream.below(n) as i32
}

#[inline]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn share_of(uniform: f64, length: usize) -> usize {
    (uniform * length as f64) as usize
}

/// A contact, the closer the likelier: a later one, or the fixed one at the cube of `place`; `None` without contacts.
#[inline]
fn choose(fixed: &[u32], later: &[Later], which: f64, place: f64) -> Option<(u32, Bond)> {
    match later.get(share_of(which, fixed.len().min(12) + later.len())) {
        Some(one) => Some((one.peer, one.bond)),
        None => fixed.get(share_of(place * place * place, fixed.len())).map(|peer| (*peer, Bond::Known)),
    }
}

/// A contact to talk to as of now, the closer the likelier; `None` without contacts.
pub(crate) fn someone(contacts: &Contacts, account: u32, rng: &mut CounterRng) -> Option<u32> {
    choose(contacts.closest(account), contacts.extra(account), rng.uniform(), rng.uniform())
        .map(|(peer, _)| peer)
}
