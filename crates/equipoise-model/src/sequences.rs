//! The sequences that one client trains on: steps of different number a row, as codes of one public table.
//!
//! A step is a code and its features are a row of the table, so a client of thousands of events is held in two bytes an event and no
//! model ever sees padding: batches are packed by [`crate::packed`] or padded where burn asks for a rectangle, and the padding
//! is masked out of every number.

use crate::rows::length;
use crate::{ModelError, Rows};

/// Features of every kind of step: public, fixed, checked once.
#[derive(Clone, Debug, PartialEq)]
pub struct Codebook {
    columns: usize,
    values: Vec<f32>,
}

impl Codebook {
    /// A table `[codes, columns]`.
    ///
    /// # Errors
    /// If there is no column, a row is not whole, there are more than 65,536 codes, or a feature is not finite.
    pub fn new(columns: usize, values: Vec<f32>) -> Result<Self, ModelError> {
        if columns == 0 {
            return Err(ModelError::Spec("a step needs at least one feature column"));
        }
        length("the codebook", values.len() / columns * columns, values.len())?;
        if values.len() / columns > 1 + usize::from(u16::MAX) {
            return Err(ModelError::Spec("a codebook holds at most 65,536 codes"));
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => {
                let (row, got) = (at / columns, values[at]);
                Err(ModelError::Value { what: "a feature", row, range: "finite", got })
            }
            None => Ok(Self { columns, values }),
        }
    }

    /// Features a step.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// How many codes there are.
    #[must_use]
    pub const fn codes(&self) -> usize {
        self.values.len() / self.columns
    }

    /// The features of a code.
    pub(crate) fn step(&self, code: u16) -> &[f32] {
        &self.values[usize::from(code) * self.columns..][..self.columns]
    }
}

/// Features of sequences, oldest step first. A sequence may be empty.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// What a code means.
    pub codebook: &'a Codebook,
    /// Codes of all sequences, one sequence after another.
    pub codes: &'a [u16],
    /// One past the last code of each sequence.
    pub ends: &'a [u32],
}

impl<'a> Steps<'a> {
    /// How many sequences there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The codes of sequence `row`.
    #[must_use]
    pub fn sequence(&self, row: usize) -> &'a [u16] {
        let from = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.codes[from as usize..self.ends[row] as usize]
    }

    /// Checks that the ends ascend to the number of codes, that every code is in the table, and the table fits the model.
    pub(crate) fn check(&self, columns: usize) -> Result<(), ModelError> {
        length("a step", columns, self.codebook.columns)?;
        length("the codes", self.ends.last().map_or(0, |&end| end as usize), self.codes.len())?;
        if !self.ends.is_sorted() {
            return Err(ModelError::Spec("the ends of sequences must ascend"));
        }
        match self.codes.iter().find(|&&code| usize::from(code) >= self.codebook.codes()) {
            Some(&code) => Err(ModelError::Code { code, codes: self.codebook.codes() }),
            None => Ok(()),
        }
    }
}

/// Sequences of one client with labels and weights. Borrowed, as [`Rows`] are.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'a> {
    /// What is read.
    pub steps: Steps<'a>,
    /// Labels, `[rows]`, each in `[0, 1]`.
    pub labels: &'a [f32],
    /// Weight of each row's loss, `[rows]`, finite and not negative; 0 leaves the row out.
    pub weights: &'a [f32],
}

impl<'a> Sequences<'a> {
    /// Labels and weights as rows without features: what a loss reads.
    pub(crate) const fn outcomes(&self) -> Rows<'a> {
        Rows { columns: 0, values: &[], labels: self.labels, weights: self.weights }
    }

    /// Checks that the parts agree with each other and with a model over steps of `columns`.
    pub(crate) fn check(&self, columns: usize) -> Result<(), ModelError> {
        self.steps.check(columns)?;
        length("the labels", self.steps.len(), self.labels.len())?;
        length("the row weights", self.labels.len(), self.weights.len())?;
        self.outcomes().check_values()
    }
}

/// What a model trains on: rows, or sequences where the model reads those.
#[derive(Clone, Copy, Debug)]
pub enum Examples<'a> {
    /// One vector a row.
    Rows(Rows<'a>),
    /// One sequence a row.
    Sequences(Sequences<'a>),
}

impl<'a> From<&Rows<'a>> for Examples<'a> {
    fn from(rows: &Rows<'a>) -> Self {
        Self::Rows(*rows)
    }
}

impl<'a> From<&Sequences<'a>> for Examples<'a> {
    fn from(sequences: &Sequences<'a>) -> Self {
        Self::Sequences(*sequences)
    }
}

impl<'a> Examples<'a> {
    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.outcomes().len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Labels and weights, with or without features.
    pub(crate) const fn outcomes(&self) -> Rows<'a> {
        match self {
            Self::Rows(rows) => *rows,
            Self::Sequences(sequences) => sequences.outcomes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_outside_the_table_and_ends_that_disagree_are_named() {
        let codebook = Codebook::new(2, vec![0.0; 6]).unwrap();
        let check = |codes: &[u16], ends: &[u32]| {
            Steps { codebook: &codebook, codes, ends }.check(2).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[0, 2, 1], &[0, 2, 3]), Ok(()));
        assert!(check(&[0, 3], &[2]).unwrap_err().contains("code 3"));
        assert_eq!(check(&[0, 1], &[1]).unwrap_err(), "the codes must hold 1 numbers, got 2");
        assert!(check(&[0, 1], &[2, 1, 2]).unwrap_err().contains("ascend"));
        assert!(Steps { codebook: &codebook, codes: &[], ends: &[] }.check(3).is_err());
    }

    #[test]
    fn a_sequence_is_cut_by_the_ends() {
        let codebook = Codebook::new(1, vec![0.0; 9]).unwrap();
        let steps = Steps { codebook: &codebook, codes: &[5, 6, 7], ends: &[2, 2, 3] };
        assert_eq!([steps.sequence(0), steps.sequence(1), steps.sequence(2)], [&[5, 6][..], &[], &[7]]);
    }

    #[test]
    fn a_codebook_is_checked_once() {
        assert!(Codebook::new(0, vec![]).is_err());
        assert!(Codebook::new(2, vec![0.0; 3]).is_err());
        assert!(Codebook::new(1, vec![f32::NAN]).unwrap_err().to_string().starts_with("a feature of row 0"));
        assert!(Codebook::new(1, vec![0.0; 65_537]).is_err());
    }
}
