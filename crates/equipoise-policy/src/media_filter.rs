//! A filter of sensitive media on the devices of children (measure I1 of the world's design).
//!
//! Simulated by two rates and nothing else: no image exists anywhere in the project. It runs where the child's device is, so it
//! works on an end-to-end encrypted platform too, and it emits nothing: neither the platform nor any policy hears whether it
//! warned. The world draws its outcome; the policy itself permits everything.

use equipoise_core::{
    AccountId, Action, Budget, EventKind, Fraction, Intent, Levers, MediaScreen, PlatformState, Policy,
    Reach, RiskScore, SimTime, Verdict,
};
use serde::{Deserialize, Serialize};

/// Parameters of the filter.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MediaFilter {
    /// Chance of a warning about a sensitive medium (design: 0.90, swept over 0.7 to 0.98; assumed).
    pub true_positive: Fraction,
    /// Chance of a warning about any other (design: 0.01, swept over 0.001 to 0.05; assumed).
    pub false_positive: Fraction,
    /// Chance of going on after the warning; 0 is a filter without override (design: 0.5; assumed).
    pub proceed: Fraction,
    /// Share of children's devices that do not run it (assumed).
    pub opt_out: Fraction,
}

impl MediaFilter {
    /// What the measure does, in one sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "on devices of declared minors, warns before {} of sensitive and {} of other media; {} go on; nothing leaves the device",
            self.true_positive, self.false_positive, self.proceed
        )
    }
}

impl Policy for MediaFilter {
    fn permit(&self, _intent: &Intent, _state: &PlatformState<'_>) -> Verdict {
        Verdict::Permit
    }

    fn act(&mut self, _scores: &[(AccountId, RiskScore)], _budget: Budget) -> Vec<Action> {
        Vec::new()
    }

    fn reach(&self) -> Reach {
        Reach::Media
    }

    fn hears(&self, _kind: EventKind) -> bool {
        false
    }

    fn levers(&self, _now: SimTime) -> Levers {
        let Self { true_positive, false_positive, proceed, opt_out } = *self;
        let screen = MediaScreen { true_positive, false_positive, proceed, opt_out };
        Levers { media_screen: Some(screen), ..Levers::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_hands_its_rates_to_the_devices_and_hears_nothing() {
        let share = |value| Fraction::new(value).unwrap();
        let filter = MediaFilter {
            true_positive: share(0.9),
            false_positive: share(0.01),
            proceed: share(0.5),
            opt_out: share(0.1),
        };
        let screen = filter.levers(SimTime(0)).media_screen.unwrap();
        assert_eq!((screen.true_positive, screen.proceed), (share(0.9), share(0.5)));
        assert!(EventKind::ALL.iter().all(|kind| !filter.hears(*kind)));
    }
}
