//! Attacks, as ordinary citizens: one trait a seat, and each view holds exactly what that seat was sent.
//!
//! This crate attacks *privacy and aggregation of simulated platforms*. It never models how a person evades detection.
//! It knows no model library: losses and updates come in as numbers.
#![forbid(unsafe_code)]

pub mod audit;
mod fact;
mod infer;
pub mod invert;
pub mod laws;
mod linkage;
mod logistic;
mod poison;
mod roc;
pub mod stats;

pub use fact::{Advantage, Fact, FactView, infer_fact};
pub use infer::{
    Infer, InferSpec, LiraOffline, LiraOnline, Loss, LossThreshold, NoInference, ReleasedModelView, Rmia,
    ShadowTrainer, Shadows, Stacked, logit_of_loss,
};
pub use linkage::{LinkageView, Linked, link};
pub use logistic::Logistic;
pub use poison::{ModelReplacement, NoPoison, Poison, PoisonSpec, RowPoisonSpec, SignFlip};
pub use roc::Roc;
