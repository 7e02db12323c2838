//! A result that anybody can reproduce: bundles that pass elsewhere, edited bundles that fail and say where, claims.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, root, smoke, succeed};
use equipoise_runner::lab::zip;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// A bundle of a small run, made with one thread; the store is gone afterwards.
fn bundle(dir: &Path) -> Vec<u8> {
    let runs = dir.join("here");
    let file = smoke();
    let arms = "arms=[\"local-only\", \"federated\"]";
    let set = ["--set", arms, "--set", "privacy.epsilon=inf", "--set", "experiment.seeds=2"];
    succeed(&runs, &[&["run", file.to_str().unwrap(), "--threads", "1"], &set[..]].concat());
    let out = dir.join("one.zip");
    let export = || {
        succeed(&runs, &["export", "bundle", "smoke", "--out", out.to_str().unwrap()]);
        std::fs::read(&out).unwrap()
    };
    let (first, second) = (export(), export());
    assert!(first == second, "the same run gives the same archive");
    std::fs::remove_dir_all(runs).unwrap();
    first
}

/// The bundle with one piece of text replaced, and its sums mended if asked.
fn edited(dir: &Path, bundle: &[u8], name: &str, from: &str, to: &str, mend: bool) -> String {
    let mut members = zip::read(bundle).unwrap();
    let text = String::from_utf8(members[name].clone()).unwrap();
    assert!(text.contains(from), "`{from}` is not in {name}");
    members.insert(name.into(), text.replacen(from, to, 1).into_bytes());
    if mend {
        let mut sums = String::new();
        for (name, bytes) in members.iter().filter(|(name, _)| *name != "SHA256SUMS") {
            let sum =
                Sha256::digest(bytes).iter().fold(String::new(), |sum, byte| format!("{sum}{byte:02x}"));
            writeln!(sums, "{sum}  {name}").unwrap();
        }
        members.insert("SHA256SUMS".into(), sums.into_bytes());
    }
    let path = dir.join("edited.zip");
    std::fs::write(&path, zip::write(&members).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_bundle_passes_elsewhere_and_an_edited_one_fails_where_it_was_edited() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let bytes = bundle(dir);
    let path = dir.join("one.zip");
    let there = dir.join("there");
    let out = succeed(&there, &["reproduce", path.to_str().unwrap(), "--threads", "2"]);
    assert!(out.contains("PASS  federated recall-at-budget") && !out.contains("FAIL"), "{out}");
    assert_eq!(std::fs::read_dir(&there).unwrap().count(), 0, "the temporary folder is gone");

    let metrics = String::from_utf8(zip::read(&bytes).unwrap()["metrics.json"].clone()).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    let caught = |path: String, words: &[&str]| {
        let error = fail(&there, &["reproduce", &path], 4);
        for word in words {
            assert!(error.contains(word), "`{word}` is not in\n{error}");
        }
    };
    // Sums not mended: the file is named. Mended: the configuration key, the world's key, the number.
    caught(
        edited(dir, &bytes, "metrics.json", "\"seeds\": 2", "\"seeds\": 3", false),
        &["metrics.json: its content"],
    );
    caught(
        edited(dir, &bytes, "experiment.toml", "rounds = 3", "rounds = 4", true),
        &["federation.rounds", "3", "4"],
    );
    let world = String::from_utf8(zip::read(&bytes).unwrap()["world.toml"].clone()).unwrap();
    // A share of the world, whichever stands first: half of it is another world.
    let share = |line: &&str| {
        let number: Option<f64> = line.split_once(" = ").and_then(|(_, value)| value.parse().ok());
        line.contains('.') && number.is_some_and(|share| share > 0.0 && share < 1.0)
    };
    let from = world.lines().find(share).unwrap();
    let (key, value) = from.split_once(" = ").unwrap();
    let to = format!("{key} = {}", value.parse::<f64>().unwrap() * 0.5);
    caught(edited(dir, &bytes, "world.toml", from, &to, true), &[key, "world"]);
    let arm = &metrics["arms"].as_array().unwrap()[1];
    assert_eq!(arm["id"], "federated");
    let value = arm["per_seed"]["average-precision"][0].to_string();
    let path = edited(dir, &bytes, "metrics.json", &value, "0.987654", true);
    caught(path, &["average-precision", "0.987654", &value]);
}

#[test]
fn a_claim_passes_and_a_wrong_number_fails() {
    let runs = tempfile::tempdir().unwrap();
    let out = succeed(runs.path(), &["reproduce", "S0"]);
    assert!(out.contains("PASS  reports-only: average-precision") && !out.contains("FAIL"), "{out}");
    let text = std::fs::read_to_string(root().join("experiments/claims.toml")).unwrap();
    let file = smoke();
    let text = text.replace("smoke/smoke.toml", file.to_str().unwrap()).replacen("is = 0.", "is = 0.9", 1);
    let wrong = runs.path().join("claims.toml");
    std::fs::write(&wrong, text).unwrap();
    let error = fail(runs.path(), &["reproduce", "S0", "--claims", wrong.to_str().unwrap()], 4);
    assert!(error.contains("published 0.9"), "{error}");
    assert!(fail(runs.path(), &["reproduce", "C99"], 2).contains("C1"));
}
