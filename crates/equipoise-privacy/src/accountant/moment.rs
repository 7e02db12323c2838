//! Moments of one step's privacy loss by quadrature: `ln E_Q[u^theta]` for any real theta, its mean and its variance.
//!
//! As in `subsampled`, what is integrated is `u^theta - 1 - theta (u - 1)`, of one sign everywhere because `E_Q[u] = 1`, so that
//! nothing cancels where little is lost. The trapezoid rule converges exponentially: the integrand is analytic within about
//! `pi s^2` of the real line.

use super::step::SampledStep;

/// Points that one integral may take before its order is left out (a bound from the other orders still holds).
const MOST_POINTS: f64 = 4e6;

/// Integrates for one step.
pub(super) struct Moments<'a> {
    step: &'a SampledStep,
    spacing: f64,
}

impl<'a> Moments<'a> {
    pub(super) fn new(step: &'a SampledStep) -> Self {
        let per_sigma = libm::ceil(2.0 / step.sigma).max(8.0) * if step.rows() > 1 { 2.0 } else { 1.0 };
        Self { step, spacing: step.sigma / per_sigma }
    }

    /// Sums `of(ln weight, u - 1, ln u)` over the points of `[from, to]`, where the weight is the density of Q times the step.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by MOST_POINTS")]
    fn for_each(&self, from: f64, to: f64, mut of: impl FnMut(f64, f64, f64)) {
        let sigma = self.step.sigma;
        let ln_scale = libm::log(self.spacing / sigma) - 0.5 * libm::log(std::f64::consts::TAU);
        let count = libm::ceil((to - from) / self.spacing).min(MOST_POINTS) as u32;
        for i in 0..=count {
            let x = from + f64::from(i) * self.spacing;
            let (w, ln_u) = self.step.density_ratio(x);
            of(ln_scale - x * x / (2.0 * sigma * sigma), w, ln_u);
        }
    }

    /// `ln E_Q[u^a]` for many orders `a > 1`, rising: the density ratio is computed once for all of them.
    pub(super) fn ln_moments(&self, orders: &[f64]) -> Vec<f64> {
        let (rows, margin) = (f64::from(self.step.rows()), 14.0 * self.step.sigma + 2.0);
        let reach = |a: f64| (rows * a + 2.0 * margin) / self.spacing;
        let affordable: Vec<f64> = orders.iter().copied().filter(|&a| reach(a) <= MOST_POINTS).collect();
        let Some(&largest) = affordable.last() else { return vec![f64::INFINITY; orders.len()] };
        let mut points = Vec::new();
        self.for_each(-margin, rows * largest + margin, |ln_weight, w, ln_u| {
            points.push((ln_weight, w, ln_u))
        });
        let moment = |a: f64| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "bounded by MOST_POINTS"
            )]
            let stretch = &points[..points.len().min(libm::ceil(reach(a)) as usize + 1)];
            let size = |&(ln_weight, _, ln_u): &(f64, f64, f64)| a * ln_u + ln_weight;
            let peak = stretch.iter().map(size).fold(0.0, f64::max);
            let mut terms = Terms { shift: (peak - 500.0).max(0.0), sum: 0.0 };
            for point @ &(ln_weight, w, ln_u) in stretch {
                // Where the moment is large, most points are nothing beside the peak; their own parts are not larger than this.
                let most = size(point).max(ln_weight + ln_u.max(0.0) + libm::log(a));
                if most > peak - 60.0 || peak < 5.0 {
                    terms.add(a, ln_weight, w, ln_u);
                }
            }
            terms.ln_moment(1.0)
        };
        orders.iter().map(|&a| if reach(a) <= MOST_POINTS { moment(a) } else { f64::INFINITY }).collect()
    }

    /// `ln E_Q[u^theta]`; infinite if it would take too many points. Exactly 0 at theta 0 and 1.
    pub(super) fn ln_moment(&self, theta: f64) -> f64 {
        let (rows, margin) = (f64::from(self.step.rows()), 14.0 * self.step.sigma + 2.0);
        let (from, to) = (rows * theta.min(0.0) - margin, rows * theta.max(1.0) + margin);
        if (to - from) / self.spacing > MOST_POINTS {
            return f64::INFINITY;
        }
        let mut terms = Terms { shift: 0.0, sum: 0.0 };
        self.for_each(from, to, |ln_weight, w, ln_u| terms.add(theta, ln_weight, w, ln_u));
        let sign = if (0.0..=1.0).contains(&theta) { -1.0 } else { 1.0 };
        terms.ln_moment(sign)
    }

    /// Mean and variance of the loss `ln(dP/dQ)` under P, then those of `ln(dQ/dP)` under Q.
    pub(super) fn mean_and_variance(&self) -> [(f64, f64); 2] {
        let (rows, margin) = (f64::from(self.step.rows()), 14.0 * self.step.sigma + 2.0);
        let mut sums = [0.0_f64; 4];
        self.for_each(-margin, rows + margin, |ln_weight, _, ln_u| {
            let (under_p, under_q) = (libm::exp(ln_weight + ln_u), libm::exp(ln_weight));
            sums[0] += under_p * ln_u;
            sums[1] += under_p * ln_u * ln_u;
            sums[2] -= under_q * ln_u;
            sums[3] += under_q * ln_u * ln_u;
        });
        let [p1, p2, q1, q2] = sums;
        [(p1, (p2 - p1 * p1).max(0.0)), (q1, (q2 - q1 * q1).max(0.0))]
    }
}

/// A sum that is rescaled when its terms leave the range of `f64`.
struct Terms {
    shift: f64,
    sum: f64,
}

impl Terms {
    /// The logarithm of 1 plus the sum, which has this sign.
    fn ln_moment(&self, sign: f64) -> f64 {
        if self.shift > 0.0 {
            return self.shift + libm::log(self.sum + libm::exp(-self.shift));
        }
        libm::log1p(if sign * self.sum < 0.0 { 0.0 } else { self.sum })
    }

    fn add(&mut self, theta: f64, ln_weight: f64, w: f64, ln_u: f64) {
        if w.abs() * theta.abs().max(1.0) < 1e-2 {
            // The binomial series from its square term on, where the difference below would cancel.
            let tail = 1.0 + (theta - 4.0) / 5.0 * w * (1.0 + (theta - 5.0) / 6.0 * w);
            let series = 1.0 + (theta - 2.0) / 3.0 * w * (1.0 + (theta - 3.0) / 4.0 * w * tail);
            self.sum += 0.5 * theta * (theta - 1.0) * w * w * series * libm::exp(ln_weight - self.shift);
            return;
        }
        let power = theta * ln_u;
        let size = power + ln_weight;
        if size - self.shift > 600.0 {
            self.sum *= libm::exp(self.shift - size);
            self.shift = size;
        }
        if power < 30.0 && ln_u < 600.0 {
            self.sum += (libm::expm1(power) - theta * w) * libm::exp(ln_weight - self.shift);
        } else {
            // theta (u - 1), as large as u itself where theta is negative or barely above 1.
            let linear = theta * libm::exp(ln_weight + ln_u - self.shift);
            self.sum +=
                libm::exp(size - self.shift) - linear + (theta - 1.0) * libm::exp(ln_weight - self.shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{orders, rdp_curve};
    use super::*;
    use equipoise_core::{Fraction, NoiseMultiplier};
    use std::num::NonZeroU32;

    fn step(q: f64, sigma: f64, rows: u32) -> SampledStep {
        let (q, sigma) = (Fraction::new(q).unwrap(), NoiseMultiplier::new(sigma).unwrap());
        SampledStep::of_rows(q, sigma, NonZeroU32::new(rows).unwrap()).unwrap()
    }

    #[test]
    fn one_row_agrees_with_the_renyi_curve() {
        for (q, sigma) in [(0.01, 1.0), (1e-6, 0.4), (0.5, 0.4), (0.01, 50.0), (0.999, 0.7)] {
            let (step, curve) = (step(q, sigma, 1), rdp_curve(q, sigma));
            for (&a, &want) in orders().iter().zip(&curve).step_by(9) {
                let got = Moments::new(&step).ln_moment(a) / (a - 1.0);
                assert!((got / want - 1.0).abs() < 1e-9, "{q} {sigma} {a}: {got} {want}");
            }
        }
    }

    #[test]
    fn many_orders_together_are_what_each_is_alone() {
        for step in [step(0.01, 1.0, 3), step(0.3, 0.4, 2), step(1e-4, 20.0, 5)] {
            let moments = Moments::new(&step);
            let together = moments.ln_moments(orders());
            for (&a, got) in orders().iter().zip(together).step_by(7) {
                let alone = moments.ln_moment(a);
                assert!((got / alone - 1.0).abs() < 1e-11, "{step:?} {a}: {got} {alone}");
            }
        }
    }

    #[test]
    fn the_second_moment_of_three_rows_is_the_formula_on_paper() {
        // E[u^2] = (1 + q^2 (e^(1/s^2) - 1) ...) does not factor; it is sum_jk P(j) P(k) e^(jk/s^2).
        let (q, sigma) = (0.2_f64, 1.5_f64);
        let taken = [0.512, 0.384, 0.096, 0.008];
        assert!((taken[1] - 3.0 * q * (1.0 - q).powi(2)).abs() < 1e-15);
        let mut want = 0.0;
        for (j, p) in (0_u32..).zip(taken) {
            for (k, r) in (0_u32..).zip(taken) {
                want += p * r * (f64::from(j * k) / (sigma * sigma)).exp();
            }
        }
        let got = Moments::new(&step(q, sigma, 3)).ln_moment(2.0);
        assert!((got - want.ln()).abs() < 1e-12, "{got} {}", want.ln());
    }

    #[test]
    fn the_moments_at_zero_and_one_are_one_and_between_them_below() {
        let step = step(0.1, 1.0, 4);
        let moments = Moments::new(&step);
        assert!(moments.ln_moment(0.0).abs() < 1e-14 && moments.ln_moment(1.0).abs() < 1e-14);
        assert!(moments.ln_moment(0.5) < 0.0 && moments.ln_moment(-0.5) > 0.0);
    }

    /// `rdp_curve` bounds nulling; for several rows no theorem says that adding costs less.
    #[test]
    fn nulling_several_rows_is_the_worse_direction_at_every_order() {
        for rows in [2, 3, 8, 40] {
            for (q, sigma) in [
                (1e-4, 1.0),
                (0.01, 0.5),
                (0.05, 4.0),
                (0.5, 2.0),
                (0.5, 30.0),
                (0.9, 1.0),
                (0.9, 10.0),
                (0.99, 50.0),
                (0.999, 0.7),
            ] {
                let step = step(q, sigma, rows);
                let moments = Moments::new(&step);
                for a in [1.1, 1.5, 2.0, 3.0, 5.0, 10.0, 32.0] {
                    let (nulled, added) = (moments.ln_moment(a), moments.ln_moment(1.0 - a));
                    assert!(nulled >= added * (1.0 - 1e-9), "{rows} {q} {sigma} {a}: {nulled:e} {added:e}");
                }
            }
        }
    }

    #[test]
    fn mean_and_variance_are_the_slope_and_the_curve_of_the_moments() {
        for step in [step(0.05, 1.3, 1), step(0.2, 2.0, 4)] {
            let moments = Moments::new(&step);
            let [(mean, variance), (mean_q, variance_q)] = moments.mean_and_variance();
            let e = 1e-3;
            for (mean, variance, at, sign) in [(mean, variance, 1.0, 1.0), (mean_q, variance_q, 0.0, -1.0)] {
                let (up, down) = (moments.ln_moment(at + e), moments.ln_moment(at - e));
                assert!((sign * (up - down) / (2.0 * e) / mean - 1.0).abs() < 1e-3);
                assert!(((up + down) / (e * e) / variance - 1.0).abs() < 1e-3);
            }
        }
    }
}
