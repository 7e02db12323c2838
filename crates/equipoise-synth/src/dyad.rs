//! Dyads of roles: semi-Markov stages S1 to S5 with skips, returns and ends, as multipliers on conversation rates.
//! Harmful and benign actors pass through the same lines; only truth keeps a note of the harmful ones. The order of
//! stages is not strict (European Online Grooming Project: cyclical). Abstract rates only, no conduct.

use crate::rhythm::below;
use crate::roles::{Role, Theta};
use crate::session::{Talk, converse, someone};
use crate::simulation::Simulation;
use crate::truth::StageInterval;
use crate::world::{NONE, Site};
use equipoise_core::{
    AccountId, Archetype, CounterRng, DAY, Draw, Event, EventKind, HOUR, PersonId, ReportCategory, SimTime,
    Surface,
};

/// Where a dyad stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Status {
    /// Asked, not yet answered.
    Pending,
    /// In contact.
    Active,
    /// Ended for whatever reason.
    Over,
}

/// One (actor, target) pair.
#[derive(Clone, Debug)]
pub(crate) struct Dyad {
    pub(crate) target: u32,
    pub(crate) status: Status,
    stage: u8,
    /// When the stage began; counts as contact once `contacted` is set.
    since: i32,
    until: i32,
    pub(crate) contacted: Option<i32>,
    /// Own factor on the rate; small once the dyad went on elsewhere.
    rate: f64,
    fast: bool,
}

/// The changing part of a role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actor {
    pub(crate) dyads: Vec<Dyad>,
    begun: bool,
}

impl Actor {
    pub(crate) fn dyad(&mut self, target: u32) -> Option<&mut Dyad> {
        self.dyads.iter_mut().find(|d| d.target == target && d.status != Status::Over)
    }
}

impl Simulation<'_> {
    /// Lets every role act in this tick.
    pub(crate) fn play_roles(&mut self) {
        for index in 0..self.world.roles.len() {
            let role = &self.world.roles[index];
            let (from, to) = (self.tick * self.tick_seconds, (self.tick + 1) * self.tick_seconds);
            let closed = self.sites[usize::from(role.platform)].closed_at[role.account as usize];
            if role.start >= to || closed <= from {
                continue;
            }
            let address = self
                .seeds
                .role
                .derive("one", index as u64)
                .derive("tick", u64::from(self.tick.unsigned_abs()));
            self.seek(index, role, &mut address.derive("seek", 0).rng());
            let mut dyads = std::mem::take(&mut self.actors[index].dyads);
            for (number, dyad) in (0_u64..).zip(&mut dyads) {
                if dyad.status == Status::Active {
                    self.talk(role, dyad, &mut address.derive("dyad", number).rng());
                }
            }
            self.actors[index].dyads = dyads;
        }
    }

    /// Finds new targets.
    fn seek(&mut self, index: usize, role: &Role, rng: &mut CounterRng) {
        if !role.seeks {
            return;
        }
        let begun = std::mem::replace(&mut self.actors[index].begun, true);
        let share = f64::from(self.tick_seconds) / f64::from(DAY);
        let wanted = rng.poisson(role.theta.requests * share).min(60) + u32::from(!begun);
        let from = (self.tick * self.tick_seconds).max(role.start);
        for _ in 0..wanted {
            let time = from + below(rng, (self.tick + 1) * self.tick_seconds - from);
            if let Some((target, known)) = self.target(index, role, rng) {
                self.open(index, role, target, known, 1, time, rng);
            }
        }
    }

    /// A target, and whether it is a contact already.
    fn target(&self, index: usize, role: &Role, rng: &mut CounterRng) -> Option<(u32, bool)> {
        let platform = usize::from(role.platform);
        let (site, contacts) = (&self.world.sites[platform], &self.sites[platform].contacts);
        let theta = &role.theta;
        let list = if rng.chance(theta.minors) { usize::from(rng.chance(theta.girls)) } else { 2 };
        let (existing, triadic) = (rng.chance(theta.existing), rng.chance(theta.triadic));
        for _ in 0..12 {
            let candidate = if existing {
                someone(contacts, role.account, rng)
            } else if triadic {
                someone(contacts, role.account, rng).and_then(|friend| someone(contacts, friend, rng))
            } else {
                let pool = &site.targets[list];
                if pool.is_empty() { None } else { Some(pool[rng.below(pool.len())]) }
            };
            let Some(candidate) = candidate else { break };
            if self.kind_of(site, candidate) == list && self.free(index, role, candidate, existing) {
                return Some((candidate, existing));
            }
        }
        // Whoever finds nobody nearby looks further.
        let pool = &site.targets[list];
        let far = if pool.is_empty() { return None } else { pool[rng.below(pool.len())] };
        self.free(index, role, far, false).then_some((far, false))
    }

    fn kind_of(&self, site: &Site, account: u32) -> usize {
        let person = &self.world.people[site.accounts[account as usize].person as usize];
        if person.band.is_minor() { usize::from(person.girl) } else { 2 }
    }

    fn free(&self, index: usize, role: &Role, candidate: u32, known: bool) -> bool {
        let platform = usize::from(role.platform);
        let (site, live) = (&self.world.sites[platform], &self.sites[platform]);
        let own = site.accounts[role.account as usize].person;
        let other = &site.accounts[candidate as usize];
        other.person != own
            && site.role_of[candidate as usize] == NONE
            && other.created < self.tick * self.tick_seconds
            && live.contacts.linked(role.account, candidate) == known
            && !self.actors[index].dyads.iter().any(|d| d.target == candidate)
    }

    #[allow(clippy::too_many_arguments)]
    fn open(
        &mut self,
        index: usize,
        role: &Role,
        target: u32,
        known: bool,
        stage: u8,
        time: i32,
        rng: &mut CounterRng,
    ) {
        let harm = &self.world.spec.harm;
        let live = &mut self.sites[usize::from(role.platform)];
        let fast = rng.chance(if live.archetype == Archetype::GameLobby {
            harm.fast_game.p()
        } else {
            harm.fast.p()
        });
        let rate = rng.log_normal(1.0, 0.5);
        let mut dyad = Dyad {
            target,
            status: Status::Pending,
            stage,
            since: time,
            until: i32::MAX,
            contacted: None,
            rate,
            fast,
        };
        if known {
            dyad.status = Status::Active;
            dyad.until = time.saturating_add(self.dwell(fast, rng));
        } else {
            live.queue.plain(time, role.account, target, EventKind::ContactRequest);
        }
        self.actors[index].dyads.push(dyad);
    }

    #[allow(clippy::cast_possible_truncation)]
    fn dwell(&self, fast: bool, rng: &mut CounterRng) -> i32 {
        let harm = &self.world.spec.harm;
        let seconds = if fast {
            rng.log_normal(harm.fast_hours.get(), harm.fast_sigma.get()) * f64::from(HOUR)
        } else {
            rng.log_normal(harm.slow_days.get(), harm.slow_sigma.get()) * f64::from(DAY)
        };
        seconds.clamp(60.0, 4e8) as i32
    }

    /// The conversations of one dyad in this tick, each in a session of whoever starts it.
    #[allow(clippy::cast_sign_loss)]
    fn talk(&mut self, role: &Role, dyad: &Dyad, rng: &mut CounterRng) {
        let platform = usize::from(role.platform);
        let (site, theta) = (&self.world.sites[platform], &role.theta);
        let from = self.tick * self.tick_seconds;
        let weekend = SimTime(from).is_weekend();
        let first = (from.rem_euclid(DAY) / HOUR) as usize;
        let hours = first..first + (self.tick_seconds / HOUR) as usize;
        let persona = site.accounts[role.account as usize].persona;
        let (weights, mass) =
            self.world.rhythm.span(persona, weekend, theta.off_hours, hours.start, hours.end);
        let rate = theta.conversations * theta.stage_rate[usize::from(dyad.stage) - 1] * dyad.rate;
        let today = rng.log_normal(1.0, 0.6);
        let count = rng.poisson(rate * mass * today).min(40);
        let live = &mut self.sites[platform];
        let surface = if live.archetype == Archetype::GameLobby { Surface::Lobby } else { Surface::Direct };
        for _ in 0..count {
            let hour = i32::try_from(rng.weighted(&weights[hours.clone()])).unwrap_or(0);
            let start = from + hour * HOUR + below(rng, HOUR);
            let own = [role.account, dyad.target];
            let media = [theta.media, site.accounts[dyad.target as usize].media];
            let turn = usize::from(!rng.chance(theta.initiation));
            let (sides, media) = ([own[turn], own[1 - turn]], [media[turn], media[1 - turn]]);
            if start < dyad.since {
                continue;
            }
            let talk = Talk { sides, media, start, reply: theta.reply, surface };
            live.queue.plain(start, sides[0], u32::MAX, EventKind::SessionOpen);
            let end = converse(&mut live.queue, rng, &self.pace, &talk);
            live.queue.plain(end + 30, sides[0], u32::MAX, EventKind::SessionClose);
        }
    }

    /// Moves stages on at the end of a tick.
    pub(crate) fn advance(&mut self) {
        let now = (self.tick + 1) * self.tick_seconds;
        for index in 0..self.world.roles.len() {
            let mut dyads = std::mem::take(&mut self.actors[index].dyads);
            for (number, dyad) in (0_u64..).zip(&mut dyads) {
                if dyad.status != Status::Active || dyad.until > now {
                    continue;
                }
                let address = self.seeds.stage.derive("role", index as u64).derive("dyad", number);
                let mut rng = address.derive("tick", u64::from(self.tick.unsigned_abs())).rng();
                for _ in 0..8 {
                    if dyad.status == Status::Active && dyad.until <= now {
                        self.transition(index, dyad, &mut rng);
                    }
                }
            }
            // Moves to another platform push into the sibling's list, never into this one.
            self.actors[index].dyads = dyads;
        }
    }

    fn transition(&mut self, index: usize, dyad: &mut Dyad, rng: &mut CounterRng) {
        let harm = &self.world.spec.harm;
        let at = dyad.until;
        self.note(index, dyad, at);
        let (drop, back, skip) =
            (rng.chance(harm.drop.p()), rng.chance(harm.back.p()), rng.chance(harm.skip.p()));
        let next = match (back, skip) {
            (true, _) => dyad.stage.saturating_sub(1).max(1),
            (false, true) => dyad.stage + 2,
            (false, false) => dyad.stage + 1,
        };
        if drop || next > 5 {
            dyad.status = Status::Over;
            return;
        }
        dyad.stage = next;
        dyad.since = at;
        dyad.until = at.saturating_add(self.dwell(dyad.fast, rng));
        self.on_entry(index, dyad, at, rng);
    }

    /// Being noticed, going on elsewhere, coming to the notice of the police: on entering a stage.
    fn on_entry(&mut self, index: usize, dyad: &mut Dyad, at: i32, rng: &mut CounterRng) {
        let role = &self.world.roles[index];
        let now = at.max((self.tick + 1) * self.tick_seconds);
        if rng.chance(role.theta.notice[usize::from(dyad.stage) - 1]) {
            self.answer_notice(usize::from(role.platform), dyad.target, role.account, &role.theta, now, rng);
        }
        if dyad.stage != 3 {
            return;
        }
        self.police(role, dyad, at, rng);
        let moves = rng.chance(role.theta.moves);
        if let (true, Some(sibling)) = (moves, role.sibling) {
            let next = &self.world.roles[sibling as usize];
            let site = &self.world.sites[usize::from(next.platform)];
            let person = self.world.sites[usize::from(role.platform)].accounts[dyad.target as usize].person;
            let there = site.first[person as usize];
            let start = now + below(rng, DAY);
            let ready = site.accounts[next.account as usize].created <= start;
            if there != NONE && ready && self.free(sibling as usize, next, there, false) {
                dyad.rate *= 0.15;
                self.open(sibling as usize, next, there, false, 3, start, rng);
            }
        }
    }

    /// What somebody does who noticed something unwanted: block, report, mute, in any combination.
    pub(crate) fn answer_notice(
        &mut self,
        platform: usize,
        by: u32,
        about: u32,
        theta: &Theta,
        now: i32,
        rng: &mut CounterRng,
    ) -> bool {
        let responses = &self.world.spec.responses;
        let [block, report, mute] =
            [&responses.block, &responses.report, &responses.mute].map(|p| rng.chance(p.p()));
        #[allow(clippy::cast_possible_truncation)]
        let delay = (rng.log_normal(responses.delay_hours.get(), responses.delay_sigma.get()).min(72.0)
            * 3_600.0) as i32;
        let child_safety = rng.chance(theta.child_safety);
        let queue = &mut self.sites[platform].queue;
        let time = now.saturating_add(delay);
        if report {
            let mut event = Event::new(SimTime(time), AccountId(by), AccountId(about), EventKind::Report);
            event.detail = if child_safety { ReportCategory::ChildSafety as u8 } else { 0 };
            queue.push(event);
        }
        if mute {
            queue.plain(time, by, about, EventKind::Mute);
        }
        if block {
            queue.plain(time, by, about, EventKind::Block);
        }
        block
    }

    /// Starts the contact of an accepted request.
    pub(crate) fn accepted(&mut self, index: usize, target: u32, at: i32) {
        let address = self.seeds.stage.derive("accepted", index as u64).derive("target", u64::from(target));
        let mut rng = address.rng();
        let fast = self.actors[index].dyad(target).map(|d| d.fast);
        let Some(fast) = fast else { return };
        let until = at.saturating_add(self.dwell(fast, &mut rng));
        if let Some(dyad) = self.actors[index].dyad(target).filter(|d| d.status == Status::Pending) {
            dyad.status = Status::Active;
            dyad.until = until;
        }
    }

    /// Ends a dyad: blocked, declined, ignored, closed.
    pub(crate) fn ended(&mut self, index: usize, target: u32, at: i32) {
        let mut dyads = std::mem::take(&mut self.actors[index].dyads);
        for dyad in dyads.iter_mut().filter(|d| d.target == target && d.status != Status::Over) {
            self.note(index, dyad, at);
            dyad.status = Status::Over;
        }
        self.actors[index].dyads = dyads;
    }

    /// Writes a finished stage of a harmful dyad with a child into the truth.
    pub(crate) fn note(&mut self, index: usize, dyad: &Dyad, to: i32) {
        let role = &self.world.roles[index];
        let (true, Some(contacted)) = (role.harmful, dyad.contacted) else { return };
        let platform = usize::from(role.platform);
        let person = self.world.sites[platform].accounts[dyad.target as usize].person;
        let (from, to) = (dyad.since.max(contacted), to.min(self.end));
        if self.world.people[person as usize].band.is_minor() && from < to {
            self.truth.platforms[platform].stages.push(StageInterval {
                account: AccountId(role.account),
                child: PersonId(person),
                stage: dyad.stage,
                from: SimTime(from),
                to: SimTime(to),
            });
        }
    }
}
