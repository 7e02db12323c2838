//! Fusing scores through the whole command: hidden and open scores give one report's worth of flags, and the report says who saw what.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, line, run, smoke, succeed};
use equipoise_store::read_table;
use serde_json::Value;
use std::path::{Path, PathBuf};

const ARMS: &str = "arms=[\"local-only\", \"fused-plain\", \"fused-encrypted\"]";
const FUSION: &str = "fusion={ design = { ggsw-joint = { holders = 2 } }, weights = [1, 1, 2, 1], levels = 256, \
                      function = { bands = { cuts = [120, 200, 300] } }, openings-per-account = 1 }";
const WITHOUT: &str = "sweep.grid={ \"privacy.epsilon\" = [\"inf\"] }";

fn done(runs: &Path, set: &[&str]) -> (String, PathBuf) {
    let file = smoke();
    let mut arguments = vec!["--set", "experiment.seeds=1", "--set", ARMS, "--set", FUSION];
    set.iter().for_each(|set| arguments.extend(["--set", set]));
    let out = succeed(runs, &run(file.to_str().unwrap(), &arguments));
    let entries = std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path());
    let place = entries.into_iter().find(|path| path.join("plan.json").exists()).unwrap();
    (line(&out, "hash").to_owned(), place)
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The directory of an arm's only trial.
fn trial(run: &Path, arm: &str) -> PathBuf {
    let plan = json(&run.join("plan.json"));
    let arms = plan["arms"].as_array().unwrap();
    let found = arms.iter().find(|found| found["id"] == arm).unwrap_or_else(|| panic!("no arm {arm}"));
    run.join("units").join(found["trials"][0].as_str().unwrap())
}

#[test]
fn encrypted_and_plain_flags_are_the_same_to_the_last_row() {
    let runs = tempfile::tempdir().unwrap();
    let (hash, place) = done(runs.path(), &[WITHOUT]);
    let [local, plain, hidden] =
        ["local-only", "fused-plain", "fused-encrypted"].map(|arm| trial(&place, arm));
    let values = |dir: &Path| {
        let (table, _) = read_table(&dir.join("scores.parquet")).unwrap();
        (table.u32("fused_value").unwrap().to_vec(), table.f32("risk_score").unwrap().to_vec())
    };
    let (flags, scores) = values(&plain);
    assert_eq!(values(&hidden), (flags.clone(), scores));
    for value in 0..4 {
        assert!(flags.contains(&value), "no row has the value {value}, so nothing was shown");
    }
    let [alone, open, closed] = [&local, &plain, &hidden].map(|dir| json(&dir.join("trial.json")));
    assert_eq!(open["metrics"], closed["metrics"]);
    assert_eq!(open["model-hash"], alone["model-hash"], "fused arms train as platforms do alone");
    assert_ne!(open["metrics"], alone["metrics"], "the flags change nothing, so nothing was shown");
    let fusion = &closed["fusion"];
    let count = |key: &str| fusion[key].as_u64().unwrap();
    assert_eq!(count("most-openings"), count("sessions"), "once a period");
    assert_eq!(fusion["values-hash"], open["fusion"]["values-hash"]);
    // A header of 62 bytes and four polynomials of 2,048 words of eight bytes, a score.
    assert_eq!(fusion["cost"]["upload_bytes"].as_u64().unwrap(), count("scores") * (62 + 4 * 2048 * 8));
    let report = std::fs::read_to_string(place.join("report.md")).unwrap();
    for words in [
        "Joint-key fusion: towards the opener one value",
        "server with the matcher",
        "keyed pseudonym",
        "plain hash",
    ] {
        assert!(report.contains(words), "{words}");
    }
    let overlap = &fusion["overlaps"][0];
    assert!(
        overlap[2].as_u64().unwrap() > 0 && report.contains(&format!("and e2e-1 {}", overlap[2])),
        "{overlap}"
    );
    let timings = std::fs::read_to_string(place.join("timings.html")).unwrap();
    assert!(timings.contains("KeyHolder"), "what holders spent is not shown");
    // Keys and pseudonyms are fresh every time; nothing that is written down depends on them.
    assert_eq!(done(tempfile::tempdir().unwrap().path(), &[WITHOUT]).0, hash);
}

/// Worlds of other experiments hold no identifiers, and keep their address.
#[test]
fn only_worlds_of_fused_arms_hold_identifiers() {
    let held = |arms: &str| {
        let runs = tempfile::tempdir().unwrap();
        done(runs.path(), &[WITHOUT, arms]);
        let worlds = std::fs::read_dir(runs.path().join("cache/world")).unwrap();
        worlds.filter(|world| world.as_ref().unwrap().path().join("tokens.parquet").exists()).count()
    };
    assert_eq!(held("arms=[\"local-only\"]"), 0);
    assert_eq!(held("arms=[\"local-only\", \"fused-plain\"]"), 2);
}

#[test]
fn a_fusion_that_cannot_be_is_refused_before_any_work() {
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let refused = |set: &[&str]| {
        let mut arguments = vec!["check", file.to_str().unwrap(), "--set", ARMS];
        set.iter().for_each(|set| arguments.extend(["--set", set]));
        fail(runs.path(), &arguments, 2)
    };
    assert!(refused(&[]).contains("the file does not say how"));
    assert!(refused(&[FUSION, "fusion.weights=[1, 1]"]).contains("one for each of the world's 4 platforms"));
    assert!(refused(&[FUSION, "fusion.design={ plain = {} }"]).contains("it is the arm `fused-plain`"));
    assert!(refused(&[FUSION, "fusion.weights=[4, 4, 4, 4]"]).contains("fusion:"));
    let calibrated = "calibration={ prior-shift = { from = 0.05, to = 0.005 } }";
    assert!(refused(&[FUSION, calibrated]).contains("no probability"));
}
