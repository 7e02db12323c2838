//! Experiments from file to report: the one place that reads files and clocks, speaks to people, and holds scores and
//! truth together.
//!
//! Everything goes through a frozen [`plan::Plan`] of content-addressed units; see `ARCHITECTURE.md`.
#![forbid(unsafe_code)]

mod accountant;
mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod contact_rows;
pub mod data;
pub mod dataset;
pub mod describe;
pub mod estimate;
pub mod exec;
pub mod fault;
pub mod gather;
mod interrupt;
pub mod journal;
pub mod lab;
mod metrics;
pub mod noised_steps;
pub mod plan;
mod policy;
pub mod progress;
pub mod provenance;
pub mod report;
pub mod rundir;
pub mod schema;
mod study;
pub mod sums;
pub mod timings;
pub mod training;
mod world;
