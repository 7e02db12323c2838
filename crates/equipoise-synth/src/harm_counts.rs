//! TRUTH. What one run did to children, in counts, for the comparison of a world with its counterfactual twin.
//!
//! The unit is a pair of an actor (a person, so that a new account is not a new offender) and a child, over all platforms.
//! Headlines are counts: children contacted, pairs that entered a stage. The weighted sum stands beside them: its weights are
//! invented (design 4), never money, and three sets are always shown. S4 counts as not entered by a pair whose every
//! sensitive medium was stopped by a filter; that is a definition, and the counts say how often it bit.

use crate::Outcome;
use crate::truth::{HarmArchetype, Truth};
use equipoise_core::{AgeBand, PersonId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Weights of entering S1 to S5, and of an adverse reaction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weighting {
    /// Its name in results.
    pub name: &'static str,
    /// By stage.
    pub stages: [f64; 5],
    /// Of one adverse reaction.
    pub adverse: f64,
}

/// The three sets: as in the design, every stage alike, and the late stages alone. All invented.
pub const WEIGHTINGS: [Weighting; 3] = [
    Weighting { name: "design", stages: [0.05, 0.15, 0.4, 1.0, 1.5], adverse: 0.4 },
    Weighting { name: "level", stages: [0.2, 0.2, 0.2, 0.2, 0.2], adverse: 0.2 },
    Weighting { name: "late", stages: [0.0, 0.0, 0.0, 1.0, 1.0], adverse: 1.0 },
];

/// Counts over some pairs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Harm {
    /// Different children contacted.
    pub children: u64,
    /// Different (actor, child) pairs in contact.
    pub pairs: u64,
    /// Pairs that entered each of S1 to S5.
    pub stages: [u64; 5],
    /// Pairs of those in S4 that are not counted there since a filter stopped everything.
    pub filtered: u64,
    /// Adverse reactions.
    pub adverse: u64,
}

impl Harm {
    /// The weighted sum.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn weighted(&self, weights: &Weighting) -> f64 {
        let stages: f64 =
            self.stages.iter().zip(weights.stages).map(|(count, weight)| *count as f64 * weight).sum();
        stages + self.adverse as f64 * weights.adverse
    }
}

/// What one run did to children.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HarmCounts {
    /// Over the whole world.
    pub all: Harm,
    /// By the actor's pattern, in the order of [`HarmArchetype::ALL`]. A child may stand in several.
    pub archetypes: [Harm; 5],
    /// By platform; a pair that met on two stands in both.
    pub platforms: Vec<Harm>,
    /// Children contacted by true age band (under 13, 13 to 15, 16 and 17) and gender (boys, girls).
    pub children_by: [[u64; 2]; 3],
    /// Actors who contacted a child.
    pub actors: u64,
    /// Spare accounts that actors made.
    pub new_accounts: u64,
}

/// Pairs in contact, those in each stage, adverse reactions.
#[derive(Default)]
struct Sets {
    pairs: Vec<(PersonId, PersonId)>,
    stages: [Vec<(PersonId, PersonId)>; 5],
    adverse: u64,
}

/// Puts a list in order, each entry once.
fn distinct<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

impl Sets {
    /// Each pair once.
    fn distinct(self) -> Self {
        Self { pairs: distinct(self.pairs), stages: self.stages.map(distinct), adverse: self.adverse }
    }

    /// Counts; `self` is distinct.
    fn harm(&self, filtered: &BTreeSet<(PersonId, PersonId)>) -> Harm {
        let children = distinct(self.pairs.iter().map(|(_, child)| *child).collect());
        let bitten = self.stages[3].iter().filter(|pair| filtered.contains(pair)).count() as u64;
        let mut stages: [u64; 5] = std::array::from_fn(|at| self.stages[at].len() as u64);
        stages[3] -= bitten;
        let (children, pairs) = (children.len() as u64, self.pairs.len() as u64);
        Harm { children, pairs, stages, filtered: bitten, adverse: self.adverse }
    }
}

impl HarmCounts {
    /// Counts a finished run.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let truth = &outcome.truth;
        let mut platforms: Vec<Sets> = truth.platforms.iter().map(|_| Sets::default()).collect();
        let mut archetypes: [Sets; 5] = std::array::from_fn(|_| Sets::default());
        let mut all = Sets::default();
        for (number, platform) in truth.platforms.iter().enumerate() {
            for account in &platform.accounts {
                let Some(kind) = account.harmful else { continue };
                for (_, child) in &account.contacts {
                    let pair = (account.person, *child);
                    for sets in [&mut all, &mut archetypes[kind as usize], &mut platforms[number]] {
                        sets.pairs.push(pair);
                    }
                }
            }
            for stage in &platform.stages {
                let account = &platform.accounts[stage.account.index()];
                let Some(kind) = account.harmful else { continue };
                let pair = (account.person, stage.child);
                for sets in [&mut all, &mut archetypes[kind as usize], &mut platforms[number]] {
                    sets.stages[usize::from(stage.stage) - 1].push(pair);
                }
            }
        }
        for event in &truth.adverse {
            let account = truth.account(event.account.platform, event.account.account);
            all.adverse += 1;
            platforms[event.account.platform.index()].adverse += 1;
            if let Some(kind) = account.harmful {
                archetypes[kind as usize].adverse += 1;
            }
        }
        let (all, archetypes) = (all.distinct(), archetypes.map(Sets::distinct));
        let platforms: Vec<Sets> = platforms.into_iter().map(Sets::distinct).collect();
        let filtered = filtered(truth);
        let mut children_by = [[0; 2]; 3];
        for child in distinct(all.pairs.iter().map(|(_, child)| *child).collect()) {
            let person = &truth.persons[child.index()];
            if person.band != AgeBand::Adult {
                children_by[person.band as usize][usize::from(person.girl)] += 1;
            }
        }
        Self {
            all: all.harm(&filtered),
            archetypes: HarmArchetype::ALL.map(|kind| archetypes[kind as usize].harm(&filtered)),
            platforms: platforms.iter().map(|sets| sets.harm(&filtered)).collect(),
            children_by,
            actors: distinct(all.pairs.iter().map(|(actor, _)| *actor).collect()).len() as u64,
            new_accounts: outcome.made.len() as u64,
        }
    }
}

/// Pairs that met a filter and whose every sensitive medium was stopped.
fn filtered(truth: &Truth) -> BTreeSet<(PersonId, PersonId)> {
    let mut met: BTreeMap<(PersonId, PersonId), (u32, u32)> = BTreeMap::new();
    for dyad in &truth.screened {
        let person = truth.account(dyad.account.platform, dyad.account.account).person;
        let sums = met.entry((person, dyad.child)).or_default();
        sums.0 += dyad.passed;
        sums.1 += dyad.stopped;
    }
    met.into_iter()
        .filter(|(_, (passed, stopped))| *passed == 0 && *stopped > 0)
        .map(|(pair, _)| pair)
        .collect()
}
