//! The law of the designs, held over every one of them and over a wrong one.

use super::design::{Fused, FusionCost};
use super::testing::{account, spec};
use super::*;
use equipoise_core::Seed;
use equipoise_federated::{LeakageProfile, Stopwatch, Untimed};
use rand::rand_core::Rng;

fn accounts(count: u64, missing: bool) -> Vec<AccountScores> {
    let mut rng = Seed::root(11).rng();
    let mut score = || u32::try_from(rng.next_u64() % 256).unwrap();
    let edge = |at: u64| {
        [[0; 3], [255; 3], [255, 128, 0], [255, 127, 0], [255, 129, 0]][usize::try_from(at).unwrap()]
    };
    (0..count)
        .map(|at| {
            let scores = if at < 5 { edge(at) } else { [score(), score(), score()] };
            let mut scores = scores.map(Some).to_vec();
            if missing && at % 4 == 3 {
                scores[usize::try_from(at % 3).unwrap()] = None;
            }
            AccountScores { account: account(at), scores }
        })
        .collect()
}

/// Weights, and whether accounts may be missing on a platform.
type Setting = ([u32; 3], bool);
const ALIKE: Setting = ([1, 1, 1], true);
const WEIGHTED: Setting = ([1, 2, 1], true);

/// Whether a fusion gives the rule at the sum, for rules that every design has.
fn law(build: impl Fn(FusionSpec) -> Box<dyn RiskFusion>, settings: &[Setting], count: u64) -> bool {
    let rules = [(FusionRule::Threshold { at: 383 }, 2), (FusionRule::Bands { cuts: vec![1, 383, 510] }, 4)];
    settings.iter().all(|(weights, missing)| {
        rules.iter().all(|(rule, bands)| {
            let accounts = accounts(count, *missing);
            let value = |account: &AccountScores| {
                let scores = weights.iter().zip(&account.scores);
                let sum: u32 = scores.map(|(weight, score)| weight * score.unwrap_or(0)).sum();
                match rule {
                    FusionRule::Threshold { at } => u32::from(sum >= *at),
                    FusionRule::Bands { cuts } => cuts.iter().map(|&cut| u32::from(sum >= cut)).sum(),
                    FusionRule::Table { .. } => unreachable!(),
                }
            };
            let expected: Vec<u32> = accounts.iter().map(value).collect();
            let mut fusion = build(spec(255, weights, *bands, 1));
            fusion.fuse(rule, &accounts, &Untimed).unwrap().values == expected
        })
    })
}

#[test]
fn every_design_gives_the_rule_at_the_sum() {
    for design in FusionDesign::examples() {
        // The bootstrapping peers cost up to a second an account, and hold weights of one.
        let (settings, count) = match design {
            FusionDesign::Plain {} | FusionDesign::Mpc {} => (&[ALIKE, WEIGHTED][..], 500),
            FusionDesign::GgswSecret {} | FusionDesign::GgswJoint { .. } => (&[ALIKE, WEIGHTED][..], 70),
            #[cfg(feature = "high-level-fhe")]
            _ => (&[ALIKE][..], 5),
        };
        assert!(law(|spec| design.build(spec).unwrap(), settings, count), "{design:?}");
    }
}

/// Off by one: flags above the threshold instead of at it.
struct Above(Box<dyn RiskFusion>);

impl RiskFusion for Above {
    fn name(&self) -> &'static str {
        "above"
    }
    fn leakage(&self) -> LeakageProfile {
        self.0.leakage()
    }
    fn fuse(
        &mut self,
        rule: &FusionRule,
        accounts: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Fused, FusionError> {
        let rule = match rule {
            FusionRule::Threshold { at } => FusionRule::Threshold { at: at + 1 },
            other => other.clone(),
        };
        self.0.fuse(&rule, accounts, stopwatch)
    }
}

#[test]
fn a_design_that_is_off_by_one_fails_the_law() {
    assert!(!law(|spec| Box::new(Above(FusionDesign::Plain {}.build(spec).unwrap())), &[ALIKE], 5));
}

#[test]
fn an_account_of_one_platform_is_refused_by_every_design() {
    for design in FusionDesign::examples() {
        let mut fusion = design.build(spec(255, &[1, 1, 1], 2, 1)).unwrap();
        let rule = FusionRule::Threshold { at: 100 };
        for scores in [vec![Some(9), None, None], vec![Some(9), Some(9)], vec![Some(256), Some(1), Some(1)]] {
            let alone = AccountScores { account: account(0), scores };
            assert!(fusion.fuse(&rule, &[alone], &Untimed).is_err(), "{design:?}");
        }
    }
}

#[test]
fn three_servers_send_the_bytes_and_rounds_that_the_circuit_has() {
    let mut fusion = FusionDesign::Mpc {}.build(spec(255, &[1, 1, 1], 2, 1)).unwrap();
    let cost = |fusion: &mut Box<dyn RiskFusion>, count| {
        fusion.fuse(&FusionRule::Threshold { at: 383 }, &accounts(count, false), &Untimed).unwrap().cost
    };
    // A word of 64 accounts: 16 + 16 ANDs, then 2 * (7 + 4 + 2 + 1) of the tree of 15, each one word from three servers.
    let words = 16 + 16 + 28;
    let one =
        FusionCost { upload_bytes: 64 * 3 * 3 * 36, server_bytes: words * 24, share_bytes: 24, rounds: 8 };
    assert_eq!(cost(&mut fusion, 64), one);
    let two = FusionCost {
        upload_bytes: 65 * 3 * 3 * 36,
        server_bytes: 2 * words * 24,
        share_bytes: 48,
        rounds: 8,
    };
    assert_eq!(cost(&mut fusion, 65), two);
}

#[test]
fn the_joint_design_sends_the_planned_bytes() {
    let mut fusion = FusionDesign::GgswJoint { holders: 3 }.build(spec(255, &[1, 1, 1], 2, 1)).unwrap();
    let fused = fusion.fuse(&FusionRule::Threshold { at: 383 }, &accounts(5, false), &Untimed).unwrap();
    let cost = fused.cost;
    assert_eq!(cost.upload_bytes, 5 * 3 * (65_536 + 62));
    assert_eq!((cost.server_bytes, cost.share_bytes), (5 * (3 * (8192 + 90) + 98), 5 * 3 * 102));
    assert_eq!(fused.values, [0, 1, 1, 0, 1]);
}

#[test]
fn every_profile_names_server_and_opener_and_only_labelled_seats_read_scores() {
    for design in FusionDesign::examples() {
        let profile = design.leakage();
        let seat = |name: &str| profile.seats.iter().any(|view| view.seat == name);
        assert!(seat("platform") && seat("server") && seat("matcher"), "{}", profile.scheme);
        assert_eq!(profile.server_reads_single_updates(), profile.scheme == "plain");
        assert!(profile.seats.iter().any(|view| view.reads_single_updates));
        assert!(design.describe().contains(&profile.headline));
    }
    let joint = FusionDesign::GgswJoint { holders: 3 }.leakage();
    assert!(
        joint
            .seats
            .iter()
            .all(|view| view.reads_single_updates == (view.seat == "server with all key holders"))
    );
}

#[test]
fn designs_are_named_in_files_as_they_are_in_reports() {
    let read = |text: &str| toml::from_str::<std::collections::BTreeMap<String, FusionDesign>>(text);
    let all = read("a.ggsw-joint.holders = 3\nb.mpc = {}\nc.plain = {}\nd.ggsw-secret = {}").unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!(all["a"], FusionDesign::GgswJoint { holders: 3 });
    assert!(read("a.ggsw-joint = { holders = 3, more = 1 }").is_err());
}
