//! Known values of scikit-learn, lifelines, SciPy and statsmodels (`benches/peers/metrics_vectors.py`), to 1e-9 unless said.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use equipoise_core::{RiskScore, Seed};
use equipoise_eval::metric::{AveragePrecision, RocAuc};
use equipoise_eval::stats::{
    RankMethod, bca_interval, clopper_pearson, fisher_exact, holm, paired_difference, percentile_interval,
    signed_rank, wilson,
};
use equipoise_eval::survival::{aalen_johansen, kaplan_meier, restricted_mean};
use equipoise_eval::table::{ScoredTable, TableMetric, Undefined};
use equipoise_eval::{Bootstrap, Ending, FollowUp, Metric, StepPoint, laws};
use serde_json::Value;

fn rows(of: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let rows = vectors[of].as_array().unwrap().clone();
    assert!(!rows.is_empty(), "{of}");
    rows
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn close(got: f64, want: &Value, what: &str) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{what}: got {got}, want {want}");
}

#[test]
fn table_metrics_equal_scikit_learn_s_with_ties_and_weights() {
    let mut tied = 0;
    for row in rows("tables") {
        let scores = numbers(&row["scores"]);
        let labels: Vec<bool> = numbers(&row["labels"]).iter().map(|label| *label > 0.5).collect();
        let weights = (!row["weights"].is_null()).then(|| numbers(&row["weights"]));
        let table = ScoredTable::new(&scores, &labels, weights.as_deref()).unwrap();
        tied += usize::from(table.ties().count() < scores.len());
        for metric in TableMetric::ALL {
            let name = metric.about().name;
            if let Some(want) = row.get(name) {
                match metric.compute(&table, None) {
                    Ok(got) => close(got, want, name),
                    Err(why) => assert!(want.is_null() && why == Undefined::Separated, "{name}: {why}"),
                }
            }
        }
    }
    assert!(tied >= 4, "{tied}");
}

/// Cases hold scores of 32 bits, so only what depends on ranks is compared; ties stay ties.
#[test]
fn case_metrics_equal_scikit_learn_s_with_ties() {
    for row in rows("tables").into_iter().filter(|row| row["weights"].is_null()) {
        let labels: Vec<bool> = numbers(&row["labels"]).iter().map(|label| *label > 0.5).collect();
        #[allow(clippy::cast_possible_truncation)]
        let pairs: Vec<(f32, bool)> =
            numbers(&row["scores"]).iter().map(|score| *score as f32).zip(labels).collect();
        let cases = laws::scored(&pairs);
        assert!(cases.iter().all(|case| case.score >= RiskScore::new(0.0)));
        close(AveragePrecision.compute(&cases).unwrap(), &row["average_precision"], "average precision");
        close(RocAuc.compute(&cases).unwrap(), &row["roc_auc"], "area");
    }
}

/// The value of a step curve at `day`.
fn at(curve: &[StepPoint], day: f64) -> f64 {
    curve.iter().take_while(|point| point.days <= day).last().unwrap().value
}

#[test]
fn survival_curves_equal_lifelines_without_ties() {
    for row in rows("survival") {
        let causes = [Ending::Censored, Ending::Identified, Ending::Removed];
        let ending = |code: &f64| causes[[-0.5, 0.5, 1.5].partition_point(|low| low < code) - 1];
        let mut follow_ups: Vec<FollowUp> = numbers(&row["days"])
            .iter()
            .zip(&numbers(&row["cause"]))
            .map(|(days, cause)| FollowUp { days: *days, ending: ending(cause), weight: 1 })
            .collect();
        follow_ups.sort_by(|a, b| a.days.total_cmp(&b.days));
        let kept = kaplan_meier(&follow_ups);
        let curves = [
            (kept.clone(), "kaplan_meier"),
            (aalen_johansen(&follow_ups, Ending::Identified), "aalen_johansen_1"),
            (aalen_johansen(&follow_ups, Ending::Removed), "aalen_johansen_2"),
        ];
        for (curve, name) in &curves {
            for (follow_up, want) in follow_ups.iter().zip(row[*name].as_array().unwrap()) {
                close(at(curve, follow_up.days), want, name);
            }
        }
        close(restricted_mean(&kept, follow_ups[follow_ups.len() / 2].days), &row["rmst"], "restricted mean");
    }
}

#[test]
fn signed_ranks_equal_scipy_s() {
    for row in rows("wilcoxon") {
        let got = signed_rank(&numbers(&row["differences"])).unwrap();
        let method = if row["method"] == "exact" { RankMethod::Exact } else { RankMethod::Normal };
        assert_eq!(got.method, method);
        close(got.statistic, &row["statistic"], "statistic");
        close(got.p, &row["p"], "p");
    }
}

#[test]
fn paired_t_tests_equal_scipy_s() {
    for row in rows("paired_t") {
        let got = paired_difference(&numbers(&row["a"]), &numbers(&row["b"]), 0.95).unwrap();
        close(got.p, &row["p"], "p");
        close(got.difference.low, &row["low"], "low");
        close(got.difference.high, &row["high"], "high");
    }
}

#[test]
fn shares_equal_scipy_s() {
    for row in rows("binomial") {
        let (k, n) = (row["k"].as_u64().unwrap(), row["n"].as_u64().unwrap());
        for (name, got) in [("exact", clopper_pearson(k, n, 0.95)), ("wilson", wilson(k, n, 0.95))] {
            close(got.unwrap().0, &row[name][0], name);
            close(got.unwrap().1, &row[name][1], name);
        }
    }
    for row in rows("fisher") {
        let count = |key: &str| row[key].as_u64().unwrap();
        close(fisher_exact((count("a"), count("n")), (count("b"), count("m"))).unwrap(), &row["p"], "p");
    }
}

#[test]
fn holm_equals_statsmodels() {
    for row in rows("holm") {
        for (got, want) in holm(&numbers(&row["p"])).into_iter().zip(row["holm"].as_array().unwrap()) {
            close(got, want, "holm");
        }
    }
}

/// Ends of 20,000 resamples against SciPy's 200,000: an end at the 2.5% quantile wanders by about sqrt(.025 x .975 / 20,000)
/// over a density of .058, 0.019 standard errors of the statistic; the bound is five of them. BCa and percentile ends differ by
/// more than that here, so one cannot stand for the other.
#[test]
fn bootstrap_intervals_agree_with_scipy_s_within_their_error() {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let how = Bootstrap::new(20_000, 0.95).unwrap();
    for row in rows("bca") {
        let values = numbers(&row["values"]);
        let bound = 0.1 * row["standard_error"].as_f64().unwrap();
        let bca = bca_interval(&values, &mean, &how, Seed::root(5)).unwrap();
        let percentile = percentile_interval(&values, &mean, &how, Seed::root(5)).unwrap();
        for (got, name) in [(bca, "bca"), (percentile, "percentile")] {
            let want = numbers(&row[name]);
            assert!(
                (got.0 - want[0]).abs() < bound && (got.1 - want[1]).abs() < bound,
                "{name}: {got:?} {want:?}"
            );
        }
        assert!(bca.1 - percentile.1 > bound, "{bca:?} {percentile:?}");
    }
}
