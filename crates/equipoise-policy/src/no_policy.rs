//! No measure at all: the control arm of every experiment and the dummy of every test.

use equipoise_core::{
    AccountId, Action, Budget, EventKind, Intent, PlatformState, Policy, Reach, RiskScore, Verdict,
};
use serde::{Deserialize, Serialize};

/// Permits everything, does nothing, remembers nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoPolicy {}

impl Policy for NoPolicy {
    fn permit(&self, _intent: &Intent, _state: &PlatformState<'_>) -> Verdict {
        Verdict::Permit
    }

    fn act(&mut self, _scores: &[(AccountId, RiskScore)], _budget: Budget) -> Vec<Action> {
        Vec::new()
    }

    fn reach(&self) -> Reach {
        Reach::Nothing
    }

    fn hears(&self, _kind: EventKind) -> bool {
        false
    }
}
