//! What both families of ties share: households, wider families, and the adults who teach, coach or advise children.
//!
//! These are facts about children's lives rather than a mechanism of acquaintance, so that benign ties between children
//! and adults exist in either world, in places of the right type: parents are 20 to 42 years older than their child,
//! whoever coaches knows a class or a team. How many there are is assumed; no public count was found.

use super::{Edge, Groups, Land, Place, TieKind, lives};
use crate::population::{Calling, Person, towns};
use equipoise_core::{CounterRng, Draw};

/// How much older than its child a parent is, in years.
const PARENT: [f64; 2] = [20.0, 42.0];
/// Probability that two members of one wider family know each other.
const FAMILY: f64 = 0.9;

pub(crate) fn meet(land: Land<'_>, groups: &mut Groups) {
    households(land, groups);
    callings(land, groups);
}

pub(crate) fn tie(land: Land<'_>, groups: &Groups, on: Option<Place>) -> Vec<Edge> {
    let graph = &land.spec.graph;
    let mut edges = Vec::new();
    for group in 0..groups.len() {
        let kind = groups.kind(group);
        let shares = match kind {
            TieKind::Household => &graph.household_on_platform,
            TieKind::Family => &graph.family_on_platform,
            TieKind::Calling => &graph.calling_on_platform,
            _ => continue,
        };
        if !lives(land.seed, group, on, &shares.value) {
            continue;
        }
        let mut rng = land.seed.derive("kin", u64::from(group)).rng();
        let members = groups.members(group);
        for (at, a) in members.iter().enumerate() {
            // A calling ties its first member to the others; the rest ties all to all.
            let others = if kind == TieKind::Calling { at.min(1) } else { at };
            for b in &members[..others] {
                let known = kind != TieKind::Family || rng.chance(FAMILY);
                if known && a != b {
                    edges.push(Edge::new(*a, *b, kind));
                }
            }
        }
    }
    edges
}

/// Each child lives with a couple of its town; children of the same couple are siblings. Relatives are further adults.
fn households(land: Land<'_>, groups: &mut Groups) {
    let people = land.people;
    let seed = land.seed.derive("families", 0);
    let mut adults = by_town(land, |p| !p.band.is_minor());
    for list in &mut adults {
        list.sort_unstable_by(|a, b| {
            people[*a as usize].age.total_cmp(&people[*b as usize].age).then_with(|| a.cmp(b))
        });
    }
    let mut homes = Vec::new();
    for (index, person) in (0_u32..).zip(people) {
        let local = &adults[usize::from(person.town)];
        if !person.band.is_minor() || local.len() < 4 {
            continue;
        }
        let older = |years: f64| local.partition_point(|a| people[*a as usize].age < person.age + years);
        let (from, to) = (older(PARENT[0]), older(PARENT[1]));
        let (from, to) = if to - from < 4 { (0, local.len()) } else { (from, to) };
        let mut rng = seed.derive("child", u64::from(index)).rng();
        // Couples stand at even places, so that siblings meet the same one; both sides are of the right age.
        let (first, end) = (from.div_ceil(2), to / 2);
        let couple = first + rng.below(end - first);
        homes.push((person.town, couple, index));
    }
    homes.sort_unstable();
    for home in homes.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (town, couple, first) = home[0];
        let local = &adults[usize::from(town)];
        let parents = [local[2 * couple], local[2 * couple + 1]];
        let family = || parents.into_iter().chain(home.iter().map(|(_, _, child)| *child));
        groups.push(TieKind::Household, family());
        let mut rng = seed.derive("relatives", u64::from(first)).rng();
        let relatives: Vec<u32> =
            (0..land.spec.graph.relatives).map(|_| local[rng.below(local.len())]).collect();
        groups.push(TieKind::Family, family().chain(relatives));
    }
}

/// One group per calling: the adult first, then the children.
fn callings(land: Land<'_>, groups: &mut Groups) {
    let people = land.people;
    let seed = land.seed.derive("callings", 0);
    let mut children = by_town(land, |p| p.band.is_minor());
    for list in &mut children {
        list.sort_unstable_by(|a, b| {
            people[*a as usize].age.total_cmp(&people[*b as usize].age).then_with(|| a.cmp(b))
        });
    }
    let young = |group: &u32| {
        let first = groups.members(*group).first();
        first.is_some_and(|person| people[*person as usize].band.is_minor())
    };
    let led: Vec<u32> = [TieKind::Class, TieKind::Team]
        .into_iter()
        .flat_map(|kind| groups.of_kind(kind))
        .filter(young)
        .collect();
    let advised = advised(land);
    let [least, most] = land.spec.hard_negatives.children.map(usize::from);
    let mut found = Vec::new();
    for (index, person) in (0_u32..).zip(people) {
        let local = &children[usize::from(person.town)];
        if !matches!(person.role, Calling::TeacherCoach | Calling::YouthWorker) || local.is_empty() {
            continue;
        }
        let mut rng = seed.derive("adult", u64::from(index)).rng();
        let size = least + rng.below(most - least + 1);
        let mut circle = vec![index];
        if person.role == Calling::TeacherCoach {
            circle.extend(led_children(people, groups, &led, local, person.town, size, &mut rng));
        } else {
            circle.extend((0..size).map(|_| local[rng.below(local.len())]));
            let from = advised.partition_point(|(adult, _)| *adult < index);
            circle.extend(advised[from..].iter().take_while(|(a, _)| *a == index).map(|(_, child)| *child));
        }
        found.push(circle);
    }
    for circle in found {
        groups.push(TieKind::Calling, circle);
    }
}

/// The children of classes and teams of the town, or, in a world without such circles, children near one age.
fn led_children(
    people: &[Person],
    groups: &Groups,
    led: &[u32],
    local: &[u32],
    town: u16,
    size: usize,
    rng: &mut CounterRng,
) -> Vec<u32> {
    let mut children = Vec::new();
    for _ in 0..if led.is_empty() { 0 } else { 100 } {
        let group = led[rng.below(led.len())];
        let members = groups.members(group);
        if people[members[0] as usize].town == town && children.len() < size {
            let minors = members.iter().filter(|m| people[**m as usize].band.is_minor());
            children.extend(minors.take(size - children.len()));
        }
    }
    if children.is_empty() {
        let age = 9.0 + 8.0 * rng.uniform();
        let middle = local.partition_point(|child| people[*child as usize].age < age);
        let from = middle.saturating_sub(size / 2).min(local.len().saturating_sub(size));
        children.extend(&local[from..(from + size).min(local.len())]);
    }
    children
}

/// Sorted (youth worker, child who seeks help): each such child turns to one worker of its town.
fn advised(land: Land<'_>) -> Vec<(u32, u32)> {
    let seed = land.seed.derive("advised", 0);
    let workers = by_town(land, |p| p.role == Calling::YouthWorker);
    let mut pairs = Vec::new();
    for (index, person) in (0_u32..).zip(land.people) {
        let local = &workers[usize::from(person.town)];
        if person.role == Calling::HelpSeeking && !local.is_empty() {
            let mut rng = seed.derive("child", u64::from(index)).rng();
            pairs.push((local[rng.below(local.len())], index));
        }
    }
    pairs.sort_unstable();
    pairs
}

fn by_town(land: Land<'_>, keep: impl Fn(&Person) -> bool) -> Vec<Vec<u32>> {
    let mut lists =
        vec![Vec::new(); usize::from(land.spec.population.regions) * usize::from(towns(land.spec.persons))];
    for (index, person) in (0_u32..).zip(land.people) {
        if keep(person) {
            lists[usize::from(person.town)].push(index);
        }
    }
    lists
}
