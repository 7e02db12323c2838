//! How fast a world is made, in memory: `speed <persons> <days> <threads> [run | blocks]`.
//! Prints events, seconds, events a second and core, and the largest resident memory (Linux).
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::cast_precision_loss, clippy::unwrap_used)]

use equipoise_core::{Event, EventSink, PlatformId, Seed, Silent, SimTime};
use equipoise_synth::{World, WorldSpec};
use std::time::Instant;

/// Reads every row once, as any consumer must.
#[derive(Default)]
struct Sum(u64);
impl EventSink for Sum {
    fn on_events(&mut self, _: PlatformId, _: SimTime, events: &[Event]) {
        self.0 += events.iter().map(|event| u64::from(event.count)).sum::<u64>();
    }
}

fn status(key: &str) -> String {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    text.lines().find(|line| line.starts_with(key)).unwrap_or("unknown").split_whitespace().skip(1).collect()
}

/// Processor seconds of the whole process: unlike the wall clock, they hold on a shared machine.
fn core_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        text.rsplit(')').next().unwrap_or("").split_whitespace().map(|f| f.parse().unwrap_or(0.0)).collect();
    fields.get(11).zip(fields.get(12)).map_or(0.0, |(user, system)| (user + system) / 100.0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, or: u32| arguments.get(at).map_or(or, |text| text.parse().unwrap());
    let mut spec: WorldSpec = toml::from_str(include_str!("../../../datasets/research.toml")).unwrap();
    spec.persons = number(0, 10_000);
    spec.days = u16::try_from(number(1, 30)).unwrap();
    let threads = number(2, 1) as usize;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let start = Instant::now();
    let world = World::build(&spec, Seed::root(1)).unwrap();
    println!("built in {:.2} s, {}", start.elapsed().as_secs_f64(), status("VmHWM"));
    let (start, cores) = (Instant::now(), core_seconds());
    let mut sink = Sum::default();
    let events = world.run(None, &mut sink, &Silent).unwrap().events;
    let (wall, busy) = (start.elapsed().as_secs_f64(), core_seconds() - cores);
    println!(
        "{} persons, {} days, {threads} threads: {events} events ({} messages and the like) in {wall:.2} s of the clock and \
         {busy:.2} s of cores: {:.2} M events/s, {:.2} M events/s and core; peak memory {}",
        spec.persons,
        spec.days,
        sink.0,
        events as f64 / wall / 1e6,
        events as f64 / busy / 1e6,
        status("VmHWM")
    );
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {load}");
}
