//! Membership by loss (Yeom, Giacomelli, Fredrikson, Jha, "Privacy risk in machine learning", CSF 2018). The weakest
//! attack worth naming: that it fails shows nothing (`privacy.md` 5: it saw no leak where a stronger one found 12 %).

use super::{Infer, ReleasedModelView};
use serde::{Deserialize, Serialize};

/// Scores a target by the negative of its loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossThreshold {}

impl Infer for LossThreshold {
    fn name(&self) -> &'static str {
        "loss-threshold"
    }

    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        // Beyond a thousand nats, and for no number at all, a row fits as badly as can be.
        seen.losses.iter().map(|&loss| if loss.is_nan() { -1e3 } else { -f64::from(loss).min(1e3) }).collect()
    }
}
