//! Family "a": assortative overlapping circles of eight types (world.md 2.3).
//!
//! Memberships are sorted by town, jittered age and sociability and cut into circles; inside a circle ties are drawn.
//! Neither preferential attachment nor a configuration model gives clustering *and* age mixing; this does. Degrees differ
//! because some persons join more circles, which lets clustering fall with degree, as it does in real networks: whoever
//! is in many circles knows people who do not know each other. `crowding` thins hubs further: time spent in one circle
//! is missing in the next. It does not model how ties come and go.

use super::{Edge, Groups, Land, Pair, Place, TieKind, TieModel, growth, lives};
use crate::population::Person;
use crate::spec_graph::CircleSpec;
use equipoise_core::{Draw, Seed};
use rayon::prelude::*;

/// No tie is certain, however small the circle.
const SUREST: f64 = 0.95;
const LARGEST: f64 = 400.0;
/// Jitters of so many years mean that age has no part in the sorting.
const AGELESS: f64 = 100.0;

pub(crate) struct Circles;

/// The kinds of ties in the order of [`crate::CirclesSpec::named`].
const KINDS: [TieKind; 8] = [
    TieKind::SchoolYear,
    TieKind::Class,
    TieKind::Team,
    TieKind::Work,
    TieKind::Gaming,
    TieKind::Friends,
    TieKind::Club,
    TieKind::Loose,
];

impl TieModel for Circles {
    fn meet(&self, land: Land<'_>, groups: &mut Groups) {
        for (kind, (_, circle)) in KINDS.into_iter().zip(land.spec.graph.circles.named()) {
            let mut records = memberships(land, kind, circle);
            // Records end in their person and a draw: no two are equal, so an unstable sort has one result.
            records.par_sort_unstable();
            cut(land, kind, circle, &records, groups);
        }
    }

    fn tie(&self, land: Land<'_>, groups: &Groups, _pairs: &[Pair], on: Option<Place>) -> Vec<Edge> {
        let spec = &land.spec.graph.circles;
        let persons = land.people.len();
        let counts = (0..u32::try_from(persons).unwrap_or(u32::MAX)).map(|p| groups.of(p).len());
        #[allow(clippy::cast_precision_loss)]
        let mean = counts.clone().sum::<usize>() as f64 / persons as f64;
        #[allow(clippy::cast_precision_loss)]
        let weigh = |count: usize| libm::pow((count.max(1) as f64) / mean, -0.5 * spec.crowding.get());
        let weights: Vec<f64> = counts.map(weigh).collect();
        let named = spec.named();
        let medians = named.map(|(_, circle)| median_size(land, circle));
        (0..groups.len())
            .into_par_iter()
            .flat_map_iter(|group| {
                let at = KINDS.iter().position(|kind| *kind == groups.kind(group));
                at.map(|at| (named[at].1, medians[at]))
                    .filter(|(circle, _)| lives(land.seed, group, on, &circle.on_platform.value))
                    .map(|(circle, median)| link(land, circle, median, group, groups, &weights))
                    .unwrap_or_default()
            })
            .collect()
    }
}

/// `(where to sort, (a draw, the person))`, one per membership.
fn memberships(land: Land<'_>, kind: TieKind, circle: &CircleSpec) -> Vec<(u64, u64)> {
    let seed = land.seed.derive("member", kind as u64);
    let sigma = land.spec.graph.circles.sigma.get();
    let scale = scales(land).0;
    land.people
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, person)| {
            let mut rng = seed.derive("person", index as u64).rng();
            let mean = circle.rate.value[person.band as usize];
            let count = if circle.sorting.value.cohort {
                let whole = libm::floor(mean);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let sure = whole as u32;
                sure + u32::from(rng.chance(mean - whole))
            } else {
                let factor = person.role.circles(&land.spec.hard_negatives);
                let own = libm::exp(sigma * person.sociability - sigma * sigma / 2.0);
                // Nobody is without friends.
                let least = u32::from(kind == TieKind::Friends);
                rng.poisson(mean * scale * factor * own).clamp(least, 60)
            };
            let school = land.seed.derive("school", index as u64);
            (0..count).map(move |_| {
                let key = sort_key(person, circle, school, &mut rng);
                (key, (rng.below(1 << 32) as u64) << 32 | index as u64)
            })
        })
        .collect()
}

/// Cell (16 bits: circles never cross it), then age or town (16), then sociability or school (32).
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn sort_key(person: &Person, circle: &CircleSpec, school: Seed, rng: &mut impl Draw) -> u64 {
    let sorting = circle.sorting.value;
    let place = |x: f64, shift: u32, bits: u32| ((x.max(0.0) as u64).min((1 << bits) - 1)) << shift;
    let town = f64::from(person.town);
    if sorting.cohort {
        // The same draw for every cohort circle of a person, so that a class lies within a school year.
        let draw = school.fingerprint() & 0xFFFF_FFFF;
        return place(libm::floor(person.age), 48, 16) | place(town, 32, 16) | draw;
    }
    let jitter = sorting.years + sorting.growth * (person.age - 18.0).max(0.0);
    let (age, level) = (rng.normal(), rng.normal());
    let age = if sorting.years >= AGELESS { 0.0 } else { 500.0 + libm::floor(person.age + jitter * age) };
    let level = if sorting.levels > 0.0 {
        1_000.0 + libm::floor(sorting.levels * (person.sociability + 0.5 * level))
    } else {
        0.0
    };
    place(if sorting.local { town } else { 0.0 }, 48, 16) | place(age, 32, 16) | place(level, 0, 32)
}

/// Cuts each cell's memberships into circles.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn cut(land: Land<'_>, kind: TieKind, circle: &CircleSpec, records: &[(u64, u64)], groups: &mut Groups) {
    let seed = land.seed.derive("cut", kind as u64);
    let mut number = 0;
    for cell in records.chunk_by(|a, b| a.0 >> 48 == b.0 >> 48) {
        let mut rest = cell;
        while !rest.is_empty() {
            let mut rng = seed.derive("circle", number).rng();
            let drawn = rng.log_normal(median_size(land, circle), circle.size_sigma.get());
            let mut size = (libm::round(drawn.clamp(2.0, LARGEST)) as usize).min(rest.len());
            // Who would be left alone at the end of a cell comes along.
            if rest.len() - size < 2 {
                size = rest.len();
            }
            let (members, others) = rest.split_at(size);
            groups.push(kind, members.iter().map(|record| (record.1 & 0xFFFF_FFFF) as u32));
            rest = others;
            number += 1;
        }
    }
}

/// Factors on the number and the size of circles in a world of this many persons.
fn scales(land: Land<'_>) -> (f64, f64) {
    let (growth, by_size) = (growth(land.spec.persons), land.spec.graph.circles.growth_by_size.p());
    (libm::pow(growth, 1.0 - by_size), libm::pow(growth, by_size))
}

/// Circles by choice grow with the world; school years, classes and pairs do not.
fn median_size(land: Land<'_>, circle: &CircleSpec) -> f64 {
    let fixed = circle.sorting.value.cohort || circle.size.get() <= 2.0;
    circle.size.get() * if fixed { 1.0 } else { scales(land).1 }
}

#[allow(clippy::cast_precision_loss)]
fn link(
    land: Land<'_>,
    circle: &CircleSpec,
    median: f64,
    group: u32,
    groups: &Groups,
    weights: &[f64],
) -> Vec<Edge> {
    let members = groups.members(group);
    let mut rng = land.seed.derive("link", u64::from(group)).rng();
    let base = circle.link.p() * libm::sqrt(median / members.len() as f64);
    let mut edges = Vec::new();
    for (at, a) in members.iter().enumerate() {
        for b in &members[..at] {
            let p = base * weights[*a as usize] * weights[*b as usize];
            if rng.chance(p.min(SUREST)) && a != b {
                edges.push(Edge::new(*a, *b, groups.kind(group)));
            }
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_keys_of_the_file_stand_in_the_same_order() {
        let spec: crate::WorldSpec =
            toml::from_str(include_str!("../../../../datasets/research.toml")).unwrap();
        for (kind, (name, _)) in KINDS.into_iter().zip(spec.graph.circles.named()) {
            assert_eq!(format!("{kind:?}").to_lowercase(), name.replace('-', ""));
        }
    }
}
