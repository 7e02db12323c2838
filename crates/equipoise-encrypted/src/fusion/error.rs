//! Why a fusion failed.

use super::matching::Pseudonym;
use super::plan::FusionPlanError;

/// Why a fusion failed. Nothing here holds a score.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FusionError {
    /// No plan.
    #[error(transparent)]
    Plan(#[from] FusionPlanError),
    /// A rule that does not fit the plan.
    #[error("the rule does not fit the plan: {0}")]
    Rule(String),
    /// A score beyond the plan.
    #[error("platform {platform} has a score beyond the plan's largest, {largest}")]
    ScoreBeyondPlan {
        /// The platform.
        platform: u32,
        /// The largest score planned for.
        largest: u32,
    },
    /// Bytes that are not a message of this session.
    #[error("a message could not be read: {0}")]
    Malformed(String),
    /// Messages that do not belong together.
    #[error("messages do not belong together: {0}")]
    Mismatch(String),
    /// A key holder or opener refused.
    #[error("the opening of account {account} was refused: {reason}")]
    Refused {
        /// The account.
        account: Pseudonym,
        /// Why.
        reason: String,
    },
    /// A record of openings that was changed, or is of other keys.
    #[error("the record of openings cannot be trusted: {0}")]
    Record(String),
    /// The record could not be written, so nothing was answered.
    #[error("the record of openings could not be written, so nothing was opened: {0}")]
    Journal(String),
    /// Account matching failed.
    #[error("account matching failed: {0}")]
    Matching(String),
    /// The system's randomness failed.
    #[error("the operating system gave no randomness: {0}")]
    Entropy(String),
    /// A peer's library failed.
    #[error("the peer failed: {0}")]
    Peer(String),
}
