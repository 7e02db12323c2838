//! Bytes from outside: every mistake is a typed error, nothing panics, nothing is allocated beyond the plan.

use crate::common::{integers, outgoing, parties, scheme, seal, spec};
use equipoise_core::Seed;
use equipoise_encrypted::{KeyHolder, PlatformKey, Public, Upload};
use equipoise_federated::{CohortRecord, SecureSum, Setup, SumError, Wire};
use proptest::prelude::*;
use std::sync::{LazyLock, Mutex};

const LEN: usize = 301;
/// Magic, version, parameter set, session, round, client, weight, seed, count.
const FIELDS: [usize; 9] = [4, 2, 2, 16, 4, 4, 4, 32, 8];
const HEADER: usize = 76;

static PARTIES: LazyLock<Mutex<Setup<Public, PlatformKey, KeyHolder>>> =
    LazyLock::new(|| Mutex::new(parties(&spec(LEN, 8, 3, 5))));

fn valid(client: u32) -> Vec<u8> {
    let values = integers(Seed::root(9), LEN, 127);
    seal(&mut PARTIES.lock().unwrap(), &outgoing(2, client, 1, values)).to_bytes()
}

fn read(bytes: &[u8]) -> Result<Upload, SumError> {
    Upload::from_bytes(bytes, &PARTIES.lock().unwrap().public)
}

fn assert_malformed(bytes: &[u8], says: &str) {
    match read(bytes) {
        Err(SumError::Malformed(reason)) => assert!(reason.contains(says), "{reason}"),
        other => panic!("{other:?} instead of `{says}`"),
    }
}

#[test]
fn an_upload_survives_the_wire_and_its_size_is_the_plans() {
    let bytes = valid(0);
    let upload = read(&bytes).unwrap();
    assert_eq!(upload.to_bytes(), bytes);
    let plan = PARTIES.lock().unwrap().public.plan().clone();
    assert_eq!((bytes.len() as u64, upload.wire_bytes()), (plan.upload_bytes, plan.upload_bytes));
    assert_eq!(FIELDS.iter().sum::<usize>(), HEADER);
}

#[test]
fn the_header_is_laid_out_as_documented() {
    let bytes = valid(1);
    let session = *PARTIES.lock().unwrap().public.session().bytes();
    assert_eq!(bytes[..8], *b"EQGL\x01\x00\x01\x00");
    assert_eq!(bytes[8..24], session);
    assert_eq!(bytes[24..36], [2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(bytes[68..76], ((bytes.len() - HEADER) as u64 / 8).to_le_bytes());
}

#[test]
fn every_truncation_is_refused_and_so_is_every_tail() {
    let bytes = valid(0);
    let ends = FIELDS.iter().scan(0, |end, field| {
        *end += field;
        Some(*end)
    });
    let classes =
        ends.flat_map(|end| [end - 1, end, end + 1]).chain([0, HEADER + 8, bytes.len() - 8, bytes.len() - 1]);
    classes.for_each(|len| assert_malformed(&bytes[..len], "truncated"));
    for extra in [1, 8, 4096] {
        assert_malformed(&[bytes.clone(), vec![0; extra]].concat(), "too long");
    }
}

#[test]
fn every_wrong_header_field_is_named() {
    let cases =
        [(0, "magic"), (4, "version"), (6, "parameter set"), (8, "session"), (23, "session"), (68, "bodies")];
    for (at, says) in cases {
        let mut bytes = valid(0);
        bytes[at] ^= 1;
        assert_malformed(&bytes, says);
    }
    // A count of 2^64 - 1 must not be believed.
    let mut bytes = valid(0);
    bytes[68..76].fill(0xff);
    assert_malformed(&bytes, "bodies");
}

/// Seals two updates of fresh parties, changes one bit of the first upload's bytes and tries to open the sum.
fn opens_after(change: Option<(usize, u32)>) -> bool {
    let mut parties = parties(&spec(LEN, 8, 3, 5));
    let [changed, honest] = [0, 1].map(|client| {
        let values = integers(Seed::root(9), LEN, 127);
        seal(&mut parties, &outgoing(2, client, 1, values)).to_bytes()
    });
    let mut bytes = changed;
    if let Some((at, bit)) = change {
        bytes[at] ^= 1 << bit;
    }
    let public = &parties.public;
    let uploads = [&bytes, &honest].map(|bytes| Upload::from_bytes(bytes, public).unwrap());
    let mut sum = scheme().empty(public, 2);
    if sum.add_all(public, &uploads).is_err() {
        return false;
    }
    let cohort = CohortRecord { round: 2, clients: sum.clients() };
    scheme().partial_open(public, &mut parties.holders[0], &sum, &cohort).is_ok()
}

#[test]
fn an_unchanged_upload_opens() {
    assert!(opens_after(None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_are_never_an_upload(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(matches!(read(&bytes), Err(SumError::Malformed(_))));
    }

    #[test]
    fn mutations_give_a_typed_error_or_an_upload_of_the_planned_size(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = valid(0);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let len = bytes.len();
        match read(&bytes) {
            Ok(upload) => prop_assert_eq!(upload.to_bytes().len(), len),
            Err(error) => prop_assert!(matches!(error, SumError::Malformed(_)), "{error:?}"),
        }
    }

    #[test]
    fn a_changed_round_client_weight_or_seed_never_opens(at in 24_usize..68, bit in 0_u32..8) {
        prop_assert!(!opens_after(Some((at, bit))));
    }
}
