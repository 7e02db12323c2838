//! The exact privacy-loss accountant: epsilon of many sampled steps to a stated error, by Fourier transform (Koskela, Jälkö, Honkela, arXiv
//! 1906.03049; Gopi, Lee, Wutschitz, arXiv 2106.02848).
//!
//! What is certified, from 256 steps on: the true epsilon lies between those of a pair that the step's pair dominates and of one
//! that dominates it (`sandwich`). Below: with probability `1 - delta / 1000` the discretised loss lies within `error` of the true one, by
//! Hoeffding's inequality on the rounding errors, mean zero and one spacing long (`rounded`). Either way Chernoff bounds what a
//! window leaves out. Not covered by proof: the rounding of `f64`. Losses are composed under a tilt, so it is relative to delta (about
//! 1e-16 a step), and a quarter of `delta / 1000` is kept back for it.

use super::rounded::{Accountant, Rounding, real};
use super::sandwich::Run;
use super::step::SampledStep;
use super::{gaussian_epsilon, single};
use equipoise_core::{Delta, NoiseMultiplier};
use serde::{Deserialize, Serialize};

/// Steps from which two bounds are cheaper than keeping roundings apart. (Below, either takes milliseconds.)
pub(super) const MANY_STEPS: u64 = 256;
/// The largest transform: 256 MiB of numbers.
pub(super) const MOST_POINTS: f64 = 16_777_216.0;
/// The transform that an estimate likes.
const POINTS_OF_AN_ESTIMATE: f64 = 131_072.0;

/// Epsilon and what it certainly lies between.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EpsilonBracket {
    /// The true epsilon is not smaller.
    pub lower: f64,
    /// The best guess; typically a hundred times closer than the bracket is wide.
    pub estimate: f64,
    /// The true epsilon is not larger: the number for a claim.
    pub upper: f64,
}

/// A bracket that would take too much work.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum PrvError {
    /// The loss spreads too far for the error that was asked for.
    #[error(
        "an error of {error} needs a transform of {points:e} points, more than {MOST_POINTS:e}; take a larger error, more noise or fewer steps"
    )]
    TooFine {
        /// The error that was asked for.
        error: f64,
        /// The points that it would take.
        points: f64,
    },
}

/// Epsilon of `steps` such steps at `delta`, certified to `error` on either side (0.01 is the custom; what is kept back of delta comes on
/// top).
///
/// # Errors
/// If the transform would not fit.
///
/// # Panics
/// If `error` is not positive.
pub fn prv_bracket(
    step: &SampledStep,
    steps: u64,
    delta: Delta,
    error: f64,
) -> Result<EpsilonBracket, PrvError> {
    assert!(error > 0.0, "an error was not checked");
    if let Some(exact) = closed_form(step, steps, delta) {
        return Ok(EpsilonBracket { lower: exact, estimate: exact, upper: exact });
    }
    if steps >= MANY_STEPS {
        return Run::new(step, steps, delta.get()).bounds(error);
    }
    let accountant = Accountant::new(step, steps, delta.get());
    let sum = accountant.compose(error, MOST_POINTS, Rounding::Bounded)?;
    Ok(accountant.read(&sum, delta.get(), error))
}

/// The estimate alone, on a lattice made for it. Typically within 1e-4 of the truth; for a claim take the upper end of
/// [`prv_bracket`].
///
/// # Errors
/// If the transform would not fit.
pub fn prv_estimate(step: &SampledStep, steps: u64, delta: Delta) -> Result<f64, PrvError> {
    if let Some(exact) = closed_form(step, steps, delta) {
        return Ok(exact);
    }
    if steps >= MANY_STEPS {
        return Run::new(step, steps, delta.get()).estimate();
    }
    let accountant = Accountant::new(step, steps, delta.get());
    let widest = (0.3 * accountant.spread()).max(0.03);
    let mut error = (0.1 * accountant.spread()).clamp(1e-6, 0.03);
    loop {
        let last = error >= widest;
        let most_points = if last { MOST_POINTS } else { POINTS_OF_AN_ESTIMATE };
        match accountant.compose(error, most_points, Rounding::Matched) {
            Ok(sum) => return Ok(sum.epsilon(delta.get())),
            Err(refused) if last => return Err(refused),
            Err(_) => error = (2.0 * error).min(widest),
        }
    }
}

/// Cases that need no transform.
fn closed_form(step: &SampledStep, steps: u64, delta: Delta) -> Option<f64> {
    if steps == 0 || step.is_nothing() {
        return Some(0.0);
    }
    if let Some(sigma) = step.plain_gaussian() {
        let total = NoiseMultiplier::new(sigma / libm::sqrt(real(steps))).expect("positive and finite");
        return Some(gaussian_epsilon(total, delta));
    }
    (steps == 1).then(|| single::epsilon(step, delta.get()))
}
