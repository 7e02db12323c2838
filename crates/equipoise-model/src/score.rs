//! Scoring: many rows, no gradient.
//!
//! Products sum each number in one order (see `product`) and the logistic function is `libm`'s, so that a row's score is a function
//! of that row and the weights, bit for bit, for any number of rows or threads, and on any machine.

use crate::maths::{cross_entropy, sigmoid};
use crate::rows::{length, not_finite};
use crate::sequence_network::READS_SEQUENCES;
use crate::{Examples, ModelError, Trainer};

/// Rows that are scored together: enough to fill the products, few enough that what is between layers stays in a cache.
const SCORE_ROWS: usize = 256;

impl Trainer {
    /// The unweighted cross-entropy of each row: what a membership attack that sees the model can compute.
    ///
    /// # Errors
    /// If lengths or numbers do not fit.
    pub fn row_losses<'a>(
        &mut self,
        weights: &[f32],
        rows: impl Into<Examples<'a>>,
    ) -> Result<Vec<f32>, ModelError> {
        let examples = rows.into();
        self.check_examples(weights, &examples)?;
        let rows = match examples {
            Examples::Rows(rows) => rows,
            Examples::Sequences(sequences) => return self.sequence_losses(weights, &sequences),
        };
        let mut losses = self.logits(weights, rows.values);
        losses.iter_mut().zip(rows.labels).for_each(|(z, &label)| *z = cross_entropy(*z, label).0);
        Ok(losses)
    }

    /// Scores rows `values` `[rows, columns]`, each in `[0, 1]`. A row's score depends on that row alone.
    ///
    /// # Errors
    /// If lengths do not fit, or a feature or score is not a finite number.
    pub fn score(&mut self, weights: &[f32], columns: usize, values: &[f32]) -> Result<Vec<f32>, ModelError> {
        length("the weights", self.parameters(), weights.len())?;
        if self.sequence.is_some() {
            return Err(ModelError::Spec(READS_SEQUENCES));
        }
        length("a row", self.columns(), columns)?;
        let rows = values.len() / columns;
        length("the features", rows * columns, values.len())?;
        if let Some(at) = not_finite(values) {
            let (row, got) = (at / columns, values[at]);
            return Err(ModelError::Value { what: "a feature", row, range: "finite", got });
        }
        let mut scores = self.logits(weights, values);
        for (row, score) in scores.iter_mut().enumerate() {
            *score = sigmoid(*score);
            if score.is_nan() {
                return Err(ModelError::Score { row });
            }
        }
        Ok(scores)
    }

    fn logits(&mut self, weights: &[f32], values: &[f32]) -> Vec<f32> {
        let (columns, mut logits) = (self.columns(), Vec::with_capacity(values.len() / self.columns()));
        for chunk in values.chunks(SCORE_ROWS * columns) {
            self.tape.take(chunk, chunk.len() / columns);
            self.tape.forward(&self.shapes, weights);
            logits.extend_from_slice(&self.tape.logits);
        }
        logits
    }
}
