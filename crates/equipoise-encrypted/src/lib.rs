//! Secure sums under lattice encryption: what a server adds without being able to read it.
//!
//! One scheme stands here: [`SharedKeyGlwe`], packed GLWE additions under one secret key that every platform holds, as
//! in NVFlare's homomorphic mode. It is a *labelled baseline*: exact, 2.7 bytes a parameter, memory-speed additions on
//! the server, and worthless against a server that colludes with a single platform (`attack_tests.rs` runs the attack).
//!
//! This is the only crate that names `tfhe` and `tfhe-ntt`. Both are BSD-3-Clause-Clear: no patent grant. Adversary:
//! honest but curious. Not promised: constant-time arithmetic, side-channel protection, proofs of honest updates, an
//! independent review. Keys, masks and noise come from the operating system's entropy and nowhere else; runs under
//! encryption are therefore not reproducible to the byte, while the opened sums are.
//!
//! ```
//! use equipoise_encrypted::SchemeSpec;
//!
//! for scheme in SchemeSpec::examples() {
//!     println!("{}: {}", scheme.build().name(), scheme.build().leakage().headline);
//! }
//! ```
//! [`fusion`] evaluates rules on risk scores that no seat may read.
#![forbid(unsafe_code)]
#![warn(clippy::cast_possible_truncation)]

mod codec;
mod entropy;
pub mod fusion;
mod joint;
pub mod joint_key;
mod layout;
mod mask;
pub mod masking;
mod members;
mod noise;
pub mod one_shot;
mod opening;
mod params;
mod record;
mod registry;
mod ring;
mod ring128;
mod roles;
mod sample;
mod shared_key;
mod smudge;
mod sum;
mod wire;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod noise_tests;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod testing;

pub use entropy::{CryptoSource, ReplaySource, SystemSource};
pub use joint::{JOINT128_N4096, JointParams, KeyContribution};
pub use joint_key::JointKey;
pub use layout::Layout;
pub use masking::PairwiseMasking;
pub use one_shot::OneShot;
pub use opening::{HolderSecret, JointHolder, OpenAnswer, OpenRequest};
pub use params::{GLWE64_N4096, GlweParams};
pub use record::{MemoryRecord, RecordStore};
pub use registry::SchemeSpec;
pub use roles::{KeyHolder, PlatformKey, Public, SessionId};
pub use shared_key::SharedKeyGlwe;
pub use smudge::{Layout128, Smudging};
pub use sum::{Accumulator, Share};
pub use wire::Upload;
