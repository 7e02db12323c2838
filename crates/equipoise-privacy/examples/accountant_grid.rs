//! Processor time of the certified bracket (error .01) and of the estimate for 100,000 steps, over a grid of sampling rate, noise and delta,
//! one line a cell: `cargo run --release -p equipoise-privacy --example accountant_grid`. Time that the process was on a processor (Linux,
//! `/proc/self/schedstat`), the smaller of two calls; the targets are 500 ms and 50 ms.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use equipoise_core::{Delta, Fraction, NoiseMultiplier};
use equipoise_privacy::{SampledStep, prv_bracket, prv_estimate};

const STEPS: u64 = 100_000;

/// Milliseconds that this process was on a processor.
fn milliseconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).map_or(f64::NAN, |ns| ns * 1e-6)
}

fn timed<T>(call: impl Fn() -> T) -> (T, f64) {
    let once = || {
        let start = milliseconds();
        (call(), milliseconds() - start)
    };
    let ((_, first), (answer, second)) = (once(), once());
    (answer, first.min(second))
}

fn main() {
    println!("q,sigma,T,delta,lower,estimate,upper,quick_estimate,bracket_ms,estimate_ms");
    let (mut slowest, mut slowest_estimate) = (0.0_f64, 0.0_f64);
    for q in [1e-4, 3e-4, 1e-3, 3e-3, 1e-2] {
        for sigma in [0.6, 0.8, 1.0, 2.0, 4.0] {
            for delta in [1e-5, 1e-6, 1e-8, 1e-10] {
                let step =
                    SampledStep::of_row(Fraction::new(q).unwrap(), NoiseMultiplier::new(sigma).unwrap());
                let at = Delta::new(delta).unwrap();
                let (bracket, ms) = timed(|| prv_bracket(&step, STEPS, at, 0.01).unwrap());
                let (quick, quick_ms) = timed(|| prv_estimate(&step, STEPS, at).unwrap());
                let (low, guess, up) = (bracket.lower, bracket.estimate, bracket.upper);
                println!(
                    "{q},{sigma},{STEPS},{delta:e},{low:.6},{guess:.6},{up:.6},{quick:.6},{ms:.1},{quick_ms:.1}"
                );
                (slowest, slowest_estimate) = (slowest.max(ms), slowest_estimate.max(quick_ms));
            }
        }
    }
    println!("slowest bracket {slowest:.1} ms, slowest estimate {slowest_estimate:.1} ms");
}
