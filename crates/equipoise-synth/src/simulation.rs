//! The loop over ticks. At the start of a day every account's day is drawn: its acts go to the skeleton, its flesh waits
//! in blocks. Within a tick: roles play, the skeleton commits, flesh joins it, the tick settles. What a tick changes for
//! the skeleton becomes visible in the next one, for ordinary sessions (who one's contacts are) on the next day; closings
//! and blocks silence every row from their second on. Draws are addressed by (purpose, entity, time), so a policy shifts
//! no unrelated draw.
//!
//! Why two layers: only the skeleton (requests, answers, blocks, reports, closings, roles; a few per cent of all rows)
//! couples accounts. Flesh is a function of (seed, account, day) and of the skeleton, so it is made in blocks, in any
//! order, on any thread, or by another machine that replays the skeleton alone ([`crate::Skeleton`]).

use crate::actor::Actor;
use crate::adaptation::Trigger;
use crate::agenda::Agenda;
use crate::commit::{BANNED, Batches, FRICTION, FROZEN};
use crate::contacts::Contacts;
use crate::cost::Costs;
use crate::dyad::Status;
use crate::engine::Pace;
use crate::flesh::{Block, ranges};
use crate::moderation::Decision;
use crate::ordinary::{Ground, Habit, Odds};
use crate::queue::Queue;
use crate::row::Sheet;
use crate::truth::{ScreenedDyad, Truth};
use crate::turns::all_stir;
use crate::world::{NONE, World};
use crate::{Outcome, WorldError};
use equipoise_core::{
    AccountId, AccountProfile, AccountRef, Action, Archetype, DAY, Event, EventSink, HOUR, KnownLabel,
    Levers, Observer, PersonId, PlatformId, PlatformSchema, Policy, Reach, RunEvent, Seed, SimTime,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Something that one account did about another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filed {
    pub(crate) by: u32,
    pub(crate) about: u32,
    pub(crate) time: i32,
    pub(crate) detail: u8,
    /// Whether both knew somebody in common before the run, if anybody looked.
    pub(crate) tied: Option<bool>,
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
    pub(crate) platform: usize,
    pub(crate) archetype: Archetype,
    pub(crate) schema: PlatformSchema,
    pub(crate) sees_groups: bool,
    pub(crate) habits: Vec<Habit>,
    pub(crate) odds: Odds,
    pub(crate) queue: Queue,
    pub(crate) contacts: Contacts,
    pub(crate) closed_at: Vec<i32>,
    pub(crate) flags: Vec<u8>,
    /// Pairs of which one side blocked the other, and since when.
    pub(crate) blocks: BTreeMap<(u32, u32), i32>,
    /// Empty where only the skeleton is played.
    pub(crate) flesh: Vec<Block>,
    pub(crate) spare: Vec<Event>,
    /// The skeleton's part of this tick's log.
    pub(crate) bones: Vec<Event>,
    pub(crate) effects: Effects,
    pub(crate) decisions: Vec<Decision>,
    /// (role, target, time) of what reached a target.
    pub(crate) contacted: Vec<(u32, u32, i32)>,
    /// What the platform's measures change besides refusing.
    pub(crate) levers: Levers,
    /// Profiles as policies see them, where they are not the world's.
    pub(crate) profiles: Option<Vec<AccountProfile>>,
    /// Contact requests so far, and how many of them were stopped.
    pub(crate) asked: [u64; 2],
    /// (role, target, time) of stopped requests of this tick.
    pub(crate) refused: Vec<Met>,
    /// (role, target, time, stopped) of sensitive media that met a filter in this tick.
    pub(crate) screened: Vec<(u32, u32, i32, bool)>,
    pub(crate) costs: Costs,
}

/// What met a role, about which target, and when.
pub(crate) type Met = (u32, u32, i32, Trigger);

/// Addresses of draws.
#[derive(Clone, Debug)]
pub(crate) struct Seeds {
    pub(crate) plan: Seed,
    pub(crate) role: Seed,
    pub(crate) stage: Seed,
    pub(crate) respond: Seed,
    pub(crate) review: Seed,
    pub(crate) warn: Seed,
    pub(crate) adapt: Seed,
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
    /// By 64 roles, a bit each: which may do something in the next tick besides looking for somebody.
    pub(crate) stirring: Vec<u64>,
    /// By role: no stage of its dyads ends before.
    pub(crate) next_end: Vec<i32>,
    /// Roles with mates on their platform.
    pub(crate) teamed: Vec<usize>,
    pub(crate) labels: Vec<Vec<KnownLabel>>,
    pub(crate) truth: Truth,
    pub(crate) events: u64,
    pub(crate) bans: u64,
    pub(crate) seeds: Seeds,
    pub(crate) pace: Pace,
    /// Whether measures see true ages instead of declared ones.
    pub(crate) true_ages: bool,
    /// What of the talk of roles the run's measures reach: the rest is not made.
    pub(crate) reach: Reach,
    /// By role: the address of its own draws.
    pub(crate) own_seeds: Vec<Seed>,
    /// (when, role): roles that turn to somebody again.
    pub(crate) waiting: BTreeSet<(i32, u32)>,
    /// Harmful roles whose account was made and did not close yet, numbers rising.
    pub(crate) watched: Vec<u32>,
    /// What was planned before, for runs that share it.
    pub(crate) agenda: Option<&'w Agenda>,
    /// What met roles in this tick.
    pub(crate) reactions: Vec<Met>,
    /// Spare accounts that were made.
    pub(crate) made: Vec<(AccountRef, SimTime)>,
}

impl Live {
    fn new(world: &World, platform: usize, pace: &Pace, tick_seconds: i32, end: i32) -> Self {
        let (view, site) = (&world.views()[platform], &world.sites[platform]);
        Self {
            platform,
            archetype: view.archetype,
            schema: view.schema,
            sees_groups: site.logbook.sees_groups,
            habits: Habit::all(world, platform),
            odds: Odds::new(world, view.archetype, pace),
            queue: Queue::new(view.schema.bucket_seconds, tick_seconds, end),
            contacts: site.contacts.clone(),
            closed_at: vec![i32::MAX; site.accounts.len()],
            flags: vec![0; site.accounts.len()],
            blocks: BTreeMap::new(),
            flesh: Vec::new(),
            spare: Vec::new(),
            bones: Vec::new(),
            effects: Effects::default(),
            decisions: Vec::new(),
            contacted: Vec::new(),
            levers: Levers::default(),
            profiles: None,
            asked: [0; 2],
            refused: Vec::new(),
            screened: Vec::new(),
            costs: Costs::default(),
        }
    }

    pub(crate) fn created(&self, account: u32) -> i32 {
        self.habits[account as usize].created
    }

    /// An empty sheet for `from..until`.
    pub(crate) const fn sheet(&self, from: i32, until: i32) -> Sheet {
        Sheet::new(self.schema, self.sees_groups, from, until)
    }
}

impl<'w> Simulation<'w> {
    /// A run; one without flesh plays the skeleton alone.
    pub(crate) fn new(world: &'w World, with_flesh: bool) -> Self {
        Self::from_blank(world, with_flesh, world.blank_truth())
    }

    /// A run whose truth begins with what was drawn up before.
    fn from_blank(world: &'w World, with_flesh: bool, truth: Truth) -> Self {
        let tick_seconds = i32::from(world.spec.tick_hours) * HOUR;
        let end = i32::from(world.spec.days) * DAY;
        let seed = world.seed.derive("run", 0);
        let pace = world.pace.clone();
        let mut sites: Vec<Live> = (0..world.sites.len())
            .map(|platform| Live::new(world, platform, &pace, tick_seconds, end))
            .collect();
        for live in sites.iter_mut().filter(|_| with_flesh) {
            live.flesh = Block::cut(live.habits.len(), &live.sheet(0, end));
        }
        let seeds = Seeds {
            plan: seed.derive("plan", 0),
            role: seed.derive("role", 0),
            stage: seed.derive("stage", 0),
            respond: seed.derive("respond", 0),
            review: seed.derive("review", 0),
            warn: seed.derive("warn", 0),
            adapt: seed.derive("adapt", 0),
        };
        let own_seeds = (0..).zip(&world.roles).map(|(index, _)| seeds.role.derive("one", index)).collect();
        let watched = (0..)
            .zip(&world.roles)
            .filter(|(_, role)| role.harmful && role.spare_of.is_none())
            .map(|(index, _)| index)
            .collect();
        Self {
            world,
            tick: 0,
            tick_seconds,
            end,
            sites,
            actors: vec![Actor::default(); world.roles.len()],
            stirring: all_stir(world),
            next_end: vec![i32::MAX; world.roles.len()],
            teamed: (0..world.roles.len()).filter(|at| !world.roles[*at].mates.is_empty()).collect(),
            labels: vec![Vec::new(); world.sites.len()],
            truth,
            events: 0,
            bans: 0,
            seeds,
            pace,
            true_ages: false,
            reach: Reach::Everything,
            own_seeds,
            waiting: BTreeSet::new(),
            watched,
            agenda: None,
            reactions: Vec::new(),
            made: Vec::new(),
        }
    }

    /// A run of the skeleton alone, with what no measure can touch from an agenda.
    pub(crate) fn on_agenda(world: &'w World, agenda: &'w Agenda) -> Self {
        Self { agenda: Some(agenda), ..Self::from_blank(world, false, agenda.blank().clone()) }
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
        let Some(policies) = policies else {
            let batches = self.tick(observer);
            return Ok(batches.is_some_and(|batches| {
                batches.give(self.world, sink);
                true
            }));
        };
        let now = self.now();
        for (live, policy) in self.sites.iter_mut().zip(policies.iter()) {
            live.levers = policy.levers(now);
        }
        if !self.begin(observer) {
            return Ok(false);
        }
        self.commit(Some(policies));
        self.emit(policies, sink);
        self.end_tick();
        Ok(true)
    }

    /// Plays one tick without any policy; `None` when the window is over.
    pub(crate) fn tick(&mut self, observer: &dyn Observer) -> Option<Batches> {
        if !self.begin(observer) {
            return None;
        }
        self.commit(None);
        let batches = self.collect();
        self.end_tick();
        Some(batches)
    }

    /// Plays one tick of the skeleton without any policy; its part of the log is in [`Live::bones`].
    pub(crate) fn step_skeleton(&mut self, observer: &dyn Observer) -> bool {
        if !self.begin(observer) {
            return false;
        }
        self.commit(None);
        self.end_tick();
        true
    }

    /// Draws what the tick is made of; false if the window is over.
    fn begin(&mut self, observer: &dyn Observer) -> bool {
        let from = self.tick * self.tick_seconds;
        if from >= self.end {
            return false;
        }
        if from % DAY == 0 {
            self.begin_day(from / DAY);
            let done = u64::from((from / DAY).unsigned_abs());
            observer.on(&RunEvent::Progress { what: "simulated days".into(), done });
        }
        self.play_roles();
        true
    }

    fn end_tick(&mut self) {
        self.settle();
        self.advance();
        self.tick += 1;
    }

    /// What the days of one platform's accounts are made from.
    pub(crate) fn ground(&self, platform: usize) -> Ground<'_> {
        let live = &self.sites[platform];
        Ground {
            world: self.world,
            platform,
            site: &self.world.sites[platform],
            archetype: live.archetype,
            habits: &live.habits,
            contacts: &live.contacts,
            closed_at: &live.closed_at,
            pace: &self.pace,
            odds: &live.odds,
            plan: self.seeds.plan.derive("platform", platform as u64),
        }
    }

    /// Draws every account's day: acts into the queue, flesh into the blocks.
    fn begin_day(&mut self, day: i32) {
        let mut flesh: Vec<Vec<Block>> =
            self.sites.iter_mut().map(|live| std::mem::take(&mut live.flesh)).collect();
        let acts: Vec<Vec<Event>> = flesh
            .par_iter_mut()
            .enumerate()
            .map(|(platform, blocks)| {
                let ground = self.ground(platform);
                if !blocks.is_empty() {
                    return blocks.par_iter_mut().flat_map_iter(|block| block.make(&ground, day)).collect();
                }
                let of = |accounts| {
                    let mut acts = Vec::new();
                    ground.acts(accounts, day, &mut acts);
                    acts
                };
                if let Some(agenda) = self.agenda {
                    let site = &self.world.sites[platform];
                    #[allow(clippy::cast_possible_truncation, reason = "numbers of accounts fit 32 bits")]
                    let mut acts = of(site.residents as u32..site.accounts.len() as u32);
                    ground.planned(agenda.of(day, platform), day, &mut acts);
                    return acts;
                }
                ranges(ground.habits.len()).into_par_iter().flat_map_iter(of).collect()
            })
            .collect();
        self.sites.par_iter_mut().zip(flesh).zip(acts).for_each(|((live, blocks), acts)| {
            live.flesh = blocks;
            acts.into_iter().for_each(|act| live.queue.push(act));
        });
    }

    /// Lets measures see true ages wherever the platform asks for ages: the bound that age assurance cannot pass.
    pub fn with_true_ages(mut self) -> Self {
        self.true_ages = true;
        for (platform, live) in self.sites.iter_mut().enumerate() {
            let site = &self.world.sites[platform];
            let mut profiles = self.world.views()[platform].profiles.clone();
            for (profile, account) in profiles.iter_mut().zip(&site.accounts) {
                let band = self.world.people[account.person as usize].band;
                profile.declared_age = profile.declared_age.map(|_| band);
            }
            live.profiles = Some(profiles);
        }
        self
    }

    /// Leaves out what nobody reaches or hears of the talk of roles, in a lean run whose measures reach no more than `reach`
    /// and whose listeners hear only what couples accounts. Law (a test): truth, labels and closings stay those of the whole run,
    /// byte for byte.
    #[must_use]
    pub const fn reached_by(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Carries out what a platform decided after review; takes effect from the next tick.
    pub fn apply(&mut self, platform: PlatformId, actions: &[Action]) {
        let now = self.tick * self.tick_seconds;
        for action in actions {
            if let Action::Friction(account) | Action::ContactFreeze(account) = action {
                let role = self.world.sites[platform.index()].role_of[account.index()];
                if role != NONE {
                    self.reactions.push((role, AccountId::NONE.0, now, Trigger::Frozen));
                }
            }
            let flags = &mut self.sites[platform.index()].flags;
            match action {
                Action::Friction(account) => flags[account.index()] |= FRICTION,
                Action::ContactFreeze(account) => flags[account.index()] |= FROZEN,
                Action::Ban(account) => {
                    if self.sites[platform.index()].closed_at[account.index()] == i32::MAX {
                        self.sites[platform.index()].flags[account.index()] |= BANNED;
                    }
                    self.close(platform.index(), account.0, now);
                }
                Action::Reinstate(account) => {
                    let banned = flags[account.index()] & BANNED != 0;
                    flags[account.index()] &= !(FRICTION | FROZEN | BANNED);
                    if banned {
                        self.sites[platform.index()].closed_at[account.index()] = i32::MAX;
                    }
                }
            }
        }
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
                if role.harmful
                    && dyad.stopped + dyad.passed > 0
                    && world.people[child as usize].band.is_minor()
                {
                    let account =
                        AccountRef { platform: PlatformId(role.platform), account: AccountId(role.account) };
                    let (passed, stopped) = (dyad.passed, dyad.stopped);
                    self.truth.screened.push(ScreenedDyad {
                        account,
                        child: PersonId(child),
                        passed,
                        stopped,
                    });
                }
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
        self.truth.adverse.sort_unstable();
        self.truth.screened.sort_unstable();
        self.made.sort_unstable();
        for list in &mut self.labels {
            list.sort_unstable_by_key(|label| (label.known_at, label.account, label.status, label.source));
        }
        Outcome {
            truth: self.truth,
            labels: self.labels,
            tokens: world.tokens().to_vec(),
            events: self.events,
            bans: self.bans,
            made: self.made,
            costs: self.sites.iter_mut().map(|live| std::mem::take(&mut live.costs.0)).collect(),
        }
    }
}
