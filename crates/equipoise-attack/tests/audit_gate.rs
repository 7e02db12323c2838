//! The gate with its stated power: eight defects of a small mechanism are caught, and right builds are not.
//!
//! `cargo test --release -p equipoise-attack --test audit_gate -- --ignored --nocapture` measures the power in full.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod harness;

use equipoise_attack::audit::{
    CanaryScores, Gate, GaussianForm, canary_coins, one_run_epsilon, one_run_epsilon_f_dp, sampled_log_ratio,
};
use equipoise_attack::stats::Rate;
use equipoise_core::{Delta, Epsilon, Fraction, Seed};
use equipoise_privacy::{calibrate_noise_multiplier, gaussian_noise_multiplier};
use harness::{Defect, Plan, SABOTAGES, probes, releases, scores};

const GATE: Gate = Gate { significance: 0.05 };

fn alarms(defect: Defect, trials: u64, seed: u64) -> u32 {
    let alarm = |trial| GATE.alarms(&probes(defect, Seed::root(seed).derive("trial", trial)));
    (0..trials).filter(|&trial| alarm(trial)).count() as u32
}

/// The subset of every day. A sabotage is missed at less than 1 in 100 (full power); more than 6 of 40 right builds are stopped with
/// probability 0.4 % at a false-alarm rate of 5 %. Seeds are fixed.
#[test]
fn every_sabotage_is_caught_and_right_builds_pass() {
    for defect in SABOTAGES {
        assert_eq!(alarms(defect, 2, 1), 2, "{defect:?} passed the gate");
    }
    for right in [Defect::None, Defect::NoneShared] {
        let stopped = alarms(right, 40, 2);
        assert!(stopped <= 6, "{right:?} was stopped {stopped} times of 40");
    }
}

/// At least 95 % of each sabotage and at most 5 % of right builds, with exact 95 % bounds on both.
#[test]
#[ignore = "full power: some minutes"]
fn the_gate_has_the_power_that_it_states() {
    for defect in SABOTAGES {
        let caught = Rate::new(alarms(defect, 400, 3), 400, 0.05);
        println!("{defect:?}: {caught:?}");
        assert!(caught.low >= 0.95, "{defect:?}: {caught:?}");
    }
    for right in [Defect::None, Defect::NoneShared] {
        let stopped = Rate::new(alarms(right, 1_000, 4), 1_000, 0.05);
        println!("{right:?}: {stopped:?}");
        assert!(stopped.high <= 0.05, "{right:?}: {stopped:?}");
    }
}

const DELTA: f64 = 1e-5;

/// The noise at which `rounds` steps at `rate` cost `epsilon`: exact for full batches, by the Renyi accountant for samples.
fn calibrated(epsilon: f64, rate: f64, rounds: u32) -> f64 {
    let (epsilon, delta) = (Epsilon::new(epsilon).unwrap(), Delta::new(DELTA).unwrap());
    if rate >= 1.0 {
        return gaussian_noise_multiplier(epsilon, delta).get() * f64::from(rounds).sqrt();
    }
    calibrate_noise_multiplier(epsilon, delta, Fraction::new(rate).unwrap(), rounds).unwrap().get()
}

/// The three bounds from one run, the noise calibrated to `epsilon`: counting, trade-off curve, Gaussian form.
fn from_one_run(epsilon: f64, rate: f64, rounds: u32, canaries: u32, seed: Seed) -> [f64; 3] {
    let plan = Plan { rate, rounds, noise_multiplier: calibrated(epsilon, rate, rounds), canaries };
    let coins = canary_coins(canaries as usize, seed);
    let mut sums = vec![0.0; canaries as usize];
    for released in releases(Defect::None, plan, &|_, account| coins[account as usize], seed) {
        for (sum, score) in sums.iter_mut().zip(scores(&released)) {
            *sum += sampled_log_ratio(score, rate, plan.noise_multiplier);
        }
    }
    let scores = CanaryScores::split(&sums, &coins);
    let guesses = scores.guess(100);
    let (m, r, v) = (guesses.canaries, guesses.made, guesses.correct);
    let delta = Delta::new(DELTA).unwrap();
    [
        one_run_epsilon(m, r, v, 0.05, DELTA),
        one_run_epsilon_f_dp(m, r, v, 0.05, delta),
        GaussianForm::of(&scores, 0.05).epsilon(delta),
    ]
}

/// The Gaussian form reaches 0.6 of epsilon in every run, and no bound exceeds epsilon more often than its significance.
fn the_bound_from_one_run(runs: u64) {
    // The accountant of samples is looser, so it takes more canaries.
    for (rate, rounds, canaries) in [(1.0, 4, 4_000), (0.05, 200, 16_000)] {
        for epsilon in [2.0, 3.0, 4.0] {
            let run = |run| from_one_run(epsilon, rate, rounds, canaries, Seed::root(5).derive("run", run));
            let bounds: Vec<[f64; 3]> = (0..runs).map(run).collect();
            let mean = |at: usize| bounds.iter().map(|bound| bound[at]).sum::<f64>() / runs as f64;
            let above = |at: usize| bounds.iter().filter(|bound| bound[at] > epsilon).count();
            let least = bounds.iter().map(|bound| bound[2]).fold(f64::INFINITY, f64::min);
            println!(
                "rate {rate}, {canaries} canaries, epsilon {epsilon}: mean counting {:.2}, curve {:.2}, Gaussian form {:.2}; least of the last {least:.2}, \
                 above epsilon {} of {runs}",
                mean(0),
                mean(1),
                mean(2),
                above(2)
            );
            assert!(least >= 0.6 * epsilon, "{rate} {epsilon}: {least}");
            for bound in 0..3 {
                // Of 60 runs at 5 %, more than 8 exceed with probability 0.4 %.
                assert!(above(bound) as u64 * 60 <= 8 * runs, "{rate} {epsilon}: bound {bound} exceeds it");
            }
        }
    }
}

#[test]
fn from_one_run_the_gaussian_form_reaches_six_tenths_of_epsilon() {
    the_bound_from_one_run(2);
}

#[test]
#[ignore = "full power: a minute"]
fn each_of_sixty_runs_reaches_six_tenths_of_epsilon() {
    the_bound_from_one_run(60);
}
