//! Exact with and without dropouts; what is refused; what masks stop and what they do not.

use super::agree::{MASK, Sign, Words, agree};
use super::shamir::rebuild;
use super::{Accumulator, Advert, Modulus, PairwiseMasking, Parcel, Shares, Upload};
use crate::entropy::SystemSource;
use crate::testing::{integers, spec};
use equipoise_core::{ClipNorm, Seed};
use equipoise_federated::{CohortRecord, IntSum, SecureSum, SetupOf, SumError, Untimed, VectorSpec, Wire};
use equipoise_federated::{DynSecureSum, PlanError};
use equipoise_privacy::{LocalUpdate, OutgoingUpdate, Quantizer};
use x25519_dalek::StaticSecret;

type Parties = SetupOf<PairwiseMasking>;

fn scheme() -> PairwiseMasking {
    PairwiseMasking::new(3)
}

fn outgoing(round: u32, client: u32, values: Vec<i64>) -> OutgoingUpdate {
    let zeros = LocalUpdate::new(vec![0.0; values.len()]).clip_l2(ClipNorm::new(1.0).unwrap());
    zeros.quantise(&Quantizer { clip_abs: 1.0, bits: 2 }, 1).without_noise(round, client).tampered(values)
}

fn values(client: u32) -> Vec<i64> {
    integers(Seed::root(1).derive("client", u64::from(client)), 301, 16)
}

fn parties() -> Parties {
    scheme().setup(&spec(301, 16, 6)).unwrap()
}

/// Everybody is asked, everybody masks.
fn uploads(parties: &mut Parties, round: u32, asked: &[u32]) -> Vec<Upload> {
    scheme().prepare(&parties.public, &mut parties.clients, round, asked).unwrap();
    let seal = |&client: &u32| {
        let update = outgoing(round, client, values(client));
        scheme().protect(&parties.public, &mut parties.clients[client as usize], &update).unwrap()
    };
    asked.iter().map(seal).collect()
}

fn sum_of(parties: &Parties, round: u32, uploads: &[Upload]) -> Accumulator {
    let mut sum = scheme().empty(&parties.public, round);
    uploads.iter().for_each(|upload| sum.add(&parties.public, upload).unwrap());
    sum
}

fn answers(parties: &mut Parties, sum: &Accumulator) -> Result<Vec<Shares>, SumError> {
    let cohort = CohortRecord { round: sum.members.round, clients: sum.members.clients() };
    let public = &parties.public;
    parties.holders.iter_mut().map(|keeper| scheme().partial_open(public, keeper, sum, &cohort)).collect()
}

fn opened(parties: &mut Parties, sum: Accumulator) -> Result<IntSum, SumError> {
    let answers = answers(parties, &sum)?;
    scheme().open(&parties.public, sum, &answers)
}

fn expected(clients: &[u32]) -> Vec<i64> {
    (0..301).map(|at| clients.iter().map(|&client| values(client)[at]).sum()).collect()
}

#[test]
fn masks_cancel_and_dropouts_are_recovered_exactly() {
    let mut parties = parties();
    for (round, there) in
        [&[0, 1, 2, 3, 4, 5][..], &[0, 2, 5], &[1, 2, 3, 4], &[0, 1, 2, 3, 4]].into_iter().enumerate()
    {
        let round = u32::try_from(round).unwrap();
        let all = uploads(&mut parties, round, &[0, 1, 2, 3, 4, 5]);
        let arrived: Vec<Upload> = there.iter().map(|&client| all[client as usize].clone()).collect();
        let sum = sum_of(&parties, round, &arrived);
        assert_eq!(opened(&mut parties, sum).unwrap().values, expected(there));
    }
}

#[test]
fn without_recovery_a_dropout_leaves_garbage_and_below_the_threshold_nothing_opens() {
    let mut parties = parties();
    let all = uploads(&mut parties, 0, &[0, 1, 2, 3]);
    // The plain sum of what arrived, without taking masks off.
    let three = sum_of(&parties, 0, &all[..3]);
    let wanted = expected(&[0, 1, 2]);
    let right = three.words.signed().iter().zip(&wanted).filter(|(a, b)| a == b).count();
    assert!(right < 3, "{right} of 301");
    let two = sum_of(&parties, 0, &all[..2]);
    assert!(matches!(opened(&mut parties, two), Err(SumError::Refused { .. })));
    // The refusal used nothing up.
    assert_eq!(opened(&mut parties, three).unwrap().values, wanted);
}

#[test]
fn an_upload_that_comes_late_still_hides_behind_its_own_mask() {
    let mut parties = parties();
    let all = uploads(&mut parties, 0, &[0, 1, 2, 3]);
    let sum = sum_of(&parties, 0, &all[..3]);
    let answers = answers(&mut parties, &sum).unwrap();
    // The server rebuilds the mask key of client 3, who seemed to have dropped out, and then gets its upload after all.
    let shares: Vec<_> = answers
        .iter()
        .filter_map(|answer| Some((answer.client, answer.shares.iter().find(|(owner, _)| *owner == 3)?.1)))
        .collect();
    let key = StaticSecret::from(*rebuild(&shares[..3]).unwrap());
    let mut late = all[3].words.clone();
    for (other, advert) in parties.public.adverts(0).iter().filter(|(other, _)| **other != 3) {
        let seed = agree(&key, &advert.mask_key, MASK, (parties.public.session, 0));
        late.mask(&seed, if *other > 3 { Sign::Minus } else { Sign::Plus });
    }
    let right = late.signed().iter().zip(values(3)).filter(|(a, b)| **a == *b).count();
    assert!(right < 3, "{right} of 301: its own mask is still on");
    // The others do not give both secrets of a client.
    let everybody = sum_of(&parties, 0, &all);
    assert!(matches!(opened(&mut parties, everybody), Err(SumError::Refused { .. })));
}

#[test]
fn a_mask_seed_used_twice_gives_the_difference_of_two_updates() {
    let seed = [7; 32];
    let masked = |values: &[i64]| {
        let mut words = Words::of(Modulus::Narrow, values);
        words.mask(&seed, Sign::Plus);
        words.signed()
    };
    let (first, second) = (masked(&values(0)), masked(&values(1)));
    let own: Vec<i64> = values(0).iter().zip(values(1)).map(|(a, b)| a - b).collect();
    let low = |word: i64| (word << 32) >> 32; // modulo 2^32, with sign
    let read: Vec<i64> = first.iter().zip(&second).map(|(a, b)| low(a - b)).collect();
    assert_eq!(read, own);
    // Here keys are fresh in every round, and are used up by the first update that they mask.
    let mut parties = parties();
    uploads(&mut parties, 0, &[0, 1, 2]);
    let again = scheme().protect(&parties.public, &mut parties.clients[1], &outgoing(0, 1, values(1)));
    assert!(matches!(again, Err(SumError::Refused { .. })));
}

#[test]
fn a_second_cohort_of_a_round_is_refused() {
    let mut parties = parties();
    let all = uploads(&mut parties, 0, &[0, 1, 2, 3]);
    let (four, three) = (sum_of(&parties, 0, &all), sum_of(&parties, 0, &all[..3]));
    assert!(opened(&mut parties, four).is_ok());
    assert!(matches!(opened(&mut parties, three), Err(SumError::Refused { .. })));
}

#[test]
fn changed_shares_are_noticed() {
    let mut parties = parties();
    let all = uploads(&mut parties, 0, &[0, 1, 2, 3]);
    let sum = sum_of(&parties, 0, &all[..3]);
    let honest = answers(&mut parties, &sum).unwrap();
    for owner in 0..4_usize {
        let mut changed = honest.clone();
        changed[1].shares[owner].1[2] ^= 1;
        let result = scheme().open(&parties.public, sum.clone(), &changed);
        assert!(matches!(result, Err(SumError::Malformed(_))), "a share of client {owner}");
    }
    assert!(matches!(
        scheme().open(&parties.public, sum.clone(), &honest[..2]),
        Err(SumError::Refused { .. })
    ));
    assert_eq!(scheme().open(&parties.public, sum, &honest).unwrap().values, expected(&[0, 1, 2]));
}

#[test]
fn shares_that_fit_together_but_give_another_secret_than_was_published_are_noticed() {
    let mut parties = parties();
    let all = uploads(&mut parties, 0, &[0, 1, 2, 3]);
    let sum = sum_of(&parties, 0, &all[..3]);
    let honest = answers(&mut parties, &sum).unwrap();
    let adverts = parties.public.adverts(0);
    for (owner, says) in [(1, "another seed"), (3, "another key")] {
        let mut published = adverts.clone();
        let advert = published.get_mut(&owner).unwrap();
        advert.seed_hash[9] ^= 1;
        advert.mask_key[9] ^= 1;
        parties.public.publish(0, published);
        let error = scheme().open(&parties.public, sum.clone(), &honest).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    parties.public.publish(0, adverts);
    assert!(scheme().open(&parties.public, sum, &honest).is_ok());
}

#[test]
fn a_changed_upload_is_a_typed_error_where_it_leaves_the_plan() {
    let mut parties = parties();
    let mut all = uploads(&mut parties, 0, &[0, 1, 2]);
    let Words::Narrow(words) = &mut all[0].words else { panic!("16 bits of six clients are narrow") };
    words[0] ^= 1 << 31;
    let sum = sum_of(&parties, 0, &all);
    assert!(matches!(opened(&mut parties, sum), Err(SumError::Malformed(_))));
}

#[test]
fn parcels_open_for_their_receiver_only_and_unchanged() {
    let mut parties = parties();
    let public = &parties.public;
    let adverts: std::collections::BTreeMap<u32, Advert> = (0..3)
        .map(|client| (client, parties.clients[client as usize].advertise(public, 0, SystemSource).unwrap()))
        .collect();
    let parcels = parties.clients[0].share(public, &adverts, SystemSource).unwrap();
    let mut changed = parcels[0].clone();
    changed.sealed[3] ^= 1;
    let mut readdressed = parcels[1].clone();
    readdressed.to = 1;
    for parcel in [&changed, &readdressed] {
        assert!(matches!(parties.clients[1].receive(public, &adverts, parcel), Err(SumError::Malformed(_))));
    }
    assert_eq!(parties.clients[1].receive(public, &adverts, &parcels[0]), Ok(()));
}

#[test]
fn messages_survive_the_wire_and_cuts_are_typed_errors() {
    every_message(3_000);
}

#[test]
#[ignore = "a million inputs a message"]
fn a_million_changed_messages_are_errors_or_themselves() {
    every_message(1_000_000);
}

fn every_message(cases_of_noise: u32) {
    let mut parties = parties();
    let all = uploads(&mut parties, 0, &[0, 1, 2]);
    let sum = sum_of(&parties, 0, &all);
    let share = answers(&mut parties, &sum).unwrap().remove(0);
    let advert = parties.public.adverts(0)[&1];
    let parcel = Parcel { session: parties.public.session, round: 0, from: 1, to: 2, sealed: [3; 112] };
    let public = &parties.public;
    let malformed = |result: Result<(), SumError>| assert!(matches!(result, Err(SumError::Malformed(_))));
    type Read<'a> = &'a dyn Fn(&[u8]) -> Result<Vec<u8>, SumError>;
    let cases: [(Vec<u8>, u64, Read<'_>); 4] = [
        (advert.to_bytes(), advert.wire_bytes(), &|b| Advert::from_bytes(b, public).map(|m| m.to_bytes())),
        (parcel.to_bytes(), parcel.wire_bytes(), &|b| Parcel::from_bytes(b, public).map(|m| m.to_bytes())),
        (all[0].to_bytes(), all[0].wire_bytes(), &|b| Upload::from_bytes(b, public).map(|m| m.to_bytes())),
        (share.to_bytes(), share.wire_bytes(), &|b| Shares::from_bytes(b, public).map(|m| m.to_bytes())),
    ];
    assert_eq!(cases[2].1, public.slots().upload_bytes);
    for (bytes, size, read) in cases {
        assert_eq!((bytes.len() as u64, read(&bytes).as_ref()), (size, Ok(&bytes)));
        for len in (0..36).chain([bytes.len() - 1]) {
            malformed(read(&bytes[..len]).map(|_| ()));
        }
        malformed(read(&[bytes.as_slice(), &[0]].concat()).map(|_| ()));
        for at in 0..24 {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            malformed(read(&changed).map(|_| ()));
        }
        crate::testing::fuzz(&bytes, cases_of_noise, read);
    }
    // A count of shares that must not be believed.
    let mut bytes = share.to_bytes();
    bytes[32..36].fill(0xff);
    malformed(Shares::from_bytes(&bytes, public).map(|_| ()));
}

#[test]
fn a_session_that_is_told_who_is_asked_survives_dropouts() {
    let spec: VectorSpec = spec(301, 16, 6);
    let scheme = scheme();
    let mut session = scheme.session(&spec).unwrap();
    let updates: Vec<_> = [1, 4, 5].into_iter().map(|client| outgoing(2, client, values(client))).collect();
    session.asked(2, &[0, 1, 2, 4, 5]);
    let (sum, cost) = session.sum(2, &updates, &Untimed).unwrap();
    assert_eq!(sum.values, expected(&[1, 4, 5]));
    // Five adverts of 128 bytes, twenty parcels of 148, three uploads of 4 bytes a value.
    assert_eq!(cost.upload_bytes, 5 * 128 + 20 * 148 + 3 * (36 + 4 * 301));
    session.asked(3, &[0, 1, 2, 4, 5]);
    let lost: Vec<_> = [1, 4].into_iter().map(|client| outgoing(3, client, values(client))).collect();
    assert!(matches!(session.sum(3, &lost, &Untimed), Err(SumError::Refused { .. })));
}

#[test]
fn wide_sums_take_wide_masks_and_wider_ones_are_refused() {
    let wide = VectorSpec { max_weight: 1 << 20, ..spec(5, 20, 6) };
    assert_eq!(scheme().setup(&wide).unwrap().public.modulus(), Modulus::Wide);
    let wider = VectorSpec {
        max_weight: u32::MAX,
        quantizer: Quantizer { clip_abs: 1.0, bits: 32 },
        ..spec(5, 8, 6)
    };
    assert!(matches!(SecureSum::plan(&scheme(), &wider), Err(PlanError::SlotOverflow { .. })));
    let few = SecureSum::plan(&PairwiseMasking::new(7), &spec(5, 8, 6));
    assert!(matches!(few, Err(PlanError::CohortTooSmall { .. })));
}

#[test]
fn debug_prints_no_secret() {
    let mut parties = parties();
    let all = uploads(&mut parties, 0, &[0, 1, 2]);
    let shown = format!("{:?} {:?} {:?}", parties.clients[0], parties.holders[0], all[0]);
    assert!(shown.len() < 150, "{shown}");
}
