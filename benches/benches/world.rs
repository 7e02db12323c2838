//! How fast is a world, alone and with its features? 2,000 persons, 30 days, one thread.
#![allow(missing_docs, clippy::unwrap_used)] // Criterion's macros make undocumented items.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use equipoise_core::{DAY, NullSink, Seed, Silent, SimTime};
use equipoise_features::{FeatureSpec, MultiStream, SnapshotPlan};
use equipoise_synth::{World, WorldSpec};

fn spec() -> WorldSpec {
    let mut spec: WorldSpec = toml::from_str(include_str!("../../datasets/research.toml")).unwrap();
    spec.persons = 2_000;
    spec.days = 30;
    spec
}

fn worlds(criterion: &mut Criterion) {
    let spec = spec();
    let built = || World::build(&spec, Seed::root(1)).unwrap();
    let events = built().run(None, &mut NullSink, &Silent).unwrap().events;
    let mut group = criterion.benchmark_group("world");
    group.sample_size(10).throughput(Throughput::Elements(events));
    group.bench_function("events", |bencher| {
        bencher.iter(|| built().run(None, &mut NullSink, &Silent).unwrap().events);
    });
    let features =
        FeatureSpec { max_contacts: 32, contact_seed: 1, label_adjacent: true, sequence_length: 32 };
    group.bench_function("events-and-features", |bencher| {
        bencher.iter(|| {
            let world = built();
            let plan = SnapshotPlan::new(vec![SimTime(14 * DAY), SimTime(28 * DAY)]).unwrap();
            let mut stream = MultiStream::new(world.views(), &features, plan).unwrap();
            world.run(None, &mut stream, &Silent).unwrap();
            stream.finish().unwrap().0.len()
        });
    });
    group.finish();
}

criterion_group!(benches, worlds);
criterion_main!(benches);
