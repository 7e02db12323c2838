//! The power law with exponential cut-off `p(x) ~ x^-alpha e^(-rate x)`.

use super::Model;
use super::power_law::{MOST, PowerLaw};
use super::sample::Sample;
use super::search::nelder_mead;
use serde::Serialize;

/// A power law that an exponential ends.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cutoff {
    /// Exponent of the power law, between -3 and 25.
    pub alpha: f64,
    /// Rate of the exponential, per unit of value; its inverse is where the cut-off sets in.
    pub rate: f64,
    #[serde(skip)]
    xmin: f64,
    #[serde(skip)]
    ln_norm: f64,
}

/// Below this rate the cut-off lies beyond any degree.
const LEAST_RATE: f64 = 1e-9;

impl Cutoff {
    fn new(alpha: f64, rate: f64, xmin: f64) -> Self {
        Self { alpha, rate, xmin, ln_norm: libm::log(norm(alpha, rate, xmin)) }
    }

    /// Maximum likelihood over (alpha, ln rate). The likelihood is concave in (alpha, rate), so one start suffices.
    pub(super) fn fit(sample: &Sample<'_>, power_law: &PowerLaw) -> Self {
        let sum_x: f64 = sample.points.iter().map(|&(x, count)| count * x).sum();
        let ln_xmin = libm::log(sample.xmin);
        let likelihood = |[alpha, ln_rate]: [f64; 2]| {
            let rate = libm::exp(ln_rate);
            if !(-3.0..=MOST).contains(&alpha) || !(LEAST_RATE..=20.0).contains(&rate) {
                return f64::NEG_INFINITY;
            }
            -alpha * (sample.sum_ln - sample.n * ln_xmin)
                - rate * (sum_x - sample.n * sample.xmin)
                - sample.n * libm::log(norm(alpha, rate, sample.xmin))
        };
        let mean = sum_x / sample.n;
        let start = [(power_law.alpha - 0.5).max(0.0), -libm::log(10.0 * mean)];
        let [alpha, ln_rate] = nelder_mead(likelihood, start, 0.3);
        Self::new(alpha, libm::exp(ln_rate), sample.xmin)
    }
}

impl Model for Cutoff {
    fn ln_p(&self, x: f64) -> f64 {
        -self.alpha * libm::log(x / self.xmin) - self.rate * (x - self.xmin) - self.ln_norm
    }
}

/// `sum over x >= xmin of (x / xmin)^-alpha e^(-rate (x - xmin))`: 64 terms, then Euler-Maclaurin with the integral by
/// Simpson's rule over `ln x`.
fn norm(alpha: f64, rate: f64, xmin: f64) -> f64 {
    let term = |x: f64| libm::exp(-alpha * libm::log(x / xmin) - rate * (x - xmin));
    let sum: f64 = (0..64_u32).map(|k| term(xmin + f64::from(k))).sum();
    let a = xmin + 64.0;
    let head = term(a);
    if head < 1e-18 * sum {
        return sum;
    }
    // Far enough for 60 e-foldings of the exponential or, where it is steeper, of the power.
    let mut far = libm::log1p(60.0 / (rate * a));
    if alpha > 1.0 {
        far = far.min(60.0 / (alpha - 1.0));
    }
    let panels = 400_u32;
    let h = far / f64::from(panels);
    let integrand = |i: u32| {
        let x = a * libm::exp(h * f64::from(i));
        x * term(x)
    };
    let inner: f64 = (1..panels).map(|i| integrand(i) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    let integral = h / 3.0 * (integrand(0) + inner + integrand(panels));
    sum + integral + head / 2.0 + head * (alpha / a + rate) / 12.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_norm_equals_the_sum_of_its_terms() {
        for (alpha, rate, xmin) in [(2.5, 1e-3, 1.0), (0.0, 0.01, 5.0), (1.2, 0.3, 2.0), (-0.5, 0.02, 1.0)] {
            let sum: f64 = (0..200_000_u32)
                .map(|k| xmin + f64::from(k))
                .map(|x| (-alpha * (x / xmin).ln() - rate * (x - xmin)).exp())
                .sum();
            let got = norm(alpha, rate, xmin);
            assert!((got / sum - 1.0).abs() < 1e-6, "{alpha} {rate} {xmin}: {got} {sum}");
        }
    }
}
