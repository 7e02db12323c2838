//! One cell of the result: its counts with intervals, what it prevents, whom it costs what, and what was revealed for it.

use super::cell::{Burden, COHORT, Cell, CellResult};
use super::detection::{self, BINS, Detected};
use super::file::Experiment;
use super::result::{OUTCOMES, Outcome, Played, column, number};
use equipoise_core::SimTime;
use equipoise_policy::tandem::{Estimate, difference, jackknife, mean};
use equipoise_synth::truth::HarmArchetype;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One cell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CellRow {
    /// Place of its value among the points.
    pub(crate) point: usize,
    pub(crate) measures: Vec<String>,
    pub(crate) staggered: bool,
    /// Counts a world, with intervals over seeds.
    pub(crate) counts: BTreeMap<String, Option<Estimate>>,
    /// Shares and ratios, with intervals over seeds.
    pub(crate) rates: BTreeMap<String, Option<Estimate>>,
    /// Children contacted minus those of the twin without measures.
    pub(crate) children_minus_none: Option<Estimate>,
    /// Children contacted minus those of the same measures at the axis' first value; only with an axis.
    pub(crate) children_minus_first: Option<Estimate>,
    /// Share identified minus that at the axis' first value; likewise.
    pub(crate) recall_minus_first: Option<Estimate>,
    /// Prevented fraction of each outcome.
    pub(crate) prevented: BTreeMap<String, Option<Estimate>>,
    /// Prevented fraction of children contacted, by pattern.
    pub(crate) prevented_by_pattern: BTreeMap<String, Option<Estimate>>,
    /// Share of accounts with the pattern that a review identified.
    pub(crate) recall_by_pattern: BTreeMap<String, Option<Estimate>>,
    /// Summed over seeds; groups below the smallest cohort are left out.
    pub(crate) burden: BTreeMap<String, Burden>,
    /// How uneven wrong restriction is, by role, age and gender.
    pub(crate) uneven: BTreeMap<String, Uneven>,
    /// Figures of its detection; none where nothing is reviewed.
    pub(crate) detection: Option<Detection>,
}

impl CellRow {
    /// What it is called where there are so many measures.
    pub(crate) fn name(&self, of: usize) -> String {
        let measures = match self.measures.len() {
            0 => "none".to_owned(),
            // All of more than two; two are read faster than looked up.
            all if all == of && of > 2 => "all measures".to_owned(),
            _ => self.measures.join(" + "),
        };
        if self.staggered { format!("{measures}, one after the other") } else { measures }
    }
}

/// Wrong restriction over the groups of one kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Uneven {
    /// Days of wrong restriction for each 10,000 account days, by group.
    pub(crate) days: BTreeMap<String, Option<Estimate>>,
    /// The group with the highest rate, and with the lowest.
    pub(crate) most: String,
    pub(crate) least: String,
    /// Highest over lowest; none where the lowest is 0.
    pub(crate) ratio: Option<Estimate>,
}

/// What figures of detection show.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Detection {
    /// `(days, share identified, low, high)`: over accounts of all seeds, with a pointwise 95 % interval over seeds.
    pub(crate) curve: Vec<(f64, f64, f64, f64)>,
    /// `(children, share of accounts that contacted at most so many, low, high)` before identification or the end: as `curve`.
    pub(crate) children: Vec<(u32, f64, f64, f64)>,
    /// Share of accounts by the highest stage at identification, 0 to 5, and never.
    pub(crate) stages: Vec<Option<Estimate>>,
    /// `(mean score, share with a pattern, low, high, accounts)` by bin of the highest score; pooled over seeds.
    pub(crate) reliability: Vec<(f64, f64, f64, f64, u64)>,
    /// Accounts with a pattern, all seeds.
    pub(crate) accounts: u64,
}

/// Counts that are printed by cell.
const COUNTS: [Outcome; 18] = [
    ("children-contacted", |r| number(r.harm.all.children)),
    ("pairs-in-contact", |r| number(r.harm.all.pairs)),
    ("pairs-in-s4", |r| number(r.harm.all.stages[3])),
    ("adverse-reactions", |r| number(r.harm.all.adverse)),
    ("new-accounts", |r| number(r.harm.new_accounts)),
    ("accounts-scored", |r| number(r.reviews.accounts_scored)),
    ("reviews", |r| number(r.reviews.reviews + r.reviews.signal_reviews)),
    ("upheld", |r| number(r.reviews.upheld)),
    ("upheld-wrongly", |r| number(r.reviews.upheld_wrongly)),
    ("children-wrongly-restricted", |r| number(r.reviews.upheld_children)),
    ("identified", identified),
    ("tokens-told", |r| number(r.reviews.signals)),
    ("tokens-told-wrongly", |r| number(r.reviews.signals_wrongly)),
    ("pseudonyms", |r| number(r.revealed.pseudonyms)),
    ("values-opened", |r| number(r.revealed.openings)),
    ("scores-read-by-a-server", |r| number(r.revealed.scores_read)),
    ("model-updates", |r| number(r.revealed.updates)),
    ("models-trained-again", |r| number(r.revealed.retrained)),
];

fn identified(r: &CellResult) -> f64 {
    number(r.detected.iter().filter(|one| one.is_identified()).count() as u64)
}

/// Ratios of two counts: the mean of one over the mean of the other.
const RATES: [(&str, Ratio, Ratio); 5] = [
    ("recall", identified, |r| number(r.harmful_accounts)),
    (
        "precision-of-reviews",
        |r| number(r.reviews.upheld - r.reviews.upheld_wrongly),
        |r| number(r.reviews.reviews + r.reviews.signal_reviews),
    ),
    (
        "children-wrongly-restricted-per-upheld",
        |r| number(r.reviews.upheld_children),
        |r| number(r.reviews.upheld),
    ),
    ("wrongly-restricted-per-upheld", |r| number(r.reviews.upheld_wrongly), |r| number(r.reviews.upheld)),
    ("accounts-scored-per-upheld", |r| number(r.reviews.accounts_scored), |r| number(r.reviews.upheld)),
];

type Ratio = fn(&CellResult) -> f64;

fn ratio(a: Vec<f64>, b: Vec<f64>) -> Option<Estimate> {
    jackknife(&[a, b], &|m| (m[1] > 0.0).then(|| m[0] / m[1]))
}

/// All cells, in order.
pub(super) fn rows(
    experiment: &Experiment,
    names: &[String],
    cells: &[Cell],
    played: &Played,
) -> Vec<CellRow> {
    cells.iter().enumerate().map(|(at, cell)| row(experiment, names, (at, *cell), cells, played)).collect()
}

fn row(
    experiment: &Experiment,
    names: &[String],
    (at, cell): (usize, Cell),
    cells: &[Cell],
    played: &Played,
) -> CellRow {
    let none = cells.iter().position(|other| other.point == cell.point && other.on == 0).unwrap_or(0);
    let of_cell = |of: &dyn Fn(&CellResult) -> f64| column(played, at, of);
    let prevented = |of: &dyn Fn(&CellResult) -> f64| {
        jackknife(&[column(played, none, of), of_cell(of)], &|m| (m[0] > 0.0).then(|| 1.0 - m[1] / m[0]))
    };
    let by_pattern = |kind: HarmArchetype| {
        let of = move |r: &CellResult| number(r.harm.archetypes[kind as usize].children);
        (pattern(kind), prevented(&of))
    };
    let recall = |kind: HarmArchetype| {
        let of = move |found: bool| {
            move |r: &CellResult| {
                let own = |one: &&Detected| one.pattern == kind as u8 && (!found || one.is_identified());
                number(r.detected.iter().filter(own).count() as u64)
            }
        };
        (pattern(kind), ratio(of_cell(&of(true)), of_cell(&of(false))))
    };
    let mut burden: BTreeMap<String, Burden> = BTreeMap::new();
    for (group, one) in played.iter().flat_map(|seed| &seed[at].burden) {
        add(burden.entry(group.clone()).or_default(), one);
    }
    burden.retain(|_, one| one.accounts >= COHORT);
    let children: fn(&CellResult) -> f64 = |r| number(r.harm.all.children);
    let share: fn(&CellResult) -> f64 = |r| identified(r) / number(r.harmful_accounts.max(1));
    let same = |other: &Cell| other.point == 0 && (other.on, other.gap_days) == (cell.on, cell.gap_days);
    let first = experiment.file.vary.as_ref().and_then(|_| cells.iter().position(same));
    let on = names.iter().enumerate().filter(|(bit, _)| cell.on >> bit & 1 == 1);
    let days = f64::from(experiment.world.days);
    let kinds: [(&str, Groups); 3] =
        [("role", |r| &r.burden), ("age", |r| &r.burden_by_age), ("gender", |r| &r.burden_by_gender)];
    let file = &experiment.points[cell.point].file;
    CellRow {
        point: cell.point,
        measures: on.map(|(_, name)| name.clone()).collect(),
        staggered: cell.gap_days > 0,
        counts: COUNTS.iter().map(|(name, of)| ((*name).to_owned(), mean(&of_cell(of)))).collect(),
        rates: RATES.iter().map(|(name, a, b)| ((*name).to_owned(), ratio(of_cell(a), of_cell(b)))).collect(),
        children_minus_none: difference(&of_cell(&children), &column(played, none, &children)),
        children_minus_first: first
            .and_then(|first| difference(&of_cell(&children), &column(played, first, &children))),
        recall_minus_first: first
            .and_then(|first| difference(&of_cell(&share), &column(played, first, &share))),
        prevented: OUTCOMES.iter().map(|(name, of)| ((*name).to_owned(), prevented(of))).collect(),
        prevented_by_pattern: HarmArchetype::ALL.into_iter().map(by_pattern).collect(),
        recall_by_pattern: HarmArchetype::ALL.into_iter().map(recall).collect(),
        burden,
        uneven: kinds
            .into_iter()
            .filter_map(|(kind, of)| Some((kind.to_owned(), uneven(played, at, of, days)?)))
            .collect(),
        detection: cell.reviews(file).then(|| detection(experiment, at, played)),
    }
}

type Groups = fn(&CellResult) -> &BTreeMap<String, Burden>;

/// Wrong restriction by group: days for each 10,000 account days, over groups of at least the smallest cohort.
fn uneven(played: &Played, at: usize, of: Groups, days: f64) -> Option<Uneven> {
    let mut accounts: BTreeMap<&str, u64> = BTreeMap::new();
    for (group, one) in played.iter().flat_map(|seed| of(&seed[at])) {
        *accounts.entry(group).or_default() += one.accounts;
    }
    let groups: Vec<&str> =
        accounts.into_iter().filter(|(_, count)| *count >= COHORT).map(|(group, _)| group).collect();
    let by = |value: fn(&Burden) -> f64| -> Vec<Vec<f64>> {
        groups
            .iter()
            .map(|group| column(played, at, &|r: &CellResult| of(r).get(*group).map_or(0.0, value)))
            .collect()
    };
    let (restricted, held) = (by(|one| one.restricted_days), by(|one| number(one.accounts)));
    rates_of(&groups, &restricted, &held, days)
}

/// The same from columns, `[group][seed]`.
fn rates_of(groups: &[&str], restricted: &[Vec<f64>], accounts: &[Vec<f64>], days: f64) -> Option<Uneven> {
    let rate =
        |restricted: f64, accounts: f64| (accounts > 0.0).then(|| restricted / (accounts * days) * 10_000.0);
    let values: Vec<(String, Option<Estimate>)> = groups
        .iter()
        .zip(restricted.iter().zip(accounts))
        .map(|(group, (a, b))| {
            ((*group).to_owned(), jackknife(&[a.clone(), b.clone()], &|m| rate(m[0], m[1])))
        })
        .collect();
    let known = || values.iter().filter_map(|(group, estimate)| Some((group, estimate.as_ref()?.value)));
    if known().count() < 2 {
        return None;
    }
    let most = known().max_by(|a, b| a.1.total_cmp(&b.1))?.0.clone();
    let least = known().min_by(|a, b| a.1.total_cmp(&b.1))?.0.clone();
    let columns: Vec<Vec<f64>> = restricted.iter().chain(accounts).cloned().collect();
    let spread = |m: &[f64]| {
        let rates = (0..groups.len()).filter_map(|at| rate(m[at], m[groups.len() + at]));
        let (low, high) =
            rates.fold((f64::INFINITY, 0.0_f64), |(low, high), rate| (low.min(rate), high.max(rate)));
        (low > 0.0 && low.is_finite()).then(|| libm::log(high / low))
    };
    // On the logarithm, so that its interval is one of ratios.
    let ratio = jackknife(&columns, &spread).map(|e| Estimate {
        value: libm::exp(e.value),
        low: libm::exp(e.low),
        high: libm::exp(e.high),
        p: e.p,
    });
    Some(Uneven { ratio, days: values.into_iter().collect(), most, least })
}

/// Points of a curve at which its interval is given.
const CURVE_POINTS: u16 = 60;

/// A share over all accounts with half the width of its mean's interval over seeds on either side, within 0 and 1.
fn around(share: f64, seeds: &[f64]) -> (f64, f64, f64) {
    let half = mean(seeds).map_or(0.0, |e| (e.high - e.low) / 2.0);
    (share, (share - half).max(0.0), (share + half).min(1.0))
}

fn detection(experiment: &Experiment, at: usize, played: &Played) -> Detection {
    let end = SimTime::from_days(i32::from(experiment.world.days));
    let all = || played.iter().flat_map(|seed| &seed[at].detected);
    let pooled = detection::curve(all(), end);
    let by_seed: Vec<_> = played.iter().map(|seed| detection::curve(seed[at].detected.iter(), end)).collect();
    let value = |curve: &[equipoise_eval::StepPoint], days: f64| {
        curve.iter().take_while(|point| point.days <= days).last().map_or(0.0, |point| point.value)
    };
    let point = |step: u16| {
        let days = f64::from(step) * f64::from(experiment.world.days) / f64::from(CURVE_POINTS);
        let seeds: Vec<f64> = by_seed.iter().map(|curve| value(curve, days)).collect();
        let (middle, low, high) = around(value(&pooled, days), &seeds);
        (days, middle, low, high)
    };
    let accounts = all().count() as u64;
    let counts: BTreeSet<u32> = all().map(|one| one.children).collect();
    let share = |of: &[Detected], most: u32| {
        let few = of.iter().filter(|one| one.children <= most).count() as u64;
        number(few) / number((of.len() as u64).max(1))
    };
    let ecdf = counts.into_iter().map(|most| {
        let seeds: Vec<f64> = played.iter().map(|seed| share(&seed[at].detected, most)).collect();
        let few = all().filter(|one| one.children <= most).count() as u64;
        let (middle, low, high) = around(number(few) / number(accounts.max(1)), &seeds);
        (most, middle, low, high)
    });
    let stage = |wanted: u8| {
        let of =
            move |r: &CellResult| number(r.detected.iter().filter(|one| one.stage == wanted).count() as u64);
        ratio(column(played, at, &of), column(played, at, &|r| number(r.detected.len() as u64)))
    };
    let bins = (0..BINS.len()).filter_map(|bin| {
        let of_bin = played.iter().filter_map(|seed| seed[at].scores.bins.get(bin));
        let (all, with, sum) =
            of_bin.fold((0, 0, 0.0), |total, one| (total.0 + one.0, total.1 + one.1, total.2 + one.2));
        let (low, high) = equipoise_eval::stats::wilson(with, all, 0.95)?;
        (all >= COHORT).then(|| (sum / number(all), number(with) / number(all), low, high, all))
    });
    Detection {
        curve: (0..=CURVE_POINTS).map(point).collect(),
        children: ecdf.collect(),
        stages: (0..6).chain([u8::MAX]).map(stage).collect(),
        reliability: bins.collect(),
        accounts,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares .2, .4 and .6: the mean's t interval over three seeds is .4 plus and minus 4.3027 x .2 / sqrt(3) = .4968.
    #[test]
    fn a_band_is_as_wide_as_the_interval_over_seeds_and_stays_a_share() {
        let (middle, low, high) = around(0.5, &[0.2, 0.4, 0.6]);
        assert!((middle - 0.5).abs() < 1e-12 && (low - 0.0032).abs() < 1e-4 && (high - 0.9968).abs() < 1e-4);
        assert!((around(0.9, &[0.2, 0.4, 0.6]).2 - 1.0).abs() < 1e-12);
    }

    /// 100 accounts with 18 days of restriction over 180 days, and 200 accounts with 9: 10 and 2.5 days for 10,000 account days.
    #[test]
    fn the_uneven_burden_of_two_groups_by_hand() {
        let of = |value: f64| vec![value; 3];
        let uneven = rates_of(&["a", "b"], &[of(18.0), of(9.0)], &[of(100.0), of(200.0)], 180.0).unwrap();
        assert!((uneven.days["a"].unwrap().value - 10.0).abs() < 1e-9);
        assert!((uneven.days["b"].unwrap().value - 2.5).abs() < 1e-9);
        assert_eq!((uneven.most.as_str(), uneven.least.as_str()), ("a", "b"));
        assert!((uneven.ratio.unwrap().value - 4.0).abs() < 1e-9);
        let spared = rates_of(&["a", "b"], &[of(18.0), of(0.0)], &[of(100.0), of(200.0)], 180.0).unwrap();
        assert!(spared.ratio.is_none() && spared.least == "b", "a ratio over nothing is no number");
        assert!(rates_of(&["a"], &[of(1.0)], &[of(100.0)], 180.0).is_none());
    }
}
