//! From a Renyi curve to (epsilon, delta) and back (Canonne, Kamath, Steinke, arXiv 2004.00010, proposition 12; Balle et
//! al., arXiv 1905.09982), and zero-concentrated differential privacy through the same door.
//!
//! Any one order gives a valid bound, so a coarse grid costs tightness, never validity.

use super::orders;
use serde::{Deserialize, Serialize};

/// An epsilon and the order that gave it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EpsilonAt {
    /// The bound; infinite if something was released without noise.
    pub epsilon: f64,
    /// The Renyi order at which the bound is smallest.
    pub order: f64,
    /// Whether that order is an end of the grid, so that a wider grid might give a smaller epsilon. The bound holds.
    pub at_grid_end: bool,
}

/// Epsilon at `delta` for the Renyi bounds `curve`, one per order of [`orders`]. Works for deltas far below 1e-10.
///
/// # Panics
/// If the curve does not have one value per order, or `delta` is not in `(0, 1)`.
#[must_use]
pub fn rdp_epsilon(curve: &[f64], delta: f64) -> EpsilonAt {
    best_over(pairs(curve).map(|(&a, &r)| (a, r)), delta)
}

/// The smallest epsilon over pairs of an order and its bound, orders rising.
pub(super) fn best_over(bounds: impl Iterator<Item = (f64, f64)>, delta: f64) -> EpsilonAt {
    assert!(delta > 0.0 && delta < 1.0, "delta must lie between 0 and 1");
    let mut best = EpsilonAt { epsilon: f64::INFINITY, order: orders()[0], at_grid_end: false };
    let mut ends = (f64::INFINITY, 0.0_f64);
    for (a, r) in bounds {
        let epsilon = epsilon_at_order(a, r, delta);
        if epsilon < best.epsilon {
            best = EpsilonAt { epsilon, order: a, at_grid_end: false };
        }
        ends = (ends.0.min(a), ends.1.max(a));
    }
    let at_end = (best.order - ends.0).abs() < 1e-9 || (best.order - ends.1).abs() < 1e-9;
    best.at_grid_end = at_end && best.epsilon > 0.0 && best.epsilon.is_finite();
    best
}

fn pairs(curve: &[f64]) -> impl Iterator<Item = (&'static f64, &f64)> {
    assert_eq!(curve.len(), orders().len(), "a Renyi curve has one value per order");
    orders().iter().zip(curve)
}

fn epsilon_at_order(a: f64, r: f64, delta: f64) -> f64 {
    // Total variation is at most sqrt(1 - e^-KL) (Bretagnolle-Huber), and KL at most r: within delta, nothing is lost.
    if delta * delta + libm::expm1(-r) > 0.0 {
        return 0.0;
    }
    (r + libm::log1p(-1.0 / a) - libm::log(delta * a) / (a - 1.0)).max(0.0)
}

/// Delta at `epsilon` for the Renyi bounds `curve`, one per order of [`orders`].
///
/// # Panics
/// If the curve does not have one value per order.
#[must_use]
pub fn rdp_delta(curve: &[f64], epsilon: f64) -> f64 {
    let mut ln_delta = 0.0_f64;
    for (&a, &r) in pairs(curve) {
        if r.is_finite() {
            let conversion = (a - 1.0) * (r - epsilon + libm::log1p(-1.0 / a)) - libm::log(a);
            let total_variation = 0.5 * libm::log(-libm::expm1(-r));
            ln_delta = ln_delta.min(conversion).min(total_variation);
        }
    }
    libm::exp(ln_delta)
}

/// The rho of zero-concentrated differential privacy of one Gaussian (or discrete Gaussian) release. It adds up over
/// releases.
#[must_use]
pub fn zcdp_rho(sensitivity: f64, standard_deviation: f64) -> f64 {
    let ratio = sensitivity / standard_deviation;
    0.5 * ratio * ratio
}

/// Epsilon at `delta` for rho-zCDP, through the Renyi curve `r(a) = rho a`.
///
/// # Panics
/// If `delta` is not in `(0, 1)`.
#[must_use]
pub fn zcdp_epsilon(rho: f64, delta: f64) -> EpsilonAt {
    rdp_epsilon(&orders().iter().map(|a| rho * a).collect::<Vec<_>>(), delta)
}

/// The textbook conversion `rho + 2 sqrt(rho ln 1/delta)`: a loose check of [`zcdp_epsilon`].
#[must_use]
pub fn zcdp_epsilon_loose(rho: f64, delta: f64) -> f64 {
    rho + 2.0 * libm::sqrt(-rho * libm::log(delta))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdp_curve;

    #[test]
    fn the_tight_zcdp_conversion_is_never_above_the_loose_one() {
        // Away from the grid's ends, where the best order lies between 1.1 and 63.
        for rho in [0.001, 0.01, 0.1, 0.5, 1.0, 3.0] {
            for delta in [1e-4, 1e-6, 1e-9] {
                assert!(
                    zcdp_epsilon(rho, delta).epsilon <= zcdp_epsilon_loose(rho, delta) * (1.0 + 1e-3),
                    "{rho} {delta}"
                );
            }
        }
    }

    #[test]
    fn one_gaussian_has_the_same_curve_by_zcdp_and_by_renyi() {
        let got = zcdp_epsilon(zcdp_rho(2.0, 6.0), 1e-5).epsilon;
        assert!((got - rdp_epsilon(&rdp_curve(1.0, 3.0), 1e-5).epsilon).abs() < 1e-12);
    }

    #[test]
    fn delta_and_epsilon_invert_each_other() {
        let curve = rdp_curve(0.1, 1.0);
        for delta in [1e-3, 1e-6, 1e-9] {
            let epsilon = rdp_epsilon(&curve, delta).epsilon;
            assert!((rdp_delta(&curve, epsilon) / delta - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn nearly_nothing_lost_is_epsilon_zero() {
        assert!(rdp_epsilon(&vec![1e-9; orders().len()], 0.01).epsilon <= 0.0);
        assert!(rdp_delta(&vec![0.0; orders().len()], 0.0) <= 0.0);
    }

    #[test]
    fn an_optimum_at_the_end_of_the_grid_is_marked() {
        assert!(rdp_epsilon(&rdp_curve(0.1, 100.0), 1e-5).at_grid_end);
        assert!(!rdp_epsilon(&rdp_curve(0.1, 1.0), 1e-5).at_grid_end);
    }

    #[test]
    fn an_infinite_curve_stays_infinite() {
        let curve = vec![f64::INFINITY; orders().len()];
        assert!(rdp_epsilon(&curve, 1e-5).epsilon.is_infinite());
        assert!(rdp_delta(&curve, 10.0) >= 1.0);
    }
}
