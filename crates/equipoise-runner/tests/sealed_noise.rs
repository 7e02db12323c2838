//! Noise that platforms add before sealing, through the whole command: one model whoever reads what, and a promise that says so.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, run, smoke, succeed};
use serde_json::Value;
use std::path::Path;

const SKELLAM: &str = "privacy.noise={ distributed-skellam = { colluding = 0 } }";
const ONE_SHOT: &str = "aggregation={ hidden = { one-shot = { key-holders = 3, cohort-floor = 3, smudging = { total = { rounds = 1000 } } } } }";
const PLAIN: &str = "aggregation={ hidden = { plain = {} } }";

fn settings<'a>(set: &[&'a str]) -> Vec<&'a str> {
    let one = "sweep.grid={ \"privacy.epsilon\" = [8.0] }";
    let all = [
        "arms=[\"local-only\", \"federated\"]",
        "experiment.seeds=1",
        "federation.cohort.minimum=4",
        "federation.cohort.dropout=0.0",
        one,
    ];
    all.iter().chain(set).flat_map(|set| ["--set", set]).collect()
}

/// The trial of the federated arm, and the report.
fn done(set: &[&str]) -> (Value, String) {
    let (runs, file) = (tempfile::tempdir().unwrap(), smoke());
    succeed(runs.path(), &run(file.to_str().unwrap(), &settings(set)));
    let entries = std::fs::read_dir(runs.path()).unwrap().map(|entry| entry.unwrap().path());
    let place = entries.into_iter().find(|path| path.join("plan.json").exists()).unwrap();
    let json =
        |path: &Path| -> Value { serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() };
    let plan = json(&place.join("plan.json"));
    let arms = plan["arms"].as_array().unwrap();
    let arm = arms.iter().find(|arm| arm["slice"]["privacy"].is_object()).expect("a private arm");
    let trial = place.join("units").join(arm["trials"][0].as_str().unwrap());
    (json(&trial.join("trial.json")), std::fs::read_to_string(place.join("report.md")).unwrap())
}

#[test]
fn sealed_noise_gives_the_model_of_the_plain_sum_and_promises_what_each_sum_allows() {
    let (clear, _) = done(&[SKELLAM, PLAIN]);
    let (sealed, report) = done(&[SKELLAM, ONE_SHOT]);
    assert_eq!(sealed["model-hash"], clear["model-hash"], "hidden or not, the integers are the same");
    let claim = |trial: &Value, key: &str| trial["claim"][key].clone();
    assert_eq!(
        (claim(&clear, "adversary"), claim(&sealed, "adversary")),
        ("released-model".into(), "honest-but-curious".into())
    );
    assert_eq!(claim(&clear, "epsilon"), claim(&sealed, "epsilon"));
    let epsilon = claim(&sealed, "epsilon").as_f64().unwrap();
    assert!(epsilon > 7.9 && epsilon <= 8.0, "{epsilon}: calibrated on the discrete path to its target");
    assert_eq!(claim(&sealed, "sampling-rate").as_f64(), Some(1.0), "nothing is amplified");
    assert_eq!(claim(&sealed, "integer")["honest"], 4);
    assert!(report.contains("honest-but-curious") && report.contains("Skellam noise"), "{report}");
    // Other noise, other adversary, other model; noise on the opened sum is much smaller for the same epsilon.
    let colluding = "privacy.noise={ distributed-discrete-gaussian = { colluding = 1 } }";
    let (worse, _) = done(&[colluding, ONE_SHOT]);
    assert_eq!(claim(&worse, "adversary")["colluding"]["platforms"], 1);
    assert_ne!(worse["model-hash"], sealed["model-hash"]);
    let (central, _) = done(&["privacy.noise={ central-gaussian = {} }", ONE_SHOT]);
    let multiplier = |trial: &Value| claim(trial, "noise-multiplier").as_f64().unwrap();
    assert!(multiplier(&sealed) > 2.0 * multiplier(&central));
    // The same words as without the key, but for the arm's own: nothing said is the opened sum.
    assert_eq!(central["model-hash"], done(&[ONE_SHOT]).0["model-hash"]);
}

#[test]
fn what_voids_sealed_noise_is_refused_before_any_work() {
    let (runs, file) = (tempfile::tempdir().unwrap(), smoke());
    let why = |set: &[&str]| {
        let mut arguments = vec!["check", file.to_str().unwrap()];
        let set = settings(set);
        arguments.extend(&set);
        fail(runs.path(), &arguments, 2)
    };
    let of =
        |kind: &str, colluding: u32| format!("privacy.noise={{ {kind} = {{ colluding = {colluding} }} }}");
    let (two, four) = (of("distributed-skellam", 2), of("distributed-skellam", 4));
    assert!(why(&[SKELLAM, "aggregation={ visible = { mean = {} } }"]).contains("use a hidden sum"));
    assert!(
        why(&[&two, "aggregation={ hidden = { shared-key-glwe = {} } }"])
            .contains("`shared-key-glwe` the server and 2 platforms")
    );
    assert!(
        why(&[&two, "aggregation={ hidden = { pairwise-masking = { threshold = 2 } } }"])
            .contains("read every update")
    );
    assert!(why(&[&four, ONE_SHOT]).contains("nobody is certain to add noise"));
    assert!(why(&[SKELLAM, ONE_SHOT, "privacy.bits=32"]).contains("have no room for this noise"));
}

/// Noise in every local step needs no hidden sum: the promise names an aggregator that sends models of its choice, and all steps are charged.
#[test]
fn noise_in_local_steps_holds_whatever_the_aggregator_sends() {
    let local = |steps: u32| format!("privacy.noise={{ local-gaussian = {{ steps = {steps} }} }}");
    let (four, report) = done(&[&local(4), PLAIN]);
    let claim = |trial: &Value, key: &str| trial["claim"][key].clone();
    assert_eq!(claim(&four, "adversary"), "malicious-aggregator");
    let epsilon = claim(&four, "epsilon").as_f64().unwrap();
    assert!(epsilon > 7.9 && epsilon <= 8.0, "{epsilon}: calibrated over all local steps");
    let (steps, planned) =
        (claim(&four, "steps").as_u64().unwrap(), four["claim"]["rounds"]["planned"].as_u64().unwrap());
    assert_eq!((steps, claim(&four, "local-steps").as_u64()), (4 * planned, Some(4)));
    assert!(report.contains("of 4 noised local steps each"), "{report}");
    let (one, _) = done(&[&local(1), PLAIN]);
    let noise = |trial: &Value| claim(trial, "noise-multiplier").as_f64().unwrap();
    assert!(noise(&four) > 1.02 * noise(&one) && one["model-hash"] != four["model-hash"]);
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let none = local(0);
    let refused = [&["check", file.to_str().unwrap()][..], &settings(&[&none])].concat();
    assert!(fail(runs.path(), &refused, 2).contains("a platform that takes no local step sends nothing"));
}
