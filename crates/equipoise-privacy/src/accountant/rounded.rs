//! A short run composed on one lattice to which losses are rounded (Gopi, Lee, Wutschitz, arXiv 2106.02848), with a window wide enough
//! for what sums can reach.
//!
//! What the window leaves out is bounded by Chernoff's inequality on the moments of one step, rounding by Hoeffding's. The error of a
//! rounding is as large as the spacing, so this is for runs that are short; long ones stand between two bounds (`sandwich`).

use super::lattice::Pair;
use super::moment::Moments;
use super::prv::{EpsilonBracket, PrvError};
use super::step::SampledStep;

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
    pub(super) failure: f64,
    /// Mean and variance of one step's loss, per direction.
    one: [(f64, f64); 2],
    /// For `l > 0`, `[ln E_P e^(lL), ln E_P e^(-lL), ln E_Q e^(-lL), ln E_Q e^(lL)]`.
    moments: Vec<(f64, [f64; 4])>,
    /// The tilt that would centre each direction on epsilon: the best of Chernoff's bound at delta.
    pub(super) best_tilts: [f64; 2],
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
    pub(super) fn window(&self, steps: f64, failure: f64, tilts: [f64; 2]) -> [(f64, f64); 2] {
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
        let steps = real(self.steps);
        let spacing = self.spacing(error, steps);
        let circle = |tilts| Circle::new(self.window(steps, self.failure, tilts), error, spacing);
        let plain = circle([0.0; 2]);
        let points = plain.points.max(self.points_of_one(spacing));
        if points > most_points {
            return Err(PrvError::TooFine { error, points });
        }
        // Tilting needs wider windows: as much of it as costs nothing, or, where rounding would show, one doubling.
        let allowed = if steps * 1e-16 > 0.1 * self.failure { 2.0 } else { 1.0 };
        let most_points = most_points.max(plain.points);
        let (tilts, circle) = (0..12)
            .map(|i| self.best_tilts.map(|tilt| tilt * libm::pow(0.8, f64::from(i))))
            .map(|tilts| (tilts, circle(tilts)))
            .find(|(_, tilted)| tilted.points <= most_points.min(allowed * plain.points))
            .unwrap_or(([0.0; 2], plain));
        Ok(circle.sum_of(&[(&self.discretised(spacing, rounding).tilted(tilts), self.steps)]))
    }

    /// What a sum whose roundings are `Bounded` by `error` says.
    pub(super) fn read(&self, sum: &Pair, delta: f64, error: f64) -> EpsilonBracket {
        let slack = 8.0 * self.failure;
        EpsilonBracket {
            lower: (sum.epsilon(delta + slack) - error).max(0.0),
            estimate: sum.epsilon(delta),
            upper: sum.epsilon(delta - slack) + error,
        }
    }

    /// The points that the loss of one step takes.
    fn points_of_one(&self, spacing: f64) -> f64 {
        let (low, high) = self.step.reach(self.failure / real(self.steps));
        (self.step.density_ratio(high).1 - self.step.density_ratio(low).1) / spacing
    }

    pub(super) fn discretised(&self, spacing: f64, rounding: Rounding) -> Pair {
        let means = self.one.map(|(mean, _)| mean);
        let pair = Pair::of_step(self.step, spacing, means, self.failure / real(self.steps));
        match rounding {
            Rounding::Bounded => pair,
            Rounding::Matched => pair.with_variances(self.one.map(|(_, variance)| variance)),
        }
    }

    /// The spacing at which `count` independent roundings stay within `error` but for `failure` (Hoeffding).
    pub(super) fn spacing(&self, error: f64, count: f64) -> f64 {
        error / libm::sqrt(0.5 * count * libm::log(2.0 / self.failure))
    }
}

/// The points on which a sum is held.
pub(super) struct Circle {
    lows: [f64; 2],
    pub(super) points: f64,
}

impl Circle {
    /// Wide enough for `window` and `margin` on either side, with as many points as the transform likes.
    pub(super) fn new(window: [(f64, f64); 2], margin: f64, spacing: f64) -> Self {
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
    pub(super) fn sum_of(&self, parts: &[(&Pair, u64)]) -> Pair {
        Pair::sum_of(parts, self.points as usize, self.lows)
    }
}
