//! Who knows whom: assortative overlapping circles plus households and the circles of callings.
//! Memberships are sorted by region, age and sociability and cut into circles, which gives clustering *and* age mixing;
//! neither preferential attachment nor a configuration model can. The slope of clustering over degree stays too flat.

use crate::population::{Calling, Person};
use crate::spec::WorldSpec;
use equipoise_core::{CounterRng, Draw, Seed};

/// Why two persons know each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Tie {
    Household,
    Family,
    Calling,
    Circle,
    Mixed,
}

/// An undirected tie, `a < b`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Edge {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) tie: Tie,
}

/// Every tie once, sorted; where two reasons exist the closer one stays.
pub(crate) fn ties(spec: &WorldSpec, people: &[Person], seed: Seed) -> Vec<Edge> {
    let seed = seed.derive("graph", 0);
    let mut edges = Vec::new();
    circles(spec, people, seed.derive("circles", 0), &mut edges);
    families(spec, people, seed.derive("families", 0), &mut edges);
    callings(spec, people, seed.derive("callings", 0), &mut edges);
    edges.sort_unstable();
    edges.dedup_by_key(|edge| (edge.a, edge.b));
    edges
}

fn push(edges: &mut Vec<Edge>, a: u32, b: u32, tie: Tie) {
    if a != b {
        edges.push(Edge { a: a.min(b), b: a.max(b), tie });
    }
}

#[allow(clippy::cast_possible_truncation)]
fn circles(spec: &WorldSpec, people: &[Person], seed: Seed, edges: &mut Vec<Edge>) {
    let graph = &spec.graph;
    let (mean, sigma) = (graph.circles.get(), graph.circles_sigma.get());
    let (mut close, mut mixed) = (Vec::new(), Vec::new());
    for (index, person) in (0_u32..).zip(people) {
        let mut rng = seed.derive("member", u64::from(index)).rng();
        let log_rate = libm::log(mean) - sigma * sigma / 2.0 + sigma * person.sociability;
        let popular = person.role == Calling::PopularTeen;
        let factor = if popular { spec.hard_negatives.popular_circles.get() } else { 1.0 };
        for _ in 0..rng.poisson(factor * libm::exp(log_rate)).clamp(1, 60) {
            if rng.chance(graph.age_mixed.p()) {
                mixed.push((person.region, 0_i32, 0_i32, rng.uniform().to_bits(), index));
                continue;
            }
            let years = graph.age_jitter_years.get() + 0.2 * (person.age - 18.0).max(0.0);
            let year = libm::floor(person.age + years * rng.normal()) as i32;
            let level = libm::floor(2.0 * (person.sociability + 0.5 * rng.normal())) as i32;
            close.push((person.region, year, level, rng.uniform().to_bits(), index));
        }
    }
    for (members, tie, shrink) in [(&mut close, Tie::Circle, 1.0), (&mut mixed, Tie::Mixed, 0.4)] {
        members.sort_unstable();
        let ids: Vec<u32> = members.iter().map(|m| m.4).collect();
        let mut rng = seed.derive("cut", u64::from(tie == Tie::Mixed)).rng();
        let mut rest = ids.as_slice();
        while !rest.is_empty() {
            let size =
                libm::round(shrink * rng.log_normal(graph.circle_size.get(), graph.circle_size_sigma.get()));
            let size = (size.clamp(3.0, 250.0) as usize).min(rest.len());
            let (circle, others) = rest.split_at(size);
            link(spec, people, circle, tie, &mut rng, edges);
            rest = others;
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn link(
    spec: &WorldSpec,
    people: &[Person],
    circle: &[u32],
    tie: Tie,
    rng: &mut CounterRng,
    edges: &mut Vec<Edge>,
) {
    let graph = &spec.graph;
    let base = graph.link.p() * libm::sqrt(graph.circle_size.get() / circle.len() as f64);
    let weights: Vec<f64> =
        circle.iter().map(|i| libm::exp(0.25 * people[*i as usize].sociability)).collect();
    for (at, a) in circle.iter().enumerate() {
        for (other, b) in circle[..at].iter().enumerate() {
            if rng.chance((base * weights[at] * weights[other]).min(0.9)) {
                push(edges, *a, *b, tie);
            }
        }
    }
}

/// Each child lives with two adults of the region and has further relatives; children of the same pair are siblings.
fn families(spec: &WorldSpec, people: &[Person], seed: Seed, edges: &mut Vec<Edge>) {
    let adults = by_region(spec, people, |p| !p.band.is_minor());
    for (index, person) in (0_u32..).zip(people) {
        let local = &adults[usize::from(person.region)];
        if !person.band.is_minor() || local.len() < 4 {
            continue;
        }
        let mut rng = seed.derive("child", u64::from(index)).rng();
        let home = 2 * rng.below(local.len() / 2);
        push(edges, index, local[home], Tie::Household);
        push(edges, index, local[home + 1], Tie::Household);
        push(edges, local[home], local[home + 1], Tie::Household);
        for step in 0..usize::from(spec.graph.relatives) {
            let relative = local[(home + 2 + step + rng.below(2)) % local.len()];
            push(edges, index, relative, Tie::Family);
        }
    }
}

fn callings(spec: &WorldSpec, people: &[Person], seed: Seed, edges: &mut Vec<Edge>) {
    let children = by_region(spec, people, |p| p.band.is_minor());
    let seeking = by_region(spec, people, |p| p.role == Calling::HelpSeeking);
    let [least, most] = spec.hard_negatives.children.map(usize::from);
    for (index, person) in (0_u32..).zip(people) {
        if !matches!(person.role, Calling::TeacherCoach | Calling::YouthWorker) {
            continue;
        }
        let mut rng = seed.derive("adult", u64::from(index)).rng();
        let mut local = children[usize::from(person.region)].clone();
        if person.role == Calling::TeacherCoach {
            // A class or a team: children near one age.
            let age = 9.0 + 8.0 * rng.uniform();
            local.sort_by(|a, b| {
                let gap = |i: &u32| (people[*i as usize].age - age).abs();
                gap(a).total_cmp(&gap(b))
            });
        } else {
            rng.shuffle(&mut local);
            for child in &seeking[usize::from(person.region)] {
                push(edges, index, *child, Tie::Calling);
            }
        }
        let size = least + rng.below(most - least + 1);
        for child in local.iter().take(size) {
            push(edges, index, *child, Tie::Calling);
        }
    }
}

fn by_region(spec: &WorldSpec, people: &[Person], keep: impl Fn(&Person) -> bool) -> Vec<Vec<u32>> {
    let mut lists = vec![Vec::new(); usize::from(spec.population.regions)];
    for (index, person) in (0_u32..).zip(people) {
        if keep(person) {
            lists[usize::from(person.region)].push(index);
        }
    }
    lists
}
