//! What review adds to the world's own moderation of user reports. The share is *of accounts closed*, not of content removed,
//! and rises when moderation fails; the gain is the honest quantity, so the two stand together.

use super::{About, Metric, Sample, Unit};
use crate::Case;

/// Whether review identified a case before moderation closed it; on the same instant review counts, as in [`crate::survival`].
fn review_came_first(case: &Case) -> bool {
    case.identified.is_some_and(|at| case.removed.is_none_or(|removed| at <= removed))
}

/// Share of closed harmful cases that review closed first.
#[derive(Clone, Copy, Debug)]
pub struct ProactiveShare;

impl Metric for ProactiveShare {
    fn about(&self) -> &'static About {
        &About {
            name: "proactive-share",
            unit: Unit::Share,
            higher_is_better: true,
            definition: "harmful cases that review identified before moderation of user reports removed them / harmful cases identified or removed",
            counted: |case| case.harmful && (case.identified.is_some() || case.removed.is_some()),
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        sample.share(self.about().counted, review_came_first)
    }
}

/// Share of harmful cases that only review found.
#[derive(Clone, Copy, Debug)]
pub struct IncrementalRecall;

impl Metric for IncrementalRecall {
    fn about(&self) -> &'static About {
        &About {
            name: "incremental-recall",
            unit: Unit::Share,
            higher_is_better: true,
            definition: "harmful cases that review identified and moderation of user reports never removed / harmful cases: what is found beyond reports",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        sample.share(|case| case.harmful, |case| case.identified.is_some() && case.removed.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::benign;
    use equipoise_core::SimTime;

    /// Found alone; found on day 3 and removed on day 5 and 6; removed on day 2 and found on day 3; removed; neither. Review came
    /// first in 3 of the 5 that were closed, and found 1 of 6 that reports did not.
    #[test]
    fn six_cases_worked_by_hand() {
        let case = |identified: Option<i32>, removed: Option<i32>| Case {
            harmful: true,
            identified: identified.map(SimTime::from_days),
            removed: removed.map(SimTime::from_days),
            ..benign(0, 0)
        };
        let pairs = [
            (Some(3), None),
            (Some(3), Some(5)),
            (Some(3), Some(6)),
            (Some(3), Some(2)),
            (None, Some(2)),
            (None, None),
        ];
        let cases: Vec<Case> =
            pairs.into_iter().map(|(identified, removed)| case(identified, removed)).collect();
        assert_eq!(ProactiveShare.compute(&cases), Some(0.6));
        assert_eq!(IncrementalRecall.compute(&cases), Some(1.0 / 6.0));
        assert_eq!(ProactiveShare.compute(&cases[5..]), None);
    }
}
