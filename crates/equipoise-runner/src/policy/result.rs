//! What a factorial shows: counts by cell with paired intervals, effects and interactions, who bears what.

use super::cell::{Burden, COHORT, Cell, CellResult};
use super::file::Experiment;
use equipoise_policy::Privacy;
use equipoise_policy::tandem::{
    Effects, Estimate, Table, difference, jackknife, mean, prevented_variance_ratio,
};
use equipoise_synth::harm_counts::{Harm, WEIGHTINGS};
use equipoise_synth::truth::HarmArchetype;
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that a run writes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) question: String,
    pub(crate) notice: &'static str,
    pub(crate) seeds: usize,
    pub(crate) harmful_accounts: Option<Estimate>,
    pub(crate) measures: Vec<MeasureRow>,
    pub(crate) cells: Vec<CellRow>,
    /// By outcome.
    pub(crate) effects: BTreeMap<String, Effects>,
    /// By outcome: variance of the prevented fraction with independent seeds over that with common random numbers, the median
    /// over cells.
    pub(crate) variance_ratio: BTreeMap<String, Option<f64>>,
    /// Harm moved to platforms without measures over harm taken away on those with them; only where platforms abstain.
    pub(crate) displacement_index: Option<Estimate>,
}

/// A measure with its privacy coordinate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MeasureRow {
    pub(crate) name: String,
    pub(crate) about: Vec<String>,
    pub(crate) privacy: Vec<Privacy>,
}

/// One cell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CellRow {
    pub(crate) measures: Vec<String>,
    pub(crate) staggered: bool,
    /// Counts a world, with intervals over seeds.
    pub(crate) counts: BTreeMap<String, Option<Estimate>>,
    /// Children contacted minus those of the twin without measures.
    pub(crate) children_minus_none: Option<Estimate>,
    /// Prevented fraction of each outcome.
    pub(crate) prevented: BTreeMap<String, Option<Estimate>>,
    /// Prevented fraction of children contacted, by pattern.
    pub(crate) prevented_by_pattern: BTreeMap<String, Option<Estimate>>,
    /// Summed over seeds; groups below the smallest cohort are left out.
    pub(crate) burden: BTreeMap<String, Burden>,
}

const NOTICE: &str = "Synthetic worlds; every rate of a measure is assumed. Intervals are 95 % over paired seeds and say nothing about \
                      assumed parameters. Weights of harm are invented; counts are the headline.";

type Outcome = (&'static str, fn(&CellResult) -> f64);

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn number(count: u64) -> f64 {
    count as f64
}

/// Outcomes that effects are computed for.
const OUTCOMES: [Outcome; 6] = [
    ("children-contacted", |r| number(r.harm.all.children)),
    ("pairs-in-s2-or-later", |r| number(r.harm.all.stages[1])),
    ("pairs-in-s4", |r| number(r.harm.all.stages[3])),
    ("harm-design", |r| r.harm.all.weighted(&WEIGHTINGS[0])),
    ("harm-level", |r| r.harm.all.weighted(&WEIGHTINGS[1])),
    ("harm-late", |r| r.harm.all.weighted(&WEIGHTINGS[2])),
];

/// Counts that are printed by cell.
const COUNTS: [Outcome; 9] = [
    ("children-contacted", |r| number(r.harm.all.children)),
    ("pairs-in-contact", |r| number(r.harm.all.pairs)),
    ("pairs-in-s4", |r| number(r.harm.all.stages[3])),
    ("adverse-reactions", |r| number(r.harm.all.adverse)),
    ("new-accounts", |r| number(r.harm.new_accounts)),
    ("accounts-scored", |r| number(r.reviews.accounts_scored)),
    ("upheld", |r| number(r.reviews.upheld)),
    ("upheld-wrongly", |r| number(r.reviews.upheld_wrongly)),
    ("children-wrongly-restricted", |r| number(r.reviews.upheld_children)),
];

impl Report {
    /// Analyses results, `[seed][cell]`.
    pub(crate) fn of(experiment: &Experiment, cells: &[Cell], played: &[Vec<CellResult>]) -> Self {
        let column = |cell: usize, of: fn(&CellResult) -> f64| {
            played.iter().map(|seed| of(&seed[cell])).collect::<Vec<f64>>()
        };
        let names: Vec<String> = experiment.file.measure.iter().map(|one| one.name.clone()).collect();
        let factorial = 1 << names.len();
        let (mut effects, mut variance) = (BTreeMap::new(), BTreeMap::new());
        for (name, of) in OUTCOMES {
            let values: Vec<Vec<f64>> = (0..factorial).map(|cell| column(cell, of)).collect();
            let ratios = values[1..].iter().filter_map(|row| prevented_variance_ratio(row, &values[0]));
            variance.insert(name.to_owned(), median(ratios.collect()));
            let table = Table { measures: names.clone(), values };
            effects.extend(Effects::of(&table).map(|effects| (name.to_owned(), effects)));
        }
        let about = &experiment.file.experiment;
        let measure = |one: &super::file::Measure| MeasureRow {
            name: one.name.clone(),
            about: one.pools.iter().map(equipoise_policy::PolicySpec::describe).collect(),
            privacy: one.pools.iter().map(equipoise_policy::PolicySpec::privacy).collect(),
        };
        Self {
            name: about.name.clone(),
            question: about.question.clone(),
            notice: NOTICE,
            seeds: played.len(),
            harmful_accounts: mean(&column(0, |r| number(r.harmful_accounts))),
            measures: experiment.file.measure.iter().map(measure).collect(),
            cells: cells.iter().enumerate().map(|(at, cell)| row(&names, *cell, at, played)).collect(),
            effects,
            variance_ratio: variance,
            displacement_index: displacement(experiment, factorial - 1, played),
        }
    }
}

fn row(names: &[String], cell: Cell, at: usize, played: &[Vec<CellResult>]) -> CellRow {
    let column = |cell: usize, of: &dyn Fn(&CellResult) -> f64| {
        played.iter().map(|seed| of(&seed[cell])).collect::<Vec<f64>>()
    };
    let prevented = |of: &dyn Fn(&CellResult) -> f64| {
        jackknife(&[column(0, of), column(at, of)], &|m| (m[0] > 0.0).then(|| 1.0 - m[1] / m[0]))
    };
    let by_pattern = |kind: HarmArchetype| {
        let of = move |r: &CellResult| number(r.harm.archetypes[kind as usize].children);
        (pattern(kind), prevented(&of))
    };
    let mut burden: BTreeMap<String, Burden> = BTreeMap::new();
    for (group, one) in played.iter().flat_map(|seed| &seed[at].burden) {
        add(burden.entry(group.clone()).or_default(), one);
    }
    burden.retain(|_, one| one.accounts >= COHORT);
    let children: fn(&CellResult) -> f64 = |r| number(r.harm.all.children);
    let on = names.iter().enumerate().filter(|(bit, _)| cell.on >> bit & 1 == 1);
    CellRow {
        measures: on.map(|(_, name)| name.clone()).collect(),
        staggered: cell.gap_days > 0,
        counts: COUNTS.iter().map(|(name, of)| ((*name).to_owned(), mean(&column(at, of)))).collect(),
        children_minus_none: difference(&column(at, &children), &column(0, &children)),
        prevented: OUTCOMES.iter().map(|(name, of)| ((*name).to_owned(), prevented(of))).collect(),
        prevented_by_pattern: HarmArchetype::ALL.into_iter().map(by_pattern).collect(),
        burden,
    }
}

/// The name of a pattern in results, as world files spell it.
fn pattern(kind: HarmArchetype) -> String {
    serde_json::to_value(kind).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn add(sum: &mut Burden, one: &Burden) {
    sum.accounts += one.accounts;
    sum.refused += one.refused;
    sum.warned += one.warned;
    sum.held += one.held;
    sum.false_alarms += one.false_alarms;
    sum.prompted_reports += one.prompted_reports;
    sum.reviewed += one.reviewed;
    sum.restricted += one.restricted;
    sum.restricted_days += one.restricted_days;
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The displacement index of all measures: harm on platforms that abstain, against harm on the others.
fn displacement(experiment: &Experiment, all: usize, played: &[Vec<CellResult>]) -> Option<Estimate> {
    let abstains = |at: usize| experiment.file.world.abstain.contains(&experiment.world.platform[at].name);
    let platforms = 0..experiment.world.platform.len();
    if !platforms.clone().any(abstains) {
        return None;
    }
    let harm = |cell: usize, untreated: bool| {
        let of = |seed: &Vec<CellResult>| {
            let here = platforms.clone().filter(|at| abstains(*at) == untreated);
            here.map(|at| Harm::weighted(&seed[cell].harm.platforms[at], &WEIGHTINGS[0])).sum::<f64>()
        };
        played.iter().map(of).collect::<Vec<f64>>()
    };
    let values = [harm(0, true), harm(all, true), harm(0, false), harm(all, false)];
    jackknife(&values, &|m| (m[2] > m[3]).then(|| (m[1] - m[0]) / (m[2] - m[3])))
}
