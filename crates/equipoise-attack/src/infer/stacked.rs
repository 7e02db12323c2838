//! A learned attacker over the other attacks' scores, because each alone may miss a leak that together they show (NIST's red team on
//! federated learning, arXiv 2604.12737, found one where LiRA collapsed).
//!
//! It rehearses on shadow models, whose members it knows, and never sees a member of the target: leave one shadow out, attack it with
//! the rest, and fit a logistic regression of membership on the standardised scores.

use super::{Infer, LiraOffline, LiraOnline, LossThreshold, ReleasedModelView, Rmia};
use crate::logistic::Logistic;
use serde::{Deserialize, Serialize};

/// Logistic regression over loss, LiRA online and offline, and RMIA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stacked {
    /// Shadow models that are attacked to learn from.
    pub rehearsals: u32,
}

/// The standardised scores of every attack, one row a candidate.
fn signals(seen: &ReleasedModelView<'_>) -> Vec<Vec<f64>> {
    let rmia = Rmia { gamma: 1.0, offline_a: 0.3 };
    let attacks: [&dyn Infer; 4] = [&LossThreshold {}, &LiraOnline {}, &LiraOffline {}, &rmia];
    let mut rows = vec![Vec::new(); seen.losses.len()];
    for attack in attacks {
        let scores = attack.scores(seen);
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let spread = libm::sqrt(scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n).max(1e-9);
        // Cut, so that one odd row does not turn the fit.
        rows.iter_mut()
            .zip(&scores)
            .for_each(|(row, score)| row.push(((score - mean) / spread).clamp(-8.0, 8.0)));
    }
    rows
}

impl Infer for Stacked {
    fn name(&self) -> &'static str {
        "stacked"
    }

    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64> {
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for model in 0..seen.shadows.len().min(self.rehearsals as usize) {
            let (shadows, losses, inside) = seen.shadows.without(model);
            rows.extend(signals(&ReleasedModelView { losses, shadows: &shadows }));
            labels.extend_from_slice(inside);
        }
        if rows.is_empty() {
            return LossThreshold {}.scores(seen);
        }
        let learned = Logistic::fit(&rows, &labels, 1e-3);
        signals(seen).iter().map(|row| learned.logit(row)).collect()
    }
}
