//! What a federation asks of whoever trains: flat slices in, flat slices out. No model library crosses this line.

use equipoise_core::Seed;
use equipoise_privacy::Sensitivity;

/// Where in the run a client trains.
#[derive(Clone, Copy, Debug)]
pub struct RoundCtx {
    /// Round.
    pub round: u32,
    /// The address of this client's draws in this round.
    pub seed: Seed,
}

/// What an update is, and so what may be claimed about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Contribution {
    /// The model moved by local steps. No bound on what one account did to it.
    Delta,
    /// A sum over units, each of which the trainer clipped.
    BoundedSum(Sensitivity),
}

/// What a client says about its training. Stays inside a simulation: in a deployment each number is a release.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainStats {
    /// Rows that took part.
    pub rows: u32,
    /// What `update` holds.
    pub contribution: Contribution,
}

/// Why a client could not train.
#[derive(Debug, thiserror::Error)]
#[error("client {client} could not train in round {round}: {reason}")]
pub struct TrainError {
    /// Client.
    pub client: u32,
    /// Round.
    pub round: u32,
    /// Why.
    pub reason: String,
}

/// One worker that trains any client, one after another, without allocating for each.
pub trait LocalTrainer: Send {
    /// Trains `client` from the `global` weights and writes what should be added to them into `update` (same length).
    ///
    /// # Errors
    /// If the client's data or the model does not allow it.
    fn train(
        &mut self,
        global: &[f32],
        client: u32,
        ctx: &RoundCtx,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError>;
}

/// Makes workers: one a thread.
pub trait TrainerFactory: Sync {
    /// A fresh worker.
    ///
    /// # Errors
    /// If the model cannot be made.
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError>;
    /// Number of clients.
    fn clients(&self) -> u32;
    /// The public weight of a client, at least 1: a bucketed count, agreed before the run.
    fn weight(&self, client: u32) -> u32;
}
