//! A small transformer encoder as a burn module (Vaswani et al., NIPS 2017), normalised before each part (Xiong et al., ICML 2020), which
//! trains without a warm-up: what `torch.nn.TransformerEncoder` is with `norm_first=True`, ReLU, no dropout and a last norm.
//!
//! Places are sinusoids counted back from the latest event: what happened last stands at place 0 however long the past is. The
//! risk is read from the mean over the steps that are there. Trained by burn only; it has no passes by hand.

use crate::sequence_network::{Padded, Source, read_gradient};
use crate::{LayerShape, ModelError};
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Gradients, Tensor, TensorData};

/// Added to the score of a step that is not there: its share is exactly zero beside any step that is.
const ABSENT: f32 = -1e30;

#[derive(Module, Debug)]
pub(crate) struct TransformerNetwork {
    embed: Linear,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
    heads: usize,
}

/// Attention and a perceptron, each added to what passes by.
#[derive(Module, Debug)]
struct Block {
    /// Query, key and value side by side.
    attend: Linear,
    out: Linear,
    widen: Linear,
    narrow: Linear,
    norm_attend: LayerNorm,
    norm_widen: LayerNorm,
}

/// Layers of one block in the flat vector, in the order of its fields, which is `PyTorch`'s.
pub(crate) const BLOCK: usize = 6;

impl TransformerNetwork {
    pub(crate) fn from_flat(heads: usize, layers: usize, source: Source<'_>) -> Self {
        let (linear, norm) = (|at| linear(source, at), |at| norm(source, at));
        let blocks = (0..layers).map(|block| {
            let at = 1 + BLOCK * block;
            Block {
                attend: linear(at),
                out: linear(at + 1),
                widen: linear(at + 2),
                narrow: linear(at + 3),
                norm_attend: norm(at + 4),
                norm_widen: norm(at + 5),
            }
        });
        Self {
            embed: linear(0),
            blocks: blocks.collect(),
            norm: norm(1 + BLOCK * layers),
            head: linear(2 + BLOCK * layers),
            heads,
        }
    }

    pub(crate) fn forward(&self, batch: &Padded) -> Tensor<2> {
        let [_, width] = self.embed.weight.val().dims();
        let mut signal = self.embed.forward(batch.features.clone()) + places(batch, width);
        for block in &self.blocks {
            signal = block.forward(signal, batch, self.heads);
        }
        let mean = (self.norm.forward(signal) * batch.share()).sum_dim(1).squeeze_dim(1);
        self.head.forward(mean)
    }

    pub(crate) fn read_gradients(
        &self,
        gradients: &mut Gradients,
        shapes: &[LayerShape],
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        let mut layers = vec![Layer::Linear(&self.embed)];
        for block in &self.blocks {
            layers.extend([&block.attend, &block.out, &block.widen, &block.narrow].map(Layer::Linear));
            layers.extend([&block.norm_attend, &block.norm_widen].map(Layer::Norm));
        }
        layers.extend([Layer::Norm(&self.norm), Layer::Linear(&self.head)]);
        for (at, (layer, shape)) in layers.iter().zip(shapes).enumerate() {
            let (weight, bias) = out[shape.offset..shape.end()].split_at_mut(shape.inputs * shape.outputs);
            let from = match layer {
                Layer::Linear(linear) => {
                    read_gradient(&linear.weight, gradients, (at, "weight"), weight)?;
                    &linear.bias
                }
                Layer::Norm(norm) => {
                    read_gradient(&norm.gamma, gradients, (at, "weight"), weight)?;
                    &norm.beta
                }
            };
            let from = from.as_ref().ok_or(ModelError::MissingGradient { layer: at, part: "bias" })?;
            read_gradient(from, gradients, (at, "bias"), bias)?;
        }
        Ok(())
    }
}

enum Layer<'a> {
    Linear(&'a Linear),
    Norm(&'a LayerNorm),
}

impl Block {
    fn forward(&self, signal: Tensor<3>, batch: &Padded, heads: usize) -> Tensor<3> {
        let attended = self.attention(self.norm_attend.forward(signal.clone()), batch, heads);
        let signal = signal + self.out.forward(attended);
        let wide = relu(self.widen.forward(self.norm_widen.forward(signal.clone())));
        signal + self.narrow.forward(wide)
    }

    fn attention(&self, signal: Tensor<3>, batch: &Padded, heads: usize) -> Tensor<3> {
        let [rows, steps, width] = signal.dims();
        let each = width / heads;
        let parts = self.attend.forward(signal);
        let part = |at: usize| {
            parts.clone().narrow(2, at * width, width).reshape([rows, steps, heads, each]).swap_dims(1, 2)
        };
        #[allow(clippy::cast_precision_loss)] // A width fits 16 bits.
        let scores = part(0).matmul(part(1).transpose()).div_scalar(libm::sqrtf(each as f32));
        let absent = batch.absent().reshape([rows, 1, 1, steps]);
        let shares = softmax(scores.mask_fill(absent, ABSENT), 3);
        shares.matmul(part(2)).swap_dims(1, 2).reshape([rows, steps, width])
    }
}

fn linear(source: Source<'_>, at: usize) -> Linear {
    let shape = source.shapes[at];
    let (weight, bias) = parts(source, at);
    Linear {
        weight: source.param(2 * at, weight, [shape.inputs, shape.outputs]),
        bias: Some(source.param(2 * at + 1, bias, [shape.outputs])),
    }
}

fn norm(source: Source<'_>, at: usize) -> LayerNorm {
    let width = source.shapes[at].outputs;
    let (weight, bias) = parts(source, at);
    let mut norm = LayerNormConfig::new(width).init(source.device);
    norm.gamma = source.param(2 * at, weight, [width]);
    norm.beta = Some(source.param(2 * at + 1, bias, [width]));
    norm
}

fn parts(source: Source<'_>, at: usize) -> (Vec<f32>, Vec<f32>) {
    let shape = source.shapes[at];
    (source.weights[shape.offset..shape.bias()].to_vec(), source.weights[shape.bias()..shape.end()].to_vec())
}

/// Sinusoids of the place of each step, `[rows, steps, width]`; zeros where there is no step.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn places(batch: &Padded, width: usize) -> Tensor<3> {
    let place = |back: usize, column: usize| {
        let pair = 2.0 * (column / 2) as f64 / width as f64;
        let angle = back as f64 / libm::pow(10_000.0, pair);
        (if column.is_multiple_of(2) { libm::sin(angle) } else { libm::cos(angle) }) as f32
    };
    let longest = batch.lengths.iter().copied().max().unwrap_or(0);
    let table: Vec<f32> =
        (0..longest).flat_map(|back| (0..width).map(move |column| place(back, column))).collect();
    let mut values = Vec::with_capacity(batch.lengths.len() * batch.steps * width);
    for (row, &length) in batch.lengths.iter().enumerate() {
        for step in 0..length {
            values.extend_from_slice(&table[(length - 1 - step) * width..][..width]);
        }
        values.resize((row + 1) * batch.steps * width, 0.0);
    }
    let shape = [batch.lengths.len(), batch.steps, width];
    Tensor::from_data(TensorData::new(values, shape), &batch.device)
}
