//! What does a step of training cost, plain and clipped row by row? An MLP of 64-128-64-1, as in the peers' scripts.
#![allow(missing_docs, clippy::unwrap_used)] // Criterion's macros make undocumented items.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use equipoise_core::{ClipNorm, Draw, Fraction, Seed};
use equipoise_model::{Backward, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};
use std::hint::black_box;

const COLUMNS: usize = 64;

fn steps(criterion: &mut Criterion) {
    let spec = ModelSpec::Mlp { hidden: vec![128, 64] };
    let mut group = criterion.benchmark_group("step");
    for batch in [50_u16, 256] {
        let rows = usize::from(batch);
        let mut rng = Seed::root(2).rng();
        #[allow(clippy::cast_possible_truncation)]
        let values: Vec<f32> = (0..rows * COLUMNS).map(|_| rng.normal() as f32).collect();
        let labels: Vec<f32> = (0..rows).map(|_| f32::from(u8::from(rng.chance(0.5)))).collect();
        let ones = vec![1.0; rows];
        let data = Rows { columns: COLUMNS, values: &values, labels: &labels, weights: &ones };
        let mut weights = spec.init(COLUMNS, Fraction::new(0.5).unwrap(), Seed::root(3));
        let config = TrainConfig {
            trainer: Backward::Fused,
            epochs: 1,
            batch,
            learning_rate: 0.01,
            weight_decay: 0.0,
            positive_weight: 1.0,
            loss: equipoise_model::Loss::CrossEntropy {},
            optimiser: Optimiser::Sgd { momentum: 0.0 },
        };
        let all: Vec<u32> = (0..u32::from(batch)).collect();
        let clip = ClipNorm::new(0.5).unwrap();
        let mut sum = vec![0.0; spec.parameters(COLUMNS)];
        for (name, mut trainer) in [
            ("plain", Trainer::new(&spec, COLUMNS).unwrap()),
            ("autodiff", Trainer::with(&spec, COLUMNS, Backward::Burn).unwrap()),
        ] {
            group.bench_function(BenchmarkId::new(name, batch), |bencher| {
                bencher.iter(|| {
                    trainer.train(black_box(&mut weights.0), &data, &config, Seed::root(4)).unwrap()
                });
            });
        }
        let mut trainer = Trainer::new(&spec, COLUMNS).unwrap();
        group.bench_function(BenchmarkId::new("clipped-rows", batch), |bencher| {
            bencher.iter(|| {
                trainer.clipped_gradient_sum(&weights.0, &data, &all, clip, black_box(&mut sum)).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
