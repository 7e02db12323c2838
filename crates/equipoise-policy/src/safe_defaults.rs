//! Safe defaults for children's accounts (measure I4 of the world's design): the six items of a regulator's 2023 draft as the
//! press quoted them.
//!
//! | item | what it does here |
//! |---|---|
//! | children are not suggested to others | no such recommendation, no request out of one |
//! | others are not suggested to children | the same, the other way round |
//! | children are not visible in others' connection lists | no request to a child that began at a contact list, |
//! | children's own lists are hidden | be it another's or the child's: the world does not tell the two apart, either hides both |
//! | no direct messages from accounts not in contact | such messages are refused; in these worlds nobody writes directly before a request is accepted, so it changes nothing here |
//! | location hidden | `not-modelled`: nothing in these worlds is chosen by region, so hiding it has no causal path |
//!
//! It holds for accounts that declare an age under 18, except the share that opted out. Others are anybody: the items do
//! not ask who looks, so friends' lists are closed to other children too (see what it costs newcomers).

use crate::ages::declared;
use crate::share::in_share;
use equipoise_core::{
    AccountId, Action, AgeBand, Budget, EventKind, FoundBy, Fraction, Intent, PlatformState, Policy, Reach,
    RiskScore, Surface, Verdict,
};
use serde::{Deserialize, Serialize};

/// What the sixth item can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Location {
    /// Nothing in these worlds depends on who sees a region.
    NotModelled,
}

/// Parameters of the defaults, item by item.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SafeDefaults {
    /// Children are not suggested to others.
    pub not_suggested: bool,
    /// Others are not suggested to children.
    pub no_suggestions: bool,
    /// Children are not visible in others' connection lists.
    pub not_listed: bool,
    /// Children's own lists are hidden.
    pub lists_hidden: bool,
    /// No direct messages from accounts that are not in contact.
    pub no_messages_from_strangers: bool,
    /// The location default.
    pub location: Location,
    /// Share of children's accounts that switched the defaults off (design: 0.2; assumed).
    pub opt_out: Fraction,
}

impl SafeDefaults {
    /// What the measure does, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let items = [
            (self.not_suggested, "not suggested to others"),
            (self.no_suggestions, "no suggestions to them"),
            (self.not_listed, "not in others' lists"),
            (self.lists_hidden, "own lists hidden"),
            (self.no_messages_from_strangers, "no messages from strangers"),
        ];
        let on: Vec<&str> = items.iter().filter(|(on, _)| *on).map(|(_, what)| *what).collect();
        format!(
            "for accounts that declare an age under 18, {} opted out: {}; location: not modelled",
            self.opt_out,
            if on.is_empty() { "nothing".to_owned() } else { on.join(", ") }
        )
    }

    fn holds(&self, account: AccountId, state: &PlatformState<'_>) -> bool {
        declared(state.profiles, account).is_some_and(AgeBand::is_minor)
            && !in_share("safe-defaults", state.platform, account, account, self.opt_out)
    }
}

impl Policy for SafeDefaults {
    fn permit(&self, intent: &Intent, state: &PlatformState<'_>) -> Verdict {
        let suggested = (self.not_suggested, self.no_suggestions);
        let listed = (self.not_listed || self.lists_hidden, false);
        let (of_peer, of_actor) = match (intent.kind, FoundBy::of(intent)) {
            (EventKind::Exposure, _) | (EventKind::ContactRequest, FoundBy::Suggestion) => suggested,
            (EventKind::ContactRequest, FoundBy::ContactList) => listed,
            (EventKind::Message, _)
                if intent.surface == Surface::Direct
                    && self.no_messages_from_strangers
                    && !state.contacts.connected(intent.actor, intent.peer) =>
            {
                (true, false)
            }
            _ => return Verdict::Permit,
        };
        let refuses =
            (of_peer && self.holds(intent.peer, state)) || (of_actor && self.holds(intent.actor, state));
        if refuses { Verdict::Refuse } else { Verdict::Permit }
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

    fn all(opt_out: f64) -> SafeDefaults {
        SafeDefaults {
            not_suggested: true,
            no_suggestions: true,
            not_listed: true,
            lists_hidden: true,
            no_messages_from_strangers: true,
            location: Location::NotModelled,
            opt_out: Fraction::new(opt_out).unwrap(),
        }
    }

    fn request(found_by: FoundBy, actor: u32, peer: u32) -> Intent {
        Intent { detail: found_by as u8, ..intent(EventKind::ContactRequest, actor, peer) }
    }

    #[test]
    fn each_item_refuses_what_it_says_and_nothing_else() {
        let policy = all(0.0);
        assert_eq!(asks(&policy, &request(FoundBy::Suggestion, 1, 2)), Verdict::Refuse);
        assert_eq!(asks(&policy, &request(FoundBy::Suggestion, 2, 0)), Verdict::Refuse);
        assert_eq!(asks(&policy, &request(FoundBy::ContactList, 0, 2)), Verdict::Refuse);
        assert_eq!(asks(&policy, &request(FoundBy::ContactList, 2, 0)), Verdict::Permit);
        assert_eq!(asks(&policy, &request(FoundBy::Search, 0, 2)), Verdict::Permit);
        assert_eq!(asks(&policy, &intent(EventKind::Message, 0, 2)), Verdict::Refuse);
        assert_eq!(asks(&policy, &intent(EventKind::Message, 3, 2)), Verdict::Permit, "in contact");
        let lobby = Intent { surface: Surface::Lobby, ..intent(EventKind::Message, 0, 2) };
        assert_eq!(asks(&policy, &lobby), Verdict::Permit);
        let one = SafeDefaults { not_suggested: false, ..policy };
        assert_eq!(asks(&one, &request(FoundBy::Suggestion, 1, 2)), Verdict::Permit);
        assert_eq!(asks(&one, &intent(EventKind::Exposure, 2, 0)), Verdict::Refuse);
    }

    #[test]
    fn whoever_opted_out_or_declares_no_age_under_18_is_not_covered() {
        assert_eq!(asks(&all(1.0), &request(FoundBy::Suggestion, 1, 2)), Verdict::Permit);
        assert_eq!(asks(&all(0.0), &request(FoundBy::Suggestion, 0, 1)), Verdict::Permit);
    }

    #[test]
    fn the_location_default_is_said_not_to_be_modelled() {
        assert!(all(0.2).describe().ends_with("location: not modelled"));
    }
}
