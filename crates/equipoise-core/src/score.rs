//! A risk score is a number to sort a review queue by. It is never a verdict.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A score in `[0, 1]`; higher is reviewed earlier. Ordered totally, so that queues are deterministic.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RiskScore(f32);

impl RiskScore {
    /// Clamps `value` into `[0, 1]`; a value that is not a number becomes 0, so that it is never reviewed first.
    #[must_use]
    pub fn new(value: f32) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The score as a number.
    #[must_use]
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl Eq for RiskScore {}

impl PartialOrd for RiskScore {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RiskScore {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_that_is_not_a_number_is_never_reviewed_first() {
        assert!(RiskScore::new(f32::NAN) <= RiskScore::new(0.0));
        assert!(RiskScore::new(7.0) <= RiskScore::new(1.0));
    }
}
