//! The noise that a target epsilon needs, for every accountant.
//!
//! The answer is always on the safe side: the accountant, asked again with it, gives an epsilon of at most the target; the
//! exact one in the upper end of its bracket. (The plain Gaussian has its own inverse, `gaussian_noise_multiplier`.)

use super::prv::MANY_STEPS;
use super::{
    DiscreteSum, EpsilonBracket, PrvError, RdpAccountant, SampledStep, prv_bracket, prv_estimate, rdp_curve,
    rdp_epsilon, zcdp_epsilon, zcdp_rho,
};
use crate::DpEvent;
use equipoise_core::{Delta, Epsilon, Fraction, NoiseMultiplier};

/// The bracket of noise multipliers, as powers of two. Below 2^-4 any epsilon is in the hundreds and protects nobody.
const LOWEST_LOG2: f64 = -4.0;
const HIGHEST_LOG2: f64 = 20.0;
/// Width in powers of two, that is nearly relative, at which bisection stops.
const RELATIVE_WIDTH: f64 = 1e-6;

/// A calibration that has no answer.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum AccountError {
    /// No guarantee was asked for, or nothing is released.
    #[error("there is nothing to calibrate: {0}")]
    Nothing(&'static str),
    /// Even the largest noise multiplier does not reach the target.
    #[error(
        "no noise multiplier up to {highest} reaches epsilon {target} at delta {delta}; raise epsilon or delta, or take fewer steps"
    )]
    OutOfReach {
        /// The target.
        target: f64,
        /// The delta.
        delta: f64,
        /// The largest multiplier tried.
        highest: f64,
    },
    /// The exact accountant could not take the run on.
    #[error("the exact accountant could not calibrate the noise")]
    TooFine(#[from] PrvError),
}

/// The smallest noise multiplier, to a relative 1e-6 and never below 1/16, at which `steps` Poisson-subsampled Gaussian
/// steps at rate `q` cost at most `target` at `delta`.
///
/// # Errors
/// If the target is infinite, `q` or `steps` is 0, or the target is out of reach.
pub fn calibrate_noise_multiplier(
    target: Epsilon,
    delta: Delta,
    q: Fraction,
    steps: u32,
) -> Result<NoiseMultiplier, AccountError> {
    if q.get() <= 0.0 || steps == 0 {
        return Err(AccountError::Nothing("the sampling rate or the number of steps is 0"));
    }
    least_noise(target, delta, |sigma| {
        let mut curve = rdp_curve(q.get(), sigma);
        curve.iter_mut().for_each(|r| *r *= f64::from(steps));
        rdp_epsilon(&curve, delta.get()).epsilon
    })
}

/// [`calibrate_noise_multiplier`] where `before` has been released of the same data: what the two cost together is at most `target`.
///
/// # Errors
/// As there; and if `before` alone costs more.
pub(crate) fn calibrate_beside(
    target: Epsilon,
    delta: Delta,
    before: &DpEvent,
    q: Fraction,
    steps: u32,
) -> Result<NoiseMultiplier, AccountError> {
    if q.get() <= 0.0 || steps == 0 {
        return Err(AccountError::Nothing("the sampling rate or the number of steps is 0"));
    }
    let mut already = RdpAccountant::new();
    already.compose(before, 1);
    least_noise(target, delta, |noise_multiplier| {
        let mut accountant = already.clone();
        accountant.compose(&DpEvent::PoissonGaussian { sampling_rate: q.get(), noise_multiplier }, steps);
        accountant.epsilon(delta).epsilon
    })
}

/// [`calibrate_noise_multiplier`] for a unit in several rows. The noise of `step` itself is ignored.
///
/// # Errors
/// As there.
pub fn calibrate_step(
    target: Epsilon,
    delta: Delta,
    step: &SampledStep,
    steps: u64,
) -> Result<NoiseMultiplier, AccountError> {
    if step.is_nothing() || steps == 0 {
        return Err(AccountError::Nothing("the sampling rate or the number of steps is 0"));
    }
    least_noise(target, delta, |sigma| {
        let mut curve = step.with_noise(in_range(sigma)).rdp_curve();
        curve.iter_mut().for_each(|r| *r *= real(steps));
        rdp_epsilon(&curve, delta.get()).epsilon
    })
}

/// The noise multiplier of each of `releases` Gaussian releases of everybody, by zero-concentrated privacy.
///
/// # Errors
/// If the target is infinite, there is no release, or the target is out of reach.
pub fn calibrate_zcdp(target: Epsilon, delta: Delta, releases: u64) -> Result<NoiseMultiplier, AccountError> {
    if releases == 0 {
        return Err(AccountError::Nothing("there is no release"));
    }
    least_noise(target, delta, |sigma| {
        zcdp_epsilon(real(releases) * zcdp_rho(1.0, sigma), delta.get()).epsilon
    })
}

/// The noise multiplier of each of `releases` sums like `sum`, whose own is ignored.
///
/// # Errors
/// If the target is infinite, there is no release, or the target is out of reach.
pub fn calibrate_discrete(
    target: Epsilon,
    delta: Delta,
    sum: &DiscreteSum,
    releases: u64,
) -> Result<NoiseMultiplier, AccountError> {
    if releases == 0 {
        return Err(AccountError::Nothing("there is no release"));
    }
    least_noise(target, delta, |sigma| {
        DiscreteSum { noise_multiplier: in_range(sigma), ..*sum }.epsilon(releases, delta.get()).epsilon
    })
}

/// A noise multiplier and the bracket that it was checked with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Calibrated {
    /// The noise multiplier.
    pub noise_multiplier: NoiseMultiplier,
    /// What it buys; the upper end is at most the target.
    pub epsilon: EpsilonBracket,
}

/// The noise multiplier at which the exact accountant certifies `target`, to its error of 0.01 (or a twentieth of a small
/// target). The noise of `step` itself is ignored; the answer is never below 1/16.
///
/// # Errors
/// If there is nothing to calibrate, the target is out of reach, or the transform would not fit.
pub fn calibrate_exactly(
    target: Epsilon,
    delta: Delta,
    step: &SampledStep,
    steps: u64,
) -> Result<Calibrated, AccountError> {
    if !target.is_finite() {
        return Err(AccountError::Nothing("epsilon is infinite; use no-noise"));
    }
    if step.is_nothing() || steps == 0 {
        return Err(AccountError::Nothing("the sampling rate or the number of steps is 0"));
    }
    let error = (0.05 * target.get()).min(0.01);
    let with = |ln_sigma: f64| step.with_noise(in_range(libm::exp(ln_sigma)));
    let mut goal = target.get() - 1.05 * error;
    let mut start = first_guess(target, delta, step, steps)?;
    let mut found: Option<Calibrated> = None;
    for _ in 0..12 {
        let ln_sigma =
            noise_for_estimate(goal, start, |ln_sigma| prv_estimate(&with(ln_sigma), steps, delta))?;
        let epsilon = prv_bracket(&with(ln_sigma), steps, delta, error)?;
        let over = epsilon.upper - target.get();
        let meets = Calibrated { noise_multiplier: in_range(libm::exp(ln_sigma)), epsilon };
        if over <= 0.0 {
            // Two bounds may be much closer than asked for, which leaves noise to save, once. (Short runs keep the bytes that experiments have.)
            if steps < MANY_STEPS || over > -0.3 * error || found.is_some() {
                return Ok(meets);
            }
            found = Some(meets);
            goal = 0.99999 * (target.get() - 1.05 * (epsilon.upper - epsilon.estimate));
        } else if let Some(found) = found {
            return Ok(found);
        } else {
            goal = 0.999 * (goal - 1.1 * over);
        }
        start = ln_sigma;
    }
    let (target, delta, highest) = (target.get(), delta.get(), libm::exp2(HIGHEST_LOG2));
    Err(AccountError::OutOfReach { target, delta, highest })
}

/// `ln` of the noise that the Renyi accountant wants: for several rows, of one row at its share of the target.
fn first_guess(target: Epsilon, delta: Delta, step: &SampledStep, steps: u64) -> Result<f64, AccountError> {
    let share = Epsilon::new(target.get() / f64::from(step.rows())).expect("a positive number over a count");
    let rate = Fraction::new(step.q).expect("a step's rate is a fraction");
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    Ok(libm::log(calibrate_noise_multiplier(share, delta, rate, steps)?.get()))
}

/// `ln` of a noise whose estimate lies within 2e-5 below `goal`, by the secant rule on logarithms from `start`.
fn noise_for_estimate(
    goal: f64,
    start: f64,
    estimate: impl Fn(f64) -> Result<f64, PrvError>,
) -> Result<f64, AccountError> {
    let lowest = LOWEST_LOG2 * std::f64::consts::LN_2;
    let ln_off = |ln_sigma: f64| -> Result<f64, PrvError> {
        Ok(libm::log(estimate(ln_sigma)?.max(1e-12)) - libm::log(goal * (1.0 - 1e-5)))
    };
    let (mut x, mut slope) = (start, -1.2);
    let mut off = ln_off(x)?;
    for _ in 0..40 {
        if off.abs() < 1e-5 || (off < 0.0 && x <= lowest) {
            break;
        }
        let next = (x + (-off / slope).clamp(-0.7, 0.7)).max(lowest);
        let off_next = ln_off(next)?;
        let found = (off_next - off) / (next - x);
        // Epsilon falls with noise; a rise is the estimate's own error at the end of the search.
        slope = if found < -0.05 { found } else { -1.2 };
        (x, off) = (next, off_next);
    }
    Ok(x)
}

fn in_range(sigma: f64) -> NoiseMultiplier {
    NoiseMultiplier::new(sigma).expect("a power in range is a noise multiplier")
}

#[allow(clippy::cast_precision_loss, reason = "counts of steps are far below 2^52")]
fn real(steps: u64) -> f64 {
    steps as f64
}

/// The smallest noise multiplier at which `epsilon`, which falls with noise, is at most `target`.
fn least_noise(
    target: Epsilon,
    delta: Delta,
    epsilon: impl Fn(f64) -> f64,
) -> Result<NoiseMultiplier, AccountError> {
    if !target.is_finite() {
        return Err(AccountError::Nothing("epsilon is infinite; use no-noise"));
    }
    let enough = |log2: f64| epsilon(libm::exp2(log2)) <= target.get();
    // Walk from 1 outwards, so that the slow small multipliers are met only when they are the answer.
    let (mut low, mut high) = (0.0, 0.0);
    if enough(0.0) {
        low = -1.0;
        while low > LOWEST_LOG2 && enough(low) {
            (low, high) = (low - 1.0, low);
        }
        if low <= LOWEST_LOG2 && enough(low) {
            high = low;
        }
    } else {
        high = 1.0;
        while !enough(high) {
            (low, high) = (high, high + 1.0);
            if high > HIGHEST_LOG2 {
                let (target, delta, highest) = (target.get(), delta.get(), libm::exp2(HIGHEST_LOG2));
                return Err(AccountError::OutOfReach { target, delta, highest });
            }
        }
    }
    while high - low > RELATIVE_WIDTH {
        let middle = 0.5 * (low + high);
        if enough(middle) { high = middle } else { low = middle }
    }
    Ok(NoiseMultiplier::new(libm::exp2(high)).expect("a power of two in range is a noise multiplier"))
}
