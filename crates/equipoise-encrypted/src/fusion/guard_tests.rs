//! What the seats refuse.

use super::testing::{account, joint, shared, spec};
use super::*;
use crate::fusion::params::TOY_N512;
use zeroize::Zeroizing;

#[test]
fn a_rule_opens_once_and_a_refusal_refuses_the_whole_request() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 5), 2);
    let rule = FusionRule::Threshold { at: 100 };
    assert_eq!(parties.fuse(&rule, &[vec![60, 60]]), [1]);
    // Opened twice, the smudging of two answers would average out.
    let again = parties.evaluate(&rule, &[vec![60, 60]]);
    assert!(matches!(parties.open(&again), Err(FusionError::Refused { .. })));
    let twice = [again[0].clone(), again[0].clone()];
    assert!(matches!(parties.open(&twice), Err(FusionError::Refused { .. })));
    let mut journal: Vec<Opening> = vec![];
    let (fresh, _) = parties.evaluate(&FusionRule::Threshold { at: 7 }, &[vec![60, 60]]).remove(0);
    let answer = parties.holders[0].answer(&[fresh.clone(), again[0].0.clone()], &mut journal);
    assert!(answer.is_err() && journal.is_empty());
    assert!(parties.holders[0].answer(&[fresh], &mut journal).is_ok() && journal.len() == 1);
}

struct FullDisk;

impl Journal for FullDisk {
    fn append(&mut self, _: &[Opening]) -> Result<(), String> {
        Err("no space left".into())
    }
}

#[test]
fn nothing_is_answered_that_could_not_be_written_down() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 1), 2);
    let (mask, _) = parties.evaluate(&FusionRule::Threshold { at: 9 }, &[vec![1, 2]]).remove(0);
    let answer = parties.holders[0].answer(std::slice::from_ref(&mask), &mut FullDisk);
    assert_eq!(answer, Err(FusionError::Journal("no space left".into())));
    // Part of it may stand on the disk: the holder is of no use until it resumes from there.
    assert!(matches!(parties.holders[0].answer(&[mask], &mut Vec::new()), Err(FusionError::Journal(_))));
    // Nothing was answered, so a record without the entry is as good as one with it.
    let mut back = parties.holders.remove(0).suspend().resume(&parties.public, &[]).unwrap();
    let (mask, _) = parties.evaluate(&FusionRule::Threshold { at: 9 }, &[vec![1, 2]]).remove(0);
    assert!(back.answer(&[mask], &mut Vec::new()).is_ok());
}

#[test]
fn a_restarted_holder_remembers_and_takes_no_changed_record() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 2), 2);
    let mut journal: Vec<Opening> = vec![];
    let flag = |parties: &super::testing::Joint, at: u32| {
        parties.evaluate(&FusionRule::Threshold { at }, &[vec![1, 2]]).remove(0).0
    };
    let (first, second, third) = (flag(&parties, 1), flag(&parties, 2), flag(&parties, 3));
    let said = parties.holders[0].answer(std::slice::from_ref(&first), &mut journal).unwrap();
    parties.holders[0].answer(std::slice::from_ref(&second), &mut journal).unwrap();
    let written = serde_json::to_string(&journal).unwrap();
    let record: Vec<Opening> = serde_json::from_str(&written).unwrap();
    assert_eq!(record, journal);

    let suspended = parties.holders.remove(0).suspend();
    assert_eq!(format!("{suspended:?}"), "SuspendedHolder { holder: 0, .. }");
    let bytes = Zeroizing::new(suspended.expose().to_vec());
    let back =
        |record: &[Opening]| SuspendedHolder::from_exposed(0, bytes.clone()).resume(&parties.public, record);
    let mut holder = back(&record).unwrap();
    let first_under_another_mask = flag(&parties, 1);
    for asked in [&first_under_another_mask, &third] {
        let answer = holder.answer(std::slice::from_ref(asked), &mut Vec::new());
        assert!(matches!(answer, Err(FusionError::Refused { .. })), "{answer:?}");
    }
    // The same mask is the same answer, and no opening.
    let again = holder.answer(std::slice::from_ref(&first), &mut FullDisk).unwrap();
    assert_eq!(again, said);
    // The same secret: its answers still open flags.
    assert_eq!(holder.bare_share(&third), back(&[]).unwrap().bare_share(&third));

    let mut other_account = record.clone();
    other_account[0].account = account(7);
    let other_holder = SuspendedHolder::from_exposed(1, bytes.clone()).resume(&parties.public, &record);
    for refused in [back(&record[1..]), back(&other_account), other_holder] {
        assert!(matches!(refused, Err(FusionError::Record(_))), "{refused:?}");
    }
    for bytes in [vec![0; 511], vec![3; 512]] {
        let resumed = SuspendedHolder::from_exposed(0, Zeroizing::new(bytes)).resume(&parties.public, &[]);
        assert!(matches!(resumed, Err(FusionError::Malformed(_))));
    }
    // Said in `record`: a record that was cut at its end looks like an older one.
    assert!(back(&record[..1]).unwrap().answer(&[second], &mut Vec::new()).is_ok());
}

#[test]
fn a_contribution_that_was_not_committed_to_is_refused() {
    let public = joint(TOY_N512, spec(255, &[1, 1], 2, 1), 2).public;
    let (_, first, honest) = FusionHolder::join(&public, 0).unwrap();
    let (_, second, mut chosen) = FusionHolder::join(&public, 1).unwrap();
    assert!(JointKey::combine(&public, &[first, second], &[honest.clone(), chosen.clone()]).is_ok());
    // The last holder cancels the others' part, to hold the whole key alone.
    chosen.body.iter_mut().zip(&honest.body).for_each(|(mine, theirs)| *mine = mine.wrapping_sub(*theirs));
    let all = [honest.clone(), chosen];
    assert!(matches!(JointKey::combine(&public, &[first, second], &all), Err(FusionError::Mismatch(_))));
    assert!(matches!(JointKey::combine(&public, &[first], &[honest]), Err(FusionError::Mismatch(_))));
}

#[test]
fn the_server_refuses_uploads_that_do_not_belong_together() {
    let parties = joint(TOY_N512, spec(99, &[1, 1, 1], 2, 1), 2);
    let other = shared(TOY_N512, spec(99, &[1, 1, 1], 2, 1));
    let seal = |platform: usize, of: u64| parties.platforms[platform].seal(account(of), 5).unwrap();
    let seeded = other.platforms[1].seal(account(0), 5).unwrap();
    let mut short = seal(1, 0);
    short.rows.pop();
    let mut unknown = seal(1, 0);
    unknown.platform = 3;
    let server = FusionServer::new(&parties.public);
    let rule = server.prepare(&FusionRule::Threshold { at: 9 }.table(parties.public.plan()).unwrap());
    let evaluate = |uploads: &[ScoreUpload]| server.evaluate(&rule, uploads, &mut server.workspace());
    assert!(evaluate(&[seal(0, 0), seal(2, 0)]).is_ok());
    let refused = [
        vec![],
        vec![seal(0, 0)],
        vec![seal(0, 0), seal(0, 0)],
        vec![seal(0, 0), seal(1, 1)],
        vec![seal(0, 0), seeded],
        vec![seal(0, 0), short],
        vec![seal(0, 0), unknown],
    ];
    for uploads in refused {
        assert!(matches!(evaluate(&uploads), Err(FusionError::Mismatch(_))), "{uploads:?}");
    }
}

#[test]
fn the_opener_refuses_shares_that_are_missing_twice_or_of_another_flag() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 1), 2);
    let flags = parties.evaluate(&FusionRule::Threshold { at: 9 }, &[vec![1, 2], vec![200, 0]]);
    let masks: Vec<FlagMask> = flags.iter().map(|(mask, _)| mask.clone()).collect();
    let shares: Vec<Vec<FlagShare>> =
        parties.holders.iter_mut().map(|holder| holder.answer(&masks, &mut Vec::new()).unwrap()).collect();
    let open = |flag: usize, of: &[(usize, usize)]| {
        let shares: Vec<FlagShare> = of.iter().map(|&(holder, flag)| shares[holder][flag].clone()).collect();
        open_flag(&parties.public, &flags[flag].1, &shares)
    };
    assert_eq!((open(0, &[(0, 0), (1, 0)]), open(1, &[(0, 1), (1, 1)])), (Ok(0), Ok(1)));
    for of in [&[][..], &[(0, 0)], &[(0, 0), (0, 0)], &[(1, 0), (0, 0)], &[(0, 0), (1, 1)]] {
        assert!(matches!(open(0, of), Err(FusionError::Mismatch(_))), "{of:?}");
    }
}

#[test]
fn scores_beyond_the_plan_and_rules_that_do_not_fit_are_refused() {
    let parties = joint(TOY_N512, spec(100, &[1, 2], 3, 1), 2);
    let beyond = parties.platforms[1].seal(account(0), 101);
    assert_eq!(beyond, Err(FusionError::ScoreBeyondPlan { platform: 1, largest: 100 }));
    let plan = parties.public.plan();
    for rule in [
        FusionRule::Bands { cuts: vec![5, 5] },
        FusionRule::Bands { cuts: vec![1, 2, 3] },
        FusionRule::Table { values: vec![0; 300] },
        FusionRule::Table { values: vec![3; 301] },
    ] {
        assert!(matches!(rule.table(plan), Err(FusionError::Rule(_))), "{rule:?}");
    }
    assert!(FusionRule::Table { values: vec![2; 301] }.table(plan).is_ok());
}

#[test]
fn plans_that_hide_nobody_or_leave_no_margin_are_refused() {
    let plan = |keys, spec| FusionPlan::new(FUSE_N2048, keys, spec).unwrap_err();
    let (shared, holders) = (FusionKeys::Shared, |holders| FusionKeys::Joint { holders });
    assert_eq!(plan(shared, spec(255, &[1], 2, 1)), FusionPlanError::TooFewPlatforms(1));
    for number in [0, 1, 6] {
        assert_eq!(plan(holders(number), spec(255, &[1, 1], 2, 1)), FusionPlanError::KeyHolders(number));
    }
    assert_eq!(plan(shared, spec(0, &[1, 1], 2, 1)), FusionPlanError::Zero("max_score"));
    assert_eq!(plan(shared, spec(255, &[1, 0], 2, 1)), FusionPlanError::Zero("weights"));
    assert_eq!(plan(shared, spec(255, &[1, 1], 2, 0)), FusionPlanError::Zero("openings_per_account"));
    for got in [1, 65] {
        assert_eq!(plan(shared, spec(255, &[1, 1], got, 1)), FusionPlanError::Bands { got, limit: 64 });
    }
    let sum = FusionPlanError::SumTooLarge { params: "FuseN2048", max_sum: 2295, limit: 2048 };
    assert_eq!(plan(shared, spec(255, &[4, 5], 2, 1)), sum);
    // No named set comes near its margin, so the last refusal needs a set with too coarse a base.
    let coarse = FusionParams { base_log2: 31, ..FUSE_N2048 };
    let refused = FusionPlan::new(coarse, holders(5), spec(255, &[1, 1], 64, 1));
    assert!(matches!(refused, Err(FusionPlanError::ErrorTooLarge { .. })), "{refused:?}");
}

#[test]
fn the_limits_of_smudging_are_stated_by_the_plan() {
    let bits = |params| {
        let plan = FusionPlan::new(params, FusionKeys::Joint { holders: 3 }, spec(255, &[1, 1, 1], 2, 1));
        plan.unwrap().smudging_bits().unwrap()
    };
    let all = [bits(FUSE_N2048), bits(FUSE_N2048_L2), bits(FUSE_N4096)];
    assert!(all.is_sorted() && all[0] > 4.0 && all[2] < 40.0, "{all:?}");
}

#[test]
fn secrets_print_nothing() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, 1), 2);
    let holder = format!("{:?}", parties.holders.remove(0));
    assert!(holder.contains("TernaryKey(..)") && holder.len() < 900, "{holder}");
    let shared = shared(TOY_N512, spec(255, &[1, 1], 2, 1));
    assert!(format!("{:?}", shared.opener).contains("TernaryKey(..)"));
}
