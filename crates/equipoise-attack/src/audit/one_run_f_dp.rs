//! The audit from one run against a whole trade-off curve (Mahloujifar, Melis, Chaudhuri, "Auditing f-differential privacy in one run",
//! arXiv 2410.22235, algorithm 3), here the curve of a Gaussian mechanism: tighter, because a claim about Gaussian noise says more than
//! one (epsilon, delta).

use super::largest_refuted;
use crate::stats::{normal_cdf, normal_quantile};
use equipoise_core::{Delta, Epsilon};
use equipoise_privacy::gaussian_noise_multiplier;

/// Whether the guesses refute a Gaussian mechanism of noise multiplier `sigma`.
fn refuted(canaries: u32, guesses: u32, correct: u32, significance: f64, sigma: f64) -> bool {
    let share = |count: u32| f64::from(count) / f64::from(canaries);
    let (mut right, mut wrong) = (significance * share(correct), significance * share(guesses - correct));
    for left in (0..correct).rev() {
        // Where the curve allows no more wrong guesses than there are, nothing moves any more.
        let allowed = normal_cdf(normal_quantile(right) - 1.0 / sigma);
        if allowed <= wrong {
            break;
        }
        right = (right + f64::from(left) / f64::from(guesses - left) * (allowed - wrong)).min(1.0);
        wrong = allowed;
    }
    right + wrong > share(guesses)
}

/// The largest epsilon at `delta` whose Gaussian mechanism the guesses refute at `significance`; 0 if none.
///
/// # Panics
/// If more guesses are correct than were made.
#[must_use]
pub fn one_run_epsilon_f_dp(
    canaries: u32,
    guesses: u32,
    correct: u32,
    significance: f64,
    delta: Delta,
) -> f64 {
    assert!(
        correct <= guesses && guesses <= canaries,
        "correct guesses are guesses, and guesses are canaries"
    );
    largest_refuted(|epsilon| {
        // At epsilon 0 there is no Gaussian mechanism; the smallest positive one stands for it.
        let epsilon = Epsilon::new(epsilon.max(1e-9)).expect("positive");
        let sigma = gaussian_noise_multiplier(epsilon, delta).get();
        refuted(canaries, guesses, correct, significance, sigma)
    })
}
