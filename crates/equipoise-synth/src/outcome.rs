//! What is left when a world has run.

use crate::cost::AccountCost;
use crate::truth::Truth;
use equipoise_core::{AccountRef, KnownLabel, SimTime};

/// The result of a run besides its events.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// Ground truth: for the runner and the benches alone.
    pub truth: Truth,
    /// What each platform came to know, sorted by (known at, account).
    pub labels: Vec<Vec<KnownLabel>>,
    /// Noisy linkage tokens, `[platform][account]`.
    pub tokens: Vec<Vec<u64>>,
    /// Events handed to the sink.
    pub events: u64,
    /// Accounts closed by moderation or a policy.
    pub bans: u64,
    /// Spare accounts that were made during the run, and when ([`crate::AdaptationSpec`]).
    pub made: Vec<(AccountRef, SimTime)>,
    /// What measures cost accounts, `[platform][account]`; lists end with the last account that met a cost.
    pub costs: Vec<Vec<AccountCost>>,
}
