use super::*;
use crate::joint::add_wide;
use crate::smudge::{Crowd, noise_deviation};
use crate::testing::{integers, spec};
use equipoise_core::Seed;

const TOTAL: Smudging = Smudging::Total { rounds: 1000 };
const EACH: Smudging = Smudging::PerCoefficient {};

fn sealed(parties: &SetupOf<JointKey>, client: usize, values: &[i64]) -> Upload {
    parties.clients[client].seal(&parties.public, 0, 1, values, SystemSource).unwrap()
}

/// Sums under `scheme`, and the phases without the message.
fn round_trip(
    parties: &mut SetupOf<JointKey>,
    scheme: &JointKey,
    uploads: &[Upload],
) -> Result<IntSum, SumError> {
    let public = &parties.public;
    let mut sum = scheme.empty(public, 0);
    uploads.iter().for_each(|upload| sum.add(public, upload).unwrap());
    let cohort = CohortRecord { round: 0, clients: sum.clients() };
    let answers = parties
        .holders
        .iter_mut()
        .map(|holder| scheme.partial_open(public, holder, &sum, &cohort))
        .collect::<Result<Vec<_>, _>>()?;
    scheme.open(public, sum, &answers)
}

#[test]
fn the_plan_says_how_many_bits_are_left_and_how_many_are_missing() {
    let plan = JointKey::new(3, 2, EACH).layout(&spec(100_000, 16, 5)).unwrap();
    assert_eq!((plan.slots, plan.width_bits, plan.smudge_log2, plan.bits_left), (2, 19, 80, 7));
    let total = JointKey::new(3, 2, TOTAL);
    let plan = total.layout(&spec(100_000, 15, 5)).unwrap();
    assert_eq!((plan.slots, plan.width_bits, plan.smudge_log2), (1, 18, 107));
    let beyond = total.layout(&spec(100_000, 16, 5));
    let Err(PlanError::SmudgingTooLarge { need_bits: 19, have_bits, missing_bits, .. }) = beyond else {
        panic!("{beyond:?}")
    };
    assert_eq!((have_bits + missing_bits, have_bits), (19, 18));
    let said = beyond.unwrap_err().to_string();
    assert!(said.contains("bits missing: 1") && said.contains("`rounds`"), "{said}");
    // A tenth of the parameters costs 3.3 bits less.
    assert!(total.layout(&spec(10_000, 16, 5)).is_ok());
}

#[test]
fn two_polynomials_at_the_extremes_open_exactly() {
    let scheme = JointKey::new(2, 2, EACH);
    let spec = spec(2 * 4096 + 5, 16, 5);
    let mut parties = scheme.setup(&spec).unwrap();
    let values: Vec<i64> = (0..spec.len).map(|at| [32_767, -32_767][at % 2]).collect();
    let uploads: Vec<_> = (0..5).map(|client| sealed(&parties, client, &values)).collect();
    let bytes = uploads[0].to_bytes();
    assert_eq!(bytes.len() as u64, parties.public.slots().upload_bytes);
    assert_eq!(Upload::from_bytes(&bytes, &parties.public).unwrap(), uploads[0]);
    for len in [0, 3, 35, bytes.len() - 1] {
        assert!(matches!(Upload::from_bytes(&bytes[..len], &parties.public), Err(SumError::Malformed(_))));
    }
    let total = round_trip(&mut parties, &scheme, &uploads).unwrap();
    assert!(total.values.iter().zip(&values).all(|(total, value)| *total == 5 * value));
}

/// All errors of one sum of five random updates under fresh keys of three holders, unsmudged.
fn errors(run: u64) -> Vec<i128> {
    let scheme = JointKey::new(3, 2, EACH);
    let spec = spec(2 * 4096, 16, 5);
    let mut parties = scheme.setup(&spec).unwrap();
    parties.public.opening.rules.smudge_log2 = 1;
    let public = &parties.public;
    let mut sum = scheme.empty(public, 0);
    let mut expected = vec![0_u128; 4096];
    for client in 0..5 {
        let values = integers(Seed::root(run).derive("client", client as u64), spec.len, 16);
        public.layout.add_packed(&values, &mut expected);
        sum.add(public, &sealed(&parties, client, &values)).unwrap();
    }
    let cohort = CohortRecord { round: 0, clients: sum.clients() };
    let mut phases = sum.c0.clone();
    for holder in &mut parties.holders {
        add_wide(&mut phases, &scheme.partial_open(public, holder, &sum, &cohort).unwrap().words);
    }
    phases.iter().zip(&expected).map(|(phase, want)| phase.wrapping_sub(*want).cast_signed()).collect()
}

#[test]
#[allow(clippy::cast_precision_loss)]
fn noise_keeps_its_bound_and_its_deviation_over_twenty_keys() {
    let all: Vec<i128> = (0..20).flat_map(errors).collect();
    let crowd = Crowd { clients: 5, holders: 3 };
    let bound = crate::smudge::noise_bound(&JOINT128_N4096, crowd) + 6;
    assert!(all.iter().all(|error| error.unsigned_abs() <= bound));
    let variance = all.iter().map(|&error| (error as f64).powi(2)).sum::<f64>() / all.len() as f64;
    let ratio = variance.sqrt() / noise_deviation(&JOINT128_N4096, crowd);
    assert!((ratio - 1.0).abs() < 0.05, "measured over predicted deviation: {ratio}");
}

#[test]
fn one_bit_less_of_scale_than_planned_opens_wrongly() {
    // Three holders' smudges of 2^81 reach 2^82.6: a step of 2^82 puts many errors beyond its half.
    let scheme = JointKey::new(3, 2, EACH);
    let spec = spec(4096, 8, 5);
    let plan = scheme.layout(&spec).unwrap();
    let tight = plan.noise_bound.ilog2();
    let short =
        Layout128 { slots: 1, width_bits: 128 - tight, delta_log2: tight, noise_bound: u128::MAX, ..plan };
    let mut parties = scheme.setup_with(&spec, short).unwrap();
    let uploads: Vec<_> = (0..5).map(|client| sealed(&parties, client, &[1; 4096])).collect();
    let wrong = round_trip(&mut parties, &scheme, &uploads).unwrap().values;
    assert!(wrong.iter().any(|value| *value != 5), "the bound is real");
    let mut parties = scheme.setup(&spec).unwrap();
    let uploads: Vec<_> = (0..5).map(|client| sealed(&parties, client, &[1; 4096])).collect();
    assert_eq!(round_trip(&mut parties, &scheme, &uploads).unwrap().values, vec![5; 4096]);
}

#[test]
fn all_but_one_answer_open_nothing() {
    let scheme = JointKey::new(3, 2, EACH);
    let spec = spec(4096, 8, 5);
    let mut parties = scheme.setup(&spec).unwrap();
    let uploads: Vec<_> = (0..3).map(|client| sealed(&parties, client, &[1; 4096])).collect();
    let public = &parties.public;
    let mut sum = scheme.empty(public, 0);
    uploads.iter().for_each(|upload| sum.add(public, upload).unwrap());
    let cohort = CohortRecord { round: 0, clients: sum.clients() };
    let answers: Vec<_> = parties.holders[..2]
        .iter_mut()
        .map(|holder| scheme.partial_open(public, holder, &sum, &cohort).unwrap())
        .collect();
    assert!(matches!(scheme.open(public, sum.clone(), &answers), Err(SumError::Malformed(_))));
    let mut phases = sum.c0;
    answers.iter().for_each(|answer| add_wide(&mut phases, &answer.words));
    let (guess, _) = public.layout.unpack(&phases);
    // A slot is 11 bits: 4,096 guesses are right twice on average; 30 of them has probability below 1e-22.
    assert!(guess.iter().filter(|value| **value == 3).count() < 30);
}
