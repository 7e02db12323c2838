//! A review queue: the budget goes to the highest scores (measure I6 of the world's design).
//!
//! A score orders the queue and decides nothing. The policy's action is what follows an *upheld* review; the runner passes each
//! selected account through a [`Reviewer`](crate::Reviewer) before it lets the action reach the world.

use equipoise_core::{
    AccountId, Action, Budget, EventKind, Intent, PlatformState, Policy, Reach, RiskScore, SimTime, Verdict,
};
use serde::{Deserialize, Serialize};

/// Picks accounts for review, highest score first, ties by account number, each account once in its life.
#[derive(Clone, Debug, Default)]
pub struct ReviewQueue {
    /// `reviewed[account]`.
    reviewed: Vec<bool>,
    /// Kept between calls so that a daily queue allocates once.
    waiting: Vec<(RiskScore, AccountId)>,
}

impl ReviewQueue {
    /// A queue that has reviewed nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The accounts to review now: at most `budget`, none that was selected before, in the order of review.
    ///
    /// The order of `scores` does not matter. An account given twice counts once, by its higher score.
    pub fn select(&mut self, scores: &[(AccountId, RiskScore)], budget: Budget) -> Vec<AccountId> {
        self.waiting.clear();
        let reviewed = &self.reviewed;
        let is_new = |account: AccountId| !reviewed.get(account.index()).copied().unwrap_or(false);
        let candidates = scores.iter().filter(|(account, _)| account.is_some() && is_new(*account));
        self.waiting.extend(candidates.map(|&(account, score)| (score, account)));
        let order =
            |a: &(RiskScore, AccountId), b: &(RiskScore, AccountId)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
        // Only the front is put in order; accounts that are given twice may make it too short.
        let mut front = (budget.0 as usize).min(self.waiting.len());
        if front > 0 && front < self.waiting.len() {
            self.waiting.select_nth_unstable_by(front - 1, order);
        }
        self.waiting[..front].sort_unstable_by(order);
        let mut selected = Vec::new();
        let mut at = 0;
        while at < self.waiting.len() && selected.len() < budget.0 as usize {
            if at == front {
                self.waiting[front..].sort_unstable_by(order);
                front = self.waiting.len();
            }
            let (_, account) = self.waiting[at];
            at += 1;
            if self.reviewed.len() <= account.index() {
                self.reviewed.resize(account.index() + 1, false);
            }
            if !std::mem::replace(&mut self.reviewed[account.index()], true) {
                selected.push(account);
            }
        }
        selected
    }

    /// Whether the account was selected before.
    #[must_use]
    pub fn has_reviewed(&self, account: AccountId) -> bool {
        self.reviewed.get(account.index()).copied().unwrap_or(false)
    }
}

/// What follows an upheld review.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueAction {
    /// New contacts are slowed down.
    Friction,
    /// New contacts are stopped.
    ContactFreeze,
    /// The account is closed.
    Ban,
}

impl QueueAction {
    /// The action about `account`.
    #[must_use]
    pub const fn about(self, account: AccountId) -> Action {
        match self {
            Self::Friction => Action::Friction(account),
            Self::ContactFreeze => Action::ContactFreeze(account),
            Self::Ban => Action::Ban(account),
        }
    }
}

/// Parameters of the measure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReviewQueueSpec {
    /// What follows an upheld review.
    pub action: QueueAction,
}

impl ReviewQueueSpec {
    /// What the measure does, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let action = match self.action {
            QueueAction::Friction => "slows new contacts down",
            QueueAction::ContactFreeze => "stops new contacts",
            QueueAction::Ban => "closes the account",
        };
        format!(
            "reviews the highest scores as far as the budget goes, each account once; an upheld review {action}"
        )
    }
}

/// A [`ReviewQueue`] as a protective measure: permits every intent, spends the budget in `act`.
#[derive(Clone, Debug)]
pub struct ReviewPolicy {
    spec: ReviewQueueSpec,
    queue: ReviewQueue,
}

impl ReviewPolicy {
    /// The measure, with nobody reviewed yet.
    #[must_use]
    pub fn new(spec: ReviewQueueSpec) -> Self {
        Self { spec, queue: ReviewQueue::new() }
    }
}

impl Policy for ReviewPolicy {
    fn permit(&self, _intent: &Intent, _state: &PlatformState<'_>) -> Verdict {
        Verdict::Permit
    }

    fn act(&mut self, scores: &[(AccountId, RiskScore)], budget: Budget) -> Vec<Action> {
        self.queue.select(scores, budget).into_iter().map(|account| self.spec.action.about(account)).collect()
    }

    fn reach(&self) -> Reach {
        Reach::Nothing
    }

    fn hears(&self, _kind: EventKind) -> bool {
        false
    }

    fn reviews(&self, _now: SimTime) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scores(pairs: &[(u32, f32)]) -> Vec<(AccountId, RiskScore)> {
        pairs.iter().map(|&(account, score)| (AccountId(account), RiskScore::new(score))).collect()
    }

    fn ids(accounts: &[AccountId]) -> Vec<u32> {
        accounts.iter().map(|account| account.0).collect()
    }

    #[test]
    fn the_highest_scores_come_first_and_ties_go_by_account_number() {
        let selected =
            ReviewQueue::new().select(&scores(&[(5, 0.5), (3, 0.9), (1, 0.5), (8, 0.1)]), Budget(3));
        assert_eq!(ids(&selected), [3, 1, 5]);
    }

    #[test]
    fn an_account_is_reviewed_once_however_high_it_scores_later() {
        let mut queue = ReviewQueue::new();
        assert_eq!(ids(&queue.select(&scores(&[(1, 0.9), (2, 0.2)]), Budget(1))), [1]);
        assert_eq!(ids(&queue.select(&scores(&[(1, 1.0), (2, 0.2)]), Budget(5))), [2]);
        assert!(queue.select(&scores(&[(1, 1.0), (2, 1.0)]), Budget(5)).is_empty());
        assert!(queue.has_reviewed(AccountId(2)) && !queue.has_reviewed(AccountId(3)));
    }

    #[test]
    fn an_account_that_missed_the_budget_waits_for_the_next() {
        let mut queue = ReviewQueue::new();
        assert!(queue.select(&scores(&[(1, 0.9)]), Budget(0)).is_empty());
        assert_eq!(ids(&queue.select(&scores(&[(1, 0.9)]), Budget(1))), [1]);
    }

    #[test]
    fn an_account_given_twice_counts_once_by_its_higher_score() {
        let selected = ReviewQueue::new().select(&scores(&[(1, 0.1), (2, 0.5), (1, 0.8)]), Budget(3));
        assert_eq!(ids(&selected), [1, 2]);
    }

    #[test]
    fn the_place_of_no_account_is_never_reviewed() {
        assert!(ReviewQueue::new().select(&[(AccountId::NONE, RiskScore::new(1.0))], Budget(1)).is_empty());
    }

    proptest! {
        #[test]
        fn nobody_left_out_scores_higher_than_anybody_selected(
            values in prop::collection::vec(0_u8..20, 1..60), budget in 0_u32..70,
        ) {
            let given: Vec<(AccountId, RiskScore)> =
                (0..).zip(&values).map(|(a, &v)| (AccountId(a), RiskScore::new(f32::from(v) / 20.0))).collect();
            let selected = ReviewQueue::new().select(&given, Budget(budget));
            prop_assert_eq!(selected.len(), values.len().min(budget as usize));
            let score = |account: AccountId| given[account.index()].1;
            let lowest = selected.iter().map(|&a| score(a)).min();
            let left_out = given.iter().filter(|(a, _)| !selected.contains(a)).map(|&(_, s)| s).max();
            prop_assert!(lowest.is_none() || left_out.is_none() || left_out <= lowest);
        }
    }
}
