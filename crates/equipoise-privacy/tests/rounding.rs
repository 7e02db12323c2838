//! The laws over every way of rounding, and over wrong ones that they must reject.

use equipoise_core::{Draw, Seed};
use equipoise_privacy::{Quantizer, Rounding, laws::check_rounding};
use proptest::prelude::*;

#[test]
fn every_rounding_keeps_its_laws() {
    for rounding in Rounding::examples() {
        let encode = |grid: &Quantizer, values: &[f32], seed: Seed| rounding.encode(grid, values, seed);
        check_rounding(&encode, rounding.is_unbiased(), Seed::root(11)).unwrap();
    }
}

#[test]
fn rounding_to_the_nearest_is_not_unbiased() {
    let encode =
        |grid: &Quantizer, values: &[f32], seed: Seed| Rounding::Nearest {}.encode(grid, values, seed);
    assert!(check_rounding(&encode, true, Seed::root(11)).unwrap_err().contains("biased"));
}

/// Wrong: a coin for every number, whatever its place between two steps.
#[test]
fn a_fair_coin_is_rejected() {
    let encode = |_: &Quantizer, values: &[f32], seed: Seed| {
        let mut rng = seed.rng();
        let mut coin = |value: &f32| {
            let between = value.fract().abs() > 1e-9;
            value.floor() as i64 + i64::from(between && rng.chance(0.5))
        };
        values.iter().map(&mut coin).collect()
    };
    assert!(check_rounding(&encode, true, Seed::root(11)).unwrap_err().contains("biased"));
}

/// Wrong: draws that depend on the value, so that neighbours do not share them. Unbiased, and twice as sensitive.
#[test]
fn draws_that_depend_on_the_data_are_rejected() {
    let encode = |_: &Quantizer, values: &[f32], seed: Seed| {
        let own = |(at, value): (usize, &f32)| {
            let at = seed.derive("coordinate", at as u64).derive("value", u64::from(value.to_bits()));
            (f64::from(*value) + at.rng().uniform()).floor() as i64
        };
        values.iter().enumerate().map(own).collect()
    };
    assert!(check_rounding(&encode, true, Seed::root(11)).unwrap_err().contains("apart under one draw"));
}

proptest! {
    #[test]
    fn drawn_rounding_keeps_two_neighbours_within_the_stated_bound(
        pairs in prop::collection::vec((-2.0_f32..2.0, -0.5_f32..0.5), 1..60),
        bits in 2_u8..12,
        clip_abs in 0.1_f32..2.0,
        seed in any::<u64>(),
    ) {
        let grid = Quantizer { clip_abs, bits };
        let rounding = Rounding::Stochastic {};
        let a: Vec<f32> = pairs.iter().map(|pair| pair.0).collect();
        let b: Vec<f32> = pairs.iter().map(|pair| pair.0 + pair.1).collect();
        let square = |x: f64| x * x;
        let l2: f64 = a.iter().zip(&b).map(|(&x, &y)| square(f64::from(x) - f64::from(y))).sum::<f64>().sqrt();
        let of = |values: &[f32]| rounding.encode(&grid, values, Seed::root(seed));
        let apart: f64 = of(&a).iter().zip(of(&b)).map(|(i, j)| square((i - j) as f64 * grid.lsb())).sum();
        prop_assert!(apart.sqrt() <= rounding.sensitivity(&grid, l2, a.len()));
    }
}
