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
    let failing = findings.iter().filter(|f| f["pass"] == "fail").count();
    assert_eq!(text.matches(" FAIL ").count(), failing, "{text}");
    let blocked = findings.iter().any(|f| f["pass"] == "fail" && f["kind"] != "reported");
    assert_eq!(output.status.code(), Some(i32::from(blocked)));
    let page = std::fs::read_to_string(out.join("VALIDATION.html")).unwrap();
    assert!(page.contains("Synthetic data") && page.contains("<svg"));
}
