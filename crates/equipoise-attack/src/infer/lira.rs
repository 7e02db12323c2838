//! The likelihood-ratio attack (Carlini, Chien, Nasr, Song, Terzis, Tramer, "Membership inference attacks from first principles",
//! S&P 2022): how likely is this model's logit of the row if the row was in, against if it was out.
//!
//! Deviations are pooled over candidates, as the paper advises below 64 models; pooled deviations must not become an epsilon.

use super::shadow::logit_of_loss;
use super::{Infer, ReleasedModelView};
use serde::{Deserialize, Serialize};

/// Both sides modelled: needs models that the row was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiraOnline {}

/// Only the models that the row was out of, so that they can be trained before the row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiraOffline {}

/// Each candidate's mean logit on one side, and the deviation pooled over candidates.
fn side(seen: &ReleasedModelView<'_>, is_in: bool) -> (Vec<Option<f64>>, f64) {
    let (mut squares, mut freedom) = (0.0, 0.0);
    let means = (0..seen.losses.len())
        .map(|candidate| {
            let logits = seen.shadows.of(candidate, is_in, logit_of_loss);
            let n = logits.len() as f64;
            let mean = logits.iter().sum::<f64>() / n;
            if logits.is_empty() {
                return None;
            }
            squares += logits.iter().map(|logit| (logit - mean) * (logit - mean)).sum::<f64>();
            freedom += n - 1.0;
            Some(mean)
        })
        .collect();
    (means, if freedom > 0.0 { libm::sqrt(squares / freedom).max(1e-6) } else { 1.0 })
}

impl Infer for LiraOnline {
    fn name(&self) -> &'static str {
        "lira-online"
    }

    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        let ((means_in, spread_in), (means_out, spread_out)) = (side(seen, true), side(seen, false));
        let ln_normal =
            |x: f64, mean: f64, spread: f64| -0.5 * ((x - mean) / spread).powi(2) - libm::log(spread);
        let sides = means_in.iter().zip(&means_out);
        let score = |(&loss, sides): (&f32, (&Option<f64>, &Option<f64>))| {
            let x = logit_of_loss(loss);
            // A row that no model was trained on, or every one, cannot be told: no evidence either way.
            let (Some(inside), Some(outside)) = sides else { return 0.0 };
            ln_normal(x, *inside, spread_in) - ln_normal(x, *outside, spread_out)
        };
        seen.losses.iter().zip(sides).map(score).collect()
    }
}

impl Infer for LiraOffline {
    fn name(&self) -> &'static str {
        "lira-offline"
    }

    /// The standardised logit: the one-sided test's probability in order, without running into 1.
    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        let (means, spread) = side(seen, false);
        let score = |(&loss, mean): (&f32, &Option<f64>)| {
            mean.map_or(0.0, |mean| (logit_of_loss(loss) - mean) / spread)
        };
        seen.losses.iter().zip(&means).map(score).collect()
    }
}
