//! The part of a world file about change over the window: growth of arrivals, a walk of the platform mix, one scheduled
//! change of design, owners who delete their accounts. Each has a value that does nothing: 1, 0, 1 and 0.

use crate::WorldError;
use crate::spec::{Number, Rate};
use equipoise_core::Archetype;
use serde::{Deserialize, Serialize};

/// What changes while a world runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DriftSpec {
    /// Factor a year on how often role accounts, harmful and matched alike, seek new dyads. The recorded series gives
    /// 1.103 between its end points: growth of records, not of prevalence.
    pub arrivals_per_year: Number,
    /// Standard deviation of a week's step of each platform's log share of use; the mean over platforms stays 1.
    pub platform_walk: Number,
    /// One scheduled change of design.
    pub launch: LaunchSpec,
    /// Share of accounts a year whose owners delete them, whoever they are. A benign act, followed by silence.
    pub churn_per_year: Rate,
}

/// From a day on, contact requests on platforms of one design come more or less often.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LaunchSpec {
    /// The first day of the change.
    pub day: u16,
    /// Where.
    pub platform: Archetype,
    /// Factor on requests of everybody there.
    pub requests: Number,
}

impl DriftSpec {
    /// Checks signs.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        if !(0.1..=10.0).contains(&self.arrivals_per_year.get()) {
            return bad("drift.arrivals-per-year", "between 0.1 and 10");
        }
        if !(0.0..=1.0).contains(&self.platform_walk.get()) {
            return bad("drift.platform-walk", "between 0 and 1");
        }
        if !(0.0..=10.0).contains(&self.launch.requests.get()) {
            return bad("drift.launch.requests", "between 0 and 10");
        }
        Ok(())
    }
}
