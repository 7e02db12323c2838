//! Tests through the public API, in one binary: linking tfhe once is enough.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod common;
mod every_scheme;
mod exact;
mod fusion;
mod guards;
mod laws;
mod measure;
mod wire;
