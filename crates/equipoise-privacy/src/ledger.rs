//! The ledger: every release that touches private data debits it, and a release that would overdraw is refused *before*
//! it runs.
//!
//! One ledger is one budget for one data set: models, metrics, scalers and thresholds all stand in it. The events are
//! composed by the Renyi accountant under its fixed orders, so the total is smaller than the sum of the entries. It is an epsilon for one unit,
//! that of the claims; what events without a claim are for is the caller's to see to.

use crate::{DpEvent, EpsilonAt, PrivacyClaim, RdpAccountant};
use equipoise_core::{Delta, Epsilon};
use serde::{Deserialize, Serialize};

/// One release.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LedgerEntry {
    /// What was released, in the user's words.
    pub release: String,
    /// What it did.
    pub event: DpEvent,
    /// What its mechanism claimed, if anything.
    pub claim: Option<PrivacyClaim>,
}

/// A release that was refused.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The budget would not cover it.
    #[error(
        "releasing {release} would spend epsilon {would_be} of a budget of {budget} at delta {delta}; the release must not run"
    )]
    Overdrawn {
        /// What was to be released.
        release: String,
        /// The total that it would come to.
        would_be: f64,
        /// The budget.
        budget: Epsilon,
        /// At this delta.
        delta: Delta,
    },
    /// An epsilon for one unit and one for another add up to an epsilon for nothing.
    #[error(
        "releasing {release} is claimed for {asked}, and this ledger keeps books for {kept}; give each unit its own ledger"
    )]
    Units {
        /// What was to be released.
        release: String,
        /// The unit that it is claimed for.
        asked: &'static str,
        /// The unit of earlier claims.
        kept: &'static str,
    },
}

/// A budget and what was spent of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ledger {
    budget: Epsilon,
    delta: Delta,
    entries: Vec<LedgerEntry>,
}

impl Ledger {
    /// An empty ledger. An infinite `budget` keeps books without refusing anything.
    #[must_use]
    pub const fn new(budget: Epsilon, delta: Delta) -> Self {
        Self { budget, delta, entries: Vec::new() }
    }

    /// The budget.
    #[must_use]
    pub const fn budget(&self) -> Epsilon {
        self.budget
    }

    /// The delta at which it is spent.
    #[must_use]
    pub const fn delta(&self) -> Delta {
        self.delta
    }

    /// The releases, in order.
    #[must_use]
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.entries
    }

    fn accountant(&self) -> RdpAccountant {
        let mut accountant = RdpAccountant::new();
        self.entries.iter().for_each(|entry| accountant.compose(&entry.event, 1));
        accountant
    }

    /// What all entries cost together.
    #[must_use]
    pub fn spent(&self) -> EpsilonAt {
        self.accountant().epsilon(self.delta)
    }

    /// What all entries and `event` would cost together: ask before running a release.
    #[must_use]
    pub fn would_spend(&self, event: &DpEvent) -> EpsilonAt {
        let mut accountant = self.accountant();
        accountant.compose(event, 1);
        accountant.epsilon(self.delta)
    }

    /// Enters a release, before it runs. Returns the new total.
    ///
    /// # Errors
    /// If the budget does not cover it, or its claim is for another unit than earlier claims; the ledger is then unchanged and the release
    /// must not run.
    pub fn debit(
        &mut self,
        release: impl Into<String>,
        event: DpEvent,
        claim: Option<PrivacyClaim>,
    ) -> Result<EpsilonAt, LedgerError> {
        let (release, total) = (release.into(), self.would_spend(&event));
        let kept = self.entries.iter().find_map(|entry| entry.claim.as_ref()).map(|claim| claim.unit);
        if let (Some(kept), Some(asked)) = (kept, claim.as_ref().map(|claim| claim.unit))
            && kept != asked
        {
            return Err(LedgerError::Units { release, asked: asked.name(), kept: kept.name() });
        }
        if total.epsilon > self.budget.get() {
            let (would_be, budget, delta) = (total.epsilon, self.budget, self.delta);
            return Err(LedgerError::Overdrawn { release, would_be, budget, delta });
        }
        self.entries.push(LedgerEntry { release, event, claim });
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(budget: Epsilon) -> Ledger {
        Ledger::new(budget, Delta::new(1e-5).unwrap())
    }

    fn steps(steps: u32) -> DpEvent {
        DpEvent::PoissonGaussian { sampling_rate: 0.01, noise_multiplier: 1.0 }.repeated(steps)
    }

    #[test]
    fn an_overdraft_is_refused_and_leaves_no_entry() {
        // 10,000 such steps cost 6.7127 (reference row r01).
        let mut ledger = ledger(Epsilon::new(6.0).unwrap());
        assert!(ledger.debit("half a training", steps(5_000), None).unwrap().epsilon < 6.0);
        let before = ledger.clone();
        let error = ledger.debit("the other half", steps(5_000), None).unwrap_err();
        assert!(error.to_string().starts_with("releasing the other half would spend epsilon 6.7"), "{error}");
        assert_eq!(ledger, before);
    }

    #[test]
    fn two_halves_cost_what_the_whole_costs() {
        let mut halves = ledger(Epsilon::INFINITE);
        halves.debit("first", steps(500), None).unwrap();
        let asked = halves.would_spend(&steps(500)).epsilon;
        halves.debit("second", steps(500), None).unwrap();
        let mut whole = ledger(Epsilon::INFINITE);
        whole.debit("both", steps(1_000), None).unwrap();
        assert!((halves.spent().epsilon - whole.spent().epsilon).abs() < 1e-12);
        assert!((asked - whole.spent().epsilon).abs() < 1e-12);
    }

    #[test]
    fn a_release_without_noise_needs_an_infinite_budget() {
        assert!(ledger(Epsilon::new(1e9).unwrap()).debit("raw", DpEvent::None, None).is_err());
        assert!(ledger(Epsilon::INFINITE).debit("raw", DpEvent::None, None).is_ok());
    }

    #[test]
    fn a_ledger_survives_a_resumed_run() {
        let mut ledger = ledger(Epsilon::new(3.0).unwrap());
        ledger.debit("model", steps(10), None).unwrap();
        let text = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    }

    #[test]
    fn claims_for_two_units_do_not_stand_in_one_ledger() {
        use crate::{CentralGaussianSpec, Mechanism as _, PrivacyUnit};
        let mechanism = CentralGaussianSpec::examples()[1].build().unwrap();
        let claim = |unit| mechanism.claim(unit, 10);
        let mut ledger = ledger(Epsilon::INFINITE);
        let account = claim(PrivacyUnit::AccountFixedGraph);
        ledger.debit("model", mechanism.event().repeated(10), account.clone()).unwrap();
        let error = ledger.debit("metrics", mechanism.event(), claim(PrivacyUnit::Row)).unwrap_err();
        let words =
            "releasing metrics is claimed for row, and this ledger keeps books for account-fixed-graph";
        assert!(error.to_string().starts_with(words), "{error}");
        assert_eq!(ledger.entries().len(), 1);
        ledger.debit("thresholds", mechanism.event(), account).unwrap();
    }
}
