//! The loop over ticks. Within a tick: plan, play, commit, settle. Everything that a tick changes becomes visible in
//! the next one. Draws are addressed by (purpose, entity, tick), so a policy shifts no unrelated draw.

use crate::commit::{FRICTION, FROZEN};
use crate::contacts::Contacts;
use crate::dyad::{Actor, Status};
use crate::moderation::Decision;
use crate::queue::Queue;
use crate::roles::nudge;
use crate::session::Pace;
use crate::truth::Truth;
use crate::world::{NONE, World};
use crate::{Outcome, WorldError};
use equipoise_core::{
    Action, Archetype, CounterRng, DAY, Draw, Event, EventKind, EventSink, HOUR, KnownLabel, Observer,
    PersonId, PlatformId, PlatformSchema, Policy, RunEvent, Seed, SimTime,
};
use std::collections::BTreeSet;

/// Something that one account did about another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filed {
    pub(crate) by: u32,
    pub(crate) about: u32,
    pub(crate) time: i32,
    pub(crate) detail: u8,
}

/// What a tick changes at its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    pub(crate) requests: Vec<Filed>,
    pub(crate) accepts: Vec<Filed>,
    pub(crate) blocks: Vec<Filed>,
}

/// What moves on one platform.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) archetype: Archetype,
    pub(crate) schema: PlatformSchema,
    pub(crate) sees_groups: bool,
    pub(crate) queue: Queue,
    pub(crate) contacts: Contacts,
    pub(crate) closed_at: Vec<i32>,
    pub(crate) flags: Vec<u8>,
    pub(crate) blocks: BTreeSet<(u32, u32)>,
    pub(crate) blocks_now: Vec<((u32, u32), i32)>,
    /// By tick of the day: (account, start, ordinal).
    pub(crate) plans: Vec<Vec<(u32, i32, u32)>>,
    pub(crate) spare: Vec<Event>,
    pub(crate) out: Vec<Event>,
    pub(crate) effects: Effects,
    pub(crate) decisions: Vec<Decision>,
    /// (role, target, time) of what reached a target.
    pub(crate) contacted: Vec<(u32, u32, i32)>,
}

/// Addresses of draws.
#[derive(Clone, Debug)]
pub(crate) struct Seeds {
    pub(crate) plan: Seed,
    pub(crate) session: Vec<Seed>,
    pub(crate) role: Seed,
    pub(crate) stage: Seed,
    pub(crate) respond: Seed,
    pub(crate) review: Seed,
    pub(crate) warn: Seed,
}

/// A run in progress.
#[derive(Clone, Debug)]
pub struct Simulation<'w> {
    pub(crate) world: &'w World,
    pub(crate) tick: i32,
    pub(crate) tick_seconds: i32,
    pub(crate) end: i32,
    pub(crate) sites: Vec<Live>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) labels: Vec<Vec<KnownLabel>>,
    pub(crate) truth: Truth,
    pub(crate) events: u64,
    pub(crate) bans: u64,
    pub(crate) seeds: Seeds,
    pub(crate) pace: Pace,
}

impl<'w> Simulation<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let tick_seconds = i32::from(world.spec.tick_hours) * HOUR;
        let end = i32::from(world.spec.days) * DAY;
        let seed = world.seed.derive("run", 0);
        let sites = world.views().iter().zip(&world.sites).map(|(view, site)| Live {
            archetype: view.archetype,
            schema: view.schema,
            sees_groups: site.logbook.sees_groups,
            queue: Queue::new(view.schema.bucket_seconds, tick_seconds, end),
            contacts: site.contacts.clone(),
            closed_at: vec![i32::MAX; site.accounts.len()],
            flags: vec![0; site.accounts.len()],
            blocks: BTreeSet::new(),
            blocks_now: Vec::new(),
            plans: vec![Vec::new(); 24 / usize::from(world.spec.tick_hours)],
            spare: Vec::new(),
            out: Vec::new(),
            effects: Effects::default(),
            decisions: Vec::new(),
            contacted: Vec::new(),
        });
        let seeds = Seeds {
            plan: seed.derive("plan", 0),
            session: (0..world.sites.len()).map(|p| seed.derive("session", p as u64)).collect(),
            role: seed.derive("role", 0),
            stage: seed.derive("stage", 0),
            respond: seed.derive("respond", 0),
            review: seed.derive("review", 0),
            warn: seed.derive("warn", 0),
        };
        Self {
            world,
            tick: 0,
            tick_seconds,
            end,
            sites: sites.collect(),
            actors: vec![Actor::default(); world.roles.len()],
            labels: vec![Vec::new(); world.sites.len()],
            truth: world.blank_truth(),
            events: 0,
            bans: 0,
            seeds,
            pace: Pace::new(&world.spec.behaviour),
        }
    }

    /// The start of the tick that the next `step` will play.
    #[must_use]
    pub const fn now(&self) -> SimTime {
        SimTime(self.tick * self.tick_seconds)
    }

    /// What a platform knows by now, in no particular order.
    #[must_use]
    pub fn known(&self, platform: PlatformId) -> &[KnownLabel] {
        &self.labels[platform.index()]
    }

    /// Plays one tick; false when the window is over and nothing was played.
    ///
    /// # Errors
    /// If the number of policies is not that of the platforms.
    pub fn step(
        &mut self,
        policies: Option<&mut [Box<dyn Policy>]>,
        sink: &mut dyn EventSink,
        observer: &dyn Observer,
    ) -> Result<bool, WorldError> {
        let platforms = self.sites.len();
        if let Some(got) = policies.as_ref().map(|p| p.len()).filter(|got| *got != platforms) {
            return Err(WorldError::Policies { got, platforms });
        }
        let from = self.tick * self.tick_seconds;
        if from >= self.end {
            return Ok(false);
        }
        if from % DAY == 0 {
            self.plan_day(from / DAY);
            let done = u64::from((from / DAY).unsigned_abs());
            observer.on(&RunEvent::Progress { what: "simulated days".into(), done });
        }
        for platform in 0..platforms {
            self.play_sessions(platform);
        }
        self.play_roles();
        let mut policies = policies;
        for platform in 0..platforms {
            let policy = policies.as_deref_mut().and_then(|list| list.get_mut(platform));
            self.commit(platform, policy, sink);
        }
        for platform in 0..platforms {
            self.settle(platform);
        }
        self.advance();
        self.tick += 1;
        Ok(true)
    }

    /// Carries out what a platform decided after review; takes effect from the next tick.
    pub fn apply(&mut self, platform: PlatformId, actions: &[Action]) {
        let now = self.tick * self.tick_seconds;
        for action in actions {
            let flags = &mut self.sites[platform.index()].flags;
            match action {
                Action::Friction(account) => flags[account.index()] |= FRICTION,
                Action::ContactFreeze(account) => flags[account.index()] |= FROZEN,
                Action::Ban(account) => self.close(platform.index(), account.0, now),
                Action::Reinstate(account) => {
                    flags[account.index()] &= !(FRICTION | FROZEN);
                    self.sites[platform.index()].closed_at[account.index()] = i32::MAX;
                }
            }
        }
    }

    /// Answers a contact request, later.
    pub(crate) fn respond(&mut self, platform: usize, request: Filed) {
        let world = self.world;
        let (from, to) = (request.by, request.about);
        let (site, responses) = (&world.sites[platform], &world.spec.responses);
        let pair = (u64::from(from) << 32) | u64::from(to);
        let address = self.seeds.respond.derive("platform", platform as u64).derive("pair", pair);
        let mut rng: CounterRng = address.derive("at", u64::from(request.time.unsigned_abs())).rng();
        let person = &world.people[site.accounts[to as usize].person as usize];
        let role = site.role_of[from as usize];
        let own = role != NONE && self.actors[role as usize].dyad(to).is_some();
        let now = (self.tick + 1) * self.tick_seconds;
        let (accept, notice) = if own {
            let theta = &world.roles[role as usize].theta;
            (theta.accepts(person), theta.notice[0])
        } else if self.sites[platform].contacts.shared(from, to) > 0 {
            (responses.accept_known.p(), responses.notice_ordinary.p() / 4.0)
        } else {
            (nudge(person.openness, libm::log(person.vulnerability)), responses.notice_ordinary.p())
        };
        let noticed = rng.chance(notice);
        let accepted = rng.chance(accept);
        let declined = rng.chance(responses.decline.p());
        #[allow(clippy::cast_possible_truncation)]
        let delay = (rng.log_normal(responses.delay_hours.get(), responses.delay_sigma.get()).min(240.0)
            * 3_600.0) as i32;
        if noticed {
            let theta = &world.roles.get(role as usize).filter(|_| own).map(|r| &r.theta);
            match theta {
                Some(theta) => _ = self.answer_notice(platform, to, from, theta, now, &mut rng),
                None if rng.chance(responses.block.p()) => {
                    self.sites[platform].queue.plain(now + delay, to, from, EventKind::Block);
                }
                None => {}
            }
        }
        let kind = if accepted && !noticed {
            EventKind::ContactAccept
        } else {
            if own {
                self.ended(role as usize, to, now + delay);
            }
            if !declined {
                return;
            }
            EventKind::ContactDecline
        };
        self.sites[platform].queue.plain(now + delay, to, from, kind);
    }

    /// Closes the books.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        let world = self.world;
        for (index, role) in world.roles.iter().enumerate() {
            let dyads = std::mem::take(&mut self.actors[index].dyads);
            for dyad in &dyads {
                if dyad.status != Status::Over {
                    self.note(index, dyad, self.end);
                }
                let site = &world.sites[usize::from(role.platform)];
                let child = site.accounts[dyad.target as usize].person;
                if let (true, Some(time)) = (role.harmful, dyad.contacted)
                    && world.people[child as usize].band.is_minor()
                {
                    let account =
                        &mut self.truth.platforms[usize::from(role.platform)].accounts[role.account as usize];
                    account.contacts.push((SimTime(time), PersonId(child)));
                    self.truth.tally.requests += u64::from(!dyad.known);
                    self.truth.tally.dyads += u64::from(dyad.began());
                    self.truth.tally.dyads_known_before += u64::from(dyad.known);
                }
            }
        }
        for platform in &mut self.truth.platforms {
            platform.stages.sort_unstable();
            for account in &mut platform.accounts {
                account.contacts.sort_unstable();
                let mut seen = BTreeSet::new();
                account.contacts.retain(|(_, child)| seen.insert(*child));
                account.harm_start = account.contacts.first().map(|(time, _)| *time);
            }
        }
        for list in &mut self.labels {
            list.sort_unstable_by_key(|label| (label.known_at, label.account, label.status, label.source));
        }
        Outcome {
            truth: self.truth,
            labels: self.labels,
            tokens: world.tokens().to_vec(),
            events: self.events,
            bans: self.bans,
        }
    }
}
