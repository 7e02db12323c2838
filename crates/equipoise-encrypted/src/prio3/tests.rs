//! What proofs find, and messages from outside.

use super::*;
use crate::testing::{integers, spec};
use equipoise_core::Seed;

#[test]
fn a_value_beyond_its_range_is_found_by_the_proof() {
    let spec = spec(40, 4, 3);
    let mut parties = Prio3.setup(&spec).unwrap();
    let public = &parties.public;
    let honest: Vec<_> = (0..2)
        .map(|client| {
            let values = integers(Seed::root(client), 40, 4);
            parties.clients[usize::try_from(client).unwrap()].seal(public, 0, 1, &values).unwrap()
        })
        .collect();
    // The crate's own client refuses to shard it, so a cheat shards it for a wider range.
    let mut wide = spec.clone();
    wide.quantizer.bits = 5;
    let cheat = Prio3.setup(&wide).unwrap();
    let mut forged = cheat.clients[2].seal(&cheat.public, 0, 1, &[15; 40]).unwrap();
    forged.session = public.session;
    let mut sum = Prio3.empty(public, 0);
    honest.iter().for_each(|upload| Prio3.accumulate(public, &mut sum, upload).unwrap());
    let taken = Prio3.accumulate(public, &mut sum, &forged);
    let cohort = CohortRecord { round: 0, clients: sum.members.clients() };
    let opened = Prio3.partial_open(public, &mut parties.holders[0], &sum, &cohort);
    assert!(taken.is_err() || opened.is_err());
    // One changed word of an honest report is found as well.
    let mut changed = honest.clone();
    changed[1].inputs.swap(0, 1);
    let mut sum = Prio3.empty(public, 1);
    changed.iter_mut().for_each(|upload| upload.round = 1);
    let taken = changed.iter().try_for_each(|upload| Prio3.accumulate(public, &mut sum, upload));
    let cohort = CohortRecord { round: 1, clients: sum.members.clients() };
    let opened = Prio3.partial_open(public, &mut parties.holders[0], &sum, &cohort);
    assert!(taken.is_err() || opened.is_err());
}

#[test]
fn what_is_sent_is_what_was_planned_to_the_byte() {
    for (len, bits) in [(1, 2), (40, 4), (1000, 8)] {
        let parties = Prio3.setup(&spec(len, bits, 3)).unwrap();
        let sent = parties.clients[0].seal(&parties.public, 0, 1, &vec![1; len]).unwrap();
        let planned = parties.public.slots().upload_bytes;
        assert_eq!(
            (sent.wire_bytes(), sent.to_bytes().len() as u64),
            (planned, planned),
            "{len} of {bits} bits"
        );
    }
}

/// An upload that was read back is the one that was sent: its bytes are, and the round opens.
#[test]
fn a_round_opens_from_bytes() {
    let mut parties = Prio3.setup(&spec(40, 4, 3)).unwrap();
    let public = &parties.public;
    let mut sum = Prio3.empty(public, 0);
    for client in &parties.clients {
        let bytes = client.seal(public, 0, 1, &[-3; 40]).unwrap().to_bytes();
        let read = Upload::from_bytes(&bytes, public).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        Prio3.accumulate(public, &mut sum, &read).unwrap();
    }
    let cohort = CohortRecord { round: 0, clients: sum.members.clients() };
    let share = Prio3.partial_open(public, &mut parties.holders[0], &sum, &cohort).unwrap();
    assert_eq!(Prio3.open(public, sum, &[share]).unwrap().values, [-9; 40]);
}

fn changed_uploads(cases: u32) {
    let parties = Prio3.setup(&spec(5, 2, 3)).unwrap();
    let public = &parties.public;
    let bytes = parties.clients[1].seal(public, 3, 1, &[1, -1, 0, 1, 0]).unwrap().to_bytes();
    crate::testing::fuzz(&bytes, cases, |bytes| {
        Upload::from_bytes(bytes, public).map(|read| read.to_bytes())
    });
}

#[test]
fn changed_uploads_are_errors_or_themselves() {
    changed_uploads(3_000);
}

#[test]
#[ignore = "a million inputs; .ci/full, which builds the feature, runs it"]
fn a_million_changed_uploads_are_errors_or_themselves() {
    changed_uploads(1_000_000);
}
