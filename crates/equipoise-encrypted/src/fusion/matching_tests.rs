//! Pseudonyms agree across platforms, and trying identifiers works against a plain hash alone.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

fn identifier(token: u64) -> Vec<u8> {
    token.to_le_bytes().to_vec()
}

fn match_all(matcher: &mut Matcher, platform: u32, tokens: &[u64]) -> Vec<Pseudonym> {
    let (pending, blinded) =
        PendingMatch::blind(tokens.iter().map(|&token| identifier(token)).collect()).unwrap();
    let answer = matcher.evaluate(platform, &blinded).unwrap();
    pending.finish(&answer, &matcher.public_key()).unwrap()
}

#[test]
fn platforms_agree_on_shared_identifiers_and_the_server_sees_overlaps_only() {
    let mut matcher = Matcher::new(100).unwrap();
    let (left, right) = (match_all(&mut matcher, 0, &[1, 2, 3]), match_all(&mut matcher, 1, &[3, 9, 2]));
    assert_eq!((left[1], left[2]), (right[2], right[0]));
    let sets: Vec<BTreeSet<Pseudonym>> = [left, right].into_iter().map(BTreeSet::from_iter).collect();
    assert_eq!(sets[0].union(&sets[1]).count(), 4);
    assert_eq!(overlaps(&sets), BTreeMap::from([((0, 1), 2)]));
    // Another key makes other names: fusions do not link across keys.
    assert_ne!(match_all(&mut Matcher::new(9).unwrap(), 0, &[3])[0], match_all(&mut matcher, 0, &[3])[0]);
}

#[test]
fn trying_identifiers_undoes_a_plain_hash_and_not_a_keyed_pseudonym() {
    let secret = [4711, 123_456, 999_999];
    let attack = |seen: &[Pseudonym]| {
        let all: BTreeMap<Pseudonym, u64> =
            (0..1_000_000).map(|token| (plain_hash(&identifier(token)), token)).collect();
        seen.iter().filter_map(|name| all.get(name).copied()).collect::<Vec<u64>>()
    };
    let hashed: Vec<Pseudonym> = secret.iter().map(|&token| plain_hash(&identifier(token))).collect();
    assert_eq!(attack(&hashed), secret);
    assert!(attack(&match_all(&mut Matcher::new(9).unwrap(), 0, &secret)).is_empty());
}

#[test]
fn the_matchers_view_of_an_identifier_is_fresh_every_time() {
    let blinded = || PendingMatch::blind(vec![identifier(5)]).unwrap().1;
    assert_ne!(blinded(), blinded());
}

#[test]
fn a_matcher_with_another_key_than_its_public_one_is_caught() {
    // A matcher that gave every platform its own key could tell apart who asked later.
    let (mut matcher, other) = (Matcher::new(9).unwrap(), Matcher::new(9).unwrap());
    let (pending, blinded) = PendingMatch::blind(vec![identifier(5), identifier(6)]).unwrap();
    let answer = matcher.evaluate(0, &blinded).unwrap();
    assert!(matches!(pending.finish(&answer, &other.public_key()), Err(FusionError::Matching(_))));
}

#[test]
fn a_quota_bounds_how_many_identifiers_a_platform_can_try() {
    let mut matcher = Matcher::new(3).unwrap();
    match_all(&mut matcher, 0, &[1, 2, 3]);
    let (_, blinded) = PendingMatch::blind(vec![identifier(4)]).unwrap();
    assert!(matches!(matcher.evaluate(0, &blinded), Err(FusionError::Matching(_))));
    assert!(matcher.evaluate(1, &blinded).is_ok());
}

#[test]
fn malformed_answers_and_requests_are_typed_errors() {
    let mut matcher = Matcher::new(99).unwrap();
    let blind = || PendingMatch::blind(vec![identifier(5), identifier(6)]).unwrap();
    let (_, blinded) = blind();
    for bad in [&[][..], &blinded[1..], &[0xFF; 64], &[0; 32]] {
        assert!(matcher.evaluate(0, bad).is_err());
    }
    let answer = matcher.evaluate(0, &blinded).unwrap();
    let mut flipped = answer.clone();
    flipped[70] ^= 1;
    for bad in [&answer[..answer.len() - 1], &answer[32..], &[][..], &flipped, &[0xFF; 128]] {
        assert!(blind().0.finish(bad, &matcher.public_key()).is_err());
    }
    assert!(PendingMatch::blind(vec![vec![]]).is_err());
    assert!(blind().0.finish(&answer, &[0xFF; 32]).is_err());
}

#[test]
fn pseudonyms_are_written_as_hexadecimal_digits() {
    let name = plain_hash(b"x");
    let text = serde_json::to_string(&name).unwrap();
    assert_eq!((text.len(), serde_json::from_str::<Pseudonym>(&text).unwrap()), (66, name));
    assert!(serde_json::from_str::<Pseudonym>("\"abc\"").is_err());
}
