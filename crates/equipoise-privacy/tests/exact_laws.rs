//! Laws of the exact accountant and of calibration, over random parameters (design notes, privacy 3.6).
#![allow(clippy::unwrap_used)]

use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction, NoiseMultiplier};
use equipoise_privacy::{
    DiscreteSum, DpEvent, IntegerNoise, RdpAccountant, RoundedLength, SampledStep, calibrate_discrete,
    calibrate_exactly, calibrate_step, calibrate_zcdp, gaussian_epsilon, prv_bracket, prv_estimate,
    rdp_epsilon, zcdp_epsilon, zcdp_rho,
};
use proptest::prelude::*;
use std::num::NonZeroU32;

fn step(q: f64, sigma: f64, rows: u32) -> SampledStep {
    let (q, sigma) = (Fraction::new(q).unwrap(), NoiseMultiplier::new(sigma).unwrap());
    SampledStep::of_rows(q, sigma, NonZeroU32::new(rows).unwrap()).unwrap()
}

fn delta(delta: f64) -> Delta {
    Delta::new(delta).unwrap()
}

fn rdp(step: &SampledStep, steps: u64, delta: f64) -> f64 {
    let curve: Vec<f64> = step.rdp_curve().iter().map(|r| r * steps as f64).collect();
    rdp_epsilon(&curve, delta).epsilon
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Monotone in q, T, 1/sigma and 1/delta, as far as two estimates can tell; never above Renyi's bound; K = 1 is plain.
    #[test]
    fn epsilon_moves_the_right_way_and_stays_below_the_renyi_bound(
        q in 0.001_f64..0.6, sigma in 0.6_f64..8.0, steps in 2_u64..2_000, ln_delta in -18.0_f64..-5.0, more in 1.05_f64..1.3,
        rows in 1_u32..4,
    ) {
        let at = ln_delta.exp();
        let of = |q: f64, sigma: f64, steps: u64, at: f64| prv_estimate(&step(q, sigma, rows), steps, delta(at)).unwrap();
        let base = of(q, sigma, steps, at);
        let slack = 2e-4 * (1.0 + base);
        prop_assert!(of((q * more).min(1.0), sigma, steps, at) >= base - slack);
        prop_assert!(of(q, sigma * more, steps, at) <= base + slack);
        prop_assert!(of(q, sigma, steps + steps / 5 + 1, at) >= base - slack);
        prop_assert!(of(q, sigma, steps, at * more) <= base + slack);
        prop_assert!(base <= rdp(&step(q, sigma, rows), steps, at) + slack);
        prop_assert!(prv_estimate(&step(q, sigma, rows + 1), steps, delta(at)).unwrap() >= base - slack);
        let (rate, noise) = (Fraction::new(q).unwrap(), NoiseMultiplier::new(sigma).unwrap());
        prop_assert_eq!(SampledStep::of_row(rate, noise), step(q, sigma, 1));
    }

    #[test]
    fn the_estimate_lies_where_the_bracket_certifies(
        q in 0.0001_f64..0.9, sigma in 0.5_f64..10.0, steps in 1_u64..3_000, ln_delta in -22.0_f64..-4.0, rows in 1_u32..5,
    ) {
        let (step, at) = (step(q, sigma, rows), delta(ln_delta.exp()));
        let Ok(bracket) = prv_bracket(&step, steps, at, 0.01) else { return Ok(()) };
        let quick = prv_estimate(&step, steps, at).unwrap();
        prop_assert!(bracket.lower <= bracket.estimate && bracket.estimate <= bracket.upper);
        prop_assert!((quick - bracket.estimate).abs() <= 1e-3 + 5e-4 * quick, "{bracket:?} {quick}");
        prop_assert!(bracket.lower <= rdp(&step, steps, at.get()));
        // A narrower bracket of the same thing overlaps.
        let narrow = prv_bracket(&step, steps, at, 0.004).unwrap_or(bracket);
        prop_assert!(narrow.lower <= bracket.upper && bracket.lower <= narrow.upper);
    }

    #[test]
    fn calibrated_noise_is_certified_and_hardly_more_than_needed(
        target in 0.1_f64..10.0, q in 0.001_f64..1.0, steps in 1_u64..2_000, rows in 1_u32..4,
    ) {
        let (step, at) = (step(q, 1.0, rows), delta(1e-5));
        let goal = Epsilon::new(target).unwrap();
        let found = calibrate_exactly(goal, at, &step, steps).unwrap();
        prop_assert!(found.epsilon.upper <= target);
        let sigma = found.noise_multiplier.get();
        if sigma > 0.0626 {
            let less = prv_bracket(&step.with_noise(NoiseMultiplier::new(sigma * 0.98).unwrap()), steps, at, 0.004).unwrap();
            prop_assert!(less.upper > target - 0.022, "{found:?} {less:?}");
        }
        let by_rdp = calibrate_step(goal, at, &step, steps).unwrap().get();
        prop_assert!(rdp(&step.with_noise(NoiseMultiplier::new(by_rdp).unwrap()), steps, 1e-5) <= target);
        prop_assert!(by_rdp >= sigma * 0.99, "{by_rdp} {sigma}");
    }
}

/// In eps, sampling 99.9 % is next to sampling everybody, for one row and for several.
#[test]
fn sampling_nearly_everybody_costs_nearly_what_sampling_everybody_costs() {
    for rows in [1, 3] {
        let (near, full) = (step(0.999, 6.0, rows), step(1.0, 6.0, rows));
        let of = |step: &SampledStep| prv_estimate(step, 10, delta(1e-5)).unwrap();
        assert!(of(&near) <= of(&full) + 1e-4 && of(&near) > 0.99 * of(&full), "{} {}", of(&near), of(&full));
        let want = gaussian_epsilon(
            NoiseMultiplier::new(6.0 / f64::from(rows) / 10_f64.sqrt()).unwrap(),
            delta(1e-5),
        );
        assert!((of(&full) / want - 1.0).abs() < 1e-9);
    }
}

#[test]
fn nothing_sampled_or_no_step_costs_nothing() {
    assert!(prv_estimate(&step(0.0, 1.0, 1), 100, delta(1e-5)).unwrap() <= 0.0);
    assert!(prv_bracket(&step(0.3, 1.0, 2), 0, delta(1e-5), 0.01).unwrap().upper <= 0.0);
}

/// Two half runs are one run: block sizes differ on either side of the change to two levels, the answer does not.
#[test]
fn one_level_and_two_levels_agree() {
    for (q, sigma) in [(0.05, 1.0), (0.001, 0.5), (0.3, 6.0)] {
        let of = |steps| prv_bracket(&step(q, sigma, 1), steps, delta(1e-6), 0.01).unwrap().estimate;
        let (before, at, after) = (of(255), of(256), of(257));
        assert!((at - 0.5 * (before + after)).abs() < 5e-5, "{before} {at} {after}");
    }
}

#[test]
fn events_of_several_rows_and_of_integer_noise_add_up_in_the_ledger_s_accountant() {
    let rows = NonZeroU32::new(4).unwrap();
    let event = DpEvent::PoissonGaussianRows { sampling_rate: 0.01, noise_multiplier: 4.0, rows };
    let mut accountant = RdpAccountant::new();
    accountant.compose(&event, 1_000);
    let want = rdp(&step(0.01, 4.0, 4), 1_000, 1e-5);
    assert!((accountant.epsilon(delta(1e-5)).epsilon - want).abs() < 1e-9 && want > 1.2401);
    accountant.compose(&DpEvent::ZeroConcentrated { rho: 0.05 }, 1);
    assert!(accountant.epsilon(delta(1e-5)).epsilon > want);
    let too_many = NonZeroU32::new(5_000).unwrap();
    accountant.compose(
        &DpEvent::PoissonGaussianRows { sampling_rate: 0.01, noise_multiplier: 4.0, rows: too_many },
        1,
    );
    assert!(accountant.epsilon(delta(1e-5)).epsilon.is_infinite(), "no bound on rows, no bound on epsilon");
}

#[test]
fn noise_is_calibrated_for_concentrated_privacy_and_for_integer_sums() {
    let target = Epsilon::new(1.5).unwrap();
    let sigma = calibrate_zcdp(target, delta(1e-6), 40).unwrap().get();
    let of = |sigma: f64| zcdp_epsilon(40.0 * zcdp_rho(1.0, sigma), 1e-6).epsilon;
    assert!(of(sigma) <= 1.5 && of(sigma * (1.0 - 1e-5)) > 1.5);
    for noise in [IntegerNoise::DiscreteGaussian, IntegerNoise::Skellam] {
        let sum = DiscreteSum {
            noise,
            honest: NonZeroU32::new(4).unwrap(),
            dimension: NonZeroU32::new(500).unwrap(),
            scale: 4096.0,
            clip_norm: ClipNorm::new(1.0).unwrap(),
            noise_multiplier: NoiseMultiplier::new(1.0).unwrap(),
            rounded: RoundedLength::Worst,
        };
        let found = calibrate_discrete(target, delta(1e-6), &sum, 40).unwrap();
        let of = |sigma: f64| {
            DiscreteSum { noise_multiplier: NoiseMultiplier::new(sigma).unwrap(), ..sum }
                .epsilon(40, 1e-6)
                .epsilon
        };
        assert!(of(found.get()) <= 1.5 && of(found.get() * (1.0 - 1e-5)) > 1.5 * (1.0 - 1e-4));
        // The same noise on real numbers, without rounding, would need hardly less.
        assert!(found.get() >= sigma && found.get() < 1.01 * sigma, "{found} {sigma}");
    }
}
