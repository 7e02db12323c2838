//! The rows that one client trains on: features, labels, weights, side by side.

use crate::ModelError;
use equipoise_core::all_finite;

/// Rows of one client. Borrowed, so that a worker never copies a client's data but batch by batch.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Features a row.
    pub columns: usize,
    /// Features, `[rows, columns]` row-major.
    pub values: &'a [f32],
    /// Labels, `[rows]`, each in `[0, 1]`.
    pub labels: &'a [f32],
    /// Weight of each row's loss, `[rows]`, finite and not negative; 0 leaves the row out.
    pub weights: &'a [f32],
}

impl<'a> Rows<'a> {
    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The features of row `index`.
    pub(crate) fn row(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }

    /// Checks that the slices agree with each other and with a model of `columns` features.
    pub(crate) fn check_lengths(&self, columns: usize) -> Result<(), ModelError> {
        length("a row", columns, self.columns)?;
        length("the features", self.len() * self.columns, self.values.len())?;
        length("the row weights", self.len(), self.weights.len())
    }

    /// Checks every number.
    pub(crate) fn check_values(&self) -> Result<(), ModelError> {
        let fail = |what, row, range, got| Err(ModelError::Value { what, row, range, got });
        if let Some(at) = not_finite(self.values) {
            return fail("a feature", at / self.columns, "finite", self.values[at]);
        }
        if let Some(row) = self.labels.iter().position(|label| !(0.0..=1.0).contains(label)) {
            return fail("the label", row, "between 0 and 1", self.labels[row]);
        }
        if let Some(row) = self.weights.iter().position(|&weight| !(weight >= 0.0 && weight.is_finite())) {
            return fail("the weight", row, "finite and not negative", self.weights[row]);
        }
        Ok(())
    }
}

/// Where the first number stands that is not finite.
pub(crate) fn not_finite(values: &[f32]) -> Option<usize> {
    if all_finite(values) { None } else { values.iter().position(|value| !value.is_finite()) }
}

/// Fails unless `got == expected`.
pub(crate) const fn length(what: &'static str, expected: usize, got: usize) -> Result<(), ModelError> {
    if expected == got { Ok(()) } else { Err(ModelError::Length { what, expected, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_disagree_are_named() {
        let rows = Rows { columns: 2, values: &[0.0; 3], labels: &[0.0; 2], weights: &[1.0; 2] };
        let error = rows.check_lengths(2).unwrap_err();
        assert_eq!(error.to_string(), "the features must hold 4 numbers, got 3");
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_found_wherever_it_stands() {
        for (length, at) in [(1, 0), (64, 63), (65, 64), (200, 130)] {
            let mut values = vec![1.0; length];
            assert_eq!(not_finite(&values), None);
            values[length - 1] = f32::NAN;
            values[at] = f32::NEG_INFINITY;
            assert_eq!(not_finite(&values), Some(at));
        }
    }

    #[test]
    fn a_broken_number_is_named_with_its_row() {
        let rows =
            Rows { columns: 2, values: &[0.0, 0.0, f32::NAN, 0.0], labels: &[0.0; 2], weights: &[1.0; 2] };
        assert!(rows.check_values().unwrap_err().to_string().starts_with("a feature of row 1 "));
        let rows = Rows { columns: 2, values: &[0.0; 4], labels: &[0.0, 1.5], weights: &[1.0; 2] };
        assert!(rows.check_values().unwrap_err().to_string().starts_with("the label of row 1 "));
        let rows = Rows { columns: 2, values: &[0.0; 4], labels: &[0.0; 2], weights: &[-1.0, 1.0] };
        assert!(rows.check_values().unwrap_err().to_string().starts_with("the weight of row 0 "));
    }
}
