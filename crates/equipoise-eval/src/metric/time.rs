//! Time from the first harmful contact to identification, with censoring; never a mean over the detected alone.

use super::{About, Metric, Sample, Unit};
use crate::survival::{aalen_johansen, crossing, kaplan_meier, restricted_mean, timed, weighted_follow_ups};
use crate::{Ending, FollowUp, StepPoint};
use serde::{Deserialize, Serialize};

/// What closing by the world's own moderation means for the time to identification.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// A removed case can no longer be identified (Aalen-Johansen): the share that review really reached.
    Competes,
    /// A removed case is censored (Kaplan-Meier): as if removal did not exist and were independent of detection.
    Censors,
}

impl Removal {
    /// Share not yet identified by review, as steps.
    fn not_identified(self, follow_ups: &[FollowUp]) -> Vec<StepPoint> {
        match self {
            Self::Censors => kaplan_meier(follow_ups),
            Self::Competes => {
                let mut curve = aalen_johansen(follow_ups, Ending::Identified);
                curve.iter_mut().for_each(|point| point.value = 1.0 - point.value);
                curve
            }
        }
    }
}

/// Mean days without identification within a horizon.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RmstTimeToDetection {
    /// The horizon in days, positive; some case must have been observable that long, or there is no mean.
    pub horizon_days: f64,
    /// The meaning of removal.
    pub removal: Removal,
}

impl Metric for RmstTimeToDetection {
    fn about(&self) -> &'static About {
        &About {
            name: "rmst-time-to-detection",
            unit: Unit::Days,
            higher_is_better: false,
            definition: "area up to the horizon under the share not yet identified, in days since the first harmful contact (or the start of observation)",
            counted: timed,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (follow_ups, longest) = weighted_follow_ups(sample)?;
        (self.horizon_days > 0.0 && longest >= self.horizon_days - 1e-9)
            .then(|| restricted_mean(&self.removal.not_identified(&follow_ups), self.horizon_days))
    }
}

/// Days until half of the cases are identified.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MedianTimeToDetection {
    /// The meaning of removal.
    pub removal: Removal,
}

impl Metric for MedianTimeToDetection {
    fn about(&self) -> &'static About {
        &About {
            name: "median-time-to-detection",
            unit: Unit::Days,
            higher_is_better: false,
            definition: "first day on which at most half is not yet identified; does not exist where review never reaches half",
            counted: timed,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        crossing(&self.removal.not_identified(&weighted_follow_ups(sample)?.0), 0.5)
    }
}

/// Days until a share of the cases is identified: the quartiles beside the median.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TimeToDetectionQuantile {
    /// The share identified, inside (0, 1).
    pub share: f64,
    /// The meaning of removal.
    pub removal: Removal,
}

impl Metric for TimeToDetectionQuantile {
    fn about(&self) -> &'static About {
        &About {
            name: "time-to-detection-quantile",
            unit: Unit::Days,
            higher_is_better: false,
            definition: "first day on which the named share is identified (a quarter, unless a file says otherwise); does not exist where review never reaches it",
            counted: timed,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        crossing(&self.removal.not_identified(&weighted_follow_ups(sample)?.0), 1.0 - self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Case;
    use crate::laws::benign;
    use equipoise_core::SimTime;

    fn harmful(identified: Option<i32>, removed: Option<i32>) -> Case {
        let day = |day: i32| SimTime::from_days(day);
        Case {
            harmful: true,
            harm_start: Some(day(0)),
            identified: identified.map(day),
            removed: removed.map(day),
            ..benign(0, 0)
        }
    }

    /// Four cases in 30 days: found on day 10 and 20, removed on day 15, never. Competing: 1 to day 10, 3/4 to day 20,
    /// 1/2 to day 30 = 10 + 7.5 + 5. Censoring: after day 15 two are at risk, so day 20 halves 3/4 to 3/8: 10 + 7.5 + 3.75.
    #[test]
    fn four_cases_worked_by_hand() {
        let cases =
            [harmful(Some(10), None), harmful(Some(20), None), harmful(None, Some(15)), harmful(None, None)];
        let mean = |removal| RmstTimeToDetection { horizon_days: 30.0, removal }.compute(&cases).unwrap();
        assert!((mean(Removal::Competes) - 22.5).abs() < 1e-9);
        assert!((mean(Removal::Censors) - 21.25).abs() < 1e-9);
        let median = |removal| MedianTimeToDetection { removal }.compute(&cases).unwrap();
        assert!((median(Removal::Competes) - 20.0).abs() < 1e-9);
        assert_eq!(MedianTimeToDetection { removal: Removal::Competes }.compute(&cases[2..]), None);
        let quantile = |share| TimeToDetectionQuantile { share, removal: Removal::Competes }.compute(&cases);
        assert_eq!((quantile(0.25), quantile(0.5), quantile(0.75)), (Some(10.0), Some(20.0), None));
    }

    #[test]
    fn a_horizon_that_nobody_was_observed_for_has_no_mean() {
        let metric = RmstTimeToDetection { horizon_days: 31.0, removal: Removal::Competes };
        assert_eq!(metric.compute(&[harmful(Some(2), None)]), None);
    }
}
