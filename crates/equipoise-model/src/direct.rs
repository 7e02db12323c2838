//! The backward pass written out by hand over burn's tensor operations, without automatic differentiation.
//!
//! For a network of linear layers and ReLU, the gradient of a sum of losses by a layer's weight is `aᵀ δ`, with `a` the
//! layer's input `[rows, inputs]` and `δ` `[rows, outputs]` the derivative by its output. Keeping `a` and `δ` apart is what
//! makes clipping per row cheap (see `clip`), and no global lock is taken, so workers do not wait for each other
//! (tracel-ai/burn#2729). The reference is automatic differentiation over `Network`.

use crate::network::{layer, numbers, read, tensor};
use crate::{LayerShape, ModelError};
use burn::tensor::{Device, Tensor, activation::relu};

/// The layers of one flat vector as constants.
pub(crate) struct Layers<'a> {
    shapes: &'a [LayerShape],
    weights: Vec<Tensor<2>>,
    biases: Vec<Tensor<2>>,
    device: &'a Device,
}

/// What a forward pass leaves for the backward pass.
pub(crate) struct Tape {
    /// Input of each layer, `[rows, inputs]`.
    pub(crate) inputs: Vec<Tensor<2>>,
    /// Logit of each row.
    pub(crate) logits: Vec<f32>,
}

impl<'a> Layers<'a> {
    /// Loads `weights` once for many batches.
    pub(crate) fn load(shapes: &'a [LayerShape], weights: &[f32], device: &'a Device) -> Self {
        let loaded = shapes.iter().map(|shape| layer(shape, weights, device));
        let (weights, biases) = loaded.map(|(weight, bias)| (weight, bias.unsqueeze::<2>())).unzip();
        Self { shapes, weights, biases, device }
    }

    /// Runs `features` `[rows, columns]` forward.
    pub(crate) fn forward(&self, features: Vec<f32>) -> Result<Tape, ModelError> {
        let columns = self.shapes[0].inputs;
        let rows = features.len() / columns;
        let mut signal = tensor(features, [rows, columns], self.device);
        let mut inputs = Vec::with_capacity(self.shapes.len());
        for (index, (weight, bias)) in self.weights.iter().zip(&self.biases).enumerate() {
            let input = if index == 0 { signal } else { relu(signal) };
            signal = input.clone().matmul(weight.clone()) + bias.clone();
            inputs.push(input);
        }
        Ok(Tape { inputs, logits: numbers(signal)? })
    }

    /// Derivatives by each layer's output, `[rows, outputs]`, from those by the logit, `slopes` `[rows]`.
    pub(crate) fn deltas(&self, tape: &Tape, slopes: Vec<f32>) -> Vec<Tensor<2>> {
        let rows = slopes.len();
        let mut delta = tensor(slopes, [rows, 1], self.device);
        let mut deltas = vec![delta.clone()];
        for index in (1..self.weights.len()).rev() {
            let back = delta.matmul(self.weights[index].clone().transpose());
            // The input of layer `index` is a ReLU's output, so its sign is the ReLU's derivative.
            delta = back * tape.inputs[index].clone().sign();
            deltas.push(delta.clone());
        }
        deltas.reverse();
        deltas
    }

    /// Writes the gradient of the sum over rows in the flat layout.
    pub(crate) fn gradient(
        &self,
        tape: &Tape,
        deltas: Vec<Tensor<2>>,
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        for ((input, delta), shape) in tape.inputs.iter().zip(deltas).zip(self.shapes) {
            read(delta.clone().sum_dim(0), &mut out[shape.bias()..shape.end()])?;
            read(input.clone().transpose().matmul(delta), &mut out[shape.offset..shape.bias()])?;
        }
        Ok(())
    }

    /// A tensor `[rows, columns]` on the same device.
    pub(crate) fn tensor(&self, values: Vec<f32>, shape: [usize; 2]) -> Tensor<2> {
        tensor(values, shape, self.device)
    }
}
