//! Ordinary accounts: who joins which platform, what age they declare, when they came.

use crate::population::{Calling, Person};
use crate::spec::WorldSpec;
use crate::truth::{BenignGroup, HarmArchetype};
use equipoise_core::{AgeBand, CounterRng, DAY, Draw, HOUR, Seed};

/// An account before and after it has a number.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) person: u32,
    /// The band that its behaviour shows; differs from the person's for an assumed profile.
    pub(crate) persona: AgeBand,
    pub(crate) declared: AgeBand,
    pub(crate) region: u8,
    pub(crate) created: i32,
    pub(crate) sessions: f64,
    pub(crate) media: f64,
    pub(crate) group: BenignGroup,
    pub(crate) harmful: Option<HarmArchetype>,
    pub(crate) matched_for: Option<HarmArchetype>,
    /// The person's first account on the platform: the one that carries its ties.
    pub(crate) first: bool,
    /// Made for a role rather than by membership.
    pub(crate) made_for_role: bool,
}

/// Accounts by platform, in person order.
pub(crate) fn ordinary(spec: &WorldSpec, people: &[Person], seed: Seed) -> Vec<Vec<Account>> {
    let seed = seed.derive("account", 0);
    let rho = spec.membership.rho.p();
    let mut platforms = vec![Vec::new(); spec.platform.len()];
    for (index, person) in (0_u32..).zip(people).filter(|(_, person)| person.own_profile) {
        let common = seed.derive("common", u64::from(index)).rng().normal();
        for (platform, accounts) in platforms.iter_mut().enumerate() {
            let mut rng = seed.derive("on", u64::from(index)).derive("platform", platform as u64).rng();
            let own = libm::sqrt(rho) * common + libm::sqrt(1.0 - rho) * rng.normal();
            let rank = 0.5 * libm::erfc(-own / std::f64::consts::SQRT_2);
            if rank >= spec.membership.shares(spec.platform[platform].archetype)[person.band as usize] {
                continue;
            }
            let population = &spec.population;
            let minor = person.band.is_minor();
            let seconds = if minor {
                population.second_accounts_minor.get()
            } else {
                population.second_accounts_adult.get()
            };
            for number in 0..=rng.poisson(seconds).min(3) {
                accounts.push(one(spec, index, person, number == 0, &mut rng));
            }
        }
    }
    platforms
}

fn one(spec: &WorldSpec, index: u32, person: &Person, first: bool, rng: &mut CounterRng) -> Account {
    let declared = declare(spec, person.band, rng);
    let group = match person.role {
        _ if !first => BenignGroup::SecondAccount,
        Calling::TeacherCoach => BenignGroup::TeacherCoach,
        Calling::YouthWorker => BenignGroup::YouthWorker,
        Calling::HelpSeeking => BenignGroup::HelpSeeking,
        Calling::PopularTeen => BenignGroup::PopularTeen,
        Calling::Relative => BenignGroup::Relative,
        Calling::Influencer => BenignGroup::Influencer,
        Calling::Seller => BenignGroup::SellerBot,
        Calling::Organiser => BenignGroup::Organiser,
        Calling::Newcomer => BenignGroup::Newcomer,
        Calling::None if person.band.is_minor() && declared == AgeBand::Adult => BenignGroup::MisdeclaredTeen,
        Calling::None => BenignGroup::Ordinary,
    };
    // A newcomer's account is new.
    let recent = rng.chance(spec.population.created_in_window.p()) || person.role == Calling::Newcomer;
    let created = created(spec, recent, 1.0, rng);
    let mut account = Account {
        person: index,
        persona: person.band,
        declared,
        region: person.region,
        created,
        sessions: 0.0,
        media: 0.0,
        group,
        harmful: None,
        matched_for: None,
        first,
        made_for_role: false,
    };
    account.draw_habits(spec, rng);
    account
}

impl Account {
    /// Draws the habits of the account's persona.
    pub(crate) fn draw_habits(&mut self, spec: &WorldSpec, rng: &mut CounterRng) {
        let habits = &spec.behaviour;
        let (median, media) = if self.persona.is_minor() {
            (habits.sessions_minor.get(), habits.media_minor.p())
        } else {
            (habits.sessions_adult.get(), habits.media_adult.p())
        };
        self.sessions = rng.log_normal(median, habits.activity_sigma.get());
        self.media = rng.beta((8.0 * media).max(0.01), (8.0 * (1.0 - media)).max(0.01));
    }
}

/// The age that somebody of `band` declares.
pub(crate) fn declare(spec: &WorldSpec, band: AgeBand, rng: &mut CounterRng) -> AgeBand {
    AgeBand::ALL[rng.weighted(&spec.population.declared_age.value[band as usize])]
}

/// When an account was made, on a whole hour: within the first `share` of the window, or long before it.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn created(spec: &WorldSpec, in_window: bool, share: f64, rng: &mut CounterRng) -> i32 {
    let days = if in_window {
        share * f64::from(spec.days) * rng.uniform()
    } else {
        -1.0 - rng.log_normal(spec.population.account_age_days.get(), 0.9).min(5_000.0)
    };
    let seconds = libm::floor(days * f64::from(DAY)) as i32;
    seconds - seconds.rem_euclid(HOUR)
}
