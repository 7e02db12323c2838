//! Epsilon of many steps between two bounds: a pair on a lattice that dominates the step and one that it dominates (`dominating`
//! says why), composed by Fourier transform on a circle that is no longer than what decides.
//!
//! The error is of second order in the spacing and certain, so that a lattice for 100,000 steps is a hundred times coarser than where
//! roundings must be kept apart with probability `1 - delta / 1000` (`rounded`). And under a tilt that centres the sum about epsilon,
//! a circle need not hold the whole of it: what lies beyond comes in again at the other end, with a weight that Chernoff's inequality
//! bounds; together it is less than a ten-thousandth of delta, and delta is moved by that to the safe side.

use super::dominating::Dominating;
use super::lattice::Pair;
use super::moment::Moments;
use super::prv::{EpsilonBracket, MOST_POINTS, PrvError};
use super::rounded::real;
use super::step::SampledStep;

/// The share of delta that each thing left out may reach.
const LEFT_OUT: f64 = 1e-5;
/// The share of delta that is kept back: three times what is left out, and for the rounding of transforms.
const SPARE: f64 = 3.0 * LEFT_OUT + 2.5e-4;
/// What rounding of a transform may come to in a tilted tail, a step; about fifty times what was seen. It decides from 1e7 steps on.
const ROUNDING: f64 = 1e-16;
/// The smallest and the largest tilt that are tried: moments at larger ones take long, and only epsilons below a thousandth ask for them.
const LEAST_TILT: f64 = 0.01;
const MOST_TILT: f64 = 1e3;

/// What bounds are not narrowed below for a small epsilon's sake.
const SMALLEST_ERROR: f64 = 5e-4;

/// A tilt, and the logarithm of the moment there.
type Moment = (f64, f64);

/// A question: so many such steps at this delta, and what moments say of it.
pub(super) struct Run<'a> {
    step: &'a SampledStep,
    steps: u64,
    delta: f64,
    /// Per direction, `ln E e^(tilt L)` of one step's loss at several tilts.
    moments: [Vec<Moment>; 2],
}

/// Where one direction is read: the circle begins at `low` and is at least so long. Epsilon is not above `highest`.
#[derive(Clone, Copy)]
struct Place {
    tilt: f64,
    highest: f64,
    low: f64,
    length: f64,
}

impl<'a> Run<'a> {
    pub(super) fn new(step: &'a SampledStep, steps: u64, delta: f64) -> Self {
        let of_step = Moments::new(step);
        let run = Self { step, steps, delta, moments: [vec![], vec![]] };
        let moments = [0, 1].map(|d| run.moments_about_the_best(|tilt| moment(&of_step, d, tilt)));
        Self { moments, ..run }
    }

    /// Coarsely upwards until Chernoff's bound at delta is well past its best, then finely about the best.
    fn moments_about_the_best(&self, moment: impl Fn(f64) -> f64) -> Vec<Moment> {
        let mut best = (f64::INFINITY, LEAST_TILT);
        let mut moments = Vec::new();
        let mut tilt = LEAST_TILT;
        loop {
            let at = (tilt, moment(tilt));
            let bound = (real(self.steps) * at.1 - libm::log(self.delta)) / tilt;
            if bound < best.0 {
                best = (bound, tilt);
            }
            moments.push(at);
            if bound > 2.0 * best.0 || bound.is_infinite() || tilt > MOST_TILT.min(4.0 * best.1) {
                break;
            }
            tilt *= 1.3;
        }
        let about = (-10..=20).map(|i| best.1 * libm::exp(0.03 * f64::from(i)));
        moments.extend(about.map(|tilt| (tilt, moment(tilt))));
        moments
    }

    /// Bounds that the lattice keeps at most `2 error` apart (what is kept back of delta comes on top); and at most a tenth of a small epsilon, so that the estimate is
    /// worth something too.
    pub(super) fn bounds(&self, error: f64) -> Result<EpsilonBracket, PrvError> {
        let refuse = |points| PrvError::TooFine { error, points };
        let place = |d| self.place(d, 0.0, 1.0).ok_or(refuse(f64::INFINITY));
        let (removed, added) = (place(0)?, place(1)?);
        let decides = if added.highest > removed.highest { added } else { removed };
        let width = error.min(0.02 * decides.highest);
        // Laying a loss on the ends of its cell adds a sixth of the square of the spacing to its variance on average, merging takes a
        // twelfth off; epsilon moves by half of that times the tilt and one.
        let mut spacing = libm::sqrt(8.0 * width / (real(self.steps) * (1.0 + decides.tilt)));
        loop {
            let (bounds, apart) = self.bounds_at(spacing).map_err(refuse)?;
            if apart <= 2.0 * error.min((0.05 * bounds.upper).max(SMALLEST_ERROR)) {
                return Ok(bounds);
            }
            spacing *= 0.5;
        }
    }

    /// The estimate alone: from bounds that are no closer than it needs.
    pub(super) fn estimate(&self) -> Result<f64, PrvError> {
        let of = |error| self.bounds(error).map(|bounds| bounds.estimate);
        of(0.02).or_else(|_| of(0.3))
    }

    /// Bounds on a lattice at least as fine and how far apart the lattice keeps them, or the points that it would take.
    fn bounds_at(&self, spacing: f64) -> Result<(EpsilonBracket, f64), f64> {
        // How far below Chernoff's bound epsilon is looked for.
        let mut depth = 1.0;
        loop {
            let place = |d| self.place(d, spacing, depth).ok_or(f64::INFINITY);
            let places = [place(0)?, place(1)?];
            let length = places[0].length.max(places[1].length);
            let points = libm::exp2(libm::ceil(libm::log2(length / spacing + 4.0)).max(4.0));
            if points > MOST_POINTS {
                return Err(points);
            }
            // Points come in powers of two, so the lattice may as well be as fine as they allow.
            if let Some(bounds) = self.composed(length / (points - 4.0), points, places)? {
                return Ok(bounds);
            }
            depth *= 3.0;
        }
    }

    /// Where to read a direction, so that the circle is shortest. Moments of a lattice are the step's times at most
    /// `e^(tilt (1 + tilt) spacing^2 / 8)`, by Hoeffding's lemma in each cell.
    fn place(&self, d: usize, spacing: f64, depth: f64) -> Option<Place> {
        let spread = |tilt: f64| tilt * (1.0 + tilt) * spacing * spacing / 8.0;
        let of_sum = |&(tilt, moment): &Moment| (tilt, real(self.steps) * (moment + spread(tilt)));
        let moments: Vec<Moment> = self.moments[d].iter().map(of_sum).collect();
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let chernoff =
            |ln_delta: f64| least(&mut moments.iter().map(|(tilt, moment)| (moment - ln_delta) / tilt));
        let (ln_delta, left_out) = (libm::log(self.delta), libm::log(self.delta * LEFT_OUT));
        let (highest, missed) = (chernoff(ln_delta), chernoff(left_out));
        let place = |&(tilt, moment): &Moment| {
            let low = highest - depth * (6.0 + libm::log1p(tilt)) / tilt;
            // What lies below comes in with e^(-tilt length) and what lies above with e^(tilt length), so that a larger tilt must bound it.
            let from_below = -left_out / tilt;
            let larger = moments.iter().filter(|(larger, _)| *larger > tilt);
            let from_above = least(
                &mut larger.map(|(larger, moment)| (moment - larger * low - left_out) / (larger - tilt)),
            );
            // What the tilt makes of the tail that is read must not drown in the rounding of the transform.
            let drowns = moment - tilt * highest > ln_delta + 7.0;
            (!drowns).then(|| Place {
                tilt,
                highest,
                low,
                length: (missed - low).max(from_below).max(from_above),
            })
        };
        let places = moments.iter().filter_map(place).filter(|place| place.length.is_finite());
        places.min_by(|a, b| a.length.total_cmp(&b.length))
    }

    /// As [`Run::bounds_at`]; nothing if epsilon lies below what is read.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a power of two that was checked"
    )]
    fn composed(
        &self,
        spacing: f64,
        points: f64,
        places: [Place; 2],
    ) -> Result<Option<(EpsilonBracket, f64)>, f64> {
        let tail = self.delta * LEFT_OUT / real(self.steps);
        let pairs = Dominating::new(self.step, spacing, tail).ok_or(f64::INFINITY)?;
        let delta = self.delta;
        let sum = |pair: Pair| {
            let tilted = pair.tilted(places.map(|place| place.tilt));
            let scales = [0, 1].map(|d| tilted.directions[d].scale);
            (Pair::sum_of(&[(&tilted, self.steps)], points as usize, places.map(|place| place.low)), scales)
        };
        let (above, high) = sum(pairs.above);
        let Some((highest, d)) = read(&above, [delta; 2]) else { return Ok(None) };
        let spare = self.spare(&above, highest);
        let surely = [0, 1].map(|d| delta - spare[d] - real(self.steps) * pairs.infinite[d]);
        if surely.iter().any(|delta| *delta <= 0.0) {
            return Err(f64::INFINITY);
        }
        let Some((upper, _)) = read(&above, surely) else { return Ok(None) };
        let Some(below) = pairs.below else {
            return Ok(Some((EpsilonBracket { lower: 0.0, estimate: highest, upper }, upper)));
        };
        let (below, low) = sum(below);
        let Some((lowest, _)) = read(&below, [delta; 2]) else { return Ok(None) };
        let spare = self.spare(&below, lowest);
        let Some((lower, _)) = read(&below, spare.map(|spare| delta + spare)) else { return Ok(None) };
        // The truth lies between the two as its own moment lies between theirs.
        let exact = moment(&Moments::new(self.step), d, places[d].tilt);
        let share = ((exact - low[d]) / (high[d] - low[d])).clamp(0.0, 1.0);
        let share = if share.is_nan() { 0.5 } else { share };
        let estimate = lowest + share * (highest - lowest);
        Ok(Some((EpsilonBracket { lower, estimate, upper }, highest - lowest)))
    }

    /// How much of delta is kept back per direction, where `sum` is read about `epsilon`.
    fn spare(&self, sum: &Pair, epsilon: f64) -> [f64; 2] {
        [0, 1].map(|d| {
            let lattice = &sum.directions[d];
            let rounding = real(self.steps) * ROUNDING * libm::exp(lattice.scale - lattice.tilt * epsilon);
            self.delta * SPARE + rounding
        })
    }
}

/// `ln E e^(tilt L)` of one direction's loss.
fn moment(of_step: &Moments<'_>, d: usize, tilt: f64) -> f64 {
    of_step.ln_moment(if d == 0 { 1.0 + tilt } else { -tilt })
}

/// The smallest epsilon that holds at these deltas and the direction that decides; nothing if it lies below what is held.
fn read(sum: &Pair, deltas: [f64; 2]) -> Option<(f64, usize)> {
    let mut found = (0.0, 0);
    for (d, (lattice, delta)) in sum.directions.iter().zip(deltas).enumerate() {
        let epsilon = lattice.epsilon(sum.spacing, delta);
        if epsilon <= 0.0 && lattice.point(sum.spacing, 0) > 0.0 {
            return None;
        }
        if epsilon > found.0 {
            found = (epsilon, d);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::super::step::bisect;
    use super::super::{single, two_levels};
    use super::*;
    use equipoise_core::{Fraction, NoiseMultiplier};
    use std::num::NonZeroU32;

    fn step(q: f64, sigma: f64, rows: u32) -> SampledStep {
        let (q, sigma) = (Fraction::new(q).unwrap(), NoiseMultiplier::new(sigma).unwrap());
        SampledStep::of_rows(q, sigma, NonZeroU32::new(rows).unwrap()).unwrap()
    }

    fn bounds(step: &SampledStep, steps: u64, delta: f64, error: f64) -> EpsilonBracket {
        Run::new(step, steps, delta).bounds(error).unwrap()
    }

    /// `(q, sigma, rows, steps, delta)`: light and heavy tails, much and hardly any sampling, one row and several.
    const RUNS: [(f64, f64, u32, u64, f64); 12] = [
        (0.01, 1.0, 1, 10_000, 1e-5),
        (0.01, 0.6, 1, 3_000, 1e-10),
        (0.001, 0.8, 1, 100_000, 1e-7),
        (1e-4, 0.6, 1, 20_000, 1e-6),
        (1e-4, 1.0, 1, 100_000, 1e-10),
        (1e-4, 4.0, 1, 100_000, 1e-8),
        (1e-5, 1.0, 1, 100_000, 1e-5),
        (1e-6, 0.4, 1, 1_000, 1e-10),
        (0.3, 6.0, 1, 300, 1e-9),
        (0.9, 20.0, 1, 1_000, 1e-6),
        (0.002, 4.0, 4, 50_000, 1e-5),
        (0.05, 12.0, 20, 500, 1e-7),
    ];

    /// The oracle discretises, bounds and windows by other rules. Its estimate keeps the mean alone, so it is a little too large.
    #[test]
    fn the_two_bounds_hold_what_the_slow_oracle_finds() {
        for (q, sigma, rows, steps, delta) in RUNS {
            let step = step(q, sigma, rows);
            let fast = bounds(&step, steps, delta, 0.01);
            let error = if fast.upper < 0.1 { 0.003 } else { 0.02 };
            let slow = two_levels::bracket(&step, steps, delta, error).unwrap();
            let said = format!("{q} {sigma} {rows} {steps} {delta}: {fast:?} {slow:?}");
            assert!(fast.lower <= fast.estimate && fast.estimate <= fast.upper, "{said}");
            assert!(fast.upper - fast.lower <= 0.02, "{said}");
            assert!(slow.lower <= fast.upper && fast.lower <= slow.upper, "{said}");
            assert!((fast.estimate - slow.estimate).abs() <= 5e-4 + 1e-4 * slow.estimate, "{said}");
        }
    }

    /// Whatever the lattice, the truth is inside; so all brackets of one run have a point in common, and narrow in on it.
    #[test]
    fn brackets_of_one_run_narrow_in() {
        for (q, sigma, rows, steps, delta) in RUNS {
            let step = step(q, sigma, rows);
            let fine = bounds(&step, steps, delta, 5e-4);
            for error in [0.3, 0.05, 0.01, 2e-3] {
                let coarse = bounds(&step, steps, delta, error);
                let said = format!("{q} {sigma} {rows} {steps} {delta} {error}: {coarse:?} {fine:?}");
                assert!(coarse.lower <= fine.upper && fine.lower <= coarse.upper, "{said}");
                assert!((coarse.estimate - fine.estimate).abs() <= 0.1 * error + 1e-4, "{said}");
            }
        }
    }

    /// One step has a closed form, and two are its integral over the first: no lattice, no transform.
    #[test]
    fn one_step_and_two_by_quadrature_lie_between_the_bounds() {
        for (q, sigma, rows, delta) in
            [(0.1, 1.0, 1, 1e-5), (0.01, 0.6, 1, 1e-8), (0.6, 2.0, 1, 1e-6), (0.1, 2.0, 3, 1e-6)]
        {
            let step = step(q, sigma, rows);
            let one = bisect(0.0, 50.0, |e| single::of(&step, e).into_iter().fold(0.0, f64::max) <= delta);
            let two = bisect(0.0, 50.0, |e| after_two(&step, e) <= delta);
            for (steps, exact) in [(1, one), (2, two)] {
                let got = bounds(&step, steps, delta, 1e-3);
                let said = format!("{q} {sigma} {rows} {steps}: {got:?} {exact}");
                assert!(got.lower <= exact + 1e-7 && exact - 1e-7 <= got.upper, "{said}");
                assert!((got.estimate - exact).abs() < 5e-4, "{said}");
            }
        }
    }

    /// Delta after two steps, the larger of both directions: `E[delta_1(epsilon - L)]` over the first loss, by the trapezoid rule.
    fn after_two(step: &SampledStep, epsilon: f64) -> f64 {
        let (sigma, rows) = (step.noise(), f64::from(step.rows()));
        let (from, points) = (-10.0 * sigma, 6_000);
        let width = (rows + 20.0 * sigma) / f64::from(points);
        let mut sums = [0.0; 2];
        for i in 0..=points {
            let x = from + f64::from(i) * width;
            let q = (-0.5 * (x / sigma).powi(2)).exp() / (sigma * std::f64::consts::TAU.sqrt()) * width;
            let loss = step.density_ratio(x).1;
            sums[0] += q * loss.exp() * single::of(step, epsilon - loss)[0];
            sums[1] += q * single::of(step, epsilon + loss)[1];
        }
        sums[0].max(sums[1])
    }

    /// The row that was slow: delta 1e-10 and tails so heavy that a single step decides.
    #[test]
    fn heavy_tails_at_a_small_delta_take_a_short_circle() {
        let step = step(1e-5, 0.4, 1);
        let run = Run::new(&step, 100_000, 1e-10);
        let place = run.place(0, 5e-4, 9.0).unwrap();
        assert!(place.length < 150.0 && place.low < 7.0, "{} {}", place.low, place.length);
        let got = run.bounds(0.01).unwrap();
        assert!((got.estimate - 7.036_450_389).abs() < 1e-4 && got.upper - got.lower < 0.002, "{got:?}");
    }

    #[test]
    fn a_lattice_that_would_not_fit_is_refused() {
        let wide = step(0.5, 0.0625, 8);
        assert!(matches!(Run::new(&wide, 1_000, 1e-6).bounds(0.01), Err(PrvError::TooFine { .. })));
    }
}
