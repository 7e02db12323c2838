//! The desk of a platform's reviewers: what waits, what was decided, what follows, and appeals.
//!
//! A case is opened for an account by a score or by a signal, decided after a delay by the simulated [`Reviewer`], and
//! acted on from then if it was upheld. Whoever was acted on may appeal; a second review takes the action back, more often if it was
//! wrong. Truth reaches the desk as one bit a case, from the caller. A case of the score that is not upheld follows nothing.

use crate::{Review, Reviewer};
use equipoise_core::{AccountRef, Action, DAY, Draw, Fraction, PlatformId, Seed, SimTime};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Appeals.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Appeal {
    /// Chance that somebody who was acted on appeals (assumed).
    pub files: Fraction,
    /// Chance that the appeal of a harmless account succeeds (assumed).
    pub lifts_wrong: Fraction,
    /// Chance that the appeal of any other succeeds (assumed).
    pub lifts_right: Fraction,
    /// Days from the action to the answer (assumed).
    pub days: u16,
}

/// What reviews a platform can afford, and how good they are.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReviewRules {
    /// Reviews at each decision on each platform; 0 is no review.
    pub capacity: u32,
    /// Days between decisions.
    pub every_days: u16,
    /// How good and how fast reviews are.
    pub reviewer: Reviewer,
    /// Appeals against actions.
    pub appeal: Appeal,
}

/// Why a case was opened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opened {
    /// By a score.
    Score,
    /// By another platform's signal.
    Signal,
}

/// One case, from its opening to the end of what followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Case {
    /// The account.
    pub account: AccountRef,
    /// What was due if the review agreed.
    pub action: Action,
    /// Why.
    pub opened: Opened,
    /// When it was opened.
    pub opened_at: SimTime,
    /// When it was decided.
    pub decided_at: SimTime,
    /// Whether the review agreed.
    pub upheld: bool,
    /// When the action was taken back after an appeal.
    pub lifted_at: Option<SimTime>,
}

/// Cases of all platforms.
#[derive(Clone, Debug)]
pub struct Desk {
    rules: ReviewRules,
    seed: Seed,
    cases: Vec<Case>,
    /// (when, case, whether it is the end of the action).
    due: BTreeMap<(SimTime, usize, bool), Action>,
    /// (when, case) of decisions that nobody was told of yet.
    undecided: BTreeSet<(SimTime, usize)>,
}

impl Desk {
    /// A desk without cases; draws are addressed by account below `seed`.
    #[must_use]
    pub const fn new(rules: ReviewRules, seed: Seed) -> Self {
        Self { rules, seed, cases: Vec::new(), due: BTreeMap::new(), undecided: BTreeSet::new() }
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> &ReviewRules {
        &self.rules
    }

    /// All cases so far, in the order of opening.
    #[must_use]
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Opens a case; `harmful` is the one bit of truth that a reviewer is handed.
    pub fn open(&mut self, account: AccountRef, action: Action, opened: Opened, harmful: bool, now: SimTime) {
        let place = u64::from(account.platform.0) << 32 | u64::from(account.account.0);
        let address = self.seed.derive("case", place).derive("opened", opened as u64);
        let Review { upheld, delay_seconds } = self.rules.reviewer.decide(harmful, address);
        let decided_at = now.plus(delay_seconds);
        let number = self.cases.len();
        let mut lifted_at = None;
        if upheld {
            self.due.insert((decided_at, number, false), action);
            let appeal = &self.rules.appeal;
            let mut rng = address.derive("appeal", 0).rng();
            let (files, draw) = (rng.chance(appeal.files.get()), rng.uniform());
            let succeeds = if harmful { appeal.lifts_right } else { appeal.lifts_wrong };
            if files && draw < succeeds.get() {
                let at = decided_at.plus(i32::from(appeal.days).saturating_mul(DAY));
                self.due.insert((at, number, true), Action::Reinstate(account.account));
                lifted_at = Some(at);
            }
        }
        self.cases.push(Case { account, action, opened, opened_at: now, decided_at, upheld, lifted_at });
        self.undecided.insert((decided_at, number));
    }

    /// Takes the cases that were decided by `now`, upheld or not, each once, in the order of time.
    pub fn take_decided(&mut self, now: SimTime) -> Vec<Case> {
        let later = self.undecided.split_off(&(now.plus(1), 0));
        let decided = std::mem::replace(&mut self.undecided, later);
        decided.into_iter().map(|(_, number)| self.cases[number]).collect()
    }

    /// Takes what is due by `now`: (platform, action, number of the case), in the order of time.
    pub fn take_due(&mut self, now: SimTime) -> Vec<(PlatformId, Action, usize)> {
        let mut taken = Vec::new();
        while let Some(entry) = self.due.first_entry() {
            let (at, number, _) = *entry.key();
            if at > now {
                break;
            }
            taken.push((self.cases[number].account.platform, entry.remove(), number));
        }
        taken
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use equipoise_core::AccountId;

    pub(crate) fn rules(sensitivity: f64, appeals: f64) -> ReviewRules {
        let share = |value| Fraction::new(value).unwrap();
        ReviewRules {
            capacity: 5,
            every_days: 1,
            reviewer: Reviewer::new(share(sensitivity), share(1.0), 6.0, 0.0).unwrap(),
            appeal: Appeal {
                files: share(appeals),
                lifts_wrong: share(1.0),
                lifts_right: share(1.0),
                days: 3,
            },
        }
    }

    fn account(id: u32) -> AccountRef {
        AccountRef { platform: PlatformId(1), account: AccountId(id) }
    }

    #[test]
    fn an_upheld_case_is_acted_on_after_the_delay_and_lifted_after_the_appeal() {
        let mut desk = Desk::new(rules(1.0, 1.0), Seed::root(1));
        let freeze = Action::ContactFreeze(AccountId(4));
        desk.open(account(4), freeze, Opened::Score, true, SimTime::from_days(2));
        assert!(desk.take_due(SimTime(2 * DAY + 5 * 3_600)).is_empty());
        assert_eq!(desk.take_due(SimTime(2 * DAY + 6 * 3_600)), [(PlatformId(1), freeze, 0)]);
        let lifted = SimTime(5 * DAY + 6 * 3_600);
        assert_eq!(desk.take_due(lifted), [(PlatformId(1), Action::Reinstate(AccountId(4)), 0)]);
        assert_eq!(desk.cases()[0].lifted_at, Some(lifted));
    }

    #[test]
    fn a_decision_is_told_once_and_not_before_it_was_made_upheld_or_not() {
        let mut desk = Desk::new(rules(1.0, 0.0), Seed::root(1));
        for (id, harmful) in [(4, true), (5, false)] {
            let friction = Action::Friction(AccountId(id));
            desk.open(account(id), friction, Opened::Score, harmful, SimTime::from_days(2));
        }
        let at = 2 * DAY + 6 * 3_600;
        assert!(desk.take_decided(SimTime(at - 1)).is_empty());
        let told: Vec<(u32, bool)> =
            desk.take_decided(SimTime(at)).iter().map(|case| (case.account.account.0, case.upheld)).collect();
        assert_eq!(told, [(4, true), (5, false)]);
        assert!(desk.take_decided(SimTime::from_days(99)).is_empty());
    }

    #[test]
    fn what_is_not_upheld_follows_nothing() {
        let mut desk = Desk::new(rules(1.0, 1.0), Seed::root(1));
        desk.open(account(4), Action::Ban(AccountId(4)), Opened::Score, false, SimTime(0));
        assert!(desk.take_due(SimTime::from_days(99)).is_empty() && !desk.cases()[0].upheld);
    }
}
