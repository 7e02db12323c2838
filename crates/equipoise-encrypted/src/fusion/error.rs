//! Why there is no plan, and why a fusion failed.

use super::pseudonym::Pseudonym;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FusionPlanError {
    /// Fusing one platform's score opens that score.
    #[error("a fusion needs at least two platforms, got {0}: the fused value of one is its own score")]
    TooFewPlatforms(usize),
    /// The number of key holders.
    #[error("a joint key has two to five key holders, got {0}")]
    KeyHolders(u32),
    /// The largest sum does not fit the ring.
    #[error(
        "weighted scores add up to {max_sum} but `{params}` holds sums below {limit}: lower the weights, the scores' bits or the number of platforms, or take a larger ring"
    )]
    SumTooLarge {
        /// The set.
        params: &'static str,
        /// The largest sum.
        max_sum: u64,
        /// Sums must stay below.
        limit: u64,
    },
    /// A weight or score of zero, or no opening.
    #[error("`{0}` must be at least one")]
    Zero(&'static str),
    /// A rule with one value says nothing, and one with many has no margin.
    #[error("a rule returns between 2 and {limit} different values, got {got}")]
    Bands {
        /// Asked for.
        got: u32,
        /// Largest.
        limit: u32,
    },
    /// The error may reach the margin.
    #[error(
        "the error of `{params}` is bounded by 2^{error_log2:.1} and {bands} bands leave a margin of 2^{margin_log2:.1}: fewer bands, fewer platforms or key holders, or a set with more levels"
    )]
    ErrorTooLarge {
        /// The set.
        params: &'static str,
        /// The planned bound.
        error_log2: f64,
        /// What a band leaves.
        margin_log2: f64,
        /// Bands asked for.
        bands: u32,
    },
}

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
