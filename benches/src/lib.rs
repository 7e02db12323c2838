//! Criterion benchmarks of the workspace, one file a question. `cargo bench -p equipoise-benches`; BENCHMARKS.md holds
//! what was measured, with the command, the machine and its load.
#![forbid(unsafe_code)]
