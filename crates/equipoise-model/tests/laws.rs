//! The laws hold over every example, and a deliberately wrong scorer breaks them.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Helpers of tests.

use equipoise_core::Seed;
use equipoise_model::laws::{Scorer, check_model, check_scorer};
use equipoise_model::{ModelError, ModelSpec};

#[test]
fn every_example_obeys_the_laws() {
    for (index, spec) in ModelSpec::examples().iter().enumerate() {
        for columns in [1, 6, 40] {
            let seed = Seed::root(5).derive("law", index as u64);
            assert_eq!(check_model(spec, columns, seed), Ok(()), "{} over {columns}", spec.describe());
        }
    }
}

/// A scorer that looks at the first column, put through `bend`.
struct Bent(fn(usize, &mut Vec<f32>));

impl Scorer for Bent {
    fn columns(&self) -> usize {
        2
    }

    fn score(&mut self, values: &[f32]) -> Result<Vec<f32>, ModelError> {
        if !values.len().is_multiple_of(2) {
            return Err(ModelError::Length { what: "the features", expected: 0, got: values.len() });
        }
        let mut scores: Vec<f32> = values.chunks(2).map(|row| 1.0 / (1.0 + (-row[0]).exp())).collect();
        let rows = scores.len();
        (self.0)(rows, &mut scores);
        Ok(scores)
    }
}

fn broken(bend: fn(usize, &mut Vec<f32>)) -> String {
    check_scorer(&mut Bent(bend), Seed::root(1)).unwrap_err()
}

#[test]
fn the_unbent_scorer_passes() {
    assert_eq!(check_scorer(&mut Bent(|_, _| ()), Seed::root(1)), Ok(()));
}

#[test]
fn a_scorer_that_gives_logits_is_rejected() {
    assert!(broken(|_, scores| scores.iter_mut().for_each(|s| *s = 4.0 * *s - 2.0)).contains("outside"));
}

#[test]
fn a_scorer_that_remembers_the_row_before_is_rejected() {
    let leak = |_, scores: &mut Vec<f32>| {
        for row in (1..scores.len()).rev() {
            scores[row] = 0.5 * (scores[row] + scores[row - 1]);
        }
    };
    assert!(broken(leak).contains("order of rows"));
}

#[test]
fn a_scorer_that_scales_by_the_batch_is_rejected() {
    let scale = |_, scores: &mut Vec<f32>| {
        let largest = scores.iter().copied().fold(0.0, f32::max);
        scores.iter_mut().for_each(|score| *score /= largest);
    };
    assert!(broken(scale).contains("rows beside it"));
}

#[test]
fn a_scorer_that_loses_a_row_is_rejected() {
    assert!(broken(|rows, scores| scores.truncate(rows.saturating_sub(1))).contains("299 scores"));
}
