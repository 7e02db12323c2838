//! Attacks, as ordinary citizens: one trait a seat, and each view holds exactly what that seat was sent.
//!
//! This crate attacks *privacy and aggregation of simulated platforms*. It never models how a person evades detection.
//! It knows no model library: losses and updates come in as numbers.
#![forbid(unsafe_code)]

pub mod audit;
mod infer;
pub mod laws;
mod poison;
pub mod stats;

pub use infer::{Infer, InferSpec, LossThreshold, NoInference, ReleasedModelView};
pub use poison::{NoPoison, Poison, PoisonSpec, SignFlip};
