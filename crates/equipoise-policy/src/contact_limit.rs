//! A cap on contact requests from declared adults to declared minors (measure I2 of the world's design).
//!
//! At most `per_day` such requests of one account become events within any 24 hours, *as far as the platform has heard*: state
//! changes at tick ends only, so the requests of one tick are all judged by the ticks before it and can overshoot the cap once.
//! The measure sees declared ages: an account that declares a wrong age, or none, passes it by. That loophole is the world's to
//! draw and the experiment's to measure; nothing here guesses ages.

use crate::ages::from_adult_to_minor;
use equipoise_core::{
    AccountId, Action, Budget, DAY, Event, EventKind, Intent, PlatformState, Policy, Reach, RiskScore,
    SimTime, Verdict,
};
use serde::{Deserialize, Serialize};

/// Parameters of the cap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ContactLimit {
    /// Requests per account within 24 hours; 0 refuses them all.
    pub per_day: u32,
    /// Whether a request to an account with a shared contact is neither counted nor refused.
    pub mutuals_exempt: bool,
}

impl ContactLimit {
    /// The measure, with nothing heard yet.
    #[must_use]
    pub const fn build(self) -> ContactLimitPolicy {
        ContactLimitPolicy { limit: self, recent: Vec::new() }
    }

    /// What the measure does, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let exempt = if self.mutuals_exempt {
            "; requests to an account with a shared contact are exempt"
        } else {
            ""
        };
        format!(
            "refuses a contact request from a declared adult to a declared minor after {} in 24 hours{exempt}",
            self.per_day
        )
    }
}

/// The cap with what it has heard: per account, the requests of its last 24 hours.
#[derive(Clone, Debug)]
pub struct ContactLimitPolicy {
    limit: ContactLimit,
    /// `recent[actor]`, in the order in which they happened. Whom they count against is decided in `permit`, which sees ages.
    recent: Vec<Vec<Event>>,
}

impl ContactLimitPolicy {
    /// Whether the cap counts this request.
    fn counts(&self, request: &Event, state: &PlatformState<'_>) -> bool {
        from_adult_to_minor(request, state)
            && !(self.limit.mutuals_exempt && shares_a_contact(request, state))
    }

    fn used(&self, actor: AccountId, state: &PlatformState<'_>) -> usize {
        let recent = self.recent.get(actor.index()).map_or(&[][..], Vec::as_slice);
        recent.iter().filter(|past| state.now.since(past.time) < DAY && self.counts(past, state)).count()
    }
}

/// As known when the request was made, where the platform sees it; otherwise as its contact graph says now.
fn shares_a_contact(request: &Event, state: &PlatformState<'_>) -> bool {
    if request.mutuals == Event::UNSEEN {
        state.contacts.mutuals(request.actor, request.peer) > 0
    } else {
        request.mutuals > 0
    }
}

impl Policy for ContactLimitPolicy {
    fn permit(&self, intent: &Intent, state: &PlatformState<'_>) -> Verdict {
        if intent.kind != EventKind::ContactRequest || !self.counts(intent, state) {
            return Verdict::Permit;
        }
        if self.used(intent.actor, state) < self.limit.per_day as usize {
            Verdict::Permit
        } else {
            Verdict::Refuse
        }
    }

    fn act(&mut self, _scores: &[(AccountId, RiskScore)], _budget: Budget) -> Vec<Action> {
        Vec::new()
    }

    fn reach(&self) -> Reach {
        Reach::Nothing
    }

    fn hears(&self, kind: EventKind) -> bool {
        kind == EventKind::ContactRequest
    }

    fn tick_end(&mut self, happened: &[Event]) {
        for request in happened.iter().filter(|e| e.kind == EventKind::ContactRequest && e.actor.is_some()) {
            if self.recent.len() <= request.actor.index() {
                self.recent.resize_with(request.actor.index() + 1, Vec::new);
            }
            let recent = &mut self.recent[request.actor.index()];
            // Later ticks are later in time, so what has left the window of this request will never be counted again.
            let SimTime(horizon) = request.time.plus(-DAY);
            recent.retain(|past| past.time.0 > horizon);
            recent.push(*request);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{AccountProfile, AgeBand, ContactView, HOUR, PlatformId};

    /// Nobody is connected; accounts 0 and 9 share a contact.
    struct Graph;
    impl ContactView for Graph {
        fn connected(&self, _: AccountId, _: AccountId) -> bool {
            false
        }
        fn mutuals(&self, a: AccountId, b: AccountId) -> u32 {
            u32::from((a.0, b.0) == (0, 9))
        }
    }

    /// Account 0 declares an adult age, account 1 none, accounts 2 to 9 an age under 18.
    fn profiles() -> Vec<AccountProfile> {
        let ages = [Some(AgeBand::Adult), None].into_iter().chain([Some(AgeBand::From13To15); 8]);
        ages.map(|declared_age| AccountProfile { declared_age, region: None, created: SimTime(0) }).collect()
    }

    fn request(actor: u32, peer: u32, hour: i32) -> Event {
        Event::new(SimTime(hour * HOUR), AccountId(actor), AccountId(peer), EventKind::ContactRequest)
    }

    fn permits(policy: &impl Policy, intent: &Event) -> bool {
        let profiles = profiles();
        let state = PlatformState {
            platform: PlatformId(0),
            now: intent.time,
            profiles: &profiles,
            contacts: &Graph,
        };
        policy.permit(intent, &state) == Verdict::Permit
    }

    fn capped(per_day: u32, mutuals_exempt: bool, happened: &[Event]) -> ContactLimitPolicy {
        let mut policy = ContactLimit { per_day, mutuals_exempt }.build();
        policy.tick_end(happened);
        policy
    }

    #[test]
    fn the_third_request_within_a_day_is_refused_under_a_cap_of_two() {
        let policy = capped(2, false, &[request(0, 2, 1)]);
        assert!(permits(&policy, &request(0, 3, 2)));
        let policy = capped(2, false, &[request(0, 2, 1), request(0, 3, 2)]);
        assert!(!permits(&policy, &request(0, 4, 3)));
    }

    #[test]
    fn a_request_leaves_the_window_after_exactly_24_hours() {
        let policy = capped(1, false, &[request(0, 2, 1)]);
        let just_before = Event { time: SimTime(25 * HOUR - 1), ..request(0, 3, 0) };
        assert!(!permits(&policy, &just_before));
        assert!(permits(&policy, &request(0, 3, 25)));
    }

    #[test]
    fn forgetting_does_not_touch_the_last_24_hours() {
        let mut policy = capped(2, false, &[request(0, 2, 0), request(0, 3, 10)]);
        policy.tick_end(&[request(0, 4, 30)]);
        assert_eq!(policy.recent[0].len(), 2, "the request of hour 0 is forgotten");
        assert!(!permits(&policy, &request(0, 5, 31)));
    }

    #[test]
    fn only_requests_from_declared_adults_to_declared_minors_are_capped() {
        let policy = capped(0, false, &[]);
        assert!(!permits(&policy, &request(0, 2, 1)));
        assert!(permits(&policy, &request(0, 1, 1)), "to an undeclared age");
        assert!(permits(&policy, &request(1, 2, 1)), "from an undeclared age");
        assert!(permits(&policy, &request(2, 3, 1)), "between minors");
        assert!(permits(&policy, &request(2, 0, 1)), "from a minor to an adult");
        assert!(permits(&policy, &Event { kind: EventKind::Message, ..request(0, 2, 1) }), "a message");
        assert!(permits(&policy, &request(0, 4_000, 1)), "to an account without a profile");
    }

    #[test]
    fn requests_to_others_do_not_use_the_cap_up() {
        let policy = capped(1, false, &[request(0, 1, 1), request(1, 2, 1)]);
        assert!(permits(&policy, &request(0, 2, 2)));
    }

    #[test]
    fn a_shared_contact_exempts_only_if_the_measure_says_so() {
        assert!(!permits(&capped(0, false, &[]), &request(0, 9, 1)));
        assert!(permits(&capped(0, true, &[]), &request(0, 9, 1)));
        assert!(!permits(&capped(0, true, &[]), &request(0, 8, 1)));
        assert!(
            permits(&capped(1, true, &[request(0, 9, 1)]), &request(0, 8, 2)),
            "an exempt request is not counted"
        );
    }

    #[test]
    fn the_count_of_shared_contacts_at_the_request_goes_before_the_graph_of_now() {
        let seen = |mutuals, peer| Event { mutuals, ..request(0, peer, 1) };
        assert!(permits(&capped(0, true, &[]), &seen(3, 8)));
        assert!(!permits(&capped(0, true, &[]), &seen(0, 9)));
    }
}
