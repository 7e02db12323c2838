//! Bad input: each case is one clear error that names the place and the mend, the right exit code, and nothing half-written.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, line, root, smoke, succeed};
use std::path::{Path, PathBuf};

/// The smoke file with one piece of text replaced, in a directory of its own beside a copy of the datasets.
fn changed(dir: &Path, from: &str, to: &str) -> PathBuf {
    let text = std::fs::read_to_string(smoke()).unwrap();
    assert!(text.contains(from), "the smoke file has no `{from}`");
    let datasets = root().join("datasets/research.toml");
    let text = text.replace("../../datasets/research.toml", datasets.to_str().unwrap()).replacen(from, to, 1);
    let path = dir.join("changed.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Line of the first occurrence of `needle` in the changed file.
fn line_of(path: &Path, needle: &str) -> usize {
    1 + std::fs::read_to_string(path).unwrap().lines().position(|line| line.contains(needle)).unwrap()
}

/// Runs `run` on a changed file: exit code 2, the words, the line, and an empty place of runs.
fn refused(from: &str, to: &str, line: Option<&str>, words: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let path = changed(dir.path(), from, to);
    let error = fail(&runs, &["run", path.to_str().unwrap()], 2);
    if let Some(needle) = line {
        let wanted = format!("changed.toml, line {}", line_of(&path, needle));
        assert!(error.contains(&wanted), "`{wanted}` is not in\n{error}");
    }
    for word in words {
        assert!(error.contains(word), "`{word}` is not in\n{error}");
    }
    assert!(!runs.exists(), "something was written");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    refused("hidden = [32]", "hidden = [32]\nwidth = 3", Some("width"), &["width"]);
    refused("seeds = 2", "seeds = 2\nsedes = 3", Some("sedes"), &["unknown field `sedes`", "seeds"]);
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    refused("seeds = 2", "seeds = \"two\"", Some("two"), &["invalid type"]);
}

#[test]
fn a_fraction_out_of_range_is_named_with_its_line() {
    refused(
        "test-share = 0.5",
        "test-share = 1.25",
        Some("1.25"),
        &["a fraction must be between 0 and 1, got 1.25"],
    );
    refused("dropout = 0.1", "dropout = -0.1", Some("-0.1"), &["a fraction must be between 0 and 1"]);
}

#[test]
fn a_missing_key_has_no_hidden_default() {
    refused("clip-norm = 1.0\n", "", None, &["missing field `clip-norm`"]);
}

#[test]
fn a_missing_file_is_named() {
    let runs = tempfile::tempdir().unwrap();
    let error = fail(runs.path(), &["run", "experiments/nowhere.toml"], 2);
    assert!(error.contains("experiments/nowhere.toml") && error.contains("check the path"), "{error}");
    refused(
        "label-cutoff = 18",
        "label-cutoff = 40",
        Some("label-cutoff = 40"),
        &["label-cutoff: must lie before the world ends on day 30"],
    );
}

#[test]
fn a_missing_world_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lost.toml");
    std::fs::copy(smoke(), &path).unwrap();
    let error = fail(&dir.path().join("runs"), &["run", path.to_str().unwrap()], 2);
    assert!(error.contains("research.toml") && error.contains("world file cannot be read"), "{error}");
}

#[test]
fn a_world_without_platforms_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let world = std::fs::read_to_string(root().join("datasets/research.toml")).unwrap();
    let mut table: toml::Table = toml::from_str(&world).unwrap();
    table.insert("platform".into(), toml::Value::Array(vec![]));
    let empty = dir.path().join("empty.toml");
    std::fs::write(&empty, toml::to_string(&table).unwrap()).unwrap();
    let text =
        std::fs::read_to_string(smoke()).unwrap().replace("../../datasets/research.toml", "empty.toml");
    let path = dir.path().join("changed.toml");
    std::fs::write(&path, text).unwrap();
    let error = fail(&dir.path().join("runs"), &["run", path.to_str().unwrap()], 2);
    assert!(error.contains("empty.toml") && error.contains("platform"), "{error}");
}

#[test]
fn a_cohort_that_no_slot_can_hold_is_refused_before_any_key() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let file = smoke();
    let wide = ["--set", "federation.quantizer.bits=32", "--set", "federation.weight-levels=4000000000"];
    let mut arguments = vec!["run", file.to_str().unwrap()];
    arguments.extend(wide);
    let error = fail(&runs, &arguments, 2);
    assert!(error.contains("smoke.toml, line") && error.contains("needs 66:"), "{error}");
    assert!(error.contains("lower `bits`, `weight-levels`"), "{error}");
    assert!(!runs.exists(), "something was written");
}

#[test]
fn parts_of_a_federation_that_contradict_each_other_are_refused() {
    let local = "local.fed-avg = {}";
    refused(local, "local.scaffold = {}", None, &["local: ", "momentum = 0.0"]);
    refused(local, "local.local-layers = { layers = [7] }", Some("layers = [7]"), &["there is no layer 7"]);
    refused(
        "partition.platform = {}",
        "partition.temporal = { clients = 0 }",
        None,
        &["clients: at least one"],
    );
    refused(
        "partition.platform = {}",
        "partition.label-skew = { clients = 4, alpha = -1.0 }",
        None,
        &["alpha: must be above 0"],
    );
    refused("minimum = 2", "minimum = 1", Some("minimum"), &["hides nobody"]);
    let top = "compression.top-k = { share = 0.1 }";
    refused(
        "compression.none = {}",
        top,
        Some("top-k"),
        &["picks other coordinates", "a hidden sum", "visible rule"],
    );
    refused("compression.none = {}", top, Some("top-k"), &["no bound on one row bounds that", "finite"]);
    refused(
        "compression.none = {}",
        "compression.top-k = { share = 0.0 }",
        None,
        &["share: must be above 0"],
    );
    let devices = "partition.devices = { participation = 0.1, dropout = 0.0, minimum = 2, rounds = 1, weight-levels = 4 }";
    refused("partition.platform = {}", devices, Some("devices"), &["devices: ", "partition.platform"]);
    refused(
        "partition.platform = {}",
        &devices.replace("rounds = 1", "rounds = 0"),
        None,
        &["rounds: a platform needs"],
    );
}

#[test]
fn unequal_tuning_budgets_are_refused() {
    refused(
        "private-learning-rates = [0.03]",
        "private-learning-rates = [0.03, 0.1]",
        Some("private-learning-rates"),
        &["same tuning budget"],
    );
}

#[test]
fn an_unknown_metric_is_refused() {
    refused(
        "primary = \"recall-at-budget\"",
        "primary = \"accuracy\"",
        Some("primary"),
        &["`accuracy` is not a metric"],
    );
}

#[test]
fn a_wrong_override_names_itself() {
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let file = file.to_str().unwrap();
    let error = fail(runs.path(), &["check", file, "--set", "privcy.epsilon=1"], 2);
    assert!(error.contains("--set privcy.epsilon=1") && error.contains("no table `privcy`"), "{error}");
    let error = fail(runs.path(), &["check", file, "--set", "privacy.delta=2"], 2);
    assert!(error.contains("delta must be"), "{error}");
}

#[test]
fn every_point_of_a_sweep_is_checked_before_any_work() {
    refused(
        "\"privacy.epsilon\" = [\"inf\", 8.0]",
        "\"privacy.epsilon\" = [\"inf\", -1.0, \"none\"]",
        None,
        &["-1", "none"],
    );
}

#[test]
fn a_place_of_runs_that_cannot_be_written_is_known_before_work() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "in the way").unwrap();
    let error = fail(&file, &["run", smoke().to_str().unwrap()], 2);
    assert!(error.contains("a-file") && error.contains("--runs"), "{error}");
}

/// A directory under a limit of file size stands for a full disk: the write fails half-way.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let script = format!(
        "trap '' XFSZ; ulimit -f 40; exec {} run {} --runs {} --quiet",
        env!("CARGO_BIN_EXE_equipoise"),
        smoke().display(),
        runs.display()
    );
    let output =
        std::process::Command::new("bash").args(["-c", &script]).current_dir(root()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(1..=3)), "{error}");
    assert!(error.contains("runs"), "{error}");
    let worlds = runs.join("cache/world");
    let published = std::fs::read_dir(&worlds).map_or(0, |entries| {
        entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count()
    });
    assert_eq!(published, 0, "a unit was published although its files could not be written");
}

#[test]
fn a_truncated_data_file_is_named_with_its_mend() {
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let arguments = ["--set", "arms=[\"local-only\"]", "--set", "experiment.seeds=1"];
    let mut plan = vec!["plan", file.to_str().unwrap()];
    plan.extend(arguments);
    let frozen = line(&succeed(runs.path(), &plan), "plan").to_owned();
    succeed(runs.path(), &["exec", &frozen, "0"]);
    let world = std::fs::read_dir(runs.path().join("cache/world")).unwrap().next().unwrap().unwrap().path();
    let table = world.join("train.parquet");
    let bytes = std::fs::read(&table).unwrap();
    std::fs::write(&table, &bytes[..bytes.len() / 2]).unwrap();
    succeed(runs.path(), &["exec", &frozen, "1"]);
    succeed(runs.path(), &["exec", &frozen, "2"]);
    let error = fail(runs.path(), &["exec", &frozen, "3"], 1);
    assert!(error.contains("train.parquet") && error.contains("mend: remove"), "{error}");
}

#[test]
fn a_unit_whose_needs_are_missing_says_which() {
    let runs = tempfile::tempdir().unwrap();
    let frozen = line(&succeed(runs.path(), &["plan", smoke().to_str().unwrap()]), "plan").to_owned();
    let plan: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&frozen).unwrap()).unwrap();
    let units = plan["units"].as_array().unwrap();
    let trial = units.iter().find(|unit| unit["stage"] == "trial").unwrap()["id"].as_str().unwrap();
    let error = fail(runs.path(), &["exec", &frozen, trial], 2);
    assert!(error.contains("needs unit") && error.contains("test world 0"), "{error}");
    assert!(fail(runs.path(), &["exec", &frozen, "zzz"], 2).contains("no unit `zzz`"));
}

#[test]
fn a_reader_that_goes_away_ends_the_command_without_a_word() {
    let runs = tempfile::tempdir().unwrap();
    let mut child = common::command(runs.path(), &["describe"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
