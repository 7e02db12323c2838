//! Several clients of one model at once: weights `[clients, inputs, outputs]`, rows `[clients, batch, inputs]`, one batched product a layer. The
//! shape that a GPU wants, where a client's own products are too small to fill it; on a processor it saves dispatch (1.1 to 1.9 times burn, one
//! client at a time), and the fused path stays ahead.
//!
//! Passes are written by hand on burn's tensors, without its graph and the lock around that. Rows go to the device once; a step sends row numbers,
//! labels and weights, and nothing comes back before the last step. The result is that of [`Trainer`](crate::Trainer) to rounding: same batches,
//! same order, same optimisers.
//!
//! **Not promised**: losses other than cross-entropy, bent courses ([`Course`](crate::Course)), clipped sums. With the cargo feature `gpu` the same
//! code is meant for wgpu; that build compiles and has not been run (no such machine was at hand).

use crate::network::{numbers, read};
use crate::{LayerShape, Loss, ModelError, ModelSpec, Optimiser, Rows, TrainConfig, TrainStats};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Int, Tensor, TensorData};
use equipoise_core::{Draw, Seed};

/// Where stacked clients are trained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// burn's own processor backend.
    Processor,
    /// The best GPU that wgpu finds. Untested.
    #[cfg(feature = "gpu")]
    Gpu,
}

/// A worker that trains stacks of clients.
#[derive(Debug)]
pub struct Stacked {
    spec: ModelSpec,
    columns: usize,
    device: Device,
}

/// Weights and biases of one layer of all clients, and what the optimiser remembers of each.
struct Layer {
    weight: Moving,
    bias: Moving,
}

/// Parameters `[clients, ..]` with their first and second moment.
struct Moving {
    value: Tensor<3>,
    first: Tensor<3>,
    second: Tensor<3>,
}

/// One step of one client: which rows, and what they weigh in all.
struct Step {
    epoch: u16,
    rows: Vec<u32>,
    mass: f64,
}

impl Stacked {
    /// A worker for `spec` over `columns` features.
    ///
    /// # Errors
    /// If the specification describes no model.
    pub fn new(spec: &ModelSpec, columns: usize, place: Place) -> Result<Self, ModelError> {
        spec.check(columns)?;
        if spec.reads_sequences() {
            return Err(ModelError::Spec(crate::sequence_network::READS_SEQUENCES));
        }
        let device = match place {
            Place::Processor => Device::flex(),
            #[cfg(feature = "gpu")]
            Place::Gpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        };
        Ok(Self { spec: spec.clone(), columns, device })
    }

    /// Trains `weights[c]` in place on the rows of client `c`, as [`Trainer::train`](crate::Trainer::train) does with `seeds[c]`. A client that
    /// diverges is its own error and its weights must not be used; the others are not touched by it.
    ///
    /// # Errors
    /// If lengths, numbers or settings do not fit.
    ///
    /// # Panics
    /// If there are not as many weights, clients and seeds.
    #[allow(clippy::cast_possible_truncation)] // A client has fewer than 2^32 rows and steps.
    pub fn train(
        &self,
        weights: &mut [Vec<f32>],
        clients: &[Rows<'_>],
        config: &TrainConfig,
        seeds: &[Seed],
    ) -> Result<Vec<Result<TrainStats, ModelError>>, ModelError> {
        assert!(weights.len() == clients.len() && clients.len() == seeds.len(), "one of each a client");
        config.check()?;
        if !matches!(config.loss, Loss::CrossEntropy {}) {
            return Err(ModelError::Spec("stacked clients are trained on cross-entropy; use trainer `burn`"));
        }
        let shapes = self.spec.layers(self.columns);
        for (weights, rows) in weights.iter().zip(clients) {
            crate::rows::length("the weights", self.spec.parameters(self.columns), weights.len())?;
            rows.check_lengths(self.columns)?;
            rows.check_values()?;
        }
        let plans: Vec<Vec<Step>> =
            clients.iter().zip(seeds).map(|(rows, seed)| steps(rows, config, *seed)).collect();
        let longest = plans.iter().map(Vec::len).max().unwrap_or(0);
        let mut losses = Vec::with_capacity(longest);
        if longest > 0 {
            let features = self.features(clients, shapes[0].inputs);
            let mut layers: Vec<Layer> = shapes.iter().map(|shape| self.upload(shape, weights)).collect();
            for at in 0..longest {
                losses.push(self.step(&mut layers, &features, (clients, &plans, at), config));
            }
            for (layer, shape) in layers.into_iter().zip(&shapes) {
                download(layer, shape, weights)?;
            }
        }
        let losses = if losses.is_empty() { vec![] } else { numbers(Tensor::cat(losses, 1))? };
        let ended = |(client, (plan, rows)): (usize, (&Vec<Step>, &Rows<'_>))| {
            let losses = &losses[client * longest..client * longest + plan.len()];
            stats(plan, losses, rows.len() as u32)
        };
        Ok(plans.iter().zip(clients).enumerate().map(ended).collect())
    }

    /// All clients' rows, one after another, and a last row of zeros that fills batches up.
    fn features(&self, clients: &[Rows<'_>], inputs: usize) -> Tensor<2> {
        let mut values = Vec::new();
        for rows in clients {
            match self.spec.bins() {
                Some(bins) => values.extend(bins.write_out(rows.values)),
                None => values.extend_from_slice(rows.values),
            }
        }
        values.resize(values.len() + inputs, 0.0);
        let rows = values.len() / inputs;
        Tensor::from_data(TensorData::new(values, [rows, inputs]), &self.device)
    }

    fn upload(&self, shape: &LayerShape, weights: &[Vec<f32>]) -> Layer {
        let part = |from: usize, to: usize, rows: usize| {
            let values: Vec<f32> = weights.iter().flat_map(|weights| &weights[from..to]).copied().collect();
            let value = self.stack(values, [weights.len(), rows, shape.outputs]);
            Moving { first: value.zeros_like(), second: value.zeros_like(), value }
        };
        Layer {
            weight: part(shape.offset, shape.bias(), shape.inputs),
            bias: part(shape.bias(), shape.end(), 1),
        }
    }

    fn stack(&self, values: Vec<f32>, shape: [usize; 3]) -> Tensor<3> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    /// Step `at` of every client that has one; the sums of weighted losses, `[clients, 1, 1]`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // Rows of a stack fit an i32; slopes are f32.
    fn step(
        &self,
        layers: &mut [Layer],
        features: &Tensor<2>,
        (clients, plans, at): (&[Rows<'_>], &[Vec<Step>], usize),
        config: &TrainConfig,
    ) -> Tensor<3> {
        let (count, batch) = (clients.len(), usize::from(config.batch));
        let zeros = (features.dims()[0] - 1) as i32;
        let mut chosen = vec![zeros; count * batch];
        let (mut labels, mut shares) = (vec![0.0; count * batch], vec![0.0; count * batch]);
        let (mut masses, mut active) = (vec![0.0; count], vec![0.0; count]);
        let mut first = 0;
        for (client, (rows, plan)) in clients.iter().zip(plans).enumerate() {
            if let Some(step) = plan.get(at) {
                (masses[client], active[client]) = (step.mass as f32, 1.0);
                for (slot, &row) in (client * batch..).zip(&step.rows) {
                    let (label, weight) = (rows.labels[row as usize], rows.weights[row as usize]);
                    let weight =
                        f64::from(weight) * (1.0 + (config.positive_weight - 1.0) * f64::from(label));
                    (chosen[slot], labels[slot]) = (first + row as i32, label);
                    shares[slot] = (weight / step.mass) as f32;
                }
            }
            first += rows.len() as i32;
        }
        let chosen: Tensor<1, Int> =
            Tensor::from_data(TensorData::new(chosen, [count * batch]), &self.device);
        let rows = features.clone().select(0, chosen).reshape([count, batch, features.dims()[1]]);
        let labels = self.stack(labels, [count, batch, 1]);
        let shares = self.stack(shares, [count, batch, 1]);
        let active = self.stack(active, [count, 1, 1]);

        let mut inputs = vec![rows];
        let last = layers.len() - 1;
        for (index, layer) in layers.iter().enumerate() {
            let out = inputs[index].clone().matmul(layer.weight.value.clone()) + layer.bias.value.clone();
            inputs.push(if index == last { out } else { relu(out) });
        }
        let logits = inputs.pop().expect("a model has a layer");
        let soft = logits.clone().abs().neg().exp().log1p();
        let loss = relu(logits.clone()) - logits.clone() * labels.clone() + soft;
        let loss = (loss * shares.clone()).sum_dim(1) * self.stack(masses, [count, 1, 1]);
        let mut delta = (sigmoid(logits) - labels) * shares;
        for index in (0..layers.len()).rev() {
            let input = &inputs[index];
            let (slope, bias) =
                (input.clone().swap_dims(1, 2).matmul(delta.clone()), delta.clone().sum_dim(1));
            if index > 0 {
                // The input of a later layer is a ReLU's output: where it is zero, nothing goes back.
                let weight = layers[index].weight.value.clone().swap_dims(1, 2);
                delta = delta.matmul(weight) * input.clone().sign();
            }
            let turn = (at + 1, &active, config);
            layers[index].weight.follow(slope, turn);
            layers[index].bias.follow(bias, turn);
        }
        loss
    }
}

impl Moving {
    /// One step against `slope` for the clients that are `active`; the rules of `optimiser`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Settings are f64 in files, the arithmetic is f32.
    fn follow(&mut self, slope: Tensor<3>, (step, active, config): (usize, &Tensor<3>, &TrainConfig)) {
        let slope = slope + self.value.clone() * (config.weight_decay as f32);
        let change = match config.optimiser {
            Optimiser::Sgd { momentum } => {
                self.first = self.first.clone() * (momentum as f32) + slope;
                self.first.clone() * (config.learning_rate as f32)
            }
            Optimiser::Adam { beta1, beta2, epsilon } => {
                let root = libm::sqrt(1.0 - libm::pow(beta2, step as f64));
                let scale = config.learning_rate * root / (1.0 - libm::pow(beta1, step as f64));
                let (keep, keep_square) = (beta1 as f32, beta2 as f32);
                self.first = self.first.clone() * keep + slope.clone() * (1.0 - keep);
                self.second = self.second.clone() * keep_square + slope.clone() * slope * (1.0 - keep_square);
                let spread = self.second.clone().sqrt() + (epsilon * root) as f32;
                self.first.clone() * (scale as f32) / spread
            }
        };
        self.value = self.value.clone() - change * active.clone();
    }
}

/// The steps of a client, as `Trainer` takes them: batches whose rows all weigh nothing are none.
#[allow(clippy::cast_possible_truncation)] // A client has fewer than 2^32 rows.
fn steps(rows: &Rows<'_>, config: &TrainConfig, seed: Seed) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut order: Vec<u32> = Vec::with_capacity(rows.len());
    for epoch in 0..config.epochs {
        order.clear();
        order.extend(0..rows.len() as u32);
        seed.derive("epoch", u64::from(epoch)).rng().shuffle(&mut order);
        for batch in order.chunks(usize::from(config.batch)) {
            let mass: f64 = batch.iter().map(|&row| f64::from(rows.weights[row as usize])).sum();
            if mass > 0.0 {
                steps.push(Step { epoch, rows: batch.to_vec(), mass });
            }
        }
    }
    steps
}

fn download(layer: Layer, shape: &LayerShape, weights: &mut [Vec<f32>]) -> Result<(), ModelError> {
    for (part, from, to) in
        [(layer.weight, shape.offset, shape.bias()), (layer.bias, shape.bias(), shape.end())]
    {
        let mut all = vec![0.0; weights.len() * (to - from)];
        read(part.value, &mut all)?;
        for (weights, values) in weights.iter_mut().zip(all.chunks_exact(to - from)) {
            weights[from..to].copy_from_slice(values);
        }
    }
    Ok(())
}

/// What `Trainer` says of a client whose steps had these losses.
#[allow(clippy::cast_possible_truncation)] // A client has fewer than 2^32 steps.
fn stats(plan: &[Step], losses: &[f32], rows: u32) -> Result<TrainStats, ModelError> {
    if let Some(step) = losses.iter().position(|loss| !loss.is_finite()) {
        return Err(ModelError::Diverged { step: step as u32 });
    }
    let mean = |epoch: Option<u16>| {
        let of = |step: &&(&Step, &f32)| Some(step.0.epoch) == epoch;
        let all: Vec<_> = plan.iter().zip(losses).collect();
        let (loss, mass) = all
            .iter()
            .filter(of)
            .fold((0.0, 0.0), |(loss, mass), (step, part)| (loss + f64::from(**part), mass + step.mass));
        if mass > 0.0 { loss / mass } else { 0.0 }
    };
    let (first, last) = (plan.first().map(|step| step.epoch), plan.last().map(|step| step.epoch));
    Ok(TrainStats { loss_first: mean(first), loss_last: mean(last), steps: plan.len() as u32, rows })
}
