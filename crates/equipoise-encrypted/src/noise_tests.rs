//! The noise bound holds over many keys, and the plan's limits are real: past them sums come out wrong.

use crate::mask::MaskStream;
use crate::testing::{integers, on_layout, parties, round_trip, spec};
use crate::{Accumulator, GLWE64_N4096, Layout, Upload};
use equipoise_core::Seed;

/// All errors of one sum of five random updates under a fresh key.
fn errors(key: u64) -> Vec<i64> {
    let spec = spec(3 * 2 * 4096, 16, 5);
    let parties = parties(&spec);
    let public = &parties.public;
    let seed = Seed::root(4).derive("key", key);
    let mut sum = Accumulator::new(public, 0);
    let mut expected = vec![0_u64; public.layout().coefficients()];
    for client in &parties.clients {
        let values = integers(seed.derive("client", u64::from(client.client)), spec.len, 16);
        public.layout().add_packed(&values, &mut expected);
        sum.add(public, &client.seal(public, 0, 1, &values).unwrap()).unwrap();
    }
    let mut scratch = public.ring.scratch();
    let mut found = vec![];
    for (index, (body, expected)) in sum.bodies.chunks(4096).zip(expected.chunks(4096)).enumerate() {
        scratch.mask.fill(0);
        sum.headers().for_each(|header| {
            MaskStream::new(&GLWE64_N4096, &header).add_polynomial(index, &mut scratch.mask);
        });
        public.ring.multiply(&parties.clients[0].key, &mut scratch);
        let triples = body.iter().zip(scratch.product.iter()).zip(expected);
        found.extend(triples.map(|((b, p), e)| b.wrapping_sub(*p).wrapping_sub(*e).cast_signed()));
    }
    found
}

#[test]
#[allow(clippy::cast_precision_loss)]
fn the_noise_of_five_uploads_keeps_its_bound_and_its_variance_over_twenty_keys() {
    let all: Vec<i64> = (0..20).flat_map(errors).collect();
    assert_eq!(all.len(), 20 * 8192);
    assert!(all.iter().all(|error| error.unsigned_abs() <= 5 * 8));
    // TUniform(3) has variance (2^7 + 1) / 6 = 21.5; 163,840 samples put 5 % at more than ten standard errors.
    let variance = all.iter().map(|&error| (error * error) as f64).sum::<f64>() / all.len() as f64;
    assert!((variance / (5.0 * 21.5) - 1.0).abs() < 0.05, "variance {variance}");
}

#[test]
fn one_bit_less_of_scale_than_planned_decodes_wrongly() {
    // Two uploads: errors up to 16, so the plan takes a scale of 2^6. At 2^5 an error of +16 is a tie that rounds up:
    // probability 2^-10 a coefficient, so none in 32,768 coefficients has probability e^-32.
    let spec = spec(8 * 4096, 16, 2);
    let planned = Layout::new("test", &GLWE64_N4096, &spec).unwrap();
    let safe = Layout { slots: 1, width_bits: 58, delta_log2: 6, ..planned };
    let short = Layout { width_bits: 59, delta_log2: 5, ..safe };
    let values: Vec<Vec<i64>> = (0..2).map(|client| integers(Seed::root(5 + client), spec.len, 16)).collect();
    let expected: Vec<i64> = values[0].iter().zip(&values[1]).map(|(a, b)| a + b).collect();
    assert_eq!(round_trip(&mut on_layout(&spec, safe), 0, &values).unwrap().values, expected);
    let wrong = round_trip(&mut on_layout(&spec, short), 0, &values).unwrap().values;
    let off: Vec<i64> = wrong.iter().zip(&expected).map(|(w, e)| w - e).filter(|d| *d != 0).collect();
    assert!(!off.is_empty() && off.iter().all(|&d| d == 1), "ties round up by one: {} of them", off.len());
}

#[test]
fn a_fifth_party_in_slots_planned_for_four_changes_exactly_the_predicted_slots() {
    // 4 * 127 = 508 fits ten signed bits, 5 * 127 = 635 reads as 635 - 1024 = -389 and carries 1 to its right neighbour.
    let spec = spec(2 * 4096 * 5 - 3, 8, 5);
    let planned = Layout::new("test", &GLWE64_N4096, &spec).unwrap();
    let tight = Layout { slots: 5, width_bits: 10, delta_log2: 14, max_abs_sum: u64::MAX, ..planned };
    let mut values = vec![1_i64; spec.len];
    let overflowing = [0, 7, 5 * 4096 + 13];
    overflowing.iter().for_each(|&at| values[at] = 127);
    let all = vec![values; 5];
    let mut expected = vec![5_i64; spec.len];
    for at in overflowing {
        expected[at] = -389;
        expected[at + 1] = 6;
    }
    assert_eq!(round_trip(&mut on_layout(&spec, tight), 0, &all).unwrap().values, expected);
    let good: Vec<i64> = all[0].iter().map(|value| 5 * value).collect();
    assert_eq!(round_trip(&mut on_layout(&spec, planned), 0, &all).unwrap().values, good);
}

#[test]
fn a_carry_out_of_the_last_slot_of_a_coefficient_stays_in_that_coefficient() {
    let spec = spec(10, 8, 5);
    let planned = Layout::new("test", &GLWE64_N4096, &spec).unwrap();
    let tight = Layout { slots: 5, width_bits: 10, delta_log2: 14, max_abs_sum: u64::MAX, ..planned };
    let mut values = vec![1_i64; 10];
    values[4] = 127;
    let opened = round_trip(&mut on_layout(&spec, tight), 0, &vec![values; 5]).unwrap().values;
    assert_eq!(opened, [5, 5, 5, 5, -389, 5, 5, 5, 5, 5]);
}

/// Chi-square of sixteen bins against the uniform distribution; 15 degrees of freedom.
#[allow(clippy::cast_precision_loss)]
fn chi_square(nibbles: impl Iterator<Item = u64>) -> f64 {
    let mut bins = [0_u64; 16];
    nibbles.for_each(|nibble| bins[usize::try_from(nibble & 15).unwrap()] += 1);
    let expected = bins.iter().sum::<u64>() as f64 / 16.0;
    bins.iter().map(|&count| (count as f64 - expected).powi(2) / expected).sum()
}

#[test]
fn uploads_of_zeros_and_of_the_largest_values_both_look_uniform() {
    let spec = spec(3 * 4096 * 3, 12, 5);
    let parties = parties(&spec);
    let (public, client) = (&parties.public, &parties.clients[0]);
    // P(chi-square of 15 degrees > 60) is below 1e-6; four of them: a false alarm in 250,000 runs. A sanity check of
    // the plumbing, not evidence of security, which is the lattice assumption.
    for value in [0, 2047] {
        let upload = client.seal(public, 0, 1, &vec![value; spec.len]).unwrap();
        let top = chi_square(upload.bodies().iter().map(|body| body >> 60));
        let low = chi_square(upload.bodies().iter().copied());
        assert!(top < 60.0 && low < 60.0, "value {value}: top {top}, low {low}");
    }
    let mut bare = vec![0; public.layout().coefficients()];
    public.layout().add_packed(&vec![2047; spec.len], &mut bare);
    assert!(chi_square(bare.iter().map(|body| body >> 60)) > 1e5, "the statistic sees what is not masked");
}

#[test]
fn the_same_update_sealed_twice_shares_no_seed_and_no_body() {
    let spec = spec(1000, 12, 5);
    let parties = parties(&spec);
    let seal = || -> Upload { parties.clients[0].seal(&parties.public, 0, 1, &vec![9; 1000]).unwrap() };
    let (first, second) = (seal(), seal());
    assert_ne!(first.header.seed, second.header.seed);
    // 334 coefficients of 64 uniform bits: an equal pair has probability below 2^-55.
    assert!(first.bodies().iter().zip(second.bodies()).all(|(a, b)| a != b));
}
