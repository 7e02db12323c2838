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

/// How far the mean score of the highest scores is from their share harmful: what reviewers see.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TopCalibrationError {
    /// Share of cases, such as 0.01, its last tie whole.
    pub share: f64,
}

impl Metric for TopCalibrationError {
    fn about(&self) -> &'static About {
        &About {
            name: "top-calibration-error",
            unit: Unit::Index,
            higher_is_better: false,
            definition: "|mean score - share harmful| over the highest scores that make up the named share of cases",
            counted: |case| case.harmful,
        }
    }

    #[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let all = sample.count(|_| true) as f64;
        let (mut seen, mut excess) = (0.0, 0.0);
        let groups =
            sample.order.chunk_by(|&a, &b| sample.cases[a as usize].score == sample.cases[b as usize].score);
        for group in groups {
            for &index in group {
                let (case, weight) =
                    (&sample.cases[index as usize], f64::from(sample.weights[index as usize]));
                seen += weight;
                excess += weight * (f64::from(case.score.get()) - f64::from(u8::from(case.harmful)));
            }
            if seen > 0.0 && seen >= self.share * all * (1.0 - 1e-12) {
                break;
            }
        }
        sample.iter().any(|(case, _)| case.harmful).then(|| (excess / seen).abs())
    }
}

/// Mean surprise at the truth.
#[derive(Clone, Copy, Debug)]
pub struct LogLoss;

impl Metric for LogLoss {
    fn about(&self) -> &'static About {
        &About {
            name: "log-loss",
            unit: Unit::Nats,
            higher_is_better: false,
            definition: "mean over cases of -ln(probability that the score gives to the truth), kept 2^-52 away from 0 and 1",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (mut sum, mut all, mut harmful) = (0.0, 0.0, false);
        for (case, weight) in sample.iter() {
            let score = f64::from(case.score.get());
            let given = if case.harmful { score } else { 1.0 - score };
            sum -= f64::from(weight) * libm::log(given.clamp(f64::EPSILON, 1.0 - f64::EPSILON));
            all += f64::from(weight);
            harmful |= case.harmful;
        }
        harmful.then(|| sum / all)
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

    /// The top quarter of eight is two rows at .5 and, tied with them, a third: mean .5 against 2/3 harmful. The log loss of
    /// .75 for a harmful and a benign case is (ln 4/3 + ln 4) / 2.
    #[test]
    fn the_top_and_the_surprise_worked_by_hand() {
        let low = [(0.25, false); 5];
        let cases = scored(&[&[(0.5, true), (0.5, true), (0.5, false)], low.as_slice()].concat());
        let top = TopCalibrationError { share: 0.25 }.compute(&cases).unwrap();
        assert!((top - 1.0 / 6.0).abs() < 1e-12, "{top}");
        let loss = LogLoss.compute(&scored(&[(0.75, true), (0.75, false)])).unwrap();
        assert!((loss - ((4.0_f64 / 3.0).ln() + 4.0_f64.ln()) / 2.0).abs() < 1e-12);
        assert_eq!(LogLoss.compute(&scored(&[(0.75, false)])), None);
    }
}
