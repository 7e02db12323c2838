//! Laws of the accountant and of calibration, over random parameters.
#![allow(clippy::unwrap_used)]

use equipoise_core::{Delta, Epsilon, Fraction};
use equipoise_privacy::{DpEvent, RdpAccountant, calibrate_noise_multiplier, rdp_curve, rdp_epsilon};
use proptest::prelude::*;

fn event(q: f64, sigma: f64) -> DpEvent {
    DpEvent::PoissonGaussian { sampling_rate: q, noise_multiplier: sigma }
}

fn epsilon(q: f64, sigma: f64, steps: u32, delta: f64) -> f64 {
    let mut accountant = RdpAccountant::new();
    accountant.compose(&event(q, sigma), steps);
    accountant.epsilon(Delta::new(delta).unwrap()).epsilon
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn epsilon_rises_with_rate_and_steps_and_falls_with_noise_and_delta(
        q in 0.001_f64..0.9, sigma in 0.4_f64..20.0, steps in 1_u32..5000, ln_delta in -20.0_f64..-3.0, more in 1.01_f64..1.1,
    ) {
        let delta = ln_delta.exp();
        let base = epsilon(q, sigma, steps, delta);
        let slack = base * (1.0 + 1e-9);
        prop_assert!(epsilon((q * more).min(1.0), sigma, steps, delta) * (1.0 + 1e-9) >= base);
        prop_assert!(epsilon(q, sigma, steps + 1, delta) >= base);
        prop_assert!(epsilon(q, sigma * more, steps, delta) <= slack);
        prop_assert!(epsilon(q, sigma, steps, delta * more) <= slack);
    }

    #[test]
    fn two_half_runs_are_one_run_and_nothing_released_is_nothing_lost(
        q in 0.001_f64..1.0, sigma in 0.4_f64..20.0, first in 1_u32..500, second in 1_u32..500,
    ) {
        let delta = Delta::new(1e-6).unwrap();
        let mut halves = RdpAccountant::new();
        halves.compose(&event(q, sigma), first);
        halves.compose(&event(0.0, sigma), 100);
        halves.compose(&DpEvent::None, 0);
        halves.compose(&DpEvent::Compose(vec![]), 7);
        halves.compose(&event(q, sigma).repeated(second), 1);
        let whole = epsilon(q, sigma, first + second, 1e-6);
        prop_assert!((halves.epsilon(delta).epsilon - whole).abs() <= 1e-10 * (1.0 + whole));
    }

    #[test]
    fn calibrated_noise_never_exceeds_its_target_and_is_nearly_the_least(
        target in 0.05_f64..20.0, q in 0.001_f64..1.0, steps in 1_u32..3000,
    ) {
        let (rate, delta) = (Fraction::new(q).unwrap(), Delta::new(1e-5).unwrap());
        let sigma = calibrate_noise_multiplier(Epsilon::new(target).unwrap(), delta, rate, steps).unwrap().get();
        prop_assert!(epsilon(q, sigma, steps, 1e-5) <= target);
        if sigma > 0.0626 {
            prop_assert!(epsilon(q, sigma * (1.0 - 2e-6), steps, 1e-5) > target * (1.0 - 1e-4));
        }
    }
}

#[test]
fn sampling_nearly_everybody_costs_nearly_what_sampling_everybody_costs() {
    let (near, full) = (epsilon(0.999, 2.0, 10, 1e-5), epsilon(1.0, 2.0, 10, 1e-5));
    assert!(near <= full && near > 0.99 * full, "{near} {full}");
}

#[test]
fn different_steps_in_turn_add_up_like_their_curves() {
    let mut accountant = RdpAccountant::new();
    for sigma in [1.0, 3.0, 1.0] {
        accountant.compose(&event(0.1, sigma), 10);
    }
    let (loud, quiet) = (rdp_curve(0.1, 3.0), rdp_curve(0.1, 1.0));
    let sum: Vec<f64> = loud.iter().zip(&quiet).map(|(l, q)| 10.0 * l + 20.0 * q).collect();
    let (got, want) =
        (accountant.epsilon(Delta::new(1e-5).unwrap()).epsilon, rdp_epsilon(&sum, 1e-5).epsilon);
    assert!((got / want - 1.0).abs() < 1e-12, "{got} {want}");
}

#[test]
fn delta_at_the_reported_epsilon_is_the_delta_that_was_asked_for() {
    let mut accountant = RdpAccountant::new();
    accountant.compose(&event(0.05, 1.0), 200);
    let epsilon = accountant.epsilon(Delta::new(1e-5).unwrap()).epsilon;
    assert!((accountant.delta(epsilon) / 1e-5 - 1.0).abs() < 1e-9);
}

#[test]
fn what_cannot_be_calibrated_is_refused() {
    let (rate, delta) = (Fraction::new(0.1).unwrap(), Delta::new(1e-5).unwrap());
    let one = Epsilon::new(1.0).unwrap();
    assert!(calibrate_noise_multiplier(Epsilon::INFINITE, delta, rate, 10).is_err());
    assert!(calibrate_noise_multiplier(one, delta, rate, 0).is_err());
    assert!(calibrate_noise_multiplier(one, delta, Fraction::new(0.0).unwrap(), 10).is_err());
    let tiny = Epsilon::new(1e-9).unwrap();
    let error = calibrate_noise_multiplier(tiny, Delta::new(1e-10).unwrap(), rate, u32::MAX).unwrap_err();
    assert!(error.to_string().starts_with("no noise multiplier up to 1048576 reaches epsilon"), "{error}");
}

#[test]
fn a_huge_epsilon_gets_the_least_noise_that_is_offered() {
    let (rate, delta) = (Fraction::new(0.1).unwrap(), Delta::new(1e-5).unwrap());
    let sigma = calibrate_noise_multiplier(Epsilon::new(1e6).unwrap(), delta, rate, 1).unwrap().get();
    assert!((sigma - 0.0625).abs() < 1e-12, "{sigma}");
}

/// Prints the time; the bound is loose because machines are shared.
#[test]
#[allow(clippy::disallowed_methods, reason = "a timing test reads a clock")]
fn calibration_is_fast() {
    let delta = Delta::new(1e-5).unwrap();
    for (target, q, steps) in [(1.0, 0.01, 10_000), (8.0, 0.05, 200), (0.1, 0.2, 100), (50.0, 0.01, 10)] {
        let start = std::time::Instant::now();
        let sigma = calibrate_noise_multiplier(
            Epsilon::new(target).unwrap(),
            delta,
            Fraction::new(q).unwrap(),
            steps,
        )
        .unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!("epsilon {target}, q {q}, {steps} steps: sigma {sigma} in {seconds:.4} s");
        assert!(seconds < 3.0, "{seconds}");
    }
}
