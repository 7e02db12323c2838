//! Progress on long work: a bar with rate, estimate and epsilon spent on a terminal, plain lines elsewhere, nothing when asked to be quiet.

use equipoise_core::{Observer, RunEvent};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;

/// Shows [`RunEvent`]s on the error stream.
pub struct Progress {
    quiet: bool,
    terminal: bool,
    state: Mutex<State>,
}

/// What is shown, by name, and what has been spent so far.
#[derive(Default)]
struct State {
    shown: BTreeMap<String, Shown>,
    spent: Option<(f64, f64)>,
}

impl State {
    fn spending(&self) -> String {
        let words = |(epsilon, planned)| format!("; epsilon spent {epsilon:.1} of {planned:.1}");
        self.spent.map_or_else(String::new, words)
    }
}

struct Shown {
    bar: Option<ProgressBar>,
    total: u64,
    /// Tenths that were printed.
    tenths: u64,
    since: std::time::Instant,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("quiet", &self.quiet).finish_non_exhaustive()
    }
}

impl Progress {
    /// A display for this process's error stream.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { quiet, terminal: std::io::stderr().is_terminal(), state: Mutex::default() }
    }
}

impl Observer for Progress {
    #[allow(clippy::print_stderr)] // The runner is the one place that speaks to people.
    fn on(&self, event: &RunEvent) {
        if self.quiet {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            RunEvent::Started { what, total } => {
                let bar = self.terminal.then(|| bar(what, *total));
                state.shown.insert(
                    what.clone(),
                    Shown { bar, total: *total, tenths: 0, since: crate::clock::now() },
                );
            }
            RunEvent::Progress { what, done } => {
                let spending = state.spending();
                let Some(shown) = state.shown.get_mut(what) else { return };
                if let Some(bar) = &shown.bar {
                    bar.set_message(format!("{what}{spending}"));
                    bar.set_position(*done);
                    return;
                }
                let tenths = done * 10 / shown.total.max(1);
                if tenths > shown.tenths {
                    shown.tenths = tenths;
                    let spent = shown.since.elapsed().as_secs_f64();
                    #[allow(clippy::cast_precision_loss)]
                    let (rate, total) = (*done as f64 / spent.max(1e-9), shown.total);
                    #[allow(clippy::cast_precision_loss)]
                    let left = total.saturating_sub(*done) as f64 / rate;
                    eprintln!(
                        "[{what}] {done}/{total} in {spent:.1} s, {rate:.1} a second, about {left:.0} s left{spending}"
                    );
                }
            }
            RunEvent::Finished { what } => {
                if let Some(bar) = state.shown.remove(what).and_then(|shown| shown.bar) {
                    bar.finish_and_clear();
                }
            }
            RunEvent::Spent { epsilon, planned } => state.spent = Some((*epsilon, *planned)),
            _ => {}
        }
    }
}

fn bar(what: &str, total: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("[{msg}] {bar:30} {pos}/{len} · {elapsed} · {per_sec} · ETA {eta}");
    let bar = ProgressBar::new(total).with_message(what.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
