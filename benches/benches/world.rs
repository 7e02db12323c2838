//! How fast is a world: its events, its events with features online, its blocks as a dataset is built from them; on one
//! thread and on two. 5,000 persons, 28 days.
#![allow(missing_docs, clippy::unwrap_used)] // Criterion's macros make undocumented items.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use equipoise_core::{Event, NullSink, Seed, Silent, SimTime};
use equipoise_features::{FeatureSpec, MultiStream, SnapshotPlan};
use equipoise_synth::{World, WorldSpec};
use rayon::prelude::*;

fn world() -> World {
    let mut spec: WorldSpec = toml::from_str(include_str!("../../datasets/research.toml")).unwrap();
    spec.persons = 5_000;
    spec.days = 28;
    World::build(&spec, Seed::root(1)).unwrap()
}

fn with_features(world: &World) -> usize {
    let spec = FeatureSpec { max_contacts: 32, contact_seed: 1, label_adjacent: true, sequence_length: 32 };
    let plan = SnapshotPlan::new(vec![SimTime::from_days(14), SimTime::from_days(28)]).unwrap();
    let mut stream = MultiStream::new(world.views(), &spec, plan).unwrap();
    world.run(None, &mut stream, &Silent).unwrap();
    stream.finish().unwrap().0.len()
}

/// Every block of every week, as a dataset is built; rows are counted and dropped.
fn blocks(world: &World) -> usize {
    let mut skeleton = world.skeleton();
    let mut rows = 0;
    while skeleton.next_week(&Silent).is_some() {
        for view in world.views() {
            let accounts = u32::try_from(view.profiles.len()).unwrap();
            let starts: Vec<u32> = (0..accounts).step_by(512).collect();
            let one = |from: &u32| {
                let mut log: Vec<Event> = Vec::new();
                skeleton.play(view.id, *from..(from + 512).min(accounts), &mut log);
                log.len()
            };
            rows += starts.par_iter().map(one).sum::<usize>();
        }
    }
    rows
}

fn worlds(criterion: &mut Criterion) {
    let world = world();
    let events = world.run(None, &mut NullSink, &Silent).unwrap().events;
    let mut group = criterion.benchmark_group("world");
    group.sample_size(10).throughput(Throughput::Elements(events));
    for threads in [1_usize, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        group.bench_function(BenchmarkId::new("events", threads), |bencher| {
            bencher.iter(|| pool.install(|| world.run(None, &mut NullSink, &Silent).unwrap().events));
        });
        group.bench_function(BenchmarkId::new("events-and-features", threads), |bencher| {
            bencher.iter(|| pool.install(|| with_features(&world)));
        });
        group.bench_function(BenchmarkId::new("blocks", threads), |bencher| {
            bencher.iter(|| pool.install(|| blocks(&world)));
        });
    }
    group.finish();
}

criterion_group!(benches, worlds);
criterion_main!(benches);
