//! The metric trait, its registry and the weighted sample that all metrics are computed on.
//!
//! A metric is written once, over counted cases: a weight of two means the case twice, so that the bootstrap changes
//! counts instead of copying cases, and one sort serves every resample.

mod average_precision;
mod burden;
mod calibration;
mod contacts;
mod gain;
mod recall;
mod review;
mod roc;
mod time;

pub use average_precision::{AveragePrecision, NormalisedAveragePrecision, Prevalence};
pub use burden::{ChildrenWronglyRestrictedPerUpheldCase, FalsePositiveRate, WrongfulRestrictionBurden};
pub use calibration::{Brier, CalibrationError, LogLoss, TopCalibrationError};
pub use contacts::{ChildrenContactedBeforeDetection, NinetiethChildrenContactedBeforeDetection};
pub use gain::{IncrementalRecall, ProactiveShare};
pub use recall::{MacroRecallAtBudget, RecallAtBudget};
pub use review::{PrecisionAtReview, PrematureAlertRate};
pub use roc::RocAuc;
pub use time::{MedianTimeToDetection, Removal, RmstTimeToDetection, TimeToDetectionQuantile};

use crate::Case;
use serde::{Deserialize, Serialize};

/// Fewer positives than this in a cell, and it is not assessed.
pub const MINIMUM_POSITIVES: usize = 50;

/// What a value is measured in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A share of the counted cases, in `[0, 1]`.
    Share,
    /// A number without a unit.
    Index,
    /// Days.
    Days,
    /// Distinct children.
    Children,
    /// Account-days per 10,000 account-days.
    PerTenThousandAccountDays,
    /// Children per upheld case.
    ChildrenPerCase,
    /// Natural units of information.
    Nats,
}

/// The fixed facts of a metric.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Kebab-case name, as in experiment files.
    pub name: &'static str,
    /// Unit of the value.
    pub unit: Unit,
    /// Direction.
    pub higher_is_better: bool,
    /// The formula, one sentence.
    pub definition: &'static str,
    /// The cases that the minimum of positives is counted over: the denominator.
    pub counted: fn(&Case) -> bool,
}

/// Cases with how often each counts, and their order by score.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The cases.
    pub cases: &'a [Case],
    /// How often each case counts; same length.
    pub weights: &'a [u32],
    /// Indices by falling score ([`ranking`]); equal scores are neighbours and must be treated jointly.
    pub order: &'a [u32],
}

impl<'a> Sample<'a> {
    /// Cases that count, each with its weight.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Case, u32)> + 'a {
        self.cases.iter().zip(self.weights.iter().copied()).filter(|pair| pair.1 > 0)
    }

    /// How many cases satisfy `holds`.
    #[must_use]
    pub fn count(&self, holds: impl Fn(&Case) -> bool) -> u64 {
        self.iter().map(|(case, weight)| u64::from(weight) * u64::from(holds(case))).sum()
    }

    /// Of the cases that satisfy `whole`, the share that satisfies `part` too; `None` without any.
    #[must_use]
    pub fn share(&self, whole: impl Fn(&Case) -> bool, part: impl Fn(&Case) -> bool) -> Option<f64> {
        let (mut all, mut some) = (0_u64, 0_u64);
        for (case, weight) in self.iter().filter(|(case, _)| whole(case)) {
            all += u64::from(weight);
            some += u64::from(weight) * u64::from(part(case));
        }
        ratio(some, all)
    }

    /// `(harmful, all)` counts of each run of equal scores, best score first.
    pub fn tie_groups(&self) -> impl Iterator<Item = (u64, u64)> + 'a {
        let (cases, weights, order) = (self.cases, self.weights, self.order);
        order.chunk_by(|&a, &b| cases[a as usize].score == cases[b as usize].score).filter_map(move |group| {
            let (mut harmful, mut all) = (0, 0);
            for &index in group {
                let weight = u64::from(weights[index as usize]);
                all += weight;
                harmful += weight * u64::from(cases[index as usize].harmful);
            }
            (all > 0).then_some((harmful, all))
        })
    }
}

/// Indices of `cases` by falling score; equal scores stay in order of index.
///
/// # Panics
/// If there are more than 2^32 cases.
#[must_use]
pub fn ranking(cases: &[Case]) -> Vec<u32> {
    // A score lies in [0, 1], so its bits sort as it does: one sort of integers, no look-up of cases while comparing.
    let key = |(index, case): (u32, &Case)| {
        (u64::from(!(case.score.get() + 0.0).to_bits()) << 32) | u64::from(index)
    };
    assert!(u32::try_from(cases.len()).is_ok(), "a case index fits 32 bits");
    let mut keys: Vec<u64> = (0..).zip(cases).map(key).collect();
    keys.sort_unstable();
    #[allow(clippy::cast_possible_truncation)] // The index sits in the low half on purpose.
    keys.into_iter().map(|key| key as u32).collect()
}

/// A quotient of counts; `None` for nothing over nothing.
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A number that judges a run.
///
/// Laws ([`crate::laws::check_metric`]): the order of cases does not matter; a weight is a number of copies; all cases
/// twice change nothing; no counted case gives `None`; values are finite, a [`Unit::Share`] lies in `[0, 1]`; a perfect
/// system is at least as good as a random one in the declared direction.
pub trait Metric: Send + Sync {
    /// The fixed facts.
    fn about(&self) -> &'static About;

    /// The value over a weighted sample; `None` where it does not exist.
    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64>;

    /// The value, each case once. Sorts the cases by score.
    fn compute(&self, cases: &[Case]) -> Option<f64> {
        let weights = vec![1; cases.len()];
        self.compute_weighted(Sample { cases, weights: &weights, order: &ranking(cases) })
    }

    /// Kebab-case name.
    fn name(&self) -> &'static str {
        self.about().name
    }

    /// Unit of the value.
    fn unit(&self) -> Unit {
        self.about().unit
    }

    /// Direction.
    fn higher_is_better(&self) -> bool {
        self.about().higher_is_better
    }

    /// The formula, one sentence.
    fn definition(&self) -> &'static str {
        self.about().definition
    }

    /// Fewer counted persons than this, and no number is given.
    fn minimum_positives(&self) -> usize {
        MINIMUM_POSITIVES
    }
}

/// A metric by its name, with its parameters.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MetricSpec {
    /// [`Prevalence`]: what average precision is without information.
    Prevalence,
    /// [`AveragePrecision`].
    AveragePrecision,
    /// [`NormalisedAveragePrecision`].
    NormalisedAveragePrecision,
    /// [`RocAuc`]: secondary only.
    RocAuc,
    /// [`RecallAtBudget`].
    RecallAtBudget,
    /// [`MacroRecallAtBudget`].
    MacroRecallAtBudget,
    /// [`PrecisionAtReview`].
    PrecisionAtReview,
    /// [`PrematureAlertRate`].
    PrematureAlertRate,
    /// [`RmstTimeToDetection`].
    RmstTimeToDetection(RmstTimeToDetection),
    /// [`MedianTimeToDetection`].
    MedianTimeToDetection(MedianTimeToDetection),
    /// [`ChildrenContactedBeforeDetection`].
    ChildrenContactedBeforeDetection,
    /// [`NinetiethChildrenContactedBeforeDetection`].
    NinetiethChildrenContactedBeforeDetection,
    /// [`FalsePositiveRate`].
    FalsePositiveRate,
    /// [`WrongfulRestrictionBurden`].
    WrongfulRestrictionBurden,
    /// [`ChildrenWronglyRestrictedPerUpheldCase`].
    ChildrenWronglyRestrictedPerUpheldCase,
    /// [`Brier`].
    Brier,
    /// [`CalibrationError`].
    CalibrationError(CalibrationError),
    /// [`TopCalibrationError`].
    TopCalibrationError(TopCalibrationError),
    /// [`LogLoss`].
    LogLoss,
    /// [`TimeToDetectionQuantile`].
    TimeToDetectionQuantile(TimeToDetectionQuantile),
    /// [`ProactiveShare`].
    ProactiveShare,
    /// [`IncrementalRecall`].
    IncrementalRecall,
}

impl MetricSpec {
    /// The metric.
    #[must_use]
    pub fn build(self) -> Box<dyn Metric> {
        match self {
            Self::Prevalence => Box::new(Prevalence),
            Self::AveragePrecision => Box::new(AveragePrecision),
            Self::NormalisedAveragePrecision => Box::new(NormalisedAveragePrecision),
            Self::RocAuc => Box::new(RocAuc),
            Self::RecallAtBudget => Box::new(RecallAtBudget),
            Self::MacroRecallAtBudget => Box::new(MacroRecallAtBudget),
            Self::PrecisionAtReview => Box::new(PrecisionAtReview),
            Self::PrematureAlertRate => Box::new(PrematureAlertRate),
            Self::RmstTimeToDetection(metric) => Box::new(metric),
            Self::MedianTimeToDetection(metric) => Box::new(metric),
            Self::ChildrenContactedBeforeDetection => Box::new(ChildrenContactedBeforeDetection),
            Self::NinetiethChildrenContactedBeforeDetection => {
                Box::new(NinetiethChildrenContactedBeforeDetection)
            }
            Self::FalsePositiveRate => Box::new(FalsePositiveRate),
            Self::WrongfulRestrictionBurden => Box::new(WrongfulRestrictionBurden),
            Self::ChildrenWronglyRestrictedPerUpheldCase => Box::new(ChildrenWronglyRestrictedPerUpheldCase),
            Self::Brier => Box::new(Brier),
            Self::CalibrationError(metric) => Box::new(metric),
            Self::TopCalibrationError(metric) => Box::new(metric),
            Self::LogLoss => Box::new(LogLoss),
            Self::TimeToDetectionQuantile(metric) => Box::new(metric),
            Self::ProactiveShare => Box::new(ProactiveShare),
            Self::IncrementalRecall => Box::new(IncrementalRecall),
        }
    }

    /// One of each, with usual parameters.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::Prevalence,
            Self::AveragePrecision,
            Self::NormalisedAveragePrecision,
            Self::RocAuc,
            Self::RecallAtBudget,
            Self::MacroRecallAtBudget,
            Self::PrecisionAtReview,
            Self::PrematureAlertRate,
            Self::RmstTimeToDetection(RmstTimeToDetection { horizon_days: 30.0, removal: Removal::Competes }),
            Self::MedianTimeToDetection(MedianTimeToDetection { removal: Removal::Competes }),
            Self::ChildrenContactedBeforeDetection,
            Self::NinetiethChildrenContactedBeforeDetection,
            Self::FalsePositiveRate,
            Self::WrongfulRestrictionBurden,
            Self::ChildrenWronglyRestrictedPerUpheldCase,
            Self::Brier,
            Self::CalibrationError(CalibrationError { bins: 10 }),
            Self::TopCalibrationError(TopCalibrationError { share: 0.01 }),
            Self::LogLoss,
            Self::TimeToDetectionQuantile(TimeToDetectionQuantile {
                share: 0.25,
                removal: Removal::Competes,
            }),
            Self::ProactiveShare,
            Self::IncrementalRecall,
        ]
    }
}
