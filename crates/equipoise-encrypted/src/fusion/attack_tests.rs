//! The attacks that the limits are about, and the one that the shared-key baseline does not stop.

use super::testing::{account, joint, shared, spec};
use super::*;
use crate::fusion::params::TOY_N512;

/// Asks for one flag after another and halves the range of the sum each time; `None` where an answer was refused.
fn search(mut flagged: impl FnMut(u32) -> Option<bool>, largest: u32) -> Option<u32> {
    let (mut low, mut high) = (0, largest);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if flagged(middle)? {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Some(low)
}

#[test]
fn a_binary_search_over_thresholds_recovers_the_sum_unless_openings_are_limited() {
    let scores = [vec![173, 88, 201]];
    let attack = |limit: u32| {
        let mut parties = joint(FUSE_N2048, spec(255, &[1, 1, 1], 2, limit), 3);
        search(
            |at| {
                let flags = parties.evaluate(&FusionRule::Threshold { at }, &scores);
                parties.open(&flags).ok().map(|values| values[0] == 1)
            },
            765,
        )
    };
    // Ten openings give ten bits of the sum, which is below 2^10.
    assert_eq!(attack(10), Some(173 + 88 + 201));
    assert_eq!(attack(2), None);
}

#[test]
fn a_server_that_lies_about_the_rule_gets_no_more_openings() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 2), 2);
    let renamed = |mut flag: (FlagMask, FlagBody), name: u8| {
        flag.0.rule = [name; 32];
        flag.1.mask = flag.0.fingerprint();
        flag
    };
    for name in 0..3 {
        let flag = parties.evaluate(&FusionRule::Threshold { at: 100 }, &[vec![60, 60]]).remove(0);
        let answer = parties.open(&[renamed(flag, name)]);
        match answer {
            Ok(values) => assert!(name < 2 && values == [1]),
            Err(FusionError::Refused { reason, .. }) => assert!(name == 2 && reason.contains("no further")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn without_one_share_a_flag_is_noise() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 1), 3);
    let accounts = vec![vec![255, 255]; 2000];
    let flags = parties.evaluate(&FusionRule::Threshold { at: 10 }, &accounts);
    parties.holders.pop();
    let ones =
        flags.iter().filter(|(mask, body)| parties.public.plan().decode(parties.phase(mask, body)) == 1);
    // A fair coin: mean 1000, deviation 22; eight of them, false alarms below 1e-14.
    assert!(ones.count().abs_diff(1000) < 8 * 23);
}

#[test]
fn under_a_shared_key_one_platform_reads_anothers_score_and_under_a_joint_key_it_holds_nothing() {
    let parties = shared(FUSE_N2048, spec(255, &[1, 1], 2, 1));
    let mut upload = parties.platforms[0].seal(account(0), 201).unwrap();
    // The corrupt platform plays all seats: an upload of its own zero, the rule "the sum itself" in two halves.
    let zero = parties.platforms[1].seal(account(0), 0).unwrap();
    upload.account = account(0);
    let server = FusionServer::new(&parties.public);
    let key = parties.platforms[1].shared_key().expect("a shared key");
    let read = |at: u32| {
        let table = FusionRule::Threshold { at }.table(parties.public.plan()).unwrap();
        let uploads = [upload.clone(), zero.clone()];
        let (mask, body) =
            server.evaluate(&server.prepare(&table), &uploads, &mut server.workspace()).unwrap();
        Some(parties.public.plan().decode(body.body.wrapping_sub(key.inner_product(&mask.mask))) == 1)
    };
    assert_eq!(search(read, 510), Some(201));
    let parties = joint(TOY_N512, spec(255, &[1, 1], 2, 1), 2);
    assert!(parties.platforms[0].shared_key().is_none());
}
