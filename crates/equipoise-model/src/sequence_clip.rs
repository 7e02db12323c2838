//! The sum of clipped per-row gradients of a recurrent unit: every row's own gradient is formed, measured, scaled and added.
//!
//! A recurrent weight is used at every step, so a row's gradient is a sum of outer products and its norm is no product of norms as it is
//! for a linear layer (see `clip`). Forming it costs the multiplications of the plain gradient once more, in products as
//! small as one sequence is long, and needs memory for one gradient. Norms and sums are in `f64`, so the contribution of a row is within
//! the bound to the rounding of one last store.

use crate::clip::{LARGEST_NORM, scale_of, square_of};
use crate::gru::Layers;
use crate::maths::cross_entropy;
use crate::product::{Matrix, add_scaled, product};
use crate::sequence_network::READS_ROWS;
use crate::sequences::Sequences;
use crate::{ClipStats, LayerShape, ModelError, Trainer};
use equipoise_core::{ClipNorm, wide};

/// Sequences that go forward and back together.
const CLIP_SEQUENCES: usize = 64;

/// The inputs and deltas of one row, step after step.
#[derive(Debug, Default)]
struct Row {
    values: Vec<f32>,
    deltas: Vec<f32>,
}

impl Trainer {
    /// See [`Trainer::clipped_gradient_sum`].
    pub(crate) fn clipped_sequence_sum(
        &mut self,
        weights: &[f32],
        sequences: &Sequences<'_>,
        batch: &[u32],
        clip: ClipNorm,
        out: &mut [f32],
    ) -> Result<ClipStats, ModelError> {
        let Self { shapes, sequence, .. } = self;
        let worker = sequence.as_mut().ok_or(ModelError::Spec(READS_ROWS))?;
        worker.spec.check_clipping()?;
        let tape = &mut worker.tape;
        let (mut sum, mut own, mut row) =
            (vec![0.0_f64; out.len()], vec![0.0_f32; out.len()], Row::default());
        let mut stats =
            ClipStats { rows: u32::try_from(batch.len()).unwrap_or(u32::MAX), ..ClipStats::default() };
        for chunk in batch.chunks(CLIP_SEQUENCES) {
            let layers = Layers::of(shapes, weights);
            tape.forward(layers, &sequences.steps, chunk, None);
            tape.slopes.clear();
            tape.slopes.extend(chunk.iter().zip(&tape.logits).map(|(&row, &logit)| {
                sequences.weights[row as usize] * cross_entropy(logit, sequences.labels[row as usize]).1
            }));
            tape.deltas(layers);
            for place in 0..chunk.len() {
                tape.own_gradient(shapes, place, &mut row, &mut own);
                let square = wide(|| square_of(&own));
                // A NaN is no more within the range than what lies beyond it.
                if square <= LARGEST_NORM * LARGEST_NORM {
                    let scale = scale_of(square, clip, &mut stats);
                    let pairs = sum.iter_mut().zip(&own);
                    wide(|| pairs.for_each(|(sum, &slope)| *sum += scale * f64::from(slope)));
                } else {
                    stats.non_finite += 1;
                }
            }
        }
        #[allow(clippy::cast_possible_truncation)] // The sum is stored in f32.
        out.iter_mut().zip(&sum).for_each(|(out, &sum)| *out = sum as f32);
        Ok(stats)
    }
}

impl crate::gru::GruTape {
    /// The gradient of the row at `place` of the packed batch, in the flat layout.
    fn own_gradient(&self, shapes: &[LayerShape], place: usize, row: &mut Row, out: &mut [f32]) {
        let packed = &self.packed;
        let steps = packed.alive.partition_point(|&alive| alive > place);
        for (shape, values, deltas) in
            [(shapes[0], &packed.inputs, &self.input_deltas), (shapes[1], &self.states, &self.state_deltas)]
        {
            row.values.clear();
            row.deltas.clear();
            for start in &packed.starts[..steps] {
                let at = start + place;
                row.values.extend_from_slice(&values[at * shape.inputs..][..shape.inputs]);
                row.deltas.extend_from_slice(&deltas[at * shape.outputs..][..shape.outputs]);
            }
            let (weight, bias) = out[shape.offset..shape.end()].split_at_mut(shape.inputs * shape.outputs);
            let turned = Matrix::new(&row.values, steps, shape.inputs).transposed();
            product(weight, false, turned, Matrix::new(&row.deltas, steps, shape.outputs));
            bias.fill(0.0);
            row.deltas.chunks_exact(shape.outputs).for_each(|delta| add_scaled(bias, 1.0, delta));
        }
        let (weight, bias) = out[shapes[2].offset..].split_at_mut(shapes[2].inputs);
        bias[0] = self.slopes[packed.order[place] as usize];
        weight.fill(0.0);
        add_scaled(weight, bias[0], &self.last[place * shapes[2].inputs..][..shapes[2].inputs]);
    }
}
