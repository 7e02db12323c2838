//! What a federation asks of whoever trains: flat slices in, flat slices out. No model library crosses this line.

use crate::levels::Inside;
use equipoise_core::Seed;
use equipoise_privacy::Sensitivity;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What bends local training away from following the client's own gradient; by default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drift<'a> {
    /// `strength (w - there)` is added to every gradient.
    pub towards: Option<(&'a [f32], f64)>,
    /// Added to the weights after each step.
    pub each_step: Option<&'a [f32]>,
}

/// Where in the run a client trains.
#[derive(Clone, Copy, Debug)]
pub struct RoundCtx<'a> {
    /// Round.
    pub round: u32,
    /// The address of this client's draws in this round.
    pub seed: Seed,
    /// What bends training.
    pub drift: Drift<'a>,
    /// Share of its local steps that the client has time for, in `(0, 1]`.
    pub effort: f64,
    /// Where each layer of the model stands in its flat vector.
    pub layers: &'a [Range<usize>],
}

/// How a client's training ended. Whatever is not [`Outcome::Trained`] is counted and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should.
    Trained,
    /// On rows of one class only: a usable update that has seen no contrast.
    OneClass,
    /// The client has no rows, or drew none.
    NoRows,
    /// Its loss stopped being a finite number.
    Diverged,
    /// Its update held a number that is not finite.
    NotFinite,
}

impl Outcome {
    /// Whether the update enters the sum. A client that was left out counts as one that never answered: weight and all.
    #[must_use]
    pub const fn takes_part(self) -> bool {
        matches!(self, Self::Trained | Self::OneClass)
    }

    /// The word in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trained => "trained",
            Self::OneClass => "one-class",
            Self::NoRows => "no-rows",
            Self::Diverged => "diverged",
            Self::NotFinite => "not-finite",
        }
    }
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
    /// Steps taken.
    pub steps: u32,
    /// How it ended.
    pub outcome: Outcome,
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
    /// Trains `client` from the weights `from` and writes what should be added to them into `update` (same length).
    ///
    /// # Errors
    /// If the program or its settings are wrong. What a client's data does is an [`Outcome`].
    fn train(
        &mut self,
        from: &[f32],
        client: u32,
        ctx: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError>;

    /// Takes what happened, since it was last taken, inside a client that holds a federation of its own.
    fn inside(&mut self) -> Option<Inside> {
        None
    }
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
    /// Where each layer of the model stands in its flat vector.
    fn layers(&self) -> Vec<Range<usize>>;
    /// How much work a client is: the largest start first.
    fn size(&self, client: u32) -> u64;
    /// The public weight of a client, at least 1: a bucketed count, agreed before the run.
    fn weight(&self, client: u32) -> u32;
}
