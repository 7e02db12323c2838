//! One tuning protocol for every arm and baseline: as many candidates, on the development worlds and on nothing else, before a test world is
//! read. And one for calibration: nobody stands on both sides of the rows that fit a map.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{root, run, smoke, succeed};
use equipoise_runner::config::{self, ArmKind};
use equipoise_runner::plan::{Plan, Stage, Work, WorldRole};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn plan(file: &str, set: &[String]) -> Plan {
    Plan::new(&config::load(&root().join(file), set).unwrap()).unwrap()
}

/// Every arm that there is, on an experiment that says how each is trained, with and without a guarantee.
fn every_arm() -> Plan {
    let arms: Vec<String> = ArmKind::ALL.iter().map(|arm| format!("\"{}\"", arm.id())).collect();
    plan(
        "experiments/federation-gap.toml",
        &[
            format!("arms=[{}]", arms.join(",")),
            "sweep.grid={\"privacy.epsilon\"=[\"inf\",3.0]}".into(),
            "tuning.worlds=2".into(),
            "fusion={ design = { ggsw-joint = { holders = 3 } }, weights = [1, 1, 1, 1], levels = 256, function = { threshold = { at = 300 } }, openings-per-account = 1 }".into(),
        ],
    )
}

#[test]
fn every_arm_that_trains_tunes_with_one_budget_on_development_worlds_only() {
    let plan = every_arm();
    let units: BTreeMap<&str, _> = plan.units.iter().map(|unit| (unit.id.as_str(), unit)).collect();
    let budget = plan.first().tuning.learning_rates.len();
    let mut kinds = BTreeSet::new();
    for arm in &plan.arms {
        kinds.insert(arm.slice.arm);
        assert_eq!(arm.tune.is_some(), arm.slice.arm.trains(), "{}", arm.id);
        let Some(tune) = &arm.tune else { continue };
        let unit = units[tune.as_str()];
        assert_eq!(unit.stage, Stage::Tune);
        let Work::Tune(slice) = &unit.work else { panic!("{} is tuned by other work", arm.id) };
        assert_eq!(slice, &arm.slice, "{} is tuned as another arm", arm.id);
        assert_eq!(slice.learning_rates.len(), budget, "{} tries more or fewer candidates", arm.id);
        let distinct: BTreeSet<u64> = slice.learning_rates.iter().map(|rate| rate.to_bits()).collect();
        assert_eq!(distinct.len(), budget, "{} tries a candidate twice", arm.id);
        assert_eq!(unit.needs.len(), 2, "{} tunes on another number of worlds", arm.id);
        for need in &unit.needs {
            let Work::World(world) = &units[need.as_str()].work else { panic!("{} needs no world", arm.id) };
            assert_eq!(world.role, WorldRole::Development, "{} tunes on a test world", arm.id);
        }
        for trial in &arm.trials {
            let needs = &units[trial.as_str()].needs;
            assert_eq!(needs.get(1), Some(tune), "{} trains with another arm's choice", arm.id);
            let Work::World(world) = &units[needs[0].as_str()].work else { panic!("a trial has a world") };
            assert_eq!(world.role, WorldRole::Test);
        }
    }
    assert_eq!(kinds.len(), ArmKind::ALL.len(), "the plan lost an arm");
}

/// Arms of one kind of training share one set of candidates, whatever their model.
#[test]
fn networks_bins_and_trees_search_the_same_space() {
    let plan = every_arm();
    for private in [false, true] {
        let spaces: BTreeSet<Vec<u64>> = plan
            .arms
            .iter()
            .filter(|arm| arm.slice.arm.trains() && arm.slice.privacy.is_some() == private)
            .map(|arm| arm.slice.learning_rates.iter().map(|rate| rate.to_bits()).collect())
            .collect();
        assert_eq!(spaces.len(), 1, "private: {private}");
    }
}

/// The one trial of a run of the smoke experiment under `calibration`.
fn trial(runs: &Path, calibration: &str) -> serde_json::Value {
    let set = format!("calibration={calibration}");
    let file = smoke();
    // With the truth as labels, so that a tiny world holds out a positive.
    let one = [
        "--set",
        "arms=[\"federated\"]",
        "--set",
        "experiment.seeds=1",
        "--set",
        "sweep.grid={}",
        "--set",
        "protocol.labels=\"truth\"",
        "--set",
        &set,
    ];
    succeed(runs, &run(file.to_str().unwrap(), &one));
    let dirs = |place: &Path| std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    let run = dirs(runs).find(|path| path.join("units").exists()).unwrap();
    let found: Vec<_> =
        dirs(&run.join("units")).map(|unit| unit.join("trial.json")).filter(|f| f.exists()).collect();
    assert_eq!(found.len(), 1);
    let text = std::fs::read_to_string(&found[0]).unwrap();
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    assert_eq!(
        report.contains("Calibration on held-out persons"),
        !calibration.contains("none"),
        "{calibration}"
    );
    std::fs::remove_dir_all(run).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A map changes what a score means and never who is reviewed: models, queues and ranking metrics are those of no calibration. Persons that
/// are held out train nothing, so the model is another one, and what its map is judged by is its own.
#[test]
fn calibration_changes_what_a_score_says_and_nothing_else() {
    let runs = tempfile::tempdir().unwrap();
    let plain = trial(runs.path(), "{ none = {} }");
    let shifted = trial(runs.path(), "{ prior-shift = { from = 0.0478, to = 0.005 } }");
    assert!(plain.get("calibration").is_none());
    assert_eq!(plain["model-hash"], shifted["model-hash"]);
    assert_eq!(plain["metrics"], shifted["metrics"]);
    let record = &shifted["calibration"];
    for metric in ["brier", "calibration-error"] {
        assert_eq!(record["before"][metric], plain["metrics"][metric]);
        assert_ne!(record["before"][metric], record["after"][metric], "{metric}");
    }
    for fitted in ["temperature", "isotonic"] {
        let fitted = trial(runs.path(), &format!("{{ {fitted} = {{ held-out = 0.5 }} }}"));
        assert_ne!(fitted["model-hash"], plain["model-hash"], "held-out persons trained");
        let held = &fitted["calibration"]["held-out"];
        assert!(held[0].as_u64().unwrap() > 50 && held[1].as_u64().unwrap() > 0, "{held}");
        assert_eq!(fitted["calibration"]["before"]["brier"], fitted["metrics"]["brier"]);
        assert_ne!(fitted["calibration"]["before"], fitted["calibration"]["after"]);
    }
}
