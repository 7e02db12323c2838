//! What does hiding a sum cost? One round of 100,000 parameters from 5 platforms: plain integers against packed GLWE.
#![allow(missing_docs, clippy::unwrap_used)] // Criterion's macros make undocumented items.

use criterion::{Criterion, criterion_group, criterion_main};
use equipoise_core::Seed;
use equipoise_encrypted::SchemeSpec;
use equipoise_federated::laws::{outgoing_integers, random_integers, unit_quantizer};
use equipoise_federated::{Untimed, VectorSpec};
use std::hint::black_box;

fn sums(criterion: &mut Criterion) {
    let (len, clients) = (100_000, 5);
    let spec = VectorSpec { len, quantizer: unit_quantizer(), max_weight: 4, max_clients: clients };
    let values: Vec<Vec<i32>> =
        (0..clients).map(|c| random_integers(Seed::root(1).derive("client", u64::from(c)), len)).collect();
    let mut group = criterion.benchmark_group("round-of-100k-from-5");
    for scheme in SchemeSpec::examples().iter().map(SchemeSpec::build) {
        let mut round = 0;
        let mut session = scheme.session(&spec).unwrap();
        group.bench_function(scheme.name(), |bencher| {
            bencher.iter(|| {
                round += 1;
                let updates: Vec<_> =
                    (0..clients).map(|c| outgoing_integers(round, c, 4, &values[c as usize])).collect();
                black_box(session.sum(round, &updates, &Untimed).unwrap())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sums);
criterion_main!(benches);
