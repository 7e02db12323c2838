//! The registry of table metrics: what each is called, measures, ranges over, comes from, and where it does not exist.

use super::{Budget, ScoredTable, at_budget, calibration, loss, ranking};
use crate::Unit;

/// Why a metric does not exist for a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Undefined {
    /// No row counts.
    #[error("no row has a weight above 0")]
    NoRows,
    /// No positive row.
    #[error("no row is positive")]
    NoPositive,
    /// No negative row.
    #[error("no row is negative")]
    NoNegative,
    /// All scores are equal.
    #[error("all scores are equal")]
    OneScore,
    /// A score outside `[0, 1]`.
    #[error("a score lies outside [0, 1], so scores are no probabilities")]
    NotProbabilities,
    /// A threshold separates positives from negatives.
    #[error("a threshold separates the labels, so the fit has no end")]
    Separated,
    /// Nothing reviewed.
    #[error("the budget reviews nothing")]
    NothingReviewed,
    /// No budget was named.
    #[error("no budget was given")]
    NoBudget,
    /// The iteration did not settle.
    #[error("the fit did not settle")]
    NotSettled,
}

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Higher is better.
    Higher,
    /// Lower is better.
    Lower,
    /// Nearest to this value is best.
    Near(i8),
    /// Neither: it describes the table.
    Neither,
}

/// The fixed facts of a table metric.
#[derive(Clone, Copy, Debug)]
pub struct TableAbout {
    /// Name in snake case, as the key of `equipoise metrics --json`.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
    /// Smallest and largest value that can occur.
    pub range: (f64, f64),
    /// The formula, one sentence.
    pub definition: &'static str,
    /// Who defined it, and whose implementation it equals.
    pub source: &'static str,
    /// Where it does not exist.
    pub undefined: &'static str,
}

/// A metric over a [`ScoredTable`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TableMetric {
    /// Share of positives.
    Prevalence,
    /// [`ranking::average_precision`].
    AveragePrecision,
    /// [`ranking::normalised_average_precision`].
    NormalisedAveragePrecision,
    /// [`ranking::roc_auc`].
    RocAuc,
    /// [`loss::brier`].
    Brier,
    /// [`loss::log_loss`].
    LogLoss,
    /// [`calibration::expected_calibration_error`].
    Ece,
    /// [`calibration::top_calibration_error`].
    EceTop,
    /// The slope of [`calibration::calibration_line`].
    CalibrationSlope,
    /// The intercept of [`calibration::calibration_line`].
    CalibrationIntercept,
    /// The recall of [`at_budget`].
    RecallAtBudget,
    /// The precision of [`at_budget`].
    PrecisionAtBudget,
}

/// Bins of the expected calibration error.
pub(crate) const BINS: u32 = 10;

impl TableMetric {
    /// Every metric.
    pub const ALL: [Self; 12] = [
        Self::Prevalence,
        Self::AveragePrecision,
        Self::NormalisedAveragePrecision,
        Self::RocAuc,
        Self::Brier,
        Self::LogLoss,
        Self::Ece,
        Self::EceTop,
        Self::CalibrationSlope,
        Self::CalibrationIntercept,
        Self::RecallAtBudget,
        Self::PrecisionAtBudget,
    ];

    /// The value, or why there is none.
    ///
    /// # Errors
    /// The reason, as [`TableAbout::undefined`] lists them.
    pub fn compute(self, table: &ScoredTable, budget: Option<Budget>) -> Result<f64, Undefined> {
        let reviewed = || at_budget(table, budget.ok_or(Undefined::NoBudget)?);
        match self {
            Self::Prevalence => ranking::prevalence(table),
            Self::AveragePrecision => ranking::average_precision(table),
            Self::NormalisedAveragePrecision => ranking::normalised_average_precision(table),
            Self::RocAuc => ranking::roc_auc(table),
            Self::Brier => loss::brier(table),
            Self::LogLoss => loss::log_loss(table),
            Self::Ece => calibration::expected_calibration_error(table, BINS),
            Self::EceTop => calibration::top_calibration_error(table),
            Self::CalibrationSlope => calibration::calibration_line(table).map(|line| line.slope),
            Self::CalibrationIntercept => calibration::calibration_line(table).map(|line| line.intercept),
            Self::RecallAtBudget => reviewed()?.recall,
            Self::PrecisionAtBudget => reviewed()?.precision,
        }
    }

    /// The fixed facts.
    #[must_use]
    #[allow(clippy::too_many_lines)] // A table of facts.
    pub const fn about(self) -> TableAbout {
        use Direction::{Higher, Lower, Near, Neither};
        let (name, unit, direction, range, definition, source, undefined) = match self {
            Self::Prevalence => (
                "prevalence",
                Unit::Share,
                Neither,
                (0.0, 1.0),
                "weight of positive rows / weight of all rows",
                "the average precision of a ranking without information",
                "no row",
            ),
            Self::AveragePrecision => (
                "average_precision",
                Unit::Index,
                Higher,
                (0.0, 1.0),
                "sum over distinct scores of (recall gained) x (precision there), without interpolation, at the table's own prevalence",
                "Davis and Goadrich 2006; equals sklearn.metrics.average_precision_score",
                "no positive row",
            ),
            Self::NormalisedAveragePrecision => (
                "normalised_average_precision",
                Unit::Index,
                Higher,
                (f64::NEG_INFINITY, 1.0),
                "(average precision - prevalence) / (1 - prevalence)",
                "0 is no information; values below 0 are worse",
                "no positive or no negative row",
            ),
            Self::RocAuc => (
                "roc_auc",
                Unit::Index,
                Higher,
                (0.0, 1.0),
                "P(a positive row outscores a negative one) + P(equal) / 2",
                "Hanley and McNeil 1982; equals sklearn.metrics.roc_auc_score; secondary to average precision at low prevalence",
                "no positive or no negative row",
            ),
            Self::Brier => (
                "brier",
                Unit::Index,
                Lower,
                (0.0, 1.0),
                "weighted mean of (score - label)^2",
                "Brier 1950; equals sklearn.metrics.brier_score_loss",
                "no row, or a score outside [0, 1]",
            ),
            Self::LogLoss => (
                "log_loss",
                Unit::Nats,
                Lower,
                (0.0, 36.043_653_389_117_15),
                "weighted mean of -ln(probability given to the label), probabilities kept 2^-52 away from 0 and 1",
                "Good 1952; equals sklearn.metrics.log_loss",
                "no row, or a score outside [0, 1]",
            ),
            Self::Ece => (
                "ece",
                Unit::Index,
                Lower,
                (0.0, 1.0),
                "sum over 10 bins of equal weight of (share of weight) x |mean score - share positive|; equal scores are never split",
                "Naeini and others 2015, Nguyen and O'Connor 2015 (equal mass)",
                "no row, or a score outside [0, 1]",
            ),
            Self::EceTop => (
                "ece_top",
                Unit::Index,
                Lower,
                (0.0, 1.0),
                "the same over the top 1% of the weight, its last tie whole, in as many bins (1 to 10) as hold 20 rows each",
                "design of this project: the scores that reviewers see",
                "no row, or a score outside [0, 1]",
            ),
            Self::CalibrationSlope => (
                "calibration_slope",
                Unit::Index,
                Near(1),
                (f64::NEG_INFINITY, f64::INFINITY),
                "slope of the logistic regression of the label on the logit of the score, scores kept 1e-6 away from 0 and 1",
                "Cox 1958; equals sklearn.linear_model.LogisticRegression without penalty",
                "one label, one score, separated labels, or a score outside [0, 1]",
            ),
            Self::CalibrationIntercept => (
                "calibration_intercept",
                Unit::Index,
                Near(0),
                (f64::NEG_INFINITY, f64::INFINITY),
                "intercept of the regression of calibration_slope",
                "Cox 1958; equals sklearn.linear_model.LogisticRegression without penalty",
                "as calibration_slope",
            ),
            Self::RecallAtBudget => (
                "recall_at_budget",
                Unit::Share,
                Higher,
                (0.0, 1.0),
                "positive weight among the budget's highest scores / positive weight; equal scores at the edge share its last places evenly",
                "share of a table; the definition per platform and day is recall_at_daily_budget",
                "no positive row, or no budget",
            ),
            Self::PrecisionAtBudget => (
                "precision_at_budget",
                Unit::Share,
                Higher,
                (0.0, 1.0),
                "positive weight among the budget's highest scores / weight reviewed; equal scores at the edge share its last places evenly",
                "share of a table; the definition per platform and day is precision_at_daily_budget",
                "nothing reviewed, or no budget",
            ),
        };
        TableAbout { name, unit, direction, range, definition, source, undefined }
    }
}
