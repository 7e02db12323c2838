//! Times writing and reading of ten million events: `cargo run --release -p equipoise-store --example speed`.
//!
//! Prints wall time and, because a shared machine makes wall time mean little, the time on the processor (Linux).
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, clippy::cast_precision_loss)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

use equipoise_core::{AccountId, Draw, Event, EventKind, Seed, SimTime};
use equipoise_store::{events_from_table, events_to_table, read_table, write_table};
use std::time::Instant;

const ROWS: usize = 10_000_000;

fn events() -> Vec<Event> {
    let mut rng = Seed::root(1).rng();
    let mut events: Vec<Event> = (0..ROWS)
        .map(|_| {
            let (actor, peer) = (AccountId(rng.below(100_000) as u32), AccountId(rng.below(100_000) as u32));
            let time = SimTime(rng.below(180 * 288) as i32 * 300);
            Event { count: rng.geometric(3.0) as u16, ..Event::new(time, actor, peer, EventKind::Message) }
        })
        .collect();
    events.sort_unstable_by_key(|e| (e.actor, e.time));
    events
}

/// Seconds that this thread has had a processor, where the system says so.
fn on_processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (wall, cpu) = (Instant::now(), on_processor());
    let result = work();
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), on_processor() - cpu);
    let rate = |seconds: f64| ROWS as f64 / seconds / 1e6;
    println!(
        "{what:<12} {wall:6.2} s wall ({:6.2} M rows/s)   {cpu:6.2} s cpu ({:6.2} M rows/s)",
        rate(wall),
        rate(cpu)
    );
    result
}

fn main() {
    let events = events();
    let path = std::env::temp_dir().join("equipoise-speed.parquet");
    let table = timed("to table", || events_to_table(&events));
    timed("write", || write_table(&path, &table, &[]).unwrap());
    println!("{:.2} bytes a row", std::fs::metadata(&path).unwrap().len() as f64 / ROWS as f64);
    let (back, _) = timed("read", || read_table(&path).unwrap());
    let same = timed("from table", || events_from_table(&back).unwrap()) == events;
    println!("same events: {same}");
    std::fs::remove_file(&path).unwrap();
}
