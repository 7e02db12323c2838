//! Measures how fast a world runs: `cargo run --release -p equipoise-synth --example throughput -- datasets/research.toml`.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, clippy::cast_precision_loss)]

use equipoise_core::{Event, EventKind, EventSink, NullSink, PlatformId, Seed, Silent, SimTime};
use equipoise_synth::{World, WorldSpec};
use std::time::Instant;

#[derive(Default)]
struct Kinds([u64; 15], u64);
impl EventSink for Kinds {
    fn on_events(&mut self, _: PlatformId, _: SimTime, events: &[Event]) {
        for event in events {
            self.0[usize::from(event.kind.code())] += 1;
            self.1 += u64::from(event.kind == EventKind::Report && event.detail == 1);
        }
    }
}

fn main() {
    let path = std::env::args().nth(1).unwrap_or_else(|| "datasets/research.toml".into());
    let spec: WorldSpec = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let begin = Instant::now();
    let world = World::build(&spec, Seed::root(1)).unwrap();
    let built = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let outcome = world.run(None, &mut NullSink, &Silent).unwrap();
    let ran = begin.elapsed().as_secs_f64();
    let accounts: usize = world.views().iter().map(|v| v.profiles.len()).sum();
    println!("built in {built:.2} s: {} persons, {accounts} accounts", spec.persons);
    println!("ran in {ran:.2} s: {} events, {:.2} M/s", outcome.events, outcome.events as f64 / ran / 1e6);
    let days = f64::from(spec.persons) * f64::from(spec.days);
    println!("{:.1} events a person-day, {} closed", outcome.events as f64 / days, outcome.bans);
    let mut kinds = Kinds::default();
    world.run(None, &mut kinds, &Silent).unwrap();
    for kind in EventKind::ALL {
        println!("{kind:?} {}", kinds.0[usize::from(kind.code())]);
    }
    println!("reports in the category of child safety: {}", kinds.1);
    for (platform, view) in outcome.truth.platforms.iter().zip(world.views()) {
        let harmful = platform.accounts.iter().filter(|a| a.harmful.is_some()).count();
        let active = platform.accounts.iter().filter(|a| a.harm_start.is_some()).count();
        let matched = platform.accounts.iter().filter(|a| a.matched_for.is_some()).count();
        let all = platform.accounts.len();
        let labels = &outcome.labels[view.id.index()];
        let by = |day: i32, harm: bool| {
            let mut ids: Vec<_> = labels
                .iter()
                .filter(|l| l.status.is_positive() && l.known_at < SimTime::from_days(day))
                .map(|l| l.account)
                .filter(|a| platform.accounts[a.index()].harmful.is_some() == harm)
                .collect();
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        };
        println!(
            "{}: {all} accounts, {harmful} harmful ({active} active), {matched} matched; positives by day 38: {} true {} wrong; day 60: {} true {} wrong; labels {}",
            view.name,
            by(38, true),
            by(38, false),
            by(60, true),
            by(60, false),
            labels.len()
        );
    }
}
