//! The fused path: forward and backward passes written out by hand on flat slices, in buffers that a worker keeps. Nothing of
//! ours is allocated once the largest batch has been seen (a test counts).
//!
//! For a network of linear layers and ReLU, the gradient of a sum of losses by a layer's weight is `aᵀ δ`, with `a` the layer's
//! input `[rows, inputs]` and `δ` `[rows, outputs]` the derivative by its output. Keeping `a` and `δ` apart is what makes clipping
//! per row cheap (see `clip`), and no global lock is taken, so workers do not wait for each other (tracel-ai/burn#2729). The
//! reference is burn's automatic differentiation over `Network`.

use crate::LayerShape;
use crate::one_hot::OneHot;
use crate::product::{Finish, Matrix, Start, dot, product_with};
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

    /// Takes the features of `rows` rows.
    pub(crate) fn take(&mut self, values: &[f32], rows: usize) {
        self.rows = rows;
        self.inputs[0].clear();
        self.inputs[0].extend_from_slice(values);
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
            if index == last {
                // One output: as many inner products as rows.
                self.logits.clear();
                self.logits.extend(input.chunks_exact(shape.inputs).map(|row| dot(row, weight) + bias[0]));
            } else {
                let (rows, inputs, outputs) = (self.rows, shape.inputs, shape.outputs);
                let out = sized(&mut after[0], rows * outputs);
                let (input, weight) =
                    (Matrix::new(input, rows, inputs), Matrix::new(weight, inputs, outputs));
                product_with(out, Start::Row(bias), input, weight, Finish::Relu);
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
            let (rows, inputs, outputs) = (self.rows, shape.inputs, shape.outputs);
            let delta = Matrix::new(delta, rows, outputs);
            let turned = Matrix::new(weight, inputs, outputs).transposed();
            // The input of layer `index` is a ReLU's output: where it is zero, nothing goes back.
            let finish = Finish::WherePositive(&self.inputs[index]);
            product_with(sized(out, rows * inputs), Start::Zero, delta, turned, finish);
        }
    }

    /// Writes the gradient of the sum over rows in the flat layout.
    pub(crate) fn gradient(&self, shapes: &[LayerShape], out: &mut [f32]) {
        if let Some(one_hot) = &self.one_hot {
            return one_hot.gradient(&self.inputs[0], &self.deltas[0], out);
        }
        self.slopes(shapes, out, Finish::Keep);
    }

    /// Moves `weights` down that gradient and `decay` times themselves, without writing it anywhere: the bytes of a gradient and a step.
    /// Only where [`Tape::descends`].
    pub(crate) fn descend(&self, shapes: &[LayerShape], weights: &mut [f32], rate: f32, decay: f32) {
        self.slopes(shapes, weights, Finish::Descend { rate, decay });
    }

    /// Whether a step can be taken without writing its gradient: not where a gradient touches a few weights only.
    pub(crate) const fn descends(&self) -> bool {
        self.one_hot.is_none()
    }

    fn slopes(&self, shapes: &[LayerShape], out: &mut [f32], finish: Finish<'_>) {
        for ((input, delta), shape) in self.inputs.iter().zip(&self.deltas).zip(shapes) {
            let (rows, inputs, outputs) = (self.rows, shape.inputs, shape.outputs);
            let (weight, bias) = out[shape.offset..shape.end()].split_at_mut(inputs * outputs);
            let (input, delta) = (Matrix::new(input, rows, inputs), Matrix::new(delta, rows, outputs));
            product_with(bias, Start::Zero, Matrix::ones(rows), delta, finish);
            // One output or one column is the same memory either way; a row is wide enough for the registers.
            let (left, right) =
                if outputs == 1 { (delta.transposed(), input) } else { (input.transposed(), delta) };
            product_with(weight, Start::Zero, left, right, finish);
        }
    }
}

/// A buffer as long as it has to be; what stands in it is about to be overwritten.
fn sized(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    buffer.resize(length, 0.0);
    buffer
}
