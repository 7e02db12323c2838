//! `equipoise policy`: files are checked, cells are resumed, results do not depend on threads or interruptions.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{root, succeed};
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("experiments/policy")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The factorial of this project, cut down to a world of seconds.
fn small(dir: &Path) -> PathBuf {
    let text = std::fs::read_to_string(root().join("experiments/policy/in-tandem.toml")).unwrap();
    let world = root().join("datasets/research.toml");
    let text = text
        .replace("../../datasets/research.toml", world.to_str().unwrap())
        .replace("persons = 10000", "persons = 300")
        .replace("days = 180", "days = 8")
        .replace("seeds = 30", "seeds = 3");
    let file = dir.join("small.toml");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn every_policy_experiment_passes_its_check_and_together_they_use_every_measure() {
    let runs = tempfile::tempdir().unwrap();
    let mut words = String::new();
    for file in files() {
        succeed(runs.path(), &["policy", "check", file.to_str().unwrap()]);
        words.push_str(&std::fs::read_to_string(&file).unwrap());
    }
    for policy in equipoise_policy::PolicySpec::examples() {
        let name = policy.name();
        assert!(name == "no-policy" || words.contains(&format!("{name} = {{")), "no file uses {name}");
    }
}

#[test]
fn a_run_that_was_cut_off_goes_on_to_the_same_bytes_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path());
    let run = |runs: &Path, threads: &str| {
        let args = ["policy", "run", file.to_str().unwrap(), "--json", "--threads", threads];
        succeed(runs, &args)
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = run(one.path(), "2");
    assert_eq!(first, run(two.path(), "1"));
    let cells = std::fs::read_dir(one.path()).unwrap().next().unwrap().unwrap().path().join("cells");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&cells).unwrap().map(|e| e.unwrap().path()).collect();
    found.sort();
    assert_eq!(found.len(), 3 * 33);
    for lost in found.iter().step_by(7) {
        std::fs::remove_file(lost).unwrap();
    }
    assert_eq!(first, run(one.path(), "2"));
    let report: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(report["cells"].as_array().unwrap().len(), 33);
    let none = &report["cells"][0];
    assert!(none["measures"].as_array().unwrap().is_empty());
    assert!(
        none["children-minus-none"]["value"].as_f64().unwrap().abs() < 1e-12,
        "a twin differs from itself"
    );
    for cell in report["cells"].as_array().unwrap() {
        for (group, burden) in cell["burden"].as_object().unwrap() {
            assert!(burden["accounts"].as_u64().unwrap() >= 20, "{group} is below the smallest cohort");
        }
    }
}
