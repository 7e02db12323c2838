//! SCAFFOLD: Karimireddy, Kale, Mohri, Reddi, Stich, Suresh, "Stochastic Controlled Averaging for Federated Learning", ICML 2020,
//! algorithm 1 with option II.
//!
//! Control variates are held in steps of the model and not in gradients (`c` here is the paper's `c` times the local step size): the
//! correction is then added to the weights after each step, no step size travels, and both halves of an update have about one
//! range, so that one grid holds them. The server's control moves by the mean change of those who answered times their share of
//! all clients; with public weights, the mean is the weighted one.

use super::{Broadcast, LocalRule};
use crate::trainer::{Drift, LocalTrainer, RoundCtx, TrainError, TrainStats};
use serde::{Deserialize, Serialize};

/// Control variates against client drift. A client sends two vectors and keeps one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaffold {}

impl LocalRule for Scaffold {
    fn name(&self) -> &'static str {
        "scaffold"
    }

    fn sends(&self) -> usize {
        2
    }

    fn check(&self, _layers: &[std::ops::Range<usize>]) -> Result<(), String> {
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)] // Fewer than 2^24 steps a round.
    fn train(
        &self,
        worker: &mut dyn LocalTrainer,
        sent: Broadcast<'_>,
        client: u32,
        ctx: &RoundCtx<'_>,
        kept: &mut Vec<f32>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let (moved, control) = update.split_at_mut(sent.global.len());
        // What leaves is x - y per step against what the control says; see the note above for the units.
        let own = kept.iter().copied().chain(std::iter::repeat(0.0));
        let correction: Vec<f32> = sent.beside.iter().zip(own).map(|(all, own)| own - all).collect();
        let drift = Drift { each_step: Some(&correction), ..Drift::default() };
        let stats = worker.train(sent.global, client, &RoundCtx { drift, ..*ctx }, moved)?;
        if stats.outcome.takes_part() && stats.steps > 0 {
            let steps = stats.steps as f32;
            kept.resize(sent.global.len(), 0.0);
            for (((own, all), change), moved) in kept.iter_mut().zip(sent.beside).zip(control).zip(&*moved) {
                *change = -all - moved / steps;
                *own += *change;
            }
        }
        Ok(stats)
    }
}
