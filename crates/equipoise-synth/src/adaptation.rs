//! Bounded adaptation: what an actor with a simulated harmful pattern does after a measure met it, and adverse reactions.
//!
//! Every harmful role has one spare account a platform, made with the world and unused until then: it has a number after all
//! others, no contacts, no events, and no time of making. Re-registering or moving gives it one. So the draws of
//! everybody else have the same addresses in a world with spares and in one without. Chances are spent once: an account
//! is re-registered once, an actor moves once, and spares have no spares. Nothing here optimises.

use crate::accounts::{Account, declare};
use crate::dyad::Status;
use crate::roles::Role;
use crate::simulation::Simulation;
use crate::spec::WorldSpec;
use crate::spec_adaptation::AdaptationSpec;
use crate::truth::AdverseEvent;
use equipoise_core::{AccountId, AccountRef, DAY, Draw, HOUR, PersonId, PlatformId, Seed, SimTime};

/// What met an actor, or the child in one of its dyads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Trigger {
    /// A request was refused or held up.
    Refused,
    /// The filter on the child's device warned and the medium was not sent.
    Warned,
    /// The child blocked or reported.
    Blocked,
    /// The account was slowed down or frozen.
    Frozen,
}

/// The spares of a world: accounts after all others of their platforms, and their roles after all other roles.
pub(crate) fn spares(spec: &WorldSpec, accounts: &mut [Vec<Account>], roles: &mut Vec<Role>, seed: Seed) {
    if spec.adaptation.is_none() {
        return;
    }
    let seed = seed.derive("spare", 0);
    for origin in 0..roles.len() {
        let first = roles[origin].clone();
        if !first.harmful {
            continue;
        }
        for (platform, list) in (0_u8..).zip(0..accounts.len()) {
            let mut rng = seed.derive("role", origin as u64).derive("platform", u64::from(platform)).rng();
            let mut account = accounts[usize::from(first.platform)][first.account as usize].clone();
            account.declared = declare(spec, account.persona, &mut rng);
            (account.created, account.first, account.made_for_role) = (i32::MAX, false, true);
            account.draw_habits(spec, &mut rng);
            #[allow(clippy::cast_possible_truncation, reason = "numbers of accounts and roles fit 32 bits")]
            let (at, spare_of) = (accounts[list].len() as u32, Some(origin as u32));
            accounts[list].push(account);
            let role = first.clone();
            roles.push(Role { platform, account: at, mates: Vec::new(), seeks: true, spare_of, ..role });
        }
    }
}

impl Simulation<'_> {
    fn adapts(&self) -> Option<&AdaptationSpec> {
        self.world.spec.adaptation.as_ref()
    }

    /// How willing the actor of a role is, in [0, 1]; the same for its spares.
    fn willing(&self, index: usize) -> f64 {
        let mean = self.adapts().map_or(0.0, |spec| spec.willing.p());
        let origin = self.world.roles[index].spare_of.map_or(index, |origin| origin as usize);
        if mean <= 0.0 || mean >= 1.0 {
            return mean;
        }
        self.seeds.adapt.derive("willing", origin as u64).rng().beta(4.0 * mean, 4.0 * (1.0 - mean))
    }

    /// When a role may begin: a spare's account has no beginning until it is made.
    pub(crate) fn start_of(&self, role: &Role) -> i32 {
        if role.spare_of.is_some() {
            self.sites[usize::from(role.platform)].created(role.account)
        } else {
            role.start
        }
    }

    /// Ends the dyads of stopped requests and takes up what else met actors, at the end of a tick.
    pub(crate) fn end_refused(&mut self, platform: usize) {
        let mut refused = std::mem::take(&mut self.sites[platform].refused);
        for (role, target, time, trigger) in refused.drain(..) {
            self.ended(role as usize, target, time);
            self.reactions.push((role, target, time, trigger));
        }
        self.sites[platform].refused = refused;
    }

    /// Lets actors adapt to what met them in this tick. Without the section of the file, nothing happens.
    pub(crate) fn adapt(&mut self) {
        let mut reactions = std::mem::take(&mut self.reactions);
        if self.adapts().is_some() {
            for (role, target, time, trigger) in reactions.drain(..) {
                self.react(role as usize, target, time, trigger);
            }
            self.closings();
        }
        reactions.clear();
        self.reactions = reactions;
    }

    fn react(&mut self, index: usize, target: u32, time: i32, trigger: Trigger) {
        if !self.world.roles[index].harmful {
            return;
        }
        match trigger {
            Trigger::Refused if !self.actors[index].refused => {
                self.actors[index].refused = true;
                self.slow_down(index);
                self.displace(index, time);
            }
            Trigger::Refused => {}
            Trigger::Frozen => {
                self.slow_down(index);
                let open = |dyad: &&crate::dyad::Dyad| dyad.status == Status::Active;
                let targets: Vec<u32> =
                    self.actors[index].dyads.iter().filter(open).map(|dyad| dyad.target).collect();
                for target in targets {
                    self.adverse(index, target, time, trigger);
                }
            }
            Trigger::Warned | Trigger::Blocked => self.adverse(index, target, time, trigger),
        }
    }

    fn slow_down(&mut self, index: usize) {
        let by = self.adapts().map_or(0.0, |spec| spec.slow.p()) * self.willing(index);
        self.actors[index].pace = 1.0 - by;
    }

    /// An adverse reaction towards a child who is in contact: one draw a dyad, so that more occasions do not add up.
    fn adverse(&mut self, index: usize, target: u32, time: i32, trigger: Trigger) {
        let Some(spec) = self.adapts().and_then(|spec| spec.adverse.as_ref()) else { return };
        let chance = match trigger {
            Trigger::Blocked => spec.after_block.p(),
            Trigger::Frozen => spec.after_freeze.p(),
            Trigger::Warned => spec.after_warning.p(),
            Trigger::Refused => 0.0,
        };
        let role = &self.world.roles[index];
        let platform = usize::from(role.platform);
        let person = self.world.sites[platform].accounts[target as usize].person;
        let address = self.seeds.adapt.derive("adverse", index as u64).derive("target", u64::from(target));
        let met = |dyad: &crate::dyad::Dyad| {
            dyad.target == target && dyad.contacted.is_some() && dyad.began() && dyad.stage >= 2
        };
        if address.rng().chance(chance)
            && time < self.end
            && self.world.people[person as usize].band.is_minor()
            && self.actors[index].dyads.iter().any(met)
        {
            self.truth.adverse.push(AdverseEvent {
                account: AccountRef { platform: PlatformId(role.platform), account: AccountId(role.account) },
                child: PersonId(person),
                time: SimTime(time),
            });
        }
    }

    /// Actors whose account was closed (not by themselves) by the end of this tick.
    fn closings(&mut self) {
        let now = (self.tick + 1) * self.tick_seconds;
        let world = self.world;
        // An actor whose account closed once, or who left, is not looked at again.
        let closed: Vec<u32> =
            self.watched.iter().copied().filter(|index| self.closes(*index as usize) <= now).collect();
        if closed.is_empty() {
            return;
        }
        self.watched.retain(|index| closed.binary_search(index).is_err());
        for index in closed {
            let closed = self.closes(index as usize);
            let index = index as usize;
            let role = &world.roles[index];
            let (platform, account) = (usize::from(role.platform), role.account as usize);
            if self.truth.platforms[platform].accounts[account].left.is_some()
                || std::mem::replace(&mut self.actors[index].closed, true)
            {
                continue;
            }
            self.slow_down(index);
            let spec = self.adapts().cloned();
            let Some(spec) = spec else { return };
            let mut rng = self.seeds.adapt.derive("closed", index as u64).rng();
            let again = rng.chance(spec.reregister.p() * self.willing(index));
            let days = rng.log_normal(spec.reregister_days.get(), spec.reregister_sigma.get()).min(3_000.0);
            if again {
                #[allow(clippy::cast_possible_truncation, reason = "at most 3,000 days")]
                self.make(index, platform, closed.saturating_add((days * f64::from(DAY)) as i32));
            }
            self.displace(index, closed);
        }
    }

    /// Moves an actor to one other platform, once: the less it refuses, the likelier.
    fn displace(&mut self, index: usize, time: i32) {
        let world = self.world;
        let chance = self.adapts().map_or(0.0, |spec| spec.displace.p()) * self.willing(index);
        let role = &world.roles[index];
        let origin = role.spare_of.map_or(index, |origin| origin as usize);
        let mut rng = self.seeds.adapt.derive("displaced", origin as u64).rng();
        let moves = rng.chance(chance);
        if !moves || std::mem::replace(&mut self.actors[origin].displaced, true) {
            return;
        }
        let weights: Vec<f64> = (0..self.sites.len())
            .map(|at| if at == usize::from(role.platform) { 0.0 } else { 1.0 / self.friction(at) })
            .collect();
        if weights.iter().any(|weight| *weight > 0.0) {
            let to = rng.weighted(&weights);
            self.make(origin, to, time.saturating_add(DAY));
        }
    }

    /// 1 on a platform that stops no request, 10 on one that stops them all.
    #[allow(clippy::cast_precision_loss)]
    fn friction(&self, platform: usize) -> f64 {
        let [asked, stopped] = self.sites[platform].asked;
        1.0 + 9.0 * stopped as f64 / asked.max(1) as f64
    }

    /// Makes the spare account of an actor on a platform, from the next whole hour after `time` on; once.
    fn make(&mut self, index: usize, platform: usize, time: i32) {
        let world = self.world;
        if world.roles[index].spare_of.is_some() {
            return;
        }
        let spare = (0..world.roles.len()).find(|at| {
            let role = &world.roles[*at];
            role.spare_of.is_some_and(|of| of as usize == index) && usize::from(role.platform) == platform
        });
        let Some(spare) = spare else { return };
        let from = time.max((self.tick + 1) * self.tick_seconds);
        let created = from.saturating_add(HOUR - 1) / HOUR * HOUR;
        let account = world.roles[spare].account as usize;
        let live = &mut self.sites[platform];
        if live.habits[account].created != i32::MAX || created >= self.end {
            return;
        }
        live.habits[account].created = created;
        let profiles = live.profiles.get_or_insert_with(|| world.views()[platform].profiles.clone());
        profiles[account].created = SimTime(created);
        #[allow(clippy::cast_possible_truncation, reason = "at most 250 platforms")]
        let (platform, account) = (PlatformId(platform as u8), AccountId(world.roles[spare].account));
        self.made.push((AccountRef { platform, account }, SimTime(created)));
        self.actors[spare].pace = 1.0;
        self.slow_down(spare);
        self.stir(spare);
        let spare = spare as u32;
        if let Err(place) = self.watched.binary_search(&spare) {
            self.watched.insert(place, spare);
        }
    }
}
