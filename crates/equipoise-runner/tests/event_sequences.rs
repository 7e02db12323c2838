//! Models over event sequences, end to end: through worlds, arms, privacy and the published file; and other worlds untouched.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, line, run, smoke, succeed};
use std::path::{Path, PathBuf};

const ARMS: [&str; 4] =
    ["--set", "arms=[\"local-only\", \"federated\", \"pooled-unlinked\"]", "--set", "experiment.seeds=1"];
const GRU: [&str; 2] = ["--set", "model={ gru = { hidden = 8 } }"];
const TRANSFORMER: [&str; 6] = [
    "--set",
    "model={ transformer = { width = 8, heads = 2, feed-forward = 8, layers = 1 } }",
    "--set",
    "training.trainer=burn",
    "--set",
    "sweep.grid={ \"privacy.epsilon\" = [\"inf\"] }",
];

fn with(runs: &Path, extra: &[&str]) -> String {
    let file = smoke();
    succeed(runs, &run(file.to_str().unwrap(), &[&ARMS, extra].concat()))
}

fn files(place: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, name));
        } else if path.file_name().is_some_and(|have| have == name) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Names and shapes of the tensors of a published file.
fn tensors(path: &Path) -> serde_json::Map<String, serde_json::Value> {
    let bytes = std::fs::read(path).unwrap();
    let length = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    serde_json::from_slice(&bytes[8..8 + length]).unwrap()
}

#[test]
fn a_recurrent_model_passes_through_every_room_with_and_without_a_guarantee() {
    let (runs, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let out = with(runs.path(), &[&GRU[..], &["--threads", "1"]].concat());
    let same = with(again.path(), &[&GRU[..], &["--threads", "2"]].concat());
    assert_eq!(line(&out, "hash"), line(&same, "hash"));
    // A development world and a test world, each with events to train on and to decide on.
    assert_eq!(files(runs.path(), "train_events.parquet").len(), 2);
    let published = files(runs.path(), "model.safetensors");
    assert_eq!(published.len(), 4, "local only, federated with and without a guarantee, pooled");
    let shapes: Vec<_> = published.iter().map(|path| tensors(path)).collect();
    let pooled = shapes.iter().find(|header| header["__metadata__"]["arm"] == "pooled-unlinked").unwrap();
    assert_eq!(pooled["global.gru.weight_ih_l0"]["shape"], serde_json::json!([24, 32]));
    assert_eq!(pooled["global.gru.weight_hh_l0"]["shape"], serde_json::json!([24, 8]));
    assert!(pooled["__metadata__"]["features"].as_str().unwrap().starts_with("session-open,"));
    let private = shapes.iter().filter(|header| header["__metadata__"]["privacy"] != "no guarantee");
    assert_eq!(private.count(), 1);
}

#[test]
fn a_transformer_trains_by_burn() {
    let runs = tempfile::tempdir().unwrap();
    with(runs.path(), &TRANSFORMER);
    let published = files(runs.path(), "model.safetensors");
    assert_eq!(published.len(), 3);
    let header = tensors(&published[0]);
    assert!(
        header.keys().any(|name| name.ends_with("encoder.layers.0.self_attn.in_proj_weight")),
        "{header:?}"
    );
}

/// Worlds of models over rows keep their bytes and their place in the cache; those of sequences have one of their own.
#[test]
fn worlds_of_rows_are_the_same_beside_worlds_of_sequences() {
    let runs = tempfile::tempdir().unwrap();
    with(runs.path(), &[]);
    let rows = files(&runs.path().join("cache"), "train.parquet");
    assert!(files(runs.path(), "train_events.parquet").is_empty());
    with(runs.path(), &GRU);
    let all = files(&runs.path().join("cache"), "train.parquet");
    assert_eq!((rows.len(), all.len()), (2, 4));
    let bytes = |paths: &[PathBuf]| {
        let mut bytes: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
        bytes.sort();
        bytes.dedup();
        bytes
    };
    assert_eq!(bytes(&rows), bytes(&all), "the rows do not depend on whether events are kept");
}

#[test]
fn what_cannot_be_is_refused_before_any_work() {
    let runs = tempfile::tempdir().unwrap();
    let refused = |extra: &[&str], words: &str| {
        let file = smoke();
        let error = fail(runs.path(), &run(file.to_str().unwrap(), &[&ARMS, extra].concat()), 2);
        assert!(error.contains(words), "`{words}` is not in\n{error}");
    };
    refused(&TRANSFORMER[..2], "use trainer = \"burn\"");
    refused(&TRANSFORMER[..4], "sums of clipped rows are not offered for a transformer");
    refused(&["--set", "model={ gru = { hidden = 0 } }"], "remembers nothing");
    refused(
        &["--set", "model={ transformer = { width = 9, heads = 2, feed-forward = 8, layers = 1 } }"],
        "multiple of its heads",
    );
    refused(&[&GRU[..], &["--set", "features.sequence-length=0"]].concat(), "needs sequences");
    refused(&[&GRU[..], &["--set", "arms=[\"pooled-linked\"]"]].concat(), "`pooled-linked` joins the rows");
    assert_eq!(std::fs::read_dir(runs.path()).unwrap().count(), 0);
}
