//! Audits: from what canaries' scores give away to a lower bound on epsilon, and the gate that holds a mechanism to its claim.
//!
//! Four bounds, each with what it assumes. [`one_run_epsilon`] (Steinke, Nasr, Jagielski 2023) and [`one_run_epsilon_f_dp`]
//! (Mahloujifar et al. 2024) need one run and independent coins. [`multi_run_epsilon`] needs independent trials.
//! [`GaussianForm`] needs scores that are normal, and is much stronger where they are. An audit that finds nothing shows nothing.

mod canary;
mod gate;
mod gaussian;
mod multi_run;
mod one_run;
mod one_run_f_dp;

pub use canary::{CanaryScores, Guesses, canary_coins, canary_score, repeated_log_ratio, sampled_log_ratio};
pub use gate::{Allowed, Gate, Probe, ProbeVerdict};
pub use gaussian::GaussianForm;
pub use multi_run::{Trials, multi_run_epsilon};
pub use one_run::{one_run_epsilon, one_run_p_value};
pub use one_run_f_dp::one_run_epsilon_f_dp;

use crate::stats::bisect;

/// The largest epsilon that `refuted` still refutes, or 0. `refuted` turns from true to false once.
fn largest_refuted(refuted: impl Fn(f64) -> bool) -> f64 {
    if !refuted(0.0) {
        return 0.0;
    }
    let mut high = 1.0;
    while refuted(high) && high < 1e3 {
        high *= 2.0;
    }
    bisect(0.0, high, refuted)
}
