//! Whose work is timed. Libraries never read a clock: the runner hands one in.

use serde::{Deserialize, Serialize};

/// Who does a piece of work, for timing by whoever may read a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seat {
    /// A platform.
    Platform,
    /// The aggregating server.
    Server,
    /// A key holder.
    KeyHolder,
}

/// Runs work on behalf of a seat. The runner's form measures it; libraries never read a clock.
pub trait Stopwatch: Sync {
    /// Runs `work` for `seat`.
    fn run(&self, seat: Seat, work: &mut dyn FnMut());
}

/// Runs the work and measures nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Untimed;

impl Stopwatch for Untimed {
    fn run(&self, _seat: Seat, work: &mut dyn FnMut()) {
        work();
    }
}

/// Runs `work` under the stopwatch and hands its value back.
pub(crate) fn timed<T>(stopwatch: &dyn Stopwatch, seat: Seat, mut work: impl FnMut() -> T) -> T {
    let mut value = None;
    stopwatch.run(seat, &mut || {
        if value.is_none() {
            value = Some(work());
        }
    });
    value.expect("a stopwatch runs the work that it is given")
}
