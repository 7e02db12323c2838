//! The worker's dealings with sequences: gradients, scores and the slow oracle. The loop over epochs, the optimisers and the course
//! are those of every model (see `trainer`).

use crate::gru::{GruTape, Layers};
use crate::loss::Batch;
use crate::maths::{cross_entropy, sigmoid};
use crate::network::numbers;
use crate::rows::length;
use crate::sequence_network::{Padded, READS_ROWS, READS_SEQUENCES, SequenceNetwork, Source};
use crate::sequences::{Examples, Sequences, Steps};
use crate::{Backward, LayerShape, ModelError, ModelSpec, TrainConfig, Trainer};
use burn::tensor::{Device, Tensor, TensorData, activation::log_sigmoid};

/// Sequences that are scored together. One shape for all, so that the numbers of a row cannot depend on what stands beside it.
const SCORE_SEQUENCES: usize = 64;

/// What a worker for a sequence model holds beyond that for rows.
#[derive(Debug)]
pub(crate) struct SequenceWorker {
    pub(crate) spec: ModelSpec,
    pub(crate) tape: GruTape,
}

impl SequenceWorker {
    /// None for a model over rows.
    pub(crate) fn new(spec: &ModelSpec, columns: usize) -> Option<Self> {
        let hidden = match spec {
            ModelSpec::Gru { hidden } => usize::from(*hidden),
            ModelSpec::Transformer { .. } => 0,
            ModelSpec::LogisticRegression {} | ModelSpec::BinnedLogistic { .. } | ModelSpec::Mlp { .. } => {
                return None;
            }
        };
        Some(Self { spec: spec.clone(), tape: GruTape::new(columns, hidden) })
    }

    pub(crate) const fn is_recurrent(&self) -> bool {
        matches!(self.spec, ModelSpec::Gru { .. })
    }

    /// Logits of the rows in `batch` by burn, in a rectangle of `steps` steps.
    fn burn_logits(
        &self,
        (shapes, weights): (&[LayerShape], &[f32]),
        steps: &Steps<'_>,
        batch: &[u32],
        rectangle: usize,
    ) -> Result<Vec<f32>, ModelError> {
        let device = Device::flex();
        let source = Source { shapes, weights, device: &device, trains: false };
        let network = SequenceNetwork::from_flat(&self.spec, source)?;
        numbers(network.forward(&Padded::new(steps, batch, Some(rectangle), &device)))
    }
}

impl Trainer {
    /// Checks that weights and examples fit the model, and every number of the examples.
    pub(crate) fn check_examples(&self, weights: &[f32], examples: &Examples<'_>) -> Result<(), ModelError> {
        length("the weights", self.parameters(), weights.len())?;
        match (examples, &self.sequence) {
            (Examples::Rows(rows), None) => {
                rows.check_lengths(self.columns())?;
                rows.check_values()
            }
            (Examples::Sequences(sequences), Some(_)) => sequences.check(self.columns()),
            (Examples::Rows(_), Some(_)) => Err(ModelError::Spec(READS_SEQUENCES)),
            (Examples::Sequences(_), None) => Err(ModelError::Spec(READS_ROWS)),
        }
    }

    /// Puts the gradient of one batch into `self.gradient`; the sum of its weighted losses.
    pub(crate) fn sequence_gradient(
        &mut self,
        weights: &[f32],
        sequences: &Sequences<'_>,
        batch: &[u32],
        config: &TrainConfig,
        mass: f64,
    ) -> Result<f64, ModelError> {
        let outcomes = sequences.outcomes();
        let whole = Batch { rows: &outcomes, of: batch, positive: config.positive_weight, mass };
        let Self { backward, shapes, gradient, sequence, autodiff, .. } = self;
        let worker = sequence.as_mut().ok_or(ModelError::Spec(READS_ROWS))?;
        match backward {
            Backward::Fused => {
                let (tape, layers) = (&mut worker.tape, Layers::of(shapes, weights));
                tape.forward(layers, &sequences.steps, batch, None);
                let loss = config.loss.slopes(&mut tape.slopes, &tape.logits, whole);
                tape.gradient(layers, shapes, gradient);
                Ok(loss)
            }
            Backward::Burn => {
                let source = Source { shapes, weights, device: autodiff, trains: true };
                let network = SequenceNetwork::from_flat(&worker.spec, source)?;
                let logits = network.forward(&Padded::new(&sequences.steps, batch, None, autodiff));
                let mut slopes = Vec::with_capacity(batch.len());
                let loss = config.loss.slopes(&mut slopes, &numbers(logits.clone().inner())?, whole);
                // The surrogate Σ z·slope has the gradient of the loss.
                let slopes = Tensor::from_data(TensorData::new(slopes, [batch.len(), 1]), &*autodiff);
                let mut gradients = (logits * slopes).sum().backward();
                network.read_gradients(&mut gradients, shapes, gradient)?;
                Ok(loss)
            }
        }
    }

    /// The gradient of the weighted mean cross-entropy by burn's differentiation of the textbook loss: the oracle.
    #[allow(clippy::cast_possible_truncation)] // The total weight enters an f32 loss.
    pub(crate) fn textbook_sequence_gradient(
        &mut self,
        weights: &[f32],
        sequences: &Sequences<'_>,
    ) -> Result<Vec<f32>, ModelError> {
        let mut out = vec![0.0; weights.len()];
        let mass: f64 = sequences.weights.iter().map(|&weight| f64::from(weight)).sum();
        if mass > 0.0 {
            let Self { shapes, autodiff: device, sequence, .. } = self;
            let worker = sequence.as_ref().ok_or(ModelError::Spec(READS_ROWS))?;
            let all: Vec<u32> = (0_u32..).zip(sequences.labels).map(|(row, _)| row).collect();
            let source = Source { shapes, weights, device, trains: true };
            let network = SequenceNetwork::from_flat(&worker.spec, source)?;
            let logits = network.forward(&Padded::new(&sequences.steps, &all, None, device));
            let column = |values: &[f32]| {
                Tensor::<2>::from_data(TensorData::new(values.to_vec(), [values.len(), 1]), &*device)
            };
            let (labels, share) =
                (column(sequences.labels), column(sequences.weights).div_scalar(mass as f32));
            let loss = (labels.neg() + 1.0) * logits.clone() - log_sigmoid(logits);
            let mut gradients = (loss * share).sum().backward();
            network.read_gradients(&mut gradients, shapes, &mut out)?;
        }
        Ok(out)
    }

    /// Scores sequences, each in `[0, 1]`. A sequence's score depends on that sequence alone, bit for bit.
    ///
    /// # Errors
    /// If lengths or codes do not fit, or a score is not a finite number.
    pub fn score_sequences(&mut self, weights: &[f32], steps: &Steps<'_>) -> Result<Vec<f32>, ModelError> {
        length("the weights", self.parameters(), weights.len())?;
        steps.check(self.columns())?;
        let mut scores = self.sequence_logits(weights, steps)?;
        for (row, score) in scores.iter_mut().enumerate() {
            *score = sigmoid(*score);
            if score.is_nan() {
                return Err(ModelError::Score { row });
            }
        }
        Ok(scores)
    }

    /// The unweighted cross-entropy of each sequence.
    pub(crate) fn sequence_losses(
        &mut self,
        weights: &[f32],
        sequences: &Sequences<'_>,
    ) -> Result<Vec<f32>, ModelError> {
        let mut losses = self.sequence_logits(weights, &sequences.steps)?;
        losses.iter_mut().zip(sequences.labels).for_each(|(z, &label)| *z = cross_entropy(*z, label).0);
        Ok(losses)
    }

    /// Blocks of one width go through the recurrent unit, the long sequences apart from the short ones. burn's products are of the
    /// whole rectangle, so its length must be the row's own business too: the next power of two.
    fn sequence_logits(&mut self, weights: &[f32], steps: &Steps<'_>) -> Result<Vec<f32>, ModelError> {
        let Self { shapes, sequence, .. } = self;
        let worker = sequence.as_mut().ok_or(ModelError::Spec(READS_ROWS))?;
        let rectangle = |row: u32| steps.sequence(row as usize).len().next_power_of_two();
        let mut order: Vec<u32> = (0_u32..).zip(steps.ends).map(|(row, _)| row).collect();
        order.sort_by_key(|&row| rectangle(row));
        let mut logits = vec![0.0; order.len()];
        for alike in order.chunk_by(|&a, &b| rectangle(a) == rectangle(b)) {
            for block in alike.chunks(SCORE_SEQUENCES) {
                let values = if worker.is_recurrent() {
                    let tape = &mut worker.tape;
                    tape.forward(Layers::of(shapes, weights), steps, block, Some(SCORE_SEQUENCES));
                    tape.logits.clone()
                } else {
                    let mut full = block.to_vec();
                    full.resize(SCORE_SEQUENCES, block[0]);
                    worker.burn_logits((shapes, weights), steps, &full, rectangle(block[0]))?
                };
                block.iter().zip(values).for_each(|(&row, value)| logits[row as usize] = value);
            }
        }
        Ok(logits)
    }
}
