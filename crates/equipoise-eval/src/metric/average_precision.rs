//! Average precision without interpolation, at the prevalence of the data, ties treated jointly.
//! Values at different prevalences do not compare; the normalised form only sets the no-information level to 0.

use super::{About, Metric, Sample, Unit, ratio};

/// The share of harmful cases.
#[derive(Clone, Copy, Debug)]
pub struct Prevalence;

impl Metric for Prevalence {
    fn about(&self) -> &'static About {
        &About {
            name: "prevalence",
            unit: Unit::Share,
            higher_is_better: true,
            definition: "harmful cases / all cases: the average precision of a ranking without information",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        sample.share(|_| true, |case| case.harmful).filter(|share| *share > 0.0)
    }
}

/// Average precision.
#[derive(Clone, Copy, Debug)]
pub struct AveragePrecision;

impl Metric for AveragePrecision {
    fn about(&self) -> &'static About {
        &About {
            name: "average-precision",
            unit: Unit::Index,
            higher_is_better: true,
            definition: "sum over distinct scores of (recall gained) x (precision at that score), at the data's own prevalence",
            counted: |case| case.harmful,
        }
    }

    #[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (mut found, mut seen, mut sum) = (0_u64, 0_u64, 0.0);
        for (harmful, all) in sample.tie_groups() {
            found += harmful;
            seen += all;
            sum += harmful as f64 * (found as f64 / seen as f64);
        }
        (found > 0).then(|| sum / found as f64)
    }
}

/// Average precision on a scale where 0 is no information and 1 is perfect.
#[derive(Clone, Copy, Debug)]
pub struct NormalisedAveragePrecision;

impl Metric for NormalisedAveragePrecision {
    fn about(&self) -> &'static About {
        &About {
            name: "normalised-average-precision",
            unit: Unit::Index,
            higher_is_better: true,
            definition: "(average precision - prevalence) / (1 - prevalence); below 0 is worse than no information",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let precision = AveragePrecision.compute_weighted(sample)?;
        let prevalence = ratio(sample.count(|case| case.harmful), sample.count(|_| true))?;
        (prevalence < 1.0).then(|| (precision - prevalence) / (1.0 - prevalence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Case;
    use crate::laws::scored;
    use proptest::prelude::*;

    /// Scores .9 .9 | .8 | .5 .5 .5 | .3 | .1 with harmful 1 0 | 1 | 1 0 0 | 1 | 0. Joint groups give
    /// 1/4 (1/2) + 1/4 (2/3) + 1/4 (3/6) + 1/4 (4/7) = 0.559523...; scikit-learn 1.9.1 gives the same.
    #[test]
    fn average_precision_of_eight_cases_worked_by_hand() {
        let cases = scored(&[
            (0.9, true),
            (0.9, false),
            (0.8, true),
            (0.5, true),
            (0.5, false),
            (0.5, false),
            (0.3, true),
            (0.1, false),
        ]);
        let value = AveragePrecision.compute(&cases).unwrap();
        assert!((value - 0.559_523_809_523_809_5).abs() < 1e-12, "{value}");
        let normalised = NormalisedAveragePrecision.compute(&cases).unwrap();
        assert!((normalised - 0.119_047_619_047_619).abs() < 1e-12, "{normalised}");
    }

    #[test]
    fn a_constant_score_has_the_prevalence_as_average_precision() {
        let cases = scored(&[(0.5, true), (0.5, false), (0.5, false), (0.5, false)]);
        assert!((AveragePrecision.compute(&cases).unwrap() - 0.25).abs() < 1e-12);
        assert!(NormalisedAveragePrecision.compute(&cases).unwrap().abs() < 1e-12);
    }

    /// The slow, obvious version: for each harmful case, the precision among all that score at least as high.
    fn obvious(cases: &[Case]) -> Option<f64> {
        let harmful: Vec<&Case> = cases.iter().filter(|case| case.harmful).collect();
        let precision = |of: &Case| {
            let above: Vec<&Case> = cases.iter().filter(|case| case.score >= of.score).collect();
            above.iter().filter(|case| case.harmful).count() as f64 / above.len() as f64
        };
        (!harmful.is_empty())
            .then(|| harmful.iter().map(|case| precision(case)).sum::<f64>() / harmful.len() as f64)
    }

    proptest! {
        #[test]
        fn the_sorted_version_agrees_with_the_obvious_one(pairs in prop::collection::vec((0_u8..6, any::<bool>()), 0..40)) {
            let pairs: Vec<(f32, bool)> = pairs.into_iter().map(|(level, harmful)| (f32::from(level) / 5.0, harmful)).collect();
            let cases = scored(&pairs);
            match (AveragePrecision.compute(&cases), obvious(&cases)) {
                (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12),
                (fast, slow) => prop_assert_eq!(fast, slow),
            }
        }
    }
}
