//! Every scheme that an experiment can name opens the integer sum: any cohort, any length, any values that the plan allows.

use crate::common::{integers, outgoing, spec};
use equipoise_core::{Draw, Seed};
use equipoise_encrypted::SchemeSpec;
use equipoise_federated::{IntSum, SumSession, Untimed, VectorSpec};
use equipoise_privacy::OutgoingUpdate;
use proptest::prelude::*;

/// The clients that are asked are those that answer: dropouts have tests of their own.
fn sum(session: &mut dyn SumSession, round: u32, updates: &[OutgoingUpdate]) -> IntSum {
    let mut asked: Vec<u32> = updates.iter().map(OutgoingUpdate::client).collect();
    asked.sort_unstable();
    session.asked(round, &asked);
    session.sum(round, updates, &Untimed).unwrap().0
}

fn expected(updates: &[OutgoingUpdate]) -> IntSum {
    let mut values = vec![0; updates[0].values().len()];
    for update in updates {
        values.iter_mut().zip(update.values()).for_each(|(total, value)| *total += value);
    }
    let weight = updates.iter().map(|update| u64::from(update.weight())).sum();
    IntSum { values, weight, clients: u32::try_from(updates.len()).unwrap() }
}

fn check(spec: &VectorSpec, rounds: &[Vec<OutgoingUpdate>]) {
    for scheme in SchemeSpec::examples() {
        let scheme = scheme.build();
        let mut session = scheme.session(spec).unwrap();
        for (round, updates) in (0..).zip(rounds) {
            assert!(
                sum(session.as_mut(), round, updates) == expected(updates),
                "{}, round {round}",
                scheme.name()
            );
        }
    }
}

#[test]
fn extremes_and_alternating_vectors_are_exact_for_every_cohort_size() {
    let spec = spec(4096 * 3 + 11, 16, 1, 8);
    let patterns: [fn(usize) -> i64; 3] = [|_| 1, |_| -1, |at| if at.is_multiple_of(2) { 1 } else { -1 }];
    let mut rounds = vec![];
    for clients in 2..=8 {
        let pattern = patterns[clients as usize % 3];
        let values: Vec<i64> = (0..spec.len).map(|at| 32_767 * pattern(at)).collect();
        let round = u32::try_from(rounds.len()).unwrap();
        rounds.push((0..clients).map(|client| outgoing(round, client, 1, values.clone())).collect());
    }
    check(&spec, &rounds);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_cohort_in_any_order_is_exact(
        seed in any::<u64>(),
        cohort in 2_u32..=6,
        len in prop_oneof![1_usize..200, 4090_usize..4100, 12_280_usize..12_300],
        bits in 2_u8..=14,
        max_weight in 1_u32..=4,
    ) {
        let seed = Seed::root(seed);
        let mut order: Vec<u32> = (0..6).collect();
        seed.derive("order", 0).rng().shuffle(&mut order);
        let most = (1_i64 << (bits - 1)) - 1;
        let updates = order[..cohort as usize].iter().map(|&client| {
            let weight = 1 + client % max_weight;
            let values = integers(seed.derive("client", u64::from(client)), len, most * i64::from(weight));
            outgoing(0, client, weight, values)
        });
        check(&spec(len, bits, max_weight, 6), &[updates.collect()]);
    }
}
