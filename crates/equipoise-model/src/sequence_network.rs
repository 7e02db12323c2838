//! Sequence models as burn modules: the rectangle that burn asks for, and the way between a module and a flat vector.
//!
//! burn works on `[rows, steps, columns]`, so shorter sequences are filled up with zeros at their end. What stands there enters no
//! number: the recurrent unit is read at a row's own last step, attention to what is not there weighs exactly zero, and means
//! count what is there.

use crate::network::{numbers, read};
use crate::network_gru::GruNetwork;
use crate::network_transformer::TransformerNetwork;
use crate::sequences::Steps;
use crate::{LayerShape, ModelError, ModelSpec};
use burn::module::{Param, ParamId};
use burn::tensor::{Bool, Device, Gradients, Tensor, TensorData};

/// Sequences of a batch, filled up to the longest.
#[derive(Debug)]
pub(crate) struct Padded {
    /// `[rows, steps, columns]`.
    pub(crate) features: Tensor<3>,
    /// How many steps each row has.
    pub(crate) lengths: Vec<usize>,
    /// Steps of the rectangle, at least 1.
    pub(crate) steps: usize,
    pub(crate) device: Device,
}

impl Padded {
    /// The rows in `batch` as a rectangle of `steps` steps, or as many as the longest has.
    pub(crate) fn new(sequences: &Steps<'_>, batch: &[u32], steps: Option<usize>, device: &Device) -> Self {
        let lengths: Vec<usize> = batch.iter().map(|&row| sequences.sequence(row as usize).len()).collect();
        let steps = steps.unwrap_or(lengths.iter().copied().max().unwrap_or(0)).max(1);
        let columns = sequences.codebook.columns();
        let mut values = Vec::with_capacity(batch.len() * steps * columns);
        for (place, &row) in batch.iter().enumerate() {
            for &code in sequences.sequence(row as usize) {
                values.extend_from_slice(sequences.codebook.step(code));
            }
            values.resize((place + 1) * steps * columns, 0.0);
        }
        let features = Tensor::from_data(TensorData::new(values, [batch.len(), steps, columns]), device);
        Self { features, lengths, steps, device: device.clone() }
    }

    /// Numbers of row and step, `[rows, steps]`, as a constant.
    fn table(&self, of: impl Fn(usize, usize) -> f32) -> Tensor<2> {
        let values = self.lengths.iter().flat_map(|&length| (0..self.steps).map(move |step| (length, step)));
        let values: Vec<f32> = values.map(|(length, step)| of(length, step)).collect();
        Tensor::from_data(TensorData::new(values, [self.lengths.len(), self.steps]), &self.device)
    }

    /// One at each row's last step, `[rows, steps, 1]`.
    pub(crate) fn last(&self) -> Tensor<3> {
        self.table(|length, step| f32::from(u8::from(step + 1 == length))).unsqueeze_dim(2)
    }

    /// Each step's share of its row, `[rows, steps, 1]`; all zero for a row without steps.
    #[allow(clippy::cast_precision_loss)] // A sequence has at most 2^24 steps.
    pub(crate) fn share(&self) -> Tensor<3> {
        self.table(|length, step| if step < length { 1.0 / length as f32 } else { 0.0 }).unsqueeze_dim(2)
    }

    /// Where there is no step, `[rows, steps]`.
    pub(crate) fn absent(&self) -> Tensor<2, Bool> {
        self.table(|length, step| f32::from(u8::from(step >= length))).greater_elem(0.5)
    }
}

/// A sequence model.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // One lives at a time, for one batch.
pub(crate) enum SequenceNetwork {
    Gru(GruNetwork),
    Transformer(TransformerNetwork),
}

/// Where a module's tensors come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) shapes: &'a [LayerShape],
    pub(crate) weights: &'a [f32],
    pub(crate) device: &'a Device,
    /// Whether gradients are asked for; then `device` differentiates.
    pub(crate) trains: bool,
}

impl Source<'_> {
    /// A parameter of the module.
    pub(crate) fn param<const D: usize>(
        &self,
        id: usize,
        values: Vec<f32>,
        shape: [usize; D],
    ) -> Param<Tensor<D>> {
        let tensor = Tensor::from_data(TensorData::new(values, shape), self.device);
        let tensor = if self.trains { tensor.require_grad() } else { tensor };
        Param::initialized(ParamId::from(id as u64), tensor)
    }
}

impl SequenceNetwork {
    /// The model with flat `weights` as fresh leaves.
    pub(crate) fn from_flat(spec: &ModelSpec, source: Source<'_>) -> Result<Self, ModelError> {
        match *spec {
            ModelSpec::Gru { hidden } => Ok(Self::Gru(GruNetwork::from_flat(usize::from(hidden), source))),
            ModelSpec::Transformer { heads, layers, .. } => Ok(Self::Transformer(
                TransformerNetwork::from_flat(usize::from(heads), usize::from(layers), source),
            )),
            ModelSpec::LogisticRegression {} | ModelSpec::Mlp { .. } => Err(ModelError::Spec(READS_ROWS)),
        }
    }

    /// Logits `[rows, 1]`.
    pub(crate) fn forward(&self, batch: &Padded) -> Tensor<2> {
        match self {
            Self::Gru(network) => network.forward(batch),
            Self::Transformer(network) => network.forward(batch),
        }
    }

    /// Writes the gradients of this network's leaves in the flat layout.
    pub(crate) fn read_gradients(
        &self,
        gradients: &mut Gradients,
        shapes: &[LayerShape],
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        match self {
            Self::Gru(network) => network.read_gradients(gradients, shapes, out),
            Self::Transformer(network) => network.read_gradients(gradients, shapes, out),
        }
    }
}

/// Why a model over rows is no sequence model, and the other way round.
pub(crate) const READS_ROWS: &str = "this model reads rows, not sequences; train it on `Rows`";
pub(crate) const READS_SEQUENCES: &str = "this model reads sequences, not rows; train it on `Sequences`";

/// Copies the gradient of one parameter into `out`.
pub(crate) fn read_gradient<const D: usize>(
    param: &Param<Tensor<D>>,
    gradients: &mut Gradients,
    (layer, part): (usize, &'static str),
    out: &mut [f32],
) -> Result<(), ModelError> {
    let missing = ModelError::MissingGradient { layer, part };
    read(param.val().grad_remove(gradients).ok_or(missing)?, out)
}

/// The gradient of one parameter.
pub(crate) fn take_gradient<const D: usize>(
    param: &Param<Tensor<D>>,
    gradients: &mut Gradients,
    (layer, part): (usize, &'static str),
) -> Result<Vec<f32>, ModelError> {
    numbers(param.val().grad_remove(gradients).ok_or(ModelError::MissingGradient { layer, part })?)
}
