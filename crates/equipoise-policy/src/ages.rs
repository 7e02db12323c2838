//! What measures may know of ages: the bands that accounts declared, where the platform asks.

use equipoise_core::{AccountId, AccountProfile, AgeBand, Intent, PlatformState};

/// The declared age of an account, if the platform asks for it.
pub(crate) fn declared(profiles: &[AccountProfile], account: AccountId) -> Option<AgeBand> {
    profiles.get(account.index())?.declared_age
}

/// Whether a declared adult acts towards a declared minor.
pub(crate) fn from_adult_to_minor(intent: &Intent, state: &PlatformState<'_>) -> bool {
    declared(state.profiles, intent.actor) == Some(AgeBand::Adult)
        && declared(state.profiles, intent.peer).is_some_and(AgeBand::is_minor)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use equipoise_core::{ContactView, Event, EventKind, PlatformId, Policy, SimTime, Verdict};

    /// Accounts 2 and 3 are in contact; 0 and 9 share a contact.
    struct Graph;
    impl ContactView for Graph {
        fn connected(&self, a: AccountId, b: AccountId) -> bool {
            (a.0.min(b.0), a.0.max(b.0)) == (2, 3)
        }
        fn mutuals(&self, a: AccountId, b: AccountId) -> u32 {
            u32::from((a.0, b.0) == (0, 9))
        }
    }

    /// An intent of one hour past the start.
    pub(crate) fn intent(kind: EventKind, actor: u32, peer: u32) -> Intent {
        Event::new(SimTime(3_600), AccountId(actor), AccountId(peer), kind)
    }

    /// Asks a policy in a world where account 0 declares an adult age, 1 none, 2 to 9 an age under 18.
    pub(crate) fn asks(policy: &dyn Policy, intent: &Intent) -> Verdict {
        let ages = [Some(AgeBand::Adult), None].into_iter().chain([Some(AgeBand::From13To15); 8]);
        let profiles: Vec<AccountProfile> = ages
            .map(|declared_age| AccountProfile { declared_age, region: None, created: SimTime(0) })
            .collect();
        let state = PlatformState {
            platform: PlatformId(0),
            now: intent.time,
            profiles: &profiles,
            contacts: &Graph,
        };
        policy.permit(intent, &state)
    }
}
