//! What reviewers found in what they were sent.

use super::{About, Metric, Sample, Unit};

/// Share of reviews that were rightly upheld; its inverse is the number of reviews per true case.
#[derive(Clone, Copy, Debug)]
pub struct PrecisionAtReview;

impl Metric for PrecisionAtReview {
    fn about(&self) -> &'static About {
        &About {
            name: "precision-at-review",
            unit: Unit::Share,
            higher_is_better: true,
            definition: "harmful cases reviewed and upheld / cases reviewed",
            counted: |case| case.reviewed.is_some(),
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        sample.share(|case| case.reviewed.is_some(), |case| case.harmful && case.identified.is_some())
    }
}

/// Share of reviews of harmful cases that came before any harmful contact.
#[derive(Clone, Copy, Debug)]
pub struct PrematureAlertRate;

impl Metric for PrematureAlertRate {
    fn about(&self) -> &'static About {
        &About {
            name: "premature-alert-rate",
            unit: Unit::Share,
            higher_is_better: false,
            definition: "harmful cases first reviewed before their first harmful contact / harmful cases reviewed",
            counted: |case| case.harmful && case.reviewed.is_some(),
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        sample.share(|case| case.harmful && case.reviewed.is_some(), crate::Case::reviewed_before_harm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Case;
    use crate::laws::benign;
    use equipoise_core::SimTime;

    #[test]
    fn three_reviews_worked_by_hand() {
        let reviewed = |day| Case { reviewed: Some(SimTime::from_days(day)), ..benign(0, 0) };
        let start = Some(SimTime::from_days(5));
        let early = Case { harmful: true, harm_start: start, ..reviewed(3) };
        let late =
            Case { harmful: true, harm_start: start, identified: Some(SimTime::from_days(6)), ..reviewed(6) };
        let cases = [early, late, reviewed(1), benign(3, 3)];
        assert!((PrecisionAtReview.compute(&cases).unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert!((PrematureAlertRate.compute(&cases).unwrap() - 0.5).abs() < 1e-12);
    }
}
