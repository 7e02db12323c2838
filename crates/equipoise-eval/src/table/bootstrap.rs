//! Percentile intervals of table metrics by resampling rows (Efron and Tibshirani, 1993). Rows are drawn as independent: where
//! several belong to one person, the interval is too narrow.

use super::{Budget, ScoredTable, TableMetric};
use crate::Bootstrap;
use crate::bootstrap::quantile;
use equipoise_core::{Draw, Seed};

/// An interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// An interval for each of `metrics`; `None` where the metric does not exist in the table, or in more resamples than an
/// interval may lack. Same seed, same bytes, whatever the order of rows.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of resamples.
pub fn bootstrap(
    metrics: &[TableMetric],
    table: &ScoredTable,
    budget: Option<Budget>,
    how: &Bootstrap,
    seed: Seed,
) -> Vec<Option<Interval>> {
    let rows = table.rows().len();
    let exists: Vec<bool> = metrics.iter().map(|metric| metric.compute(table, budget).is_ok()).collect();
    let mut draws: Vec<Vec<f64>> = vec![Vec::new(); metrics.len()];
    let mut counts = vec![0_u32; rows];
    for resample in 0..if rows > 0 { how.resamples } else { 0 } {
        let mut rng = seed.derive("table-bootstrap", u64::from(resample)).rng();
        counts.fill(0);
        for _ in 0..rows {
            counts[rng.below(rows)] += 1;
        }
        let drawn = table.reweighted(&counts);
        for ((metric, values), _) in metrics.iter().zip(&mut draws).zip(&exists).filter(|pair| *pair.1) {
            values.extend(metric.compute(&drawn, budget));
        }
    }
    let interval = |values: &mut Vec<f64>| {
        let enough = values.len() as f64 >= f64::from(how.resamples) * (1.0 - how.tail());
        values.sort_unstable_by(f64::total_cmp);
        (enough && !values.is_empty())
            .then(|| Interval { low: quantile(values, how.tail()), high: quantile(values, 1.0 - how.tail()) })
    };
    draws.iter_mut().map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prevalence of 25 in 100 has standard error .0433: a 95% interval ends near .25 -+ .085. With 2,000 resamples an
    /// end wanders by about .004 (the lattice is .01), so .02 is far away.
    #[test]
    fn the_interval_of_a_share_has_the_width_of_theory() {
        let labels: Vec<bool> = (0..100).map(|row| row % 4 == 0).collect();
        let table = ScoredTable::new(&[0.5; 100], &labels, None).unwrap();
        let how = Bootstrap::new(2000, 0.95).unwrap();
        let metrics = [TableMetric::Prevalence, TableMetric::CalibrationSlope];
        let got = bootstrap(&metrics, &table, None, &how, Seed::root(3));
        let interval = got[0].unwrap();
        assert!((interval.low - 0.165).abs() < 0.02 && (interval.high - 0.335).abs() < 0.02, "{interval:?}");
        assert_eq!(got[1], None, "one score has no slope, so no interval of it");
    }

    #[test]
    fn the_order_of_rows_changes_no_byte() {
        let scores: Vec<f64> = (0..60).map(|row| f64::from(row % 7) / 7.0).collect();
        let labels: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
        let weights: Vec<f64> = (0..60).map(|row| 0.1 + f64::from(row % 4)).collect();
        let back = |values: &[f64]| values.iter().rev().copied().collect::<Vec<f64>>();
        let labels_back: Vec<bool> = labels.iter().rev().copied().collect();
        let one = ScoredTable::new(&scores, &labels, Some(&weights)).unwrap();
        let other = ScoredTable::new(&back(&scores), &labels_back, Some(&back(&weights))).unwrap();
        assert_eq!(one, other);
        let how = Bootstrap::new(50, 0.9).unwrap();
        let of = |table, seed| {
            bootstrap(&TableMetric::ALL, table, Some(Budget::Share(0.1)), &how, Seed::root(seed))
        };
        assert_eq!(of(&one, 1), of(&other, 1));
        assert_ne!(of(&one, 1), of(&one, 2));
    }
}
