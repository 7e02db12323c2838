//! Times writing and reading the parts of a built dataset's log, one thread:
//! `cargo run --release -p equipoise-store --example parts -- DATASET [PLATFORM]`. Beside it: `benches/peers/parquet_pyarrow.py`.
//!
//! Prints processor time (a shared machine makes wall time mean little): encoding alone, as the peer is timed; writing as a
//! build does, from rows in the order of the world, with sorting, merging and the disk; reading back in the order of time.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

use equipoise_core::{Event, PlatformId};
use equipoise_store::dataset::{PlatformLog, encode_events_part, find_parts, tidy_log, write_events_part};
use equipoise_store::{Table, events_from_table, events_to_table, read_table};
use std::path::Path;

const REPEAT: usize = 5;

/// Seconds that this thread has had a processor, where the system says so (Linux).
fn on_processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

/// The fewest processor seconds of some repetitions.
fn best(mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let start = on_processor();
        work();
        on_processor() - start
    };
    (0..REPEAT).map(once).fold(f64::INFINITY, f64::min)
}

fn main() {
    let mut given = std::env::args().skip(1);
    let dataset = given.next().unwrap_or_else(|| "runs/datasets/small-0.2.0".to_owned());
    let platform = PlatformId(given.next().map_or(2, |number| number.parse().unwrap()));
    let dataset = Path::new(&dataset);
    let parts = find_parts(dataset, platform).unwrap();
    let tables: Vec<Table> = parts.iter().map(|part| read_table(&part.path).unwrap().0).collect();
    let rows: usize = tables.iter().map(Table::rows).sum();
    println!("{} parts, {rows} rows", parts.len());
    let say = |what: &str, seconds: f64, bytes: usize| {
        println!(
            "{what:<52} {:6.2} M rows/s cpu  {:6.2} bytes a row",
            rows as f64 / seconds / 1e6,
            bytes as f64 / rows as f64
        );
    };
    let mut bytes = 0;
    let encoding =
        best(|| bytes = tables.iter().map(|table| encode_events_part(table, &[]).unwrap().len()).sum());
    say("ours, encoding alone, snappy", encoding, bytes);

    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("part.parquet");
    let in_time: Vec<Vec<Event>> = tables
        .iter()
        .map(|table| {
            let mut events = events_from_table(table).unwrap();
            tidy_log(&mut events);
            events
        })
        .collect();
    let writing = best(|| {
        for events in &in_time {
            write_events_part(&path, &mut events.clone(), &[]).unwrap();
        }
    });
    say("ours, as a build writes (sort, merge, encode, fsync)", writing, bytes);
    let converting =
        best(|| in_time.iter().for_each(|events| assert_eq!(events_to_table(events).rows(), events.len())));
    say("  of which rows to columns", converting, bytes);
    let log = PlatformLog::open(dataset, platform).unwrap();
    let reading = best(|| assert!(log.batches(1 << 22).all(|batch| batch.is_ok())));
    say("ours, reading back in the order of time", reading, bytes);
}
