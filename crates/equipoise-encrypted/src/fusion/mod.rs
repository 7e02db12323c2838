//! Encrypted risk fusion: platforms hold a score of the same account, only a rule of the weighted sum is opened.
//!
//! A platform sends GGSW(X^-score). The server multiplies a public polynomial, the rule written out as a table, by every
//! score's monomial and sends coefficient 0: one external product a platform, no bootstrap, no evaluation key, the same
//! cost for a threshold, bands or k-of-n (`encryption.md` 5). Two key settings: a joint public key of two to five
//! holders who are neither platforms nor the server (the default), and one key that all platforms share (a labelled
//! baseline: any platform with the server reads every score).
//!
//! Who sees what, under the joint key: the *server* pseudonyms, which platforms have an account, and the rule; a
//! *holder* which pseudonym was asked about and how often, and no flag, because the flag's body goes to the opener alone;
//! the *opener* one value of the rule for each account; a *platform* nothing. [`FusionDesign::leakage`] says it for
//! reports.
//!
//! Limits, each stated where it acts:
//! (a) *Smudging.* The opener sees a phase whose error tells a little about ciphertexts; each holder's smudging exceeds
//!     that error by [`FusionPlan::smudging_bits`], 5 to 22 bits in the named sets. Forty do not fit a 64-bit torus. A
//!     flag is opened once, so smudging cannot be averaged away; circuit privacy is not claimed.
//! (b) *Honest uploads.* A platform may encrypt any polynomial, and so force a flag or probe others' scores through it.
//!     No proof stops it here: the adversary is honest but curious, the rest is for audits.
//! (c) *Thresholds add up.* Every opened rule says up to log2(bands) bits of a sum; the holders' [`Journal`] bounds them an
//!     account for the life of the keys, across restarts, even against a server that lies about the rule.
//! (d) *Floating point.* External products run on a 64-bit float transform; its error is in the plan and in the tests'
//!     measurements. Opened values are exact, ciphertext bits differ between machines.
//! (e) *Bytes.* A score costs 32 KiB (shared, seeded) or 64 KiB (joint), a thousand times a bootstrapping design's.
//!
//! Not promised: security against malicious parties beyond the above, constant time, an independent review.
//!
//! ```
//! use equipoise_encrypted::fusion::*;
//!
//! let spec = FusionSpec { max_score: 255, weights: vec![1, 1, 1], bands: 2, openings_per_account: 1 };
//! let mut fusion = FusionDesign::GgswJoint { holders: 3 }.build(spec)?;
//! let account = AccountScores { account: plain_hash(b"an example"), scores: vec![Some(200), Some(90), None] };
//! let opened = fusion.fuse(&FusionRule::Threshold { at: 250 }, &[account], &equipoise_federated::Untimed)?;
//! assert_eq!(opened.values, [1]);
//! # Ok::<(), FusionError>(())
//! ```

mod design;
mod durable;
mod error;
mod ggsw;
mod grouping;
mod holders;
mod keys;
mod leakage;
mod matching;
mod messages;
mod mpc;
mod noise;
mod params;
#[cfg(feature = "high-level-fhe")]
mod peers;
mod plan;
mod pseudonym;
mod public;
mod record;
mod ring;
mod rule;
mod server;
mod shared;
mod store;
mod wire;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod design_tests;
#[cfg(test)]
mod durable_tests;
#[cfg(test)]
mod grid_tests;
#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod matching_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod wire_tests;

pub use design::{AccountScores, Fused, FusionCost, FusionDesign, RiskFusion};
pub use error::{FusionError, FusionPlanError};
pub use grouping::{MatchedAccount, ScoreGrid, matched};
pub use holders::{FusionHolder, KeyCommitment, SuspendedHolder, open_flag};
pub use keys::{FusionPlatform, JointKey};
pub use matching::{Matcher, PendingMatch, overlaps, plain_hash};
pub use messages::{FlagBody, FlagMask, FlagShare, KeyContribution, ScoreUpload};
pub use params::{FUSE_N2048, FUSE_N2048_L2, FUSE_N4096, FusionParams};
pub use plan::{FusionKeys, FusionPlan, FusionSpec};
pub use pseudonym::Pseudonym;
pub use public::FusionPublic;
pub use record::{Journal, Opening};
pub use rule::{FusionRule, FusionTable};
pub use server::{FusionServer, FusionWorkspace, PreparedRule};
pub use shared::SharedOpener;
pub use store::{MemoryStore, NoStore, SessionStore};
pub use wire::FusionMessage;
