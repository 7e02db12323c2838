//! One step exactly: the hockey-stick divergence of the pair in closed form, both directions.
//!
//! `delta(e) = P(L > e) - e^e Q(L > e)` for nulling a unit, `Q(L < -e) - e^e P(L < -e)` for adding it.

use super::step::SampledStep;

/// The smallest delta at `epsilon >= 0` that holds in both directions.
pub(super) fn delta(step: &SampledStep, epsilon: f64) -> f64 {
    // What lies below the range of f64 is left out of the subtraction, which errs on the safe side.
    let grown = |q: f64| if q > 0.0 { libm::exp(epsilon + libm::log(q)) } else { 0.0 };
    let removed = step.where_loss_is(epsilon).map_or(0.0, |x| {
        let (p, q) = step.above(x);
        p - grown(q)
    });
    let added = step.where_loss_is(-epsilon).map_or(0.0, |x| {
        let (p, q) = step.below(x);
        q - grown(p)
    });
    removed.max(added).max(0.0)
}

/// The smallest epsilon at `target`, on the safe side of the last bracket.
pub(super) fn epsilon(step: &SampledStep, target: f64) -> f64 {
    if delta(step, 0.0) <= target {
        return 0.0;
    }
    let mut high = 1.0;
    while delta(step, high) > target {
        high *= 2.0;
    }
    super::step::bisect(0.0, high, |epsilon| delta(step, epsilon) <= target)
}
