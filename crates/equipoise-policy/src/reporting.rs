//! Reporting tools (measure I5 of the world's design): a question after a block, and a safety notice in new dyads of a declared
//! adult and a declared minor.
//!
//! Both work through people: the world multiplies the chance that a child notices something unwanted, and turns a share of
//! blocks without a report into ones with a report. They cost reviewers reports about accounts that did nothing.

use equipoise_core::{
    AccountId, Action, Budget, EventKind, Fraction, Intent, Levers, PlatformState, Policy, Reach,
    ReportingTools, RiskScore, SimTime, Verdict,
};
use serde::{Deserialize, Serialize};

/// Parameters of the tools.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Reporting {
    notice: f64,
    prompt: Fraction,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Fields {
    /// Factor on the chance of noticing, 1 to 2 (design; assumed).
    notice: f64,
    /// Chance that a block without a report becomes one with a report (assumed).
    prompt: Fraction,
}

/// A factor that cannot be.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
#[error("notice must be between 1 and 2, got {0}")]
pub struct NoticeError(f64);

impl Reporting {
    /// Checks the factor on noticing.
    ///
    /// # Errors
    /// If it lies outside 1 to 2.
    pub fn new(notice: f64, prompt: Fraction) -> Result<Self, NoticeError> {
        if (1.0..=2.0).contains(&notice) { Ok(Self { notice, prompt }) } else { Err(NoticeError(notice)) }
    }

    /// What the measure does, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "asks after a block whether to report too ({} do), and a safety notice multiplies noticing by {}",
            self.prompt, self.notice
        )
    }
}

impl TryFrom<Fields> for Reporting {
    type Error = NoticeError;
    fn try_from(fields: Fields) -> Result<Self, NoticeError> {
        Self::new(fields.notice, fields.prompt)
    }
}

impl From<Reporting> for Fields {
    fn from(tools: Reporting) -> Self {
        Self { notice: tools.notice, prompt: tools.prompt }
    }
}

impl Policy for Reporting {
    fn permit(&self, _intent: &Intent, _state: &PlatformState<'_>) -> Verdict {
        Verdict::Permit
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

    fn levers(&self, _now: SimTime) -> Levers {
        let tools = ReportingTools { notice: self.notice, prompt: self.prompt };
        Levers { reporting: Some(tools), ..Levers::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_factor_is_checked_where_it_is_read() {
        let read = |text: &str| toml::from_str::<Reporting>(text).map_err(|error| error.to_string());
        let tools = read("notice = 1.5\nprompt = 0.3\n").unwrap();
        assert!((tools.levers(SimTime(0)).reporting.unwrap().notice - 1.5).abs() < 1e-12);
        assert_eq!(read(&toml::to_string(&tools).unwrap()).unwrap(), tools);
        assert!(read("notice = 2.5\nprompt = 0.3\n").unwrap_err().contains("between 1 and 2, got 2.5"));
    }
}
