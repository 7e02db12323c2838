//! Kinds of federations through the whole command: what is charged under faults, what devices send, which columns a model reads.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{run, smoke, succeed};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Runs the smoke experiment with these settings on one world; the directory of the run.
fn done(runs: &Path, set: &[&str]) -> PathBuf {
    let file = smoke();
    let mut arguments = vec!["--set", "experiment.seeds=1"];
    set.iter().for_each(|set| arguments.extend(["--set", set]));
    succeed(runs, &run(file.to_str().unwrap(), &arguments));
    let entries = std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.join("plan.json").exists()).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// `(label, trial.json, rounds.json)` of the first world of every arm whose label begins so.
fn trials(run: &Path, label: &str) -> Vec<(String, Value, Value)> {
    let plan = json(&run.join("plan.json"));
    let arms = plan["arms"].as_array().unwrap().iter();
    let wanted = arms.filter(|arm| arm["label"].as_str().unwrap().starts_with(label));
    wanted
        .map(|arm| {
            let dir = run.join("units").join(arm["trials"][0].as_str().unwrap());
            let label = arm["label"].as_str().unwrap().to_owned();
            (label, json(&dir.join("trial.json")), json(&dir.join("rounds.json")))
        })
        .collect()
}

/// Four platforms of which two in five miss each of forty rounds: some rounds are not opened, and no platform is in all of the others. What is
/// charged is what the round records say, and the report prints plan and truth.
#[test]
fn a_guarantee_is_charged_for_the_rounds_that_happened() {
    let runs = tempfile::tempdir().unwrap();
    let set = [
        "arms=[\"federated\"]",
        "federation.cohort.dropout=0.4",
        "federation.cohort.minimum=2",
        "privacy.rounds=40",
        "sweep.grid={ \"privacy.epsilon\" = [8.0] }",
    ];
    let run = done(runs.path(), &set);
    let (_, trial, rounds) = trials(&run, "federated").remove(0);
    let opened: Vec<&Value> =
        rounds.as_array().unwrap().iter().filter(|round| round["opened"] == true).collect();
    let took_part = |client: u64| {
        let there =
            |round: &&&Value| round["cohort"]["clients"].as_array().unwrap().iter().any(|c| *c == client);
        opened.iter().filter(there).count() as u64
    };
    let most = (0..4).map(took_part).max().unwrap();
    let claim = &trial["claim"];
    assert_eq!((claim["rounds"]["planned"].as_u64(), claim["steps"].as_u64()), (Some(40), Some(most)));
    assert_eq!(claim["rounds"]["opened"].as_u64().unwrap(), opened.len() as u64);
    assert!(most < opened.len() as u64 && opened.len() < 40, "{most} of {} of 40", opened.len());
    let (spent, planned) =
        (claim["epsilon"].as_f64().unwrap(), claim["rounds"]["planned-epsilon"].as_f64().unwrap());
    assert!(spent < 0.95 * planned && planned <= 8.0, "{spent} {planned}");
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    for line in [
        "Rounds planned: 40",
        &format!("Rounds opened: {}", opened.len()),
        &format!("Rounds charged: {most}"),
    ] {
        assert!(report.contains(line), "{line} is not in the report");
    }
}

/// Bytes are counted on both levels, and a platform's devices by what befell them.
#[test]
fn devices_inside_platforms_are_counted_on_both_levels() {
    let runs = tempfile::tempdir().unwrap();
    let devices = "federation.partition={ devices = { participation = 0.2, dropout = 0.3, minimum = 2, rounds = 2, weight-levels = 4 } }";
    let set = [
        "arms=[\"federated\"]",
        devices,
        "federation.rounds=4",
        "federation.cohort.dropout=0.0",
        "sweep.grid={ \"privacy.epsilon\" = [\"inf\"] }",
    ];
    let run = done(runs.path(), &set);
    let (_, trial, rounds) = trials(&run, "federated").remove(0);
    let parameters = trial["parameters"].as_u64().unwrap();
    for round in rounds.as_array().unwrap() {
        let inside = round["inside"].as_array().unwrap();
        assert_eq!(inside.len(), 4, "one record a platform");
        for platform in inside {
            let count = |key: &str| platform[key].as_u64().unwrap();
            assert!(count("answered") > 0 && count("answered") < count("asked"), "{platform}");
            assert_eq!(count("opened"), 2);
            // Eighteen bits a parameter, and a header of twelve bytes.
            assert_eq!(count("upload_bytes"), count("answered") * (12 + (18 * parameters).div_ceil(8)));
        }
    }
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    for words in ["devices to their platform", "devices of social-1", "adds up its own devices in the clear"]
    {
        assert!(report.contains(words), "{words}");
    }
}

/// The common ontology is a smaller model, marks make it larger, and every arm is held against the one that reads the same columns.
#[test]
fn a_schema_decides_which_columns_a_model_reads() {
    let runs = tempfile::tempdir().unwrap();
    let set = [
        "arms=[\"local-only\", \"federated\"]",
        "sweep.grid={ schema = [{ native = {} }, { marked = {} }, { common = {} }] }",
    ];
    let run = done(runs.path(), &set);
    let size = |schema: &str| {
        let (_, trial, _) =
            trials(&run, "federated").into_iter().find(|(label, ..)| label.contains(schema)).unwrap();
        trial["parameters"].as_u64().unwrap()
    };
    assert!(size("common") < size("native") && size("native") < size("marked"), "{}", size("native"));
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    assert!(
        report.contains("federated, common − federated, native"),
        "the price of the ontology is compared"
    );
    assert!(report.contains("federated, common − local only, common"), "like is held against like");
}

/// Wherever a pattern has too few persons, the table of gaps says so instead of a number.
#[test]
fn the_gap_is_shown_by_pattern_and_not_assessed_below_fifty_persons() {
    let runs = tempfile::tempdir().unwrap();
    let set = [
        "arms=[\"local-only\", \"federated\", \"pooled-unlinked\"]",
        "sweep.grid={ \"privacy.epsilon\" = [\"inf\"] }",
    ];
    let run = done(runs.path(), &set);
    let report = std::fs::read_to_string(run.join("report.md")).unwrap();
    let table = report.split("The gap by simulated pattern").nth(1).unwrap();
    for pattern in ["slow single target", "migrator"] {
        let row = table.lines().find(|line| line.starts_with(&format!("| {pattern} | federated"))).unwrap();
        assert!(row.contains("of at least 50 persons"), "{row}");
    }
}
