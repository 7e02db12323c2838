//! What the parties refuse, and that the refusal is a typed error.

use crate::common::{outgoing, parties, scheme, seal, spec};
use equipoise_encrypted::{Accumulator, KeyHolder, PlatformKey, Public};
use equipoise_federated::{CohortRecord, SecureSum, Setup, SumError};

type Parties = Setup<Public, PlatformKey, KeyHolder>;

fn sum_of(parties: &mut Parties, round: u32, clients: &[u32]) -> Accumulator {
    let mut sum = scheme().empty(&parties.public, round);
    for &client in clients {
        let upload = seal(parties, &outgoing(round, client, 1, vec![1; 300]));
        scheme().accumulate(&parties.public, &mut sum, &upload).unwrap();
    }
    sum
}

fn refusal(parties: &mut Parties, sum: &Accumulator, round: u32, clients: &[u32]) -> String {
    let cohort = CohortRecord { round, clients: clients.to_vec() };
    match scheme().partial_open(&parties.public, &mut parties.holders[0], sum, &cohort) {
        Err(SumError::Refused { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_round_opens_once_and_for_one_cohort() {
    let mut parties = parties(&spec(300, 8, 1, 5));
    let all = sum_of(&mut parties, 4, &[0, 1, 2]);
    let cohort = CohortRecord { round: 4, clients: vec![0, 1, 2] };
    scheme().partial_open(&parties.public, &mut parties.holders[0], &all, &cohort).unwrap();
    assert!(refusal(&mut parties, &all, 4, &[0, 1, 2]).contains("opened before"));
    // The difference of two overlapping cohorts would be client 2's update.
    let fewer = sum_of(&mut parties, 4, &[0, 1]);
    assert!(refusal(&mut parties, &fewer, 4, &[0, 1]).contains("another cohort"));
}

#[test]
fn a_cohort_below_the_floor_is_refused() {
    let mut parties = parties(&spec(300, 8, 1, 5));
    let alone = sum_of(&mut parties, 0, &[3]);
    assert!(refusal(&mut parties, &alone, 0, &[3]).contains("too small"));
    let nobody = sum_of(&mut parties, 0, &[]);
    assert!(refusal(&mut parties, &nobody, 0, &[]).contains("too small"));
}

#[test]
fn a_cohort_that_is_not_the_one_in_the_sum_is_refused_and_does_not_use_up_the_round() {
    let mut parties = parties(&spec(300, 8, 1, 5));
    let sum = sum_of(&mut parties, 0, &[0, 1]);
    for claimed in [&[0, 1, 2][..], &[0], &[0, 2], &[1, 0], &[0, 1, 1]] {
        assert!(refusal(&mut parties, &sum, 0, claimed).contains("not the one in the sum"));
    }
    assert!(refusal(&mut parties, &sum, 1, &[0, 1]).contains("another round"));
    let cohort = CohortRecord { round: 0, clients: vec![0, 1] };
    assert!(scheme().partial_open(&parties.public, &mut parties.holders[0], &sum, &cohort).is_ok());
}

#[test]
fn parties_of_another_session_are_refused() {
    let spec = spec(300, 8, 1, 5);
    let (mut ours, mut theirs) = (parties(&spec), parties(&spec));
    let foreign = seal(&mut theirs, &outgoing(0, 0, 1, vec![1; 300]));
    let mut sum = scheme().empty(&ours.public, 0);
    let added = scheme().accumulate(&ours.public, &mut sum, &foreign);
    assert!(matches!(added, Err(SumError::Malformed(_))));
    let sum = sum_of(&mut theirs, 0, &[0, 1]);
    assert!(refusal(&mut ours, &sum, 0, &[0, 1]).contains("another session"));
}

#[test]
fn the_server_refuses_a_client_twice_another_round_and_clients_beyond_the_plan() {
    let mut small = parties(&spec(300, 8, 1, 2));
    let mut sum = scheme().empty(&small.public, 1);
    let good = seal(&mut small, &outgoing(1, 0, 1, vec![1; 300]));
    let late = seal(&mut small, &outgoing(0, 1, 1, vec![1; 300]));
    scheme().accumulate(&small.public, &mut sum, &good).unwrap();
    let twice = scheme().accumulate(&small.public, &mut sum, &good);
    assert_eq!(twice, Err(SumError::Twice { round: 1, client: 0 }));
    let old = scheme().accumulate(&small.public, &mut sum, &late);
    assert_eq!(old, Err(SumError::Round { client: 1, got: 0, want: 1 }));
    assert_eq!(sum.clients(), [0]);
    // A refused batch leaves nothing behind.
    let fresh = seal(&mut small, &outgoing(1, 1, 1, vec![1; 300]));
    assert!(sum.add_all(&small.public, &[fresh.clone(), fresh]).is_err());
    assert_eq!(sum.clients(), [0]);
}

#[test]
fn a_platform_refuses_updates_beyond_the_plan_and_of_other_clients() {
    let mut parties = parties(&spec(300, 8, 2, 5));
    let mut refuse = |client: u32, weight: u32, values: Vec<i64>| {
        let update = outgoing(0, client, weight, values);
        scheme().protect(&parties.public, &mut parties.clients[1], &update).unwrap_err()
    };
    let beyond = SumError::BeyondPlan { round: 0, client: 1 };
    assert_eq!(refuse(1, 1, vec![128; 300]), beyond);
    assert_eq!(refuse(1, 2, vec![-255; 300]), beyond);
    assert_eq!(refuse(1, 3, vec![0; 300]), beyond);
    assert_eq!(refuse(1, 1, vec![0; 299]), SumError::Length { round: 0, client: 1, got: 299, want: 300 });
    assert!(matches!(refuse(2, 1, vec![0; 300]), SumError::Malformed(_)));
}

#[test]
fn a_share_opens_only_the_sum_that_it_was_made_for() {
    let mut parties = parties(&spec(300, 8, 1, 5));
    let sum = sum_of(&mut parties, 0, &[0, 1]);
    let cohort = CohortRecord { round: 0, clients: vec![0, 1] };
    let share = scheme().partial_open(&parties.public, &mut parties.holders[0], &sum, &cohort).unwrap();
    let other = sum_of(&mut parties, 0, &[0, 1]);
    let open = |sum, shares: &[_]| scheme().open(&parties.public, sum, shares);
    assert!(matches!(open(other, std::slice::from_ref(&share)), Err(SumError::Malformed(_))));
    assert!(matches!(open(sum.clone(), &[]), Err(SumError::Malformed(_))));
    assert!(matches!(open(sum.clone(), &[share.clone(), share.clone()]), Err(SumError::Malformed(_))));
    assert_eq!(open(sum, &[share]).unwrap().values, vec![2; 300]);
}

#[test]
fn debug_prints_no_secret_and_no_value() {
    let mut parties = parties(&spec(300, 8, 1, 5));
    let sum = sum_of(&mut parties, 0, &[0, 1]);
    let shown = format!("{:?} {:?} {sum:?}", parties.clients[0], parties.holders[0]);
    assert!(shown.contains("BinaryKey(..)") && shown.contains("Accumulator {"), "{shown}");
    assert!(shown.len() < 300, "{shown}");
}
