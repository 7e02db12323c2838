//! The sum of clipped per-row gradients, for differential privacy per row (Abadi et al., CCS 2016).
//!
//! Ghost clipping (Lee and Kifer, PoPETs 2021; Li et al., ICLR 2022): the gradient of a row by a linear layer is the outer
//! product of its input `a` and its delta `δ`, so its squared norm is `|δ|² (|a|² + 1)`, bias included, and no gradient of
//! a single row is ever formed. Exact for linear layers, each used once a row; a recurrent layer has its own rule (`sequence_clip`).
//!
//! **Not promised here**: noise, sampling or an epsilon. One row is the unit: an account with several rows needs them
//! bounded before. The norms and counts are raw data and stay on the platform.

use crate::fused::Tape;
use crate::maths::cross_entropy;
use crate::product::{Wide, widest};
use crate::rows::length;
use crate::{Examples, LayerShape, ModelError, Rows, Trainer};
use equipoise_core::{ClipNorm, wide};

/// Rows that are worked on together: enough to fill a matrix product, few enough that `f32` sums stay sharp.
const CLIP_ROWS: usize = 128;

/// Beyond this norm of a layer's input or of a gradient, `f32` products could leave their range: such a row counts as
/// non-finite.
pub(crate) const LARGEST_NORM: f64 = 1e15;

/// What clipping did to a batch. Not protected: it must not leave the platform without noise of its own.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ClipStats {
    /// Rows of the batch.
    pub rows: u32,
    /// Rows whose gradient was longer than the bound.
    pub clipped: u32,
    /// Rows whose gradient was not finite (or beyond 1e15); they contribute nothing.
    pub non_finite: u32,
    /// The longest finite gradient, before clipping.
    pub largest_norm: f64,
}

/// The most by which rounding can move the L2 norm of a clipped sum of `rows` rows, as a multiple of the clip norm.
///
/// Each row's contribution is at most `C (1 + 1e-6)` long; their sum is rounded as well, and that rounding depends on all
/// rows. A sensitivity that must hold in floating point is `C (1 + 1e-6 + 2 · slack)`. The bound is a worst case (`n u` with
/// `u = 2⁻²⁴` over blocks of 128 rows, `f64` between them, one rounding at the end), linear in `rows`: 0.002 at 256.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn rounding_slack(rows: usize) -> f64 {
    let unit = 1.0 / f64::from(1_u32 << 24);
    let block = rows.min(CLIP_ROWS) as f64 * unit;
    rows as f64 * (block / (1.0 - block) + 2.0 * unit)
}

impl Trainer {
    /// Writes `Σ gᵢ · min(1, C / |gᵢ|)` over the rows in `batch` to `out`, `gᵢ` the gradient of the weighted cross-entropy of
    /// row `i` (a sum, no mean). An empty batch gives zeros. A row named twice counts twice.
    ///
    /// # Guarantee
    /// Adding or removing one row moves the exact sum by at most `C (1 + 1e-6)`; see [`rounding_slack`] for the sum that is
    /// stored in `f32`. A row whose gradient is not finite contributes nothing, so neighbours stay within the bound.
    ///
    /// # Errors
    /// If lengths do not fit, the batch names a row that does not exist, or the model has no gradient of a single row
    /// ([`ModelSpec::check_clipping`](crate::ModelSpec::check_clipping)).
    #[allow(clippy::cast_possible_truncation)] // A batch has fewer than 2^32 rows; the sum is stored in f32.
    pub fn clipped_gradient_sum<'a>(
        &mut self,
        weights: &[f32],
        rows: impl Into<Examples<'a>>,
        batch: &[u32],
        clip: ClipNorm,
        out: &mut [f32],
    ) -> Result<ClipStats, ModelError> {
        let examples = rows.into();
        length("the gradient sum", self.parameters(), out.len())?;
        if let Examples::Sequences(sequences) = &examples {
            self.check_examples(weights, &examples)?;
            if let Some(&row) = batch.iter().find(|&&row| row as usize >= examples.len()) {
                return Err(ModelError::Row { row: row as usize, rows: examples.len() });
            }
            return self.clipped_sequence_sum(weights, sequences, batch, clip, out);
        }
        let rows = &examples.outcomes();
        self.check(weights, rows)?;
        if let Some(&row) = batch.iter().find(|&&row| row as usize >= rows.len()) {
            return Err(ModelError::Row { row: row as usize, rows: rows.len() });
        }
        let layers = (self.shapes.as_slice(), weights);
        let mut stats = ClipStats { rows: batch.len() as u32, ..ClipStats::default() };
        let sum = &mut self.sum;
        let chunks = batch.len().div_ceil(CLIP_ROWS);
        for (at, chunk) in batch.chunks(CLIP_ROWS).enumerate() {
            chunk_sum(&mut self.tape, layers, rows, chunk, clip, &mut stats, out);
            // Between blocks in `f64`; the first block is the sum so far, and the last is stored as it is added.
            match (at == 0, at + 1 == chunks) {
                (true, true) => {}
                (true, false) => {
                    sum.resize(out.len(), 0.0);
                    wide(|| sum.iter_mut().zip(out.iter()).for_each(|(sum, part)| *sum = f64::from(*part)));
                }
                (false, false) => {
                    wide(|| sum.iter_mut().zip(out.iter()).for_each(|(sum, part)| *sum += f64::from(*part)));
                }
                (false, true) => wide(|| {
                    out.iter_mut().zip(&*sum).for_each(|(out, sum)| *out = (sum + f64::from(*out)) as f32);
                }),
            }
        }
        if batch.is_empty() {
            out.fill(0.0);
        }
        Ok(stats)
    }
}

/// Writes one chunk's clipped sum to `out`.
fn chunk_sum(
    tape: &mut Tape,
    (shapes, weights): (&[LayerShape], &[f32]),
    rows: &Rows<'_>,
    chunk: &[u32],
    clip: ClipNorm,
    stats: &mut ClipStats,
    out: &mut [f32],
) {
    if chunk.is_empty() {
        return out.fill(0.0);
    }
    tape.gather(rows, chunk);
    tape.forward(shapes, weights);
    let slope = |(&row, &logit): (&u32, &f32)| {
        rows.weights[row as usize] * cross_entropy(logit, rows.labels[row as usize]).1
    };
    let slopes = tape.deltas.last_mut().expect("a model has a layer");
    slopes.clear();
    slopes.extend(chunk.iter().zip(&tape.logits).map(slope));
    tape.backward(shapes, weights);
    let mut squares = [0.0_f64; CLIP_ROWS];
    let squares = &mut squares[..chunk.len()];
    for (input, delta) in tape.inputs.iter().zip(&tape.deltas) {
        add_squares(input, delta, squares);
    }
    if squares.iter().any(|square| !square.is_finite()) {
        // Zero times infinity is not zero, so a broken row has to leave the matrix, not just be scaled away.
        let finite = chunk.iter().zip(&*squares).filter(|(_, square)| square.is_finite());
        let kept: Vec<u32> = finite.map(|(&row, _)| row).collect();
        stats.non_finite += u32::try_from(chunk.len() - kept.len()).unwrap_or(u32::MAX);
        return chunk_sum(tape, (shapes, weights), rows, &kept, clip, stats, out);
    }
    scales(squares, clip, stats);
    tape.deltas.iter_mut().for_each(|delta| scale_rows(delta, squares));
    tape.gradient(shapes, out);
}

/// Adds `|δ|² (|a|² + 1)` of one layer to each row's square; infinite where the layer's numbers leave their range.
fn add_squares(input: &[f32], delta: &[f32], squares: &mut [f64]) {
    widest(Squares { input, delta, squares });
}

/// The loop of [`add_squares`]: long enough that a closure of it is left a function of its own, without the wide registers.
struct Squares<'a> {
    input: &'a [f32],
    delta: &'a [f32],
    squares: &'a mut [f64],
}

impl Wide for Squares<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { input, delta, squares } = self;
        let (inputs, outputs) = (input.len() / squares.len(), delta.len() / squares.len());
        let limit = LARGEST_NORM * LARGEST_NORM;
        for ((square, a), delta) in squares.iter_mut().zip(input.chunks(inputs)).zip(delta.chunks(outputs)) {
            let (a, delta) = (square_of(a), square_of(delta));
            *square += delta * (a + 1.0);
            // Written so that a NaN fails it too.
            if !(a <= limit && delta <= limit && *square <= limit) {
                *square = f64::INFINITY;
            }
        }
    }
}

/// Sums that a squared norm is kept in: one chain of additions would wait for each of them.
const LANES: usize = 16;

/// The squared norm, in sums side by side; the same bytes at every width.
#[inline(always)]
pub(crate) fn square_of(values: &[f32]) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0_f64; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            let value = f64::from(value);
            *lane += value * value;
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += f64::from(value) * f64::from(value);
    }
    lanes.iter().sum()
}

/// Turns each row's square into the factor that brings the row within the bound.
fn scales(squares: &mut [f64], clip: ClipNorm, stats: &mut ClipStats) {
    for square in squares {
        *square = scale_of(*square, clip, stats);
    }
}

/// The same for one row.
pub(crate) fn scale_of(square: f64, clip: ClipNorm, stats: &mut ClipStats) -> f64 {
    let norm = libm::sqrt(square);
    stats.largest_norm = stats.largest_norm.max(norm);
    if norm > clip.get() {
        stats.clipped += 1;
        clip.get() / norm
    } else {
        1.0
    }
}

/// Each row of `delta` times its factor.
#[allow(clippy::cast_possible_truncation)] // Rounded once, in the last step.
fn scale_rows(delta: &mut [f32], scales: &[f64]) {
    let outputs = delta.len() / scales.len();
    wide(|| {
        for (row, &scale) in delta.chunks_mut(outputs).zip(scales) {
            row.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_norm_of_an_outer_product_is_worked_by_hand() {
        // a = (3, 4), δ = (1, 2): weights 5² · 5, bias 5, together 130.
        let mut squares = [0.0];
        add_squares(&[3.0, 4.0], &[1.0, 2.0], &mut squares);
        assert!((squares[0] - 130.0).abs() < 1e-12);
    }

    #[test]
    fn numbers_out_of_range_make_a_row_infinite_not_its_neighbour() {
        let mut squares = [0.0; 4];
        add_squares(&[1.0, f32::NAN, 1.0, 1e16], &[1.0, 1.0, f32::INFINITY, 0.0], &mut squares);
        assert!((squares[0] - 2.0).abs() < 1e-12);
        assert!(squares[1..].iter().all(|square| square.is_infinite()));
    }

    #[test]
    fn rounding_slack_is_small_and_grows_with_the_batch() {
        assert!(rounding_slack(0) < 1e-12);
        assert!(rounding_slack(256) > rounding_slack(255) && rounding_slack(256) < 0.0021);
    }
}
