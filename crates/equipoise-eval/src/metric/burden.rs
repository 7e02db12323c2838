//! What people without a harmful pattern pay: reviews, wrong restrictions, and children among them.

use super::{About, Metric, Sample, Unit};

/// Share of benign cases that were reviewed.
#[derive(Clone, Copy, Debug)]
pub struct FalsePositiveRate;

impl Metric for FalsePositiveRate {
    fn about(&self) -> &'static About {
        &About {
            name: "false-positive-rate",
            unit: Unit::Share,
            higher_is_better: false,
            definition: "benign cases reviewed / benign cases",
            counted: |case| !case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        sample.share(|case| !case.harmful, |case| case.reviewed.is_some())
    }
}

/// Days under a wrong restriction per 10,000 benign account-days.
#[derive(Clone, Copy, Debug)]
pub struct WrongfulRestrictionBurden;

impl Metric for WrongfulRestrictionBurden {
    fn about(&self) -> &'static About {
        &About {
            name: "wrongful-restriction-burden",
            unit: Unit::PerTenThousandAccountDays,
            higher_is_better: false,
            definition: "10,000 x account-days of benign cases under a wrong restriction / account-days of benign cases",
            counted: |case| !case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (mut restricted, mut days) = (0.0, 0.0);
        for (case, weight) in sample.iter().filter(|(case, _)| !case.harmful) {
            restricted += f64::from(weight) * case.wrongly_restricted_days();
            days += f64::from(weight) * f64::from(case.active_days);
        }
        (days > 0.0).then(|| 1e4 * restricted / days)
    }
}

/// Children restricted in error for each harmful case upheld.
#[derive(Clone, Copy, Debug)]
pub struct ChildrenWronglyRestrictedPerUpheldCase;

impl Metric for ChildrenWronglyRestrictedPerUpheldCase {
    fn about(&self) -> &'static About {
        &About {
            name: "children-wrongly-restricted-per-upheld-case",
            unit: Unit::ChildrenPerCase,
            higher_is_better: false,
            definition: "benign cases of true minors wrongly restricted / harmful cases reviewed and upheld",
            counted: |case| case.harmful && case.identified.is_some(),
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let children =
            sample.count(|case| !case.harmful && case.minor && case.wrongly_restricted_at.is_some());
        super::ratio(children, sample.count(|case| case.harmful && case.identified.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Case;
    use crate::laws::benign;
    use equipoise_core::SimTime;

    /// Two benign cases of 30 days each, one reviewed and restricted from day 24: 6 of 60 days are 1,000 in 10,000.
    #[test]
    fn burden_worked_by_hand() {
        let day = |day| Some(SimTime::from_days(day));
        let restricted =
            Case { reviewed: day(23), wrongly_restricted_at: day(24), minor: true, ..benign(0, 0) };
        let upheld = |account| Case {
            harmful: true,
            identified: day(3),
            reviewed: day(3),
            ..benign(account, account)
        };
        let cases = [restricted, benign(1, 1), upheld(2), upheld(3)];
        assert!((FalsePositiveRate.compute(&cases).unwrap() - 0.5).abs() < 1e-12);
        assert!((WrongfulRestrictionBurden.compute(&cases).unwrap() - 1000.0).abs() < 1e-9);
        assert!((ChildrenWronglyRestrictedPerUpheldCase.compute(&cases).unwrap() - 0.5).abs() < 1e-12);
    }
}
