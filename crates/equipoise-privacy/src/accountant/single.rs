//! One step exactly: the hockey-stick divergence of the pair in closed form, both directions.
//!
//! `delta(e) = P(L > e) - e^e Q(L > e)` for nulling a unit, `Q(L < -e) - e^e P(L < -e)` for adding it.

use super::step::SampledStep;

/// Delta at any epsilon for nulling a unit and for adding it.
pub(super) fn of(step: &SampledStep, epsilon: f64) -> [f64; 2] {
    // What lies below the range of f64 is left out of the subtraction, which errs on the safe side.
    let grown = |q: f64| if q > 0.0 { libm::exp(epsilon + libm::log(q)) } else { 0.0 };
    // Where every loss is larger than epsilon, all of both distributions is.
    let all = if epsilon < 0.0 { (1.0, 1.0) } else { (0.0, 0.0) };
    let (p, q) = step.where_loss_is(epsilon).map_or(all, |x| step.above(x));
    let removed = p - grown(q);
    let (p, q) = step.where_loss_is(-epsilon).map_or((0.0, 0.0), |x| step.below(x));
    [removed, q - grown(p)].map(|delta| delta.max(0.0))
}

/// The smallest delta at `epsilon >= 0` that holds in both directions.
fn delta(step: &SampledStep, epsilon: f64) -> f64 {
    let [removed, added] = of(step, epsilon);
    removed.max(added)
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
