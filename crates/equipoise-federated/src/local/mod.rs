//! What a platform does in a round besides following its own gradient, what it keeps between rounds, and with which model it scores.
//! To add a rule: a file here, its lines below.

mod average;
mod ditto;
mod layers;
mod prox;
mod scaffold;

pub use average::FedAvg;
pub use ditto::Ditto;
pub use layers::LocalLayers;
pub use prox::FedProx;
pub use scaffold::Scaffold;

use crate::trainer::{LocalTrainer, RoundCtx, TrainError, TrainStats};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What the server sends at the start of a round. Public: every platform and the network see it.
#[derive(Clone, Copy, Debug)]
pub struct Broadcast<'a> {
    /// The global model.
    pub global: &'a [f32],
    /// What the rule sends beside it, as long as the model; empty for most rules.
    pub beside: &'a [f32],
}

/// Trains one client in one round.
///
/// Laws (see [`crate::laws::check_local`]): the update has [`LocalRule::sends`] times the model's length; what is kept changes only
/// in a round in which the client trained; with nothing to learn, nothing is sent; the same input gives the same bytes.
pub trait LocalRule: Send + Sync {
    /// The rule's name in files and reports.
    fn name(&self) -> &'static str;

    /// Vectors of the model's length that a client sends in a round: the first moves the global model; a second, where
    /// there is one, moves what is broadcast beside it.
    fn sends(&self) -> usize {
        1
    }

    /// Whether each client scores with a model of its own.
    fn personal(&self) -> bool {
        false
    }

    /// What cannot be right about this rule for a model whose layers stand at these places of the flat vector.
    ///
    /// # Errors
    /// What is wrong, beginning with the key that mends it.
    fn check(&self, layers: &[Range<usize>]) -> Result<(), String>;

    /// Trains, writes the update (`sends` vectors, zeroed) and brings `kept` up to date: what stays with the client between rounds and
    /// never leaves it, empty before it first trained.
    ///
    /// # Errors
    /// If the client cannot train at all.
    fn train(
        &self,
        worker: &mut dyn LocalTrainer,
        sent: Broadcast<'_>,
        client: u32,
        ctx: &RoundCtx<'_>,
        kept: &mut Vec<f32>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError>;

    /// The model with which a client scores after the last round, from the global one and what it kept.
    fn own_model(&self, global: &[f32], kept: &[f32], layers: &[Range<usize>]) -> Vec<f32> {
        let _ = (kept, layers);
        global.to_vec()
    }
}

/// The rules by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LocalSpec {
    /// Local epochs and nothing else.
    FedAvg(FedAvg),
    /// A pull back to the global model.
    FedProx(FedProx),
    /// A correction of client drift, at twice the upload.
    Scaffold(Scaffold),
    /// A model of one's own, pulled towards the global one.
    Ditto(Ditto),
    /// Some layers stay at home.
    LocalLayers(LocalLayers),
}

impl LocalSpec {
    /// The rule itself.
    #[must_use]
    pub fn rule(&self) -> &dyn LocalRule {
        match self {
            Self::FedAvg(rule) => rule,
            Self::FedProx(rule) => rule,
            Self::Scaffold(rule) => rule,
            Self::Ditto(rule) => rule,
            Self::LocalLayers(rule) => rule,
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::FedAvg(_) => "local epochs from the global model (McMahan et al., AISTATS 2017)".into(),
            Self::FedProx(_) => {
                "adds mu (w - global) to every gradient; stragglers may send partial work (Li et al., MLSys 2020)".into()
            }
            Self::Scaffold(_) => {
                "control variates against client drift, at twice the upload (Karimireddy et al., ICML 2020)".into()
            }
            Self::Ditto(_) => {
                "a personal model beside the global one, pulled to it by lambda (Li et al., ICML 2021)".into()
            }
            Self::LocalLayers(_) => {
                "the named layers never leave their platform (FedPer, Arivazhagan et al. 2019; FedBN keeps normalisation layers in \
                 the same way, Li et al., ICLR 2021)"
                    .into()
            }
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::FedAvg(FedAvg {}),
            Self::FedProx(FedProx { mu: 0.1 }),
            Self::Scaffold(Scaffold {}),
            Self::Ditto(Ditto { lambda: 0.5 }),
            Self::LocalLayers(LocalLayers { layers: vec![0] }),
        ]
    }
}
