//! The same rows and settings in scikit-learn's `HistGradientBoostingClassifier` give the same scores. The fixture is written
//! by `benches/peers/boosted_sklearn.py fixture`. The scores agree to the seven digits that it holds; the bounds leave room for
//! one of the rare splits whose gains differ by less than rounding.
#![allow(clippy::unwrap_used)] // Helpers of tests.

use equipoise_core::{Fraction, Seed};
use equipoise_model::Rows;
use equipoise_model::boosted::{Binning, Boosted, BoostedSpec};

const FIXTURE: &str = include_str!("fixtures/boosted_sklearn.csv");
const TRAIN: usize = 1000;

struct Table {
    values: Vec<f32>,
    labels: Vec<f32>,
    weights: Vec<f32>,
    /// Scores of the peer on the rows from `TRAIN`: plain, strict.
    peer: [Vec<f32>; 2],
}

fn table() -> Table {
    let mut table = Table { values: vec![], labels: vec![], weights: vec![], peer: [vec![], vec![]] };
    for line in FIXTURE.lines().skip(2) {
        let cells: Vec<f32> = line
            .split(',')
            .map(|cell| if cell.is_empty() { f32::NAN } else { cell.parse().unwrap() })
            .collect();
        table.values.extend_from_slice(&cells[..8]);
        table.labels.push(cells[8]);
        table.weights.push(cells[9]);
        table.peer.iter_mut().zip(&cells[10..]).for_each(|(peer, &score)| peer.push(score));
    }
    table.peer.iter_mut().for_each(|peer| drop(peer.drain(..TRAIN)));
    assert_eq!(table.labels.len(), 1500);
    table
}

fn log_loss(labels: &[f32], scores: &[f32]) -> f64 {
    let loss =
        |(&label, &score): (&f32, &f32)| -f64::from(if label > 0.5 { score } else { 1.0 - score }).ln();
    labels.iter().zip(scores).map(loss).sum::<f64>() / 500.0
}

fn auc(labels: &[f32], scores: &[f32]) -> f64 {
    let of = |positive: bool| {
        labels
            .iter()
            .zip(scores)
            .filter(move |(label, _)| (**label > 0.5) == positive)
            .map(|(_, score)| *score)
    };
    let pairs = (of(true).count() * of(false).count()) as f64;
    let won = |p: f32| {
        of(false)
            .map(|n| {
                if p > n {
                    1.0
                } else if p < n {
                    0.0
                } else {
                    0.5
                }
            })
            .sum::<f64>()
    };
    of(true).map(won).sum::<f64>() / pairs
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |x: &[f32]| x.iter().map(|&x| f64::from(x)).sum::<f64>() / 500.0;
    let (m, n) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a) - m, f64::from(b) - n);
        (ab, aa, bb) = (ab + a * b, aa + a * a, bb + b * b);
    }
    ab / (aa * bb).sqrt()
}

/// Fits like the peer and compares the scores of the 500 rows that neither trained on.
fn compare(spec: &BoostedSpec, weighted: bool, peer: usize) {
    let table = table();
    let ones = vec![1.0; TRAIN];
    let rows = Rows {
        columns: 8,
        values: &table.values[..TRAIN * 8],
        labels: &table.labels[..TRAIN],
        weights: if weighted { &table.weights[..TRAIN] } else { &ones },
    };
    let model = Boosted::fit(&rows, spec, Seed::root(1)).unwrap();
    let scores = model.score(8, &table.values[TRAIN * 8..]).unwrap();
    let (labels, peer) = (&table.labels[TRAIN..], &table.peer[peer]);
    let loss = [log_loss(labels, &scores), log_loss(labels, peer)];
    let areas = [auc(labels, &scores), auc(labels, peer)];
    let alike = correlation(&scores, peer);
    let gap = scores.iter().zip(peer).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!((loss[0] / loss[1] - 1.0).abs() < 1e-4, "log loss {loss:?}");
    assert!((areas[0] - areas[1]).abs() < 1e-4, "AUC {areas:?}");
    assert!(alike > 0.999_99 && gap < 1e-4, "correlation {alike}, largest gap {gap}");
}

fn plain() -> BoostedSpec {
    BoostedSpec {
        rounds: 60,
        learning_rate: 0.1,
        max_leaves: 31,
        max_depth: 1000,
        min_samples_leaf: 20,
        min_hessian: 1e-3,
        min_gain: 0.0,
        l2: 0.0,
        binning: Binning::Quantile { bins: 255 },
        row_share: Fraction::new(1.0).unwrap(),
        column_share: Fraction::new(1.0).unwrap(),
    }
}

#[test]
fn the_scores_are_those_of_scikit_learn() {
    compare(&plain(), false, 0);
}

#[test]
fn with_weights_depth_and_penalty_too() {
    let strict = BoostedSpec {
        rounds: 40,
        learning_rate: 0.2,
        max_leaves: 8,
        max_depth: 4,
        min_samples_leaf: 5,
        l2: 3.0,
        ..plain()
    };
    compare(&strict, true, 1);
}
