//! Shares of layers: exact for one layer, integrated gradients for more.

use super::{Attribution, POINTS};
use crate::Trainer;
use crate::one_hot::Bins;
use crate::product::{Matrix, product};

/// One layer on raw columns: `w (x - reference)`.
pub(super) fn linear(weights: &[f32], row: &[f32], reference: &[f32]) -> Attribution {
    let parts = weights.iter().zip(row).zip(reference);
    summed(parts.map(|((&w, &x), &r)| f64::from(w) * (f64::from(x) - f64::from(r))).collect())
}

/// One layer on public bins: the weight of the row's bin less that of the reference's.
pub(super) fn binned(bins: Bins, weights: &[f32], row: &[f32], reference: &[f32]) -> Attribution {
    let weight = |column: usize, value: f32| f64::from(weights[column * bins.width() + bins.of(value)]);
    let parts = row.iter().zip(reference).enumerate();
    summed(parts.map(|(column, (&x, &r))| weight(column, x) - weight(column, r)).collect())
}

fn summed(shares: Vec<f64>) -> Attribution {
    Attribution { difference: shares.iter().sum(), shares }
}

impl Trainer {
    /// Integrated gradients: the mean slope at the midpoints of equal pieces of the line, times the column's way along it.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Points of a line of f32.
    pub(super) fn along_the_line(&mut self, weights: &[f32], row: &[f32], reference: &[f32]) -> Attribution {
        let columns = self.columns();
        let way: Vec<f64> = row.iter().zip(reference).map(|(&x, &r)| f64::from(x) - f64::from(r)).collect();
        let mut line = Vec::with_capacity((POINTS + 2) * columns);
        line.extend_from_slice(reference);
        line.extend_from_slice(row);
        for point in 0..POINTS {
            let share = (point as f64 + 0.5) / POINTS as f64;
            line.extend(reference.iter().zip(&way).map(|(&r, way)| (f64::from(r) + share * way) as f32));
        }
        let Self { tape, shapes, .. } = self;
        tape.take(&line, POINTS + 2);
        tape.forward(shapes, weights);
        let difference = f64::from(tape.logits[1]) - f64::from(tape.logits[0]);
        let last = shapes.len() - 1;
        tape.deltas[last].clear();
        tape.deltas[last].resize(POINTS + 2, 1.0);
        tape.backward(shapes, weights);
        let first = shapes[0];
        let mut slopes = vec![0.0; (POINTS + 2) * columns];
        let deltas = Matrix::new(&tape.deltas[0], POINTS + 2, first.outputs);
        let turned = Matrix::new(&weights[first.offset..first.bias()], columns, first.outputs).transposed();
        product(&mut slopes, false, deltas, turned);
        let mut shares = vec![0.0; columns];
        for slopes in slopes.chunks_exact(columns).skip(2) {
            shares.iter_mut().zip(slopes).for_each(|(share, &slope)| *share += f64::from(slope));
        }
        shares.iter_mut().zip(&way).for_each(|(share, way)| *share *= way / POINTS as f64);
        Attribution { shares, difference }
    }
}
