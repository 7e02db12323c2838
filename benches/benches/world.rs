//! How fast is a world: its events, its events with features online, its blocks as a dataset is built from them; on one
//! thread and on two. 5,000 persons, 28 days.
#![allow(missing_docs, clippy::unwrap_used)] // Criterion's macros make undocumented items.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use equipoise_benches::worlds::{blocks, events, features, research};

fn worlds(criterion: &mut Criterion) {
    let world = research(5_000, 28);
    let mut group = criterion.benchmark_group("world");
    group.sample_size(10).throughput(Throughput::Elements(events(&world) as u64));
    for threads in [1_usize, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        group.bench_function(BenchmarkId::new("events", threads), |bencher| {
            bencher.iter(|| pool.install(|| events(&world)));
        });
        group.bench_function(BenchmarkId::new("events-and-features", threads), |bencher| {
            bencher.iter(|| pool.install(|| features(&world)));
        });
        group.bench_function(BenchmarkId::new("blocks", threads), |bencher| {
            bencher.iter(|| pool.install(|| blocks(&world)));
        });
    }
    group.finish();
}

criterion_group!(benches, worlds);
criterion_main!(benches);
