//! The audit from one run (Steinke, Nasr, Jagielski, "Privacy auditing with one (1) training run", NeurIPS 2023, theorem 5.2).
//!
//! Of `canaries` rows each is in by its own fair coin. The auditor names `guesses` of them, a number fixed in advance, and `correct`
//! guesses hold. Valid for any mechanism and any dependence between scores; weak where epsilon is small.

use super::largest_refuted;
use crate::stats::binomial_tails;

/// The probability, at most, of so many correct guesses under (`epsilon`, `delta`)-differential privacy.
///
/// # Panics
/// If more guesses are correct than were made.
#[must_use]
pub fn one_run_p_value(canaries: u32, guesses: u32, correct: u32, epsilon: f64, delta: f64) -> f64 {
    assert!(
        correct <= guesses && guesses <= canaries,
        "correct guesses are guesses, and guesses are canaries"
    );
    let tails = binomial_tails(guesses, 1.0 / (1.0 + libm::exp(-epsilon)));
    let beta = tails[correct as usize];
    let worst =
        (1..=correct).map(|i| (tails[(correct - i) as usize] - beta) / f64::from(i)).fold(0.0_f64, f64::max);
    (beta + 2.0 * f64::from(canaries) * delta * worst).min(1.0)
}

/// The largest epsilon that the guesses refute at `significance`; 0 if none.
#[must_use]
pub fn one_run_epsilon(canaries: u32, guesses: u32, correct: u32, significance: f64, delta: f64) -> f64 {
    largest_refuted(|epsilon| one_run_p_value(canaries, guesses, correct, epsilon, delta) <= significance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three guesses of three: at epsilon 0 each holds by a fair coin.
    #[test]
    fn the_p_value_of_three_coins() {
        assert!((one_run_p_value(10, 3, 3, 0.0, 0.0) - 0.125).abs() < 1e-14);
        // alpha = max((1/2 - 1/8) / 1, (7/8 - 1/8) / 2, (1 - 1/8) / 3) = 3/8; 2 x 10 x 0.01 x 3/8 = 0.075.
        assert!((one_run_p_value(10, 3, 3, 0.0, 0.01) - 0.2).abs() < 1e-14);
    }

    #[test]
    fn more_correct_guesses_never_lower_the_bound() {
        let bounds: Vec<f64> =
            (0..=50).map(|correct| one_run_epsilon(500, 50, correct, 0.05, 1e-5)).collect();
        assert!(bounds.windows(2).all(|pair| pair[0] <= pair[1]) && bounds[25] <= 0.0 && bounds[50] > 2.0);
    }
}
