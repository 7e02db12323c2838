//! The robust membership attack (Zarifzadeh, Liu, Shokri, "Low-cost high-power membership inference attacks", ICML 2024), for few
//! shadow models: the row's probability over what models give it on average, against the same ratio of other rows.
//!
//! Other candidates stand for the population. The score is the share of them whose ratio the row's exceeds by `gamma`.

use super::{Infer, ReleasedModelView};
use serde::{Deserialize, Serialize};

/// Offline: uses only models that the row was out of, and estimates the average over both from them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rmia {
    /// How far the row must exceed another, at least 1.
    pub gamma: f64,
    /// How much being in raises a probability: the average is `((1 + a) p_out + (1 - a)) / 2`.
    pub offline_a: f64,
}

impl Rmia {
    fn ratio(&self, seen: &ReleasedModelView<'_>, candidate: usize) -> f64 {
        let probability = |loss: f32| if loss.is_nan() { 0.0 } else { libm::exp(-f64::from(loss).max(0.0)) };
        let outside = seen.shadows.of(candidate, false, probability);
        let mean = if outside.is_empty() { 0.5 } else { outside.iter().sum::<f64>() / outside.len() as f64 };
        let average = 0.5 * ((1.0 + self.offline_a) * mean + 1.0 - self.offline_a);
        probability(seen.losses[candidate]) / average.max(1e-12)
    }
}

impl Infer for Rmia {
    fn name(&self) -> &'static str {
        "rmia"
    }

    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        let ratios: Vec<f64> = (0..seen.losses.len()).map(|candidate| self.ratio(seen, candidate)).collect();
        let mut sorted = ratios.clone();
        sorted.sort_by(f64::total_cmp);
        let beaten = |ratio: f64| sorted.partition_point(|other| ratio >= self.gamma * other) as f64;
        // The ratio itself breaks ties of the share, by less than one candidate.
        ratios.iter().map(|&ratio| (beaten(ratio) + ratio / (1.0 + ratio)) / ratios.len() as f64).collect()
    }
}
