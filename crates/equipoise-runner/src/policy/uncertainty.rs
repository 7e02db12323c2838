//! How much rests on rates that were assumed: points drawn by Latin hypercube (McKay, Beckman and Conover 1979) over their ranges,
//! each played on paired worlds of its own rates, beside the error that chance of a world leaves at the file's values.
//!
//! The two are never added up: the interval over seeds shrinks with seeds, the spread over points does not. That a rate lies in its
//! range, and that rates are independent, is assumed too.

use super::axis::{may_move, set_all};
use super::file::PolicyFile;
use equipoise_core::{Draw, Seed};
use equipoise_policy::tandem::{Estimate, jackknife};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Sections whose rates are assumed.
const ASSUMED: [&str; 3] = ["adaptation", "review", "measure"];
/// Fewer points say nothing about a spread.
const LEAST: u32 = 8;

/// What is drawn.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Uncertainty {
    /// Points of the hypercube; the design asks for 64.
    pub(crate) points: u32,
    /// Paired worlds at each point; the first of the file's own.
    pub(crate) seeds: u16,
    pub(crate) rate: Vec<Rate>,
}

/// One assumed rate.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rate {
    /// A dotted key of this file.
    pub(crate) key: String,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Where the range comes from, be it a citation or "assumed".
    pub(crate) source: String,
}

/// One point: the value of each rate, and the file with them.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) values: Vec<f64>,
    pub(crate) file: PolicyFile,
}

/// The points of a file; none where nothing is drawn.
///
/// # Errors
/// A fragment that begins with the key that mends it.
pub(crate) fn draw(file: &PolicyFile, table: &Table) -> Result<Vec<Drawn>, String> {
    let Some(section) = &file.uncertainty else { return Ok(Vec::new()) };
    if section.points < LEAST {
        return Err(format!("uncertainty.points: at least {LEAST}, got {}", section.points));
    }
    if section.seeds < 2 || section.seeds > file.experiment.seeds {
        return Err("uncertainty.seeds: at least 2, and at most experiment.seeds".into());
    }
    if section.rate.is_empty() {
        return Err("uncertainty.rate: at least one".into());
    }
    for (at, rate) in section.rate.iter().enumerate() {
        let of = |why: String| format!("uncertainty.rate `{}`: {why}", rate.key);
        may_move(&rate.key, &ASSUMED).map_err(of)?;
        if !(rate.low.is_finite() && rate.high.is_finite() && rate.low < rate.high) {
            return Err(of("low must be below high, both finite".into()));
        }
        if section.rate[..at].iter().any(|earlier| earlier.key == rate.key) {
            return Err(of("stands there twice".into()));
        }
        for end in [rate.low, rate.high] {
            set_all(table, &[(rate.key.as_str(), Value::Float(end))]).map_err(of)?;
        }
    }
    let seed = Seed::root(file.experiment.seed).derive("hypercube", 0);
    let columns: Vec<Vec<f64>> = (0..)
        .zip(&section.rate)
        .map(|(at, rate)| column(section.points, seed.derive("rate", at), (rate.low, rate.high)))
        .collect();
    (0..section.points as usize)
        .map(|point| {
            let values: Vec<f64> = columns.iter().map(|column| column[point]).collect();
            let keys: Vec<(&str, Value)> = section
                .rate
                .iter()
                .zip(&values)
                .map(|(rate, v)| (rate.key.as_str(), Value::Float(*v)))
                .collect();
            let file = set_all(table, &keys).map_err(|why| format!("uncertainty: point {point}: {why}"))?;
            Ok(Drawn { values, file })
        })
        .collect()
}

/// A value a point: one in each of `count` equal parts of the range, in an order of their own.
fn column(count: u32, seed: Seed, (low, high): (f64, f64)) -> Vec<f64> {
    let mut rng = seed.rng();
    let mut parts: Vec<u32> = (0..count).collect();
    for last in (1..parts.len()).rev() {
        let other = rng.below(last + 1);
        parts.swap(last, other);
    }
    let within = |part: u32| (f64::from(part) + rng.uniform()) / f64::from(count);
    parts.into_iter().map(within).map(|unit| low + (high - low) * unit).collect()
}

/// What all points show.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Spread {
    pub(crate) points: usize,
    pub(crate) seeds: u16,
    /// By outcome: the fraction that all measures together prevent.
    pub(crate) outcomes: BTreeMap<String, OutcomeSpread>,
}

/// One outcome.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct OutcomeSpread {
    /// At the file's rates: the interval is Monte-Carlo error over seeds.
    pub(crate) at_the_files_rates: Option<Estimate>,
    /// The same on the points' worlds alone: what their spread is around.
    pub(crate) on_the_points_worlds: Option<Estimate>,
    /// Over points: quantiles at 2.5, 50 and 97.5 %.
    pub(crate) over_points: Option<[f64; 3]>,
    /// Standard deviation over seeds within a point, the mean over points.
    pub(crate) sd_of_worlds: Option<f64>,
    /// Standard deviation over points of what a point's mean would be without the chance of its worlds; 0 where that explains all.
    /// Points share their worlds, so the chance that is taken off is that of point and world together, not of a world by itself.
    pub(crate) sd_of_rates: Option<f64>,
    /// Spearman's rank correlation of each rate with the outcome.
    pub(crate) rates: Vec<RateRow>,
    /// `(values of the rates, prevented)` of each point.
    pub(crate) at: Vec<PointRow>,
}

/// A rate's say.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RateRow {
    pub(crate) key: String,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) source: String,
    pub(crate) rank_correlation: Option<f64>,
}

/// A point.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PointRow {
    pub(crate) values: Vec<f64>,
    pub(crate) prevented: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

#[allow(clippy::cast_precision_loss, reason = "points and seeds are few")]
const fn number(count: usize) -> f64 {
    count as f64
}

/// Analyses one outcome. `outcome[point]` holds the outcome of none and of all measures, by seed.
pub(crate) fn spread(
    section: &Uncertainty,
    drawn: &[Drawn],
    outcome: &[(Vec<f64>, Vec<f64>)],
    [at_the_files_rates, on_the_points_worlds]: [Option<Estimate>; 2],
) -> OutcomeSpread {
    let prevented = |m: &[f64]| (m[0] > 0.0).then(|| 1.0 - m[1] / m[0]);
    let mut at = Vec::new();
    let (mut within, mut by_world) = (Vec::new(), Vec::new());
    for (point, (none, all)) in drawn.iter().zip(outcome) {
        let means = [none, all].map(|row| row.iter().sum::<f64>() / number(row.len()));
        let Some(value) = prevented(&means) else { continue };
        let of_seeds: Vec<f64> =
            none.iter().zip(all).filter_map(|(none, all)| prevented(&[*none, *all])).collect();
        within.extend(variance(&of_seeds));
        by_world.push(of_seeds);
        let ends = jackknife(&[none.clone(), all.clone()], &prevented);
        let (low, high) = ends.map_or((value, value), |e| (e.low, e.high));
        at.push(PointRow { values: point.values.clone(), prevented: value, low, high });
    }
    let mut sorted: Vec<f64> = at.iter().map(|row| row.prevented).collect();
    let values = sorted.clone();
    sorted.sort_by(f64::total_cmp);
    let mean_within = (!within.is_empty()).then(|| within.iter().sum::<f64>() / number(within.len()));
    let between = variance(&values);
    let rates = section.rate.iter().enumerate().map(|(column, rate)| RateRow {
        key: rate.key.clone(),
        low: rate.low,
        high: rate.high,
        source: rate.source.clone(),
        rank_correlation: spearman(&at.iter().map(|row| row.values[column]).collect::<Vec<_>>(), &values),
    });
    OutcomeSpread {
        at_the_files_rates,
        on_the_points_worlds,
        over_points: (!sorted.is_empty()).then(|| [0.025, 0.5, 0.975].map(|share| quantile(&sorted, share))),
        sd_of_worlds: mean_within.map(libm::sqrt),
        sd_of_rates: between
            .zip(residual(&by_world))
            .map(|(between, chance)| libm::sqrt((between - chance / f64::from(section.seeds)).max(0.0))),
        rates: rates.collect(),
        at,
    }
}

fn variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / number(values.len());
    Some(values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / number(values.len() - 1))
}

/// The mean square of what neither a point nor a world explains: two ways, one value a place. `None` unless every point has the same
/// two or more worlds.
fn residual(by_world: &[Vec<f64>]) -> Option<f64> {
    let (points, worlds) = (by_world.len(), by_world.first()?.len());
    if points < 2 || worlds < 2 || by_world.iter().any(|row| row.len() != worlds) {
        return None;
    }
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / number(count);
    let of_world: Vec<f64> =
        (0..worlds).map(|world| mean(&mut by_world.iter().map(|row| row[world]), points)).collect();
    let all = mean(&mut of_world.iter().copied(), worlds);
    let mut sum = 0.0;
    for row in by_world {
        let of_point = mean(&mut row.iter().copied(), worlds);
        sum += row.iter().zip(&of_world).map(|(v, w)| v - of_point - w + all).map(|r| r * r).sum::<f64>();
    }
    Some(sum / number((points - 1) * (worlds - 1)))
}

/// Linear between order statistics.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last place")]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * number(sorted.len() - 1);
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below])
}

/// Places of values in their order, ties sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let of = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let same = values.iter().filter(|other| other.total_cmp(value).is_eq()).count();
        number(below) + (number(same) - 1.0) / 2.0
    };
    values.iter().map(of).collect()
}

fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let middle = (number(a.len()) - 1.0) / 2.0;
    let sum = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum::<f64>();
    let scale = libm::sqrt(sum(&a, &a) * sum(&b, &b));
    (a.len() > 2 && scale > 0.0).then(|| sum(&a, &b) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = "[uncertainty]\npoints = 16\nseeds = 3\n\
        [[uncertainty.rate]]\nkey = \"review.reviewer.sensitivity\"\nlow = 0.6\nhigh = 0.95\nsource = \"assumed\"\n\
        [[uncertainty.rate]]\nkey = \"review.appeal.files\"\nlow = 0.1\nhigh = 0.9\nsource = \"assumed\"\n";

    fn of(with: &str) -> Result<Vec<Drawn>, String> {
        let text = include_str!("../../../../experiments/policy/signals.toml").to_owned() + with;
        draw(&toml::from_str(&text).unwrap(), &toml::from_str(&text).unwrap())
    }

    #[test]
    fn every_part_of_every_range_is_drawn_once_and_set_in_the_file() {
        let drawn = of(SECTION).unwrap();
        assert_eq!(drawn.len(), 16);
        for (column, (low, high)) in [(0.6, 0.95), (0.1, 0.9)].into_iter().enumerate() {
            let part = |point: &Drawn| ((point.values[column] - low) / (high - low) * 16.0).floor();
            let mut parts: Vec<f64> = drawn.iter().map(part).collect();
            parts.sort_by(f64::total_cmp);
            assert_eq!(parts, (0..16).map(f64::from).collect::<Vec<_>>());
        }
        for point in &drawn {
            let set = [point.file.review.reviewer.sensitivity.get(), point.file.review.appeal.files.get()];
            assert!(set.iter().zip(&point.values).all(|(set, drawn)| (set - drawn).abs() < 1e-12));
        }
        assert!(of(SECTION).unwrap().iter().zip(&drawn).all(|(a, b)| a.values == b.values));
    }

    #[test]
    fn slips_are_errors_that_name_their_key() {
        let broken = |from: &str, to: &str| of(&SECTION.replacen(from, to, 1)).unwrap_err();
        assert!(broken("points = 16", "points = 2").starts_with("uncertainty.points: at least 8"));
        assert!(broken("seeds = 3", "seeds = 99").starts_with("uncertainty.seeds"));
        assert!(broken("low = 0.6", "low = 0.96").contains("low must be below high"));
        assert!(broken("high = 0.95", "high = 1.5").contains("a fraction must be between 0 and 1"));
        assert!(broken("review.appeal.files", "review.reviewer.sensitivity").contains("twice"));
        assert!(broken("review.appeal.files", "world.persons").contains("may not move here"));
        assert!(broken("review.appeal.files", "review.appael.files").contains("there is no `appael`"));
    }

    /// Two rates: the outcome is the first, whatever the second. Worlds add a noise of deviation 0.02, known by construction.
    /// Rows (1, 2), (3, 6): means 1.5 and 4.5, worlds 2 and 4, all 3. Residuals .5, -.5, -.5, .5: squares 1 over 1 degree.
    #[test]
    fn what_neither_point_nor_world_explains_by_hand() {
        assert!((residual(&[vec![1.0, 2.0], vec![3.0, 6.0]]).unwrap() - 1.0).abs() < 1e-12);
        assert!(residual(&[vec![1.0, 2.0], vec![2.0, 3.0]]).unwrap().abs() < 1e-12);
        assert!(residual(&[vec![1.0, 2.0]]).is_none() && residual(&[vec![1.0], vec![2.0]]).is_none());
    }

    #[test]
    fn the_spread_of_rates_is_told_apart_from_the_chance_of_worlds() {
        let drawn = of(SECTION).unwrap();
        let text = include_str!("../../../../experiments/policy/signals.toml").to_owned() + SECTION;
        let file: PolicyFile = toml::from_str(&text).unwrap();
        let noise = [-0.02, 0.0, 0.02];
        let outcome: Vec<(Vec<f64>, Vec<f64>)> = drawn
            .iter()
            .map(|point| (vec![1.0; 3], noise.iter().map(|n| 1.0 - point.values[0] + n).collect()))
            .collect();
        let spread = spread(file.uncertainty.as_ref().unwrap(), &drawn, &outcome, [None; 2]);
        assert!((spread.sd_of_worlds.unwrap() - 0.02).abs() < 1e-12);
        // A uniform range of .35 has a deviation of .35 / sqrt 12 = .101; 16 strata are near it.
        assert!((spread.sd_of_rates.unwrap() - 0.101).abs() < 0.01, "{spread:?}");
        assert!((spread.rates[0].rank_correlation.unwrap() - 1.0).abs() < 1e-12);
        assert!(spread.rates[1].rank_correlation.unwrap().abs() < 0.6);
        let [low, middle, high] = spread.over_points.unwrap();
        assert!(low > 0.6 && high < 0.95 && (middle - 0.775).abs() < 0.03);
        let flat: Vec<(Vec<f64>, Vec<f64>)> =
            drawn.iter().map(|_| (vec![1.0; 3], vec![0.5, 0.6, 0.7])).collect();
        let none = super::spread(file.uncertainty.as_ref().unwrap(), &drawn, &flat, [None; 2]);
        assert!(none.sd_of_rates.unwrap() < 1e-9, "all of it is the chance of worlds");
        assert!(none.rates[0].rank_correlation.is_none());
        // Chance that points do not share: rates do nothing, and worlds fall out otherwise at each point.
        let chance = |point: u64| Seed::root(8).derive("point", point).rng();
        let apart: Vec<(Vec<f64>, Vec<f64>)> = (0..16)
            .map(|point| {
                let mut rng = chance(point);
                (vec![1.0; 3], (0..3).map(|_| 0.5 + 0.1 * rng.uniform()).collect())
            })
            .collect();
        let none = super::spread(file.uncertainty.as_ref().unwrap(), &drawn, &apart, [None; 2]);
        let over_points = variance(&none.at.iter().map(|row| row.prevented).collect::<Vec<_>>()).unwrap();
        let (rates, worlds) = (none.sd_of_rates.unwrap(), none.sd_of_worlds.unwrap());
        assert!(rates * rates < 0.5 * over_points, "most of the spread is chance: {rates}, {over_points}");
        assert!(worlds > 0.02, "{worlds}");
    }
}
