//! A random mask (Konečný, McMahan, Yu, Richtárik, Suresh, Bacon, "Federated Learning: Strategies for Improving Communication
//! Efficiency", 2016, section 2), drawn by a public seed for a whole round, so that all clients send the same coordinates.

use super::Compression;
use equipoise_core::{Draw, Seed};
use serde::{Deserialize, Serialize};

/// Sends a random share of the coordinates; the server scales them up and takes the others as zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subset {
    /// Share of the coordinates, above 0 and at most 1.
    pub share: f64,
}

impl Subset {
    /// The coordinates of a round, ascending.
    fn chosen(&self, len: usize, seed: Seed) -> Vec<usize> {
        let mut all: Vec<usize> = (0..len).collect();
        seed.derive("subset", 0).rng().shuffle(&mut all);
        all.truncate(self.sent(len));
        all.sort_unstable();
        all
    }
}

impl Compression for Subset {
    fn name(&self) -> &'static str {
        "subset"
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn sent(&self, len: usize) -> usize {
        ((self.share * len as f64).ceil() as usize).clamp(1, len.max(1))
    }

    fn check(&self) -> Result<(), String> {
        if self.share > 0.0 && self.share <= 1.0 {
            Ok(())
        } else {
            Err(format!("share: must be above 0 and at most 1, got {}", self.share))
        }
    }

    fn compress(&self, values: Vec<f32>, seed: Seed) -> Vec<f32> {
        self.chosen(values.len(), seed).into_iter().map(|at| values[at]).collect()
    }

    #[allow(clippy::cast_precision_loss)] // A model has fewer than 2^52 weights.
    fn expand(&self, sum: Vec<f64>, len: usize, seed: Seed) -> Vec<f64> {
        let scale = len as f64 / sum.len() as f64;
        let mut out = vec![0.0; len];
        for (at, value) in self.chosen(len, seed).into_iter().zip(sum) {
            out[at] = scale * value;
        }
        out
    }
}
