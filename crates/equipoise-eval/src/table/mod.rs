//! Metrics over a plain table of scores, labels and weights, from wherever they come (`equipoise metrics FILE`).
//!
//! Scores are 64-bit numbers and need not lie in `[0, 1]`; a weight is scikit-learn's `sample_weight`. Rows with equal scores are
//! always taken together, so the order of rows changes no byte. A metric that does not exist says why ([`Undefined`]); none
//! is ever NaN. Not promised: intervals for rows that depend on each other ([`bootstrap`] draws rows).

mod about;
mod bootstrap;
mod budget;
mod calibration;
mod loss;
mod ranking;

pub use about::{Direction, TableAbout, TableMetric, Undefined};
pub use bootstrap::{Interval, bootstrap};
pub use budget::{AtBudget, Budget, BudgetError, at_budget, at_daily_budget};
pub use calibration::{CalibrationLine, calibration_line, expected_calibration_error, top_calibration_error};
pub use loss::{brier, log_loss};
pub use ranking::{average_precision, normalised_average_precision, prevalence, roc_auc};

/// Why rows cannot become a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// Columns of different lengths.
    #[error("the columns differ in length: {scores} scores, {labels} labels, {weights} weights")]
    Lengths {
        /// Scores.
        scores: usize,
        /// Labels.
        labels: usize,
        /// Weights.
        weights: usize,
    },
    /// A score that is not finite.
    #[error("row {row}: a score must be a finite number, got {value}")]
    Score {
        /// Row, from 0.
        row: usize,
        /// What stood there.
        value: f64,
    },
    /// A weight that is not a finite number of at least 0.
    #[error("row {row}: a weight must be finite and at least 0, got {value}")]
    Weight {
        /// Row, from 0.
        row: usize,
        /// What stood there.
        value: f64,
    },
}

/// One row of a [`ScoredTable`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScoredRow {
    /// Higher means more likely positive.
    pub score: f64,
    /// Truth.
    pub positive: bool,
    /// How much the row counts.
    pub weight: f64,
}

/// Rows by falling score; among equal scores by label and weight, so that sums run in one order whatever the input's was.
#[derive(Clone, PartialEq, Debug)]
pub struct ScoredTable {
    rows: Vec<ScoredRow>,
}

/// The bits of a finite number in an order in which unsigned integers sort as the numbers do; -0 is 0.
const fn sortable(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

impl ScoredTable {
    /// Checks and sorts. Without `weights` every row counts once; rows of weight 0 are left out.
    ///
    /// # Errors
    /// If the columns differ in length, or a number is not finite, or a weight is below 0.
    pub fn new(scores: &[f64], labels: &[bool], weights: Option<&[f64]>) -> Result<Self, TableError> {
        let counted = weights.map_or(scores.len(), <[f64]>::len);
        if scores.len() != labels.len() || scores.len() != counted {
            return Err(TableError::Lengths { scores: scores.len(), labels: labels.len(), weights: counted });
        }
        let mut rows = Vec::with_capacity(scores.len());
        for (row, (&score, &positive)) in scores.iter().zip(labels).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            if !score.is_finite() {
                return Err(TableError::Score { row, value: score });
            }
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(TableError::Weight { row, value: weight });
            }
            if weight > 0.0 {
                rows.push(ScoredRow { score: score + 0.0, positive, weight });
            }
        }
        rows.sort_unstable_by_key(|row| (!sortable(row.score), !row.positive, sortable(row.weight)));
        Ok(Self { rows })
    }

    /// The rows, highest score first.
    #[must_use]
    pub fn rows(&self) -> &[ScoredRow] {
        &self.rows
    }

    /// The rows in runs of equal score, highest first.
    #[allow(clippy::float_cmp)] // A tie is an equal score.
    pub fn ties(&self) -> impl Iterator<Item = &[ScoredRow]> {
        self.rows.chunk_by(|a, b| a.score == b.score)
    }

    /// `(positive weight, whole weight)` of each run of equal scores, highest first.
    pub(crate) fn tie_weights(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.ties().map(|tie| {
            tie.iter().fold((0.0, 0.0), |(positive, all), row| {
                (positive + if row.positive { row.weight } else { 0.0 }, all + row.weight)
            })
        })
    }

    /// Weight of positives and of negatives.
    #[must_use]
    pub fn weight_by_label(&self) -> (f64, f64) {
        self.rows.iter().fold((0.0, 0.0), |(positive, negative), row| {
            if row.positive { (positive + row.weight, negative) } else { (positive, negative + row.weight) }
        })
    }

    /// The same rows, each counting `counts` times its weight; rows that count 0 times are left out.
    pub(crate) fn reweighted(&self, counts: &[u32]) -> Self {
        let counted = self.rows.iter().zip(counts).filter(|(_, count)| **count > 0);
        Self {
            rows: counted.map(|(row, &n)| ScoredRow { weight: row.weight * f64::from(n), ..*row }).collect(),
        }
    }

    /// Whether every score may be read as a probability.
    pub(crate) fn probabilities(&self) -> Result<(), Undefined> {
        match (self.rows.first(), self.rows.last()) {
            (None, _) | (_, None) => Err(Undefined::NoRows),
            (Some(most), Some(least)) if most.score > 1.0 || least.score < 0.0 => {
                Err(Undefined::NotProbabilities)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sort_by_falling_score_through_zero() {
        let table =
            ScoredTable::new(&[-1.0, 2.0, -0.0, 0.0, -3.5], &[true, false, true, false, true], None).unwrap();
        let scores: Vec<f64> = table.rows().iter().map(|row| row.score).collect();
        assert_eq!(scores, [2.0, 0.0, 0.0, -1.0, -3.5]);
        assert_eq!(table.ties().count(), 4, "-0 and 0 are one score");
    }

    #[test]
    fn what_is_no_number_is_refused_by_its_row() {
        let error = ScoredTable::new(&[0.5, f64::NAN], &[true, false], None).unwrap_err();
        assert!(error.to_string().starts_with("row 1: a score must be a finite number"), "{error}");
        let error = ScoredTable::new(&[0.5], &[true], Some(&[-1.0])).unwrap_err();
        assert_eq!(error, TableError::Weight { row: 0, value: -1.0 });
        assert!(ScoredTable::new(&[0.5], &[true, false], None).is_err());
    }
}
