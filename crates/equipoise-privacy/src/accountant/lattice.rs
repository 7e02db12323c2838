//! Privacy losses on a lattice: discretised, composed, made coarser, and read.
//!
//! A loss is rounded to its nearest lattice point, and the whole lattice is then shifted so that its mean is the exact mean
//! (Gopi, Lee, Wutschitz, arXiv 2106.02848). So the rounding error of one step has mean zero and lies in an interval as long
//! as the spacing, errors of many steps cancel, and Hoeffding's inequality says how far.
//!
//! Masses are held *tilted*, `p(t) e^(tilt t - scale)`, about the epsilon that is looked for (Esscher). A transform's rounding is
//! absolute, so an untilted tail of 1e-10 after 1e5 steps would drown in it; a tilted one keeps its relative accuracy.
//!
//! Both directions travel together, as the real and the imaginary part of one transform.

use super::step::SampledStep;

/// A distribution of privacy losses on the points `(first + i) * spacing + shift`: the probability of point `i` is
/// `masses[i] * e^(scale - tilt * point)`.
#[derive(Clone, Debug)]
pub(super) struct Lattice {
    pub(super) first: i64,
    pub(super) shift: f64,
    pub(super) masses: Vec<f64>,
    pub(super) tilt: f64,
    pub(super) scale: f64,
}

/// The losses of nulling a unit and of adding one, with a common spacing.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) spacing: f64,
    pub(super) directions: [Lattice; 2],
}

#[allow(clippy::cast_precision_loss, reason = "lattices have far fewer than 2^52 points")]
pub(super) fn real(index: i64) -> f64 {
    index as f64
}

#[allow(clippy::cast_possible_truncation, reason = "an index of a lattice")]
pub(super) fn index(value: f64) -> i64 {
    value as i64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and an index of a lattice"
)]
pub(super) fn offset(value: i64) -> usize {
    value as usize
}

impl Pair {
    /// One step, untilted. At most `tail` of either distribution, on either side, is moved to the ends.
    pub(super) fn of_step(step: &SampledStep, spacing: f64, means: [f64; 2], tail: f64) -> Self {
        let (low, high) = step.reach(tail);
        let bin = |x: f64| index(libm::round(step.density_ratio(x).1 / spacing));
        let (first, last) = (bin(low), bin(high));
        let count = offset(last - first) + 1;
        let (mut removed, mut added) = (vec![0.0; count], vec![0.0; count]);
        // From the top down, because there each boundary starts the search for the next.
        let middle = 0.5 * f64::from(step.rows());
        let (mut x, mut upper) = (high, Edge::TOP);
        for (i, at) in (first..=last).rev().zip((0..count).rev()) {
            let edge = if i == first { None } else { boundary(step, (real(i) - 0.5) * spacing, x) };
            x = edge.unwrap_or(x);
            let lower = edge.map_or(Edge::BOTTOM, |x| Edge::at(step, x, middle));
            let (p, q) = lower.up_to(upper);
            (removed[at], added[count - 1 - at]) = (p, q);
            upper = lower;
        }
        let lattice = |first, masses| Lattice { first, shift: 0.0, masses, tilt: 0.0, scale: 0.0 };
        let mut directions = [lattice(first, removed), lattice(-last, added)];
        for (lattice, mean) in directions.iter_mut().zip(means) {
            lattice.shift = mean - lattice.mean(spacing);
        }
        Self { spacing, directions }
    }

    /// The same losses, held about other points.
    pub(super) fn tilted(mut self, tilts: [f64; 2]) -> Self {
        for (lattice, tilt) in self.directions.iter_mut().zip(tilts) {
            let exponents: Vec<f64> = (0..lattice.masses.len())
                .map(|i| (tilt - lattice.tilt) * lattice.point(self.spacing, i))
                .collect();
            let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for (mass, exponent) in lattice.masses.iter_mut().zip(exponents) {
                *mass *= libm::exp(exponent - largest);
            }
            let total: f64 = lattice.masses.iter().sum();
            lattice.masses.iter_mut().for_each(|mass| *mass /= total);
            lattice.scale += largest + libm::log(total);
            lattice.tilt = tilt;
        }
        self
    }

    /// The same losses on a coarser lattice, with the same means.
    #[cfg(test)]
    pub(super) fn coarser(&self, spacing: f64) -> Self {
        let coarsen = |lattice: &Lattice| {
            let at = |i: usize| lattice.point(self.spacing, i);
            let nearest = |t: f64| index(libm::round(t / spacing));
            let (first, last) = (nearest(at(0)), nearest(at(lattice.masses.len() - 1)));
            let mut masses = vec![0.0; offset(last - first) + 1];
            let (mut moved, mut total) = (0.0, 0.0);
            for (i, (mass, probability)) in
                lattice.masses.iter().zip(lattice.probabilities(self.spacing)).enumerate()
            {
                let (t, to) = (at(i), nearest(at(i)));
                let move_by = t - real(to) * spacing;
                masses[offset(to - first)] += mass * libm::exp(-lattice.tilt * move_by);
                moved += probability * move_by;
                total += probability;
            }
            // The shift moves every point alike, which the scale takes up.
            let shift = moved / total;
            Lattice { first, shift, masses, tilt: lattice.tilt, scale: lattice.scale + lattice.tilt * shift }
        };
        Self { spacing, directions: [coarsen(&self.directions[0]), coarsen(&self.directions[1])] }
    }

    /// The same losses with these variances as well as their means: a multiple of the second difference is taken off, which
    /// removes most of what rounding spread. Masses may become slightly negative, and Hoeffding's inequality says nothing any
    /// more: for estimates, never for bounds.
    pub(super) fn with_variances(mut self, variances: [f64; 2]) -> Self {
        for (lattice, variance) in self.directions.iter_mut().zip(variances) {
            let part = 0.5 * (lattice.variance(self.spacing) - variance) / (self.spacing * self.spacing);
            // Where one point holds most of the mass, high frequencies hardly decay, and taking off would make them grow.
            let largest = lattice.probabilities(self.spacing).fold(0.0, f64::max);
            if part > 0.0 && largest > 0.1 {
                continue;
            }
            let old = |i: usize| i.checked_sub(1).and_then(|i| lattice.masses.get(i)).copied().unwrap_or(0.0);
            // A mass keeps its probability when it moves by one point, so its tilted form changes.
            let (up, down) =
                (libm::exp(lattice.tilt * self.spacing), libm::exp(-lattice.tilt * self.spacing));
            let masses = (0..lattice.masses.len() + 2)
                .map(|i| {
                    let middle = old(i);
                    let below = if i == 0 { 0.0 } else { old(i - 1) };
                    middle - part * (up * below - 2.0 * middle + down * old(i + 1))
                })
                .collect();
            (lattice.masses, lattice.first) = (masses, lattice.first - 1);
        }
        self
    }

    /// The smallest epsilon at `delta` that holds in both directions.
    pub(super) fn epsilon(&self, delta: f64) -> f64 {
        self.directions.iter().map(|lattice| lattice.epsilon(self.spacing, delta)).fold(0.0, f64::max)
    }
}

/// Where the loss is `t`, given a point at or right of it.
pub(super) fn boundary(step: &SampledStep, t: f64, right: f64) -> Option<f64> {
    if step.rows() == 1 {
        return step.where_loss_is(t);
    }
    (t > step.lowest_loss()).then(|| step.where_loss_is_from(t, right))
}

impl Lattice {
    pub(super) fn point(&self, spacing: f64, i: usize) -> f64 {
        real(self.first + i64::try_from(i).expect("an index of a lattice")) * spacing + self.shift
    }

    /// The masses without their tilt. What a transform left in place of nothing is nothing: untilted, it would be blown up.
    fn probabilities(&self, spacing: f64) -> impl Iterator<Item = f64> {
        let floor = 1e-13 * self.masses.iter().copied().fold(0.0, f64::max);
        self.masses.iter().enumerate().map(move |(i, &mass)| match self.tilt {
            tilt if tilt <= 0.0 => mass,
            _ if mass.abs() < floor => 0.0,
            tilt => mass * libm::exp(self.scale - tilt * self.point(spacing, i)),
        })
    }

    fn mean(&self, spacing: f64) -> f64 {
        self.probabilities(spacing).enumerate().map(|(i, mass)| mass * self.point(spacing, i)).sum()
    }

    fn variance(&self, spacing: f64) -> f64 {
        let mean = self.mean(spacing);
        let off = |i: usize| self.point(spacing, i) - mean;
        self.probabilities(spacing).enumerate().map(|(i, mass)| mass * off(i) * off(i)).sum()
    }

    /// The epsilon at which `sum_{t > epsilon} (1 - e^(epsilon - t)) p(t)` is `delta`; 0 if it is smaller everywhere.
    pub(super) fn epsilon(&self, spacing: f64, delta: f64) -> f64 {
        let (decay, growth) = (libm::exp(-spacing), libm::exp(self.tilt * spacing));
        // Mass above the point over delta, plain and weighted by e^(point - t); one mass is masses[i] * weight.
        let (mut above, mut weighted, mut weight) = (0.0, 0.0, 0.0);
        for (i, mass) in self.masses.iter().enumerate().rev() {
            let t = self.point(spacing, i);
            if above - weighted >= 1.0 {
                return (t + libm::log((above - 1.0) / weighted)).max(0.0);
            }
            if t < 0.0 {
                break;
            }
            // Every so often afresh, so that rounding does not build up.
            let afresh = i % 64 == 0 || i + 1 == self.masses.len();
            weight = if afresh {
                libm::exp(self.scale - self.tilt * t - libm::log(delta))
            } else {
                weight * growth
            };
            above += mass * weight;
            weighted = (weighted + mass * weight) * decay;
        }
        0.0
    }
}

/// The distribution functions at a boundary, from below in the lower half and from above in the upper, so that both tails
/// keep their relative accuracy.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) in_upper_half: bool,
    pub(super) p: f64,
    pub(super) q: f64,
}

impl Edge {
    /// Below everything.
    pub(super) const BOTTOM: Self = Self { in_upper_half: false, p: 0.0, q: 0.0 };
    /// Above everything.
    pub(super) const TOP: Self = Self { in_upper_half: true, p: 0.0, q: 0.0 };

    pub(super) fn at(step: &SampledStep, x: f64, middle: f64) -> Self {
        let in_upper_half = x > middle;
        let (p, q) = if in_upper_half { step.above(x) } else { step.below(x) };
        Self { in_upper_half, p, q }
    }

    /// The mass of P and of Q between this edge and the next above.
    pub(super) fn up_to(self, upper: Self) -> (f64, f64) {
        match (self.in_upper_half, upper.in_upper_half) {
            (true, _) => (self.p - upper.p, self.q - upper.q),
            (false, false) => (upper.p - self.p, upper.q - self.q),
            (false, true) => (1.0 - upper.p - self.p, 1.0 - upper.q - self.q),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Fraction, NoiseMultiplier};

    #[test]
    fn randomised_response_costs_its_logarithm_of_odds() {
        // Loss ln 3 with probability 3/4, else -ln 3: at delta 0 epsilon is ln 3, at delta 1/4 it is ln 2 (3/4 - e^e/4 = 1/4).
        let ln3 = 3.0_f64.ln();
        let lattice = Lattice { first: -1, shift: 0.0, masses: vec![0.25, 0.0, 0.75], tilt: 0.0, scale: 0.0 };
        assert!((lattice.epsilon(ln3, 1e-12) - ln3).abs() < 1e-11);
        assert!((lattice.epsilon(ln3, 0.25) - 2.0_f64.ln()).abs() < 1e-12);
        assert!(lattice.epsilon(ln3, 0.5) < 1e-12 && lattice.epsilon(ln3, 0.6) <= 0.0);
    }

    #[test]
    fn a_lattice_has_the_exact_mean_and_keeps_it_when_it_becomes_coarser() {
        let step = SampledStep::of_row(Fraction::new(0.2).unwrap(), NoiseMultiplier::new(0.9).unwrap());
        let means = super::super::moment::Moments::new(&step).mean_and_variance().map(|m| m.0);
        let fine = Pair::of_step(&step, 1e-3, means, 1e-14);
        let coarse = fine.coarser(0.037);
        for ((fine, coarse), want) in fine.directions.iter().zip(&coarse.directions).zip(means) {
            assert!((fine.mean(1e-3) - want).abs() < 1e-14);
            assert!((coarse.mean(0.037) - want).abs() < 1e-13);
            assert!(fine.shift.abs() < 1e-6, "a fine lattice hardly moves");
            assert!((fine.masses.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        }
    }
}
