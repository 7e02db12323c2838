//! Models of risk: what they are, how one client trains one, how one is scored. The only crate that names burn.
//!
//! A model is a burn module and burn's gradients are the reference; the fused path trains the same model by hand. Everything that leaves this crate is a flat `f32` slice, so
//! that federation, privacy, encryption and hashing never learn which library made the numbers. A score is a
//! [`RiskScore`](equipoise_core::RiskScore), a place in a review queue, never a verdict.
//!
//! [`boosted`] holds the trees that this is measured against, without burn.
//!
//! **Layout of a flat parameter vector**: for each layer in order, its weight `[inputs, outputs]` row-major, then its
//! bias `[outputs]` (see [`ModelSpec::layers`]). The last layer has one output, the logit of the risk. Models over event sequences keep to it: a
//! recurrent unit is its input layer, its recurrent layer and the last one, gates side by side as reset, update, new.
//!
//! ```
//! use equipoise_core::{Fraction, Seed};
//! use equipoise_model::{Backward, Loss, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};
//!
//! let spec = ModelSpec::LogisticRegression {};
//! let mut weights = spec.init(1, Fraction::new(0.5)?, Seed::root(1));
//! let rows = Rows { columns: 1, values: &[-1.0, 1.0], labels: &[0.0, 1.0], weights: &[1.0, 1.0] };
//! let config = TrainConfig { trainer: Backward::Fused, epochs: 20, batch: 2, learning_rate: 1.0, weight_decay: 0.0, positive_weight: 1.0,
//!     loss: Loss::CrossEntropy {}, optimiser: Optimiser::Sgd { momentum: 0.0 } };
//! let mut trainer = Trainer::new(&spec, 1)?;
//! trainer.train(&mut weights.0, &rows, &config, Seed::root(2))?;
//! let scores = trainer.score(&weights.0, 1, rows.values)?;
//! assert!(scores[0] < 0.2 && scores[1] > 0.8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)] // Allowed at one place: `product`.

pub mod baselines;
pub mod boosted;
pub mod calibration;
mod clip;
mod config;
mod error;
mod explain;
mod fused;
mod gates;
mod gru;
pub mod laws;
mod loss;
mod maths;
mod network;
mod network_gru;
mod network_transformer;
mod one_hot;
mod optimiser;
mod packed;
mod product;
mod rows;
mod score;
mod sequence_clip;
mod sequence_laws;
mod sequence_network;
mod sequence_spec;
mod sequence_trainer;
mod sequences;
mod spec;
pub mod stacked;
#[cfg(test)]
mod textbook;
mod trainer;

pub use clip::{ClipStats, rounding_slack};
pub use config::{Optimiser, TrainConfig};
pub use error::ModelError;
pub use explain::{Attribution, overlap};
pub use loss::Loss;
pub use rows::Rows;
pub use sequence_spec::TorchTensor;
pub use sequences::{Codebook, Examples, Sequences, Steps};
pub use spec::{LayerShape, ModelSpec};
pub use trainer::{Backward, Course, TrainStats, Trainer};
