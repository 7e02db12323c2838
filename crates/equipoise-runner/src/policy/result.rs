//! What a factorial shows: counts by cell with paired intervals, effects and interactions, by value of the axis where there is one.

use super::cell::{Cell, CellResult};
use super::file::{Experiment, Part, PolicyFile};
use super::row::{self, CellRow};
use super::uncertainty::Spread;
use equipoise_policy::Privacy;
use equipoise_policy::tandem::{Effects, Estimate, Table, half, jackknife, mean, prevented_variance_ratio};
use equipoise_synth::harm_counts::{Harm, WEIGHTINGS};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that a run writes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) question: String,
    pub(crate) notice: &'static str,
    pub(crate) seeds: usize,
    pub(crate) persons: u32,
    pub(crate) days: u16,
    pub(crate) harmful_accounts: Option<Estimate>,
    pub(crate) measures: Vec<MeasureRow>,
    /// What the axis is called; none without one.
    pub(crate) axis: Option<String>,
    /// One for each value of the axis; one without an axis.
    pub(crate) points: Vec<PointRow>,
    /// Cells by value, then by measures.
    pub(crate) cells: Vec<CellRow>,
    /// What the played part of the factorial cannot tell apart; none where all of it is played.
    pub(crate) aliases: Option<half::Aliases>,
    /// How much rests on assumed rates; none where none was drawn.
    pub(crate) uncertainty: Option<Spread>,
}

/// What measures do together at one value of the axis.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PointRow {
    /// The value's name.
    pub(crate) value: Option<String>,
    /// The value as a number, if it is one.
    pub(crate) number: Option<f64>,
    /// What orders the queue.
    pub(crate) score: String,
    /// By outcome.
    pub(crate) effects: BTreeMap<String, Effects>,
    /// By outcome: variance of the prevented fraction with independent seeds over that with common random numbers, the median
    /// over cells.
    pub(crate) variance_ratio: BTreeMap<String, Option<f64>>,
    /// Harm moved to platforms without measures over harm taken away on those with them; only where platforms abstain.
    pub(crate) displacement_index: Option<Estimate>,
    /// Children contacted when measures come one after the other, minus those when they come together; only with that cell.
    pub(crate) staggered_minus_together: Option<Estimate>,
}

/// A measure with its privacy coordinate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MeasureRow {
    pub(crate) name: String,
    pub(crate) about: Vec<String>,
    pub(crate) privacy: Vec<Privacy>,
}

const NOTICE: &str = "Synthetic worlds; every rate of a measure is assumed. Intervals are 95 % over paired seeds and say nothing about \
                      assumed parameters. Weights of harm are invented; counts are the headline.";

pub(super) type Outcome = (&'static str, fn(&CellResult) -> f64);

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}

/// Outcomes that effects are computed for.
pub(super) const OUTCOMES: [Outcome; 6] = [
    ("children-contacted", |r| number(r.harm.all.children)),
    ("pairs-in-s2-or-later", |r| number(r.harm.all.stages[1])),
    ("pairs-in-s4", |r| number(r.harm.all.stages[3])),
    ("harm-design", |r| r.harm.all.weighted(&WEIGHTINGS[0])),
    ("harm-level", |r| r.harm.all.weighted(&WEIGHTINGS[1])),
    ("harm-late", |r| r.harm.all.weighted(&WEIGHTINGS[2])),
];

/// Results of one seed, cell by cell.
pub(super) type Played = [Vec<CellResult>];

/// A number of one cell, by seed.
pub(super) fn column(played: &Played, cell: usize, of: &dyn Fn(&CellResult) -> f64) -> Vec<f64> {
    played.iter().map(|seed| of(&seed[cell])).collect()
}

impl Report {
    /// Analyses results, `[seed][cell]`.
    pub(crate) fn of(
        experiment: &Experiment,
        id: String,
        cells: &[Cell],
        played: &Played,
        uncertainty: Option<Spread>,
    ) -> Self {
        let about = &experiment.file.experiment;
        let names: Vec<String> = experiment.file.measure.iter().map(|one| one.name.clone()).collect();
        let measure = |one: &super::file::Measure| MeasureRow {
            name: one.name.clone(),
            about: one.pools.iter().map(equipoise_policy::PolicySpec::describe).collect(),
            privacy: one.pools.iter().map(equipoise_policy::PolicySpec::privacy).collect(),
        };
        let points = 0..experiment.points.len();
        let rows = row::rows(experiment, &names, cells, played);
        Self {
            name: about.name.clone(),
            id,
            question: about.question.clone(),
            notice: NOTICE,
            seeds: played.len(),
            persons: experiment.world.persons,
            days: experiment.world.days,
            harmful_accounts: mean(&column(played, 0, &|r| number(r.harmful_accounts))),
            measures: experiment.file.measure.iter().map(measure).collect(),
            axis: experiment.file.vary.as_ref().map(|vary| vary.about.clone()),
            points: points.map(|at| point(experiment, &names, (at, cells), played)).collect(),
            cells: rows,
            aliases: (about.fraction == Some(Part::Half)).then(|| half::aliases(&names)),
            uncertainty,
        }
    }
}

fn point(
    experiment: &Experiment,
    names: &[String],
    (at, cells): (usize, &[Cell]),
    played: &Played,
) -> PointRow {
    let own: Vec<usize> =
        (0..cells.len()).filter(|place| cells[*place].point == at && cells[*place].gap_days == 0).collect();
    let (mut effects, mut variance) = (BTreeMap::new(), BTreeMap::new());
    for (name, of) in OUTCOMES {
        let values: Vec<Vec<f64>> = own.iter().map(|cell| column(played, *cell, &of)).collect();
        let ratios = values[1..].iter().filter_map(|row| prevented_variance_ratio(row, &values[0]));
        variance.insert(name.to_owned(), median(ratios.collect()));
        let found = match experiment.file.experiment.fraction {
            Some(Part::Half) => half::effects(names, &values),
            None => Effects::of(&Table { measures: names.to_vec(), values }),
        };
        effects.extend(found.map(|effects| (name.to_owned(), effects)));
    }
    let (none, all) = (own[0], own[own.len() - 1]);
    let staggered = cells.iter().position(|cell| cell.point == at && cell.gap_days > 0);
    let children = |cell: usize| column(played, cell, &|r| number(r.harm.all.children));
    let of = &experiment.points[at];
    PointRow {
        value: of.name.clone(),
        number: of.number,
        score: score_words(&of.file),
        effects,
        variance_ratio: variance,
        displacement_index: displacement(experiment, (none, all), played),
        staggered_minus_together: staggered
            .and_then(|late| equipoise_policy::tandem::difference(&children(late), &children(all))),
    }
}

/// What orders the queue, in words.
fn score_words(file: &PolicyFile) -> String {
    use super::learner::{Labels, Retrain};
    use super::score::ScoreSection;
    match &file.score {
        None | Some(ScoreSection::Rule {}) => "the public rule".to_owned(),
        Some(ScoreSection::Model(model)) => {
            let again = match model.retrain {
                Retrain::Never {} => "never trained again".to_owned(),
                Retrain::Every { days, labels } => {
                    let labels = match labels {
                        Labels::Reviewed => "own reviews",
                        Labels::Known => "what platforms know without the model",
                        Labels::Both => "own reviews and what platforms know without the model",
                        Labels::Truth => "the truth (an oracle)",
                    };
                    format!("trained again every {days} days on labels from {labels}")
                }
            };
            format!("the model of `{}`, {again}", model.arm.id())
        }
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The displacement index of all measures: harm on platforms that abstain, against harm on the others.
fn displacement(experiment: &Experiment, cells: (usize, usize), played: &Played) -> Option<Estimate> {
    let names = experiment.world.platform.iter().map(|platform| &platform.name);
    let abstains: Vec<bool> = names.map(|name| experiment.file.world.abstain.contains(name)).collect();
    if !abstains.contains(&true) {
        return None;
    }
    let harm = |cell: usize, untreated: bool| {
        column(played, cell, &|r| {
            let here = abstains.iter().zip(&r.harm.platforms).filter(|(abstains, _)| **abstains == untreated);
            here.map(|(_, harm)| Harm::weighted(harm, &WEIGHTINGS[0])).sum::<f64>()
        })
    };
    displacement_index(
        &harm(cells.0, true),
        &harm(cells.1, true),
        &harm(cells.0, false),
        &harm(cells.1, false),
    )
}

/// `(untreated with - untreated without) / (treated without - treated with)`, by seed; `None` where measures take no harm away.
fn displacement_index(
    untreated_before: &[f64],
    untreated: &[f64],
    treated_before: &[f64],
    treated: &[f64],
) -> Option<Estimate> {
    let values = [untreated_before, untreated, treated_before, treated].map(<[f64]>::to_vec);
    jackknife(&values, &|m| (m[2] > m[3]).then(|| (m[1] - m[0]) / (m[2] - m[3])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On treated platforms 100 becomes 60, on the others 50 becomes 58: of 40 taken away 8 turn up elsewhere.
    #[test]
    fn the_displacement_index_by_hand() {
        let by = |value: f64| vec![0.9 * value, value, 1.1 * value];
        let index = displacement_index(&by(50.0), &by(58.0), &by(100.0), &by(60.0)).unwrap();
        assert!([index.value, index.low, index.high].iter().all(|v| (v - 0.2).abs() < 1e-9), "{index:?}");
        let less = displacement_index(&by(50.0), &by(45.0), &by(100.0), &by(60.0)).unwrap();
        assert!(less.value < 0.0, "harm may fall elsewhere too");
        assert!(displacement_index(&by(50.0), &by(58.0), &by(100.0), &by(100.0)).is_none());
    }
}
