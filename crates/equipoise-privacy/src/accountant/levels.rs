//! How a long run is composed: the steps of a block on a fine lattice, the blocks on a coarse one, and windows wide enough for
//! what each level can reach (Ghazi et al., arXiv 2207.04381, after Gopi et al., arXiv 2106.02848).
//!
//! What a window leaves out is bounded by Chernoff's inequality on the moments of one step, rounding by Hoeffding's.

use super::lattice::Pair;
use super::moment::Moments;
use super::prv::PrvError;
use super::step::SampledStep;

/// Steps from which two levels are cheaper than one.
pub(super) const TWO_LEVELS_FROM: u64 = 256;
/// The share of the error that the first of two levels may make.
const FIRST_SHARE: f64 = 0.6;

/// What is kept when losses are rounded to a lattice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// The mean, so that the error is bounded.
    Bounded,
    /// Mean and variance, for a better guess without a bound.
    Matched,
}

#[allow(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
pub(super) fn real(steps: u64) -> f64 {
    steps as f64
}

/// One step, what its moments say about sums of it, and the probability that each idealisation may fail with.
pub(super) struct Accountant<'a> {
    step: &'a SampledStep,
    steps: u64,
    failure: f64,
    /// Mean and variance of one step's loss, per direction.
    one: [(f64, f64); 2],
    /// For `l > 0`, `[ln E_P e^(lL), ln E_P e^(-lL), ln E_Q e^(-lL), ln E_Q e^(lL)]`.
    moments: Vec<(f64, [f64; 4])>,
    /// The tilt that would centre each direction on epsilon: the best of Chernoff's bound at delta.
    best_tilts: [f64; 2],
}

impl<'a> Accountant<'a> {
    pub(super) fn new(step: &'a SampledStep, steps: u64, delta: f64) -> Self {
        let of_step = Moments::new(step);
        let moments: Vec<_> = (0..26)
            .map(|i| {
                let tilt = 0.2 * libm::pow(1.35, f64::from(i));
                let at = [1.0 + tilt, 1.0 - tilt, -tilt, tilt];
                (tilt, at.map(|theta| of_step.ln_moment(theta)))
            })
            .collect();
        let mut accountant = Self {
            step,
            steps,
            failure: delta * 1e-3 / 8.0,
            one: of_step.mean_and_variance(),
            moments,
            best_tilts: [0.0; 2],
        };
        // Not the last few, so that larger ones remain to bound what the tilt blows up.
        let candidates = &accountant.moments[..20];
        accountant.best_tilts = [0, 2].map(|which| {
            let bound =
                |(tilt, moments): &(f64, [f64; 4])| (real(steps) * moments[which] - libm::log(delta)) / tilt;
            let best = candidates.iter().min_by(|a, b| bound(a).total_cmp(&bound(b)));
            best.map_or(0.0, |best| best.0)
        });
        accountant
    }

    /// The larger standard deviation of the total loss.
    pub(super) fn spread(&self) -> f64 {
        libm::sqrt(real(self.steps) * self.one[0].1.max(self.one[1].1))
    }

    /// Per direction, an interval that the sum of `steps` true losses leaves with at most `failure` on a side, also when what
    /// leaves it above comes in again below and is blown up by the tilt.
    fn window(&self, steps: f64, failure: f64, tilts: [f64; 2]) -> [(f64, f64); 2] {
        let ln = -libm::log(failure);
        // A sum is at least, or at most, so many times the one extreme that a step has.
        let extreme = -steps * self.step.lowest_loss();
        [(0, 1, extreme, f64::INFINITY), (2, 3, f64::INFINITY, extreme)].map(
            |(up, down, most_below, most_above)| {
                let below = self.moments.iter().map(|(tilt, moments)| (steps * moments[down] + ln) / tilt);
                let below = below.fold(most_below, f64::min);
                let own = tilts[up / 2];
                let larger = self.moments.iter().filter(|(tilt, _)| *tilt > own);
                let above =
                    larger.map(|(tilt, moments)| (steps * moments[up] + ln + own * below) / (tilt - own));
                (-below, above.fold(most_above, f64::min))
            },
        )
    }

    /// The distribution of the total loss, within `error` of the true one but for six times `failure`.
    pub(super) fn compose(&self, error: f64, most_points: f64, rounding: Rounding) -> Result<Pair, PrvError> {
        let levels = self.levels(error);
        let plain = levels.circles(self, [0.0; 2]);
        let points = plain.points().max(self.points_of_one(levels.fine));
        if points > most_points {
            return Err(PrvError::TooFine { error, points });
        }
        // Tilting needs wider windows: as much of it as costs nothing, or, where rounding would show, one doubling.
        let shows = real(self.steps) * 1e-16 > 0.1 * self.failure;
        let allowed = if shows { 2.0 } else { 1.0 };
        let (tilts, circles) = (0..12)
            .map(|i| self.best_tilts.map(|tilt| tilt * libm::pow(0.8, f64::from(i))))
            .map(|tilts| (tilts, levels.circles(self, tilts)))
            .find(|(_, circles)| circles.within(&plain, allowed, most_points))
            .unwrap_or(([0.0; 2], plain));
        let fine = self.discretised(levels.fine, rounding).tilted(tilts);
        let Some(inner) = &circles.inner else { return Ok(circles.outer.sum_of(&[(&fine, self.steps)])) };
        let of_block = inner.sum_of(&[(&fine, levels.block)]);
        let mut rounded = of_block.coarser(levels.coarse);
        if rounding == Rounding::Matched {
            rounded = rounded.with_variances(of_block.variances());
        }
        let single = self.discretised(levels.coarse, rounding).tilted(tilts);
        Ok(circles.outer.sum_of(&[(&rounded.tilted(tilts), levels.blocks), (&single, levels.rest)]))
    }

    /// One level for short runs, else blocks of about the square root of the steps.
    fn levels(&self, error: f64) -> Levels {
        if self.steps < TWO_LEVELS_FROM {
            let spacing = self.spacing(error, real(self.steps));
            return Levels { block: 1, blocks: self.steps, rest: 0, fine: spacing, coarse: spacing, error };
        }
        let block = root_of(self.steps);
        let (blocks, rest) = (self.steps / block, self.steps % block);
        let fine = self.spacing(FIRST_SHARE * error, real(block * blocks));
        let coarse = self.spacing((1.0 - FIRST_SHARE) * error, real(blocks + rest));
        Levels { block, blocks, rest, fine, coarse, error }
    }

    /// The points that the loss of one step takes.
    fn points_of_one(&self, spacing: f64) -> f64 {
        let (low, high) = self.step.reach(self.failure / real(self.steps));
        (self.step.density_ratio(high).1 - self.step.density_ratio(low).1) / spacing
    }

    fn discretised(&self, spacing: f64, rounding: Rounding) -> Pair {
        let means = self.one.map(|(mean, _)| mean);
        let pair = Pair::of_step(self.step, spacing, means, self.failure / real(self.steps));
        match rounding {
            Rounding::Bounded => pair,
            Rounding::Matched => pair.with_variances(self.one.map(|(_, variance)| variance)),
        }
    }

    /// The spacing at which `count` independent roundings stay within `error` but for `failure` (Hoeffding).
    fn spacing(&self, error: f64, count: f64) -> f64 {
        error / libm::sqrt(0.5 * count * libm::log(2.0 / self.failure))
    }
}

/// The whole number next above the square root.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a square root of a count")]
fn root_of(steps: u64) -> u64 {
    libm::ceil(libm::sqrt(real(steps))) as u64
}

/// `steps = block * blocks + rest`: the steps of a block are summed on the fine spacing, blocks and rest on the coarse one.
struct Levels {
    block: u64,
    blocks: u64,
    rest: u64,
    fine: f64,
    coarse: f64,
    error: f64,
}

impl Levels {
    fn circles(&self, of: &Accountant<'_>, tilts: [f64; 2]) -> Circles {
        let outer = Circle::new(of.window(real(of.steps), of.failure, tilts), self.error, self.coarse);
        let inner = (self.block > 1).then(|| {
            let blocks = real(self.blocks);
            // The roundings of one block alone stay far below the share that all blocks together may reach.
            let margin =
                self.fine * libm::sqrt(0.5 * real(self.block) * libm::log(2.0 * blocks / of.failure));
            Circle::new(of.window(real(self.block), of.failure / blocks, tilts), margin, self.fine)
        });
        Circles { inner, outer }
    }
}

/// Where the sums of each level are held.
struct Circles {
    inner: Option<Circle>,
    outer: Circle,
}

impl Circles {
    fn points(&self) -> f64 {
        self.inner.as_ref().map_or(0.0, |inner| inner.points).max(self.outer.points)
    }

    fn within(&self, plain: &Self, times: f64, most_points: f64) -> bool {
        let inner = self.inner.as_ref().zip(plain.inner.as_ref());
        let inner = inner.is_none_or(|(this, plain)| this.points <= times * plain.points);
        inner
            && self.outer.points <= times * plain.outer.points
            && self.points() <= most_points.max(plain.points())
    }
}

/// The points on which a sum is held.
struct Circle {
    lows: [f64; 2],
    points: f64,
}

impl Circle {
    /// Wide enough for `window` and `margin` on either side, with as many points as the transform likes.
    fn new(window: [(f64, f64); 2], margin: f64, spacing: f64) -> Self {
        let wide = window.iter().map(|(low, high)| high - low).fold(0.0, f64::max) + 2.0 * margin;
        let points = libm::exp2(libm::ceil(libm::log2(wide / spacing + 4.0)));
        // Not a number where every bound is infinite: then nothing fits.
        let points = if points.is_nan() { f64::INFINITY } else { points };
        Self { lows: window.map(|(low, _)| low - margin), points }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a power of two that was checked"
    )]
    fn sum_of(&self, parts: &[(&Pair, u64)]) -> Pair {
        Pair::sum_of(parts, self.points as usize, self.lows)
    }
}
