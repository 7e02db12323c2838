//! Every pair of eight-bit scores, every edge, every named set; and the error against the plan.

use super::testing::{account, joint, shared, spec};
use super::*;
use crate::fusion::params::TOY_N512;

/// The fused value of every pair of scores, from uploads that are encrypted once a score.
fn grid(rule: &FusionRule, scores: &[u32]) {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 4, u32::MAX), 2);
    let table = rule.table(parties.public.plan()).unwrap();
    let (server, seal) = (FusionServer::new(&parties.public), |platform: usize, score: u32| {
        parties.platforms[platform].seal(account(0), score).unwrap()
    });
    let prepared = server.prepare(&table);
    let left: Vec<ScoreUpload> = scores.iter().map(|&score| seal(0, score)).collect();
    let right: Vec<ScoreUpload> = scores.iter().map(|&score| seal(1, score)).collect();
    let mut workspace = server.workspace();
    for (a, left) in scores.iter().zip(&left) {
        for (b, right) in scores.iter().zip(&right) {
            let uploads = [left.clone(), right.clone()];
            let (mask, body) = server.evaluate(&prepared, &uploads, &mut workspace).unwrap();
            let phase = parties.phase(&mask, &body);
            let value = parties.public.plan().decode(phase);
            assert_eq!(value, table.apply(a + b), "{a} + {b} under {rule:?}");
            parties.errors.note(parties.public.plan(), phase, value);
        }
    }
    parties.errors.hold(parties.public.plan());
}

#[test]
fn every_pair_of_eight_bit_scores_gives_the_flag_of_its_sum() {
    let scores: Vec<u32> = (0..=255).collect();
    for at in [1, 200, 255, 256, 510] {
        grid(&FusionRule::Threshold { at }, &scores);
    }
    grid(&FusionRule::Bands { cuts: vec![100, 255, 400] }, &scores);
}

/// The edges of a threshold for given weights: all zero, all largest, and sums of one below, at and one above it.
fn edges(max_score: u32, weights: &[u32], at: u32) -> Vec<Vec<u32>> {
    let mut all = vec![vec![0; weights.len()], vec![max_score; weights.len()]];
    for target in [at.saturating_sub(1), at, at + 1] {
        let mut rest = target;
        let mut scores = vec![0; weights.len()];
        for (score, weight) in scores.iter_mut().zip(weights) {
            *score = (rest / weight).min(max_score);
            rest -= *score * weight;
        }
        all.push(scores);
    }
    for platform in 0..weights.len() {
        let mut scores = vec![0; weights.len()];
        scores[platform] = max_score;
        all.push(scores);
    }
    all
}

fn sum(weights: &[u32], scores: &[u32]) -> u32 {
    weights.iter().zip(scores).map(|(weight, score)| weight * score).sum()
}

#[test]
fn the_edges_are_exact_under_every_named_set_and_key_setting() {
    for params in FusionParams::ALL {
        let weights = [1, 2, 1];
        for at in [1, 383, 511, 1020] {
            let rule = FusionRule::Threshold { at };
            let accounts = edges(255, &weights, at);
            let spec = || spec(255, &weights, 2, 1);
            let joint = joint(params, spec(), 3).fuse(&rule, &accounts);
            let shared = shared(params, spec()).fuse(&rule, &accounts);
            let expected: Vec<u32> =
                accounts.iter().map(|scores| u32::from(sum(&weights, scores) >= at)).collect();
            assert_eq!((&joint, &shared), (&expected, &expected), "{} at {at}", params.name());
        }
    }
}

#[test]
fn votes_give_k_of_n_and_five_holders_open() {
    let rule = FusionRule::Threshold { at: 3 };
    let accounts: Vec<Vec<u32>> =
        (0..32_u32).map(|votes| (0..5).map(|bit| votes >> bit & 1).collect()).collect();
    let opened = joint(FUSE_N2048_L2, spec(1, &[1; 5], 2, 1), 5).fuse(&rule, &accounts);
    let expected: Vec<u32> = accounts.iter().map(|votes| u32::from(votes.iter().sum::<u32>() >= 3)).collect();
    assert_eq!(opened, expected);
}

#[test]
fn a_sum_of_one_below_the_ring_fits_and_the_rings_size_is_refused() {
    // 89 * 23 = 2047; one weight more makes 2048 with scores up to 1.
    let fits = spec(89, &[11, 12], 2, 1);
    let rule = FusionRule::Threshold { at: 2047 };
    let mut parties = joint(FUSE_N2048, fits, 2);
    assert_eq!(parties.public.plan().max_sum, 2047);
    assert_eq!(parties.fuse(&rule, &[vec![89, 89], vec![89, 88]]), [1, 0]);
    let beyond = spec(64, &[16, 16], 2, 1);
    let refused = FusionPlan::new(FUSE_N2048, FusionKeys::Joint { holders: 2 }, beyond);
    let want = FusionPlanError::SumTooLarge { params: "FuseN2048", max_sum: 2048, limit: 2048 };
    assert_eq!(refused, Err(want));
    // The bound is real: a sum of N turns the sign of the polynomial and with it the value.
    let mut bypassed = joint(TOY_N512, spec(255, &[1, 1], 2, u32::MAX), 2);
    std::sync::Arc::make_mut(&mut bypassed.public.plan).spec.max_score = 256;
    let sealed = |parties: &super::testing::Joint, platform: usize| {
        FusionPlatform::joint(&parties.public, u32::try_from(platform).unwrap(), &parties.key)
            .seal(account(0), 256)
            .unwrap()
    };
    let uploads = [sealed(&bypassed, 0), sealed(&bypassed, 1)];
    let table = FusionRule::Table { values: vec![0; 511] }.table(bypassed.public.plan()).unwrap();
    let server = FusionServer::new(&bypassed.public);
    let (mask, body) = server.evaluate(&server.prepare(&table), &uploads, &mut server.workspace()).unwrap();
    let phase = bypassed.phase(&mask, &body);
    assert_eq!(bypassed.public.plan().decode(phase), 1, "a rule that is always 0 opened as 1");
}

#[test]
fn errors_have_the_planned_deviation_and_stay_far_below_the_margin() {
    for (params, spread) in [(FUSE_N2048, 0.75..1.15), (FUSE_N2048_L2, 0.75..1.15), (FUSE_N4096, 0.2..1.3)] {
        let mut errors = super::testing::Errors::default();
        // Errors of one key share its errors: the deviation is taken over keys.
        for _ in 0..20 {
            let mut parties = joint(params, spec(255, &[1, 1, 1], 2, u32::MAX), 3);
            parties.fuse(&FusionRule::Threshold { at: 383 }, &vec![vec![100, 200, 255]; 40]);
            errors.extend(&parties.errors);
            errors.hold(parties.public.plan());
        }
        let plan = joint(params, spec(255, &[1, 1, 1], 2, 1), 3).public.plan;
        let ratio = (errors.deviation().log2() - plan.error_std_log2).exp2();
        assert!(spread.contains(&ratio), "{}: measured / planned = {ratio}", params.name());
        assert!(plan.margin_log2 - errors.largest().log2() > 7.0);
    }
}

#[test]
fn the_error_histogram_is_centred_and_has_gaussian_shoulders() {
    let mut parties = joint(TOY_N512, spec(255, &[1, 1], 2, u32::MAX), 2);
    parties.fuse(&FusionRule::Threshold { at: 256 }, &vec![vec![128, 127]; 4000]);
    let inside = parties.errors.share_within(1.0);
    // 68.27 % of a Gaussian; 4000 samples of one key, deviation 0.74 points, seven of them.
    assert!((inside - 0.6827).abs() < 0.052, "{inside}");
    assert!(parties.errors.mean().abs() < 7.0 * parties.errors.deviation() / 4000_f64.sqrt());
}
