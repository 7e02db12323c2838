//! Sums of gradients a bin: all that a tree ever asks of the rows, and all that a platform would have to send.
//!
//! Words are integers ([`Scale`](super::Scale)), so a histogram is the same for any order of rows, any number of threads and
//! any division among platforms, and the sibling of a child is exactly the parent less the child.

use super::bins::{Binned, Binner, LANES};
use super::gradient::Gradients;
use crate::ModelError;
use crate::rows::length;
use std::ops::{AddAssign, Sub};

/// Words a slot: gradient, hessian, rows.
pub(super) const WORDS: usize = 3;
/// Rows that are added before the packed sums are unpacked: their hessians, 2^26 at most, stay below 2^43.
const CHUNK: usize = 1 << 17;
/// Where the count of rows stands above the packed sum of hessians.
const COUNT: u32 = 44;

/// Sums over some rows, by column and bin: `[slots, 3]`, see [`Histogram::words`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    words: Vec<i64>,
}

/// Sums over some rows: gradient and hessian in units of the scale, and the number of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Sum of gradients.
    pub gradient: i64,
    /// Sum of hessians.
    pub hessian: i64,
    /// Rows.
    pub count: i64,
}

impl Totals {
    pub(super) const fn read(words: &[i64]) -> Self {
        Self { gradient: words[0], hessian: words[1], count: words[2] }
    }

    pub(super) fn sum(slots: &[i64]) -> Self {
        let mut sum = Self::default();
        slots.chunks_exact(WORDS).for_each(|words| sum += Self::read(words));
        sum
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.hessian += other.hessian;
        self.count += other.count;
    }
}

impl Sub for Totals {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            hessian: self.hessian - other.hessian,
            count: self.count - other.count,
        }
    }
}

impl Histogram {
    /// No rows yet.
    #[must_use]
    pub fn zeros(binner: &Binner) -> Self {
        Self { words: vec![0; binner.slot(binner.columns()) * WORDS] }
    }

    /// Takes words that were summed elsewhere.
    ///
    /// # Errors
    /// If there are not as many as `binner` has slots, times three.
    pub fn from_words(binner: &Binner, words: Vec<i64>) -> Result<Self, ModelError> {
        length("the histogram", binner.slot(binner.columns()) * WORDS, words.len())?;
        Ok(Self { words })
    }

    /// For each column, each of its bins from the lowest, then its missing values: gradient, hessian, rows.
    #[must_use]
    pub fn words(&self) -> &[i64] {
        &self.words
    }

    /// Adds the rows named.
    ///
    /// # Panics
    /// If a row does not exist, or `binned` and `gradients` are not of the same rows as `binner`.
    pub fn accumulate(&mut self, binner: &Binner, binned: &Binned, gradients: &Gradients, rows: &[u32]) {
        assert_eq!(binned.len(), gradients.pairs.len(), "one gradient a row");
        for (block, words) in self.blocks_mut(binner).into_iter().enumerate() {
            let mut at = 0;
            sum_block(binner, block, binned.block(block), &gradients.pairs, rows, |slot| {
                words[at..at + WORDS].iter_mut().zip(slot).for_each(|(word, new)| *word += new);
                at += WORDS;
            });
        }
    }

    /// Adds the rows of another platform, or of another part of the rows.
    ///
    /// # Panics
    /// If the two do not have the same slots.
    pub fn add(&mut self, other: &Self) {
        assert_eq!(self.words.len(), other.words.len(), "histograms of one binner");
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word += other);
    }

    /// Takes away the rows of a child: what is left is its sibling.
    ///
    /// # Panics
    /// If the two do not have the same slots.
    pub fn subtract(&mut self, child: &Self) {
        assert_eq!(self.words.len(), child.words.len(), "histograms of one binner");
        self.words.iter_mut().zip(&child.words).for_each(|(word, child)| *word -= child);
    }

    /// The words of `column`.
    pub(super) fn column(&self, binner: &Binner, column: usize) -> &[i64] {
        &self.words[binner.slot(column) * WORDS..binner.slot(column + 1) * WORDS]
    }

    /// The words of each block of columns.
    pub(super) fn blocks_mut(&mut self, binner: &Binner) -> Vec<&mut [i64]> {
        let mut rest = self.words.as_mut_slice();
        (0..binner.blocks())
            .map(|block| {
                let columns = binner.block(block);
                let slots = binner.slot(columns.end) - binner.slot(columns.start);
                rest.split_off_mut(..slots * WORDS).expect("the slots of all blocks are the histogram")
            })
            .collect()
    }
}

/// Sums of one block: for each lane 256 bins of a gradient and, packed into one word, a count above a hessian. 32 KiB, so
/// that it stays in the first cache while the rows stream past; two words, so that a bin is one 16-byte addition.
type Packed = [[i64; 2]; LANES * 256];

/// Sums `rows` over the columns of `block` and hands each slot's words to `take`, in the order of the histogram.
pub(super) fn sum_block(
    binner: &Binner,
    block: usize,
    cells: &[[u8; LANES]],
    pairs: &[[i32; 2]],
    rows: &[u32],
    mut take: impl FnMut([i64; WORDS]),
) {
    let mut packed: Packed = [[0; 2]; LANES * 256];
    let columns = binner.block(block);
    if rows.len() <= CHUNK {
        add_rows(columns.len(), &mut packed, cells, pairs, rows);
        each_slot(binner, columns, |at| take(unpack(packed[at])));
        return;
    }
    // Only a large table comes here; its sums outgrow the packed form.
    let mut wide = vec![[0; WORDS]; packed.len()];
    for rows in rows.chunks(CHUNK) {
        add_rows(columns.len(), &mut packed, cells, pairs, rows);
        for (wide, packed) in wide.iter_mut().zip(&mut packed) {
            wide.iter_mut().zip(unpack(std::mem::take(packed))).for_each(|(wide, new)| *wide += new);
        }
    }
    each_slot(binner, columns, |at| take(wide[at]));
}

/// Calls `take` with the place of each slot of `columns` inside a block's sums.
fn each_slot(binner: &Binner, columns: std::ops::Range<usize>, mut take: impl FnMut(usize)) {
    for (lane, column) in columns.enumerate() {
        (0..=usize::from(binner.missing(column))).for_each(|bin| take(lane * 256 + bin));
    }
}

const fn unpack([gradient, packed]: [i64; 2]) -> [i64; WORDS] {
    [gradient, packed & ((1 << COUNT) - 1), packed >> COUNT]
}

/// A constant number of lanes lets the compiler unroll them.
fn add_rows(lanes: usize, packed: &mut Packed, cells: &[[u8; LANES]], pairs: &[[i32; 2]], rows: &[u32]) {
    match lanes {
        1 => add_lanes::<1>(packed, cells, pairs, rows),
        2 => add_lanes::<2>(packed, cells, pairs, rows),
        3 => add_lanes::<3>(packed, cells, pairs, rows),
        4 => add_lanes::<4>(packed, cells, pairs, rows),
        5 => add_lanes::<5>(packed, cells, pairs, rows),
        6 => add_lanes::<6>(packed, cells, pairs, rows),
        7 => add_lanes::<7>(packed, cells, pairs, rows),
        _ => add_lanes::<LANES>(packed, cells, pairs, rows),
    }
}

fn add_lanes<const N: usize>(packed: &mut Packed, cells: &[[u8; LANES]], pairs: &[[i32; 2]], rows: &[u32]) {
    for &row in rows {
        let (cell, [gradient, hessian]) = (cells[row as usize], pairs[row as usize]);
        let (gradient, hessian) = (i64::from(gradient), i64::from(hessian) + (1 << COUNT));
        for lane in 0..N {
            let slot = &mut packed[lane * 256 + usize::from(cell[lane])];
            slot[0] += gradient;
            slot[1] += hessian;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rows;
    use crate::boosted::Scale;

    /// 140,000 rows at p = 1/2 and weight 1, label 0 where the value is 1: the largest hessian there is, 2^26 units, in more rows
    /// than one packed sum holds.
    #[test]
    fn a_large_table_does_not_overflow_the_packed_sums() {
        let n: u16 = 35_000;
        let (values, labels) = (vec![1.0, 1.0, 1.0, 2.0], vec![0.0, 0.0, 0.0, 1.0]);
        let (values, labels) = (values.repeat(n.into()), labels.repeat(n.into()));
        let rows = Rows { columns: 1, values: &values, labels: &labels, weights: &vec![1.0; labels.len()] };
        let scale = Scale::for_weights_up_to(1.0).unwrap();
        let gradients = Gradients::at(&vec![0.0; labels.len()], &rows, scale);
        let binner = Binner::from_edges(&[vec![1.5]]).unwrap();
        let mut histogram = Histogram::zeros(&binner);
        let all: Vec<u32> = (0..4 * u32::from(n)).collect();
        histogram.accumulate(&binner, &binner.encode(&values).unwrap(), &gradients, &all);
        let n = i64::from(n);
        let by_hand = [[(3 * n) << 29, (3 * n) << 26, 3 * n], [-n << 29, n << 26, n], [0; 3]];
        assert_eq!(histogram.words(), by_hand.as_flattened());
    }
}
