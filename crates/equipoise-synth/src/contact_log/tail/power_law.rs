//! The discrete power law `p(x) = x^-alpha / zeta(alpha, xmin)`.

use super::Model;
use super::sample::Sample;
use super::search::golden;
use serde::Serialize;

/// A power law from a smallest value on.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PowerLaw {
    /// The exponent, between 1.01 and 25; towards the upper end the tail is no power law.
    pub alpha: f64,
    #[serde(skip)]
    ln_zeta: f64,
}

impl PowerLaw {
    /// Maximum likelihood; exact up to the search's 1e-7, since the likelihood is concave in `alpha`.
    pub(super) fn fit(sample: &Sample<'_>) -> Self {
        let likelihood = |alpha: f64| -sample.n * libm::log(zeta(alpha, sample.xmin)) - alpha * sample.sum_ln;
        Self::new(golden(likelihood, 1.01, MOST), sample.xmin)
    }

    /// The law of a given exponent from `xmin` on.
    pub(super) fn new(alpha: f64, xmin: f64) -> Self {
        Self { alpha, ln_zeta: libm::log(zeta(alpha, xmin)) }
    }

    /// The largest difference between the cumulative distributions of the sample and the model.
    pub(super) fn ks(&self, sample: &Sample<'_>) -> f64 {
        let (mut seen, mut largest) = (0.0, 0.0_f64);
        let all = libm::exp(self.ln_zeta);
        for &(x, count) in sample.points {
            seen += count;
            largest = largest.max((seen / sample.n - (1.0 - zeta(self.alpha, x + 1.0) / all)).abs());
        }
        largest
    }
}

impl Model for PowerLaw {
    fn ln_p(&self, x: f64) -> f64 {
        -self.alpha * libm::log(x) - self.ln_zeta
    }
}

/// Largest exponent that is looked for.
pub(super) const MOST: f64 = 25.0;

/// Hurwitz' zeta function `sum over k >= 0 of (a + k)^-s` for `s > 1`, `a >= 1`: terms up to 20 + s, then the
/// Euler-Maclaurin series (relative error below 1e-7 for all `s` used here).
fn zeta(s: f64, a: f64) -> f64 {
    let (mut sum, mut x) = (0.0, a);
    while x < 20.0 + s {
        sum += libm::pow(x, -s);
        x += 1.0;
    }
    let head = libm::pow(x, -s);
    let (x2, x1) = (x * x, s / x);
    let series = x / (s - 1.0) + 0.5 + x1 / 12.0 - x1 * (s + 1.0) * (s + 2.0) / (720.0 * x2)
        + x1 * (s + 1.0) * (s + 2.0) * (s + 3.0) * (s + 4.0) / (30_240.0 * x2 * x2);
    sum + head * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeta_has_its_known_values() {
        let pi = std::f64::consts::PI;
        assert!((zeta(2.0, 1.0) - pi * pi / 6.0).abs() < 1e-12);
        assert!((zeta(4.0, 1.0) - pi.powi(4) / 90.0).abs() < 1e-12);
        // zeta(2, 1/1) without its first three terms, and Apery's constant.
        assert!((zeta(2.0, 4.0) - (pi * pi / 6.0 - 1.0 - 0.25 - 1.0 / 9.0)).abs() < 1e-12);
        assert!((zeta(3.0, 1.0) - 1.202_056_903_159_594).abs() < 1e-12);
        // A large exponent beyond a large start, against the plain sum.
        let sum: f64 = (0..20_000_u32).map(|k| (60.0 + f64::from(k)).powf(-24.0)).sum();
        assert!((zeta(24.0, 60.0) / sum - 1.0).abs() < 1e-7);
    }
}
