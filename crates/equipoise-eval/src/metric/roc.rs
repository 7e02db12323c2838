//! Area under the ROC curve. Reported only as secondary: at low prevalence it looks good where reviews would not be.

use super::{About, Metric, Sample, Unit};

/// The chance that a harmful case outscores a benign one, ties counting half.
#[derive(Clone, Copy, Debug)]
pub struct RocAuc;

impl Metric for RocAuc {
    fn about(&self) -> &'static About {
        &About {
            name: "roc-auc",
            unit: Unit::Index,
            higher_is_better: true,
            definition: "P(score of a harmful case > score of a benign one) + P(equal) / 2; secondary to average precision",
            counted: |case| case.harmful,
        }
    }

    #[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (mut above, mut below, mut wins) = (0_u64, 0_u64, 0.0);
        for (harmful, all) in sample.tie_groups() {
            let benign = all - harmful;
            wins += benign as f64 * (above as f64 + harmful as f64 / 2.0);
            above += harmful;
            below += benign;
        }
        (above > 0 && below > 0).then(|| wins / (above as f64 * below as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::scored;

    /// Pairs won by hand: 3.5 + 3 + 2 + 1 of 16; scikit-learn gives 0.59375 too.
    #[test]
    fn roc_auc_of_eight_cases_worked_by_hand() {
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
        assert!((RocAuc.compute(&cases).unwrap() - 0.59375).abs() < 1e-12);
    }
}
