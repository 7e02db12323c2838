//! The do-nothing attack: its success is what chance gives.

use super::{Infer, ReleasedModelView};
use serde::{Deserialize, Serialize};

/// Calls every target equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoInference {}

impl Infer for NoInference {
    fn name(&self) -> &'static str {
        "none"
    }

    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        vec![0.0; seen.losses.len()]
    }
}
