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
    /// The town of the region that the person lives in, over all regions: whom one can meet.
    pub(crate) town: u16,
    pub(crate) sociability: f64,
    pub(crate) vulnerability: f64,
    /// Its logarithm, which every request asks for.
    pub(crate) log_vulnerability: f64,
    /// The probability of accepting the request of somebody unknown.
    pub(crate) accepts_strangers: f64,
    /// Acceptance of strangers at median vulnerability; 0 for those who are not open to them.
    pub(crate) openness: f64,
    pub(crate) role: Calling,
    /// Has a profile of their own; the others use somebody else's and leave no rows.
    pub(crate) own_profile: bool,
    /// Talks to people they do not know in game lobbies.
    pub(crate) talks_in_lobbies: bool,
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

/// Towns of a region. A larger world is a larger sample of a country: more places, and fuller ones. In which proportion
/// nothing published says; here both grow with the root of the persons, and below 22,500 a region is one town. With fuller
/// places alone, clustering would fall with the size of the world and degrees would sort ever more; with more places alone,
/// clustering at a given degree would rise (`docs/world-size.md`).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn towns(persons: u32) -> u16 {
    libm::round(libm::sqrt(f64::from(persons) / 10_000.0)).clamp(1.0, 250.0) as u16
}

pub(crate) fn people(spec: &WorldSpec, seed: Seed) -> Vec<Person> {
    let seed = seed.derive("person", 0);
    let towns = towns(spec.persons);
    (0..u64::from(spec.persons)).map(|index| person(spec, towns, seed.derive("one", index))).collect()
}

fn person(spec: &WorldSpec, towns: u16, seed: Seed) -> Person {
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
    // An address of its own: the number of towns shifts no other draw.
    let town = u16::try_from(seed.derive("town", 0).rng().below(usize::from(towns))).unwrap_or(0);
    let sociability = rng.normal();
    let vulnerability = rng.log_normal(1.0, population.vulnerability_sigma.get());
    let log_vulnerability = libm::log(vulnerability);
    let acceptance = rng.beta((mean * strength).max(1e-3), ((1.0 - mean) * strength).max(1e-3));
    let open = rng.chance(population.open_to_strangers.value[band as usize]);
    let openness = if open { acceptance } else { 0.0 };
    Person {
        age,
        band,
        girl,
        region,
        town: u16::from(region) * towns + town,
        sociability,
        vulnerability,
        log_vulnerability,
        accepts_strangers: if openness > 0.0 { nudge(openness, log_vulnerability) } else { 0.0 },
        openness,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_world_has_more_towns() {
        assert_eq!([500, 10_000, 22_499, 22_501, 100_000, 1_000_000].map(towns), [1, 1, 1, 2, 3, 10]);
    }
}
