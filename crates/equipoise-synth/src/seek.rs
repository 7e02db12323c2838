//! How roles find targets: among contacts, contacts of contacts, those of the team, or anybody; and when they stop
//! looking. An actor at its number of dyads, asked and in contact, seeks no more, which bounds concurrency and memory;
//! dyads that go on elsewhere, pass on or come back may lie above it by a few.

use crate::actor::Actor;
use crate::dyad::Opening;
use crate::ordinary::someone;
use crate::queue::Outbox;
use crate::rhythm::below;
use crate::roles::Role;
use crate::simulation::Simulation;
use equipoise_core::{AgeBand, CounterRng, DAY, Draw, FoundBy};

/// Up to this mean a Poisson is drawn by inversion.
const INVERTED: f64 = 30.0;

/// Whom an actor looks for this time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Adult,
    Child { girl: bool },
}

impl Simulation<'_> {
    /// Finds new targets. `all` holds every actor, if the role has mates.
    pub(crate) fn seek(
        &self,
        role: &Role,
        own: &mut Actor,
        all: &[Actor],
        rng: &mut CounterRng,
        outbox: &mut Outbox,
    ) {
        if !role.seeks {
            return;
        }
        let now = self.tick * self.tick_seconds;
        let begun = std::mem::replace(&mut own.begun, true);
        let wanted = rng.poisson(self.eagerness(role, self.tick) * own.pace).min(60) + u32::from(!begun);
        let from = now.max(self.start_of(role));
        for _ in 0..wanted {
            let time = from + below(rng, now + self.tick_seconds - from);
            if own.open_dyads() >= usize::from(role.theta.concurrent) {
                return;
            }
            if let Some((target, known, found_by)) = self.target(role, own, all, rng) {
                own.begin(self.opened(role, Opening { target, known, stage: 1, time }, rng));
                if !known {
                    outbox.request(time, role.account, target, found_by);
                }
            }
        }
    }

    /// How many targets a role looks for in a tick, on average, until it slows down.
    fn eagerness(&self, role: &Role, tick: i32) -> f64 {
        let (drift, platform, now) =
            (&self.world.drift, usize::from(role.platform), tick * self.tick_seconds);
        let factor = drift.arrivals(tick) * drift.usage(platform, now) * drift.requests(platform, now);
        role.theta.requests * factor * (f64::from(self.tick_seconds) / f64::from(DAY))
    }

    /// Whether a role that began may look for anybody in a tick, however slow it became: the draw is a Poisson's by
    /// inversion, so that a smaller mean never gives more.
    pub(crate) fn may_look(&self, index: usize, tick: i32) -> bool {
        let role = &self.world.roles[index];
        let mean = self.eagerness(role, tick);
        let address = self.own_seeds[index].derive("tick", u64::from(tick.unsigned_abs())).derive("seek", 0);
        role.seeks && (mean > INVERTED || address.rng().poisson(mean) > 0)
    }

    /// A target, whether it is a contact already, and how it was found.
    fn target(
        &self,
        role: &Role,
        own: &Actor,
        all: &[Actor],
        rng: &mut CounterRng,
    ) -> Option<(u32, bool, FoundBy)> {
        let platform = usize::from(role.platform);
        let (contacts, theta) = (&self.sites[platform].contacts, &role.theta);
        let child = rng.chance(theta.minors);
        let girl = rng.chance(theta.girls);
        let wanted = if child { Wanted::Child { girl } } else { Wanted::Adult };
        let [overlap, existing, triadic] =
            [theta.overlap, theta.existing, theta.triadic].map(|p| rng.chance(p));
        if overlap && let Some(shared) = self.target_of_a_mate(role, own, all, rng) {
            return Some((shared, contacts.linked(role.account, shared), FoundBy::Other));
        }
        for _ in 0..12 {
            let candidate = if existing {
                someone(contacts, role.account, rng)
            } else if triadic {
                someone(contacts, role.account, rng).and_then(|friend| someone(contacts, friend, rng))
            } else {
                self.anybody(platform, wanted, &theta.ages, rng)
            };
            let Some(candidate) = candidate else { break };
            let near = existing || triadic;
            if (!near || self.suits(platform, candidate, wanted, &theta.ages, rng))
                && self.free(role, own, candidate)
                && contacts.linked(role.account, candidate) == existing
            {
                let found_by = if triadic { FoundBy::ContactList } else { self.offered(role, candidate) };
                return Some((candidate, existing, found_by));
            }
        }
        // Whoever finds nobody nearby looks further.
        let far = self.anybody(platform, wanted, &theta.ages, rng)?;
        let fresh = !contacts.linked(role.account, far);
        (fresh && self.free(role, own, far)).then_some((far, false, self.offered(role, far)))
    }

    /// Whether somebody unknown was recommended or searched for, at an address of its own: as often as ordinary accounts
    /// find theirs.
    fn offered(&self, role: &Role, candidate: u32) -> FoundBy {
        let ways = &self.world.spec.graph.new_ties;
        let (shown, sought) = (ways.recommendation.p(), ways.search.p());
        let address = self.seeds.role.derive("offered", u64::from(role.platform));
        let pair = (u64::from(role.account) << 32) | u64::from(candidate);
        let suggested = address.derive("pair", pair).rng().uniform() * (shown + sought) < shown;
        if suggested { FoundBy::Suggestion } else { FoundBy::Search }
    }

    fn anybody(&self, platform: usize, wanted: Wanted, ages: &[f64; 3], rng: &mut CounterRng) -> Option<u32> {
        let targets = &self.world.targets[platform];
        match wanted {
            Wanted::Adult => targets.adult(rng),
            Wanted::Child { girl } => targets.minor(girl, ages, rng),
        }
    }

    /// Somebody whom another of the team is or was in touch with.
    fn target_of_a_mate(&self, role: &Role, own: &Actor, all: &[Actor], rng: &mut CounterRng) -> Option<u32> {
        if role.mates.is_empty() {
            return None;
        }
        (0..4).find_map(|_| {
            let mate = role.mates[rng.below(role.mates.len())];
            let dyads = &all[mate as usize].dyads;
            let pick = rng.uniform();
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let dyad = dyads.get((pick * dyads.len() as f64) as usize)?;
            self.free(role, own, dyad.target).then_some(dyad.target)
        })
    }

    /// Whether somebody met by chance is who was wanted; ages thin out by their weights.
    fn suits(
        &self,
        platform: usize,
        account: u32,
        wanted: Wanted,
        ages: &[f64; 3],
        rng: &mut CounterRng,
    ) -> bool {
        let (age, gender) = self.world.sites[platform].kinds[account as usize];
        let most = ages.iter().fold(0.0_f64, |most, weight| most.max(*weight));
        let kept = rng.uniform();
        match (wanted, age) {
            (Wanted::Adult, band) => band == AgeBand::Adult,
            (Wanted::Child { .. }, AgeBand::Adult) => false,
            (Wanted::Child { girl }, band) => gender == girl && kept * most < ages[band as usize],
        }
    }

    /// Whether `candidate` can become a target of this role: somebody else, without a role, there already, and new.
    pub(crate) fn free(&self, role: &Role, actor: &Actor, candidate: u32) -> bool {
        let site = &self.world.sites[usize::from(role.platform)];
        let own = site.faces[role.account as usize].person;
        let other = &site.faces[candidate as usize];
        other.person != own
            && !other.plays
            && other.created < self.tick * self.tick_seconds
            && !actor.knew(candidate)
    }
}

impl Actor {
    /// Dyads asked or in contact now.
    fn open_dyads(&self) -> usize {
        self.live().len()
    }
}
