//! Which model: its shape, its initial weights, its name in an experiment file.
//!
//! Initial weights follow He et al. (ICCV 2015) for layers before a ReLU. They are drawn from our own addresses, never
//! from burn's generator, which is global and races between threads.

use crate::ModelError;
use equipoise_core::{Draw, Fraction, Params, Seed};
use serde::{Deserialize, Deserializer, Serialize};

/// A model by its shape. In a file: `model.logistic-regression = {}` or `model.mlp = { hidden = [32] }`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum ModelSpec {
    /// One linear layer: the baseline that wins under strong privacy (PETs challenge: 0.94 against 0.78 AUPRC).
    LogisticRegression {},
    /// Linear layers with a ReLU after each but the last.
    Mlp {
        /// Width of each hidden layer; at least one, none zero.
        #[serde(deserialize_with = "hidden_widths")]
        hidden: Vec<u16>,
    },
    /// A gated recurrent unit over event sequences (Cho et al., EMNLP 2014), read at the last event.
    Gru {
        /// Width of the state, at least 1; a multiple of 16 fills the registers.
        hidden: u16,
    },
    /// A transformer encoder over event sequences (Vaswani et al., NIPS 2017), read at the mean. Trained by burn only.
    Transformer {
        /// Numbers of a step inside the model; a multiple of `heads`.
        width: u16,
        /// Attention heads of a layer, at least 1.
        heads: u16,
        /// Hidden width of the perceptron of a layer, at least 1.
        #[serde(rename = "feed-forward")]
        feed_forward: u16,
        /// Layers, at least 1.
        layers: u16,
    },
}

fn hidden_widths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    let hidden = Vec::<u16>::deserialize(deserializer)?;
    check_hidden(&hidden).map_err(serde::de::Error::custom)?;
    Ok(hidden)
}

fn check_hidden(hidden: &[u16]) -> Result<(), ModelError> {
    if hidden.is_empty() {
        return Err(ModelError::Spec("an mlp needs a hidden layer; without one it is logistic-regression"));
    }
    if hidden.contains(&0) {
        return Err(ModelError::Spec("a hidden layer of width 0 passes nothing on; give it at least 1"));
    }
    Ok(())
}

/// One linear layer inside the flat vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LayerShape {
    /// Numbers that go in.
    pub inputs: usize,
    /// Numbers that come out.
    pub outputs: usize,
    /// Where its weight `[inputs, outputs]` starts; the bias `[outputs]` follows it.
    pub offset: usize,
}

impl LayerShape {
    /// Where the bias starts.
    #[must_use]
    pub const fn bias(&self) -> usize {
        self.offset + self.inputs * self.outputs
    }

    /// One past the layer's last parameter.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.bias() + self.outputs
    }
}

impl ModelSpec {
    /// One of each kind, over rows and over sequences.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        Self::examples_over_rows().into_iter().chain(Self::examples_over_sequences()).collect()
    }

    /// One of each kind that reads rows: what their law tests run over.
    #[must_use]
    pub fn examples_over_rows() -> Vec<Self> {
        vec![Self::LogisticRegression {}, Self::Mlp { hidden: vec![32] }, Self::Mlp { hidden: vec![7, 5] }]
    }

    /// The model in words, for a report.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::LogisticRegression {} => "logistic regression".to_owned(),
            Self::Mlp { hidden } => {
                let widths: Vec<String> = hidden.iter().map(u16::to_string).collect();
                format!("multilayer perceptron, hidden {}, ReLU", widths.join("-"))
            }
            Self::Gru { hidden } => format!("gated recurrent unit over event sequences, hidden {hidden}"),
            Self::Transformer { width, heads, feed_forward, layers } => format!(
                "transformer encoder over event sequences, width {width}, {heads} heads, feed-forward {feed_forward}, layers {layers}"
            ),
        }
    }

    /// The layers over `columns` features, in the order of the flat vector.
    #[must_use]
    pub fn layers(&self, columns: usize) -> Vec<LayerShape> {
        let hidden: &[u16] = match self {
            Self::LogisticRegression {} => &[],
            Self::Mlp { hidden } => hidden,
            Self::Gru { .. } | Self::Transformer { .. } => return self.sequence_layers(columns),
        };
        let (mut layers, mut inputs, mut offset) = (Vec::with_capacity(hidden.len() + 1), columns, 0);
        for outputs in hidden.iter().map(|&width| usize::from(width)).chain([1]) {
            let layer = LayerShape { inputs, outputs, offset };
            (inputs, offset) = (outputs, layer.end());
            layers.push(layer);
        }
        layers
    }

    /// Length of the flat vector over `columns` features.
    #[must_use]
    pub fn parameters(&self, columns: usize) -> usize {
        self.layers(columns).last().map_or(0, LayerShape::end)
    }

    /// Initial weights of a model over rows (those of the others are at [`ModelSpec::reads_sequences`]). Hidden layers are uniform in ±√(6 / inputs) and have no bias; the last layer of a perceptron is
    /// uniform in ±√(1 / inputs), that of the logistic regression is zero (its loss is convex). The last bias is
    /// the logit of `prior`, the share of rows expected to be positive (kept within 1e-6 of the ends), so that training
    /// need not spend its first rounds, and its privacy budget, on learning that harm is rare.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Widths fit f64; weights are f32.
    pub fn init(&self, columns: usize, prior: Fraction, seed: Seed) -> Params {
        let layers = self.layers(columns);
        let mut params = Params::zeros(self.parameters(columns));
        let last = layers.len() - 1;
        for (index, layer) in layers.iter().enumerate() {
            let bound = match (self, index == last) {
                (Self::LogisticRegression {}, _) => 0.0,
                (_, true) => libm::sqrt(1.0 / layer.inputs.max(1) as f64),
                (Self::Mlp { .. }, false) => libm::sqrt(6.0 / layer.inputs.max(1) as f64),
                (Self::Gru { hidden }, false) => libm::sqrt(1.0 / f64::from(*hidden)),
                (Self::Transformer { .. }, false) => {
                    if self.is_norm(index) {
                        params.0[layer.offset..layer.bias()].fill(1.0);
                        continue;
                    }
                    libm::sqrt(6.0 / (layer.inputs + layer.outputs) as f64)
                }
            };
            let mut rng = seed.derive("layer", index as u64).rng();
            for weight in &mut params.0[layer.offset..layer.bias()] {
                *weight = (bound * (2.0 * rng.uniform() - 1.0)) as f32;
            }
        }
        let prior = prior.get().clamp(1e-6, 1.0 - 1e-6);
        params.0[layers[last].bias()] = libm::log(prior / (1.0 - prior)) as f32;
        params
    }

    /// Checks what a hand-written value may get wrong (a parsed one cannot).
    pub(crate) fn check(&self, columns: usize) -> Result<(), ModelError> {
        if columns == 0 {
            return Err(ModelError::Spec("a model needs at least one feature column"));
        }
        match self {
            Self::LogisticRegression {} => Ok(()),
            Self::Mlp { hidden } => check_hidden(hidden),
            Self::Gru { .. } | Self::Transformer { .. } => self.check_shape(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ModelSpec, toml::de::Error> {
        #[derive(Deserialize)]
        struct File {
            model: ModelSpec,
        }
        toml::from_str::<File>(text).map(|file| file.model)
    }

    #[test]
    fn files_name_models_in_kebab_case() {
        assert_eq!(parse("model.logistic-regression = {}").unwrap(), ModelSpec::LogisticRegression {});
        assert_eq!(parse("[model.mlp]\nhidden = [32]").unwrap(), ModelSpec::Mlp { hidden: vec![32] });
    }

    #[test]
    fn unknown_models_keys_and_empty_layers_are_refused() {
        for text in [
            "model.forest = {}",
            "model.logistic-regression = { hidden = [3] }",
            "model.mlp = { hidden = [3], dropout = 0.5 }",
            "model.mlp = { hidden = [3, 0] }",
            "model.mlp = { hidden = [] }",
            "model.mlp = {}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let message = parse("model.mlp = { hidden = [0] }").unwrap_err().to_string();
        assert!(message.contains("width 0"), "{message}");
    }

    #[test]
    fn examples_survive_a_round_trip_through_text() {
        for spec in ModelSpec::examples() {
            let text = toml::to_string(&std::collections::BTreeMap::from([("model", &spec)])).unwrap();
            assert_eq!(parse(&text).unwrap(), spec);
        }
    }

    #[test]
    fn parameters_are_counted_by_hand() {
        assert_eq!(ModelSpec::LogisticRegression {}.parameters(40), 41);
        assert_eq!(ModelSpec::Mlp { hidden: vec![32] }.parameters(40), 40 * 32 + 32 + 32 + 1);
        let layers = ModelSpec::Mlp { hidden: vec![3] }.layers(2);
        assert_eq!(layers[1], LayerShape { inputs: 3, outputs: 1, offset: 9 });
        assert_eq!((layers[0].bias(), layers[1].bias(), layers[1].end()), (6, 12, 13));
    }

    #[test]
    fn the_untrained_logistic_regression_predicts_the_prior() {
        let params = ModelSpec::LogisticRegression {}.init(3, Fraction::new(0.2).unwrap(), Seed::root(1));
        assert!((f64::from(params.0[3]) - (0.25_f64).ln()).abs() < 1e-6);
        assert_eq!(&params.0[..3], &[0.0; 3]);
    }

    #[test]
    fn hidden_weights_stay_in_their_bound_and_fill_it() {
        let params = ModelSpec::Mlp { hidden: vec![64] }.init(24, Fraction::new(0.5).unwrap(), Seed::root(1));
        let largest = params.0[..24 * 64].iter().fold(0.0_f32, |a, w| a.max(w.abs()));
        assert!(largest <= 0.5 && largest > 0.49, "{largest}");
    }
}
