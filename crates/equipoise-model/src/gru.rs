//! The fused gated recurrent unit: forward pass and backpropagation through time by hand on flat slices, in buffers that a worker keeps.
//!
//! The unit is that of Cho et al. (EMNLP 2014) with the reset gate after the recurrent product, as `PyTorch` and burn have it; gates in
//! `PyTorch`'s order: reset, update, new. A linear layer reads the state after a row's last step; an empty row has the state zero.
//! Each step is two products for all three gates at once and one pass over the gates; on the way back the gradient of the weights is two more,
//! while the step's derivatives are in the nearest cache. The reference is burn's automatic differentiation over its own unit (see `reference`).

use crate::LayerShape;
use crate::gates;
use crate::packed::Packed;
use crate::product::{Finish, Matrix, Start, add_scaled, dot, product, product_with};
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
    /// Derivative by what the input said, `[packed steps, 3 hidden]`, or of one step at a time.
    pub(crate) input_deltas: Vec<f32>,
    /// Derivative by what the state said, likewise.
    pub(crate) state_deltas: Vec<f32>,
    /// These added up over rows and steps, see [`gates::Backward`].
    sums: Vec<f32>,
    /// The recurrent weights with rows and columns exchanged, `[3 hidden, hidden]`.
    turned: Vec<f32>,
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
                let values = Matrix::new(values, width, inputs);
                product_with(part, Start::Row(layer.bias), values, weight, Finish::Keep);
            }
            let gates = &mut self.gates[start * 4 * hidden..][..width * 4 * hidden];
            let [input, recurrent] = &self.parts;
            gates::Forward { hidden, input, recurrent, state, gates }.run();
            for place in packed.alive[step + 1]..packed.alive[step] {
                let own = &self.last[place * hidden..][..hidden];
                self.logits[packed.order[place] as usize] += dot(own, layers.head.weight);
            }
        }
    }

    /// Writes the gradient of the sum over rows in the flat layout, from the derivatives by the logit, which stand in `slopes`. The batch
    /// was packed without a width. What a step says of the weights is added while its derivatives are at hand, so they are kept nowhere.
    pub(crate) fn gradient(&mut self, layers: Layers<'_>, shapes: &[LayerShape], out: &mut [f32]) {
        let hidden = self.hidden;
        out.fill(0.0);
        let (input, rest) = out.split_at_mut(shapes[0].end());
        let (recurrent, head) = rest.split_at_mut(shapes[1].end() - shapes[1].offset);
        let [(input, input_bias), (recurrent, recurrent_bias)] = [(input, shapes[0]), (recurrent, shapes[1])]
            .map(|(part, shape)| part.split_at_mut(shape.bias() - shape.offset));
        self.pass_back(layers, Some([input, recurrent]));
        for (bias, new) in [(input_bias, 2), (recurrent_bias, 3)] {
            bias[..2 * hidden].copy_from_slice(&self.sums[..2 * hidden]);
            bias[2 * hidden..].copy_from_slice(&self.sums[new * hidden..][..hidden]);
        }
        let (weight, bias) = head.split_at_mut(hidden);
        bias[0] = self.slopes.iter().sum();
        for (&place, own) in self.packed.order.iter().zip(self.last.chunks_exact(hidden)) {
            add_scaled(weight, self.slopes[place as usize], own);
        }
    }

    /// The derivatives by what input and state said at every step, for who asks for each row's own gradient.
    pub(crate) fn deltas(&mut self, layers: Layers<'_>) {
        self.pass_back(layers, None);
    }

    /// One walk back. With the gradients by both weights to add to, the derivatives of a step are overwritten by those of the one before it.
    fn pass_back(&mut self, layers: Layers<'_>, mut weights: Option<[&mut [f32]; 2]>) {
        let (columns, hidden, packed) = (self.columns, self.hidden, &self.packed);
        let room = if weights.is_some() { packed.rows() } else { packed.starts[packed.steps()] };
        self.input_deltas.resize(room * 3 * hidden, 0.0);
        self.state_deltas.resize(room * 3 * hidden, 0.0);
        self.carry.resize(packed.rows() * hidden, 0.0);
        self.sums.clear();
        self.sums.resize(4 * hidden, 0.0);
        self.turned.resize(3 * hidden * hidden, 0.0);
        for (at, column) in self.turned.chunks_exact_mut(hidden).enumerate() {
            column
                .iter_mut()
                .zip(layers.recurrent.weight.chunks_exact(3 * hidden))
                .for_each(|(to, row)| *to = row[at]);
        }
        for step in (0..packed.steps()).rev() {
            let (start, width) = (packed.starts[step], packed.width[step]);
            for place in packed.alive[step + 1]..width {
                let slope = self.slopes[packed.order[place] as usize];
                let carry = &mut self.carry[place * hidden..][..hidden];
                carry.iter_mut().zip(layers.head.weight).for_each(|(carry, weight)| *carry = slope * weight);
            }
            let kept = if weights.is_some() { 0 } else { start * 3 * hidden };
            let carry = &mut self.carry[..width * hidden];
            let state = &self.states[start * hidden..][..width * hidden];
            let input = &mut self.input_deltas[kept..][..width * 3 * hidden];
            let recurrent = &mut self.state_deltas[kept..][..width * 3 * hidden];
            let (gates, sums) = (&self.gates[start * 4 * hidden..][..width * 4 * hidden], &mut *self.sums);
            gates::Backward { hidden, gates, state, carry, input, recurrent, sums }.run();
            if step > 0 {
                let turned = Matrix::new(&self.turned, 3 * hidden, hidden);
                product(carry, true, Matrix::new(recurrent, width, 3 * hidden), turned);
            }
            if let Some([by_input, by_state]) = &mut weights {
                let read = &packed.inputs[start * columns..][..width * columns];
                for (weight, values, deltas) in [(by_input, read, &*input), (by_state, state, &*recurrent)] {
                    let inputs = values.len() / width;
                    let values = Matrix::new(values, width, inputs).transposed();
                    product(weight, true, values, Matrix::new(deltas, width, 3 * hidden));
                }
            }
        }
    }
}
