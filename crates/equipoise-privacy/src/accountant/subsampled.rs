//! Renyi differential privacy of one Poisson-subsampled Gaussian step (Mironov, Talwar, Zhang, arXiv 1908.10530), for
//! adding, removing or nulling one unit of sensitivity 1.
//!
//! With `u(x) = 1 - q + q e^z`, `z = (2x - 1) / (2 s^2)`, `x ~ N(0, s^2)`, the moment is `A(a) = E[u^a]` and the bound
//! `ln A / (a - 1)`. This file computes `A - 1`, not `A`: since `E[u] = 1`,
//! `A - 1 = E[u^a - 1 - a (u - 1)]`, whose integrand is nowhere negative (Bernoulli), so that nothing cancels even where
//! `A - 1` is 1e-10. Integer orders have the matching closed form with non-negative terms. Fractional orders use the
//! trapezoid rule, which converges exponentially for such integrands; the signed series that libraries sum does not.

use std::sync::LazyLock;

/// The orders of the grid: 1.1 to 10.9 in steps of 0.1, 11 to 63, then 128, 256, 512, 1024.
static ORDERS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let tenths = (11..110).map(|i| f64::from(i) / 10.0);
    tenths.chain((11..64).map(f64::from)).chain([128.0, 256.0, 512.0, 1024.0]).collect()
});

/// The largest order that is integrated rather than summed.
const LARGEST_FRACTIONAL: f64 = 10.9;

/// Natural logarithms of the factorials up to 1024.
static LN_FACTORIAL: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut sum = 0.0;
    let add = |k: u32| {
        sum += libm::log(f64::from(k.max(1)));
        sum
    };
    (0..=1024).map(add).collect()
});

/// The orders at which [`rdp_curve`] is given.
#[must_use]
pub fn orders() -> &'static [f64] {
    &ORDERS
}

/// The Renyi bound of one step at every order of [`orders`], for sampling rate `q` in `[0, 1]` and noise multiplier
/// `sigma > 0`. About a millisecond; relative error against a much finer rule below 1e-10 in the tested range.
///
/// # Panics
/// If `q` or `sigma` lie outside their ranges.
#[must_use]
pub fn rdp_curve(q: f64, sigma: f64) -> Vec<f64> {
    assert!((0.0..=1.0).contains(&q) && sigma > 0.0, "a sampling rate or noise multiplier was not checked");
    if q <= 0.0 {
        return vec![0.0; ORDERS.len()];
    }
    if q >= 1.0 {
        return ORDERS.iter().map(|a| a / (2.0 * sigma * sigma)).collect();
    }
    let grid = Grid::new(q, sigma, points_per_sigma(sigma));
    ORDERS
        .iter()
        .map(|&a| {
            let ln_excess =
                as_integer(a).map_or_else(|| grid.ln_excess(a), |k| ln_excess_integer(k, q, sigma));
            ln_one_plus_exp(ln_excess) / (a - 1.0)
        })
        .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "orders are between 1 and 1024")]
fn as_integer(a: f64) -> Option<usize> {
    let rounded = libm::round(a);
    ((a - rounded).abs() < 1e-9).then_some(rounded as usize)
}

/// `ln(1 + e^x)`.
fn ln_one_plus_exp(x: f64) -> f64 {
    if x > 30.0 { x + libm::exp(-x) } else { libm::log1p(libm::exp(x)) }
}

/// `ln(A - 1)` at the integer order `a`: the sum over `k >= 2` of `C(a,k) q^k (1-q)^(a-k) (e^(k(k-1)/2s^2) - 1)`.
#[allow(clippy::cast_precision_loss, reason = "orders are at most 1024")]
fn ln_excess_integer(a: usize, q: f64, sigma: f64) -> f64 {
    let (ln_q, ln_p) = (libm::log(q), libm::log1p(-q));
    let term = |k: usize| {
        let (x, rest) = (k as f64, (a - k) as f64);
        let exponent = x * (x - 1.0) / (2.0 * sigma * sigma);
        let ln_growth = if exponent > 40.0 { exponent } else { libm::log(libm::expm1(exponent)) };
        LN_FACTORIAL[a] - LN_FACTORIAL[k] - LN_FACTORIAL[a - k] + x * ln_q + rest * ln_p + ln_growth
    };
    let terms: Vec<f64> = (2..=a).map(term).collect();
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + libm::log(terms.iter().map(|t| libm::exp(t - largest)).sum())
}

/// Points of the trapezoid rule per standard deviation. The integrand is analytic within `pi s^2` of the real line and
/// Gaussian along it, so that the error is about `e^(-2 pi^2 s n)` for small and `e^(-2 pi^2 n^2)` for large `s`.
fn points_per_sigma(sigma: f64) -> f64 {
    libm::ceil(2.0 / sigma).max(8.0)
}

/// One point of integration.
struct Point {
    /// `ln` of the density times the step.
    ln_weight: f64,
    weight: f64,
    /// `ln u`, never overflowing.
    ln_u: f64,
    /// `u - 1`, possibly infinite where `ln_u` is large.
    w: f64,
}

/// The points on `[-14 s - 2, a + 14 s + 2]`, shared by all fractional orders `a`: each uses its own stretch.
struct Grid {
    points: Vec<Point>,
    from: f64,
    step: f64,
    sigma: f64,
}

impl Grid {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand points")]
    fn new(q: f64, sigma: f64, per_sigma: f64) -> Self {
        let step = sigma / per_sigma;
        let (from, to) = (-14.0 * sigma - 2.0, LARGEST_FRACTIONAL + 14.0 * sigma + 2.0);
        let count = libm::ceil((to - from) / step) as u32;
        let variance = sigma * sigma;
        let ln_scale = libm::log(step / sigma) - 0.5 * libm::log(std::f64::consts::TAU);
        let point = |i: u32| {
            let x = from + f64::from(i) * step;
            let z = (2.0 * x - 1.0) / (2.0 * variance);
            let w = q * libm::expm1(z);
            let ln_u = if z > 30.0 {
                libm::log(q) + z + libm::log1p((1.0 - q) / q * libm::exp(-z))
            } else {
                libm::log1p(w)
            };
            let ln_weight = ln_scale - x * x / (2.0 * variance);
            Point { ln_weight, weight: libm::exp(ln_weight), ln_u, w }
        };
        Self { points: (0..=count).map(point).collect(), from, step, sigma }
    }

    /// `ln(A - 1)` at the order `a`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand points")]
    fn ln_excess(&self, a: f64) -> f64 {
        let end = libm::ceil((a + 14.0 * self.sigma + 2.0 - self.from) / self.step) as usize;
        let points = &self.points[..self.points.len().min(end + 1)];
        let peak = points.iter().map(|p| a * p.ln_u + p.ln_weight).fold(f64::NEG_INFINITY, f64::max);
        // Small sigmas reach moments beyond the range of f64: these are summed after a shift.
        let shift = (peak - 600.0).max(0.0);
        let unshift = libm::exp(-shift);
        let sum: f64 = points.iter().map(|p| p.contribution(a, shift, unshift)).sum();
        libm::log(sum) + shift
    }
}

impl Point {
    /// Weight times `u^a - 1 - a w`, times `e^-shift`.
    fn contribution(&self, a: f64, shift: f64, unshift: f64) -> f64 {
        let w = self.w;
        if w.abs() < 1e-3 {
            // The binomial series from its square term on, where the difference below would cancel.
            let tail = 1.0 + (a - 4.0) / 5.0 * w * (1.0 + (a - 5.0) / 6.0 * w);
            let series = 1.0 + (a - 2.0) / 3.0 * w * (1.0 + (a - 3.0) / 4.0 * w * tail);
            return 0.5 * a * (a - 1.0) * w * w * series * self.weight * unshift;
        }
        let power = a * self.ln_u;
        if power < 30.0 {
            return (libm::expm1(power) - a * w) * self.weight * unshift;
        }
        let subtract = if self.ln_u < 700.0 { (1.0 + a * w) * self.weight * unshift } else { 0.0 };
        libm::exp(power + self.ln_weight - shift) - subtract
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: [(f64, f64); 12] = [
        (0.01, 1.0),
        (0.001, 0.3),
        (1e-6, 0.4),
        (0.5, 0.4),
        (0.25, 3.0),
        (0.01, 50.0),
        (0.1, 100.0),
        (0.99, 1.0),
        (0.999, 0.2),
        (0.02, 0.1),
        (0.9, 4.0),
        (0.5, 8.0),
    ];

    /// Log-space trapezoid with 50,000 points of the textbook integrand `density * u^exponent`: the slow, obvious form.
    fn slow_ln_moment(q: f64, sigma: f64, exponent: f64) -> f64 {
        let (from, to, n) = (-14.0 * sigma - 2.0, exponent.abs() + 14.0 * sigma + 2.0, 50_000);
        let step = (to - from) / f64::from(n);
        let ln = |i: i32| {
            let x = from + f64::from(i) * step;
            let z = (2.0 * x - 1.0) / (2.0 * sigma * sigma);
            let (low, high) = ((-q).ln_1p(), q.ln() + z);
            let ln_u = low.max(high) + (-(low - high).abs()).exp().ln_1p();
            exponent * ln_u - x * x / (2.0 * sigma * sigma) + (step / sigma).ln()
                - 0.5 * std::f64::consts::TAU.ln()
        };
        let terms: Vec<f64> = (0..=n).map(ln).collect();
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + terms.iter().map(|t| (t - largest).exp()).sum::<f64>().ln()
    }

    #[test]
    fn the_fast_rule_agrees_with_the_slow_one() {
        for (q, sigma) in CELLS {
            let curve = rdp_curve(q, sigma);
            for a in [1.1, 1.5, 2.0, 3.7, 8.0, 10.9] {
                let at = ORDERS.iter().position(|&o| (o - a).abs() < 1e-9).unwrap();
                let slow = slow_ln_moment(q, sigma, a) / (a - 1.0);
                // The slow form computes ln A where A - 1 may be 1e-10: its own error is about 1e-13 absolute.
                assert!(
                    (curve[at] - slow).abs() < 1e-9 * slow + 1e-12 / (a - 1.0),
                    "{q} {sigma} {a}: {} {slow}",
                    curve[at]
                );
            }
        }
    }

    #[test]
    fn four_times_the_points_change_nothing() {
        for (q, sigma) in CELLS {
            let few = Grid::new(q, sigma, points_per_sigma(sigma));
            let many = Grid::new(q, sigma, 4.0 * points_per_sigma(sigma));
            for a in [1.1, 1.5, 2.5, 4.9, 10.9] {
                let (few, many) = (few.ln_excess(a), many.ln_excess(a));
                assert!((few - many).abs() < 1e-10 * many.abs().max(1.0), "{q} {sigma} {a}: {few} {many}");
            }
        }
    }

    #[test]
    fn integration_and_closed_form_agree_at_integer_orders() {
        for (q, sigma) in CELLS {
            let grid = Grid::new(q, sigma, points_per_sigma(sigma));
            for a in [2, 3, 6, 10] {
                let (integrated, summed) = (grid.ln_excess(a as f64), ln_excess_integer(a, q, sigma));
                assert!((integrated - summed).abs() < 1e-10 * summed.abs().max(1.0), "{q} {sigma} {a}");
            }
        }
    }

    #[test]
    fn order_two_is_the_formula_on_paper() {
        // A(2) - 1 = q^2 (e^(1/s^2) - 1).
        let want = (0.01_f64 * 0.01 * (1.0_f64.exp() - 1.0)).ln_1p();
        let at = ORDERS.iter().position(|&o| (o - 2.0).abs() < 1e-9).unwrap();
        assert!((rdp_curve(0.01, 1.0)[at] / want - 1.0).abs() < 1e-13);
    }

    #[test]
    fn the_curve_rises_with_the_order() {
        for (q, sigma) in CELLS {
            let curve = rdp_curve(q, sigma);
            assert!(curve.windows(2).all(|pair| pair[1] >= pair[0] * (1.0 - 1e-10)), "{q} {sigma}");
        }
    }

    #[test]
    fn removing_a_unit_is_the_worse_direction() {
        // D(mix || N) is what rdp_curve gives; D(N || mix) has the moment E[u^(1-a)].
        for (q, sigma) in CELLS {
            let curve = rdp_curve(q, sigma);
            for a in [1.5, 2.0, 6.5] {
                let at = ORDERS.iter().position(|&o| (o - a).abs() < 1e-9).unwrap();
                let other = slow_ln_moment(q, sigma, 1.0 - a) / (a - 1.0);
                assert!(curve[at] >= other - 1e-11, "{q} {sigma} {a}: {} < {other}", curve[at]);
            }
        }
    }

    #[test]
    fn sampling_everybody_is_the_limit_of_sampling_nearly_everybody() {
        let (near, full) = (rdp_curve(1.0 - 1e-9, 2.0), rdp_curve(1.0, 2.0));
        assert!(near.iter().zip(&full).all(|(n, f)| (n / f - 1.0).abs() < 1e-6));
    }
}
