//! `equipoise world` from the outside: what it prints, what it writes, and its exit codes.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{equipoise, fail, succeed};
use std::collections::BTreeSet;
use std::path::Path;

/// A small world file in `dir`.
fn small(dir: &Path) -> String {
    let text = std::fs::read_to_string(common::root().join("datasets/research.toml")).unwrap();
    let text = text.replace("persons = 12000", "persons = 400").replace("days = 60", "days = 5");
    let path = dir.join("small.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn describe_prints_every_parameter_with_its_source_and_checks() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path());
    let text = succeed(dir.path(), &["world", "describe", &file]);
    assert!(
        text.lines().any(|l| l.starts_with("population.bands") && l.contains("V1") && l.contains("assumed"))
    );
    let rows: serde_json::Value =
        serde_json::from_str(&succeed(dir.path(), &["world", "describe", &file, "--json"])).unwrap();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() > 100 && rows.iter().all(|row| !row["source"].as_str().unwrap().is_empty()));
}

#[test]
fn a_dataset_card_stands_for_its_world() {
    let dir = tempfile::tempdir().unwrap();
    let text = succeed(dir.path(), &["world", "describe", "datasets/small.toml"]);
    assert!(text.starts_with("10000 persons, 60 days"), "{}", text.lines().next().unwrap_or_default());
}

#[test]
fn a_made_world_is_the_same_for_any_thread_count_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path());
    let make = |name: &str, threads: &str| {
        let out = dir.path().join(name);
        let out_text = out.to_str().unwrap().to_owned();
        succeed(
            dir.path(),
            &["world", "make", &file, "--out", &out_text, "--seed", "3", "--threads", threads],
        );
        out
    };
    let (one, other) = (make("one", "1"), make("other", "2"));
    let mut files = 0;
    for platform in 0..4 {
        for name in [format!("events-{platform}.parquet"), format!("truth/accounts-{platform}.parquet")] {
            assert_eq!(std::fs::read(one.join(&name)).unwrap(), std::fs::read(other.join(&name)).unwrap());
            files += 1;
        }
    }
    assert_eq!(files, 8);
    let (table, _) = equipoise_store::read_table(&one.join("events-2.parquet")).unwrap();
    assert!(equipoise_store::events_from_table(&table).unwrap().len() > 1_000);
    let again = fail(dir.path(), &["world", "make", &file, "--out", one.to_str().unwrap()], 2);
    assert!(again.contains("exists already"), "{again}");
}

#[test]
fn validate_writes_every_check_and_ends_with_1_where_a_gated_one_fails() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path());
    let out = dir.path().join("out");
    let arguments =
        ["world", "validate", &file, "--seeds", "2", "--without-models", "--out", out.to_str().unwrap()];
    let output = equipoise(dir.path(), &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let findings: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("VALIDATION.json")).unwrap()).unwrap();
    let findings = findings.as_array().unwrap();
    let ids: BTreeSet<&str> = findings.iter().map(|f| f["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 22, "{ids:?}");
    let failing = findings.iter().filter(|f| f["pass"] == false).count();
    assert_eq!(text.matches(" FAIL ").count(), failing, "{text}");
    let blocked = findings.iter().any(|f| f["pass"] == false && f["kind"] != "reported");
    assert_eq!(output.status.code(), Some(i32::from(blocked)));
    let page = std::fs::read_to_string(out.join("VALIDATION.html")).unwrap();
    assert!(page.contains("Synthetic data") && page.contains("<svg"));
}

#[test]
fn describe_with_a_seed_says_how_large_the_parts_of_that_world_are() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path());
    let said = succeed(dir.path(), &["world", "describe", &file, "--seed", "3", "--json"]);
    let both: serde_json::Value = serde_json::from_str(&said).unwrap();
    let persons = both["world"]["persons"].as_array().unwrap();
    assert_eq!(persons.iter().map(|band| band[1].as_u64().unwrap()).sum::<u64>(), 400);
    let platforms = both["world"]["platforms"].as_array().unwrap();
    assert!(platforms.len() == 4 && platforms.iter().all(|p| p["accounts"].as_u64().unwrap() > 50));
    assert!(both["parameters"].as_array().unwrap().len() > 100);
    let text = succeed(dir.path(), &["world", "describe", &file, "--seed", "3"]);
    assert!(
        text.contains("look-alikes")
            && text == succeed(dir.path(), &["world", "describe", &file, "--seed", "3"])
    );
}

#[test]
fn there_is_no_way_to_bring_content_or_real_logs_in() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path());
    for arguments in [
        vec!["world", "ingest", &file],
        vec!["world", "make", &file, "--out", "x", "--ingest", &file],
        vec!["dataset", "build", "tiny", "--ingest", &file],
        vec!["run", "experiments/quickstart.toml", "--ingest", &file],
    ] {
        let error = fail(dir.path(), &arguments, 2);
        assert!(error.contains("ingest"), "{arguments:?}: {error}");
    }
}

/// Every line of the sources below `place`, with its file; tests aside.
fn sources(place: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs")
            && path.file_stem().is_some_and(|s| s != "tests")
        {
            let name = path.to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(text.lines().map(|line| (name.clone(), line.to_owned())));
        }
    }
}

/// Guard-rail: logs of real people come in through `world compare` alone, which neither trains, scores nor stores.
#[test]
fn the_reader_of_real_logs_trains_scores_and_stores_nothing() {
    let mut lines = Vec::new();
    sources(&common::root().join("crates/equipoise-runner/src"), &mut lines);
    let inside = |name: &str| name.contains("/world/compare");
    let mut readers = 0;
    for (name, line) in &lines {
        if line.contains("edges::read") || line.contains("GzDecoder") || line.contains("ContactLog") {
            readers += 1;
            assert!(inside(name), "{name} reads contact logs: {line}");
        }
        let words = [
            "equipoise_model",
            "equipoise_features",
            "write_atomic",
            "write_json",
            "TableWriter",
            "::create(",
        ];
        let harmless = words.iter().all(|word| !line.contains(word)) && !line.contains("fs::write");
        assert!(!inside(name) || harmless, "{name} may not do that with a real log: {line}");
    }
    assert!(readers > 3, "the reader moved: mend this test");
}
