//! Criterion benchmarks of the workspace, one file a question. `cargo bench -p equipoise-benches`; BENCHMARKS.md holds
//! what was measured, with the command, the machine and its load. Here stands the work that several of them time.
#![forbid(unsafe_code)]

pub mod worlds;
