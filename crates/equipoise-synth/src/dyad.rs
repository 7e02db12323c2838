//! Dyads of roles: what one is, how it begins, and its conversations as multipliers on rates. Harmful and benign actors
//! pass through the same lines; only truth keeps a note of the harmful ones. Abstract rates only, no conduct.

use crate::actor::Actor;
use crate::lull::SIGMA;
use crate::queue::{MediaAlone, Outbox};
use crate::rhythm::below;
use crate::roles::Role;
use crate::simulation::Simulation;
use crate::talk::{Talk, converse};
use crate::truth::StageInterval;
use crate::world::World;
use equipoise_core::{
    AccountId, AgeBand, Archetype, CounterRng, DAY, Draw, EventKind, HOUR, PersonId, Reach, Seed, SimTime,
    Surface,
};
use rayon::prelude::*;

/// Roles of one task: those of one word of bits.
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
    /// Whether a filter on a child's device may meet its media.
    pub(crate) near_child: bool,
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

fn stir(stirring: &mut [u64], index: usize) {
    stirring[index / ROLES_OF_A_TASK] |= 1 << (index % ROLES_OF_A_TASK);
}

/// One bit a role that is nobody's spare: a spare stirs when it is made.
pub(crate) fn all_stir(world: &World) -> Vec<u64> {
    let mut stirring = vec![0; world.roles.len().div_ceil(ROLES_OF_A_TASK)];
    let origins = world.roles.iter().enumerate().filter(|(_, role)| role.spare_of.is_none());
    origins.for_each(|(index, _)| stir(&mut stirring, index));
    stirring
}

impl Simulation<'_> {
    /// Lets every role act in this tick. What an actor does hangs on the world as the tick began, on its own dyads and, in a
    /// team, on those of its mates; so the members of teams look for targets one after the other, and all else happens side
    /// by side.
    pub(crate) fn play_roles(&mut self) {
        let mut actors = std::mem::take(&mut self.actors);
        let mut stirring = std::mem::take(&mut self.stirring);
        let mut outboxes = vec![self.outboxes()];
        for &index in &self.teamed {
            let role = &self.world.roles[index];
            if self.looks(index, &actors[index])
                && let Some(address) = self.turn(index)
            {
                let mut own = std::mem::take(&mut actors[index]);
                let outbox = &mut outboxes[0][usize::from(role.platform)];
                self.seek(role, &mut own, &actors, &mut address.derive("seek", 0).rng(), outbox);
                self.next_end[index] = own.next_end();
                actors[index] = own;
                stir(&mut stirring, index);
            }
        }
        let mut next_end = std::mem::take(&mut self.next_end);
        let play =
            |(task, ((actors, next_end), stirring)): (usize, ((&mut [Actor], &mut [i32]), &mut u64))| {
                let looking = self.agenda.map_or(u64::MAX, |agenda| agenda.looking(self.tick, task));
                let mut left = *stirring | looking;
                let mut outboxes = if left == 0 { Vec::new() } else { self.outboxes() };
                while left != 0 {
                    let at = left.trailing_zeros();
                    left &= left - 1;
                    let Some(actor) = actors.get_mut(at as usize) else { break };
                    let index = task * ROLES_OF_A_TASK + at as usize;
                    self.play_role(index, actor, &mut outboxes);
                    next_end[at as usize] = actor.next_end();
                    let role = &self.world.roles[index];
                    let looks = role.seeks && (role.spare_of.is_some() || !actor.begun);
                    *stirring = *stirring & !(1 << at) | u64::from(looks || actor.talks()) << at;
                }
                outboxes
            };
        let tasks = actors.par_chunks_mut(ROLES_OF_A_TASK).zip(next_end.par_chunks_mut(ROLES_OF_A_TASK));
        outboxes.par_extend(tasks.zip(&mut stirring).enumerate().map(play));
        (self.actors, self.stirring, self.next_end) = (actors, stirring, next_end);
        self.sites.par_iter_mut().enumerate().for_each(|(platform, live)| {
            let intents =
                outboxes.iter().filter_map(|boxes| boxes.get(platform)).flat_map(|one| &one.intents);
            intents.for_each(|intent| live.queue.push(*intent));
        });
    }

    /// Has a role looked at in the next tick, after a dyad of it began, went on or ended.
    pub(crate) fn changed(&mut self, index: usize) {
        stir(&mut self.stirring, index);
        self.next_end[index] = self.actors[index].next_end();
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
        if !looks && !actor.talks() {
            return;
        }
        let Some(address) = self.turn(index) else { return };
        let outbox = &mut outboxes[usize::from(role.platform)];
        if looks {
            self.seek(role, actor, &[], &mut address.derive("seek", 0).rng(), outbox);
        }
        for (number, dyad) in actor.talking(|dyad| self.matters(dyad) != Reach::Nothing) {
            self.talk(role, dyad, &mut address.derive("dyad", number).rng(), outbox, self.matters(dyad));
        }
    }

    /// What of a dyad's talk anybody in this run reaches or hears. Before its first message, everything counts: that is the
    /// contact. After it, and where nobody reaches more than media, only media matter that a child's device may meet.
    fn matters(&self, dyad: &Dyad) -> Reach {
        if self.reach == Reach::Everything || dyad.contacted.is_none() {
            Reach::Everything
        } else if self.reach == Reach::Media && dyad.near_child {
            Reach::Media
        } else {
            Reach::Nothing
        }
    }

    /// Whether a device on either side of a dyad may run a filter, or its media may be sensitive.
    fn near_child(&self, role: &Role, target: u32) -> bool {
        let site = &self.world.sites[usize::from(role.platform)];
        let child = |account: &crate::accounts::Account, age: AgeBand| {
            let person = self.world.people[account.person as usize].band;
            (if self.true_ages { person } else { account.declared }).is_minor() || age.is_minor()
        };
        let (own, target) = (&site.accounts[role.account as usize], &site.accounts[target as usize]);
        let truth =
            if role.harmful { self.world.people[target.person as usize].band } else { AgeBand::Adult };
        child(own, AgeBand::Adult) || child(target, truth)
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
        self.changed(index);
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
        Dyad {
            target,
            status,
            stage,
            since: time,
            until,
            contacted: None,
            rate,
            fast,
            known,
            near_child: self.near_child(role, target),
            passed: 0,
            stopped: 0,
        }
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
        let usage = self.world.drift.usage(platform, from);
        let rate = theta.conversations * theta.stage_rate[stage] * dyad.rate * usage;
        let most = self.world.rhythm.most(persona, weekend, off, hours.start, hours.end);
        if self.world.lull.silent(rate * most, rng) {
            return;
        }
        let (weights, mass) = self.world.rhythm.span(persona, weekend, off, hours.start, hours.end);
        let today = rng.log_normal(1.0, SIGMA);
        let count = rng.poisson(rate * mass * today).min(40);
        let game = self.sites[platform].archetype == Archetype::GameLobby;
        let surface = if game { Surface::Lobby } else { Surface::Direct };
        let sensitive = role.harmful && site.faces[dyad.target as usize].band.is_minor();
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
                let matters = |time, from, to| sensitive || self.may_stop(platform, time, from, to);
                converse(&mut MediaAlone { outbox, matters }, rng, &self.pace, &talk);
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
