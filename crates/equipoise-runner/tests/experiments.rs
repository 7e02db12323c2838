//! The experiment files: each passes its own checks, and together they use every strategy that an experiment can choose.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{root, succeed};
use std::path::PathBuf;

fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut places = vec!["experiments", "experiments/smoke"];
    if cfg!(feature = "prio3") {
        places.push("experiments/with-prio3");
    }
    for place in places {
        for entry in std::fs::read_dir(root().join(place)).unwrap() {
            let path = entry.unwrap().path();
            // The registry of claims stands beside the experiments and is none.
            if path.extension().is_some_and(|e| e == "toml") && !path.ends_with("claims.toml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every key and every string value of the files, which is how a file chooses a strategy.
fn words() -> Vec<String> {
    fn collect(value: &toml::Value, into: &mut Vec<String>) {
        match value {
            toml::Value::Table(table) => table.iter().for_each(|(key, value)| {
                into.push(key.clone());
                collect(value, into);
            }),
            toml::Value::Array(list) => list.iter().for_each(|value| collect(value, into)),
            toml::Value::String(text) => into.push(text.clone()),
            _ => {}
        }
    }
    let mut words = Vec::new();
    for file in files() {
        collect(&toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap(), &mut words);
    }
    words
}

#[test]
fn every_experiment_passes_its_check() {
    let runs = tempfile::tempdir().unwrap();
    for file in files() {
        succeed(runs.path(), &["check", file.to_str().unwrap()]);
    }
}

#[test]
fn the_experiments_use_every_strategy_that_a_file_can_choose() {
    let runs = tempfile::tempdir().unwrap();
    let words = words();
    let described: serde_json::Value =
        serde_json::from_str(&succeed(runs.path(), &["describe", "--json"])).unwrap();
    // Policies and attacks are not part of an experiment file yet; metrics are all computed, mechanisms follow epsilon.
    let chosen = [
        "arm",
        "model",
        "aggregation.hidden",
        "aggregation.visible",
        "server",
        "local",
        "partition",
        "training.loss",
        "calibration",
        "compression",
        "schedule",
        "rounding",
        "privacy.noise",
        "schema",
        "fusion.design",
        "fusion.function",
    ];
    let mut seen = 0;
    for strategy in described.as_array().unwrap() {
        let (registry, name) =
            (strategy["registry"].as_str().unwrap(), strategy["name"].as_str().unwrap().to_owned());
        if chosen.contains(&registry) {
            seen += 1;
            assert!(words.contains(&name), "no file in experiments/ uses {registry} `{name}`");
        }
    }
    assert!(seen >= 15, "only {seen} strategies found: the names of the registries have changed");
}
