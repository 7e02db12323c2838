//! What the runner costs beside the library that it calls: plan, store, locks, checkpoints, sums, gathering and the report. A measurement, so
//! it is ignored by default and prints; run it on a quiet machine:
//! `cargo test --release -p equipoise-runner --test overhead -- --ignored --nocapture`
#![allow(clippy::unwrap_used, clippy::print_stderr)] // A measurement speaks to whoever ran it.
#![cfg(target_os = "linux")]

mod common;

use common::{root, smoke};
use equipoise_core::Silent;
use equipoise_runner::config::load;
use equipoise_runner::exec::{Context, bare, read_trial};
use equipoise_runner::plan::Plan;
use equipoise_runner::{gather, report, rundir};

/// Seconds of processor that this process has used, user and system, all threads.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

#[test]
fn the_runner_measures_what_bare_calls_measure() {
    let set = ["arms=[\"local-only\", \"federated\", \"federated-logistic\"]".to_owned()];
    let plan = Plan::new(&load(&smoke(), &set).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let context = Context::new(&plan, dir.path(), &Silent);
    rundir::open(&context.run, &plan).unwrap();
    assert!(equipoise_runner::exec::execute_all(&context).is_empty());
    let bare = bare(&plan).unwrap();
    assert!(bare.len() >= 6);
    for (unit, metrics) in bare {
        let (record, _) = read_trial(&context.dir(context.unit(&unit).unwrap())).unwrap();
        assert_eq!(record.metrics, metrics, "{unit}");
    }
}

#[test]
#[ignore = "a measurement: prints figures, wants a quiet machine"]
fn what_the_runner_costs() {
    let plan = Plan::new(&load(&root().join("experiments/quickstart.toml"), &[]).unwrap()).unwrap();
    let (mut units, mut whole, mut library) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    // By turns, the faster of two: load comes and goes.
    for _ in 0..2 {
        let dir = tempfile::tempdir().unwrap();
        let start = processor_seconds();
        let context = Context::new(&plan, dir.path(), &Silent);
        rundir::open(&context.run, &plan).unwrap();
        assert!(equipoise_runner::exec::execute_all(&context).is_empty());
        units = units.min(processor_seconds() - start);
        let data = gather::gather(&context, &[]).unwrap();
        rundir::write_report(&context.run, &data, &report::render(&data)).unwrap();
        rundir::seal(&context.run, &data, &context.clock.measured()).unwrap();
        whole = whole.min(processor_seconds() - start);
        let start = processor_seconds();
        assert!(!bare(&plan).unwrap().is_empty());
        library = library.min(processor_seconds() - start);
    }
    let over = |runner: f64| 100.0 * (runner - library) / library;
    eprintln!(
        "bare calls {library:.2} s of processor; units with store, locks, checkpoints and sums {units:.2} s ({:+.2} %, at most 2); with intervals over \
         worlds, report and seal {whole:.2} s ({:+.2} %)",
        over(units),
        over(whole)
    );
    // Two are promised on a quiet machine; a busy one moves processor time itself by more.
    assert!(over(units) <= 8.0, "{:.2} %", over(units));
}
