//! The model as a burn module: its forward pass, and the way between a module and a flat vector.
//!
//! burn's automatic differentiation over this module is the reference that every faster path is tested against. Leaves
//! are made afresh for every step and a missing gradient is an error, because gradients of reused leaves have been lost
//! under concurrency before (tracel-ai/burn#5573).

use crate::{LayerShape, ModelError};
use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Device, Gradients, Tensor, TensorData, activation::relu};

/// Linear layers with a ReLU after each but the last.
#[derive(Module, Debug)]
pub(crate) struct Network {
    layers: Vec<Linear>,
}

impl Network {
    /// A network with the flat `weights` (see the crate's layout) as fresh leaves on `device`.
    pub(crate) fn from_flat(shapes: &[LayerShape], weights: &[f32], device: &Device) -> Self {
        let layers = shapes.iter().enumerate().map(|(index, shape)| {
            let (weight, bias) = layer(shape, weights, device);
            let id = 2 * index as u64;
            Linear {
                weight: Param::initialized(ParamId::from(id), weight.require_grad()),
                bias: Some(Param::initialized(ParamId::from(id + 1), bias.require_grad())),
            }
        });
        Self { layers: layers.collect() }
    }

    /// Logits `[rows, 1]` of features `[rows, columns]`.
    pub(crate) fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        let hidden = self.layers[..last].iter().fold(features, |signal, layer| relu(layer.forward(signal)));
        self.layers[last].forward(hidden)
    }

    /// Writes the gradients of this network's leaves in the flat layout.
    pub(crate) fn read_gradients(
        &self,
        gradients: &mut Gradients,
        shapes: &[LayerShape],
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        for (index, (layer, shape)) in self.layers.iter().zip(shapes).enumerate() {
            let missing = |part| ModelError::MissingGradient { layer: index, part };
            let weight = layer.weight.val().grad_remove(gradients).ok_or_else(|| missing("weight"))?;
            read(weight, &mut out[shape.offset..shape.bias()])?;
            let bias = layer.bias.as_ref().and_then(|bias| bias.val().grad_remove(gradients));
            read(bias.ok_or_else(|| missing("bias"))?, &mut out[shape.bias()..shape.end()])?;
        }
        Ok(())
    }
}

/// Weight and bias of one layer as constants on `device`.
pub(crate) fn layer(shape: &LayerShape, weights: &[f32], device: &Device) -> (Tensor<2>, Tensor<1>) {
    let weight = tensor(weights[shape.offset..shape.bias()].to_vec(), [shape.inputs, shape.outputs], device);
    let bias = weights[shape.bias()..shape.end()].to_vec();
    (weight, Tensor::from_data(TensorData::new(bias, [shape.outputs]), device))
}

/// Numbers as a tensor.
pub(crate) fn tensor(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// A tensor's numbers, row-major.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, ModelError> {
    tensor.into_data().try_into_vec::<f32>().map_err(|error| ModelError::Burn(format!("{error:?}")))
}

/// Copies a tensor's numbers, row-major, into `out`.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>, out: &mut [f32]) -> Result<(), ModelError> {
    let data = tensor.into_data();
    out.copy_from_slice(data.as_slice().map_err(|error| ModelError::Burn(format!("{error:?}")))?);
    Ok(())
}
