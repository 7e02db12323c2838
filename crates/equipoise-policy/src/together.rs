//! Measures that stand together on one platform, each from its own day on.
//!
//! The strictest verdict counts (refuse, warn, permit), so their order does not matter to what happens; reviews are spent in
//! order within the budget, each account once. Together with nobody, it is no measure at all.

use equipoise_core::{
    AccountId, Action, Budget, DAY, Event, EventKind, Intent, Levers, PlatformState, Policy, Reach,
    RiskScore, SimTime, Verdict,
};

/// A measure and the day from which it holds: 0 is by design, later is a retrofit.
pub struct Since {
    /// The first day.
    pub day: u16,
    /// The measure.
    pub policy: Box<dyn Policy>,
}

impl std::fmt::Debug for Since {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Since").field("day", &self.day).finish_non_exhaustive()
    }
}

impl Since {
    fn holds(&self, now: SimTime) -> bool {
        now.0 >= i32::from(self.day) * DAY
    }
}

/// Measures together.
#[derive(Debug, Default)]
pub struct Together {
    measures: Vec<Since>,
    /// The end of the last tick that was heard of: what `act` takes for now.
    now: SimTime,
}

impl Together {
    /// The measures together.
    #[must_use]
    pub fn new(measures: Vec<Since>) -> Self {
        Self { measures, now: SimTime(0) }
    }
}

const fn strictness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Permit => 0,
        Verdict::Warn => 1,
        Verdict::Refuse => 2,
    }
}

impl Policy for Together {
    fn permit(&self, intent: &Intent, state: &PlatformState<'_>) -> Verdict {
        let holding = self.measures.iter().filter(|one| one.holds(state.now));
        holding
            .map(|one| one.policy.permit(intent, state))
            .max_by_key(|verdict| strictness(*verdict))
            .unwrap_or(Verdict::Permit)
    }

    fn act(&mut self, scores: &[(AccountId, RiskScore)], budget: Budget) -> Vec<Action> {
        let mut actions: Vec<Action> = Vec::new();
        for one in &mut self.measures {
            let left = Budget(budget.0.saturating_sub(u32::try_from(actions.len()).unwrap_or(u32::MAX)));
            if one.holds(self.now) && left.0 > 0 {
                let new = one.policy.act(scores, left);
                let spoken = |action: &Action| {
                    actions
                        .iter()
                        .any(|earlier| crate::laws::subject(*earlier) == crate::laws::subject(*action))
                };
                let fresh: Vec<Action> = new.into_iter().filter(|action| !spoken(action)).collect();
                actions.extend(fresh);
            }
        }
        actions
    }

    fn tick_end(&mut self, happened: &[Event]) {
        self.measures.iter_mut().for_each(|one| one.policy.tick_end(happened));
    }

    fn hears(&self, kind: EventKind) -> bool {
        self.measures.iter().any(|one| one.policy.hears(kind))
    }

    fn reach(&self) -> Reach {
        self.measures.iter().map(|one| one.policy.reach()).max().unwrap_or(Reach::Nothing)
    }

    fn levers(&self, now: SimTime) -> Levers {
        let holding = self.measures.iter().filter(|one| one.holds(now));
        holding.fold(Levers::default(), |levers, one| levers.or(one.policy.levers(now)))
    }

    fn reviews(&self, now: SimTime) -> bool {
        self.measures.iter().any(|one| one.holds(now) && one.policy.reviews(now))
    }

    fn shares_signals(&self, now: SimTime) -> bool {
        self.measures.iter().any(|one| one.holds(now) && one.policy.shares_signals(now))
    }

    fn signalled(&mut self, accounts: &[AccountId], now: SimTime) -> Vec<Action> {
        let holding = self.measures.iter_mut().find(|one| one.holds(now) && one.policy.shares_signals(now));
        holding.map_or_else(Vec::new, |one| one.policy.signalled(accounts, now))
    }

    fn clock(&mut self, now: SimTime) {
        self.now = now;
        self.measures.iter_mut().for_each(|one| one.policy.clock(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ages::tests::intent;
    use crate::{ContactLimit, PolicySpec, QueueAction, ReviewQueueSpec};
    use equipoise_core::{AccountProfile, AgeBand, ContactView, PlatformId};

    struct Nobody;
    impl ContactView for Nobody {
        fn connected(&self, _: AccountId, _: AccountId) -> bool {
            false
        }
        fn mutuals(&self, _: AccountId, _: AccountId) -> u32 {
            0
        }
    }

    /// A limit of nothing from day 30 and a queue from day 60, asked on a day.
    fn on(day: i32) -> (Verdict, usize, bool) {
        let limit = PolicySpec::ContactLimit(ContactLimit { per_day: 0, mutuals_exempt: false });
        let queue = PolicySpec::ReviewQueue(ReviewQueueSpec { action: QueueAction::Ban });
        let mut both = Together::new(vec![
            Since { day: 30, policy: limit.build() },
            Since { day: 60, policy: queue.build() },
        ]);
        let now = SimTime::from_days(day);
        both.clock(now);
        let ages = [AgeBand::Adult, AgeBand::From13To15];
        let profiles =
            ages.map(|age| AccountProfile { declared_age: Some(age), region: None, created: SimTime(0) });
        let state = PlatformState { platform: PlatformId(0), now, profiles: &profiles, contacts: &Nobody };
        let verdict = both.permit(&intent(EventKind::ContactRequest, 0, 1), &state);
        let actions = both.act(&[(AccountId(0), RiskScore::new(0.9))], Budget(1));
        (verdict, actions.len(), both.reviews(now))
    }

    #[test]
    fn a_measure_does_nothing_before_its_day_and_all_it_does_from_then_on() {
        assert_eq!(on(29), (Verdict::Permit, 0, false));
        assert_eq!(on(30), (Verdict::Refuse, 0, false));
        assert_eq!(on(59), (Verdict::Refuse, 0, false));
        assert_eq!(on(60), (Verdict::Refuse, 1, true));
    }
}
