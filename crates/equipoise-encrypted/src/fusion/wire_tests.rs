//! Messages survive a round trip, and nothing else survives reading.

use super::testing::{account, joint, shared, spec};
use super::*;
use crate::fusion::params::TOY_N512;

/// Holds one message type against every way in which bytes can be wrong.
fn check<M: FusionMessage + PartialEq + std::fmt::Debug>(
    message: &M,
    public: &FusionPublic,
    foreign: &FusionPublic,
    other_set: &FusionPublic,
) {
    let bytes = message.to_bytes(public);
    assert_eq!(M::from_bytes(&bytes, public).as_ref(), Ok(message));
    let malformed = |bytes: &[u8], public: &FusionPublic, what: &str| match M::from_bytes(bytes, public) {
        Err(FusionError::Malformed(said)) => assert!(said.contains(what), "{said}"),
        other => panic!("{what}: {other:?}"),
    };
    for cut in [0, 1, 25, 26, bytes.len() / 2, bytes.len() - 1] {
        malformed(&bytes[..cut], public, "truncated");
    }
    malformed(&[&bytes[..], &[0]].concat(), public, "too long");
    for (at, what) in [(0, "magic"), (6, "kind"), (7, "version"), (8, "parameter set"), (10, "session")] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        malformed(&changed, public, what);
    }
    malformed(&bytes, foreign, "session");
    assert!(M::from_bytes(&bytes, other_set).is_err());
    fuzz::<M>(&bytes, public, 2000);
}

/// The crate's fuzzer on one kind of message.
fn fuzz<M: FusionMessage>(bytes: &[u8], public: &FusionPublic, cases: u32) {
    crate::testing::fuzz(bytes, cases, |bytes| {
        M::from_bytes(bytes, public).map(|read| read.to_bytes(public))
    });
}

#[test]
#[ignore = "a million inputs a message"]
fn a_million_changed_messages_of_every_kind_are_errors_or_messages_of_this_session() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 9), 2);
    let (_, _, contribution) = FusionHolder::join(&parties.public, 1).unwrap();
    let upload = parties.platforms[1].seal(account(3), 77).unwrap();
    let (mask, body) = parties.evaluate(&FusionRule::Threshold { at: 9 }, &[vec![1, 2]]).remove(0);
    let share = parties.holders[0].answer(std::slice::from_ref(&mask), &mut Vec::new()).unwrap().remove(0);
    let public = &parties.public;
    let million = 1_000_000;
    fuzz::<KeyContribution>(&contribution.to_bytes(public), public, million);
    fuzz::<ScoreUpload>(&upload.to_bytes(public), public, million);
    fuzz::<FlagMask>(&mask.to_bytes(public), public, million);
    fuzz::<FlagBody>(&body.to_bytes(public), public, million);
    fuzz::<FlagShare>(&share.to_bytes(public), public, million);
    let seeded = shared(TOY_N512, spec(255, &[1, 1], 2, 9));
    let upload = seeded.platforms[1].seal(account(3), 77).unwrap();
    fuzz::<ScoreUpload>(&upload.to_bytes(&seeded.public), &seeded.public, million);
}

#[test]
fn every_message_is_read_back_and_nothing_else_is_read() {
    let of = || joint(TOY_N512, spec(255, &[1, 1], 2, 9), 2);
    let (mut parties, foreign) = (of(), of().public);
    let other_set = joint(FUSE_N2048, spec(255, &[1, 1], 2, 9), 2).public;
    let (_, _, contribution) = FusionHolder::join(&parties.public, 1).unwrap();
    let upload = parties.platforms[1].seal(account(3), 77).unwrap();
    let (mask, body) = parties.evaluate(&FusionRule::Threshold { at: 9 }, &[vec![1, 2]]).remove(0);
    let share = parties.holders[0].answer(std::slice::from_ref(&mask), &mut Vec::new()).unwrap().remove(0);
    let public = &parties.public;
    assert_eq!(upload.to_bytes(public).len() as u64, public.plan().upload_bytes());
    check(&contribution, public, &foreign, &other_set);
    check(&upload, public, &foreign, &other_set);
    check(&mask, public, &foreign, &other_set);
    check(&body, public, &foreign, &other_set);
    check(&share, public, &foreign, &other_set);
}

#[test]
fn a_seeded_upload_is_half_as_large_and_is_not_read_as_the_other_form() {
    let of = || shared(FUSE_N2048, spec(255, &[1, 1], 2, 9));
    let (parties, foreign) = (of(), of().public);
    let joint = joint(FUSE_N2048, spec(255, &[1, 1], 2, 9), 2).public;
    let upload = parties.platforms[0].seal(account(3), 77).unwrap();
    let bytes = upload.to_bytes(&parties.public);
    assert_eq!(bytes.len(), 2 * 2048 * 8 + 26 + 4 + 32 + 32);
    assert_eq!(bytes.len() as u64, parties.public.plan().upload_bytes());
    check(&upload, &parties.public, &foreign, &joint);
    let mut unknown = upload;
    unknown.platform = 2;
    assert!(ScoreUpload::from_bytes(&unknown.to_bytes(&parties.public), &parties.public).is_err());
}

#[test]
fn the_same_score_twice_gives_other_bytes() {
    let parties = joint(TOY_N512, spec(255, &[1, 1], 2, 9), 2);
    let seal = || parties.platforms[0].seal(account(0), 9).unwrap();
    let (first, second) = (seal(), seal());
    let equal = first.rows.iter().zip(&second.rows).filter(|(a, b)| a == b).count();
    assert!(first != second && equal == 0, "{equal} words are the same");
}

#[test]
fn a_relabelled_seeded_upload_is_noise() {
    // Masks are bound to platform and account: the server cannot pass a score off as another account's.
    let mut parties = shared(TOY_N512, spec(255, &[1, 1], 2, u32::MAX));
    let server = FusionServer::new(&parties.public);
    let rule = server.prepare(&FusionRule::Threshold { at: 0 }.table(parties.public.plan()).unwrap());
    let mut wrong = 0;
    for index in 0..64 {
        let mut moved = parties.platforms[0].seal(account(100 + index), 1).unwrap();
        moved.account = account(index);
        let uploads = [moved, parties.platforms[1].seal(account(index), 1).unwrap()];
        let (mask, body) = server.evaluate(&rule, &uploads, &mut server.workspace()).unwrap();
        wrong += u32::from(parties.opener.open(&[mask], &[body], &mut Vec::new()).unwrap() != [1]);
    }
    // A fair coin each: 64 flags that are all right have probability 2^-64.
    assert!(wrong > 0);
}
