//! The opened sum is the integer sum: any cohort, any order, any values that the plan allows.

use crate::common::{integers, outgoing, parties, scheme, seal, spec};
use equipoise_core::{Draw, Seed};
use equipoise_federated::{CohortRecord, IntSum, SecureSum};
use equipoise_privacy::OutgoingUpdate;
use proptest::prelude::*;

/// Encrypts, sums in the given order and opens; `batch` adds all uploads in one pass.
fn sum(
    len: usize,
    bits: u8,
    max_weight: u32,
    max_clients: u32,
    updates: &[OutgoingUpdate],
    batch: bool,
) -> IntSum {
    let mut parties = parties(&spec(len, bits, max_weight, max_clients));
    let uploads: Vec<_> = updates.iter().map(|update| seal(&mut parties, update)).collect();
    let mut sum = scheme().empty(&parties.public, updates[0].round());
    if batch {
        sum.add_all(&parties.public, &uploads).unwrap();
    } else {
        for upload in &uploads {
            scheme().accumulate(&parties.public, &mut sum, upload).unwrap();
        }
    }
    let cohort = CohortRecord { round: updates[0].round(), clients: sum.clients() };
    let share = scheme().partial_open(&parties.public, &mut parties.holders[0], &sum, &cohort).unwrap();
    scheme().open(&parties.public, sum, &[share]).unwrap()
}

fn expected(updates: &[OutgoingUpdate]) -> Vec<i64> {
    let mut total = vec![0; updates[0].values().len()];
    for update in updates {
        total.iter_mut().zip(update.values()).for_each(|(t, v)| *t += v);
    }
    total
}

#[test]
fn extreme_vectors_are_exact_for_every_cohort_size_up_to_eight() {
    let len = 4096 * 3 + 11;
    for clients in 2..=8 {
        for pattern in [|_| 1_i64, |_| -1, |at: usize| if at.is_multiple_of(2) { 1 } else { -1 }] {
            let values: Vec<i64> = (0..len).map(|at| 32767 * pattern(at)).collect();
            let updates: Vec<_> = (0..clients).map(|client| outgoing(1, client, 1, values.clone())).collect();
            assert_eq!(
                sum(len, 16, 1, clients, &updates, true).values,
                expected(&updates),
                "{clients} clients"
            );
        }
    }
}

#[test]
fn fifty_clients_at_the_limit_of_three_slots_are_exact() {
    let len = 5000;
    let updates: Vec<_> = (0..50).map(|client| outgoing(0, client, 1, vec![-2047; len])).collect();
    let opened = sum(len, 12, 1, 50, &updates, true);
    assert_eq!(opened, IntSum { values: vec![-2047 * 50; len], weight: 50, clients: 50 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_cohort_in_any_order_is_exact(
        seed in any::<u64>(),
        cohort in 2_u32..=8,
        len in prop_oneof![1_usize..200, 4090_usize..4100, 12_280_usize..12_300, 20_000_usize..20_010],
        bits in 2_u8..=20,
        max_weight in 1_u32..=7,
        batch in any::<bool>(),
    ) {
        let seed = Seed::root(seed);
        let mut order: Vec<u32> = (0..8).collect();
        seed.derive("order", 0).rng().shuffle(&mut order);
        let most = (1_i64 << (bits - 1)) - 1;
        let updates: Vec<_> = order[..cohort as usize].iter().map(|&client| {
            let weight = 1 + client % max_weight;
            let bound = most * i64::from(weight);
            outgoing(3, client, weight, integers(seed.derive("client", u64::from(client)), len, bound))
        }).collect();
        let opened = sum(len, bits, max_weight, 8, &updates, batch);
        prop_assert_eq!(opened.values, expected(&updates));
        prop_assert_eq!(opened.weight, updates.iter().map(|u| u64::from(u.weight())).sum::<u64>());
        prop_assert_eq!(opened.clients, cohort);
    }
}
