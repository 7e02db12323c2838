//! The fused path: forward and backward passes written out by hand on flat slices, in buffers that a worker keeps. Nothing of
//! ours is allocated once the largest batch has been seen (a test counts).
//!
//! For a network of linear layers and ReLU, the gradient of a sum of losses by a layer's weight is `aᵀ δ`, with `a` the layer's
//! input `[rows, inputs]` and `δ` `[rows, outputs]` the derivative by its output. Keeping `a` and `δ` apart is what makes clipping
//! per row cheap (see `clip`), and no global lock is taken, so workers do not wait for each other (tracel-ai/burn#2729). The
//! reference is burn's automatic differentiation over `Network`.

use crate::LayerShape;
use crate::one_hot::OneHot;
use crate::product::{Matrix, add_scaled, dot, product};
use crate::rows::Rows;

/// What a forward pass leaves for the backward pass, and what that leaves for the gradient.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    rows: usize,
    /// Input of each layer, `[rows, inputs]`.
    pub(crate) inputs: Vec<Vec<f32>>,
    /// Logit of each row.
    pub(crate) logits: Vec<f32>,
    /// Derivative by each layer's output, `[rows, outputs]`.
    pub(crate) deltas: Vec<Vec<f32>>,
    /// Where the ones stand, if the only layer takes one-hot vectors; its input then holds the ones alone.
    one_hot: Option<OneHot>,
}

impl Tape {
    pub(crate) fn new(layers: usize, one_hot: Option<OneHot>) -> Self {
        let empty = || (0..layers).map(|_| Vec::new()).collect();
        Self { rows: 0, inputs: empty(), logits: Vec::new(), deltas: empty(), one_hot }
    }

    /// Takes the features of the rows in `batch`.
    pub(crate) fn gather(&mut self, rows: &Rows<'_>, batch: &[u32]) {
        self.rows = batch.len();
        self.inputs[0].clear();
        batch.iter().for_each(|&row| self.inputs[0].extend_from_slice(rows.row(row as usize)));
        if let Some(one_hot) = &mut self.one_hot {
            one_hot.take(&mut self.inputs[0]);
        }
    }

    /// Takes features `[*, columns]`, filled up with zeros to `rows`.
    pub(crate) fn pad(&mut self, values: &[f32], rows: usize, columns: usize) {
        self.rows = rows;
        self.inputs[0].clear();
        self.inputs[0].extend_from_slice(values);
        self.inputs[0].resize(rows * columns, 0.0);
        if let Some(one_hot) = &mut self.one_hot {
            one_hot.take(&mut self.inputs[0]);
        }
    }

    /// Runs the features forward through `weights`; leaves the logits.
    pub(crate) fn forward(&mut self, shapes: &[LayerShape], weights: &[f32]) {
        if let Some(one_hot) = &self.one_hot {
            return one_hot.forward(&self.inputs[0], weights, &mut self.logits);
        }
        let last = shapes.len() - 1;
        for (index, shape) in shapes.iter().enumerate() {
            let (weight, bias) = (&weights[shape.offset..shape.bias()], &weights[shape.bias()..shape.end()]);
            let (before, after) = self.inputs.split_at_mut(index + 1);
            let input = &before[index];
            let out = if index == last { &mut self.logits } else { &mut after[0] };
            out.clear();
            if shape.outputs == 1 {
                out.extend(input.chunks_exact(shape.inputs).map(|row| dot(row, weight) + bias[0]));
            } else {
                (0..self.rows).for_each(|_| out.extend_from_slice(bias));
                let (rows, inputs, outputs) = (self.rows, shape.inputs, shape.outputs);
                product(out, true, Matrix::new(input, rows, inputs), Matrix::new(weight, inputs, outputs));
            }
            if index != last {
                out.iter_mut().for_each(|value| *value = value.max(0.0));
            }
        }
    }

    /// The derivatives by each layer's output, from those by the logit, which stand in the last of [`Tape::deltas`].
    pub(crate) fn backward(&mut self, shapes: &[LayerShape], weights: &[f32]) {
        for index in (1..shapes.len()).rev() {
            let shape = shapes[index];
            let weight = &weights[shape.offset..shape.bias()];
            let (before, after) = self.deltas.split_at_mut(index);
            let (delta, out) = (&after[0], &mut before[index - 1]);
            out.clear();
            out.resize(self.rows * shape.inputs, 0.0);
            if shape.outputs == 1 {
                let rows = out.chunks_exact_mut(shape.inputs).zip(delta);
                rows.for_each(|(out, delta)| add_scaled(out, *delta, weight));
            } else {
                let (rows, inputs, outputs) = (self.rows, shape.inputs, shape.outputs);
                let turned = Matrix::new(weight, inputs, outputs).transposed();
                product(out, false, Matrix::new(delta, rows, outputs), turned);
            }
            // The input of layer `index` is a ReLU's output: where it is zero, nothing goes back.
            for (out, input) in out.iter_mut().zip(&self.inputs[index]) {
                *out = if *input > 0.0 { *out } else { 0.0 };
            }
        }
    }

    /// Writes the gradient of the sum over rows in the flat layout.
    pub(crate) fn gradient(&self, shapes: &[LayerShape], out: &mut [f32]) {
        if let Some(one_hot) = &self.one_hot {
            return one_hot.gradient(&self.inputs[0], &self.deltas[0], out);
        }
        for ((input, delta), shape) in self.inputs.iter().zip(&self.deltas).zip(shapes) {
            let (weight, bias) = out[shape.offset..shape.end()].split_at_mut(shape.inputs * shape.outputs);
            bias.fill(0.0);
            delta.chunks_exact(shape.outputs).for_each(|delta| add_scaled(bias, 1.0, delta));
            if shape.outputs == 1 {
                weight.fill(0.0);
                let rows = input.chunks_exact(shape.inputs).zip(delta);
                rows.for_each(|(input, delta)| add_scaled(weight, *delta, input));
            } else {
                let turned = Matrix::new(input, self.rows, shape.inputs).transposed();
                product(weight, false, turned, Matrix::new(delta, self.rows, shape.outputs));
            }
        }
    }
}
