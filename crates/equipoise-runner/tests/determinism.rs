//! The same file gives the same bytes: for any thread count, behind encryption or not, and after any kill.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)] // Helpers of tests fail by panicking.

mod common;

use common::{command, line, run, smoke, succeed};
use equipoise_core::{Draw, Seed};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// One federated arm with and without a guarantee is enough to pass through every stage.
const SMALL: [&str; 4] = ["--set", "arms=[\"local-only\", \"federated\"]", "--set", "experiment.seeds=1"];

fn hash_of(runs: &Path, extra: &[&str]) -> String {
    let file = smoke();
    let mut arguments = SMALL.to_vec();
    arguments.extend_from_slice(extra);
    line(&succeed(runs, &run(file.to_str().unwrap(), &arguments)), "hash").to_owned()
}

#[test]
fn two_runs_and_any_thread_count_give_one_hash() {
    let hashes: Vec<String> = ["1", "2", "8", "2"]
        .iter()
        .map(|threads| hash_of(tempfile::tempdir().unwrap().path(), &["--threads", threads]))
        .collect();
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

#[test]
fn another_seed_gives_another_hash() {
    let runs = tempfile::tempdir().unwrap();
    assert_ne!(hash_of(runs.path(), &[]), hash_of(runs.path(), &["--set", "experiment.seed=5"]));
}

/// Rules that keep something on platforms, faults and partitions depend on addresses alone, never on who trained first.
#[test]
fn every_local_rule_and_fault_gives_one_hash_for_any_thread_count() {
    let faults = "federation.cohort.faults={ over-selection = 1.5, deadline = 1.2, speed-sigma = 0.5, round-sigma = 0.3, \
                  stragglers = \"partial-work\", crash = 0.1, away-rounds = 1, byzantine = 0.0 }";
    for local in [
        "federation.local={ scaffold = {} }",
        "federation.local={ ditto = { lambda = 0.5 } }",
        "federation.local={ local-layers = { layers = [0] } }",
    ] {
        let one = "sweep.grid={ \"privacy.epsilon\" = [\"inf\"] }";
        let plain = "training.optimiser={ sgd = { momentum = 0.0 } }";
        let set = ["--set", local, "--set", plain, "--set", one, "--set", faults];
        let hash = |threads| {
            let mut arguments = set.to_vec();
            arguments.extend_from_slice(&["--threads", threads]);
            hash_of(tempfile::tempdir().unwrap().path(), &arguments)
        };
        assert_eq!(hash("1"), hash("2"), "{local}");
    }
}

/// Drawn rounding, memories and devices inside platforms depend on addresses alone too.
#[test]
fn rounding_memories_and_devices_give_one_hash_for_any_thread_count() {
    for set in KINDS {
        let hash = |threads| {
            let mut arguments = set.to_vec();
            arguments.extend_from_slice(&["--threads", threads]);
            hash_of(tempfile::tempdir().unwrap().path(), &arguments)
        };
        assert_eq!(hash("1"), hash("3"), "{set:?}");
    }
}

const INFINITE: &str = "sweep.grid={ \"privacy.epsilon\" = [\"inf\"] }";

/// What keeps something between rounds: on platforms, in the middle of training, or inside them.
const KINDS: [&[&str]; 3] = [
    &[
        "--set",
        INFINITE,
        "--set",
        "federation.compression={ top-k = { share = 0.1 } }",
        "--set",
        "aggregation={ visible = { mean = {} } }",
    ],
    &["--set", INFINITE, "--set", DEVICES],
    &["--set", "federation.rounding={ stochastic = {} }"],
];

const DEVICES: &str = "federation.partition={ devices = { participation = 0.2, dropout = 0.1, minimum = 2, rounds = 2, weight-levels = 4 } }";

/// Twenty kills at drawn moments of the first six tenths of a run.
fn killed_at_random_points(kind: u64, set: &[&str]) {
    killed_between(kind, (0.0, 0.6), set);
}

/// Twenty kills at drawn moments between two shares of a run's time, and more until three of them fell between rounds. A run that ends
/// before its kills are used up begins again in another place.
fn killed_between(kind: u64, (from, to): (f64, f64), set: &[&str]) {
    let mut arguments = set.to_vec();
    arguments.extend(["--set", "federation.rounds=250", "--set", "privacy.rounds=250"]);
    let begun = std::time::Instant::now();
    let calm = hash_of(tempfile::tempdir().unwrap().path(), &arguments);
    let whole = begun.elapsed();
    let file = smoke();
    let mut all = run(file.to_str().unwrap(), &SMALL);
    all.extend_from_slice(&arguments);
    let (mut kills, mut between, mut draws) = (0_usize, 0_usize, Seed::root(kind).rng());
    let enough = |kills: usize, between: usize| kills >= 100 || (kills >= 20 && between >= 3);
    while !enough(kills, between) {
        let runs = tempfile::tempdir().unwrap();
        loop {
            let mut child =
                command(runs.path(), &all).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(whole.mul_f64(from + (to - from) * draws.uniform()));
            if enough(kills, between) || child.try_wait().unwrap().is_some() {
                child.wait().unwrap();
                break;
            }
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
            kills += 1;
            between += usize::from(!checkpoints(runs.path()).is_empty());
        }
        assert_eq!(hash_of(runs.path(), &arguments), calm, "{set:?}");
    }
    println!("{kills} kills, {between} of them with rounds written down: {set:?}");
    assert!(between >= 3, "only {between} of {kills} kills fell between rounds: {set:?}");
}

#[test]
#[ignore = "twenty kills take a minute or two; .ci/full runs it"]
fn twenty_kills_leave_control_variates_whole() {
    let scaffold = "federation.local={ scaffold = {} }";
    let plain = "training.optimiser={ sgd = { momentum = 0.0 } }";
    killed_at_random_points(0, &["--set", INFINITE, "--set", scaffold, "--set", plain]);
}

#[test]
#[ignore = "twenty kills take a minute or two; .ci/full runs it"]
fn twenty_kills_leave_a_buffered_server_with_personal_models_whole() {
    let ditto = "federation.local={ ditto = { lambda = 0.5 } }";
    let buffered = "federation.schedule={ buffered = { buffer = 2, concurrency = 3, power = 0.5 } }";
    killed_at_random_points(1, &["--set", INFINITE, "--set", ditto, "--set", buffered]);
}

#[test]
#[ignore = "twenty kills take a minute or two; .ci/full runs it"]
fn twenty_kills_leave_a_fusions_keys_and_records_whole() {
    let arms = "arms=[\"local-only\", \"fused-encrypted\"]";
    let fusion = "fusion={ design = { ggsw-joint = { holders = 3 } }, weights = [1, 1, 2, 1], levels = 256, \
                  function = { threshold = { at = 300 } }, openings-per-account = 1 }";
    // Scores are fused when models are trained, near the end.
    killed_between(4, (0.3, 1.0), &["--set", INFINITE, "--set", arms, "--set", fusion]);
}

#[test]
#[ignore = "twenty kills take a minute or two; .ci/full runs it"]
fn twenty_kills_leave_memories_of_compression_whole() {
    killed_at_random_points(2, KINDS[0]);
}

#[test]
#[ignore = "twenty kills take a minute or two; .ci/full runs it"]
fn twenty_kills_leave_devices_inside_platforms_whole() {
    killed_at_random_points(3, KINDS[1]);
}

#[test]
#[ignore = "twenty kills take a minute or two; .ci/full runs it"]
fn twenty_kills_leave_a_guarantee_whole() {
    killed_at_random_points(4, KINDS[2]);
}

fn models(runs: &Path) -> Vec<(String, String)> {
    let run = std::fs::read_dir(runs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("plan.json").exists());
    let run = run.unwrap();
    let plan: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("plan.json")).unwrap()).unwrap();
    let mut models = Vec::new();
    for unit in plan["units"].as_array().unwrap().iter().filter(|unit| unit["stage"] == "trial") {
        let path = run.join("units").join(unit["id"].as_str().unwrap()).join("trial.json");
        let trial: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        models.push((
            unit["label"].as_str().unwrap().to_owned(),
            format!("{} {}", trial["model-hash"], trial["metrics"]),
        ));
    }
    models
}

/// A JSON value as an inline TOML value.
fn inline(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// Every scheme of the registry, against plain integers: one model, whoever reads what.
#[test]
fn every_hidden_sum_gives_the_models_of_the_plain_one_to_the_bit() {
    let of = |aggregation: &str| {
        let runs = tempfile::tempdir().unwrap();
        hash_of(runs.path(), &["--set", aggregation]);
        models(runs.path())
    };
    let open = of("aggregation={ hidden = { plain = {} } }");
    assert!(open.iter().any(|(label, _)| label.contains("ε = 8")), "{open:?}");
    let schemes = equipoise_encrypted::SchemeSpec::examples();
    assert!(schemes.len() >= 5);
    for scheme in schemes {
        let scheme = inline(&serde_json::to_value(scheme).unwrap());
        assert_eq!(of(&format!("aggregation={{ hidden = {scheme} }}")), open, "{scheme}");
    }
}

/// Sums of integers are exact: on one binning and one learning rate, federating trees is pooling them.
#[test]
fn federated_and_pooled_trees_are_one_forest() {
    let runs = tempfile::tempdir().unwrap();
    let trees = "trees={ rounds = 10, learning-rate = 0.1, max-leaves = 7, max-depth = 4, min-samples-leaf = 5, min-hessian = 1e-3, \
                 min-gain = 0.0, l2 = 1.0, binning = { uniform-width = { bins = 32 } }, row-share = 1.0, column-share = 1.0 }";
    let arms = "arms=[\"local-trees\", \"federated-trees\", \"pooled-trees\"]";
    let file = smoke();
    let one = ["--set", arms, "--set", trees, "--set", "experiment.seeds=1"];
    succeed(runs.path(), &run(file.to_str().unwrap(), &one));
    let models = models(runs.path());
    let of =
        |arm: &str| models.iter().find(|(label, _)| label.starts_with(arm)).map(|(_, model)| model).unwrap();
    assert_eq!(of("federated trees"), of("pooled trees"));
    assert_ne!(of("local trees"), of("pooled trees"));
}

/// SIGKILL while planning, while worlds are made, and between rounds, again and again; the hash must be that of a run that
/// nobody disturbed.
#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_hash() {
    // More rounds, so that kills fall between them.
    killed_again_and_again(&["--set", "federation.rounds=250", "--set", "privacy.rounds=250"]);
}

/// The same with models that stay on platforms and clients in the middle of their training when the kill comes.
#[test]
fn a_killed_buffered_run_with_personal_models_ends_with_the_same_hash() {
    killed_again_and_again(&[
        "--set",
        "federation.rounds=250",
        "--set",
        "sweep.grid={ \"privacy.epsilon\" = [\"inf\"] }",
        "--set",
        "federation.local={ ditto = { lambda = 0.5 } }",
        "--set",
        "federation.schedule={ buffered = { buffer = 2, concurrency = 3, power = 0.5 } }",
    ]);
}

fn killed_again_and_again(rounds: &[&str]) {
    let calm = hash_of(tempfile::tempdir().unwrap().path(), rounds);
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let mut arguments = run(file.to_str().unwrap(), &SMALL);
    arguments.extend_from_slice(rounds);
    let start =
        || command(runs.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    for delay in [5, 40, 150, 400] {
        let mut child = start();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }
    let mut between_rounds = 0;
    for attempt in 0..12_u64 {
        let before = checkpoints(runs.path());
        let mut child = start();
        // Wait until this attempt has written a round, then a little longer, then kill.
        while child.try_wait().unwrap().is_none() && checkpoints(runs.path()) == before {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(attempt * 7 % 30));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        between_rounds += usize::from(!checkpoints(runs.path()).is_empty());
    }
    assert!(
        between_rounds >= 2,
        "only {between_rounds} kills fell between two rounds; give the test more of them"
    );
    assert_eq!(hash_of(runs.path(), rounds), calm);
}

/// The rounds and fusions that stand written down, by file.
fn checkpoints(runs: &Path) -> Vec<(std::path::PathBuf, std::time::SystemTime)> {
    let inside =
        |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<_> = inside(runs)
        .flat_map(|run| inside(&run.join("checkpoints")).collect::<Vec<_>>())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json" || extension == "fusion"))
        .filter_map(|path| Some((path.clone(), path.metadata().ok()?.modified().ok()?)))
        .collect();
    found.sort();
    found
}

#[test]
fn units_run_one_by_one_give_the_hash_of_a_whole_run() {
    let whole = hash_of(tempfile::tempdir().unwrap().path(), &[]);
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let mut arguments = vec!["plan", file.to_str().unwrap()];
    arguments.extend_from_slice(&SMALL);
    let plan = line(&succeed(runs.path(), &arguments), "plan").to_owned();
    let frozen: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&plan).unwrap()).unwrap();
    for index in 0..frozen["units"].as_array().unwrap().len() {
        succeed(runs.path(), &["exec", &plan, &index.to_string()]);
    }
    let out = succeed(runs.path(), &["gather", &plan]);
    assert_eq!(line(&out, "hash"), whole);
}
