//! The literal rule: many new contacts with declared minors in one day, few of them accepted.
//!
//! It counts *every* contact, not the sample, so it stands outside the rows and the bound on reads does not cover it: a
//! baseline to compare with, not an input to a model under differential privacy.

use equipoise_core::AccountId;

/// The two numbers of the literal rule for one account, over everything before the cut-off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LiteralRule {
    /// The most distinct declared minors that the account contacted for the first time within one day.
    pub max_new_minor_contacts: u32,
    /// Contact requests sent, to anybody.
    pub requests_sent: u32,
    /// How many of them were accepted.
    pub requests_accepted: u32,
}

impl LiteralRule {
    /// Share of the account's requests that were accepted, 0 to 1; `None` if it sent none.
    #[must_use]
    pub fn accept_rate(&self) -> Option<f64> {
        (self.requests_sent > 0)
            .then(|| (f64::from(self.requests_accepted) / f64::from(self.requests_sent)).min(1.0))
    }
}

/// The rule's counters of one account.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleCounter {
    pub(crate) rule: LiteralRule,
    day: i32,
    today: u32,
    /// Every declared minor that the account has turned to, sorted.
    minors: Vec<u32>,
}

impl RuleCounter {
    /// Notes that the account turned to a declared minor; `counts` is false for a mere answer to the minor's request.
    pub(crate) fn turn_to_minor(&mut self, minor: AccountId, day: i32, counts: bool) {
        let Err(at) = self.minors.binary_search(&minor.0) else { return };
        self.minors.insert(at, minor.0);
        if !counts {
            return;
        }
        if self.day != day {
            (self.day, self.today) = (day, 0);
        }
        self.today += 1;
        self.rule.max_new_minor_contacts = self.rule.max_new_minor_contacts.max(self.today);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_counts_once_and_days_do_not_add_up() {
        let mut counter = RuleCounter::default();
        for (minor, day, counts) in
            [(1, 0, true), (2, 0, true), (1, 0, true), (3, 1, true), (4, 1, false), (4, 1, true)]
        {
            counter.turn_to_minor(AccountId(minor), day, counts);
        }
        assert_eq!(counter.rule.max_new_minor_contacts, 2);
    }

    #[test]
    fn the_accept_rate_of_no_request_is_unknown() {
        assert_eq!(LiteralRule::default().accept_rate(), None);
        let rule = LiteralRule { max_new_minor_contacts: 0, requests_sent: 4, requests_accepted: 1 };
        assert_eq!(rule.accept_rate(), Some(0.25));
    }
}
