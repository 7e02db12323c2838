//! Dyads of roles: what one is, how it begins, and its conversations as multipliers on rates. Harmful and benign actors
//! pass through the same lines; only truth keeps a note of the harmful ones. Abstract rates only, no conduct.

use crate::queue::{MediaAlone, Outbox};
use crate::rhythm::below;
use crate::roles::Role;
use crate::simulation::Simulation;
use crate::talk::{Talk, converse};
use crate::truth::StageInterval;
use equipoise_core::{
    AccountId, AgeBand, Archetype, CounterRng, DAY, Draw, EventKind, HOUR, PersonId, Reach, Seed, SimTime,
    Surface,
};
use rayon::prelude::*;

/// Roles of one task.
const ROLES_OF_A_TASK: usize = 64;

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
    pub(crate) stage: u8,
    /// When the stage began; counts as contact once `contacted` is set.
    pub(crate) since: i32,
    pub(crate) until: i32,
    pub(crate) contacted: Option<i32>,
    /// Own factor on the rate; small once the dyad went on elsewhere.
    pub(crate) rate: f64,
    pub(crate) fast: bool,
    /// Began on an existing tie.
    pub(crate) known: bool,
    /// Sensitive media that a filter let pass and stopped; both 0 without a filter.
    pub(crate) passed: u32,
    pub(crate) stopped: u32,
}

impl Dyad {
    /// Whether it ever came to contact on both sides: an existing tie, or an accepted request.
    pub(crate) const fn began(&self) -> bool {
        self.until != i32::MAX
    }
}

/// A dyad to come: where, with whom, from which stage, when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) target: u32,
    pub(crate) known: bool,
    pub(crate) stage: u8,
    pub(crate) time: i32,
}

/// A target that another account of the actor or team may turn to after a block or report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    pub(crate) target: u32,
    pub(crate) due: i32,
}

/// The changing part of a role.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// All there ever were, in the order of their beginning: the number of a dyad is an address of draws.
    pub(crate) dyads: Vec<Dyad>,
    /// Numbers of those that are not over, rising.
    live: Vec<u32>,
    /// Targets of all of them, sorted.
    targets: Vec<u32>,
    /// No stage of any of them ends before.
    next: i32,
    /// Whether any target was ever reached.
    pub(crate) met: bool,
    pub(crate) begun: bool,
    pub(crate) again: Vec<Again>,
    /// Factor on how often it seeks; 1 until it slows down.
    pub(crate) pace: f64,
    pub(crate) refused: bool,
    pub(crate) closed: bool,
    pub(crate) displaced: bool,
}

impl Default for Actor {
    fn default() -> Self {
        Self {
            dyads: Vec::new(),
            live: Vec::new(),
            targets: Vec::new(),
            next: i32::MAX,
            met: false,
            begun: false,
            again: Vec::new(),
            pace: 1.0,
            refused: false,
            closed: false,
            displaced: false,
        }
    }
}

impl Actor {
    /// Adds a dyad; its target is new to the actor.
    pub(crate) fn begin(&mut self, dyad: Dyad) {
        #[allow(clippy::cast_possible_truncation, reason = "fewer dyads than accounts")]
        self.live.push(self.dyads.len() as u32);
        if let Err(place) = self.targets.binary_search(&dyad.target) {
            self.targets.insert(place, dyad.target);
        }
        self.wake(dyad.until);
        self.dyads.push(dyad);
    }

    /// Notes that a stage ends at `until`.
    pub(crate) fn wake(&mut self, until: i32) {
        self.next = self.next.min(until);
    }

    /// Numbers of the dyads that are not over.
    pub(crate) fn live(&self) -> &[u32] {
        &self.live
    }

    /// Dyads that are not over, with their numbers.
    pub(crate) fn going_on(&self) -> impl Iterator<Item = (u64, &Dyad)> {
        self.live.iter().map(|number| (u64::from(*number), &self.dyads[*number as usize]))
    }

    /// Whether `target` was ever a target.
    pub(crate) fn knew(&self, target: u32) -> bool {
        self.targets.binary_search(&target).is_ok()
    }

    /// Whether a stage may end by `now`.
    pub(crate) fn stirs(&self, now: i32) -> bool {
        self.next <= now
    }

    /// Looks again which dyads go on and when a stage ends next, after some of them changed.
    pub(crate) fn sort_out(&mut self) {
        let (mut live, mut next) = (std::mem::take(&mut self.live), i32::MAX);
        live.retain(|number| {
            let dyad = &self.dyads[*number as usize];
            if dyad.status == Status::Active {
                next = next.min(dyad.until);
            }
            dyad.status != Status::Over
        });
        (self.live, self.next) = (live, next);
    }

    pub(crate) fn dyad(&mut self, target: u32) -> Option<&mut Dyad> {
        let number = self.live.iter().find(|number| self.dyads[**number as usize].target == target)?;
        Some(&mut self.dyads[*number as usize])
    }

    /// Whether a dyad with `target` is asked for or goes on.
    pub(crate) fn has(&self, target: u32) -> bool {
        self.going_on().any(|(_, dyad)| dyad.target == target)
    }
}

impl Simulation<'_> {
    /// Lets every role act in this tick. What an actor does hangs on the world as the tick began, on its own dyads and, in a
    /// team, on those of its mates; so the members of teams look for targets one after the other, and all else happens side
    /// by side.
    pub(crate) fn play_roles(&mut self) {
        let mut actors = std::mem::take(&mut self.actors);
        let mut outboxes = vec![self.outboxes()];
        for &index in &self.teamed {
            let role = &self.world.roles[index];
            if self.looks(index, &actors[index])
                && let Some(address) = self.turn(index)
            {
                let mut own = std::mem::take(&mut actors[index]);
                let outbox = &mut outboxes[0][usize::from(role.platform)];
                self.seek(role, &mut own, &actors, &mut address.derive("seek", 0).rng(), outbox);
                actors[index] = own;
            }
        }
        let play = |(task, actors): (usize, &mut [Actor])| {
            let mut outboxes = self.outboxes();
            for (index, actor) in (task * ROLES_OF_A_TASK..).zip(actors) {
                self.play_role(index, actor, &mut outboxes);
            }
            outboxes
        };
        outboxes.par_extend(actors.par_chunks_mut(ROLES_OF_A_TASK).enumerate().map(play));
        self.actors = actors;
        self.sites.par_iter_mut().enumerate().for_each(|(platform, live)| {
            let intents = outboxes.iter().flat_map(|boxes| &boxes[platform].intents);
            intents.for_each(|intent| live.queue.push(*intent));
        });
    }

    /// One empty outbox a platform.
    fn outboxes(&self) -> Vec<Outbox> {
        self.sites.iter().map(|live| Outbox::new(live.queue.bucket)).collect()
    }

    /// The address of a role's turn in this tick, unless it has none.
    fn turn(&self, index: usize) -> Option<Seed> {
        let role = &self.world.roles[index];
        let (from, to) = (self.tick * self.tick_seconds, (self.tick + 1) * self.tick_seconds);
        let closed = self.sites[usize::from(role.platform)].closed_at[role.account as usize];
        let tick = u64::from(self.tick.unsigned_abs());
        (self.start_of(role) < to && closed > from).then(|| self.own_seeds[index].derive("tick", tick))
    }

    fn play_role(&self, index: usize, actor: &mut Actor, outboxes: &mut [Outbox]) {
        let role = &self.world.roles[index];
        let looks = role.mates.is_empty() && self.looks(index, actor);
        if !looks && actor.live().is_empty() {
            return;
        }
        let Some(address) = self.turn(index) else { return };
        let outbox = &mut outboxes[usize::from(role.platform)];
        if looks {
            self.seek(role, actor, &[], &mut address.derive("seek", 0).rng(), outbox);
        }
        for (number, dyad) in actor.going_on() {
            let matters =
                if dyad.status == Status::Active { self.matters(role, dyad) } else { Reach::Nothing };
            if matters != Reach::Nothing {
                self.talk(role, dyad, &mut address.derive("dyad", number).rng(), outbox, matters);
            }
        }
    }

    /// What of a dyad's talk anybody in this run reaches or hears. Before its first message, everything counts: that is the
    /// contact. After it, and where nobody reaches more than media, only media matter that a child's device may meet.
    fn matters(&self, role: &Role, dyad: &Dyad) -> Reach {
        if self.reach == Reach::Everything || dyad.contacted.is_none() {
            return Reach::Everything;
        }
        let site = &self.world.sites[usize::from(role.platform)];
        let child = |account: &crate::accounts::Account, age: AgeBand| {
            let person = self.world.people[account.person as usize].band;
            (if self.true_ages { person } else { account.declared }).is_minor() || age.is_minor()
        };
        let (own, target) = (&site.accounts[role.account as usize], &site.accounts[dyad.target as usize]);
        let truth =
            if role.harmful { self.world.people[target.person as usize].band } else { AgeBand::Adult };
        let met = child(own, AgeBand::Adult) || child(target, truth);
        if self.reach == Reach::Media && met { Reach::Media } else { Reach::Nothing }
    }

    /// Begins a dyad of a role, now.
    pub(crate) fn open(&mut self, index: usize, opening: Opening, rng: &mut CounterRng) {
        let role = &self.world.roles[index];
        let dyad = self.opened(role, opening, rng);
        if !dyad.known {
            let queue = &mut self.sites[usize::from(role.platform)].queue;
            queue.plain(dyad.since, role.account, dyad.target, EventKind::ContactRequest);
        }
        self.actors[index].begin(dyad);
    }

    /// A new dyad: on an existing tie it goes on at once, otherwise it waits for the answer to a request.
    pub(crate) fn opened(&self, role: &Role, opening: Opening, rng: &mut CounterRng) -> Dyad {
        let Opening { target, known, stage, time } = opening;
        let harm = &self.world.spec.harm;
        let game = self.sites[usize::from(role.platform)].archetype == Archetype::GameLobby;
        let fast = rng.chance(if game { harm.fast_game.p() } else { harm.fast.p() });
        let rate = rng.log_normal(1.0, 0.5);
        let until = if known { time.saturating_add(self.dwell(fast, rng)) } else { i32::MAX };
        let status = if known { Status::Active } else { Status::Pending };
        let (contacted, passed, stopped) = (None, 0, 0);
        Dyad { target, status, stage, since: time, until, contacted, rate, fast, known, passed, stopped }
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn dwell(&self, fast: bool, rng: &mut CounterRng) -> i32 {
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
    fn talk(&self, role: &Role, dyad: &Dyad, rng: &mut CounterRng, outbox: &mut Outbox, matters: Reach) {
        let platform = usize::from(role.platform);
        let (site, theta) = (&self.world.sites[platform], &role.theta);
        let from = self.tick * self.tick_seconds;
        let weekend = SimTime(from).is_weekend();
        let first = (from.rem_euclid(DAY) / HOUR) as usize;
        let hours = first..first + (self.tick_seconds / HOUR) as usize;
        let persona = site.accounts[role.account as usize].persona;
        let stage = usize::from(dyad.stage) - 1;
        let off = theta.off_hours[stage];
        let (weights, mass) = self.world.rhythm.span(persona, weekend, off, hours.start, hours.end);
        let usage = self.world.drift.usage(platform, from);
        let rate = theta.conversations * theta.stage_rate[stage] * dyad.rate * usage;
        let today = rng.log_normal(1.0, 0.6);
        let count = rng.poisson(rate * mass * today).min(40);
        let game = self.sites[platform].archetype == Archetype::GameLobby;
        let surface = if game { Surface::Lobby } else { Surface::Direct };
        for _ in 0..count {
            let hour = i32::try_from(rng.weighted(&weights[hours.clone()])).unwrap_or(0);
            let start = from + hour * HOUR + below(rng, HOUR);
            let own = [role.account, dyad.target];
            let media = [theta.media[stage], site.accounts[dyad.target as usize].media];
            let turn = usize::from(!rng.chance(theta.initiation[stage]));
            let (sides, media) = ([own[turn], own[1 - turn]], [media[turn], media[1 - turn]]);
            if start < dyad.since {
                continue;
            }
            let talk = Talk { sides, media, start, reply: theta.reply, surface };
            if matters == Reach::Media {
                converse(&mut MediaAlone(outbox), rng, &self.pace, &talk);
                continue;
            }
            outbox.plain(start, sides[0], u32::MAX, EventKind::SessionOpen);
            let end = converse(outbox, rng, &self.pace, &talk);
            outbox.plain(end + 30, sides[0], u32::MAX, EventKind::SessionClose);
        }
    }

    /// Writes a finished stage of a harmful dyad with a child into the truth.
    pub(crate) fn note(&mut self, index: usize, dyad: &Dyad, to: i32) {
        let role = &self.world.roles[index];
        let (true, Some(contacted)) = (role.harmful, dyad.contacted) else { return };
        let platform = usize::from(role.platform);
        let person = self.world.sites[platform].accounts[dyad.target as usize].person;
        let closed = &self.sites[platform].closed_at;
        let open = closed[role.account as usize].min(closed[dyad.target as usize]).min(self.end);
        let (from, to) = (dyad.since.max(contacted), to.min(open));
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
