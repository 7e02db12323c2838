//! Rules that combine updates which the server may *see*. To add one: a file here, and its lines below.

mod bulyan;
mod clipped;
mod geometric;
mod krum;
mod mean;
mod median;
mod trimmed;
mod units;

pub use bulyan::Bulyan;
pub use clipped::NormClippedMean;
pub use geometric::GeometricMedian;
pub use krum::{Krum, MultiKrum};
pub use mean::WeightedMean;
pub use median::CoordinateMedian;
pub use trimmed::TrimmedMean;

use equipoise_core::Fraction;
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// Combines visible integer updates into one real vector in integer units, per unit of weight.
///
/// Laws (see [`crate::laws::check_aggregator`]): the result does not depend on the order of `updates`; equal updates
/// are a fixed point; every coordinate lies between the smallest and the largest of the cohort (and zero, if the rule
/// shrinks updates); whatever [`Aggregator::tolerates`] clients send, the result stays near the others.
pub trait Aggregator: Send + Sync {
    /// The rule's name in files and reports.
    fn name(&self) -> &'static str;
    /// The smallest cohort that the rule is defined for.
    fn minimum_cohort(&self) -> usize;
    /// How many byzantine clients of a cohort cannot move the result without bound: cohort times the breakdown point.
    fn tolerates(&self, cohort: usize) -> usize;
    /// Whether it makes updates shorter, so that zero counts among the cohort's values.
    fn shrinks(&self) -> bool {
        false
    }
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
    /// The mean of updates cut to a multiple of the median norm.
    NormClippedMean(NormClippedMean),
    /// The coordinate-wise median.
    CoordinateMedian(CoordinateMedian),
    /// The coordinate-wise trimmed mean.
    TrimmedMean(TrimmedMean),
    /// The update closest to its neighbours.
    Krum(Krum),
    /// The mean of the updates closest to their neighbours.
    MultiKrum(MultiKrum),
    /// Krum, then a mean around the median.
    Bulyan(Bulyan),
    /// The geometric median.
    GeometricMedian(GeometricMedian),
}

impl AggregatorSpec {
    /// The rule itself.
    #[must_use]
    pub fn rule(&self) -> &dyn Aggregator {
        match self {
            Self::Mean(rule) => rule,
            Self::NormClippedMean(rule) => rule,
            Self::CoordinateMedian(rule) => rule,
            Self::TrimmedMean(rule) => rule,
            Self::Krum(rule) => rule,
            Self::MultiKrum(rule) => rule,
            Self::Bulyan(rule) => rule,
            Self::GeometricMedian(rule) => rule,
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let trim = Fraction::new(0.25).expect("a quarter is a fraction");
        vec![
            Self::Mean(WeightedMean {}),
            Self::NormClippedMean(NormClippedMean { multiple: 1.0 }),
            Self::CoordinateMedian(CoordinateMedian {}),
            Self::TrimmedMean(TrimmedMean { trim }),
            Self::Krum(Krum { byzantine: 1 }),
            Self::MultiKrum(MultiKrum { byzantine: 1, keep: 3 }),
            Self::Bulyan(Bulyan { byzantine: 1 }),
            Self::GeometricMedian(GeometricMedian { steps: 8, smoothing: 1e-3 }),
        ]
    }
}
