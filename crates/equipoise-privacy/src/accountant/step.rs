//! One Poisson-subsampled Gaussian step, seen by a unit that owns or touches up to K rows.
//!
//! Each of the K rows takes part by itself with probability q, and a row that takes part moves the sum by at most 1 (the
//! null-row convention: a row that uses a nulled account contributes nothing). So the step is the pair
//! `P = sum_k Binomial(K, q)(k) N(k, s^2)` and `Q = N(0, s^2)`: the mixture of Gaussians of dp_accounting. For K = 1 it is
//! the ordinary subsampled Gaussian (Abadi et al. 2016). That the K rows move the sum in one direction is the worst case.
//!
//! The privacy loss `L(x) = ln(dP/dQ)(x) = ln u(x)` rises with x, which is all that the accountants need.

use super::log_normal_cdf;
use equipoise_core::{Fraction, NoiseMultiplier};
use std::num::NonZeroU32;

/// The rows of one unit beyond which a bound on occurrences is no longer one.
pub const MOST_ROWS: u32 = 1024;

/// One step: sampling rate, noise multiplier, and the rows that one unit touches.
#[derive(Clone, PartialEq, Debug)]
pub struct SampledStep {
    pub(super) q: f64,
    pub(super) sigma: f64,
    /// `ln P(k of the rows take part)`, for `k = 0..=K`.
    ln_taken: Vec<f64>,
}

/// A step that no accountant can take.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("one unit in {0} rows is no bounded contribution; bound it to at most {MOST_ROWS} rows")]
pub struct TooManyRows(u32);

impl SampledStep {
    /// A step in which a unit owns one row.
    #[must_use]
    pub fn of_row(rate: Fraction, noise: NoiseMultiplier) -> Self {
        Self::build(rate.get(), noise.get(), 1)
    }

    /// A step in which a unit touches up to `rows` rows.
    ///
    /// # Errors
    /// If there are more than [`MOST_ROWS`].
    pub fn of_rows(rate: Fraction, noise: NoiseMultiplier, rows: NonZeroU32) -> Result<Self, TooManyRows> {
        let rows = rows.get();
        if rows > MOST_ROWS { Err(TooManyRows(rows)) } else { Ok(Self::build(rate.get(), noise.get(), rows)) }
    }

    fn build(q: f64, sigma: f64, rows: u32) -> Self {
        let (ln_q, ln_p) = (libm::log(q), libm::log1p(-q));
        let mut ln_choose = 0.0;
        let mut ln_taken = Vec::new();
        for k in 0..=rows {
            if k > 0 {
                ln_choose += libm::log(f64::from(rows - k + 1) / f64::from(k));
            }
            // A power of nothing is 1, also where its logarithm is infinite (q = 0 and q = 1).
            let power = |times: u32, ln: f64| if times == 0 { 0.0 } else { f64::from(times) * ln };
            ln_taken.push(ln_choose + power(k, ln_q) + power(rows - k, ln_p));
        }
        Self { q, sigma, ln_taken }
    }

    /// The rows that one unit touches.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "at most 1,024")]
    pub fn rows(&self) -> u32 {
        self.ln_taken.len() as u32 - 1
    }

    /// The probability that a row takes part.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.q
    }

    /// Standard deviation of the noise over what one row can move.
    #[must_use]
    pub const fn noise(&self) -> f64 {
        self.sigma
    }

    /// The same step with other noise.
    #[must_use]
    pub fn with_noise(&self, noise: NoiseMultiplier) -> Self {
        Self { sigma: noise.get(), ..self.clone() }
    }

    /// The Renyi bound of one step at every order of [`orders`](super::orders). For one row it is [`rdp_curve`](super::rdp_curve);
    /// for several it is integrated, and an order that would take too long is infinite, which leaves the others valid.
    #[must_use]
    pub fn rdp_curve(&self) -> Vec<f64> {
        if self.rows() == 1 || self.is_nothing() {
            return super::rdp_curve(self.q, self.sigma);
        }
        if let Some(sigma) = self.plain_gaussian() {
            return super::rdp_curve(1.0, sigma);
        }
        let moments = super::moment::Moments::new(self);
        moments
            .ln_moments(super::orders())
            .iter()
            .zip(super::orders())
            .map(|(ln, a)| ln / (a - 1.0))
            .collect()
    }

    /// Whether nobody ever takes part.
    pub(super) fn is_nothing(&self) -> bool {
        self.q <= 0.0
    }

    /// If everybody takes part: the noise multiplier of the plain Gaussian mechanism with all rows moving together.
    pub(super) fn plain_gaussian(&self) -> Option<f64> {
        (self.q >= 1.0).then(|| self.sigma / f64::from(self.rows()))
    }

    /// `L` where nobody takes part: the loss is never below it.
    pub(super) fn lowest_loss(&self) -> f64 {
        self.ln_taken[0]
    }

    fn exponent(&self, k: f64, x: f64) -> f64 {
        k * (2.0 * x - k) / (2.0 * self.sigma * self.sigma)
    }

    /// `(u - 1, ln u)` at `x`, each accurate where it is small; the first is infinite where `u` leaves the range of `f64`.
    pub(super) fn density_ratio(&self, x: f64) -> (f64, f64) {
        if let [_, ln_q] = self.ln_taken[..] {
            let z = self.exponent(1.0, x);
            let w = self.q * libm::expm1(z);
            let ln_u = if z > 30.0 {
                ln_q + z + libm::log1p((1.0 - self.q) / self.q * libm::exp(-z))
            } else {
                libm::log1p(w)
            };
            return (w, ln_u);
        }
        let mut w = 0.0;
        let mut largest = f64::NEG_INFINITY;
        for (k, &ln_taken) in (0_u32..).zip(&self.ln_taken) {
            let exponent = self.exponent(f64::from(k), x);
            w += libm::exp(ln_taken) * libm::expm1(exponent.min(700.0));
            largest = largest.max(ln_taken + exponent);
        }
        // Where next to nobody stays out, u is next to nothing and 1 + w has no digits left.
        if largest < 30.0 && w > -0.999 {
            return (w, libm::log1p(w));
        }
        let (sum, _) = self.scaled_sums(x, largest);
        let ln_u = largest + libm::log(sum);
        (if w > -0.999 { libm::exp(largest.min(700.0)) * sum } else { libm::expm1(ln_u) }, ln_u)
    }

    /// `u` and its slope times `s^2`, both divided by `e^scale`.
    fn scaled_sums(&self, x: f64, scale: f64) -> (f64, f64) {
        let (mut sum, mut slope) = (0.0, 0.0);
        for (k, &ln_taken) in (0_u32..).zip(&self.ln_taken) {
            let k = f64::from(k);
            let term = libm::exp(ln_taken + self.exponent(k, x) - scale);
            sum += term;
            slope += k * term;
        }
        (sum, slope)
    }

    /// The `x` at which the loss is `t`, or nothing if the loss is larger everywhere.
    pub(super) fn where_loss_is(&self, t: f64) -> Option<f64> {
        let variance = self.sigma * self.sigma;
        if let [_, ln_q] = self.ln_taken[..] {
            let rest = if t > 30.0 { t - ln_q } else { libm::log((libm::expm1(t) + self.q) / self.q) };
            return (rest > f64::NEG_INFINITY).then_some(variance * rest + 0.5);
        }
        if t <= self.lowest_loss() {
            return None;
        }
        // The loss is convex in x, so Newton's method falls to the root from the right. There the largest k alone suffices.
        let rows = f64::from(self.rows());
        let start = (t - self.ln_taken[self.ln_taken.len() - 1]) * variance / rows + 0.5 * rows;
        Some(self.where_loss_is_from(t, start))
    }

    /// [`SampledStep::where_loss_is`] for K > 1 from a point right of the root.
    pub(super) fn where_loss_is_from(&self, t: f64, start: f64) -> f64 {
        let mut x = start;
        for _ in 0..200 {
            let (w, ln_u) = self.density_ratio(x);
            // The slope of ln u is that of u over u: scaled by u itself where that is large or next to nothing.
            let far = ln_u > 30.0 || w <= -0.999;
            let scale = if far { ln_u } else { ln_u.max(0.0) };
            let (_, slope) = self.scaled_sums(x, scale);
            let slope =
                slope / (self.sigma * self.sigma) / if far { 1.0 } else { (1.0 + w) * libm::exp(-scale) };
            let next = x - (ln_u - t) / slope;
            let moved = x - next;
            if !next.is_finite() || moved <= 1e-13 * (1.0 + x.abs()) {
                break;
            }
            x = next;
        }
        x
    }

    /// `(P(x), Q(x))`, the distribution functions.
    pub(super) fn below(&self, x: f64) -> (f64, f64) {
        self.mix(|k| normal_below((x - k) / self.sigma))
    }

    /// One minus [`SampledStep::below`], accurate in the upper tail.
    pub(super) fn above(&self, x: f64) -> (f64, f64) {
        self.mix(|k| normal_below((k - x) / self.sigma))
    }

    fn mix(&self, of: impl Fn(f64) -> f64) -> (f64, f64) {
        let mut mixed = 0.0;
        let mut alone = 0.0;
        for (k, ln_taken) in (0_u32..).zip(&self.ln_taken) {
            let value = of(f64::from(k));
            if k == 0 {
                alone = value;
            }
            mixed += libm::exp(*ln_taken) * value;
        }
        (mixed, alone)
    }

    /// The interval outside of which neither distribution has more than `tail` on a side.
    pub(super) fn reach(&self, tail: f64) -> (f64, f64) {
        let ln_tail = libm::log(tail);
        // The lower tail of the mixture is lighter than that of N(0), its upper tail heavier.
        let low = -self.sigma * bisect(0.0, 60.0, |z| log_normal_cdf(-z) <= ln_tail);
        let rows = f64::from(self.rows());
        let high = bisect(0.0, rows - low, |x| self.above(x).0 <= tail);
        (low, high)
    }
}

/// The smallest argument for which `reached` holds, to the resolution of `f64`.
pub(super) fn bisect(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if reached(middle) { high = middle } else { low = middle }
    }
    high
}

/// The standard normal distribution function.
pub(super) fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(q: f64, sigma: f64, rows: u32) -> SampledStep {
        SampledStep::build(q, sigma, rows)
    }

    #[test]
    fn the_loss_is_inverted_everywhere() {
        for step in
            [step(0.01, 1.0, 1), step(1e-6, 0.4, 1), step(0.1, 2.0, 4), step(0.3, 0.3, 8), step(0.9, 5.0, 3)]
        {
            for x in [-3.0, -0.5, 0.2, 1.0, 5.0, 20.0] {
                let loss = step.density_ratio(x).1;
                let back = step.where_loss_is(loss).unwrap();
                let again = step.density_ratio(back).1;
                assert!((again - loss).abs() <= 1e-12 * (1.0 + loss.abs()), "{step:?} {x}: {back}");
            }
            assert!(step.where_loss_is(step.lowest_loss() - 1e-9).is_none());
        }
    }

    #[test]
    fn two_rows_are_the_mixture_on_paper() {
        // (1-q)^2 + 2 q (1-q) e^(-1/2) + q^2 e^(-2) at x = 0, s = 1, q = 1/2.
        let want = 0.25 + 0.5 * (-0.5_f64).exp() + 0.25 * (-2.0_f64).exp();
        let (w, ln_u) = step(0.5, 1.0, 2).density_ratio(0.0);
        assert!((w + 1.0 - want).abs() < 1e-15 && (ln_u - want.ln()).abs() < 1e-15);
    }

    /// Where forty rows of which nine in ten take part are not seen, `u` is 1e-40: the term of nobody, and of one.
    #[test]
    fn a_ratio_of_next_to_nothing_keeps_its_digits() {
        let step = step(0.9, 1.0, 40);
        for x in [-12.0, -20.0] {
            let want = 40.0 * 0.1_f64.ln() + (40.0 * 9.0 * (x - 0.5_f64).exp()).ln_1p();
            let (w, ln_u) = step.density_ratio(x);
            assert!((ln_u / want - 1.0).abs() < 1e-4 && (w + 1.0).abs() < 1e-15, "{x}: {ln_u} {want}");
        }
        let back = step.where_loss_is(step.density_ratio(-2.0).1).unwrap();
        assert!((back + 2.0).abs() < 1e-9, "{back}");
    }

    #[test]
    fn everybody_taking_part_is_one_gaussian_moved_by_all_rows() {
        let (everybody, moved) = (step(1.0, 2.0, 3), step(1.0, 2.0 / 3.0, 1));
        assert!((everybody.plain_gaussian().unwrap() - moved.plain_gaussian().unwrap()).abs() < 1e-15);
        assert!((everybody.above(1.0).0 - normal_below(1.0)).abs() < 1e-15);
    }

    #[test]
    fn beyond_the_reach_lies_what_was_asked_for() {
        for step in [step(0.01, 1.0, 1), step(0.2, 0.5, 4)] {
            let (low, high) = step.reach(1e-12);
            assert!((step.below(low).1 / 1e-12 - 1.0).abs() < 1e-9);
            assert!((step.above(high).0 / 1e-12 - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn more_rows_than_a_bound_allows_are_refused() {
        let (rate, noise) = (Fraction::new(0.1).unwrap(), NoiseMultiplier::new(1.0).unwrap());
        assert!(SampledStep::of_rows(rate, noise, NonZeroU32::new(4).unwrap()).is_ok());
        let error = SampledStep::of_rows(rate, noise, NonZeroU32::new(5000).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("one unit in 5000 rows"), "{error}");
    }
}
