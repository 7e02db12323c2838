//! Two pairs of distributions on a lattice of losses, one that dominates a step's pair and one that it dominates: what is composed of
//! the first bounds epsilon from above, and of the second from below, with certainty and not only probably.
//!
//! The curve `f(r) = E_Q[(u - r)+]`, `u = dP/dQ`, is `delta` at `epsilon = ln r` for nulling, and `f(r) - (1 - r)` is what adding has at
//! `-ln r`. A pair whose curve is nowhere lower dominates, and domination survives adaptive composition (Zhu, Dong, Wang, arXiv 2106.08567).
//! Curves of pairs on a lattice are the convex ones that are straight between lattice points:
//!
//! - *above*, the chords of the curve ("connect the dots", Doroshenko et al., arXiv 2207.04380);
//! - *below*, chords that just touch it: between the points `f - c` with `c` so large that `cells` lets no chord exceed the
//!   curve; then the convex hull from below, which puts right what was not convex.
//!
//! Either is off by the square of the spacing, where a rounded loss is off by the spacing. Not covered: the rounding of `f64`.

use super::cells::{Cells, whole};
use super::lattice::{Lattice, Pair, index, real};
use super::step::{SampledStep, bisect};

/// Losses beyond which ratios or masses would leave the range of `f64`.
const LARGEST_LOSS: f64 = 600.0;

/// What lies about a step's pair.
pub(super) struct Dominating {
    /// Dominates the step's pair, together with `infinite`.
    pub(super) above: Pair,
    /// The probability of an infinite loss beside `above`, per direction.
    pub(super) infinite: [f64; 2],
    /// Is dominated by the step's pair. Absent where the lattice is too coarse to tell it from nothing.
    pub(super) below: Option<Pair>,
}

impl Dominating {
    /// On a lattice of this spacing. At most `tail` of either distribution lies outside. Nothing if losses reach too far.
    pub(super) fn new(step: &SampledStep, spacing: f64, tail: f64) -> Option<Self> {
        let (left, right) = step.reach(tail);
        let (lowest, highest) = (step.density_ratio(left).1, step.density_ratio(right).1);
        let in_range = lowest > -LARGEST_LOSS && highest < LARGEST_LOSS;
        if !in_range {
            return None;
        }
        let first = lowest + (offset(step, lowest, spacing) - 1.0) * spacing;
        let points = usize::try_from(index(libm::ceil((highest - first) / spacing)).max(1) + 1).ok()?;
        let cells = Cells::cut(step, first, spacing, points, right);
        let curve = Curve::of(&cells);
        let below = touching(&cells, &curve, tail).map(|masses| pair(&cells, &masses));
        let infinite = [curve.falls[points - 1], curve.rises[0] / cells.ratios[0]];
        Some(Self { above: pair(&cells, &curve.masses), infinite, below })
    }
}

/// Where the first lattice point above the lowest loss stands best, in spacings above it: where lifting all below it to that point is
/// as much as the cells above want taken off. (For a step that hardly ever samples, nearly everything lies here.)
fn offset(step: &SampledStep, lowest: f64, spacing: f64) -> f64 {
    bisect(0.0, 1.0, |share| {
        let first = lowest + (share - 1.0) * spacing;
        let right = step.where_loss_is(first + 4.0 * spacing).unwrap_or(0.0);
        let cells = Cells::cut(step, first, spacing, 5, right);
        let curve = Curve::of(&cells);
        curve.rises[1] >= from_above(&cells, &curve, cells.cells[3].suffices())[1]
    })
}

/// The curve at lattice points, without subtracting near equals.
struct Curve {
    /// The masses of Q that its chords amount to.
    masses: Vec<f64>,
    /// `f`.
    falls: Vec<f64>,
    /// `f - (1 - r)`.
    rises: Vec<f64>,
}

impl Curve {
    fn of(cells: &Cells) -> Self {
        let last = cells.cells.len();
        let (lowest, highest) = (cells.ratios[0], cells.ratios[last]);
        let mut masses = vec![0.0; last + 1];
        masses[0] = cells.below.0 / lowest;
        masses[last] = cells.above.1;
        let mut falls = vec![(cells.above.0 - highest * cells.above.1).max(0.0); last + 1];
        let mut rises = vec![(lowest * cells.below.1 - cells.below.0).max(0.0); last + 1];
        let (mut below, mut above) = (cells.below.1, cells.above.1);
        for (i, cell) in cells.cells.iter().enumerate() {
            let (to_lower, to_upper) = cell.to_ends;
            masses[i] += to_lower;
            masses[i + 1] += to_upper;
            rises[i + 1] = rises[i] + cell.width * (below + to_lower);
            below += to_lower + to_upper;
        }
        for (i, cell) in cells.cells.iter().enumerate().rev() {
            let (to_lower, to_upper) = cell.to_ends;
            falls[i] = falls[i + 1] + cell.width * (above + to_upper);
            above += to_lower + to_upper;
        }
        Self { masses, falls, rises }
    }
}

/// Masses of Q at the lattice points whose curve nowhere exceeds the step's.
fn touching(cells: &Cells, curve: &Curve, tail: f64) -> Option<Vec<f64>> {
    let taken = taken_off(cells, curve)?;
    let mut masses = curve.masses.clone();
    // The second difference of what is taken off. Before the first point lies the ratio 0, and after the last nothing changes any more.
    let mut slope = taken[0] / cells.ratios[0];
    for (i, mass) in masses.iter_mut().enumerate() {
        let next = cells.cells.get(i).map_or(0.0, |cell| (taken[i + 1] - taken[i]) / cell.width);
        *mass -= next - slope;
        slope = next;
    }
    hull(cells, masses, tail)
}

/// What is taken off the curve at each point, so that no chord exceeds it: at the first point all down to `1 - r`, at the last all down
/// to 0, between them never more than either.
fn taken_off(cells: &Cells, curve: &Curve) -> Option<Vec<f64>> {
    let (falls, rises) = (&curve.falls, &curve.rises);
    let mut taken = from_above(cells, curve, f64::INFINITY);
    for (taken, most) in taken.iter_mut().zip(rises) {
        *taken = taken.min(*most);
    }
    taken[0] = rises[0];
    for (i, cell) in cells.cells.iter().enumerate() {
        let need = cell.need_above(taken[i]);
        if need <= taken[i + 1] {
            continue;
        }
        taken[i + 1] = need.min(rises[i + 1]).min(falls[i + 1]);
        if need <= falls[i + 1] {
            continue;
        }
        // Not even 0 at the upper end is low enough, so the lower end must give as well.
        for j in (0..=i).rev() {
            let need = cells.cells[j].need_below(taken[j + 1]).min(falls[j]);
            if need <= taken[j] {
                break;
            }
            if need > rises[j] * (1.0 + 1e-6) {
                return None;
            }
            taken[j] = need;
        }
    }
    Some(taken)
}

/// What to take off, with the burden on the lower end of each cell, where the curve is higher; but never less than suffices there by
/// itself, else much and little would take turns from point to point.
fn from_above(cells: &Cells, curve: &Curve, at_last: f64) -> Vec<f64> {
    let last = cells.cells.len();
    let mut taken = vec![at_last.min(curve.falls[last]); last + 1];
    for (i, cell) in cells.cells.iter().enumerate().rev() {
        taken[i] = cell.need_below(taken[i + 1]).max(cell.suffices()).min(curve.falls[i]);
    }
    taken
}

/// The convex hull from below: a negative mass is laid on the two neighbours that remain, mean and all.
fn hull(cells: &Cells, mut masses: Vec<f64>, tail: f64) -> Option<Vec<f64>> {
    let last = masses.len() - 1;
    let mut kept: Vec<usize> = Vec::with_capacity(masses.len());
    for i in 0..=last {
        kept.push(i);
        while let Some(at) = kept.pop_if(|at| masses[*at] < 0.0) {
            let negative = std::mem::take(&mut masses[at]);
            let Some(&lower) = kept.last().filter(|_| i < last) else {
                // The curve lies above `1 - r` and 0, so at the ends nothing is negative but by rounding.
                let most = if i < last { 1e-15 } else { tail };
                if -negative * cells.ratios[at] > most {
                    return None;
                }
                break;
            };
            let gap = |to: usize| libm::expm1(cells.spacing * whole(to - lower));
            let to_upper = gap(at) / gap(i + 1);
            masses[lower] += negative * (1.0 - to_upper);
            masses[i + 1] += negative * to_upper;
        }
    }
    Some(masses)
}

/// Masses of Q at the lattice points, as losses of either direction.
fn pair(cells: &Cells, masses: &[f64]) -> Pair {
    let first = index(libm::round(cells.first / cells.spacing));
    let shift = cells.first - real(first) * cells.spacing;
    let last = first + i64::try_from(masses.len() - 1).expect("an index of a lattice");
    let removed = masses.iter().zip(&cells.ratios).map(|(mass, ratio)| mass * ratio).collect();
    let added = masses.iter().rev().copied().collect();
    let lattice = |first, shift, masses| Lattice { first, shift, masses, tilt: 0.0, scale: 0.0 };
    Pair {
        spacing: cells.spacing,
        directions: [lattice(first, shift, removed), lattice(-last, -shift, added)],
    }
}

#[cfg(test)]
mod tests {
    use super::super::single;
    use super::*;
    use equipoise_core::{Fraction, NoiseMultiplier};
    use std::num::NonZeroU32;

    fn step(q: f64, sigma: f64, rows: u32) -> SampledStep {
        let (q, sigma) = (Fraction::new(q).unwrap(), NoiseMultiplier::new(sigma).unwrap());
        SampledStep::of_rows(q, sigma, NonZeroU32::new(rows).unwrap()).unwrap()
    }

    /// `E[(1 - e^(epsilon - L))+]` of one direction by a plain sum.
    fn delta(pair: &Pair, d: usize, epsilon: f64) -> f64 {
        let lattice = &pair.directions[d];
        let term = |(i, mass): (usize, &f64)| {
            let t = lattice.point(pair.spacing, i);
            if t > epsilon { -mass * (epsilon - t).exp_m1() } else { 0.0 }
        };
        lattice.masses.iter().enumerate().map(term).sum()
    }

    fn deviation(step: &SampledStep) -> f64 {
        super::super::moment::Moments::new(step).mean_and_variance()[0].1.sqrt()
    }

    const STEPS: [(f64, f64, u32); 9] = [
        (1e-5, 0.4, 1),
        (1e-4, 4.0, 1),
        (0.01, 0.6, 1),
        (0.01, 2.0, 1),
        (0.3, 1.0, 1),
        (0.9, 5.0, 1),
        (0.999, 0.7, 1),
        (0.02, 1.5, 4),
        (0.4, 3.0, 9),
    ];

    /// The step's own curve, in closed form, lies between the two at lattice points, between them and far out, in both directions.
    #[test]
    fn the_closed_form_of_one_step_lies_between_the_two_pairs() {
        for (q, sigma, rows) in STEPS {
            let step = step(q, sigma, rows);
            for spacing in [1e-4, 3e-3, 0.1, 0.7] {
                let pairs = Dominating::new(&step, spacing, 1e-15).unwrap();
                let Some(below) = pairs.below else {
                    assert!(spacing > 3.0 * deviation(&step), "{step:?} {spacing}");
                    continue;
                };
                for i in 0..120 {
                    let epsilon = f64::from(i).powi(2) * 1e-3 * if i % 2 == 0 { 1.0 } else { 0.01 };
                    let exact = single::of(&step, epsilon);
                    for (d, exact) in exact.into_iter().enumerate() {
                        let rounding = 1e-14 + 1e-9 * exact;
                        let (low, high) =
                            (delta(&below, d, epsilon), delta(&pairs.above, d, epsilon) + pairs.infinite[d]);
                        let said = format!("{step:?} {spacing} {epsilon} {d}: {low:e} {exact:e} {high:e}");
                        assert!(low <= exact + rounding && exact <= high + rounding, "{said}");
                        // And not trivially so.
                        if spacing < 1e-3 && d == 0 && exact > 1e-9 && epsilon > 10.0 * spacing {
                            assert!(low > 0.99 * exact && high < 1.01 * exact, "{said}");
                        }
                    }
                }
            }
        }
    }

    /// Both are distributions, and their P is their Q times `e^loss`.
    #[test]
    fn the_two_pairs_are_pairs_of_distributions() {
        for (q, sigma, rows) in STEPS {
            let step = step(q, sigma, rows);
            let pairs = Dominating::new(&step, deviation(&step), 1e-15).unwrap();
            for (pair, infinite) in [(&pairs.above, pairs.infinite), (&pairs.below.unwrap(), [0.0; 2])] {
                for (lattice, infinite) in pair.directions.iter().zip(infinite) {
                    assert!(lattice.masses.iter().all(|mass| *mass >= 0.0));
                    assert!((lattice.masses.iter().sum::<f64>() + infinite - 1.0).abs() < 1e-12);
                }
            }
        }
    }

    /// Half the spacing, a quarter of the error.
    #[test]
    fn the_two_pairs_close_in_with_the_square_of_the_spacing() {
        let step = step(0.01, 0.8, 1);
        let apart = |spacing| {
            let pairs = Dominating::new(&step, spacing, 1e-15).unwrap();
            delta(&pairs.above, 0, 0.3) - delta(&pairs.below.unwrap(), 0, 0.3)
        };
        let (coarse, fine) = (apart(4e-3), apart(2e-3));
        assert!((coarse / fine - 4.0).abs() < 0.4, "{coarse:e} {fine:e}");
    }

    #[test]
    fn a_negative_mass_is_laid_on_its_neighbours_mean_and_all() {
        let cells = Cells::cut(&step(0.3, 1.0, 1), -0.5, 0.25, 5, 9.0);
        let before = vec![0.4, 0.3, -0.1, 0.3, 0.1];
        let after = hull(&cells, before.clone(), 0.0).unwrap();
        assert!(after[2] == 0.0 && after[1] < 0.3 && after[3] < 0.3);
        let mean = |masses: &[f64]| -> f64 { masses.iter().zip(&cells.ratios).map(|(m, r)| m * r).sum() };
        assert!((mean(&after) - mean(&before)).abs() < 1e-15);
        assert!((after.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(hull(&cells, vec![-0.1, 0.6, 0.5, 0.0, 0.0], 0.0).is_none(), "no slope below -1");
    }

    #[test]
    fn losses_beyond_the_range_of_numbers_are_refused() {
        assert!(Dominating::new(&step(0.1, 0.0625, 3), 0.01, 1e-15).is_none());
    }
}
