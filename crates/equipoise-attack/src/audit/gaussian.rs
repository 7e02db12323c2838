//! The audit that uses the form of the noise: canaries' scores are normal, shifted by the canary's bound when it is in. The separation
//! over the pooled deviation is then a noncentral t, and its lower bound one on the mu of Gaussian differential privacy (in the
//! spirit of "Let's ask Gauss", arXiv 2606.12733).
//!
//! Valid where scores are normal with one deviation and independent, as they are for orthogonal canaries under additive Gaussian noise;
//! for Poisson samples over many steps by the central limit only. Where the form is unknown use the counting bounds.

use super::CanaryScores;
use crate::stats::{bisect, normal_cdf};
use equipoise_core::{Delta, NoiseMultiplier};
use equipoise_privacy::gaussian_epsilon;

/// What the scores say of the separation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GaussianForm {
    /// The separation seen: difference of means over the pooled deviation.
    pub mu: f64,
    /// Its lower bound at the significance asked for; never negative.
    pub mu_low: f64,
}

impl GaussianForm {
    /// Estimates from at least two scores a side.
    ///
    /// # Panics
    /// If a side has fewer than two.
    #[must_use]
    pub fn of(scores: &CanaryScores, significance: f64) -> Self {
        let ((n_in, mean_in, square_in), (n_out, mean_out, square_out)) =
            (moments(&scores.inside), moments(&scores.outside));
        let freedom = n_in + n_out - 2.0;
        let pooled = libm::sqrt((square_in + square_out) / freedom);
        let apart = mean_in - mean_out;
        if apart <= 0.0 {
            return Self { mu: if pooled > 0.0 { apart / pooled } else { 0.0 }, mu_low: 0.0 };
        }
        // Without any noise the separation has no bound; this is far above what any claim allows and still a number.
        let mu = (apart / pooled).min(1e6);
        let root = libm::sqrt(n_in * n_out / (n_in + n_out));
        // P(T >= t) of the noncentral t, by its normal approximation, good to three digits from 100 degrees of freedom.
        let t = mu * root;
        let (scale, centre) = (libm::sqrt(1.0 + t * t / (2.0 * freedom)), t * (1.0 - 0.25 / freedom));
        let surprising = |mu: f64| normal_cdf((mu * root - centre) / scale) < significance;
        Self { mu, mu_low: if surprising(0.0) { bisect(0.0, mu, surprising) } else { 0.0 } }
    }

    /// The lower bound on epsilon at `delta`.
    ///
    /// # Panics
    /// Never: a positive bound has an inverse.
    #[must_use]
    pub fn epsilon(&self, delta: Delta) -> f64 {
        if self.mu_low < 1e-6 {
            return 0.0;
        }
        gaussian_epsilon(NoiseMultiplier::new(1.0 / self.mu_low).expect("positive and finite"), delta)
    }
}

/// Number, mean, and sum of squares about the mean.
fn moments(scores: &[f64]) -> (f64, f64, f64) {
    assert!(scores.len() >= 2, "a deviation needs two scores");
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    (n, mean, scores.iter().map(|score| (score - mean) * (score - mean)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    /// 1,000 samples of 500 + 500 normals `mu` apart. A bound at 5 % lies above the truth in 5 % of them; the standard error is 0.7 %,
    /// and the band four of them.
    #[test]
    fn the_bound_exceeds_the_truth_as_often_as_it_says() {
        for mu in [0.25, 1.0, 3.0] {
            let above = (0..1_000)
                .filter(|&trial| {
                    let mut rng = Seed::root(41).derive("trial", trial).rng();
                    let mut draw = |shift: f64| (0..500).map(|_| rng.normal() + shift).collect();
                    let scores = CanaryScores { inside: draw(mu), outside: draw(0.0) };
                    GaussianForm::of(&scores, 0.05).mu_low > mu
                })
                .count();
            assert!((22..=78).contains(&above), "{mu}: {above} of 1,000");
        }
    }

    #[test]
    fn no_separation_and_no_noise_are_both_numbers() {
        let none = CanaryScores { inside: vec![1.0, 2.0], outside: vec![2.0, 3.0] };
        assert!(GaussianForm::of(&none, 0.05).epsilon(Delta::new(1e-5).unwrap()) <= 0.0);
        let bare = CanaryScores { inside: vec![1.0; 50], outside: vec![0.0; 50] };
        assert!(GaussianForm::of(&bare, 0.05).mu_low > 1e3);
    }
}
