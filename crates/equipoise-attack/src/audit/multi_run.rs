//! The audit from many independent trials (Jagielski, Ullman, Oprea, NeurIPS 2020; Nasr et al., S&P 2021): exact binomial bounds on
//! the two error rates of one test, whose threshold was fixed before the trials were seen.

use crate::stats::{Rate, normal_quantile};

/// Counts above a threshold, and the significance that all bounds made from them share.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trials {
    /// How often the canary was called in when it was.
    pub true_positive: Rate,
    /// How often it was called in when it was out.
    pub false_positive: Rate,
}

impl Trials {
    /// Counts scores above `threshold`; each rate's bounds take half of `significance`.
    ///
    /// # Panics
    /// If either side is empty.
    #[must_use]
    pub fn above(threshold: f64, inside: &[f64], outside: &[f64], significance: f64) -> Self {
        let rate = |scores: &[f64]| {
            let hits = scores.iter().filter(|&&score| score > threshold).count();
            Rate::new(hits as u32, scores.len() as u32, 0.5 * significance)
        };
        Self { true_positive: rate(inside), false_positive: rate(outside) }
    }

    /// The separation of two unit normals that the rates show at least: the lower bound on the mu of Gaussian differential privacy
    /// (Nasr et al., USENIX Security 2023). Valid for any scores, where the claim is a Gaussian trade-off.
    #[must_use]
    pub fn mu(&self) -> f64 {
        (normal_quantile(self.true_positive.low) - normal_quantile(self.false_positive.high)).max(0.0)
    }
}

/// The lower bound on epsilon at `delta`: `ln((TPR - delta) / FPR)` with the rates at their unfavourable bounds; 0 if none.
#[must_use]
pub fn multi_run_epsilon(trials: &Trials, delta: f64) -> f64 {
    let above = trials.true_positive.low - delta;
    if above <= 0.0 { 0.0 } else { libm::log(above / trials.false_positive.high).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Design notes: perfect separation of 100 + 100 runs shows at most 3.28, of 1,000 + 1,000 at most 5.60.
    #[test]
    fn the_ceiling_is_that_of_the_number_of_runs() {
        for (runs, want) in [(100, 3.28), (1_000, 5.60)] {
            let trials = Trials::above(0.5, &vec![1.0; runs], &vec![0.0; runs], 0.05);
            assert!((multi_run_epsilon(&trials, 0.0) - want).abs() < 0.005);
        }
    }

    #[test]
    fn scores_that_say_nothing_bound_nothing() {
        let same: Vec<f64> = (0..100).map(f64::from).collect();
        let trials = Trials::above(50.0, &same, &same, 0.05);
        assert!(multi_run_epsilon(&trials, 0.0) <= 0.0 && trials.mu() <= 0.0);
    }
}
