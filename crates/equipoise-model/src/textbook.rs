//! The slow, obvious loop: burn's module, loss by automatic differentiation, burn's own optimisers. What a reader of burn's
//! book would write, kept to show that [`Trainer::train`](crate::Trainer::train) is the same thing with less overhead.

use crate::network::{Network, numbers, tensor};
use crate::{Backward, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor, activation::log_sigmoid};
use equipoise_core::{Draw, Fraction, Seed};

/// Collects a module's parameters in field order.
struct Flatten(Vec<f32>);

impl ModuleVisitor for Flatten {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.extend(numbers(param.val().inner()).unwrap());
    }
}

fn optimiser(config: &TrainConfig) -> ModuleOptimizer {
    let decay = Some(WeightDecayConfig::new(config.weight_decay as f32));
    match config.optimiser {
        Optimiser::Sgd { momentum } => {
            let momentum = MomentumConfig::new().with_momentum(momentum).with_dampening(0.0);
            SgdConfig::new().with_weight_decay(decay).with_momentum(Some(momentum)).init()
        }
        Optimiser::Adam { beta1, beta2, epsilon } => AdamConfig::new()
            .with_beta_1(beta1 as f32)
            .with_beta_2(beta2 as f32)
            .with_epsilon(epsilon as f32)
            .with_weight_decay(decay)
            .init(),
    }
}

/// `config.epochs` full-batch steps.
fn textbook(spec: &ModelSpec, weights: &[f32], rows: &Rows<'_>, config: &TrainConfig) -> Vec<f32> {
    let (device, shape) = (Device::flex().autodiff(), [rows.len(), 1]);
    let mut network = Network::from_flat(&spec.layers(rows.columns), weights, &device);
    let mut optimiser = optimiser(config);
    for _ in 0..config.epochs {
        let logits = network.forward(tensor(rows.values.to_vec(), [rows.len(), rows.columns], &device));
        let labels = tensor(rows.labels.to_vec(), shape, &device);
        let factor = labels.clone() * (config.positive_weight - 1.0) + 1.0;
        let row_weights = tensor(rows.weights.to_vec(), shape, &device);
        let loss = (labels.neg() + 1.0) * logits.clone() - log_sigmoid(logits);
        let loss = (loss * factor * row_weights.clone()).sum() / row_weights.sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimiser.step(config.learning_rate, network, gradients);
    }
    let mut flat = Flatten(Vec::new());
    network.visit(&mut flat);
    flat.0
}

fn data() -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let mut rng = Seed::root(8).rng();
    let values: Vec<f32> = (0..50 * 6).map(|_| rng.normal() as f32).collect();
    let labels = values.chunks(6).map(|row| f32::from(u8::from(row[0] > 0.3))).collect();
    (values, labels, (0..50).map(|_| (0.5 + rng.uniform()) as f32).collect())
}

#[test]
fn training_equals_the_textbook_loop() {
    let (values, labels, weights) = data();
    let rows = Rows { columns: 6, values: &values, labels: &labels, weights: &weights };
    let rules = [
        Optimiser::Sgd { momentum: 0.0 },
        Optimiser::Sgd { momentum: 0.9 },
        Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-6 },
    ];
    for spec in ModelSpec::examples_over_rows() {
        for optimiser in rules.clone() {
            let config = TrainConfig {
                trainer: Backward::Fused,
                epochs: 8,
                batch: 50,
                learning_rate: 0.05,
                weight_decay: 0.01,
                positive_weight: 3.0,
                loss: crate::Loss::CrossEntropy {},
                optimiser,
            };
            let start = spec.init(6, Fraction::new(0.4).unwrap(), Seed::root(1)).0;
            let book = textbook(&spec, &start, &rows, &config);
            for mut trainer in
                [Trainer::new(&spec, 6).unwrap(), Trainer::with(&spec, 6, Backward::Burn).unwrap()]
            {
                let mut ours = start.clone();
                trainer.train(&mut ours, &rows, &config, Seed::root(1)).unwrap();
                let gap = ours.iter().zip(&book).fold(0.0_f32, |gap, (a, b)| gap.max((a - b).abs()));
                assert!(gap < 1e-4, "{} {:?}: {gap}", spec.describe(), config.optimiser);
            }
        }
    }
}

#[test]
fn a_flat_vector_survives_the_module_bit_for_bit() {
    for spec in ModelSpec::examples_over_rows() {
        let weights = spec.init(6, Fraction::new(0.4).unwrap(), Seed::root(1)).0;
        let mut flat = Flatten(Vec::new());
        Network::from_flat(&spec.layers(6), &weights, &Device::flex().autodiff()).visit(&mut flat);
        assert_eq!(flat.0, weights);
    }
}
