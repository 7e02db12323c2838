//! One step cut into the cells of a lattice of losses, and what may be said of its curve `f(r) = E_Q[(u - r)+]`, `u = dP/dQ`, within a cell
//! from the masses of the cell's two halves.
//!
//! `f` is convex, and a half cell with mass `(p, q)` has mean ratio `p / q`: there the tangents at its two ends meet. So the curve lies above
//! a broken line with one kink a half cell. A chord between lattice points lies above the curve, and below it if it is below the two
//! kinks. All that is asked here is told without subtracting near equals, because one error of `f` is made 100,000 times.

use super::lattice::{Edge, boundary, real};
use super::step::SampledStep;

/// The lattice points `first + i * spacing` and what lies between and beyond them, as masses of P and of Q.
pub(super) struct Cells {
    pub(super) first: f64,
    pub(super) spacing: f64,
    pub(super) cells: Vec<Cell>,
    /// The ratio `u` at each lattice point.
    pub(super) ratios: Vec<f64>,
    pub(super) below: (f64, f64),
    pub(super) above: (f64, f64),
}

/// What lies between two lattice points.
pub(super) struct Cell {
    /// Distance of the ratios at the ends.
    pub(super) width: f64,
    /// The mass of Q that goes to the lower and the upper end if mass and mean ratio are kept: what the chord says.
    pub(super) to_ends: (f64, f64),
    /// For each half with mass: where its kink is, as a share of the width, and how far the chord lies above it.
    kinks: [Option<(f64, f64)>; 2],
}

impl Cells {
    /// Cut at `points` points; nothing of P worth naming lies right of the place `right`.
    pub(super) fn cut(step: &SampledStep, first: f64, spacing: f64, points: usize, right: f64) -> Self {
        let ratios: Vec<f64> = (0..points).map(|i| libm::exp(first + spacing * whole(i))).collect();
        let middle = 0.5 * f64::from(step.rows());
        let mut halves = vec![(0.0, 0.0); 2 * (points - 1)];
        let (mut x, mut upper, mut above) = (right, Edge::TOP, (0.0, 0.0));
        // From the top down, because there each boundary starts the search for the next.
        for i in (0..=halves.len()).rev() {
            let place = boundary(step, first + 0.5 * spacing * whole(i), x);
            x = place.unwrap_or(x);
            let lower = place.map_or(Edge::BOTTOM, |x| Edge::at(step, x, middle));
            *halves.get_mut(i).unwrap_or(&mut above) = lower.up_to(upper);
            upper = lower;
        }
        let growth = libm::expm1(spacing);
        let cells =
            halves.chunks_exact(2).zip(&ratios).map(|(halves, &ratio)| Cell::of(halves, ratio, growth));
        Self { first, spacing, cells: cells.collect(), ratios, below: Edge::BOTTOM.up_to(upper), above }
    }
}

impl Cell {
    /// The cell from `ratio` to `ratio (1 + growth)`.
    fn of(halves: &[(f64, f64)], ratio: f64, growth: f64) -> Self {
        let width = ratio * growth;
        let share =
            |&(p, q): &(f64, f64)| (q > 0.0).then(|| ((p / (ratio * q) - 1.0) / growth).clamp(0.0, 1.0));
        let shares = [share(&halves[0]), share(&halves[1])];
        let mut to_ends = (0.0, 0.0);
        for (share, (_, q)) in shares.iter().zip(halves) {
            let share = share.unwrap_or(0.0);
            to_ends = (to_ends.0 + q * (1.0 - share), to_ends.1 + q * share);
        }
        // Left of the first kink all mass of the cell still counts, right of the second none does.
        let kinks = [
            shares[0].map(|s| (s, to_ends.0 * s * width)),
            shares[1].map(|s| (s, to_ends.1 * (1.0 - s) * width)),
        ];
        Self { width, to_ends, kinks }
    }

    fn kinks(&self) -> impl Iterator<Item = (f64, f64)> {
        self.kinks.iter().copied().flatten()
    }

    /// What suffices to take off at both ends.
    pub(super) fn suffices(&self) -> f64 {
        self.kinks().map(|(_, excess)| excess).fold(0.0, f64::max)
    }

    /// The least to take off at the upper end, if `taken` is taken off at the lower.
    pub(super) fn need_above(&self, taken: f64) -> f64 {
        let need = |(s, excess)| positive(excess - (1.0 - s) * taken, s);
        self.kinks().map(need).fold(0.0, f64::max)
    }

    /// The least to take off at the lower end, if `taken` is taken off at the upper.
    pub(super) fn need_below(&self, taken: f64) -> f64 {
        let need = |(s, excess)| positive(excess - s * taken, 1.0 - s);
        self.kinks().map(need).fold(0.0, f64::max)
    }
}

/// What is left over for a weight, 0 if nothing is.
fn positive(rest: f64, weight: f64) -> f64 {
    if rest > 0.0 { rest / weight } else { 0.0 }
}

/// An index as a number.
pub(super) fn whole(i: usize) -> f64 {
    real(i64::try_from(i).expect("an index of a lattice"))
}
