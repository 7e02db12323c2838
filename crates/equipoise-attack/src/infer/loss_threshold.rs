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

    fn score(&self, seen: &ReleasedModelView) -> f64 {
        if seen.loss.is_finite() { -f64::from(seen.loss) } else { f64::MIN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_that_fits_better_is_called_a_member_first() {
        let score = |loss| LossThreshold {}.score(&ReleasedModelView { loss, score: 0.5 });
        assert!(score(0.1) > score(2.0));
        assert!(score(f32::NAN).is_finite());
    }
}
