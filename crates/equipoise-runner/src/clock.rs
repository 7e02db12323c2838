//! The one clock of a run. What it measures goes into `timings.json`, outside every hash.

use crate::plan::Stage;
use equipoise_federated::{Seat, Stopwatch};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

/// Measured times of a run, by unit id and seat, and by stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Measured {
    /// Wall seconds of each seat in each unit, summed over its rounds.
    pub seats: BTreeMap<String, BTreeMap<Seat, f64>>,
    /// Wall seconds spent in units of each stage, summed over units.
    pub stages: BTreeMap<Stage, f64>,
}

/// Collects [`Measured`] times from any thread.
#[derive(Debug, Default)]
pub struct Clock(Mutex<Measured>);

impl Clock {
    /// A clock that has measured nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `work` and charges its time to `stage`.
    pub fn stage<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = now();
        let value = work();
        *self.lock().stages.entry(stage).or_default() += start.elapsed().as_secs_f64();
        value
    }

    /// A stopwatch that charges to the seats of `unit`.
    #[must_use]
    pub fn seats<'a>(&'a self, unit: &str) -> SeatClock<'a> {
        SeatClock { clock: self, unit: unit.to_owned() }
    }

    /// Everything so far.
    #[must_use]
    pub fn measured(&self) -> Measured {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Measured> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Measures seats on behalf of one unit.
#[derive(Debug)]
pub struct SeatClock<'a> {
    clock: &'a Clock,
    unit: String,
}

impl Stopwatch for SeatClock<'_> {
    fn run(&self, seat: Seat, work: &mut dyn FnMut()) {
        let start = now();
        work();
        let spent = start.elapsed().as_secs_f64();
        *self.clock.lock().seats.entry(self.unit.clone()).or_default().entry(seat).or_default() += spent;
    }
}

/// The wall clock: the runner is where reading it is allowed.
#[allow(clippy::disallowed_methods)]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970: for the log and the provenance alone.
#[allow(clippy::disallowed_methods)]
#[must_use]
pub fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Processor seconds, user and system, of this process so far, in steps of a hundredth; 0 where the system does not say.
#[must_use]
pub fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may hold blanks: the 12th and 13th fields are ticks of a hundredth of a second.
    let fields = text.rsplit(')').next().unwrap_or_default();
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>()
        / 100.0
}
