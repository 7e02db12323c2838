//! Signals between platforms (measure I7 of the world's design): a platform that upheld a case tells the others the hashed
//! token of the account, and each of them reviews its accounts with that token before it does anything (the rule of the
//! Lantern programme). Tokens are noisy: a signal can miss, and can name somebody else.

use crate::QueueAction;
use equipoise_core::{
    AccountId, Action, Budget, EventKind, Intent, PlatformState, Policy, Reach, RiskScore, SimTime, Verdict,
};
use serde::{Deserialize, Serialize};

/// Parameters of the sharing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignalSharing {
    /// What follows if the receiving platform's own review agrees.
    pub action: QueueAction,
}

impl SignalSharing {
    /// What the measure does, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        "tells other platforms the hashed token of an upheld case, and reviews accounts with a token it is told; never passes \
         a signal on"
            .to_owned()
    }
}

impl Policy for SignalSharing {
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

    fn shares_signals(&self, _now: SimTime) -> bool {
        true
    }

    fn signalled(&mut self, accounts: &[AccountId], _now: SimTime) -> Vec<Action> {
        accounts.iter().map(|account| self.action.about(*account)).collect()
    }
}
