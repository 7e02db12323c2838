//! Who plays a role: harmful actors and, by the same code from the same pools, their matched look-alikes.

use crate::accounts::{Account, created, declare};
use crate::population::Person;
use crate::roles::{Role, Theta};
use crate::spec::WorldSpec;
use crate::spec_harm::ArchetypeSpec;
use crate::truth::{BenignGroup, HarmArchetype};
use equipoise_core::{AgeBand, CounterRng, DAY, Draw, HOUR, Seed};

const NOBODY: u32 = u32::MAX;

struct Casting<'a> {
    spec: &'a WorldSpec,
    people: &'a [Person],
    accounts: &'a mut Vec<Vec<Account>>,
    /// `first[platform][person]`: index of the person's first account there.
    first: Vec<Vec<u32>>,
    /// Adults with a first account, by platform.
    adults: Vec<Vec<u32>>,
    minors: Vec<u32>,
    grown: Vec<u32>,
    taken: Vec<bool>,
    roles: Vec<Role>,
    teams: u32,
}

/// What the accounts of one actor, or of one team, have in common.
struct Part<'a> {
    archetype: &'a ArchetypeSpec,
    cover: BenignGroup,
    harmful: bool,
    delta: f64,
    platform: usize,
    team: Option<u32>,
    /// When it begins, as a share of the first quarter of the window.
    begin: f64,
}

/// Mean number of accounts that act together: 1 without a team.
fn team_size(archetype: &ArchetypeSpec) -> f64 {
    archetype.team.as_ref().map_or(1.0, |t| f64::midpoint(f64::from(t.size[0]), f64::from(t.size[1])))
}

/// Adds role accounts to `accounts` and returns the roles; `Role::account` indexes `accounts[platform]`.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn cast(
    spec: &WorldSpec,
    people: &[Person],
    accounts: &mut Vec<Vec<Account>>,
    seed: Seed,
) -> Vec<Role> {
    let seed = seed.derive("cast", 0);
    let ordinary: usize = accounts.iter().map(Vec::len).sum();
    let mut casting = Casting::new(spec, people, accounts);
    let total: f64 = spec.harm.archetype.iter().map(|a| a.mixture.p()).sum();
    for (number, archetype) in spec.harm.archetype.iter().enumerate() {
        let wanted = spec.harm.prevalence.p() * ordinary as f64 * archetype.mixture.p() / total.max(1e-12);
        let accounts = (1.0 + archetype.second_platform.p()) * team_size(archetype);
        let actors = libm::round(wanted / accounts) as u64;
        let lookalikes = libm::round(actors as f64 * spec.harm.lookalikes.get()) as u64;
        for actor in 0..actors + lookalikes {
            let address = seed.derive("kind", number as u64).derive("actor", actor);
            casting.team(archetype, actor < actors, address);
        }
    }
    casting.roles
}

impl<'a> Casting<'a> {
    fn new(spec: &'a WorldSpec, people: &'a [Person], accounts: &'a mut Vec<Vec<Account>>) -> Self {
        let mut first = vec![vec![NOBODY; people.len()]; accounts.len()];
        let mut adults = vec![Vec::new(); accounts.len()];
        for (platform, list) in accounts.iter().enumerate() {
            for (at, account) in (0_u32..).zip(list).filter(|(_, a)| a.first) {
                first[platform][account.person as usize] = at;
                if account.persona == AgeBand::Adult {
                    adults[platform].push(account.person);
                }
            }
        }
        let with = |keep: fn(&Person) -> bool| {
            (0_u32..).zip(people).filter(|(_, p)| keep(p)).map(|(i, _)| i).collect::<Vec<u32>>()
        };
        let minors = with(|p| matches!(p.band, AgeBand::From13To15 | AgeBand::From16To17));
        let grown = with(|p| p.band == AgeBand::Adult);
        let taken = vec![false; people.len()];
        Self { spec, people, accounts, first, adults, minors, grown, taken, roles: Vec::new(), teams: 0 }
    }

    /// Casts an actor, or the actors of one team.
    fn team(&mut self, archetype: &ArchetypeSpec, harmful: bool, address: Seed) {
        let spec = self.spec;
        let mut rng = address.rng();
        let delta = archetype.detectability.unwrap_or(spec.harm.detectability);
        let weights: Vec<f64> = archetype.covers.iter().map(|c| c.weight).collect();
        let cover = archetype.covers[rng.weighted(&weights)].group;
        let platform = self.platform(archetype, None, &mut rng);
        let begin = rng.uniform();
        let delta = if harmful { delta } else { 0.0 };
        let mut part = Part { archetype, cover, harmful, delta, platform, team: None, begin };
        let Some(team) = &archetype.team else {
            self.actor(&part, &mut address.derive("member", 0).rng());
            return;
        };
        let size = usize::from(team.size[0]) + rng.below(usize::from(team.size[1] - team.size[0]) + 1);
        part.team = Some(self.teams);
        self.teams += 1;
        let members: Vec<u32> = (0..size as u64)
            .filter_map(|member| self.actor(&part, &mut address.derive("member", member).rng()))
            .collect();
        for member in &members {
            self.roles[*member as usize].mates = members.iter().copied().filter(|m| m != member).collect();
        }
    }

    /// Casts one actor on one or two platforms; returns the role on the first.
    fn actor(&mut self, part: &Part<'_>, rng: &mut CounterRng) -> Option<u32> {
        let Part { archetype, platform, .. } = *part;
        let theta = Theta::draw(self.spec, archetype, part.delta, rng);
        let on_own_account = archetype.kind == HarmArchetype::SlowSingleTarget;
        let minor = !on_own_account && is_minors_role(part.cover);
        let persona = match (minor, rng.chance(0.6)) {
            (true, true) => AgeBand::From13To15,
            (true, false) => AgeBand::From16To17,
            (false, _) => AgeBand::Adult,
        };
        let second = rng.chance(archetype.second_platform.p());
        // Behind a minor's profile stands an adult as far as the detectability goes: whose other accounts are linked is a
        // signal like any other, and at 0 there must be none. (No link scale: it goes from 0 to 1.)
        let adult = rng.chance(part.delta.min(1.0));
        let person = self.person(platform, on_own_account, minor && !adult, rng)?;
        self.taken[person as usize] = true;
        let first = self.place(part, persona, person, platform, &theta, rng);
        if !second || self.accounts.len() < 2 {
            return Some(first);
        }
        let other = self.platform(archetype, Some(platform), rng);
        if on_own_account && self.first[other][person as usize] == NOBODY {
            return Some(first);
        }
        let next = self.place(part, persona, person, other, &theta, rng);
        self.roles[next as usize].seeks = archetype.kind != HarmArchetype::Migrator;
        self.roles[first as usize].sibling = Some(next);
        self.roles[next as usize].sibling = Some(first);
        Some(first)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn place(
        &mut self,
        part: &Part<'_>,
        persona: AgeBand,
        person: u32,
        platform: usize,
        theta: &Theta,
        rng: &mut CounterRng,
    ) -> u32 {
        let spec = self.spec;
        let kind = part.archetype.kind;
        let at = if kind == HarmArchetype::SlowSingleTarget {
            self.first[platform][person as usize]
        } else {
            let account = self.account(part.cover, persona, person, theta.recent, rng);
            self.accounts[platform].push(account);
            (self.accounts[platform].len() - 1) as u32
        };
        let account = &mut self.accounts[platform][at as usize];
        account.group = part.cover;
        if part.harmful {
            account.harmful = Some(kind);
        } else {
            account.matched_for = Some(kind);
        }
        let window = f64::from(spec.days) * f64::from(DAY);
        let role = Role {
            platform: platform as u8,
            account: at,
            harmful: part.harmful,
            theta: theta.clone(),
            sibling: None,
            team: part.team,
            mates: Vec::new(),
            seeks: true,
            spare_of: None,
            start: account.created.max(0) + libm::floor(0.25 * part.begin * window) as i32,
        };
        self.roles.push(role);
        (self.roles.len() - 1) as u32
    }

    /// An account made for a role.
    #[allow(clippy::cast_possible_truncation)]
    fn account(
        &self,
        cover: BenignGroup,
        persona: AgeBand,
        person: u32,
        recent: f64,
        rng: &mut CounterRng,
    ) -> Account {
        let spec = self.spec;
        let recent = rng.chance(recent);
        let in_window = recent && rng.chance(spec.harm.recent_in_window.p());
        let mut made = created(spec, in_window, 0.6, rng);
        if recent && !in_window {
            let before = libm::floor(30.0 * 24.0 * rng.uniform()) as i32;
            made = -HOUR * (before + 1);
        }
        let mut account = Account {
            person,
            persona,
            declared: declare(spec, persona, rng),
            region: self.people[person as usize].region,
            created: made,
            sessions: 0.0,
            media: 0.0,
            group: cover,
            harmful: None,
            matched_for: None,
            first: false,
            made_for_role: true,
        };
        account.draw_habits(spec, rng);
        account
    }

    fn platform(&self, archetype: &ArchetypeSpec, except: Option<usize>, rng: &mut CounterRng) -> usize {
        // A migrator goes on where messages are, so its second platform is drawn by size alone.
        let flat = except.is_some() && archetype.kind == HarmArchetype::Migrator;
        #[allow(clippy::cast_precision_loss)]
        let weights: Vec<f64> = (0..self.accounts.len())
            .map(|p| {
                let kind = self.spec.platform[p].archetype as usize;
                let weight = if flat { 1.0 } else { archetype.platforms.value[kind] };
                if except == Some(p) { 0.0 } else { (weight + 1e-9) * (1 + self.adults[p].len()) as f64 }
            })
            .collect();
        rng.weighted(&weights)
    }

    fn person(&self, platform: usize, own: bool, minor: bool, rng: &mut CounterRng) -> Option<u32> {
        let pool = match (own, minor) {
            (true, _) => &self.adults[platform],
            (false, true) => &self.minors,
            (false, false) => &self.grown,
        };
        if pool.is_empty() {
            return None;
        }
        // A few tries suffice: roles are rare. Where everybody has one already, a second role account is made, so that
        // no kind of look-alike runs out first; an account of one's own carries one role only.
        let free = (0..50).map(|_| pool[rng.below(pool.len())]).find(|person| !self.taken[*person as usize]);
        free.or_else(|| (!own).then(|| pool[rng.below(pool.len())]))
    }
}

const fn is_minors_role(group: BenignGroup) -> bool {
    matches!(
        group,
        BenignGroup::PopularTeen
            | BenignGroup::Newcomer
            | BenignGroup::SecondAccount
            | BenignGroup::FriendshipMover
            | BenignGroup::HelpSeeking
            | BenignGroup::MisdeclaredTeen
            | BenignGroup::FriendGroup
            | BenignGroup::Clan
    )
}
