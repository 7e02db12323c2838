//! Persons and their traits. Nobody here is real; ages exist only as what behaviour needs.

use crate::spec::WorldSpec;
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
    pub(crate) openness: f64,
    pub(crate) role: Calling,
}

/// A benign role that shapes the graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Calling {
    None,
    TeacherCoach,
    YouthWorker,
    HelpSeeking,
    PopularTeen,
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
    let openness = rng.beta((mean * strength).max(1e-3), ((1.0 - mean) * strength).max(1e-3));
    Person {
        age,
        band,
        girl,
        region,
        sociability,
        vulnerability,
        openness,
        role: calling(spec, band, rng.uniform()),
    }
}

fn calling(spec: &WorldSpec, band: AgeBand, draw: f64) -> Calling {
    let shares = &spec.hard_negatives;
    let (first, second, roles) = if band.is_minor() {
        (shares.popular_teen.p(), shares.help_seeking.p(), [Calling::PopularTeen, Calling::HelpSeeking])
    } else {
        (shares.teacher_coach.p(), shares.youth_worker.p(), [Calling::TeacherCoach, Calling::YouthWorker])
    };
    if draw < first {
        roles[0]
    } else if draw < first + second {
        roles[1]
    } else {
        Calling::None
    }
}
