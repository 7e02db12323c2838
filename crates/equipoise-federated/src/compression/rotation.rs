//! A randomised Hadamard rotation (Suresh, Yu, Kumar, McMahan, "Distributed Mean Estimation with Limited Communication", ICML 2017,
//! section 3): random signs, then the Walsh-Hadamard transform over the next power of two. Coordinates come out of about one size, so
//! a quantiser's range can be narrow and its bits few.

use super::Compression;
use equipoise_core::{Draw, Seed};
use serde::{Deserialize, Serialize};

/// Signs and Hadamard. Sends up to twice as many numbers: the next power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {}

/// `+1` or `-1` for each coordinate.
fn signs(len: usize, seed: Seed) -> impl Iterator<Item = f64> {
    let mut rng = seed.derive("signs", 0).rng();
    (0..len).map(move |_| if rng.chance(0.5) { 1.0 } else { -1.0 })
}

/// The Walsh-Hadamard transform over a power of two, scaled to keep lengths. It is its own inverse.
#[allow(clippy::cast_precision_loss)] // A model has fewer than 2^52 weights.
fn hadamard(values: &mut [f64]) {
    let len = values.len();
    let mut half = 1;
    while half < len {
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
    let scale = 1.0 / libm::sqrt(len as f64);
    values.iter_mut().for_each(|value| *value *= scale);
}

impl Compression for Rotation {
    fn name(&self) -> &'static str {
        "rotation"
    }

    fn sent(&self, len: usize) -> usize {
        len.next_power_of_two()
    }

    #[allow(clippy::cast_possible_truncation)] // An update is f32; it is rounded once, after the transform.
    fn compress(&self, values: Vec<f32>, seed: Seed) -> Vec<f32> {
        let mut wide: Vec<f64> = values
            .iter()
            .zip(signs(values.len(), seed))
            .map(|(&value, sign)| sign * f64::from(value))
            .collect();
        wide.resize(self.sent(values.len()), 0.0);
        hadamard(&mut wide);
        wide.into_iter().map(|value| value as f32).collect()
    }

    fn expand(&self, mut sum: Vec<f64>, len: usize, seed: Seed) -> Vec<f64> {
        hadamard(&mut sum);
        sum.truncate(len);
        sum.iter_mut().zip(signs(len, seed)).for_each(|(value, sign)| *value *= sign);
        sum
    }
}
