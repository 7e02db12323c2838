//! The recurrent model as a burn module: burn's own gated recurrent unit, read at each row's last step by a linear layer.
//! What the fused passes of `gru` are tested against; the unit holds a layer for each gate, our flat vector all three side by side.

use crate::sequence_network::{Padded, Source, read_gradient, take_gradient};
use crate::{LayerShape, ModelError};
use burn::module::Module;
use burn::nn::activation::Activation;
use burn::nn::{GateController, Linear, Sigmoid, Tanh, gru::Gru};
use burn::tensor::{Gradients, Tensor};

/// A gated recurrent unit and a linear layer over its last state.
#[derive(Module, Debug)]
pub(crate) struct GruNetwork {
    unit: Gru,
    head: Linear,
}

impl GruNetwork {
    pub(crate) fn from_flat(hidden: usize, source: Source<'_>) -> Self {
        let gate = |gate: usize| {
            let transform = |at: usize| {
                let shape = source.shapes[at];
                let id = 2 * (2 * gate + at);
                let weight = stretch(&source.weights[shape.offset..shape.bias()], hidden, gate);
                let bias = stretch(&source.weights[shape.bias()..shape.end()], hidden, gate);
                Linear {
                    weight: source.param(id, weight, [shape.inputs, hidden]),
                    bias: Some(source.param(id + 1, bias, [hidden])),
                }
            };
            GateController { input_transform: transform(0), hidden_transform: transform(1) }
        };
        let head = source.shapes[2];
        Self {
            unit: Gru {
                reset_gate: gate(0),
                update_gate: gate(1),
                new_gate: gate(2),
                d_hidden: hidden,
                reset_after: true,
                gate_activation: Activation::Sigmoid(Sigmoid::new()),
                hidden_activation: Activation::Tanh(Tanh::new()),
                clip: None,
            },
            head: Linear {
                weight: source.param(12, source.weights[head.offset..head.bias()].to_vec(), [hidden, 1]),
                bias: Some(source.param(13, source.weights[head.bias()..head.end()].to_vec(), [1])),
            },
        }
    }

    pub(crate) fn forward(&self, batch: &Padded) -> Tensor<2> {
        let states = self.unit.forward(batch.features.clone(), None);
        self.head.forward((states * batch.last()).sum_dim(1).squeeze_dim(1))
    }

    pub(crate) fn read_gradients(
        &self,
        gradients: &mut Gradients,
        shapes: &[LayerShape],
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        let hidden = self.unit.d_hidden;
        let gates = [&self.unit.reset_gate, &self.unit.update_gate, &self.unit.new_gate];
        for (gate, layers) in gates.into_iter().enumerate() {
            for (at, linear) in [&layers.input_transform, &layers.hidden_transform].into_iter().enumerate() {
                let shape = shapes[at];
                let weight = take_gradient(&linear.weight, gradients, (at, "weight"))?;
                put(&mut out[shape.offset..shape.bias()], &weight, hidden, gate);
                let bias =
                    linear.bias.as_ref().ok_or(ModelError::MissingGradient { layer: at, part: "bias" })?;
                let bias = take_gradient(bias, gradients, (at, "bias"))?;
                put(&mut out[shape.bias()..shape.end()], &bias, hidden, gate);
            }
        }
        let shape = shapes[2];
        read_gradient(&self.head.weight, gradients, (2, "weight"), &mut out[shape.offset..shape.bias()])?;
        let bias = self.head.bias.as_ref().ok_or(ModelError::MissingGradient { layer: 2, part: "bias" })?;
        read_gradient(bias, gradients, (2, "bias"), &mut out[shape.bias()..shape.end()])
    }
}

/// The columns of one gate out of `[.., 3 hidden]`.
fn stretch(values: &[f32], hidden: usize, gate: usize) -> Vec<f32> {
    values.chunks_exact(3 * hidden).flat_map(|row| &row[gate * hidden..][..hidden]).copied().collect()
}

/// Puts them back.
fn put(out: &mut [f32], values: &[f32], hidden: usize, gate: usize) {
    for (row, values) in out.chunks_exact_mut(3 * hidden).zip(values.chunks_exact(hidden)) {
        row[gate * hidden..][..hidden].copy_from_slice(values);
    }
}
