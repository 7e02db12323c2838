//! Columns of numbers as columns of bytes: the cuts, and the binned rows.
//!
//! A value `x` lies in bin `b` where `b` edges lie below it, so that "at most bin b" is "at most edge b" and a finished
//! tree needs no bins.

use super::edges::column_edges;
use super::spec::Binning;
use crate::rows::length;
use crate::{ModelError, Rows};
use rayon::prelude::*;

/// Columns whose bins lie side by side: one 8-byte load a row.
pub(super) const LANES: usize = 8;

/// The edges between the bins of each column.
#[derive(Clone, PartialEq, Debug)]
pub struct Binner {
    edges: Vec<f32>,
    /// Where each column's edges start, and one past the last: `[columns + 1]`.
    starts: Vec<usize>,
}

/// Rows whose values are bins: blocks of eight columns, inside a block row by row.
#[derive(Clone, Debug)]
pub struct Binned {
    rows: usize,
    cells: Vec<[u8; LANES]>,
    /// Whether a column has a missing value.
    missing: Vec<bool>,
}

impl Binner {
    /// Cuts the columns of `rows`. A value that is not a number is missing; it cuts nothing, nor does a row of weight 0.
    ///
    /// # Errors
    /// If there is no column or more than 65,535, the lengths do not fit, a value is infinite, a weight is negative or not
    /// finite, or the number of bins is out of range.
    pub fn fit(rows: &Rows<'_>, binning: Binning) -> Result<Self, ModelError> {
        binning.check()?;
        let n = check_values(rows.values, rows.columns)?;
        length("the row weights", n, rows.weights.len())?;
        Rows { columns: 1, values: &[], labels: &[], ..*rows }.check_values()?;
        let edges: Vec<Vec<f32>> =
            (0..rows.columns).into_par_iter().map(|column| column_edges(rows, column, binning)).collect();
        Self::from_edges(&edges)
    }

    /// Takes edges that were agreed on elsewhere, one list a column, each finite, strictly rising and at most 254 long.
    ///
    /// # Errors
    /// If they are not.
    pub fn from_edges(columns: &[Vec<f32>]) -> Result<Self, ModelError> {
        check_columns(columns.len())?;
        let mut binner = Self { edges: Vec::new(), starts: vec![0] };
        for edges in columns {
            let rising = edges.windows(2).all(|pair| pair[0] < pair[1]);
            if edges.len() > 254 || !rising || edges.iter().any(|edge| !edge.is_finite()) {
                return Err(ModelError::Spec(
                    "the edges of a column must be finite, strictly rising and at most 254",
                ));
            }
            binner.edges.extend_from_slice(edges);
            binner.starts.push(binner.edges.len());
        }
        Ok(binner)
    }

    /// Columns a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.starts.len() - 1
    }

    /// The edges of `column`; its bins are one more.
    #[must_use]
    pub fn edges(&self, column: usize) -> &[f32] {
        &self.edges[self.starts[column]..self.starts[column + 1]]
    }

    /// The first histogram slot of `column`, or the number of all slots where `column` is [`Binner::columns`]. A column
    /// has a slot a bin and one more, the last, for missing values.
    pub(super) fn slot(&self, column: usize) -> usize {
        self.starts[column] + 2 * column
    }

    /// The bin of missing values of `column`: one past the others.
    #[allow(clippy::cast_possible_truncation)] // At most 254 edges.
    pub(super) fn missing(&self, column: usize) -> u8 {
        (self.starts[column + 1] - self.starts[column] + 1) as u8
    }

    /// The largest value of `bin`, for the threshold of a split; above the last edge all finite numbers.
    pub(super) fn upper(&self, column: usize, bin: u8) -> f32 {
        self.edges(column).get(usize::from(bin)).copied().unwrap_or(f32::MAX)
    }

    /// Blocks of eight columns, the last perhaps smaller.
    pub(super) fn blocks(&self) -> usize {
        self.columns().div_ceil(LANES)
    }

    /// The columns of `block`.
    pub(super) fn block(&self, block: usize) -> std::ops::Range<usize> {
        block * LANES..self.columns().min((block + 1) * LANES)
    }

    #[allow(clippy::cast_possible_truncation)] // At most 254 edges.
    fn bin(&self, column: usize, value: f32) -> u8 {
        if value.is_nan() {
            return self.missing(column);
        }
        self.edges(column).partition_point(|&edge| edge < value) as u8
    }

    /// Puts rows `values` `[rows, columns]` into their bins.
    ///
    /// # Errors
    /// If the length does not fit or a value is infinite.
    pub fn encode(&self, values: &[f32]) -> Result<Binned, ModelError> {
        let columns = self.columns();
        let rows = check_values(values, columns)?;
        let mut cells = vec![[0; LANES]; rows * self.blocks()];
        cells.par_chunks_mut(rows.max(1)).enumerate().for_each(|(block, cells)| {
            let range = self.block(block);
            for (cell, row) in cells.iter_mut().zip(values.chunks_exact(columns)) {
                for (bin, column) in cell.iter_mut().zip(range.clone()) {
                    *bin = self.bin(column, row[column]);
                }
            }
        });
        let missing = (0..columns).map(|column| {
            let (lane, missing) = (column % LANES, self.missing(column));
            let block = &cells[column / LANES * rows..][..rows];
            block.iter().any(|cell| cell[lane] == missing)
        });
        Ok(Binned { rows, missing: missing.collect(), cells })
    }
}

impl Binned {
    /// Number of rows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether `column` has a missing value.
    pub(super) fn any_missing(&self, column: usize) -> bool {
        self.missing[column]
    }

    /// The rows of one block of columns.
    pub(super) fn block(&self, block: usize) -> &[[u8; LANES]] {
        &self.cells[block * self.rows..(block + 1) * self.rows]
    }
}

/// The number of rows, once every length and value is checked.
pub(super) fn check_values(values: &[f32], columns: usize) -> Result<usize, ModelError> {
    check_columns(columns)?;
    let rows = values.len() / columns;
    length("the features", rows * columns, values.len())?;
    if u32::try_from(rows).is_err() {
        return Err(ModelError::Spec("boosted trees index rows by 32 bits; give fewer than 2^32"));
    }
    match values.iter().position(|value| value.is_infinite()) {
        None => Ok(rows),
        Some(at) => Err(ModelError::Value {
            what: "a feature",
            row: at / columns,
            range: "finite or missing",
            got: values[at],
        }),
    }
}

fn check_columns(columns: usize) -> Result<(), ModelError> {
    if (1..=usize::from(u16::MAX)).contains(&columns) {
        return Ok(());
    }
    Err(ModelError::Spec("boosted trees need between 1 and 65,535 feature columns"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f32 = f32::NAN;

    fn fit(values: &[f32], weights: &[f32], binning: Binning) -> Binner {
        Binner::fit(&Rows { columns: 1, values, labels: &[], weights }, binning).unwrap()
    }

    fn quantile(values: &[f32], bins: u8) -> Binner {
        fit(values, &vec![1.0; values.len()], Binning::Quantile { bins })
    }

    #[test]
    fn few_distinct_values_are_cut_in_the_middle() {
        assert_eq!(quantile(&[3.0, 1.0, NAN, 1.0, 2.0], 255).edges(0), &[1.5, 2.5]);
        assert_eq!(quantile(&[7.0, 7.0, NAN], 255).edges(0), &[] as &[f32]);
        assert_eq!(quantile(&[NAN], 255).edges(0), &[] as &[f32]);
    }

    /// A third of the six rows is 0 and 1, two thirds end at 3: each step meets a row's end and takes the middle to the next.
    /// A fourth of the five rows ends inside the second, a half inside the third.
    #[test]
    fn many_values_are_cut_at_quantiles() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(quantile(&values, 3).edges(0), &[1.5, 3.5]);
        assert_eq!(quantile(&values[..5], 4).edges(0), &[1.0, 2.0, 3.0]);
        // A heavy value takes several steps and leaves one edge; nothing lies above 9, so no edge is there.
        assert_eq!(quantile(&[0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 9.0, 9.0, 9.0], 3).edges(0), &[1.0, 5.5]);
    }

    #[test]
    fn a_weight_of_two_cuts_as_two_rows_and_a_weight_of_none_as_no_row() {
        let quantile = Binning::Quantile { bins: 4 };
        let weighted = fit(&[5.0, 1.0, 2.0, 3.0, 4.0, -9.0], &[1.0, 2.0, 1.0, 1.0, 2.0, 0.0], quantile);
        let copies = fit(&[1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 5.0], &[1.0; 7], quantile);
        assert_eq!(weighted, copies);
    }

    #[test]
    fn neighbouring_floats_stay_apart() {
        let (low, high) = (1.0_f32, 1.0_f32.next_up());
        let binner = quantile(&[low, high], 255);
        assert_eq!((binner.bin(0, low), binner.bin(0, high)), (0, 1));
    }

    #[test]
    fn equal_widths_look_at_the_ends_only() {
        let binner = fit(&[0.0, 0.1, 0.2, 8.0], &[1.0; 4], Binning::UniformWidth { bins: 4 });
        assert_eq!(binner.edges(0), &[2.0, 4.0, 6.0]);
    }

    #[test]
    fn a_value_lies_at_or_below_the_edge_of_its_bin() {
        let binner = Binner::from_edges(&[vec![1.5, 2.5], vec![]]).unwrap();
        let binned = binner.encode(&[1.5, 0.0, 1.6, NAN, 99.0, 5.0, NAN, 0.0]).unwrap();
        let cells: Vec<[u8; 2]> = binned.block(0).iter().map(|cell| [cell[0], cell[1]]).collect();
        assert_eq!(cells, [[0, 0], [1, 1], [2, 0], [3, 0]]);
        assert_eq!((binner.slot(0), binner.slot(1), binner.slot(2)), (0, 4, 6));
        assert!((binner.upper(0, 1) - 2.5).abs() < f32::EPSILON && binner.upper(0, 2) >= f32::MAX);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let fit = |columns, values| {
            let rows = Rows { columns, values, labels: &[], weights: &[1.0; 2] };
            Binner::fit(&rows, Binning::Quantile { bins: 9 })
        };
        assert!(fit(0, &[]).is_err() && fit(2, &[0.0; 3]).is_err() && fit(1, &[0.0; 3]).is_err());
        let error = fit(1, &[0.0, f32::INFINITY]).unwrap_err();
        assert_eq!(error.to_string(), "a feature of row 1 must be finite or missing, got inf");
        assert!(Binner::from_edges(&[vec![1.0, 1.0]]).is_err());
        assert!(Binner::from_edges(&[vec![0.0; 255]]).is_err());
    }
}
