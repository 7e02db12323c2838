//! Processor time of the accountants, one line a question, to be read beside `benches/peers/accountants.py`:
//! `cargo run --release -p equipoise-privacy --example accountant_speed`. User time of the process where the system tells it
//! (`/proc`), in steps of 10 ms over several repetitions; elapsed time beside it.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use equipoise_core::{Delta, Epsilon, Fraction, NoiseMultiplier};
use equipoise_privacy::{SampledStep, calibrate_exactly, prv_bracket, prv_estimate};
use std::num::NonZeroU32;
use std::time::Instant;

/// q, sigma, T, delta, K.
const ROWS: [(f64, f64, u64, f64, u32); 7] = [
    (0.001, 1.0, 100_000, 1e-5, 1),
    (0.002, 0.8, 100_000, 1e-6, 1),
    (0.01, 1.0, 100_000, 1e-5, 1),
    (0.01, 4.0, 100_000, 1e-5, 1),
    (0.05, 10.0, 100_000, 1e-5, 1),
    (0.002, 4.0, 100_000, 1e-5, 4),
    (0.01, 1.0, 10_000, 1e-5, 1),
];

/// User time of this process in seconds.
fn user_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default();
    fields
        .split_whitespace()
        .nth(11)
        .and_then(|ticks| ticks.parse::<f64>().ok())
        .map_or(f64::NAN, |ticks| ticks / 100.0)
}

/// Milliseconds of user time and of elapsed time for one call, over `times` calls.
fn timed<T>(times: u32, call: impl Fn() -> T) -> (T, f64, f64) {
    let (user, start) = (user_seconds(), Instant::now());
    let mut last = call();
    for _ in 1..times {
        last = call();
    }
    let per = 1e3 / f64::from(times);
    (last, (user_seconds() - user) * per, start.elapsed().as_secs_f64() * per)
}

fn main() {
    println!(
        "q,sigma,T,delta,K,estimate,estimate_user_ms,lo,est,up,bracket_user_ms,sigma_for_that,calibration_user_ms,bracket_elapsed_ms"
    );
    for (q, sigma, steps, delta, rows) in ROWS {
        let (rate, noise) = (Fraction::new(q).unwrap(), NoiseMultiplier::new(sigma).unwrap());
        let step = SampledStep::of_rows(rate, noise, NonZeroU32::new(rows).unwrap()).unwrap();
        let at = Delta::new(delta).unwrap();
        let (estimate, estimate_ms, _) = timed(20, || prv_estimate(&step, steps, at).unwrap());
        let (bracket, bracket_ms, elapsed) = timed(5, || prv_bracket(&step, steps, at, 0.01).unwrap());
        let target = Epsilon::new(bracket.upper).unwrap();
        let (found, calibration_ms, _) = timed(3, || calibrate_exactly(target, at, &step, steps).unwrap());
        println!(
            "{q},{sigma},{steps},{delta:e},{rows},{estimate:.6},{estimate_ms:.1},{:.6},{:.6},{:.6},{bracket_ms:.1},{:.6},{calibration_ms:.1},{elapsed:.1}",
            bracket.lower, bracket.estimate, bracket.upper, found.noise_multiplier
        );
    }
}
