//! The laws of mechanisms and of rounding, as functions: tests run them over every registered one and over deliberately wrong ones.

use crate::{DpEvent, Mechanism, PrivacyUnit, Quantizer, RdpAccountant};
use equipoise_core::{Draw, Seed};
use std::num::NonZeroU32;

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
        DpEvent::PoissonGaussian { noise_multiplier, .. }
        | DpEvent::PoissonGaussianRows { noise_multiplier, .. } => {
            check_repeatable(mechanism, seed)?;
            check_moments(mechanism, seed, noise_multiplier)?;
            check_claim(mechanism)
        }
        DpEvent::Repeat { ref event, steps } if mechanism.on_local_steps().is_some() => {
            check_server_adds_nothing(mechanism, seed)?;
            check_local_steps(mechanism, event, steps, seed)
        }
        DpEvent::DiscreteSum(_) => {
            check_server_adds_nothing(mechanism, seed)?;
            check_shares(mechanism, seed)
        }
        other => Err(format!("a mechanism's event is one step, got {other:?}")),
    }
}

fn ensure(ok: bool, law: impl FnOnce() -> String) -> Result<(), String> {
    if ok { Ok(()) } else { Err(law()) }
}

fn check_server_adds_nothing(mechanism: &dyn Mechanism, seed: Seed) -> Result<(), String> {
    let before = [1.5, -2.0, 0.0, 1e9];
    let mut after = before;
    mechanism.on_server(&mut after, SENSITIVITY, seed);
    let same = before.map(f64::to_bits) == after.map(f64::to_bits);
    ensure(same, || "the event says no noise at the server, but the sum changed".into())
}

/// Shares of platforms: of the certain ones alone, summed, they have the deviation that the event states.
#[allow(clippy::cast_precision_loss, reason = "small integers")]
fn check_shares(mechanism: &dyn Mechanism, seed: Seed) -> Result<(), String> {
    let Some(noise) = mechanism.on_platforms() else {
        return Err("the event says noise on the platforms, but they add none".into());
    };
    ensure(noise.event() == mechanism.event(), || "the platforms add other noise than is accounted".into())?;
    let draw = |client: u32, at: u64| {
        let mut share = vec![0; COORDINATES as usize / 3];
        let seed = seed.derive("client", u64::from(client)).derive("round", at);
        let drawn = noise.draw(&mut share, crate::NoiseSource::Replayable(seed));
        drawn.map(|()| share).map_err(|error| error.to_string())
    };
    ensure(draw(0, 0)? == draw(0, 0)?, || {
        "a redone round drew other noise: that is a second release".into()
    })?;
    ensure(draw(0, 0)? != draw(0, 1)?, || "two rounds drew the same noise".into())?;
    ensure(draw(0, 0)? != draw(1, 0)?, || "two platforms drew the same noise".into())?;
    let mut sum = vec![0_i64; COORDINATES as usize / 3];
    for client in 0..noise.sum().honest.get() {
        sum.iter_mut().zip(draw(client, 0)?).for_each(|(sum, share)| *sum += share);
    }
    let (n, unit) = (f64::from(COORDINATES / 3), noise.sum().total_deviation());
    let moment =
        |power: i32| sum.iter().map(|&y| libm::pow(y as f64 / unit, f64::from(power))).sum::<f64>() / n;
    // A Skellam share has a whole rate, rounded up, and a fourth moment above the Gaussian's by one over its variance.
    let more = 2.0 * f64::from(noise.sum().honest.get()) / (unit * unit);
    for (power, want, variance, slack) in
        [(1, 0.0, 1.0, 0.0), (2, 1.0, 2.0, more), (4, 3.0, 96.0, 8.0 * more)]
    {
        let (got, band) = (moment(power), ERRORS * libm::sqrt(variance / n) + slack);
        ensure((got - want).abs() <= band, || {
            format!(
                "moment {power} of the certain shares over what the event states is {got}, expected {want} within {band}"
            )
        })?;
    }
    for unit in PrivacyUnit::ALL {
        for steps in [1, 10, 200] {
            let Some(claim) = mechanism.claim(unit, steps) else { continue };
            ensure(claim.epsilon >= noise.epsilon(steps), || "a claim below what the event costs".into())?;
            let shares = claim.integer.is_some_and(|shares| shares.honest == noise.sum().honest);
            let named = claim.adversary == noise.adversary() && claim.steps == steps && claim.unit == unit;
            ensure(shares && named, || "a claim for other platforms, another adversary or unit".into())?;
            ensure(claim.sampling_rate.get() >= 1.0, || {
                "no theorem amplifies integer noise by sampling".into()
            })?;
            ensure(!claim.not_protected.is_empty(), || {
                "a claim that says nothing of what stays open".into()
            })?;
        }
    }
    Ok(())
}

/// Noise in local steps: that of one has the deviation that its event states, and a claim is about all of them.
fn check_local_steps(
    mechanism: &dyn Mechanism,
    event: &DpEvent,
    steps: u32,
    seed: Seed,
) -> Result<(), String> {
    let Some(local) = mechanism.on_local_steps() else {
        return Err("the event says noise in local steps, but there are none".into());
    };
    ensure(local.local_steps().get() == steps, || "other local steps are taken than are accounted".into())?;
    let (DpEvent::PoissonGaussian { noise_multiplier, .. }
    | DpEvent::PoissonGaussianRows { noise_multiplier, .. }) = *event
    else {
        return Err(format!("a local step is a Gaussian sum of a sample, got {event:?}"));
    };
    let draw = |base: f64, seed: Seed| -> Result<Vec<f64>, String> {
        let mut sum = vec![base; COORDINATES as usize];
        let noised = local.on_local_step(&mut sum, SENSITIVITY, crate::NoiseSource::Replayable(seed));
        noised.map_err(|error| error.to_string())?;
        sum.iter_mut().for_each(|value| *value = (*value - base) / (noise_multiplier * SENSITIVITY));
        Ok(sum)
    };
    let (first, other) = (draw(0.0, seed.derive("step", 0))?, draw(0.0, seed.derive("step", 1))?);
    let same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-9);
    ensure(same(&first, &draw(64.0, seed.derive("step", 0))?), || "the noise depends on the sum".into())?;
    ensure(!same(&first, &other), || "two local steps drew the same noise".into())?;
    let n = f64::from(COORDINATES);
    for (power, want, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (4, 3.0, 96.0)] {
        let got = first.iter().map(|&x| libm::pow(x, f64::from(power))).sum::<f64>() / n;
        ensure((got - want).abs() <= ERRORS * libm::sqrt(variance / n), || {
            format!(
                "moment {power} of a local step's noise over what the event states is {got}, expected {want}"
            )
        })?;
    }
    for unit in PrivacyUnit::ALL {
        for rounds in [1, 50] {
            let Some(claim) = mechanism.claim(unit, rounds) else { continue };
            ensure(claim.steps == rounds * steps && claim.local_steps == Some(steps), || {
                "a claim that counts other steps than are taken".into()
            })?;
            let mut accountant = RdpAccountant::new();
            accountant.compose(&mechanism.event(), rounds);
            let accounted = accountant.epsilon(claim.delta).epsilon;
            ensure(unit == PrivacyUnit::Row || claim.epsilon * 5.0 >= accounted, || {
                format!("the claim of {} is far below the event's {accounted}", claim.epsilon)
            })?;
        }
    }
    Ok(())
}

fn check_untouched(mechanism: &dyn Mechanism, seed: Seed) -> Result<(), String> {
    check_server_adds_nothing(mechanism, seed)?;
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
            let (sampling_rate, noise_multiplier) = (claim.sampling_rate.get(), claim.noise_multiplier.get());
            let of_claim = match NonZeroU32::new(claim.rows).filter(|rows| rows.get() > 1) {
                None => DpEvent::PoissonGaussian { sampling_rate, noise_multiplier },
                Some(rows) => DpEvent::PoissonGaussianRows { sampling_rate, noise_multiplier, rows },
            };
            let mut accountant = RdpAccountant::new();
            accountant.compose(&of_claim, steps);
            // An account moves what was released before the first step as much as is accounted; a pair less.
            let account = matches!(unit, PrivacyUnit::AccountPrivateGraph | PrivacyUnit::AccountFixedGraph);
            if let Some(before) = mechanism.before_steps().filter(|_| account) {
                accountant.compose(&before, 1);
                let accounted = accountant.epsilon(claim.delta).epsilon;
                ensure(claim.epsilon >= accounted * (1.0 - 1e-9), || {
                    format!(
                        "the claim of {} leaves out what is released before the first step: {accounted}",
                        claim.epsilon
                    )
                })?;
            }
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
            // A row is one of the rows that the event is about, and a pair's ends are two of them.
            let whole = matches!(unit, PrivacyUnit::Row | PrivacyUnit::Pair) || of_claim == mechanism.event();
            let same = match mechanism.event() {
                DpEvent::PoissonGaussian { sampling_rate: q, noise_multiplier: sigma }
                | DpEvent::PoissonGaussianRows { sampling_rate: q, noise_multiplier: sigma, .. } => {
                    q.to_bits() == sampling_rate.to_bits() && sigma.to_bits() == noise_multiplier.to_bits()
                }
                _ => false,
            };
            ensure(whole && same, || "the claim and the event state different numbers".into())?;
        }
    }
    Ok(())
}

/// How reals become integers, by a name and whether it says of itself that it is unbiased; the draws have an address.
pub type Encode<'a> = &'a dyn Fn(&Quantizer, &[f32], Seed) -> Vec<i64>;

/// Checks the laws of [`crate::Rounding`].
///
/// # Errors
/// The first law that is broken, in words.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small integers")]
pub fn check_rounding(encode: Encode<'_>, unbiased: bool, seed: Seed) -> Result<(), String> {
    let grid = Quantizer { clip_abs: 15.0, bits: 5 };
    let draws = COORDINATES as usize;
    let whole: Vec<f32> = (-15_i8..=15).map(f32::from).collect();
    let kept: Vec<i64> = (-15..=15).collect();
    ensure(encode(&grid, &whole, seed) == kept, || "a whole step does not stay as it is".into())?;
    for value in [0.1_f32, 0.5, -0.5, 3.37, -7.81, 14.6] {
        let drawn = encode(&grid, &vec![value; draws], seed.derive("value", u64::from(value.to_bits())));
        let far = drawn.iter().find(|&&integer| (integer as f64 - f64::from(value)).abs() >= 1.0);
        ensure(far.is_none(), || format!("{value} lands a whole step away, at {far:?}"))?;
        // A draw between two steps has a variance of at most a quarter.
        let mean = drawn.iter().sum::<i64>() as f64 / draws as f64;
        let band = ERRORS * 0.5 / libm::sqrt(draws as f64);
        let on_average = (mean - f64::from(value)).abs() <= band;
        ensure(!unbiased || on_average, || format!("{value} is {mean} on average: biased"))?;
    }
    let mut rng = seed.derive("neighbours", 0).rng();
    let pairs: Vec<(f32, f32)> = (0..draws)
        .map(|_| {
            let value = (20.0 * rng.uniform() - 10.0) as f32;
            (value, value + (4.0 * rng.uniform() - 2.0) as f32)
        })
        .collect();
    let (a, b): (Vec<f32>, Vec<f32>) = pairs.iter().copied().unzip();
    let at = seed.derive("shared", 0);
    let (drawn_a, drawn_b) = (encode(&grid, &a, at), encode(&grid, &b, at));
    ensure(encode(&grid, &a, at) == drawn_a, || "one address gives two roundings".into())?;
    for ((x, y), (i, j)) in pairs.iter().zip(drawn_a.iter().zip(&drawn_b)) {
        let apart = (i - j).abs() as f64;
        let bound = (f64::from(*x) - f64::from(*y)).abs() + 1.0;
        ensure(apart <= bound + 1e-6, || format!("{x} and {y} land {apart} steps apart under one draw"))?;
    }
    Ok(())
}
