//! A proximal term: Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith, "Federated Optimization in Heterogeneous Networks", MLSys 2020,
//! equation 2. Its other half, partial work of stragglers, is a setting of the faults.

use super::{Broadcast, LocalRule};
use crate::trainer::{Drift, LocalTrainer, RoundCtx, TrainError, TrainStats};
use serde::{Deserialize, Serialize};

/// Adds `mu (w - global)` to every gradient. `mu = 0` is federated averaging.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FedProx {
    /// Strength, not negative; the paper tries 0.001 to 1. The step size times this must stay well below 1.
    pub mu: f64,
}

impl LocalRule for FedProx {
    fn name(&self) -> &'static str {
        "fed-prox"
    }

    fn check(&self, _layers: &[std::ops::Range<usize>]) -> Result<(), String> {
        strength("mu", self.mu)
    }

    fn train(
        &self,
        worker: &mut dyn LocalTrainer,
        sent: Broadcast<'_>,
        client: u32,
        ctx: &RoundCtx<'_>,
        _kept: &mut Vec<f32>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let drift = Drift { towards: Some((sent.global, self.mu)), ..Drift::default() };
        worker.train(sent.global, client, &RoundCtx { drift, ..*ctx }, update)
    }
}

/// A proximal strength is finite and not negative.
pub(super) fn strength(key: &str, value: f64) -> Result<(), String> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(format!("{key}: must be finite and not negative, got {value}"))
    }
}
