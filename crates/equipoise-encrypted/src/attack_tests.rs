//! What the scheme does not stop, kept as running code, and what the key holder's mask expansion does stop.

use crate::mask::MaskStream;
use crate::roles::KeyHolder;
use crate::testing::{integers, parties, spec};
use crate::{Accumulator, GLWE64_N4096, SystemSource};
use equipoise_core::Seed;
use equipoise_federated::{CohortRecord, SumError};
use std::sync::Arc;

#[test]
fn the_server_with_one_platform_reads_another_platforms_update() {
    let spec = spec(500, 16, 5);
    let parties = parties(&spec);
    let (public, victim, corrupt) = (&parties.public, &parties.clients[0], &parties.clients[4]);
    let secret = integers(Seed::root(6), 500, 16);
    let upload = victim.seal(public, 0, 1, &secret).unwrap();
    // The server hands the upload over; the corrupt platform uses the key that it holds anyway.
    let mut scratch = public.ring.scratch();
    MaskStream::new(&GLWE64_N4096, &upload.header).add_polynomial(0, &mut scratch.mask);
    public.ring.multiply(&corrupt.key, &mut scratch);
    let phases = upload.bodies().iter().zip(scratch.product.iter()).map(|(b, p)| b.wrapping_sub(*p));
    let messages: Vec<i64> = phases.map(|phase| public.layout().round(phase).0).collect();
    assert_eq!(public.layout().unpack(&messages), secret);
}

#[test]
fn a_seed_used_twice_would_give_the_difference_of_two_updates() {
    // The API has no way to do this: the seed is drawn inside `seal`.
    let spec = spec(500, 16, 5);
    let parties = parties(&spec);
    let (public, client) = (&parties.public, &parties.clients[0]);
    let (first, second) = (integers(Seed::root(7), 500, 16), integers(Seed::root(8), 500, 16));
    let header = client.seal(public, 0, 1, &first).unwrap().header;
    let mask = MaskStream::new(&GLWE64_N4096, &header);
    let mut scratch = public.ring.scratch();
    let mut seal = |values: &[i64]| {
        let mut body = vec![0; public.layout().coefficients()];
        client.seal_polynomial(public, (&mask, 0), values, &mut body, &mut scratch, SystemSource).unwrap();
        body
    };
    let (a, b) = (seal(&first), seal(&second));
    // No key is used from here on.
    let messages: Vec<i64> =
        a.iter().zip(&b).map(|(a, b)| public.layout().round(a.wrapping_sub(*b)).0).collect();
    let difference: Vec<i64> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
    assert_eq!(public.layout().unpack(&messages), difference);
}

#[test]
fn a_single_upload_passed_off_as_a_sum_is_refused() {
    let spec = spec(3000, 12, 5);
    let mut parties = parties(&spec);
    let public = &parties.public;
    let uploads: Vec<_> =
        (0..2).map(|client| parties.clients[client].seal(public, 0, 1, &vec![5; 3000]).unwrap()).collect();
    let mut forged = Accumulator::new(public, 0);
    forged.add(public, &uploads[0]).unwrap();
    // The server claims that client 1 is in the sum, with its true header, but leaves its body out.
    forged.members.insert(1, uploads[1].header);
    let cohort = CohortRecord { round: 0, clients: vec![0, 1] };
    let answer = parties.holders[0].open_round(public, &forged, &cohort);
    assert!(matches!(answer, Err(SumError::Refused { .. })), "{answer:?}");
}

#[test]
fn an_upload_replayed_in_another_round_or_with_another_weight_is_refused() {
    let spec = equipoise_federated::VectorSpec { max_weight: 4, ..spec(3000, 12, 5) };
    let parties = parties(&spec);
    let public = &parties.public;
    let honest = parties.clients[1].seal(public, 1, 1, &vec![5; 3000]).unwrap();
    let old = parties.clients[0].seal(public, 0, 1, &vec![5; 3000]).unwrap();
    let fresh = parties.clients[0].seal(public, 1, 1, &vec![5; 3000]).unwrap();
    let mut relabelled = old.clone();
    relabelled.header.round = 1;
    let mut heavier = fresh.clone();
    heavier.header.weight = 4;
    let mut renamed = fresh.clone();
    renamed.header.client = 2;
    let cases = [(relabelled, false), (heavier, false), (renamed, false), (fresh, true)];
    for (upload, accepted) in cases {
        let mut sum = Accumulator::new(public, 1);
        sum.add_all(public, &[honest.clone(), upload]).unwrap();
        let cohort = CohortRecord { round: 1, clients: sum.clients() };
        let mut holder = KeyHolder { key: Arc::clone(&parties.clients[0].key), opened: Default::default() };
        assert_eq!(holder.open_round(public, &sum, &cohort).is_ok(), accepted);
    }
}
