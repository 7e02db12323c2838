//! Which pseudonym on one platform is which on another, for persons with accounts on both: from a hash without salt (the positive
//! control, which must link everybody), from the features beside each pseudonym, from released scores, whole and rounded, and from
//! scores of identities that were shuffled (the negative control, which must link by chance). A guarantee for training rows does not
//! bear on any of them; the claim beside them says how little it helps.

use super::file::LinkageSection;
use super::model::{Recipe, judged};
use crate::data::WorldData;
use crate::fault::Fault;
use equipoise_attack::{LinkageView, link};
use equipoise_core::{Draw, Params, Seed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one kind of release gave away.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct LinkResult {
    pub(crate) released: String,
    /// Persons asked about.
    pub(crate) asked: u64,
    /// Accounts that each could be.
    pub(crate) among: u64,
    pub(crate) first: f64,
    pub(crate) ten: f64,
    pub(crate) reciprocal_rank: f64,
}

/// Links the two platforms that share most tested persons.
///
/// # Errors
/// If the model does not fit the rows.
pub(super) fn run(
    recipe: &Recipe<'_>,
    params: &Params,
    section: &LinkageSection,
    world: &WorldData,
    seed: Seed,
) -> Result<Vec<LinkResult>, Fault> {
    let (columns, cases, test) = (world.meta.columns.len(), &world.cases, &world.test);
    let nothing = vec![0.0; test.case.len()];
    let scores = judged(&recipe.model, params, columns, &test.values, &nothing)?;
    // Of each case: its last row, and its score at each decision (the last known one where it has none).
    let (mut last, mut odds) = (BTreeMap::new(), BTreeMap::<u32, Vec<f64>>::new());
    let decisions = world.meta.decisions.len();
    for (row, &case) in test.case.iter().enumerate() {
        last.insert(case, row);
        let own = odds.entry(case).or_default();
        own.resize(usize::from(test.decision[row]), own.last().copied().unwrap_or(scores[row].0));
        own.push(scores[row].0);
    }
    odds.values_mut().for_each(|own| own.resize(decisions, own.last().copied().unwrap_or(0.0)));
    let mut held: BTreeMap<u32, BTreeMap<u8, u32>> = BTreeMap::new();
    for &case in last.keys() {
        let (person, platform) = (cases.person[case as usize], cases.platform[case as usize]);
        held.entry(person).or_default().entry(platform).or_insert(case);
    }
    let Some((left, right)) = largest_overlap(&held, world.meta.platforms.len()) else { return Ok(vec![]) };
    let mut both: Vec<(u32, u32, u32)> =
        held.iter().filter_map(|(&person, of)| Some((person, *of.get(&left)?, *of.get(&right)?))).collect();
    let mut rng = seed.derive("linked", 0).rng();
    rng.shuffle(&mut both);
    both.truncate(section.persons);
    if both.len() < 20 {
        return Ok(vec![]);
    }
    let features = |case: u32| -> Vec<f64> {
        let row = last[&case];
        test.values[row * columns..(row + 1) * columns].iter().map(|&value| f64::from(value)).collect()
    };
    let hash = |person: u32| -> Vec<f64> {
        let mut rng = Seed::root(u64::from(person)).derive("unsalted", 0).rng();
        (0..32).map(|_| f64::from(u8::from(rng.chance(0.5)))).collect()
    };
    let rounded = |case: u32| odds[&case].iter().map(|odds| libm::round(*odds)).collect::<Vec<f64>>();
    let whole = |case: u32| odds[&case].clone();
    let mut believed: Vec<usize> = (0..both.len()).collect();
    let truth = believed.clone();
    rng.shuffle(&mut believed);
    let case_of = |side: bool, of: &dyn Fn(u32) -> Vec<f64>| -> Vec<Vec<f64>> {
        both.iter().map(|&(_, a, b)| of(if side { b } else { a })).collect()
    };
    let sides = |of: &dyn Fn(u32) -> Vec<f64>| (case_of(false, of), case_of(true, of));
    let hashes: Vec<Vec<f64>> = both.iter().map(|&(person, _, _)| hash(person)).collect();
    let cells = [
        ("hash without salt (positive control)", (hashes.clone(), hashes), &truth),
        ("features beside keyed pseudonyms", sides(&features), &truth),
        ("scores", sides(&whole), &truth),
        ("scores rounded to whole log-odds", sides(&rounded), &truth),
        ("features, identities shuffled (negative control)", sides(&features), &believed),
    ];
    Ok(cells.into_iter().map(|(released, sides, links)| asked(released, &sides, links, seed)).collect())
}

fn asked(released: &str, sides: &(Vec<Vec<f64>>, Vec<Vec<f64>>), links: &[usize], seed: Seed) -> LinkResult {
    // The second platform's accounts stand in an order of their own.
    let mut order: Vec<usize> = (0..links.len()).collect();
    seed.derive("order", 0).rng().shuffle(&mut order);
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, &who)| place[who] = at);
    let right: Vec<Vec<f64>> = order.iter().map(|&who| sides.1[who].clone()).collect();
    let pairs: Vec<(usize, usize)> = links.iter().enumerate().map(|(a, &b)| (a, place[b])).collect();
    let (known, rest) = pairs.split_at(pairs.len() / 2);
    let found = link(&LinkageView { left: &sides.0, right: &right, known }, rest);
    LinkResult {
        released: released.to_owned(),
        asked: rest.len() as u64,
        among: right.len() as u64,
        first: found.first,
        ten: found.ten,
        reciprocal_rank: found.reciprocal_rank,
    }
}

fn largest_overlap(held: &BTreeMap<u32, BTreeMap<u8, u32>>, platforms: usize) -> Option<(u8, u8)> {
    let platforms = u8::try_from(platforms).unwrap_or(u8::MAX);
    let pairs = (0..platforms).flat_map(|a| (a + 1..platforms).map(move |b| (a, b)));
    let shared = |pair: &(u8, u8)| {
        held.values().filter(|of| of.contains_key(&pair.0) && of.contains_key(&pair.1)).count()
    };
    pairs.max_by_key(|pair| (shared(pair), std::cmp::Reverse(*pair))).filter(|pair| shared(pair) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controls_link_everybody_and_nobody() {
        let hash = |who: usize| -> Vec<f64> {
            let mut rng = Seed::root(who as u64).rng();
            (0..32).map(|_| f64::from(u8::from(rng.chance(0.5)))).collect()
        };
        let all: Vec<Vec<f64>> = (0..400).map(hash).collect();
        let truth: Vec<usize> = (0..400).collect();
        let mut shuffled = truth.clone();
        Seed::root(9).rng().shuffle(&mut shuffled);
        let sides = (all.clone(), all);
        assert!(asked("a", &sides, &truth, Seed::root(1)).first > 1.0 - 1e-9);
        // 200 asked at one in 400: four or more with probability below 0.2 %.
        assert!(asked("b", &sides, &shuffled, Seed::root(1)).first < 4.0 / 200.0);
    }
}
