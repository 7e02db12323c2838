//! Persons and their traits. Nobody here is real; ages exist only as what behaviour needs.

use crate::roles::nudge;
use crate::spec::{HardNegativeSpec, WorldSpec};
use equipoise_core::{AgeBand, Draw, Seed};

/// A simulated person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) age: f64,
    pub(crate) band: AgeBand,
    pub(crate) girl: bool,
    pub(crate) region: u8,
    pub(crate) sociability: f64,
    pub(crate) vulnerability: f64,
    /// Acceptance of strangers at median vulnerability; 0 for those who are not open to them.
    pub(crate) openness: f64,
    pub(crate) role: Calling,
    /// Has a profile of their own; the others use somebody else's and leave no rows.
    pub(crate) own_profile: bool,
    /// Talks to people they do not know in game lobbies.
    pub(crate) talks_in_lobbies: bool,
}

impl Person {
    /// The probability of accepting the request of somebody unknown.
    pub(crate) fn accepts_strangers(&self) -> f64 {
        if self.openness > 0.0 { nudge(self.openness, libm::log(self.vulnerability)) } else { 0.0 }
    }
}

/// A benign role that shapes the graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Calling {
    None,
    TeacherCoach,
    YouthWorker,
    HelpSeeking,
    PopularTeen,
    Relative,
    Influencer,
    Seller,
    Organiser,
    Newcomer,
}

impl Calling {
    /// Factor on the circles that a person joins by choice.
    pub(crate) const fn circles(self, shares: &HardNegativeSpec) -> f64 {
        match self {
            Self::PopularTeen => shares.popular_circles.value,
            Self::Influencer => shares.influencer_circles.value,
            _ => 1.0,
        }
    }

    /// Factor on the contact requests that a person sends.
    pub(crate) const fn requests(self, shares: &HardNegativeSpec) -> f64 {
        let [influencer, seller, organiser, newcomer] = shares.requests_factor.value;
        match self {
            Self::Influencer => influencer,
            Self::Seller => seller,
            Self::Organiser => organiser,
            Self::Newcomer => newcomer,
            _ => 1.0,
        }
    }
}

pub(crate) fn people(spec: &WorldSpec, seed: Seed) -> Vec<Person> {
    let seed = seed.derive("person", 0);
    (0..u64::from(spec.persons)).map(|index| person(spec, seed.derive("one", index))).collect()
}

fn person(spec: &WorldSpec, seed: Seed) -> Person {
    let population = &spec.population;
    let mut rng = seed.rng();
    let band = AgeBand::ALL[rng.weighted(&population.bands.value)];
    let age = match band {
        AgeBand::Under13 => 8.0 + 5.0 * rng.uniform(),
        AgeBand::From13To15 => 13.0 + 3.0 * rng.uniform(),
        AgeBand::From16To17 => 16.0 + 2.0 * rng.uniform(),
        AgeBand::Adult => 18.0 + 57.0 * libm::pow(rng.uniform(), 1.5),
    };
    let (mean, strength) = (population.stranger_accept.p(), population.stranger_accept_concentration.get());
    let girl = rng.chance(population.girls.p());
    let region = u8::try_from(rng.below(usize::from(population.regions))).unwrap_or(0);
    let sociability = rng.normal();
    let vulnerability = rng.log_normal(1.0, population.vulnerability_sigma.get());
    let acceptance = rng.beta((mean * strength).max(1e-3), ((1.0 - mean) * strength).max(1e-3));
    let open = rng.chance(population.open_to_strangers.value[band as usize]);
    Person {
        age,
        band,
        girl,
        region,
        sociability,
        vulnerability,
        openness: if open { acceptance } else { 0.0 },
        role: calling(spec, band, rng.uniform()),
        own_profile: rng.chance(population.own_profile.value[band as usize]),
        talks_in_lobbies: rng.chance(population.lobby_talk.value[band as usize]) && open,
    }
}

fn calling(spec: &WorldSpec, band: AgeBand, draw: f64) -> Calling {
    let shares = &spec.hard_negatives;
    let minor: &[(Calling, f64)] = &[
        (Calling::PopularTeen, shares.popular_teen.p()),
        (Calling::HelpSeeking, shares.help_seeking.p()),
        (Calling::Newcomer, shares.newcomer.p()),
    ];
    let adult: &[(Calling, f64)] = &[
        (Calling::TeacherCoach, shares.teacher_coach.p()),
        (Calling::YouthWorker, shares.youth_worker.p()),
        (Calling::Relative, shares.relative.p()),
        (Calling::Influencer, shares.influencer.p()),
        (Calling::Seller, shares.seller.p()),
        (Calling::Organiser, shares.organiser.p()),
        (Calling::Newcomer, shares.newcomer.p()),
    ];
    let mut left = draw;
    for (role, share) in if band.is_minor() { minor } else { adult } {
        if left < *share {
            return *role;
        }
        left -= share;
    }
    Calling::None
}
