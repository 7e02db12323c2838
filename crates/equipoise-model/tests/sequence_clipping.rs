//! Sums of clipped rows of a recurrent unit against the loop over rows, and their guarantee.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Helpers of tests.

mod common;

use common::sequences::Told;
use common::{distance, init, length};
use equipoise_core::ClipNorm;
use equipoise_model::{Backward, ClipStats, ModelError, ModelSpec, Trainer};

const GRU: ModelSpec = ModelSpec::Gru { hidden: 7 };

fn sum(weights: &[f32], told: &Told, batch: &[u32], clip: f64) -> (Vec<f32>, ClipStats) {
    let mut out = vec![f32::NAN; weights.len()];
    let mut trainer = Trainer::new(&GRU, told.codebook.columns()).unwrap();
    let clip = ClipNorm::new(clip).unwrap();
    let stats = trainer.clipped_gradient_sum(weights, &told.sequences(), batch, clip, &mut out).unwrap();
    (out, stats)
}

/// One pass of burn's differentiation a row, clipped and summed in `f64`.
fn oracle(weights: &[f32], told: &Told, batch: &[u32], clip: f64) -> Vec<f32> {
    let mut trainer = Trainer::with(&GRU, told.codebook.columns(), Backward::Burn).unwrap();
    let mut sum = vec![0.0_f64; weights.len()];
    for &row in batch {
        let row = told.select(&[row as usize]);
        // The gradient of a weighted mean over one row has lost its weight.
        let weight = f64::from(row.weights[0]);
        let gradient = trainer.gradient(weights, &row.sequences()).unwrap();
        let scale = weight * (clip / (weight * length(&gradient))).min(1.0);
        sum.iter_mut().zip(&gradient).for_each(|(sum, &slope)| *sum += scale * f64::from(slope));
    }
    sum.into_iter().map(|sum| sum as f32).collect()
}

#[test]
fn clipped_sums_equal_the_loop_over_rows() {
    for (columns, rows, longest) in [(1, 2, 3), (6, 37, 12), (16, 150, 30)] {
        let (told, weights) = (Told::random(rows, columns, longest, 4), init(&GRU, columns, 3));
        let batch: Vec<u32> = (0..rows as u32).collect();
        for clip in [0.05, 0.5, 1e9] {
            let (fast, slow) = (sum(&weights, &told, &batch, clip).0, oracle(&weights, &told, &batch, clip));
            let error = distance(&fast, &slow) / length(&slow);
            assert!(error <= 1e-5, "{columns}x{rows} clip {clip}: {error}");
        }
    }
}

#[test]
fn dropping_one_row_moves_the_sum_by_no_more_than_the_bound() {
    let (told, weights) = (Told::random(48, 6, 12, 4), init(&GRU, 6, 3));
    let (all, clip) = ((0..48).collect::<Vec<u32>>(), 0.1);
    let (full, stats) = sum(&weights, &told, &all, clip);
    assert!(stats.clipped > 40, "the bound has to bind for this test to say anything: {stats:?}");
    let mut largest = 0.0_f64;
    for row in 0..48 {
        let rest: Vec<u32> = all.iter().copied().filter(|&other| other != row).collect();
        largest = largest.max(distance(&full, &sum(&weights, &told, &rest, clip).0));
        assert!(length(&sum(&weights, &told, &[row], clip).0) <= clip * (1.0 + 1e-6));
    }
    assert!((largest / clip - 1.0).abs() <= 2e-6, "{largest}");
}

#[test]
fn broken_weights_give_zeros_and_are_counted() {
    let (told, mut weights) = (Told::random(9, 6, 12, 4), init(&GRU, 6, 3));
    weights[0] = f32::NAN;
    let (sum, stats) = sum(&weights, &told, &(1..9).collect::<Vec<_>>(), 1.0);
    // Only a row without events does not meet the broken weight; row 0 is one and stays out.
    let empty = (1..9).filter(|&row| told.steps().sequence(row).is_empty()).count();
    assert_eq!(stats.non_finite as usize, 8 - empty);
    assert!(sum.iter().all(|value| value.is_finite()));
}

#[test]
fn batches_that_do_not_fit_and_models_that_cannot_are_refused() {
    let (told, weights) = (Told::random(9, 6, 12, 4), init(&GRU, 6, 3));
    let clip = ClipNorm::new(1.0).unwrap();
    let mut out = vec![0.0; weights.len()];
    let mut trainer = Trainer::new(&GRU, 6).unwrap();
    let error = trainer.clipped_gradient_sum(&weights, &told.sequences(), &[9], clip, &mut out);
    assert_eq!(error, Err(ModelError::Row { row: 9, rows: 9 }));
    assert_eq!(sum(&weights, &told, &[], 1.0), (vec![0.0; weights.len()], ClipStats::default()));
    let spec = ModelSpec::Transformer { width: 4, heads: 1, feed_forward: 4, layers: 1 };
    let (mut trainer, weights) = (Trainer::with(&spec, 6, Backward::Burn).unwrap(), init(&spec, 6, 3));
    let mut out = vec![0.0; weights.len()];
    let error = trainer.clipped_gradient_sum(&weights, &told.sequences(), &[0], clip, &mut out).unwrap_err();
    assert!(error.to_string().contains("not offered for a transformer"), "{error}");
}
