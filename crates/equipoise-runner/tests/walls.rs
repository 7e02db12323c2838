//! The walls of the house: who may import whom, and who may name a heavy crate. Read from every Cargo.toml.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The import table of house.md. `attack` may also read features; it does not need to.
const MAY: [(&str, &[&str]); 12] = [
    ("core", &[]),
    ("synth", &["core"]),
    ("store", &["core"]),
    ("features", &["core"]),
    ("privacy", &["core"]),
    ("eval", &["core"]),
    ("policy", &["core"]),
    ("model", &["core", "features", "privacy"]),
    ("federated", &["core", "privacy"]),
    ("attack", &["core", "features", "privacy", "federated"]),
    ("encrypted", &["core", "privacy", "federated"]),
    (
        "runner",
        &[
            "core",
            "synth",
            "store",
            "features",
            "privacy",
            "eval",
            "policy",
            "model",
            "federated",
            "attack",
            "encrypted",
        ],
    ),
];

/// Heavy crates and formats: each is named behind one wall.
const WALLED: [(&str, &str); 6] = [
    ("burn", "model"),
    ("tfhe", "encrypted"),
    ("tfhe-ntt", "encrypted"),
    ("parquet", "store"),
    ("arrow", "store"),
    ("clap", "runner"),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(crates()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(path.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&text).unwrap();
        let names = manifest["dependencies"].as_table().unwrap().keys().cloned().collect();
        let name = path.file_name().unwrap().to_str().unwrap().strip_prefix("equipoise-").unwrap().to_owned();
        found.insert(name, names);
    }
    found
}

#[test]
fn every_crate_imports_only_what_the_table_allows() {
    let found = dependencies();
    assert_eq!(found.len(), MAY.len(), "a crate is missing from the table: {:?}", found.keys());
    for (name, may) in MAY {
        for dependency in found[name].iter().filter_map(|name| name.strip_prefix("equipoise-")) {
            assert!(may.contains(&dependency), "equipoise-{name} must not import equipoise-{dependency}");
        }
    }
}

/// A public type can only come from a crate that is a dependency; so this also says that no public type of core,
/// federated or eval comes from burn, tfhe or arrow.
#[test]
fn each_heavy_crate_is_named_behind_one_wall() {
    for (name, dependencies) in dependencies() {
        for (heavy, home) in WALLED {
            let names = dependencies.iter().any(|d| d == heavy || d.starts_with(&format!("{heavy}-")));
            assert!(!names || name == home, "equipoise-{name} names {heavy}; only equipoise-{home} may");
        }
    }
}

#[test]
fn only_the_runner_imports_the_world() {
    for (name, dependencies) in dependencies() {
        let imports = dependencies.iter().any(|dependency| dependency == "equipoise-synth");
        assert_eq!(imports, name == "runner", "equipoise-{name}: truth may be imported by the runner only");
    }
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Files, clocks and the process's environment belong to the runner and the store.
#[test]
fn libraries_touch_neither_files_nor_clocks() {
    for (name, _) in MAY.iter().filter(|(name, _)| !["runner", "store"].contains(name)) {
        let mut files = Vec::new();
        sources(&crates().join(format!("equipoise-{name}/src")), &mut files);
        assert!(!files.is_empty());
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            // Examples in documentation may print.
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let text = code.join("\n");
            for forbidden in ["std::fs", "std::env::", "Instant::now", "SystemTime", "println!", "eprintln!"]
            {
                assert!(!text.contains(forbidden), "{}: uses {forbidden}", file.display());
            }
        }
    }
}
