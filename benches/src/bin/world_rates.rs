//! How fast a world is made, on one thread and on two, beside what the machine itself gives to two threads: the same work twice
//! at once, on one thread each. Two threads cannot do more than that, whatever the program (shared caches, memory, clocks).
//!
//! `cargo run --release -p equipoise-benches --bin world_rates -- --persons 10000 --days 60 --repeats 5`
//! Wall times want a quiet machine; rates a core are of processor time, which hardly minds.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)] // A stopwatch for people.
#![allow(clippy::cast_precision_loss)] // Counts of a benchmark.

use clap::Parser;
use equipoise_core::{Event, NullSink, Seed, Silent, SimTime};
use equipoise_features::{FeatureSpec, MultiStream, SnapshotPlan};
use equipoise_synth::{World, WorldSpec};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::time::Instant;

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value_t = 10_000)]
    persons: u32,
    #[arg(long, default_value_t = 60)]
    days: u16,
    /// The fastest of so many counts
    #[arg(long, default_value_t = 5)]
    repeats: u32,
}

/// A way to make a world; returns rows, so that nothing is optimised away.
type Work = fn(&World) -> usize;

/// Events of a run in memory.
fn events(world: &World) -> usize {
    usize::try_from(world.run(None, &mut NullSink, &Silent).unwrap().events).unwrap()
}

/// The same with every platform's features online and two snapshots.
fn features(world: &World) -> usize {
    let spec = FeatureSpec { max_contacts: 32, contact_seed: 1, label_adjacent: true, sequence_length: 32 };
    let days = i32::from(world.spec().days);
    let plan = SnapshotPlan::new(vec![SimTime::from_days(days / 2), SimTime::from_days(days)]).unwrap();
    let mut stream = MultiStream::new(world.views(), &spec, plan).unwrap();
    world.run(None, &mut stream, &Silent).unwrap();
    stream.finish().unwrap().0.len()
}

/// Blocks of accounts as a dataset is built from them.
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

/// Processor seconds of this process (Linux).
fn busy() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        text.rsplit(')').next().unwrap_or("").split_whitespace().map(|f| f.parse().unwrap_or(0.0)).collect();
    fields.get(11).zip(fields.get(12)).map_or(0.0, |(user, system)| (user + system) / 100.0)
}

/// Seconds of the clock and of processors.
fn timed(work: impl FnOnce()) -> (f64, f64) {
    let (start, before) = (Instant::now(), busy());
    work();
    (start.elapsed().as_secs_f64(), busy() - before)
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn main() {
    let arguments = Arguments::parse();
    let mut spec: WorldSpec = toml::from_str(include_str!("../../../datasets/research.toml")).unwrap();
    (spec.persons, spec.days) = (arguments.persons, arguments.days);
    let world = World::build(&spec, Seed::root(1)).unwrap();
    let rows = events(&world) as f64;
    let (one, two, twins) = (pool(1), pool(2), [pool(1), pool(1)]);
    println!("{} persons, {} days, {:.2} M events", spec.persons, spec.days, rows / 1e6);
    for (name, work) in [("events", events as Work), ("events and features", features), ("blocks", blocks)] {
        let (mut alone, mut processor, mut both, mut twice) = (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
        for _ in 0..arguments.repeats {
            let (wall, cores) = timed(|| _ = one.install(|| work(&world)));
            (alone, processor) = (alone.min(wall), processor.min(cores));
            both = both.min(timed(|| _ = two.install(|| work(&world))).0);
            let pair = || {
                std::thread::scope(|scope| {
                    for twin in &twins {
                        scope.spawn(|| twin.install(|| work(&world)));
                    }
                });
            };
            twice = twice.min(timed(pair).0);
        }
        println!(
            "{name}: {:.2} M events a processor second; one thread {alone:.3} s, two {both:.3} s: {:.2}x; the machine gives two \
             threads {:.2}x, of which {:.0}% are used",
            rows / processor / 1e6,
            alone / both,
            2.0 * alone / twice,
            50.0 * twice / both
        );
    }
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
}
