//! The slow oracle of `sandwich`, for tests alone: long runs with losses rounded to a lattice, the steps of a block on a fine one, the blocks
//! on a coarse one (Ghazi et al., arXiv 2207.04381, after Gopi et al., arXiv 2106.02848). It shares the transform, the moments and the
//! step with `sandwich`, and neither the way to discretise, nor the bound, nor the window.

use super::lattice::Pair;
use super::prv::{EpsilonBracket, MOST_POINTS, PrvError};
use super::rounded::{Accountant, Circle, Rounding, real};
use super::step::SampledStep;

/// The share of the error that the first of two levels may make.
const FIRST_SHARE: f64 = 0.6;

/// A bracket from blocks of about the square root of the steps.
pub(super) fn bracket(
    step: &SampledStep,
    steps: u64,
    delta: f64,
    error: f64,
) -> Result<EpsilonBracket, PrvError> {
    let accountant = Accountant::new(step, steps, delta);
    let block = root_of(steps);
    let (blocks, rest) = (steps / block, steps % block);
    let fine = accountant.spacing(FIRST_SHARE * error, real(block * blocks));
    let coarse = accountant.spacing((1.0 - FIRST_SHARE) * error, real(blocks + rest));
    // The roundings of one block alone stay far below the share that all blocks together may reach.
    let each = accountant.failure / real(blocks);
    let margin = fine * libm::sqrt(0.5 * real(block) * libm::log(2.0 / each));
    let circles = |tilts| {
        let inner = Circle::new(accountant.window(real(block), each, tilts), margin, fine);
        (inner, Circle::new(accountant.window(real(steps), accountant.failure, tilts), error, coarse))
    };
    let plain = circles([0.0; 2]);
    let points = plain.0.points.max(plain.1.points);
    if points > MOST_POINTS {
        return Err(PrvError::TooFine { error, points });
    }
    let (tilts, (inner, outer)) = (0..12)
        .map(|i| accountant.best_tilts.map(|tilt| tilt * libm::pow(0.8, f64::from(i))))
        .map(|tilts| (tilts, circles(tilts)))
        .find(|(_, (inner, outer))| {
            inner.points <= 2.0 * plain.0.points && outer.points <= 2.0 * plain.1.points
        })
        .unwrap_or(([0.0; 2], plain));
    let one = |spacing| accountant.discretised(spacing, Rounding::Bounded).tilted(tilts);
    let of_block = inner.sum_of(&[(&one(fine), block)]).coarser(coarse).tilted(tilts);
    let sum: Pair = outer.sum_of(&[(&of_block, blocks), (&one(coarse), rest)]);
    Ok(accountant.read(&sum, delta, error))
}

/// The whole number next above the square root.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a square root of a count")]
fn root_of(steps: u64) -> u64 {
    libm::ceil(libm::sqrt(real(steps))) as u64
}
