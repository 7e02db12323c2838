//! Dyads of roles: what one is, how it begins, and its conversations as multipliers on rates. Harmful and benign actors
//! pass through the same lines; only truth keeps a note of the harmful ones. Abstract rates only, no conduct.

use crate::lull::SIGMA;
use crate::queue::{MediaAlone, Outbox};
use crate::rhythm::below;
use crate::roles::Role;
use crate::simulation::Simulation;
use crate::talk::{Talk, converse};
use crate::truth::StageInterval;
use equipoise_core::{
    AccountId, AgeBand, Archetype, CounterRng, DAY, Draw, EventKind, HOUR, PersonId, Reach, SimTime, Surface,
};
use std::ops::Range;

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

impl Simulation<'_> {
    /// What of a dyad's talk anybody in this run reaches or hears. Before its first message, everything counts: that is the
    /// contact. After it, and where nobody reaches more than media, only media matter that a child's device may meet.
    pub(crate) fn matters(&self, dyad: &Dyad) -> Reach {
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

    /// How often the two talk, where the platform is used as ever.
    pub(crate) fn pace_of(role: &Role, dyad: &Dyad) -> f64 {
        role.theta.conversations * role.theta.stage_rate[usize::from(dyad.stage) - 1] * dyad.rate
    }

    /// Hours of the day that this tick plays.
    #[allow(clippy::cast_sign_loss)]
    pub(crate) fn hours(&self) -> Range<usize> {
        let first = ((self.tick * self.tick_seconds).rem_euclid(DAY) / HOUR) as usize;
        first..first + (self.tick_seconds / HOUR) as usize
    }

    /// The conversations of one dyad in this tick, each in a session of whoever starts it.
    pub(crate) fn talk(
        &self,
        role: &Role,
        dyad: &Dyad,
        rng: &mut CounterRng,
        outbox: &mut Outbox,
        matters: Reach,
    ) {
        let platform = usize::from(role.platform);
        let (site, theta) = (&self.world.sites[platform], &role.theta);
        let from = self.tick * self.tick_seconds;
        let (weekend, hours) = (SimTime(from).is_weekend(), self.hours());
        let persona = site.accounts[role.account as usize].persona;
        let stage = usize::from(dyad.stage) - 1;
        let off = theta.off_hours[stage];
        let rate = Self::pace_of(role, dyad) * self.world.drift.usage(platform, from);
        let (weights, mass) = self.world.rhythm.span(persona, weekend, off, hours.start, hours.end);
        let today = rng.log_normal(1.0, SIGMA);
        let count = rng.poisson(rate * mass * today).min(40);
        let game = self.sites[platform].archetype == Archetype::GameLobby;
        let surface = if game { Surface::Lobby } else { Surface::Direct };
        let sensitive = role.harmful && site.kinds[dyad.target as usize].0.is_minor();
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
