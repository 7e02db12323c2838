//! Secure sums: what a server adds without being able to read it.
//!
//! | scheme | opened by | breaks when |
//! |---|---|---|
//! | [`OneShot`] | 2 to 5 key holders, all of them | the server colludes with all holders |
//! | [`JointKey`] | the same, coefficient by coefficient | the same |
//! | [`PairwiseMasking`] | a threshold of the platforms | the server colludes with a threshold of platforms |
//! | [`SharedKeyGlwe`] | one key that every platform holds | the server colludes with any platform: a labelled baseline |
//! | `Prio3` (feature `prio3`) | two aggregators | both collude; proves ranges |
//! | `NaiveFheInt` (feature `high-level-fhe`) | one key of the platforms | as the baseline; for the cost table |
//!
//! Every sum is exact, or it is an error. `attack_tests.rs` files run the attacks that work against the neighbours of what
//! stands here; `docs/security.md` says who is trusted for what.
//!
//! This is the only crate that names `tfhe` and `tfhe-ntt`. Both are BSD-3-Clause-Clear: no patent grant. Adversary:
//! honest but curious. Not promised: constant-time arithmetic, side-channel protection, proofs of honest updates (but for
//! Prio3's ranges), an independent review. Keys, masks and noise come from the operating system's entropy unless a caller asks
//! for [`ReplaySource`] in code, which taints the scheme's headline; runs under encryption are therefore not reproducible
//! to the byte, while the opened sums are.
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
mod layout128;
mod mask;
pub mod masking;
mod members;
#[cfg(feature = "high-level-fhe")]
pub mod naive;
mod noise;
pub mod one_shot;
mod opening;
mod params;
#[cfg(feature = "prio3")]
pub mod prio3;
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
mod fuzz_tests;
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
pub use layout128::Layout128;
pub use masking::PairwiseMasking;
pub use one_shot::OneShot;
pub use opening::{HolderSecret, JointHolder, OpenAnswer, OpenRequest};
pub use params::{GLWE64_N4096, GlweParams};
pub use record::{MemoryRecord, RecordStore};
pub use registry::SchemeSpec;
pub use roles::{KeyHolder, PlatformKey, Public, SessionId};
pub use shared_key::SharedKeyGlwe;
pub use smudge::Smudging;
pub use sum::Accumulator;
pub use wire::{Share, Upload};
