//! The laws of mechanisms, as functions: tests run them over every registered mechanism and over deliberately wrong ones.

use crate::{DpEvent, Mechanism, PrivacyUnit, RdpAccountant};
use equipoise_core::Seed;

/// Coordinates of the statistical checks. The standard error of a deviation is then 0.24 %.
const COORDINATES: u32 = 90_000;
/// Width of every band in standard errors; the seeds are fixed, so a check that passed once passes always.
const ERRORS: f64 = 6.0;
/// Not 1, so that a mechanism that forgets to multiply is found.
const SENSITIVITY: f64 = 2.5;

/// Checks the laws of [`Mechanism`].
///
/// # Errors
/// The first law that is broken, in words.
pub fn check_mechanism_laws(mechanism: &dyn Mechanism) -> Result<(), String> {
    let seed = Seed::root(0x1A35).derive("laws", 0);
    match mechanism.event() {
        DpEvent::None => check_untouched(mechanism, seed),
        DpEvent::PoissonGaussian { noise_multiplier, .. } => {
            check_repeatable(mechanism, seed)?;
            check_moments(mechanism, seed, noise_multiplier)?;
            check_claim(mechanism)
        }
        other => Err(format!("a mechanism's event is one step, got {other:?}")),
    }
}

fn ensure(ok: bool, law: impl FnOnce() -> String) -> Result<(), String> {
    if ok { Ok(()) } else { Err(law()) }
}

fn check_untouched(mechanism: &dyn Mechanism, seed: Seed) -> Result<(), String> {
    let before = [1.5, -2.0, 0.0, 1e9];
    let mut after = before;
    mechanism.on_server(&mut after, SENSITIVITY, seed);
    let same = before.map(f64::to_bits) == after.map(f64::to_bits);
    ensure(same, || "the event says no noise, but the sum changed".into())?;
    let silent = PrivacyUnit::ALL.iter().all(|&unit| mechanism.claim(unit, 1).is_none());
    ensure(silent, || "a mechanism without noise claims privacy".into())
}

fn noise(mechanism: &dyn Mechanism, base: f64, sensitivity: f64, seed: Seed) -> Vec<f64> {
    let mut sum = vec![base; COORDINATES as usize];
    mechanism.on_server(&mut sum, sensitivity, seed);
    sum.iter().map(|value| value - base).collect()
}

fn check_repeatable(mechanism: &dyn Mechanism, seed: Seed) -> Result<(), String> {
    let first = noise(mechanism, 0.0, SENSITIVITY, seed);
    let close = |a: &[f64], b: &[f64], factor: f64| {
        a.iter().zip(b).all(|(x, y)| (x * factor - y).abs() <= 1e-9 * (1.0 + x.abs() * factor))
    };
    let again = noise(mechanism, 0.0, SENSITIVITY, seed);
    let same = first.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits());
    ensure(same, || "a redone round drew other noise: that is a second release".into())?;
    let other = noise(mechanism, 0.0, SENSITIVITY, seed.derive("another", 1));
    ensure(!close(&first, &other, 1.0), || "two rounds drew the same noise".into())?;
    let shifted = noise(mechanism, 64.0, SENSITIVITY, seed);
    ensure(close(&first, &shifted, 1.0), || "the noise depends on the sum".into())?;
    let doubled = noise(mechanism, 0.0, 2.0 * SENSITIVITY, seed);
    ensure(close(&first, &doubled, 2.0), || "the noise does not grow with the sensitivity".into())
}

fn check_moments(mechanism: &dyn Mechanism, seed: Seed, noise_multiplier: f64) -> Result<(), String> {
    let unit = noise_multiplier * SENSITIVITY;
    let noise: Vec<f64> = noise(mechanism, 0.0, SENSITIVITY, seed).iter().map(|value| value / unit).collect();
    let n = f64::from(COORDINATES);
    let mean_of = |f: &dyn Fn(f64) -> f64| noise.iter().map(|&x| f(x)).sum::<f64>() / n;
    // Each moment with its expectation and the variance of one draw's contribution, for a standard normal.
    let moments = [
        ("mean", mean_of(&|x| x), 0.0, 1.0),
        ("variance", mean_of(&|x| x * x), 1.0, 2.0),
        ("third moment", mean_of(&|x| x * x * x), 0.0, 15.0),
        ("fourth moment", mean_of(&|x| x * x * x * x), 3.0, 96.0),
        ("correlation of neighbours", noise.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / n, 0.0, 1.0),
    ];
    for (what, got, want, variance) in moments {
        let band = ERRORS * libm::sqrt(variance / n);
        ensure((got - want).abs() <= band, || {
            format!(
                "the {what} of the noise over what the event states is {got}, expected {want} within {band}"
            )
        })?;
    }
    Ok(())
}

fn check_claim(mechanism: &dyn Mechanism) -> Result<(), String> {
    for unit in PrivacyUnit::ALL {
        for steps in [1, 10, 200] {
            let Some(claim) = mechanism.claim(unit, steps) else { continue };
            let mut accountant = RdpAccountant::new();
            accountant.compose(&mechanism.event(), steps);
            let accounted = accountant.epsilon(claim.delta).epsilon;
            // Another accountant may be tighter than Renyi's, so a claim is held against the event it was made from, and
            // only a claim by more than the largest ratio seen (4.79) below Renyi's is called wrong.
            ensure(claim.epsilon * 5.0 >= accounted, || {
                format!(
                    "the claim of epsilon {} for {steps} steps is far below the event's {accounted}",
                    claim.epsilon
                )
            })?;
            ensure(claim.steps == steps && claim.unit == unit, || {
                "a claim for other steps or another unit".into()
            })?;
            ensure(!claim.not_protected.is_empty(), || {
                "a claim that says nothing of what stays open".into()
            })?;
            let of_event = DpEvent::PoissonGaussian {
                sampling_rate: claim.sampling_rate.get(),
                noise_multiplier: claim.noise_multiplier.get(),
            };
            ensure(of_event == mechanism.event(), || {
                "the claim and the event state different numbers".into()
            })?;
        }
    }
    Ok(())
}
