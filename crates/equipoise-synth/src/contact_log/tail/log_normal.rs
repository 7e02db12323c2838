//! The log-normal, rounded to whole numbers and cut at a smallest one:
//! `p(x) = [F(x + 1/2) - F(x - 1/2)] / [1 - F(xmin - 1/2)]`.

use super::Model;
use super::sample::Sample;
use super::search::nelder_mead;
use serde::Serialize;
use std::f64::consts::SQRT_2;

/// A log-normal from a smallest value on.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogNormal {
    /// Mean of the logarithm.
    pub mu: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
    #[serde(skip)]
    ln_norm: f64,
}

impl LogNormal {
    fn new(mu: f64, sigma: f64, xmin: f64) -> Self {
        let beyond = libm::erfc((libm::log(xmin - 0.5) - mu) / sigma / SQRT_2) / 2.0;
        Self { mu, sigma, ln_norm: libm::log(beyond.max(f64::MIN_POSITIVE)) }
    }

    /// Maximum likelihood over (mu, ln sigma). Where the tail looks like a power law the likelihood is nearly flat along a
    /// ridge of ever smaller `mu`; the search stops at ten `sigma` below the start, where both models agree.
    pub(super) fn fit(sample: &Sample<'_>) -> Self {
        let ln_xmin = libm::log(sample.xmin);
        let likelihood = |[mu, ln_sigma]: [f64; 2]| {
            let sigma = libm::exp(ln_sigma);
            if !(0.05..=20.0).contains(&sigma) || mu < ln_xmin - 10.0 * sigma || mu > 50.0 {
                return f64::NEG_INFINITY;
            }
            Self::new(mu, sigma, sample.xmin).likelihood(sample)
        };
        let mean = sample.sum_ln / sample.n;
        let squares: f64 = sample
            .points
            .iter()
            .map(|&(x, count)| count * (libm::log(x) - mean) * (libm::log(x) - mean))
            .sum();
        let sigma = libm::sqrt(squares / sample.n).max(0.1);
        let [mu, ln_sigma] = nelder_mead(likelihood, [mean, libm::log(sigma)], 0.3);
        Self::new(mu, libm::exp(ln_sigma), sample.xmin)
    }
}

impl Model for LogNormal {
    fn ln_p(&self, x: f64) -> f64 {
        let z = |x: f64| (libm::log(x) - self.mu) / self.sigma / SQRT_2;
        let (a, b) = (z(x - 0.5), z(x + 0.5));
        // The difference is taken between the smaller tails, which keep their digits.
        let mass = if a > 0.0 {
            libm::erfc(a) - libm::erfc(b)
        } else if b < 0.0 {
            libm::erfc(-b) - libm::erfc(-a)
        } else {
            2.0 - libm::erfc(-a) - libm::erfc(b)
        };
        libm::log((mass / 2.0).max(f64::MIN_POSITIVE)) - self.ln_norm
    }
}
