//! Dyads of roles: what one is, how it begins, and its conversations as multipliers on rates. Harmful and benign actors
//! pass through the same lines; only truth keeps a note of the harmful ones. Abstract rates only, no conduct.

use crate::rhythm::below;
use crate::roles::Role;
use crate::simulation::Simulation;
use crate::talk::{Talk, converse};
use crate::truth::StageInterval;
use equipoise_core::{
    AccountId, Archetype, CounterRng, DAY, Draw, EventKind, HOUR, PersonId, SimTime, Surface,
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Actor {
    pub(crate) dyads: Vec<Dyad>,
    pub(crate) begun: bool,
    pub(crate) again: Vec<Again>,
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

    pub(crate) fn open(&mut self, index: usize, opening: Opening, rng: &mut CounterRng) {
        let Opening { target, known, stage, time } = opening;
        let (world, role) = (self.world, &self.world.roles[index]);
        let live = &mut self.sites[usize::from(role.platform)];
        let game = live.archetype == Archetype::GameLobby;
        let fast = rng.chance(if game { world.spec.harm.fast_game.p() } else { world.spec.harm.fast.p() });
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
            known,
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
    fn talk(&mut self, role: &Role, dyad: &Dyad, rng: &mut CounterRng) {
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
        let live = &mut self.sites[platform];
        let surface = if live.archetype == Archetype::GameLobby { Surface::Lobby } else { Surface::Direct };
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
            live.queue.plain(start, sides[0], u32::MAX, EventKind::SessionOpen);
            let end = converse(&mut live.queue, rng, &self.pace, &talk);
            live.queue.plain(end + 30, sides[0], u32::MAX, EventKind::SessionClose);
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
