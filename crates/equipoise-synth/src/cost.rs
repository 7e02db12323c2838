//! What measures cost those who use a platform, counted by account. Nothing here knows who is harmless: the runner joins
//! these counts with truth, by group. Kept for one run, on the side of the simulation; no platform exports them.

use equipoise_core::Verdict;

/// Counts of one account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AccountCost {
    /// Intents that a policy refused, or that were not gone on with after its warning.
    pub refused: u32,
    /// Warnings of a policy.
    pub warned: u32,
    /// Contact requests that an earlier action (friction, freeze) held up.
    pub held: u32,
    /// Warnings of the filter on a child's device about media of dyads without a harmful pattern.
    pub false_alarms: u32,
    /// Media with such a warning that were not sent.
    pub media_lost: u32,
    /// Reports that were filed because the platform asked after a block.
    pub prompted_reports: u32,
}

/// A counter of [`AccountCost`].
pub(crate) type Field = fn(&mut AccountCost) -> &mut u32;

/// Names of the counters.
#[derive(Debug)]
pub(crate) struct Cost;

#[allow(non_upper_case_globals, reason = "they stand for fields")]
impl Cost {
    pub(crate) const held: Field = |cost| &mut cost.held;
    pub(crate) const false_alarms: Field = |cost| &mut cost.false_alarms;
    pub(crate) const media_lost: Field = |cost| &mut cost.media_lost;
    pub(crate) const prompted: Field = |cost| &mut cost.prompted_reports;
}

/// Counts by account of one platform; grows as accounts are first counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Costs(pub(crate) Vec<AccountCost>);

impl Costs {
    pub(crate) fn add(&mut self, account: u32, field: Field) {
        if self.0.len() <= account as usize {
            self.0.resize(account as usize + 1, AccountCost::default());
        }
        *field(&mut self.0[account as usize]) += 1;
    }

    /// Counts what a policy said.
    #[inline]
    pub(crate) fn note(&mut self, account: u32, verdict: Verdict, goes_on: bool) {
        if verdict == Verdict::Permit {
            return;
        }
        if verdict == Verdict::Warn {
            self.add(account, |cost| &mut cost.warned);
        }
        if !goes_on {
            self.add(account, |cost| &mut cost.refused);
        }
    }
}

impl crate::simulation::Live {
    pub(crate) fn cost(&mut self, account: u32, field: Field) {
        self.costs.add(account, field);
    }

    pub(crate) fn cost_of(&mut self, account: u32, verdict: Verdict, goes_on: bool) {
        self.costs.note(account, verdict, goes_on);
    }
}
