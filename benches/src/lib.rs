//! Criterion benchmarks of the workspace; see BENCHMARKS.md.
