//! The noise that a target epsilon needs, by bisection on the Renyi accountant.
//!
//! The answer is always on the safe side: the accountant, asked again with it, gives an epsilon of at most the target.

use super::{rdp_curve, rdp_epsilon};
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
    if !target.is_finite() {
        return Err(AccountError::Nothing("epsilon is infinite; use no-noise"));
    }
    if q.get() <= 0.0 || steps == 0 {
        return Err(AccountError::Nothing("the sampling rate or the number of steps is 0"));
    }
    let enough = |log2: f64| {
        let mut curve = rdp_curve(q.get(), libm::exp2(log2));
        curve.iter_mut().for_each(|r| *r *= f64::from(steps));
        rdp_epsilon(&curve, delta.get()).epsilon <= target.get()
    };
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
