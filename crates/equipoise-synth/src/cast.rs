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
        let actors = libm::round(wanted / (1.0 + archetype.second_platform.p())) as u64;
        let lookalikes = libm::round(actors as f64 * spec.harm.lookalikes.get()) as u64;
        for actor in 0..actors + lookalikes {
            let mut rng = seed.derive("kind", number as u64).derive("actor", actor).rng();
            casting.actor(archetype, actor < actors, &mut rng);
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
        Self { spec, people, accounts, first, adults, minors, grown, taken, roles: Vec::new() }
    }

    fn actor(&mut self, archetype: &ArchetypeSpec, harmful: bool, rng: &mut CounterRng) {
        let spec = self.spec;
        let delta = if harmful { spec.harm.detectability } else { 0.0 };
        let weights: Vec<f64> = archetype.covers.iter().map(|c| c.weight).collect();
        let cover = archetype.covers[rng.weighted(&weights)].group;
        let theta = Theta::draw(spec, archetype, delta, rng);
        let on_own_account = archetype.kind == HarmArchetype::SlowSingleTarget;
        let platform = self.platform(archetype, None, rng);
        let minor = !on_own_account && is_minors_role(cover);
        let persona = match (minor, rng.chance(0.6)) {
            (true, true) => AgeBand::From13To15,
            (true, false) => AgeBand::From16To17,
            (false, _) => AgeBand::Adult,
        };
        let second = rng.chance(archetype.second_platform.p());
        let Some(person) = self.person(platform, on_own_account, minor && !harmful, rng) else { return };
        self.taken[person as usize] = true;
        let begin = rng.uniform();
        let first =
            self.place(archetype, cover, harmful, persona, person, platform, &theta, begin, true, rng);
        if !second || self.accounts.len() < 2 {
            return;
        }
        let other = self.platform(archetype, Some(platform), rng);
        if on_own_account && self.first[other][person as usize] == NOBODY {
            return;
        }
        let seeks = archetype.kind != HarmArchetype::Migrator;
        let next = self.place(archetype, cover, harmful, persona, person, other, &theta, begin, seeks, rng);
        self.roles[first as usize].sibling = Some(next);
        self.roles[next as usize].sibling = Some(first);
    }

    #[allow(clippy::too_many_arguments, clippy::cast_possible_truncation)]
    fn place(
        &mut self,
        archetype: &ArchetypeSpec,
        cover: BenignGroup,
        harmful: bool,
        persona: AgeBand,
        person: u32,
        platform: usize,
        theta: &Theta,
        begin: f64,
        seeks: bool,
        rng: &mut CounterRng,
    ) -> u32 {
        let spec = self.spec;
        let kind = archetype.kind;
        let at = if kind == HarmArchetype::SlowSingleTarget {
            self.first[platform][person as usize]
        } else {
            let recent = rng.chance(theta.recent);
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
            self.accounts[platform].push(account);
            (self.accounts[platform].len() - 1) as u32
        };
        let account = &mut self.accounts[platform][at as usize];
        account.group = cover;
        if harmful {
            account.harmful = Some(kind);
        } else {
            account.matched_for = Some(kind);
        }
        let window = f64::from(spec.days) * f64::from(DAY);
        let start = account.created.max(0) + libm::floor(0.25 * begin * window) as i32;
        let role = Role {
            platform: platform as u8,
            account: at,
            harmful,
            theta: theta.clone(),
            sibling: None,
            seeks,
            start,
        };
        self.roles.push(role);
        (self.roles.len() - 1) as u32
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
    )
}
