//! What is particular to the models over sequences: their layers in the flat vector, what they refuse, and the names under which
//! every model is published.

use crate::network_transformer::BLOCK;
use crate::{Backward, LayerShape, ModelError, ModelSpec};

/// One tensor of a published model.
#[derive(Clone, PartialEq, Debug)]
pub struct TorchTensor {
    /// As `state_dict()` has it.
    pub name: String,
    /// As `PyTorch` has it.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

impl ModelSpec {
    /// One of each kind that reads sequences: what their law tests run over.
    #[must_use]
    pub fn examples_over_sequences() -> Vec<Self> {
        vec![
            Self::Gru { hidden: 32 },
            Self::Gru { hidden: 5 },
            Self::Transformer { width: 16, heads: 2, feed_forward: 24, layers: 2 },
        ]
    }

    /// Whether the model reads sequences of events instead of rows.
    ///
    /// Its initial weights: a recurrent unit is uniform in ±√(1 / hidden), as `PyTorch` has it; linear layers of a transformer are uniform in
    /// ±√(6 / (inputs + outputs)) (Glorot and Bengio, AISTATS 2010), its norms are one; biases are zero, and the last layer is that
    /// of every network.
    #[must_use]
    pub const fn reads_sequences(&self) -> bool {
        matches!(self, Self::Gru { .. } | Self::Transformer { .. })
    }

    /// Says why the model cannot be trained by `backward`, where it cannot.
    ///
    /// # Errors
    /// If it has no passes by hand and those are asked for.
    pub const fn check_trainer(&self, backward: Backward) -> Result<(), ModelError> {
        match (self, backward) {
            (Self::Transformer { .. }, Backward::Fused) => {
                Err(ModelError::Spec("a transformer has no passes by hand; use trainer = \"burn\""))
            }
            _ => Ok(()),
        }
    }

    /// Says why sums of clipped rows of the model do not exist, where they do not.
    ///
    /// # Errors
    /// If the gradient of a single row cannot be had.
    pub const fn check_clipping(&self) -> Result<(), ModelError> {
        match self {
            Self::Transformer { .. } => Err(ModelError::Spec(
                "sums of clipped rows are not offered for a transformer; take a gru, a model over rows, or no guarantee",
            )),
            _ => Ok(()),
        }
    }

    /// Checks what a file may get wrong about a model over sequences.
    ///
    /// # Errors
    /// Names what describes no model.
    pub const fn check_shape(&self) -> Result<(), ModelError> {
        match *self {
            Self::Gru { hidden: 0 } => {
                Err(ModelError::Spec("a gru with hidden = 0 remembers nothing; give it at least 1"))
            }
            Self::Transformer { width, heads, feed_forward, layers } => {
                if width == 0 || heads == 0 || feed_forward == 0 || layers == 0 {
                    return Err(ModelError::Spec(
                        "width, heads, feed-forward and layers of a transformer must be at least 1",
                    ));
                }
                if !width.is_multiple_of(heads) {
                    return Err(ModelError::Spec(
                        "the width of a transformer must be a multiple of its heads",
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The layers over steps of `columns`. A norm is a layer of one input.
    pub(crate) fn sequence_layers(&self, columns: usize) -> Vec<LayerShape> {
        let mut shapes = Vec::new();
        match *self {
            Self::Gru { hidden } => {
                let hidden = usize::from(hidden);
                shapes.extend([(columns, 3 * hidden), (hidden, 3 * hidden), (hidden, 1)]);
            }
            Self::Transformer { width, feed_forward, layers, .. } => {
                let (width, wide) = (usize::from(width), usize::from(feed_forward));
                shapes.push((columns, width));
                for _ in 0..layers {
                    shapes.extend([(width, 3 * width), (width, width), (width, wide), (wide, width)]);
                    shapes.extend([(1, width); 2]);
                }
                shapes.extend([(1, width), (width, 1)]);
            }
            Self::LogisticRegression {} | Self::Mlp { .. } => {}
        }
        let mut offset = 0;
        let place = |(inputs, outputs)| {
            let layer = LayerShape { inputs, outputs, offset };
            offset = layer.end();
            layer
        };
        shapes.into_iter().map(place).collect()
    }

    /// Whether a layer scales a normalised signal instead of mixing it.
    pub(crate) const fn is_norm(&self, layer: usize) -> bool {
        match self {
            Self::Transformer { layers, .. } => {
                let (last, inside) = (1 + BLOCK * *layers as usize, layer.saturating_sub(1) % BLOCK);
                layer == last || (layer > 0 && layer < last && inside >= 4)
            }
            _ => false,
        }
    }

    /// The model as `PyTorch` would save it. Layers of a network over rows are `layers.I`; a recurrent unit is `torch.nn.GRU` under `gru`,
    /// a transformer is `torch.nn.TransformerEncoder` (with `norm_first=True` and a last norm) under `encoder` behind the linear layer
    /// `embed`; both end in the linear layer `head`.
    ///
    /// # Panics
    /// If `weights` is not as long as the model says.
    #[must_use]
    pub fn to_torch(&self, columns: usize, weights: &[f32]) -> Vec<TorchTensor> {
        assert_eq!(weights.len(), self.parameters(columns), "a model has as many weights as it says");
        let mut tensors = Vec::new();
        for (at, layer) in self.layers(columns).into_iter().enumerate() {
            let [weight_name, bias_name] = self.torch_names(at);
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            let own = &weights[layer.offset..layer.bias()];
            let values = (0..inputs * outputs).map(|to| own[(to % inputs) * outputs + to / inputs]).collect();
            let shape = if self.is_norm(at) { vec![outputs] } else { vec![outputs, inputs] };
            tensors.push(TorchTensor { name: weight_name, shape, values });
            let values = weights[layer.bias()..layer.end()].to_vec();
            tensors.push(TorchTensor { name: bias_name, shape: vec![outputs], values });
        }
        tensors
    }

    /// Names of the weight and the bias of a layer.
    fn torch_names(&self, layer: usize) -> [String; 2] {
        let pair = |stem: String| [format!("{stem}.weight"), format!("{stem}.bias")];
        match self {
            Self::LogisticRegression {} | Self::Mlp { .. } => pair(format!("layers.{layer}")),
            Self::Gru { .. } => match layer {
                0 => ["gru.weight_ih_l0".into(), "gru.bias_ih_l0".into()],
                1 => ["gru.weight_hh_l0".into(), "gru.bias_hh_l0".into()],
                _ => pair("head".into()),
            },
            Self::Transformer { layers, .. } => {
                let end = 1 + BLOCK * usize::from(*layers);
                if layer == 0 {
                    return pair("embed".into());
                }
                if layer >= end {
                    return pair(if layer == end { "encoder.norm" } else { "head" }.into());
                }
                let block = format!("encoder.layers.{}", (layer - 1) / BLOCK);
                match (layer - 1) % BLOCK {
                    0 => ["in_proj_weight", "in_proj_bias"].map(|part| format!("{block}.self_attn.{part}")),
                    1 => pair(format!("{block}.self_attn.out_proj")),
                    2 => pair(format!("{block}.linear1")),
                    3 => pair(format!("{block}.linear2")),
                    4 => pair(format!("{block}.norm1")),
                    _ => pair(format!("{block}.norm2")),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Fraction, Seed};

    #[test]
    fn parameters_are_counted_by_hand() {
        assert_eq!(ModelSpec::Gru { hidden: 32 }.parameters(16), 16 * 96 + 96 + 32 * 96 + 96 + 33);
        let small = ModelSpec::Transformer { width: 4, heads: 2, feed_forward: 3, layers: 1 };
        // embed 2·4 + 4; block: 4·12 + 12, 4·4 + 4, 4·3 + 3, 3·4 + 4, norms 8 + 8; norm 8; head 5.
        assert_eq!(small.parameters(2), 12 + 60 + 20 + 15 + 16 + 16 + 8 + 5);
    }

    #[test]
    fn models_that_are_none_are_refused_with_the_mend() {
        let transformer = |width, heads| ModelSpec::Transformer { width, heads, feed_forward: 3, layers: 1 };
        assert!(ModelSpec::Gru { hidden: 0 }.check(4).is_err());
        assert!(transformer(8, 0).check(4).is_err());
        assert!(transformer(9, 2).check(4).unwrap_err().to_string().contains("multiple of its heads"));
        assert_eq!(transformer(8, 2).check(4), Ok(()));
        let why = transformer(8, 2).check_trainer(Backward::Fused).unwrap_err().to_string();
        assert!(why.contains("trainer = \"burn\""), "{why}");
        assert_eq!(transformer(8, 2).check_trainer(Backward::Burn), Ok(()));
        assert!(transformer(8, 2).check_clipping().is_err());
        assert_eq!(ModelSpec::Gru { hidden: 1 }.check_clipping(), Ok(()));
    }

    #[test]
    fn norms_begin_at_one_and_are_vectors() {
        let spec = ModelSpec::Transformer { width: 4, heads: 2, feed_forward: 3, layers: 2 };
        let weights = spec.init(2, Fraction::new(0.5).unwrap(), Seed::root(1)).0;
        let tensors = spec.to_torch(2, &weights);
        let norms: Vec<&TorchTensor> =
            tensors.iter().filter(|t| t.name.contains("norm") && t.name.ends_with("weight")).collect();
        assert_eq!(norms.len(), 5);
        assert!(norms.iter().all(|norm| norm.shape == [4] && norm.values == [1.0; 4]));
        let of = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap().shape.clone();
        assert_eq!(of("encoder.layers.1.self_attn.in_proj_weight"), [12, 4]);
        assert_eq!(of("encoder.layers.0.linear1.weight"), [3, 4]);
        assert_eq!((of("embed.weight"), of("head.weight")), (vec![4, 2], vec![1, 4]));
    }

    /// Ours is row by input, `PyTorch`'s row by output.
    #[test]
    fn a_recurrent_unit_is_published_under_the_names_of_torch() {
        let spec = ModelSpec::Gru { hidden: 1 };
        let weights: Vec<f32> = (0..17_u8).map(f32::from).collect();
        let tensors = spec.to_torch(2, &weights);
        let (names, shapes): (Vec<_>, Vec<_>) =
            tensors.iter().map(|t| (t.name.as_str(), t.shape.clone())).unzip();
        assert_eq!(names[..4], ["gru.weight_ih_l0", "gru.bias_ih_l0", "gru.weight_hh_l0", "gru.bias_hh_l0"]);
        assert_eq!(names[4..], ["head.weight", "head.bias"]);
        assert_eq!(shapes[0], [3, 2]);
        assert_eq!(tensors[0].values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(tensors[2].values, [9.0, 10.0, 11.0]);
    }
}
