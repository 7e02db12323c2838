//! Rules that combine updates which the server may *see*. To add one: a file here, and its lines below.

mod mean;
mod median;

pub use mean::WeightedMean;
pub use median::CoordinateMedian;

use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// Combines visible integer updates into one real vector in integer units, per unit of weight.
///
/// Laws (see [`crate::laws::check_aggregator`]): the result does not depend on the order of `updates`; equal updates
/// are a fixed point; every coordinate lies between the smallest and the largest of the cohort.
pub trait Aggregator: Send + Sync {
    /// The rule's name in files and reports.
    fn name(&self) -> &'static str;
    /// The smallest cohort that the rule is defined for.
    fn minimum_cohort(&self) -> usize;
    /// Combines. `updates` has at least [`Aggregator::minimum_cohort`] members of one length; values are integers that
    /// were multiplied by their weight.
    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64>;
}

/// The visible rules by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AggregatorSpec {
    /// The mean, weighted by public sample counts.
    Mean(WeightedMean),
    /// The coordinate-wise median.
    CoordinateMedian(CoordinateMedian),
}

impl AggregatorSpec {
    /// The rule itself.
    #[must_use]
    pub fn rule(&self) -> &dyn Aggregator {
        match self {
            Self::Mean(rule) => rule,
            Self::CoordinateMedian(rule) => rule,
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![Self::Mean(WeightedMean {}), Self::CoordinateMedian(CoordinateMedian {})]
    }
}
