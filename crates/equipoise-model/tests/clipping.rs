//! Ghost clipping against the slow loop over rows, and its guarantee.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Helpers of tests.

mod common;

use common::{Data, distance, init, length};
use equipoise_core::{ClipNorm, Draw, Seed};
use equipoise_model::{ClipStats, ModelError, ModelSpec, Trainer};

struct Case {
    trainer: Trainer,
    weights: Vec<f32>,
    data: Data,
}

impl Case {
    fn new(spec: &ModelSpec, columns: usize, rows: usize) -> Self {
        Self {
            trainer: Trainer::new(spec, columns).unwrap(),
            weights: init(spec, columns, 3),
            data: Data::separable(rows, columns, 4),
        }
    }

    fn sum(&mut self, batch: &[u32], clip: f64) -> (Vec<f32>, ClipStats) {
        let mut out = vec![f32::NAN; self.weights.len()];
        let clip = ClipNorm::new(clip).unwrap();
        let stats = self
            .trainer
            .clipped_gradient_sum(&self.weights, &self.data.rows(), batch, clip, &mut out)
            .unwrap();
        (out, stats)
    }

    /// One autodiff pass a row, clipped and summed in `f64`.
    fn oracle(&mut self, batch: &[u32], clip: f64) -> Vec<f32> {
        let mut sum = vec![0.0_f64; self.weights.len()];
        for &row in batch {
            let row = self.data.select(&[row as usize]);
            // The gradient of a weighted mean over one row has lost its weight.
            let weight = f64::from(row.weights[0]);
            let gradient = self.trainer.gradient(&self.weights, &row.rows()).unwrap();
            let scale = weight * (clip / (weight * length(&gradient))).min(1.0);
            sum.iter_mut().zip(&gradient).for_each(|(sum, &slope)| *sum += scale * f64::from(slope));
        }
        sum.into_iter().map(|sum| sum as f32).collect()
    }
}

#[test]
fn ghost_clipping_equals_the_loop_over_rows() {
    for spec in ModelSpec::examples_over_rows() {
        for (columns, rows) in [(1, 1), (6, 37), (40, 150)] {
            for clip in [0.05, 0.5, 1e9] {
                let mut case = Case::new(&spec, columns, rows);
                let batch: Vec<u32> = (0..rows as u32).collect();
                let (fast, slow) = (case.sum(&batch, clip).0, case.oracle(&batch, clip));
                let error = distance(&fast, &slow) / length(&slow);
                assert!(error <= 1e-5, "{} {columns}x{rows} clip {clip}: {error}", spec.describe());
            }
        }
    }
}

#[test]
fn the_order_of_the_batch_does_not_matter() {
    let mut case = Case::new(&ModelSpec::Mlp { hidden: vec![32] }, 40, 200);
    let mut batch: Vec<u32> = (0..200).collect();
    let sum = case.sum(&batch, 0.5).0;
    Seed::root(9).rng().shuffle(&mut batch);
    assert!(distance(&sum, &case.sum(&batch, 0.5).0) <= 1e-5 * length(&sum));
}

#[test]
fn the_contribution_of_every_row_alone_is_within_the_bound() {
    for spec in ModelSpec::examples_over_rows() {
        let mut case = Case::new(&spec, 40, 200);
        for clip in [1e-3, 0.1, 2.0] {
            for row in 0..200 {
                assert!(length(&case.sum(&[row], clip).0) <= clip * (1.0 + 1e-6));
            }
        }
    }
}

#[test]
fn dropping_one_row_moves_the_sum_by_no_more_than_the_bound() {
    let mut case = Case::new(&ModelSpec::Mlp { hidden: vec![32] }, 40, 64);
    let (all, clip) = ((0..64).collect::<Vec<u32>>(), 0.1);
    let (full, stats) = case.sum(&all, clip);
    assert!(stats.clipped > 60, "the bound has to bind for this test to say anything: {stats:?}");
    let mut largest = 0.0_f64;
    for row in 0..64 {
        let rest: Vec<u32> = all.iter().copied().filter(|&other| other != row).collect();
        largest = largest.max(distance(&full, &case.sum(&rest, clip).0));
    }
    assert!(largest <= clip * (1.0 + 1e-6 + 2.0 * equipoise_model::rounding_slack(64)), "{largest}");
    // What is measured is far sharper than the worst case that is promised.
    assert!((largest / clip - 1.0).abs() <= 2e-6, "{largest}");
}

#[test]
fn an_empty_batch_gives_zeros() {
    let mut case = Case::new(&ModelSpec::Mlp { hidden: vec![4] }, 3, 5);
    let (sum, stats) = case.sum(&[], 1.0);
    assert_eq!(sum, vec![0.0; case.weights.len()]);
    assert_eq!(stats, ClipStats::default());
}

#[test]
fn a_broken_row_contributes_nothing_and_is_counted() {
    for broken in [f32::NAN, f32::INFINITY, 1e30] {
        let mut case = Case::new(&ModelSpec::Mlp { hidden: vec![8] }, 6, 20);
        let rest: Vec<u32> = (0..20).filter(|&row| row != 7).collect();
        let (without, _) = case.sum(&rest, 0.5);
        case.data.values[7 * 6 + 2] = broken;
        let (with, stats) = case.sum(&(0..20).collect::<Vec<_>>(), 0.5);
        assert_eq!((stats.non_finite, stats.rows), (1, 20));
        assert!(distance(&with, &without) <= 1e-6 * length(&without), "{broken}");
    }
}

#[test]
fn broken_weights_give_zeros_rather_than_noise_on_nothing() {
    let mut case = Case::new(&ModelSpec::LogisticRegression {}, 2, 9);
    case.weights[0] = f32::NAN;
    let (sum, stats) = case.sum(&[0, 1, 8], 1.0);
    assert_eq!((sum, stats.non_finite), (vec![0.0; 3], 3));
}

#[test]
fn a_row_that_does_not_exist_is_named() {
    let mut case = Case::new(&ModelSpec::LogisticRegression {}, 2, 9);
    let mut out = vec![0.0; 3];
    let clip = ClipNorm::new(1.0).unwrap();
    let error = case.trainer.clipped_gradient_sum(&case.weights, &case.data.rows(), &[9], clip, &mut out);
    assert_eq!(error, Err(ModelError::Row { row: 9, rows: 9 }));
}
