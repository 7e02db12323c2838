use super::*;
use crate::config::{self, FusionFunction};
use crate::plan::{Plan, Work};
use equipoise_core::{Draw, Seed};
use equipoise_federated::Untimed;
use std::collections::BTreeMap;

/// A small world that holds identifiers, and scores that crowd near 0.
fn world() -> (WorldData, Vec<f32>) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke/smoke.toml");
    let plan = Plan::new(&config::load(file.as_ref(), &[]).unwrap()).unwrap();
    let slice = plan.units.iter().find_map(|unit| match &unit.work {
        Work::World(slice) => Some(slice.clone()),
        _ => None,
    });
    let mut slice = slice.unwrap();
    slice.tokens = true;
    let world = crate::exec::make_world(&slice, &equipoise_core::Silent).unwrap();
    let mut rng = Seed::root(5).rng();
    #[allow(clippy::cast_possible_truncation)]
    let own = world.test.case.iter().map(|_| (rng.uniform() * rng.uniform()) as f32).collect();
    (world, own)
}

fn section(design: FusionDesign, function: FusionFunction) -> FusionSection {
    FusionSection { design, weights: vec![1, 2, 1, 1], levels: 256, function, openings_per_account: 1 }
}

fn fuse(section: &FusionSection, world: &WorldData, own: &[f32]) -> FusedScores {
    let grids = vec![ScoreGrid::of_upper_tail(own, section.levels).unwrap(); 4];
    run(section, world, &grids, own, &Untimed, None).unwrap()
}

/// The slow, obvious version: by identifier, the largest level a platform, the weighted sum in the clear.
fn by_hand(section: &FusionSection, world: &WorldData, own: &[f32]) -> Vec<u32> {
    let grid = ScoreGrid::of_upper_tail(own, section.levels).unwrap();
    let tokens = world.tokens.as_ref().unwrap();
    let key = |row: usize| (world.test.decision[row], tokens[world.test.case[row] as usize]);
    let mut largest: BTreeMap<(u16, u64), [Option<u32>; 4]> = BTreeMap::new();
    let rows = 0..own.len();
    for row in rows.clone() {
        let platform = usize::from(world.cases.platform[world.test.case[row] as usize]);
        let level = grid.level(own[row]);
        let sent = match section.function {
            FusionFunction::KOfN { level: from, .. } => u32::from(level >= from),
            _ => level,
        };
        let entry = &mut largest.entry(key(row)).or_default()[platform];
        *entry = (*entry).max(Some(sent));
    }
    let value = |row: usize| {
        let weighted = section.weights.iter().zip(largest[&key(row)]);
        let sum: u32 = weighted.map(|(weight, sent)| weight * sent.unwrap_or(0)).sum();
        match &section.function {
            FusionFunction::Threshold { at } => u32::from(sum >= *at),
            FusionFunction::KOfN { k, .. } => u32::from(sum >= *k),
            FusionFunction::Bands { cuts } => cuts.iter().map(|cut| u32::from(sum >= *cut)).sum(),
        }
    };
    rows.map(value).collect()
}

/// Two accounts of one identifier on one platform that nobody else has are not in the hand-worked version's terms: it takes their largest.
fn doubled_alone(world: &WorldData) -> BTreeSet<u64> {
    let tokens = world.tokens.as_ref().unwrap();
    let mut places: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    tokens
        .iter()
        .zip(&world.cases.platform)
        .for_each(|(token, p)| places.entry(*token).or_default().push(*p));
    let alone = |on: &Vec<u8>| on.len() > 1 && on.iter().all(|platform| *platform == on[0]);
    places.iter().filter(|(_, on)| alone(on)).map(|(token, _)| *token).collect()
}

#[test]
fn every_design_opens_what_the_clear_scores_say() {
    let (world, own) = world();
    let skipped = doubled_alone(&world);
    let of = |row: &usize| world.tokens.as_ref().unwrap()[world.test.case[*row] as usize];
    let functions = [
        FusionFunction::Threshold { at: 250 },
        FusionFunction::Bands { cuts: vec![60, 150, 220, 280] },
        FusionFunction::KOfN { k: 2, level: 60 },
    ];
    let mut hashes = BTreeSet::new();
    for function in functions {
        let plain = fuse(&section(FusionDesign::Plain {}, function.clone()), &world, &own);
        let hand = by_hand(&section(FusionDesign::Plain {}, function.clone()), &world, &own);
        let kept: Vec<usize> = (0..own.len()).filter(|row| !skipped.contains(&of(row))).collect();
        assert!(kept.len() > 1000 && kept.iter().all(|&row| plain.values[row] == hand[row]), "{function:?}");
        assert!(plain.record.values.iter().all(|count| *count >= 5), "{:?}", plain.record.values);
        for design in
            [FusionDesign::GgswJoint { holders: 2 }, FusionDesign::GgswSecret {}, FusionDesign::Mpc {}]
        {
            let hidden = fuse(&section(design, function.clone()), &world, &own);
            assert_eq!(hidden.values, plain.values, "{design:?} {function:?}");
            assert_eq!(hidden.scores, plain.scores);
            let counts =
                |of: &FusionRecord| (of.openings, of.scores, of.accounts.clone(), of.overlaps.clone());
            assert_eq!(
                counts(&hidden.record),
                counts(&plain.record),
                "matching by a key finds the same accounts"
            );
            assert_eq!(hidden.record.values_hash, plain.record.values_hash);
        }
        hashes.insert(plain.record.values_hash);
    }
    assert_eq!(hashes.len(), 3, "functions are told apart");
}

#[test]
fn values_go_first_and_own_scores_order_equals() {
    let bands = section(FusionDesign::Plain {}, FusionFunction::Bands { cuts: vec![100, 200] });
    let by = |value, own| ordered(value, own, &bands);
    assert!(
        by(0, 0.2) < by(0, 0.9) && by(0, 1.0) < by(1, 0.0) && by(1, 1.0) < by(2, 0.0) && by(2, 1.0) <= 1.0
    );
}

/// A search over thresholds, one start of the process a threshold: the folder that a trial keeps refuses the second one.
#[test]
fn a_restart_lifts_no_limit_on_openings_and_changes_no_value() {
    let (world, own) = world();
    let at = |at| section(FusionDesign::GgswJoint { holders: 2 }, FusionFunction::Threshold { at });
    let grids = vec![ScoreGrid::of_upper_tail(&own, 256).unwrap(); 4];
    let folder = tempfile::tempdir().unwrap();
    let start = |section: &FusionSection, keep| run(section, &world, &grids, &own, &Untimed, keep);
    let first = start(&at(250), Some(folder.path())).unwrap();
    let again = start(&at(250), Some(folder.path())).unwrap();
    assert_eq!((&again.values, &again.record), (&first.values, &first.record));
    let other = start(&at(251), Some(folder.path())).err().expect("a second rule");
    assert!(other.to_string().contains("no further rule may be opened"), "{other}");
    // Killed before anything of the last period: the rest is as it was.
    let last = world.meta.decisions.len() - 1;
    std::fs::remove_dir_all(folder.path().join(format!("period-{last}"))).unwrap();
    assert_eq!(start(&at(250), Some(folder.path())).unwrap().values, first.values);
    let names = folder.path().join("pseudonyms");
    std::fs::write(&names, [0; 41]).unwrap();
    let error = start(&at(250), Some(folder.path())).err().unwrap();
    assert!(error.to_string().contains("not the pseudonyms"), "{error}");
}

#[test]
fn a_world_without_identifiers_is_not_matched() {
    let (mut world, own) = world();
    world.tokens = None;
    let section = section(FusionDesign::Plain {}, FusionFunction::Threshold { at: 250 });
    let grids = vec![ScoreGrid::of_upper_tail(&own, section.levels).unwrap(); 4];
    let error = run(&section, &world, &grids, &own, &Untimed, None).err().unwrap();
    assert!(error.to_string().contains("no identifiers"), "{error}");
}
