//! The fits find what samples were drawn from, and the tests tell the three shapes apart.

use super::*;
use equipoise_core::{CounterRng, Draw, Seed};

fn draw(n: usize, seed: u64, mut one: impl FnMut(&mut CounterRng) -> f64) -> Vec<u64> {
    let mut rng = Seed::root(seed).rng();
    (0..n).map(|_| one(&mut rng).min(1e12) as u64).collect()
}

/// Discrete power law by inversion of its cumulative sum, exact up to 100,000, continuous beyond.
fn power(rng: &mut CounterRng, alpha: f64, xmin: f64) -> f64 {
    let law = PowerLaw::new(alpha, xmin);
    let (mut left, mut x) = (rng.uniform_open(), xmin);
    loop {
        left -= law.ln_p(x).exp();
        if left <= 0.0 || x > 100_000.0 {
            return x;
        }
        x += 1.0;
    }
}

#[test]
fn the_exponent_of_a_power_law_is_found() {
    // Standard error about (alpha - 1) / sqrt(n) = 0.021.
    let values = draw(5_000, 1, |rng| power(rng, 2.5, 1.0));
    let got = TailReport::from_start(&values, 1).unwrap();
    assert!((got.power_law.alpha - 2.5).abs() < 0.09, "{got:?}");
    assert!(got.ks < 0.03, "{got:?}");
    assert!(!TailReport::of(&values).unwrap().shape.rejects_power_law(), "{got:?}");
}

#[test]
fn a_log_normal_is_told_from_a_power_law() {
    // Standard errors: mu sigma / sqrt(n) = 0.014.
    let values = draw(5_000, 2, |rng| libm::round(rng.log_normal(30.0, 1.0)));
    let got = TailReport::from_start(&values, 1).unwrap();
    assert!((got.log_normal.mu - 30.0_f64.ln()).abs() < 0.06, "{got:?}");
    assert!((got.log_normal.sigma - 1.0).abs() < 0.05, "{got:?}");
    assert_eq!(got.shape, TailShape::LogNormal, "{got:?}");
    assert!(got.power_law_or_log_normal.z < -10.0, "{got:?}");
}

#[test]
fn a_geometric_is_a_cut_off_with_its_rate_and_no_power() {
    let values = draw(5_000, 3, |rng| f64::from(rng.geometric(20.0)));
    let got = TailReport::from_start(&values, 1).unwrap();
    // Success probability 1/20: rate -ln(19/20) = 0.0513, standard error about 0.0013 jointly with alpha.
    assert!(got.cutoff.alpha.abs() < 0.12, "{got:?}");
    assert!((got.cutoff.rate - 0.0513).abs() < 0.006, "{got:?}");
    assert_eq!(got.shape, TailShape::Cutoff, "{got:?}");
}

#[test]
fn the_start_of_the_tail_is_found_beyond_a_flat_body() {
    // Half of the values are spread evenly below 10, the others follow a power law from 10 on.
    let values =
        draw(6_000, 4, |rng| if rng.chance(0.5) { 1.0 + rng.below(9) as f64 } else { power(rng, 2.2, 10.0) });
    let got = TailReport::of(&values).unwrap();
    assert!((8..=16).contains(&got.xmin), "{got:?}");
    assert!((got.power_law.alpha - 2.2).abs() < 0.12, "{got:?}");
}

#[test]
fn too_little_is_not_fitted() {
    assert!(TailReport::of(&[1, 2, 3]).is_none());
    assert!(TailReport::of(&[7; 500]).is_none());
    assert!(TailReport::from_start(&[0; 500], 1).is_none());
}
