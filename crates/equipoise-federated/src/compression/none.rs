//! The do-nothing map.

use super::Compression;
use equipoise_core::Seed;
use serde::{Deserialize, Serialize};

/// Sends everything as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoCompression {}

impl Compression for NoCompression {
    fn name(&self) -> &'static str {
        "none"
    }

    fn sent(&self, len: usize) -> usize {
        len
    }

    fn compress(&self, values: Vec<f32>, _seed: Seed) -> Vec<f32> {
        values
    }

    fn expand(&self, sum: Vec<f64>, _len: usize, _seed: Seed) -> Vec<f64> {
        sum
    }
}
