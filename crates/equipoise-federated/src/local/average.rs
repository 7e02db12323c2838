//! Federated averaging: McMahan, Moore, Ramage, Hampson, Agüera y Arcas, AISTATS 2017, algorithm 1.

use super::{Broadcast, LocalRule};
use crate::trainer::{LocalTrainer, RoundCtx, TrainError, TrainStats};
use serde::{Deserialize, Serialize};

/// Local epochs and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FedAvg {}

impl LocalRule for FedAvg {
    fn name(&self) -> &'static str {
        "fed-avg"
    }

    fn check(&self, _layers: &[std::ops::Range<usize>]) -> Result<(), String> {
        Ok(())
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
        worker.train(sent.global, client, ctx, update)
    }
}
