//! Whether a score means what it says: Brier score and expected calibration error over bins of equal mass.
//! Read only for scores that claim to be probabilities; a ranking score need not be calibrated.

use super::{About, Metric, Sample, Unit};
use crate::curve::reliability_of;
use serde::{Deserialize, Serialize};

/// Mean squared distance of score and truth.
#[derive(Clone, Copy, Debug)]
pub struct Brier;

impl Metric for Brier {
    fn about(&self) -> &'static About {
        &About {
            name: "brier",
            unit: Unit::Index,
            higher_is_better: false,
            definition: "mean over cases of (score - truth)^2, truth 0 or 1",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (mut sum, mut all, mut harmful) = (0.0, 0.0, 0_u64);
        for (case, weight) in sample.iter() {
            let distance = f64::from(case.score.get()) - f64::from(u8::from(case.harmful));
            sum += f64::from(weight) * distance * distance;
            all += f64::from(weight);
            harmful += u64::from(weight) * u64::from(case.harmful);
        }
        (harmful > 0).then(|| sum / all)
    }
}

/// Expected calibration error.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CalibrationError {
    /// Bins of equal mass; equal scores are never split, so fewer may result.
    pub bins: u32,
}

impl Metric for CalibrationError {
    fn about(&self) -> &'static About {
        &About {
            name: "calibration-error",
            unit: Unit::Index,
            higher_is_better: false,
            definition: "sum over equal-mass score bins of (share of cases) x |mean score - share harmful|",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let bins = reliability_of(sample, self.bins);
        let all: f64 = bins.iter().map(|bin| bin.cases).sum();
        bins.iter().any(|bin| bin.share_harmful > 0.0).then(|| {
            bins.iter().map(|bin| bin.cases / all * (bin.mean_score - bin.share_harmful).abs()).sum()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::scored;

    #[test]
    fn brier_and_calibration_error_worked_by_hand() {
        let cases = scored(&[(0.75, true), (0.75, false), (0.25, false), (0.25, false)]);
        // (1/16 + 9/16 + 1/16 + 1/16) / 4; both bins are off by 1/4.
        assert!((Brier.compute(&cases).unwrap() - 0.1875).abs() < 1e-12);
        assert!((CalibrationError { bins: 2 }.compute(&cases).unwrap() - 0.25).abs() < 1e-12);
    }
}
