//! How fast a world is made, on one thread and on two, beside what the machine itself gives to two threads: the same work twice
//! at once, on one thread each. Two threads cannot do more than that, whatever the program (shared caches, memory, clocks).
//!
//! `cargo run --release -p equipoise-benches --bin world_rates -- --persons 10000 --days 60 --repeats 5`
//! Wall times want a quiet machine; rates a core are of processor time, which hardly minds.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)] // A stopwatch for people.
#![allow(clippy::cast_precision_loss)] // Counts of a benchmark.

use clap::Parser;
use equipoise_benches::worlds::{blocks, events, features, research};
use equipoise_synth::World;
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
    let world = research(arguments.persons, arguments.days);
    let rows = events(&world) as f64;
    let (one, two, twins) = (pool(1), pool(2), [pool(1), pool(1)]);
    println!("{} persons, {} days, {:.2} M events", arguments.persons, arguments.days, rows / 1e6);
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
