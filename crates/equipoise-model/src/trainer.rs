//! One worker that trains and scores flat parameter vectors, many clients one after another.
//!
//! A worker keeps buffers, never values, between clients: what a client gets depends on its weights, rows, settings and
//! seed alone. Workers are independent, so any number may run in parallel threads and give the same bytes.

use crate::config::demand;
use crate::fused::Tape;
use crate::loss::Batch;
use crate::network::{Network, numbers, tensor};
use crate::one_hot::Bins;
use crate::optimiser::OptimiserState;
use crate::rows::length;
use crate::sequence_network::READS_SEQUENCES;
use crate::sequence_trainer::SequenceWorker;
use crate::{Examples, LayerShape, ModelError, ModelSpec, Optimiser, Rows, TrainConfig};
use burn::tensor::{Device, Tensor, activation::log_sigmoid};
use equipoise_core::{Draw, Seed};
use serde::{Deserialize, Serialize};

/// A worker for one model shape. `Send`, so that each thread may own one.
#[derive(Debug)]
pub struct Trainer {
    pub(crate) shapes: Vec<LayerShape>,
    columns: usize,
    pub(crate) bins: Option<Bins>,
    pub(crate) tape: Tape,
    /// For a model that reads sequences.
    pub(crate) sequence: Option<SequenceWorker>,
    pub(crate) autodiff: Device,
    pub(crate) backward: Backward,
    optimiser: OptimiserState,
    pub(crate) gradient: Vec<f32>,
    /// What a clipped sum is added up in.
    pub(crate) sum: Vec<f64>,
    order: Vec<u32>,
}

/// Who differentiates. They agree to rounding, not to the bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backward {
    /// Passes written out by hand on flat slices.
    Fused,
    /// burn's automatic differentiation over the burn module: the reference. Its graph sits behind one lock for all threads.
    Burn,
}

/// What bends training away from following a client's own gradient, and how much of it there is time for.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// `strength (w - there)` is added to every gradient: the proximal term of `FedProx` and Ditto.
    pub towards: Option<(&'a [f32], f64)>,
    /// Added to the weights after each step: the correction of SCAFFOLD.
    pub each_step: Option<&'a [f32]>,
    /// Share of all steps that is taken, rounded up, in `(0, 1]`: the partial work of a straggler.
    pub effort: f64,
}

impl Default for Course<'_> {
    /// Straight on, to the end.
    fn default() -> Self {
        Self { towards: None, each_step: None, effort: 1.0 }
    }
}

impl Course<'_> {
    #[allow(clippy::cast_possible_truncation)] // Strengths are f64 in files, the arithmetic is f32.
    fn bend(&self, gradient: &mut [f32], weights: &[f32]) {
        if let Some((there, strength)) = self.towards {
            let strength = strength as f32;
            for ((slope, weight), there) in gradient.iter_mut().zip(weights).zip(there) {
                *slope += strength * (weight - there);
            }
        }
    }

    fn correct(&self, weights: &mut [f32]) {
        if let Some(step) = self.each_step {
            weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step);
        }
    }

    fn check(&self, parameters: usize) -> Result<(), ModelError> {
        let effort = self.effort > 0.0 && self.effort <= 1.0;
        demand("effort", "above 0 and at most 1", self.effort, effort)?;
        self.towards.map_or(Ok(()), |(there, _)| length("the anchor", parameters, there.len()))?;
        self.each_step.map_or(Ok(()), |step| length("the correction", parameters, step.len()))
    }
}

/// How one client's training went.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TrainStats {
    /// Weighted mean loss over the first epoch, each row before the step that it takes part in.
    pub loss_first: f64,
    /// The same over the last epoch.
    pub loss_last: f64,
    /// Steps taken.
    pub steps: u32,
    /// Rows of the client.
    pub rows: u32,
}

impl Trainer {
    /// A worker for `spec` over `columns` features on the fused path.
    ///
    /// # Errors
    /// If the specification describes no model.
    pub fn new(spec: &ModelSpec, columns: usize) -> Result<Self, ModelError> {
        Self::with(spec, columns, Backward::Fused)
    }

    /// A worker that trains as `backward` says. Clipped sums and scores are the fused path's either way, where there is one.
    ///
    /// # Errors
    /// If the specification describes no model, or one without passes by hand for [`Backward::Fused`].
    pub fn with(spec: &ModelSpec, columns: usize, backward: Backward) -> Result<Self, ModelError> {
        spec.check(columns)?;
        spec.check_trainer(backward)?;
        let shapes = spec.layers(columns);
        Ok(Self {
            gradient: vec![0.0; spec.parameters(columns)],
            tape: Tape::new(shapes.len(), spec.one_hot(columns)),
            shapes,
            sequence: SequenceWorker::new(spec, columns),
            columns,
            bins: spec.bins(),
            autodiff: Device::flex().autodiff(),
            backward,
            optimiser: OptimiserState::default(),
            sum: Vec::new(),
            order: Vec::new(),
        })
    }

    /// Length of the flat vector.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        self.gradient.len()
    }

    /// Features a row, or a step of a sequence.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Trains `weights` in place on one client's rows. No rows: no step, and losses of 0.
    ///
    /// The loss of a step is `Σ wᵢ pᵢ lossᵢ / Σ wᵢ` over its rows, `p` the positive weight for positives (see [`crate::Loss`] for one
    /// that is no sum over rows). The order of rows in
    /// epoch `e` is drawn at `seed.derive("epoch", e)`.
    ///
    /// # Errors
    /// If lengths, numbers or settings do not fit, or the loss diverges; then `weights` must not be used.
    pub fn train<'a>(
        &mut self,
        weights: &mut [f32],
        rows: impl Into<Examples<'a>>,
        config: &TrainConfig,
        seed: Seed,
    ) -> Result<TrainStats, ModelError> {
        self.train_along(weights, rows, config, seed, &Course::default())
    }

    /// The same on a bent course.
    ///
    /// # Errors
    /// As [`Trainer::train`].
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A client has fewer than 2^32 rows and steps.
    pub fn train_along<'a>(
        &mut self,
        weights: &mut [f32],
        rows: impl Into<Examples<'a>>,
        config: &TrainConfig,
        seed: Seed,
        course: &Course<'_>,
    ) -> Result<TrainStats, ModelError> {
        config.check()?;
        course.check(self.parameters())?;
        let rows = &rows.into();
        self.check_examples(weights, rows)?;
        self.optimiser.reset(&config.optimiser, weights.len());
        let all = rows.len().div_ceil(usize::from(config.batch)) * usize::from(config.epochs);
        let limit = (course.effort * all as f64).ceil() as u32;
        let mut stats = TrainStats { loss_first: 0.0, loss_last: 0.0, steps: 0, rows: rows.len() as u32 };
        let mut order = std::mem::take(&mut self.order);
        for epoch in 0..config.epochs {
            if epoch > 0 && stats.steps >= limit {
                break;
            }
            order.clear();
            order.extend(0..rows.len() as u32);
            seed.derive("epoch", u64::from(epoch)).rng().shuffle(&mut order);
            let loss = self.epoch(weights, rows, config, &order, (course, limit), &mut stats.steps)?;
            if epoch == 0 {
                stats.loss_first = loss;
            }
            stats.loss_last = loss;
        }
        self.order = order;
        Ok(stats)
    }

    /// One pass in `order`; the weighted mean loss.
    fn epoch(
        &mut self,
        weights: &mut [f32],
        rows: &Examples<'_>,
        config: &TrainConfig,
        order: &[u32],
        (course, limit): (&Course<'_>, u32),
        steps: &mut u32,
    ) -> Result<f64, ModelError> {
        let (mut loss, mut mass, row_weights) = (0.0, 0.0, rows.outcomes().weights);
        for batch in order.chunks(usize::from(config.batch)) {
            if *steps >= limit {
                break;
            }
            let batch_mass: f64 = batch.iter().map(|&row| f64::from(row_weights[row as usize])).sum();
            if batch_mass > 0.0 {
                let batch_loss = self.batch_gradient(weights, rows, batch, config, batch_mass)?;
                if !batch_loss.is_finite() {
                    return Err(ModelError::Diverged { step: *steps });
                }
                self.batch_step(weights, config, course);
                loss += batch_loss;
                mass += batch_mass;
                *steps += 1;
            }
        }
        Ok(if mass > 0.0 { loss / mass } else { 0.0 })
    }

    /// Puts the gradient of one batch into `self.gradient`, or on the fused path what it is made of onto the tape; the sum of its
    /// weighted losses.
    fn batch_gradient(
        &mut self,
        weights: &[f32],
        rows: &Examples<'_>,
        batch: &[u32],
        config: &TrainConfig,
        mass: f64,
    ) -> Result<f64, ModelError> {
        let rows = match rows {
            Examples::Rows(rows) => rows,
            Examples::Sequences(sequences) => {
                return self.sequence_gradient(weights, sequences, batch, config, mass);
            }
        };
        let whole = Batch { rows, of: batch, positive: config.positive_weight, mass };
        match self.backward {
            Backward::Fused => {
                let Self { tape, shapes, .. } = self;
                tape.gather(rows, batch);
                tape.forward(shapes, weights);
                let slopes = tape.deltas.last_mut().expect("a model has a layer");
                let loss = config.loss.slopes(slopes, &tape.logits, whole);
                tape.backward(shapes, weights);
                Ok(loss)
            }
            Backward::Burn => {
                let features = self.features(gather(rows, batch), batch.len());
                let network = Network::from_flat(&self.shapes, weights, &self.autodiff);
                let logits = network.forward(features);
                let mut slopes = Vec::with_capacity(batch.len());
                let numbers = numbers(logits.clone().inner())?;
                let loss = config.loss.slopes(&mut slopes, &numbers, whole);
                // The surrogate Σ z·slope has the same gradient as the loss and spares burn the logistic functions.
                let slopes = tensor(slopes, [batch.len(), 1], &self.autodiff);
                let mut gradients = (logits * slopes).sum().backward();
                network.read_gradients(&mut gradients, &self.shapes, &mut self.gradient)?;
                Ok(loss)
            }
        }
    }

    /// One step down what [`Trainer::batch_gradient`] left. Plain descent straight from the tape gives the bytes of a gradient and a
    /// step, and writes neither the one nor passes over the other.
    #[allow(clippy::cast_possible_truncation)] // Settings are f64 in files, the arithmetic is f32.
    fn batch_step(&mut self, weights: &mut [f32], config: &TrainConfig, course: &Course<'_>) {
        let taped = self.backward == Backward::Fused && self.sequence.is_none();
        let plain = config.optimiser == (Optimiser::Sgd { momentum: 0.0 })
            && course.towards.is_none()
            && self.tape.descends();
        if taped && plain {
            let (rate, decay) = (config.learning_rate as f32, config.weight_decay as f32);
            self.tape.descend(&self.shapes, weights, rate, decay);
        } else {
            if taped {
                self.tape.gradient(&self.shapes, &mut self.gradient);
            }
            course.bend(&mut self.gradient, weights);
            self.optimiser.step(weights, &self.gradient, config);
        }
        course.correct(weights);
    }

    /// The gradient of the weighted mean cross-entropy of all rows, by burn's automatic differentiation of the textbook
    /// loss: the slow, obvious version that the others are tested against.
    ///
    /// # Errors
    /// If lengths or numbers do not fit.
    #[allow(clippy::cast_possible_truncation)] // The total weight enters an f32 loss.
    pub fn gradient<'a>(
        &mut self,
        weights: &[f32],
        rows: impl Into<Examples<'a>>,
    ) -> Result<Vec<f32>, ModelError> {
        let examples = rows.into();
        self.check_examples(weights, &examples)?;
        let rows = match examples {
            Examples::Rows(rows) => rows,
            Examples::Sequences(sequences) => return self.textbook_sequence_gradient(weights, &sequences),
        };
        let mut out = vec![0.0; weights.len()];
        let mass: f64 = rows.weights.iter().map(|&weight| f64::from(weight)).sum();
        if mass > 0.0 {
            let (device, shape) = (&self.autodiff, [rows.len(), 1]);
            let network = Network::from_flat(&self.shapes, weights, device);
            let logits = network.forward(self.features(rows.values.to_vec(), rows.len()));
            let labels = tensor(rows.labels.to_vec(), shape, device);
            let share = tensor(rows.weights.to_vec(), shape, device).div_scalar(mass as f32);
            let loss = (labels.neg() + 1.0) * logits.clone() - log_sigmoid(logits);
            let mut gradients = (loss * share).sum().backward();
            network.read_gradients(&mut gradients, &self.shapes, &mut out)?;
        }
        Ok(out)
    }

    pub(crate) fn check(&self, weights: &[f32], rows: &Rows<'_>) -> Result<(), ModelError> {
        length("the weights", self.parameters(), weights.len())?;
        if self.sequence.is_some() {
            return Err(ModelError::Spec(READS_SEQUENCES));
        }
        rows.check_lengths(self.columns)
    }

    /// Features of `rows` rows as burn's first layer takes them.
    fn features(&self, values: Vec<f32>, rows: usize) -> Tensor<2> {
        let values = match self.bins {
            Some(bins) => bins.write_out(&values),
            None => values,
        };
        tensor(values, [rows, self.shapes[0].inputs], &self.autodiff)
    }
}

/// The features of the rows in `batch`, `[batch, columns]`.
fn gather(rows: &Rows<'_>, batch: &[u32]) -> Vec<f32> {
    let mut features = Vec::with_capacity(batch.len() * rows.columns);
    batch.iter().for_each(|&row| features.extend_from_slice(rows.row(row as usize)));
    features
}
