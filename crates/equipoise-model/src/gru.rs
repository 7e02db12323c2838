//! The fused gated recurrent unit: forward pass and backpropagation through time by hand on flat slices, in buffers that a worker keeps.
//!
//! The unit is that of Cho et al. (EMNLP 2014) with the reset gate after the recurrent product, as `PyTorch` and burn have it; gates in
//! `PyTorch`'s order: reset, update, new. A linear layer reads the state after a row's last step; an empty row has the state zero.
//! Each step is two products for all three gates at once and one pass over the gates; the gradient of the weights is two products over
//! all steps of the batch. The reference is burn's automatic differentiation over its own unit (see `reference`).

use crate::LayerShape;
use crate::gates;
use crate::packed::Packed;
use crate::product::{Matrix, add_scaled, dot, product};
use crate::sequences::Steps;

/// The three layers of the flat vector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layers<'a> {
    input: Affine<'a>,
    recurrent: Affine<'a>,
    head: Affine<'a>,
}

#[derive(Clone, Copy, Debug)]
struct Affine<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Layers<'a> {
    /// # Panics
    /// If there are not three shapes or they do not fit the vector.
    pub(crate) fn of(shapes: &[LayerShape], weights: &'a [f32]) -> Self {
        let affine = |at: usize| Affine {
            weight: &weights[shapes[at].offset..shapes[at].bias()],
            bias: &weights[shapes[at].bias()..shapes[at].end()],
        };
        assert_eq!(shapes.len(), 3, "a gru has an input, a recurrent and an output layer");
        Self { input: affine(0), recurrent: affine(1), head: affine(2) }
    }
}

/// What a forward pass leaves for the backward pass, and what that leaves for the gradient.
#[derive(Debug, Default)]
pub(crate) struct GruTape {
    pub(crate) packed: Packed,
    hidden: usize,
    columns: usize,
    /// Logit of each row of the batch.
    pub(crate) logits: Vec<f32>,
    /// Derivative by the logit of each row of the batch.
    pub(crate) slopes: Vec<f32>,
    /// State before each packed step, `[packed steps, hidden]`.
    pub(crate) states: Vec<f32>,
    /// `[packed steps, 4 hidden]`, see [`gates::Forward`].
    gates: Vec<f32>,
    /// State of each packed row after its last step, `[rows, hidden]`.
    pub(crate) last: Vec<f32>,
    /// Derivative by the current state, `[rows, hidden]`.
    carry: Vec<f32>,
    /// What input and state say at one step, `[rows, 3 hidden]`.
    parts: [Vec<f32>; 2],
    /// Derivative by what the input said, `[packed steps, 3 hidden]`.
    pub(crate) input_deltas: Vec<f32>,
    /// Derivative by what the state said, `[packed steps, 3 hidden]`.
    pub(crate) state_deltas: Vec<f32>,
}

impl GruTape {
    pub(crate) fn new(columns: usize, hidden: usize) -> Self {
        Self { columns, hidden, ..Self::default() }
    }

    /// Takes the sequences in `batch`, all steps `width` wide if there is one, and runs them forward; leaves the logits.
    pub(crate) fn forward(
        &mut self,
        layers: Layers<'_>,
        steps: &Steps<'_>,
        batch: &[u32],
        width: Option<usize>,
    ) {
        self.packed.fill(steps, batch, width);
        let (columns, hidden, packed) = (self.columns, self.hidden, &self.packed);
        let total = packed.starts[packed.steps()];
        // What stands in these is written before it is read; only the first states must be zero.
        self.states.resize(total * hidden, 0.0);
        self.gates.resize(total * 4 * hidden, 0.0);
        self.last.clear();
        self.last.resize(width.unwrap_or(batch.len()) * hidden, 0.0);
        self.logits.clear();
        self.logits.resize(batch.len(), layers.head.bias[0]);
        for step in 0..packed.steps() {
            let (start, width) = (packed.starts[step], packed.width[step]);
            let state = &mut self.last[..width * hidden];
            self.states[start * hidden..][..width * hidden].copy_from_slice(state);
            for (part, (layer, values)) in self.parts.iter_mut().zip([
                (layers.input, &packed.inputs[start * columns..][..width * columns]),
                (layers.recurrent, &self.states[start * hidden..][..width * hidden]),
            ]) {
                let inputs = values.len() / width;
                part.resize(width * 3 * hidden, 0.0);
                let weight = Matrix::new(layer.weight, inputs, 3 * hidden);
                product(part, false, Matrix::new(values, width, inputs), weight);
            }
            let gates = &mut self.gates[start * 4 * hidden..][..width * 4 * hidden];
            let [input, recurrent] = &self.parts;
            let bias = [layers.input.bias, layers.recurrent.bias];
            gates::Forward { hidden, bias, input, recurrent, state, gates }.run();
            for place in packed.alive[step + 1]..packed.alive[step] {
                let own = &self.last[place * hidden..][..hidden];
                self.logits[packed.order[place] as usize] += dot(own, layers.head.weight);
            }
        }
    }

    /// The derivatives by what input and state said at every step, from those by the logit, which stand in `slopes`. The batch
    /// was packed without a width.
    pub(crate) fn backward(&mut self, layers: Layers<'_>) {
        let (hidden, packed) = (self.hidden, &self.packed);
        let total = packed.starts[packed.steps()];
        self.input_deltas.resize(total * 3 * hidden, 0.0);
        self.state_deltas.resize(total * 3 * hidden, 0.0);
        self.carry.resize(packed.rows() * hidden, 0.0);
        for step in (0..packed.steps()).rev() {
            let (start, width) = (packed.starts[step], packed.width[step]);
            for place in packed.alive[step + 1]..width {
                let slope = self.slopes[packed.order[place] as usize];
                let carry = &mut self.carry[place * hidden..][..hidden];
                carry.iter_mut().zip(layers.head.weight).for_each(|(carry, weight)| *carry = slope * weight);
            }
            let carry = &mut self.carry[..width * hidden];
            let recurrent = &mut self.state_deltas[start * 3 * hidden..][..width * 3 * hidden];
            gates::Backward {
                hidden,
                gates: &self.gates[start * 4 * hidden..][..width * 4 * hidden],
                state: &self.states[start * hidden..][..width * hidden],
                carry,
                input: &mut self.input_deltas[start * 3 * hidden..][..width * 3 * hidden],
                recurrent,
            }
            .run();
            if step > 0 {
                let turned = Matrix::new(layers.recurrent.weight, hidden, 3 * hidden).transposed();
                product(carry, true, Matrix::new(recurrent, width, 3 * hidden), turned);
            }
        }
    }

    /// Writes the gradient of the sum over rows in the flat layout.
    pub(crate) fn gradient(&self, shapes: &[LayerShape], out: &mut [f32]) {
        let (columns, hidden) = (self.columns, self.hidden);
        let total = self.packed.starts[self.packed.steps()];
        for (shape, values, deltas) in [
            (shapes[0], &self.packed.inputs, &self.input_deltas),
            (shapes[1], &self.states, &self.state_deltas),
        ] {
            let inputs = if shape.offset == 0 { columns } else { hidden };
            let (weight, bias) = out[shape.offset..shape.end()].split_at_mut(inputs * 3 * hidden);
            let (values, deltas) = (&values[..total * inputs], &deltas[..total * 3 * hidden]);
            let turned = Matrix::new(values, total, inputs).transposed();
            product(weight, false, turned, Matrix::new(deltas, total, 3 * hidden));
            gates::ColumnSums { rows: deltas, sum: bias }.run();
        }
        let (weight, bias) = out[shapes[2].offset..].split_at_mut(hidden);
        weight.fill(0.0);
        bias[0] = self.slopes.iter().sum();
        for (&place, own) in self.packed.order.iter().zip(self.last.chunks_exact(hidden)) {
            add_scaled(weight, self.slopes[place as usize], own);
        }
    }
}
