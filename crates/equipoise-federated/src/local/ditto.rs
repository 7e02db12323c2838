//! Ditto: Li, Hu, Beirami, Smith, "Fair and Robust Federated Learning Through Personalization", ICML 2021, algorithm 1.

use super::{Broadcast, LocalRule, prox};
use crate::trainer::{Drift, LocalTrainer, RoundCtx, TrainError, TrainStats};
use serde::{Deserialize, Serialize};

/// Trains the global model as federated averaging does, and beside it a model of the client's own with `lambda (v - global)` added to
/// every gradient; the client scores with its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ditto {
    /// Pull towards the global model, not negative: 0 trains alone, large values follow the federation.
    pub lambda: f64,
}

impl LocalRule for Ditto {
    fn name(&self) -> &'static str {
        "ditto"
    }

    fn personal(&self) -> bool {
        true
    }

    fn check(&self, _layers: &[std::ops::Range<usize>]) -> Result<(), String> {
        prox::strength("lambda", self.lambda)
    }

    fn train(
        &self,
        worker: &mut dyn LocalTrainer,
        sent: Broadcast<'_>,
        client: u32,
        ctx: &RoundCtx<'_>,
        kept: &mut Vec<f32>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let own = if kept.is_empty() { sent.global } else { kept.as_slice() };
        let drift = Drift { towards: Some((sent.global, self.lambda)), ..Drift::default() };
        let seed = ctx.seed.derive("own-model", 0);
        let stats = worker.train(own, client, &RoundCtx { drift, seed, ..*ctx }, update)?;
        if stats.outcome.takes_part() {
            if kept.is_empty() {
                kept.extend_from_slice(sent.global);
            }
            kept.iter_mut().zip(&*update).for_each(|(own, moved)| *own += moved);
        }
        update.fill(0.0);
        worker.train(sent.global, client, ctx, update)
    }

    fn own_model(&self, global: &[f32], kept: &[f32], _layers: &[std::ops::Range<usize>]) -> Vec<f32> {
        if kept.is_empty() { global.to_vec() } else { kept.to_vec() }
    }
}
