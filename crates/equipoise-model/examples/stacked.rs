//! Times clients trained in stacks beside clients trained one by one, on set-up A (64 features, MLP 128-64, batch 50, 250 rows, one epoch):
//! `cargo run --release -p equipoise-model --example stacked`, and with `--features gpu` on the GPU that wgpu finds as well.
//! The fastest of 20 rounds of 20 clients; trust ratios, and say the load.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use equipoise_core::{Draw, Fraction, Seed};
use equipoise_model::stacked::{Place, Stacked};
use equipoise_model::{Backward, Loss, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};

const CLIENTS: usize = 20;
const ROWS: usize = 250;
const COLUMNS: usize = 64;

/// Fastest microseconds a client.
#[allow(clippy::disallowed_methods)] // An example that measures.
fn fastest(mut round: impl FnMut()) -> f64 {
    let time = |_| {
        let start = std::time::Instant::now();
        round();
        start.elapsed().as_secs_f64() * 1e6 / CLIENTS as f64
    };
    (0..20).map(time).fold(f64::INFINITY, f64::min)
}

fn main() {
    let spec = ModelSpec::Mlp { hidden: vec![128, 64] };
    let mut rng = Seed::root(1).rng();
    let values: Vec<f32> = (0..CLIENTS * ROWS * COLUMNS).map(|_| rng.normal() as f32).collect();
    let labels: Vec<f32> = values.chunks(COLUMNS).map(|row| f32::from(u8::from(row[0] > 1.0))).collect();
    let ones = vec![1.0; ROWS];
    let rows: Vec<Rows<'_>> = values
        .chunks(ROWS * COLUMNS)
        .zip(labels.chunks(ROWS))
        .map(|(values, labels)| Rows { columns: COLUMNS, values, labels, weights: &ones })
        .collect();
    let config = TrainConfig {
        trainer: Backward::Burn,
        epochs: 1,
        batch: 50,
        learning_rate: 0.1,
        weight_decay: 0.0,
        positive_weight: 1.0,
        loss: Loss::CrossEntropy {},
        optimiser: Optimiser::Sgd { momentum: 0.0 },
    };
    let start = spec.init(COLUMNS, Fraction::new(0.1).unwrap(), Seed::root(2)).0;
    let seeds: Vec<Seed> = (0..CLIENTS as u64).map(|client| Seed::root(3).derive("client", client)).collect();
    for backward in [Backward::Fused, Backward::Burn] {
        let mut trainer = Trainer::with(&spec, COLUMNS, backward).unwrap();
        let time = fastest(|| {
            for (rows, seed) in rows.iter().zip(&seeds) {
                trainer.train(&mut start.clone(), rows, &config, *seed).unwrap();
            }
        });
        println!("{backward:?}, one by one: {time:.0} us a client");
    }
    let places = [
        Place::Processor,
        #[cfg(feature = "gpu")]
        Place::Gpu,
    ];
    for place in places {
        let worker = Stacked::new(&spec, COLUMNS, place).unwrap();
        for stack in [1, 5, 20] {
            let time = fastest(|| {
                for (rows, seeds) in rows.chunks(stack).zip(seeds.chunks(stack)) {
                    let mut weights = vec![start.clone(); rows.len()];
                    worker.train(&mut weights, rows, &config, seeds).unwrap();
                }
            });
            println!("{place:?}, stacks of {stack}: {time:.0} us a client");
        }
    }
}
