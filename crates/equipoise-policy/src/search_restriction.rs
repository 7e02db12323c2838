//! Children are taken out of what adults are shown: search and recommendations (measure I3 of the world's design).
//!
//! It refuses a contact request from a declared adult to a declared minor that came out of a search or a recommendation of
//! the platform, since there would have been none, and does not show the recommendation itself. Requests that began at a
//! contact list, in a group or elsewhere pass. `effectiveness` is the share that the restriction really takes out. Whoever
//! declares a wrong age, or none, passes it by.

use crate::ages::from_adult_to_minor;
use crate::share::in_share;
use equipoise_core::{
    AccountId, Action, Budget, EventKind, FoundBy, Fraction, Intent, PlatformState, Policy, Reach, RiskScore,
    Verdict,
};
use serde::{Deserialize, Serialize};

/// Parameters of the restriction.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SearchRestriction {
    /// Share of (adult, child) pairs that it really hides (assumed; the anchors name 27 % and 7 % of exposure before, none after).
    pub effectiveness: Fraction,
}

impl SearchRestriction {
    /// What the measure does, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "hides declared minors from searches of and recommendations to declared adults, for {} of pairs",
            self.effectiveness
        )
    }
}

impl Policy for SearchRestriction {
    fn permit(&self, intent: &Intent, state: &PlatformState<'_>) -> Verdict {
        let offered = match intent.kind {
            EventKind::Exposure => true,
            EventKind::ContactRequest => {
                matches!(FoundBy::of(intent), FoundBy::Search | FoundBy::Suggestion)
            }
            _ => false,
        };
        let hidden = offered
            && from_adult_to_minor(intent, state)
            && in_share("search-restriction", state.platform, intent.actor, intent.peer, self.effectiveness);
        if hidden { Verdict::Refuse } else { Verdict::Permit }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ages::tests::{asks, intent};

    #[test]
    fn an_adult_neither_finds_nor_is_shown_a_minor_but_may_ask_a_friend_of_a_friend() {
        let policy = SearchRestriction { effectiveness: Fraction::new(1.0).unwrap() };
        let request = |found_by: FoundBy, actor, peer| {
            asks(
                &policy,
                &Intent { detail: found_by as u8, ..intent(EventKind::ContactRequest, actor, peer) },
            )
        };
        assert_eq!(request(FoundBy::Search, 0, 2), Verdict::Refuse);
        assert_eq!(request(FoundBy::Suggestion, 0, 2), Verdict::Refuse);
        assert_eq!(request(FoundBy::ContactList, 0, 2), Verdict::Permit);
        assert_eq!(request(FoundBy::Other, 0, 2), Verdict::Permit);
        assert_eq!(request(FoundBy::Search, 1, 2), Verdict::Permit, "an undeclared age");
        assert_eq!(request(FoundBy::Search, 2, 3), Verdict::Permit, "between minors");
        assert_eq!(asks(&policy, &intent(EventKind::Exposure, 0, 2)), Verdict::Refuse);
        let none = SearchRestriction { effectiveness: Fraction::new(0.0).unwrap() };
        assert_eq!(asks(&none, &intent(EventKind::Exposure, 0, 2)), Verdict::Permit);
    }
}
