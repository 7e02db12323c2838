//! Times a training step, a clipped gradient sum and scoring: `cargo run --release -p equipoise-model --example steps`.
//! Tenth percentiles over 100 rounds; trust ratios, and say the load.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use equipoise_core::{ClipNorm, Draw, Fraction, Seed};
use equipoise_model::{Backward, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};

/// Tenth-percentile microseconds a unit of work: on a shared machine the median measures the neighbours.
#[allow(clippy::disallowed_methods)] // An example that measures.
fn fast(units: f64, mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..100)
        .map(|_| {
            let start = std::time::Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e6 / units
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 10]
}

fn main() {
    let columns = 40;
    let binned = ModelSpec::BinnedLogistic { bins: 8 };
    for spec in [ModelSpec::LogisticRegression {}, binned, ModelSpec::Mlp { hidden: vec![32] }] {
        for batch in [64_u16, 256] {
            let n = usize::from(batch) * 16;
            let mut rng = Seed::root(1).rng();
            let values: Vec<f32> = (0..n * columns).map(|_| rng.normal() as f32).collect();
            let labels: Vec<f32> =
                values.chunks(columns).map(|row| f32::from(u8::from(row[0] > 1.0))).collect();
            let row_weights = vec![1.0; n];
            let rows = Rows { columns, values: &values, labels: &labels, weights: &row_weights };
            let mut trainer = Trainer::new(&spec, columns).unwrap();
            let mut reference = Trainer::with(&spec, columns, Backward::Burn).unwrap();
            let mut weights = spec.init(columns, Fraction::new(0.1).unwrap(), Seed::root(2)).0;
            let config = |optimiser| TrainConfig {
                trainer: Backward::Fused,
                epochs: 1,
                batch,
                learning_rate: 0.01,
                weight_decay: 0.0,
                positive_weight: 1.0,
                loss: equipoise_model::Loss::CrossEntropy {},
                optimiser,
            };
            let sgd = config(Optimiser::Sgd { momentum: 0.9 });
            let adam = config(Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
            let mut train = |trainer: &mut Trainer, config: &TrainConfig| {
                fast(16.0, || {
                    trainer.train(&mut weights, &rows, config, Seed::root(3)).unwrap();
                })
            };
            let auto = train(&mut reference, &sgd);
            let (sgd, adam) = (train(&mut trainer, &sgd), train(&mut trainer, &adam));
            let (index, clip) = ((0..u32::from(batch)).collect::<Vec<_>>(), ClipNorm::new(0.5).unwrap());
            let mut out = vec![0.0; weights.len()];
            let ghost = fast(1.0, || {
                trainer.clipped_gradient_sum(&weights, &rows, &index, clip, &mut out).unwrap();
            });
            let score = fast(n as f64, || {
                trainer.score(&weights, columns, &values).unwrap();
            });
            println!(
                "{:40} batch {batch:4}: sgd {sgd:6.1} us/step, autodiff {auto:6.1}, adam {adam:6.1}, clipped sum {ghost:6.1}, score {score:.3} us/row",
                spec.describe()
            );
        }
    }
}
