//! Times a step under a guarantee against a plain one: `cargo run --release -p equipoise-model --example dp_step`.
//!
//! Plain: gather, forward, back, and the step straight from the tape. Under a guarantee: the sum of clipped rows and a step along it;
//! noise is drawn once a round at the server and is not in here. Both on the same batch, in windows of a few hundred steps in turns, by
//! the processor time of the thread where the system tells it (its clock steps by milliseconds, hence the windows), else by the wall's.
//! Printed: the fastest window of each, and the median of the ratios of neighbouring windows. Say the load.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use equipoise_core::{ClipNorm, Draw, Fraction, Seed};
use equipoise_model::{Backward, Loss, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};

const COLUMNS: usize = 64;

/// Processor time of this thread in microseconds, or the wall's.
#[allow(clippy::disallowed_methods)] // An example that measures.
fn now(since: std::time::Instant) -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok());
    spent.map_or_else(|| since.elapsed().as_secs_f64() * 1e6, |ns| ns / 1e3)
}

/// Microseconds a step over a window of steps.
#[allow(clippy::disallowed_methods)]
fn timed(steps: u32, mut work: impl FnMut()) -> f64 {
    let begun = std::time::Instant::now();
    let start = now(begun);
    (0..steps).for_each(|_| work());
    (now(begun) - start) / f64::from(steps)
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(share * (values.len() - 1) as f64) as usize]
}

fn main() {
    let spec = ModelSpec::Mlp { hidden: vec![128, 64] };
    for batch in [50_u16, 256, 1024] {
        let n = usize::from(batch);
        let mut rng = Seed::root(1).rng();
        let values: Vec<f32> = (0..n * COLUMNS).map(|_| rng.normal() as f32).collect();
        let labels: Vec<f32> = (0..n).map(|_| f32::from(u8::from(rng.chance(0.5)))).collect();
        let ones = vec![1.0; n];
        let rows = Rows { columns: COLUMNS, values: &values, labels: &labels, weights: &ones };
        let config = TrainConfig {
            trainer: Backward::Fused,
            epochs: 1,
            batch,
            learning_rate: 0.01,
            weight_decay: 0.0,
            positive_weight: 1.0,
            loss: Loss::CrossEntropy {},
            optimiser: Optimiser::Sgd { momentum: 0.0 },
        };
        let start = spec.init(COLUMNS, Fraction::new(0.5).unwrap(), Seed::root(2)).0;
        let (mut plain, mut private) = (start.clone(), start.clone());
        let mut trainer = Trainer::new(&spec, COLUMNS).unwrap();
        let (index, clip) = ((0..u32::from(batch)).collect::<Vec<_>>(), ClipNorm::new(0.5).unwrap());
        let mut sum = vec![0.0; start.len()];
        let rate = 0.01 / f32::from(batch);
        let (mut steps, mut sums) = (Vec::new(), Vec::new());
        // At least 50 milliseconds of either.
        let window = (256 * 300 / u32::from(batch)).max(100);
        for round in 0..25_u64 {
            steps.push(timed(window, || {
                trainer.train(&mut plain, &rows, &config, Seed::root(round)).unwrap();
            }));
            sums.push(timed(window, || {
                trainer.clipped_gradient_sum(&private, &rows, &index, clip, &mut sum).unwrap();
                private.iter_mut().zip(&sum).for_each(|(weight, slope)| *weight -= rate * slope);
            }));
        }
        let ratios: Vec<f64> = sums.iter().zip(&steps).map(|(sum, step)| sum / step).collect();
        let (step, sum) = (quantile(steps, 0.0), quantile(sums, 0.0));
        println!(
            "MLP 64-128-64-1, batch {batch:4}: plain step {step:7.1} us, clipped step {sum:7.1} us, ratio {:.2}, of pairs {:.2}",
            sum / step,
            quantile(ratios, 0.5)
        );
    }
}
