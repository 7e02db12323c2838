//! A built world: everything that does not change while it runs.

use crate::accounts::{self, Account};
use crate::adaptation::spares;
use crate::agenda::Agenda;
use crate::cast;
use crate::contacts::Contacts;
use crate::drift::Drift;
use crate::engine::Pace;
use crate::graph::{Edge, Groups, Land, Pair, Place, TieKind, Ties};
use crate::linkage;
use crate::logbook::Logbook;
use crate::lull::Lull;
use crate::population::{self, Calling, Person};
use crate::proactive;
use crate::respond::Answers;
use crate::rhythm::Rhythm;
use crate::roles::Role;
use crate::shared_signal::TokenIndex;
use crate::simulation::Simulation;
use crate::skeleton::Skeleton;
use crate::spec::WorldSpec;
use crate::targets::Targets;
use crate::team;
use crate::truth::{AccountTruth, PersonTruth, PlatformTruth, Tally, Truth};
use crate::turns::Post;
use crate::units::units;
use crate::{Outcome, WorldError};
use equipoise_core::{
    AccountId, AccountProfile, AccountRef, AgeBand, Draw, EventSink, Observer, PersonId, PlatformId,
    PlatformView, Policy, Seed, SimTime,
};
use rayon::prelude::*;

/// No role, no account.
pub(crate) const NONE: u32 = u32::MAX;

/// What stands still on one platform.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) accounts: Vec<Account>,
    /// How many of them are there from the start; spares of [`crate::adaptation`] come after.
    pub(crate) residents: usize,
    /// By account: index into the world's roles, or [`NONE`].
    pub(crate) role_of: Vec<u32>,
    /// By account: the true band of its person, and whether that is a girl or woman.
    pub(crate) kinds: Vec<(AgeBand, bool)>,
    /// By account: whether it can be somebody's target.
    pub(crate) faces: Vec<Face>,
    /// By person: the first account, or [`NONE`].
    pub(crate) first: Vec<u32>,
    pub(crate) contacts: Contacts,
    /// Ordinary accounts of minors (boys, girls) and of adults; 13 to 15 counts twice.
    pub(crate) targets: [Vec<u32>; 3],
    pub(crate) logbook: Logbook,
}

/// The little of an account that says whether it can be somebody's target, side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face {
    pub(crate) person: u32,
    pub(crate) created: i32,
    /// Whether it plays a role.
    pub(crate) plays: bool,
}

impl Site {
    fn kinds(&self, people: &[Person]) -> Vec<(AgeBand, bool)> {
        let person = |account: &Account| &people[account.person as usize];
        self.accounts.iter().map(person).map(|person| (person.band, person.girl)).collect()
    }

    fn faces(&self) -> Vec<Face> {
        let face = |(account, role): (&Account, &u32)| {
            let plays = *role != NONE;
            Face { person: account.person, created: account.created, plays }
        };
        self.accounts.iter().zip(&self.role_of).map(face).collect()
    }
}

/// A simulated world, ready to run any number of times.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) spec: WorldSpec,
    pub(crate) seed: Seed,
    pub(crate) people: Vec<Person>,
    pub(crate) sites: Vec<Site>,
    pub(crate) roles: Vec<Role>,
    pub(crate) pace: Pace,
    pub(crate) rhythm: Rhythm,
    pub(crate) lull: Lull,
    pub(crate) groups: Groups,
    /// By platform: whom roles can turn to.
    pub(crate) targets: Vec<Targets>,
    pub(crate) drift: Drift,
    pub(crate) answers: Answers,
    pub(crate) token_index: TokenIndex,
    /// By role: what its turns read.
    pub(crate) posts: Vec<Post>,
    /// By role: the probability of being flagged by its platform's detector on a day.
    pub(crate) flagged: Vec<f64>,
    views: Vec<PlatformView>,
    tokens: Vec<Vec<u64>>,
}

impl World {
    /// Builds persons, accounts, ties and roles. The same specification and seed give the same world.
    ///
    /// # Errors
    /// If the specification cannot be simulated.
    pub fn build(spec: &WorldSpec, seed: Seed) -> Result<Self, WorldError> {
        spec.validate()?;
        let seed = seed.derive("world", 0);
        let people = population::people(spec, seed);
        let mut accounts = accounts::ordinary(spec, &people, seed);
        let mut roles = cast::cast(spec, &people, &mut accounts, seed);
        number(&mut accounts, &mut roles, seed);
        let residents: Vec<usize> = accounts.iter().map(Vec::len).collect();
        spares(spec, &mut accounts, &mut roles, seed);
        let land = Land { spec, people: &people, seed };
        let (groups, pairs) = (land.groups(), land.prepare());
        // One platform after the other: the ties of one are made, thinned and packed before the next.
        let sites = accounts.into_iter().enumerate();
        let mut sites: Vec<Site> =
            sites.map(|(platform, list)| site(land, &groups, &pairs, list, platform)).collect();
        drop(pairs);
        sites.iter_mut().zip(residents).for_each(|(site, residents)| site.residents = residents);
        for (index, role) in (0_u32..).zip(&roles) {
            sites[usize::from(role.platform)].role_of[role.account as usize] = index;
        }
        seed_contacts(&mut sites, &roles, seed);
        team::link(spec, &mut sites, &roles, seed);
        sites.iter_mut().for_each(|site| {
            (site.kinds, site.faces) = (site.kinds(&people), site.faces());
        });
        let views = sites.iter().enumerate().map(|(p, site)| view(spec, p, site)).collect();
        let tokens = linkage::tokens(spec, &sites, seed);
        let rhythm = Rhythm::new(&spec.behaviour);
        let post = |role: &Role| {
            let account = &sites[usize::from(role.platform)].accounts[role.account as usize];
            Post::new(role, account.persona)
        };
        let posts = roles.iter().map(post).collect();
        let targets = sites.iter().map(|site| Targets::new(&site.accounts, &people)).collect();
        Ok(Self {
            spec: spec.clone(),
            seed,
            people,
            sites,
            pace: Pace::new(spec),
            rhythm,
            lull: Lull::new(),
            groups,
            targets,
            drift: Drift::new(spec, seed),
            answers: Answers::new(spec),
            flagged: proactive::flagged(spec, &roles),
            posts,
            roles,
            token_index: TokenIndex::default(),
            views,
            tokens,
        })
    }

    /// What the operators of the platforms may read, events aside.
    #[must_use]
    pub fn views(&self) -> &[PlatformView] {
        &self.views
    }

    /// The specification that the world was built from.
    #[must_use]
    pub const fn spec(&self) -> &WorldSpec {
        &self.spec
    }

    /// Noisy linkage tokens, `[platform][account]`.
    #[must_use]
    pub fn tokens(&self) -> &[Vec<u64>] {
        &self.tokens
    }

    /// Who knows whom, of all persons and wherever: truth, made again from the seed at each call, for statistics.
    #[must_use]
    pub fn ties(&self) -> Ties {
        let land = Land { spec: &self.spec, people: &self.people, seed: self.seed };
        Ties::new(self.people.len(), &land.ties(&self.groups, &land.prepare(), None))
    }

    /// The contacts of an account of a platform before the window, sorted: what the operator has.
    ///
    /// # Panics
    /// If there is no such account.
    #[must_use]
    pub fn contacts(&self, platform: PlatformId, account: AccountId) -> &[u32] {
        self.sites[platform.index()].contacts.sorted(account.0)
    }

    /// Exact ages in years by person: truth, for statistics over age frames that bands cannot give.
    pub fn ages(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.people.iter().map(|person| person.age)
    }

    /// Starts a run of what couples accounts alone, for policies and scores that hear nothing else: truth, labels and closings
    /// are those of [`World::start`], the log holds the skeleton's rows only.
    #[must_use]
    pub fn start_lean(&self) -> Simulation<'_> {
        Simulation::new(self, false)
    }

    /// [`World::start_lean`] with what no measure can touch taken from an agenda of this world.
    #[must_use]
    pub fn start_lean_on<'w>(&'w self, agenda: &'w Agenda) -> Simulation<'w> {
        Simulation::on_agenda(self, agenda)
    }

    /// Starts a run that the caller steps, for loops that score and act between ticks.
    #[must_use]
    pub fn start(&self) -> Simulation<'_> {
        Simulation::new(self, true)
    }

    /// The part of a run without policies that couples accounts, to make the log of any block of accounts from.
    #[must_use]
    pub fn skeleton(&self) -> Skeleton<'_> {
        Skeleton::new(self)
    }

    /// Runs the whole window. Without policies the run equals one with policies that permit everything.
    ///
    /// # Errors
    /// If the number of policies is not that of the platforms.
    pub fn run(
        &self,
        mut policies: Option<&mut [Box<dyn Policy>]>,
        sink: &mut dyn EventSink,
        observer: &dyn Observer,
    ) -> Result<Outcome, WorldError> {
        let mut simulation = self.start();
        if policies.is_some() || rayon::current_num_threads() == 1 {
            while simulation.step(policies.as_deref_mut(), sink, observer)? {}
            return Ok(simulation.finish());
        }
        // The sink takes a tick in while the next one is made: neither waits for what only one thread can do.
        let mut ready = simulation.tick(observer);
        while let Some(batches) = ready.take() {
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| ready = simulation.tick(observer));
                batches.give(self, sink);
            });
        }
        Ok(simulation.finish())
    }

    /// Factor on the contact requests of an account.
    pub(crate) fn asks(&self, platform: usize, account: u32) -> f64 {
        let person = self.sites[platform].accounts[account as usize].person;
        self.people[person as usize].role.requests(&self.spec.hard_negatives)
    }

    /// TRUTH. Which accounts carry a simulated harmful pattern, `[platform][account]`: the one bit that a reviewer is handed.
    #[must_use]
    pub fn roster(&self) -> Vec<Vec<bool>> {
        let of = |site: &Site| site.accounts.iter().map(|account| account.harmful.is_some()).collect();
        self.sites.iter().map(of).collect()
    }

    /// Truth without anything that only a run can tell.
    pub(crate) fn blank_truth(&self) -> Truth {
        let behind = |role: &Role| {
            let account = &self.sites[usize::from(role.platform)].accounts[role.account as usize];
            role.team.map(|team| (team, account.person))
        };
        let mut teams: Vec<(u32, u32)> = self.roles.iter().filter_map(behind).collect();
        teams.sort_unstable();
        let units = units(self.people.len(), &self.groups, &teams);
        let person = |(p, unit): (&Person, u32)| PersonTruth {
            band: p.band,
            girl: p.girl,
            region: p.region,
            sociability: p.sociability,
            vulnerability: p.vulnerability,
            unit,
        };
        let account = |a: &Account| AccountTruth {
            person: PersonId(a.person),
            true_age_band: self.people[a.person as usize].band,
            girl: self.people[a.person as usize].girl,
            harmful: a.harmful,
            benign_group: a.group,
            matched_for: a.matched_for,
            team: None,
            left: None,
            harm_start: None,
            contacts: Vec::new(),
        };
        let mut platforms: Vec<PlatformTruth> = self
            .sites
            .iter()
            .map(|site| PlatformTruth {
                accounts: site.accounts.iter().map(account).collect(),
                stages: Vec::new(),
            })
            .collect();
        for role in &self.roles {
            platforms[usize::from(role.platform)].accounts[role.account as usize].team = role.team;
        }
        let mut owners = Vec::new();
        for (platform, site) in (0_u8..).zip(&self.sites) {
            for (id, one) in (0_u32..).zip(&site.accounts) {
                let account = AccountRef { platform: PlatformId(platform), account: AccountId(id) };
                owners.push((PersonId(one.person), account));
            }
        }
        owners.sort_unstable();
        let persons = self.people.iter().zip(units).map(person).collect();
        let (tally, adverse, screened) = (Tally::default(), Vec::new(), Vec::new());
        Truth { persons, platforms, tally, adverse, screened, owners }
    }
}

/// Puts accounts into a random order, so that a number tells nothing about a role.
#[allow(clippy::cast_possible_truncation)]
fn number(accounts: &mut [Vec<Account>], roles: &mut [Role], seed: Seed) {
    for (platform, list) in accounts.iter_mut().enumerate() {
        let mut order: Vec<u32> = (0..list.len() as u32).collect();
        seed.derive("number", platform as u64).rng().shuffle(&mut order);
        let mut place = vec![0_u32; order.len()];
        for (new, old) in (0_u32..).zip(&order) {
            place[*old as usize] = new;
        }
        *list = order.iter().map(|old| list[*old as usize].clone()).collect();
        for role in roles.iter_mut().filter(|r| usize::from(r.platform) == platform) {
            role.account = place[role.account as usize];
        }
    }
}

fn site(land: Land<'_>, groups: &Groups, prepared: &[Pair], accounts: Vec<Account>, platform: usize) -> Site {
    let Land { spec, people, seed } = land;
    let mut first = vec![NONE; people.len()];
    let mut seconds = Vec::new();
    let mut targets = [Vec::new(), Vec::new(), Vec::new()];
    for (id, account) in (0_u32..).zip(&accounts) {
        if account.made_for_role {
            continue;
        }
        if account.first {
            first[account.person as usize] = id;
        } else {
            seconds.push(id);
        }
        let person = &people[account.person as usize];
        let list = if person.band.is_minor() { usize::from(person.girl) } else { 2 };
        targets[list].push(id);
        if person.band == AgeBand::From13To15 {
            targets[list].push(id);
        }
    }
    let place = Place { platform, archetype: spec.platform[platform].archetype };
    let edges = land.ties(groups, prepared, Some(place));
    let seed = seed.derive("thin", platform as u64);
    let mut pairs = pairs_of(land, &edges, &first, seed);
    drop(edges);
    second_accounts(&accounts, &first, &seconds, &mut pairs, seed);
    let contacts = Contacts::new(accounts.len(), &pairs);
    let logbook = Logbook::new(spec, platform, land.seed);
    let (role_of, residents) = (vec![NONE; accounts.len()], accounts.len());
    Site {
        role_of,
        kinds: Vec::new(),
        faces: Vec::new(),
        residents,
        accounts,
        first,
        contacts,
        targets,
        logbook,
    }
}

/// `(account, account, rank)` of every tie whose sides both have an account; the closer, the smaller the rank.
fn pairs_of(land: Land<'_>, edges: &[Edge], first: &[u32], seed: Seed) -> Vec<(u32, u32, u32)> {
    let pair = |edge: &Edge| {
        let (a, b) = (first[edge.a as usize], first[edge.b as usize]);
        if a == NONE || b == NONE {
            return None;
        }
        let mut rng = seed.derive("edge", (u64::from(edge.a) << 32) | u64::from(edge.b)).rng();
        let sides = [edge.a, edge.b].map(|person| &land.people[person as usize]);
        let home = edge.kind == TieKind::Household;
        let (new, dense) = (
            sides.iter().any(|side| side.role == Calling::Newcomer),
            sides.iter().any(|side| side.role == Calling::Relative),
        );
        let shown = rng.chance(land.spec.hard_negatives.newcomer_ties.p());
        if new && !home && !shown {
            return None;
        }
        // A relative of the dense kind is closest to the children of its own family.
        let kin = home || edge.kind == TieKind::Family;
        let child = sides.iter().any(|side| side.band.is_minor());
        let spread = match (dense && kin && child, home) {
            (true, _) => 1 << 12,
            (false, true) => 1 << 22,
            (false, false) => 1 << 24,
        };
        #[allow(clippy::cast_possible_truncation)]
        let rank = edge.kind.distance() + rng.below(spread) as u32;
        Some((a, b, rank))
    };
    edges.par_iter().filter_map(pair).collect()
}

/// A second account shares a quarter of the first one's contacts.
fn second_accounts(
    accounts: &[Account],
    first: &[u32],
    seconds: &[u32],
    pairs: &mut Vec<(u32, u32, u32)>,
    seed: Seed,
) {
    let mut wanted: Vec<u32> =
        seconds.iter().map(|id| first[accounts[*id as usize].person as usize]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut peers: Vec<(u32, u32)> = pairs
        .iter()
        .flat_map(|(a, b, _)| [(*a, *b), (*b, *a)])
        .filter(|(own, _)| wanted.binary_search(own).is_ok())
        .collect();
    peers.sort_unstable();
    for id in seconds {
        let own = first[accounts[*id as usize].person as usize];
        let from = peers.partition_point(|(account, _)| *account < own);
        let mut rng = seed.derive("second", u64::from(*id)).rng();
        for (_, peer) in peers[from..].iter().take_while(|(account, _)| *account == own) {
            if rng.chance(0.25) {
                pairs.push((*id, *peer, 1 << 23));
            }
        }
    }
}

/// A role account begins with a few contacts out of one host's circle and takes the host's region; harmful or not.
fn seed_contacts(sites: &mut [Site], roles: &[Role], seed: Seed) {
    for (index, role) in (0_u64..).zip(roles) {
        let site = &mut sites[usize::from(role.platform)];
        let account = &site.accounts[role.account as usize];
        if !account.made_for_role || role.spare_of.is_some() {
            continue;
        }
        let pool =
            if account.persona.is_minor() { &site.targets[index as usize % 2] } else { &site.targets[2] };
        if pool.is_empty() {
            continue;
        }
        let mut rng = seed.derive("host", index).rng();
        let host = pool[rng.below(pool.len())];
        let circle = site.contacts.closest(host).to_vec();
        let wanted = 2 + rng.geometric(6.0) as usize;
        for _ in 0..wanted.min(circle.len()) {
            site.contacts.add(role.account, circle[rng.below(circle.len())]);
        }
        site.accounts[role.account as usize].region = site.accounts[host as usize].region;
    }
}

#[allow(clippy::cast_possible_truncation)]
fn view(spec: &WorldSpec, platform: usize, site: &Site) -> PlatformView {
    let archetype = spec.platform[platform].archetype;
    let schema = spec.schema(platform);
    let profile = |account: &Account| AccountProfile {
        declared_age: schema.sees_age.then_some(account.declared),
        region: schema.sees_region.then_some(account.region),
        created: SimTime(account.created),
    };
    PlatformView {
        id: PlatformId(platform as u8),
        name: spec.platform[platform].name.clone(),
        archetype,
        schema,
        profiles: site.accounts.iter().map(profile).collect(),
    }
}
