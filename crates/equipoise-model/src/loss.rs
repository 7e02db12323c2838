//! What a step makes small, as derivatives by each row's logit: both trainers take them from here. To add a loss: a variant and its arm.

use crate::ModelError;
use crate::config::demand;
use crate::maths::{cross_entropy, sigmoid};
use crate::rows::Rows;
use serde::{Deserialize, Serialize};

/// The loss of local training.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// Binary cross-entropy.
    CrossEntropy {},
    /// Cross-entropy times `(1 - p)^gamma` of the true class: easy rows count less (Lin et al., ICCV 2017, equation 4). Scores are
    /// no probabilities.
    Focal {
        /// Not negative; 0 is cross-entropy, the paper takes 2.
        gamma: f64,
    },
    /// The non-negative risk of positive and unlabelled rows (Kiryo, Niu, du Plessis, Sugiyama, NIPS 2017, equation 6 and algorithm 1
    /// with beta 0 and gamma 1): a label of 0 means "not known", as a platform's labels are. Batches should hold positives.
    NnPu {
        /// Share of positives among all rows, in (0, 1): a public guess, never computed from data.
        prior: f64,
    },
}

/// A batch: its rows and what they weigh.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) of: &'a [u32],
    /// Factor on the loss of positive rows.
    pub(crate) positive: f64,
    /// Sum of the row weights, above 0.
    pub(crate) mass: f64,
}

impl Batch<'_> {
    /// Label and weight of each row.
    fn each(&self) -> impl Iterator<Item = (f32, f64)> + '_ {
        self.of
            .iter()
            .map(|&row| (self.rows.labels[row as usize], f64::from(self.rows.weights[row as usize])))
    }
}

impl Loss {
    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::CrossEntropy {} => "binary cross-entropy".into(),
            Self::Focal { .. } => "easy rows count less (Lin et al., ICCV 2017)".into(),
            Self::NnPu { .. } => "a label of 0 means not known (Kiryo et al., NIPS 2017)".into(),
        }
    }

    /// One of each, for tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![Self::CrossEntropy {}, Self::Focal { gamma: 2.0 }, Self::NnPu { prior: 0.01 }]
    }

    pub(crate) fn check(&self, positive: f64) -> Result<(), ModelError> {
        match *self {
            Self::CrossEntropy {} => Ok(()),
            Self::Focal { gamma } => {
                demand("gamma", "finite and not negative", gamma, gamma >= 0.0 && gamma.is_finite())
            }
            Self::NnPu { prior } => {
                demand("prior", "between 0 and 1", prior, prior > 0.0 && prior < 1.0)?;
                let one = (positive - 1.0).abs() < f64::EPSILON;
                demand("positive-weight", "1 under nn-pu, whose prior weighs the classes", positive, one)
            }
        }
    }

    /// Puts the derivative of the batch's mean loss by each logit into `out`; returns the sum of weighted losses.
    #[allow(clippy::cast_possible_truncation)] // Slopes enter an f32 product.
    pub(crate) fn slopes(&self, out: &mut Vec<f32>, logits: &[f32], batch: Batch<'_>) -> f64 {
        out.clear();
        match *self {
            Self::CrossEntropy {} => by_row(out, logits, batch, |logit, label| {
                let (loss, slope) = cross_entropy(logit, label);
                (f64::from(loss), f64::from(slope))
            }),
            Self::Focal { gamma } => by_row(out, logits, batch, |logit, label| focal(logit, label, gamma)),
            Self::NnPu { prior } => nn_pu(out, logits, batch, prior),
        }
    }
}

/// A loss that is a sum over rows.
#[allow(clippy::cast_possible_truncation)] // Slopes enter an f32 product.
fn by_row(out: &mut Vec<f32>, logits: &[f32], batch: Batch<'_>, of: impl Fn(f32, f32) -> (f64, f64)) -> f64 {
    let mut total = 0.0;
    out.extend(logits.iter().zip(batch.each()).map(|(&logit, (label, weight))| {
        let weight = weight * (1.0 + (batch.positive - 1.0) * f64::from(label));
        let (loss, slope) = of(logit, label);
        total += weight * loss;
        (weight / batch.mass * slope) as f32
    }));
    total
}

/// The focal loss and its derivative; a label between 0 and 1 mixes the two classes.
fn focal(logit: f32, label: f32, gamma: f64) -> (f64, f64) {
    let (p, label) = (f64::from(sigmoid(logit)), f64::from(label));
    // The cross-entropies of the two classes are -ln p and -ln (1 - p), without overflow at either end.
    let (one, zero) = (f64::from(cross_entropy(logit, 1.0).0), f64::from(cross_entropy(logit, 0.0).0));
    let (easy_one, easy_zero) = (libm::pow(1.0 - p, gamma), libm::pow(p, gamma));
    let loss = label * easy_one * one + (1.0 - label) * easy_zero * zero;
    let slope_one = easy_one * (p - 1.0 - gamma * p * one);
    let slope_zero = easy_zero * (p + gamma * (1.0 - p) * zero);
    (loss, label * slope_one + (1.0 - label) * slope_zero)
}

/// The non-negative risk: `pi R_p(+) + max(0, R_u(-) - pi R_p(-))`, each a mean over positives or over unlabelled rows. Where the
/// second term is negative, a step makes it larger instead (the algorithm of the paper).
#[allow(clippy::cast_possible_truncation)] // Slopes enter an f32 product.
fn nn_pu(out: &mut Vec<f32>, logits: &[f32], batch: Batch<'_>, prior: f64) -> f64 {
    let mut mass = [0.0_f64; 2];
    let mut risk = [0.0_f64; 3];
    for (&logit, (label, weight)) in logits.iter().zip(batch.each()) {
        let as_negative = f64::from(cross_entropy(logit, 0.0).0);
        if label > 0.5 {
            mass[1] += weight;
            risk[0] += weight * f64::from(cross_entropy(logit, 1.0).0);
            risk[1] += weight * as_negative;
        } else {
            mass[0] += weight;
            risk[2] += weight * as_negative;
        }
    }
    let share = |risk: f64, mass: f64| if mass > 0.0 { risk / mass } else { 0.0 };
    let positive = prior * share(risk[0], mass[1]);
    let negative = share(risk[2], mass[0]) - prior * share(risk[1], mass[1]);
    let turned = negative < 0.0;
    out.extend(logits.iter().zip(batch.each()).map(|(&logit, (label, weight))| {
        let as_negative = f64::from(cross_entropy(logit, 0.0).1);
        let slope = match (label > 0.5, turned) {
            (true, false) => prior / mass[1] * (f64::from(cross_entropy(logit, 1.0).1) - as_negative),
            (true, true) => prior / mass[1] * as_negative,
            (false, false) => as_negative / mass[0],
            (false, true) => -as_negative / mass[0],
        };
        (weight * slope) as f32
    }));
    (positive + negative.max(0.0)) * batch.mass
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [f32; 5] = [1.0, 0.0, 0.0, 1.0, 0.0];
    const WEIGHTS: [f32; 5] = [1.0, 2.0, 1.0, 0.5, 1.5];
    const LOGITS: [f32; 5] = [0.3, -0.7, 1.1, -2.0, 0.1];

    fn slopes(loss: Loss, positive: f64, logits: &[f32]) -> (f64, Vec<f32>) {
        let rows = Rows { columns: 0, values: &[], labels: &LABELS, weights: &WEIGHTS };
        let batch = Batch { rows: &rows, of: &[0, 1, 2, 3, 4], positive, mass: 6.0 };
        let mut out = vec![];
        (loss.slopes(&mut out, logits, batch), out)
    }

    #[test]
    fn slopes_are_the_finite_differences_of_the_mean_loss() {
        let losses = [
            (Loss::CrossEntropy {}, 3.0),
            (Loss::Focal { gamma: 2.0 }, 3.0),
            (Loss::Focal { gamma: 0.5 }, 1.0),
            (Loss::NnPu { prior: 0.2 }, 1.0),
        ];
        for (loss, positive) in losses {
            let (_, analytic) = slopes(loss, positive, &LOGITS);
            for at in 0..5 {
                let mean = |step: f32| {
                    let mut logits = LOGITS;
                    logits[at] += step;
                    slopes(loss, positive, &logits).0 / 6.0
                };
                let numeric = (mean(1e-2) - mean(-1e-2)) / 2e-2;
                assert!(
                    (numeric - f64::from(analytic[at])).abs() < 2e-5,
                    "{loss:?} {at} {numeric} {analytic:?}"
                );
            }
        }
    }

    #[test]
    fn a_focal_loss_without_focus_is_cross_entropy() {
        let ((a, x), (b, y)) =
            (slopes(Loss::Focal { gamma: 0.0 }, 2.0, &LOGITS), slopes(Loss::CrossEntropy {}, 2.0, &LOGITS));
        assert!((a - b).abs() < 1e-6 && x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-6));
    }

    /// With every unlabelled row far on the negative side, the estimate of the negative risk is below zero: it counts as zero and the
    /// step turns round.
    #[test]
    fn a_negative_risk_below_zero_is_cut_and_turned() {
        let logits = [3.0, -9.0, -9.0, 3.0, -9.0];
        let (loss, out) = slopes(Loss::NnPu { prior: 0.9 }, 1.0, &logits);
        let only_positive = 0.9 * f64::from(cross_entropy(3.0, 1.0).0) * 6.0;
        assert!((loss - only_positive).abs() < 1e-6, "{loss} {only_positive}");
        assert!(out[1] < 0.0 && out[0] > 0.0, "{out:?}");
    }

    #[test]
    fn a_batch_of_one_class_gives_numbers() {
        for labels in [[0.0; 2], [1.0; 2]] {
            let rows = Rows { columns: 0, values: &[], labels: &labels, weights: &[1.0; 2] };
            let batch = Batch { rows: &rows, of: &[0, 1], positive: 1.0, mass: 2.0 };
            let mut out = vec![];
            let loss = Loss::NnPu { prior: 0.1 }.slopes(&mut out, &[0.5, -0.5], batch);
            assert!(loss.is_finite() && out.iter().all(|slope| slope.is_finite()), "{loss} {out:?}");
        }
    }

    #[test]
    fn numbers_outside_their_range_are_named() {
        let message = |loss: Loss, positive| loss.check(positive).unwrap_err().to_string();
        assert!(message(Loss::Focal { gamma: -1.0 }, 1.0).starts_with("gamma"));
        assert!(message(Loss::NnPu { prior: 1.0 }, 1.0).starts_with("prior"));
        assert!(message(Loss::NnPu { prior: 0.1 }, 2.0).starts_with("positive-weight"));
    }
}
