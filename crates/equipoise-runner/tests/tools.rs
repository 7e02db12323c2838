//! What other tools read, and what helps at the keyboard: exports, schema, completions, templates, and errors that mend.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, line, root, smoke, succeed};
use equipoise_runner::config::load;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn small(runs: &Path) -> PathBuf {
    let file = smoke();
    let set = ["--set", "arms=[\"reports-only\", \"federated\"]", "--set", "privacy.epsilon=inf"];
    let out = succeed(runs, &[&["run", file.to_str().unwrap()], &set[..]].concat());
    Path::new(line(&out, "report")).parent().unwrap().to_owned()
}

#[test]
fn mlflow_csv_and_leaderboard_hold_every_value_of_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let run = small(&runs);
    let metrics: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap();
    let recall = metrics["arms"][1]["per_seed"]["average-precision"][1].as_f64().unwrap();

    let out = dir.path().join("tracking");
    let export =
        || succeed(&runs, &["export", "mlflow", "smoke", out.to_str().unwrap(), "--artifact-root", "s3://x"]);
    export();
    export(); // The same ids: nothing doubles.
    let experiments: Vec<PathBuf> =
        std::fs::read_dir(out.join("mlruns")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(experiments.len(), 1);
    let exported: Vec<PathBuf> = std::fs::read_dir(&experiments[0])
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    assert_eq!(exported.len(), 2, "one run an arm");
    let is =
        |path: &Path, name: &str| std::fs::read_to_string(path.join("tags/mlflow.runName")).unwrap() == name;
    let arm = exported.iter().find(|path| is(path, "smoke/federated")).unwrap();
    let text = std::fs::read_to_string(arm.join("metrics/average-precision")).unwrap();
    let last: Vec<&str> = text.lines().last().unwrap().split(' ').collect();
    assert_eq!((last[1].parse::<f64>().unwrap(), last[2]), (recall, "1"));
    assert_eq!(std::fs::read_to_string(arm.join("params/federation.rounds")).unwrap(), "3");
    let meta = std::fs::read_to_string(arm.join("meta.yaml")).unwrap();
    assert!(meta.contains("status: 3\n") && meta.contains("artifact_uri: 's3://x/"), "{meta}");
    assert!(arm.join("artifacts/report.html").is_file());

    let table = |kind: &str| {
        let file = dir.path().join(format!("{kind}.csv"));
        succeed(&runs, &["export", kind, "smoke", "--out", file.to_str().unwrap()]);
        std::fs::read_to_string(file).unwrap()
    };
    assert!(table("csv").contains(&format!("\nfederated,inf,1,average-precision,{recall}\n")));
    let board = table("leaderboard");
    assert!(board.starts_with("method,task,seed,metric,error\n"));
    assert!(board.contains(&format!("\nfederated,smoke,1,average-precision,{}\n", 1.0 - recall)));
}

#[test]
fn the_committed_schema_is_the_one_that_the_reader_gives() {
    let runs = tempfile::tempdir().unwrap();
    let is = succeed(runs.path(), &["schema"]);
    let path = root().join("experiments/schema.json");
    if std::env::var_os("EQUIPOISE_BLESS").is_some() {
        std::fs::write(&path, &is).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(is == committed, "regenerate it: equipoise schema > experiments/schema.json");
    let schema: serde_json::Value = serde_json::from_str(&is).unwrap();
    let at = |place: &str| schema.pointer(place).unwrap_or_else(|| panic!("no {place}")).clone();
    assert_eq!(at("/properties/privacy/properties/clip-norm/type"), "number");
    assert_eq!(at("/properties/experiment/properties/seeds/type"), "integer");
    let unit = at("/properties/privacy/properties/unit/anyOf");
    assert!(unit[0]["enum"].as_array().unwrap().contains(&"row".into()), "a word: {unit}");
    assert!(
        unit[1]["properties"]["account-fixed-graph"]["properties"]["rows"].is_object(),
        "a table: {unit}"
    );
    assert_eq!(at("/properties/privacy/additionalProperties"), false);
    assert!(at("/properties/model/properties").as_object().unwrap().len() >= 4, "every model");
    assert!(at("/properties/arms/items/enum").as_array().unwrap().len() >= 13, "every arm");
    assert!(at("/required").as_array().unwrap().iter().any(|key| key == "privacy"));
}

#[test]
fn templates_completions_and_the_doctor_speak() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let file = root().join("target/tmp-new-template.toml");
    let _ = std::fs::remove_file(&file);
    // Not there where builds go elsewhere.
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let path = file.to_str().unwrap();
    let out = succeed(&runs, &["new", "quickstart", "--out", path]);
    assert!(out.contains("next: equipoise check"), "{out}");
    succeed(&runs, &["check", path]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("name = \"tmp-new-template\""));
    assert!(fail(&runs, &["new", "quickstart", "--out", path], 2).contains("exists already"));
    std::fs::remove_file(&file).unwrap();
    assert!(fail(&runs, &["new", "quikstart"], 2).contains("did you mean `quickstart`?"));
    // Outside the repository the file comes to where the caller stands, and says what its paths need.
    let elsewhere = std::process::Command::new(env!("CARGO_BIN_EXE_equipoise"))
        .args(["new", "quickstart"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8(elsewhere.stdout).unwrap();
    assert!(said.contains("quickstart-new.toml: written\nmend `dataset"), "{said}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(succeed(&runs, &["completions", shell]).contains("reproduce"), "{shell}");
    }
    let page = succeed(&runs, &["man"]);
    assert!(page.contains(".TH equipoise 1") && page.contains("equipoise\\-stability"), "{page}");
    let said = succeed(&runs, &["doctor"]);
    assert!(said.contains("processor: ") && said.contains("nothing is wrong"), "{said}");
}

/// Small linear congruential steps: the mutations must be the same on every machine.
fn step(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

/// One mistake in a file, of one of eight kinds that people make.
fn mutate(text: &str, number: usize) -> Option<String> {
    let mut state = number as u64 + 1;
    let lines: Vec<&str> = text.lines().collect();
    let keyed: Vec<usize> = (0..lines.len())
        .filter(|&at| {
            !lines[at].starts_with(['#', '[']) && lines[at].contains(" = ") && !lines[at].starts_with(' ')
        })
        .collect();
    let at = keyed[step(&mut state) % keyed.len()];
    let (key, value) = lines[at].split_once(" = ")?;
    let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines[at] = match number % 8 {
        0 if key.len() > 3 => {
            format!("{}{}{} = {value}", &key[..1], key[2..3].to_owned() + &key[1..2], &key[3..])
        }
        1 => format!("{key} = {{ nobody = 1 }}"),
        2 => format!("{key} {value}"),
        3 => format!("{key} = "),
        4 => format!("{}\n{}", lines[at], lines[at]),
        5 => format!("{key} = -7.25e300"),
        6 => format!("{key}-x = {value}"),
        7 => String::new(),
        _ => return None,
    };
    Some(lines.join("\n"))
}

#[test]
fn two_hundred_mutated_files_are_each_answered_with_place_and_mend() {
    let dir = tempfile::tempdir().unwrap();
    let world = root().join("datasets/research.toml");
    let path = dir.path().join("mutated.toml");
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    let mut number = 0;
    while refused < 200 {
        assert!(number < 400, "only {refused} of {number} mutations were mistakes");
        number += 1;
        let Some(text) = mutate(&std::fs::read_to_string(smoke()).unwrap(), number) else { continue };
        std::fs::write(&path, text.replace("../../datasets/research.toml", world.to_str().unwrap())).unwrap();
        let start = equipoise_runner::clock::now();
        let loaded = std::panic::catch_unwind(|| load(&path, &[]));
        slowest = slowest.max(start.elapsed());
        let loaded = loaded.unwrap_or_else(|_| panic!("mutation {number} panics:\n{text}"));
        // A comment's or an optional key's change is no mistake.
        let Err(fault) = loaded else { continue };
        refused += 1;
        assert_eq!(fault.exit_code(), 2);
        let error = fault.to_string();
        assert!(
            error.contains("mutated.toml, line ") && error.contains(", column "),
            "mutation {number}: {error}"
        );
        let mends =
            ["mend", "must", "at least", "at most", "use", "need", "leave", "between", "lists them", "write"];
        assert!(mends.iter().any(|word| error.contains(word)), "mutation {number} has no mend: {error}");
    }
    assert!(slowest < Duration::from_secs(1), "the slowest took {slowest:?}");
}

#[test]
fn a_misspelt_key_is_answered_with_the_one_that_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("misspelt.toml");
    let text = std::fs::read_to_string(smoke()).unwrap();
    std::fs::write(&path, text.replace("clip-norm = 1.0", "cilp_norm = 1.0")).unwrap();
    let error = fail(&dir.path().join("runs"), &["run", path.to_str().unwrap()], 2);
    assert!(error.contains("unknown key `cilp_norm`, did you mean `clip-norm`?"), "{error}");
    assert!(error.contains("misspelt.toml, line ") && error.contains("column 1:"), "{error}");
}

#[test]
fn a_benchmark_ranks_methods_over_its_tasks() {
    let dir = tempfile::tempdir().unwrap();
    let (runs, out) = (dir.path().join("runs"), dir.path().join("out"));
    let suite = dir.path().join("suite.toml");
    let text = "version = \"v0\"\nmetric = \"average-precision\"\n[[task]]\nid = \"rooms\"\nexperiment = SMOKE\n\
                set = [\"privacy.epsilon=inf\", \"arms=[\\\"reports-only\\\", \\\"local-only\\\"]\"]\n";
    std::fs::write(&suite, text.replace("SMOKE", &format!("{:?}", smoke().to_str().unwrap()))).unwrap();
    let said =
        succeed(&runs, &["benchmark", suite.to_str().unwrap(), "--out", out.to_str().unwrap(), "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let ranks = said["ranks"].as_array().unwrap();
    assert_eq!(ranks.len(), 2);
    let sum: f64 = ranks.iter().map(|row| row["rank"].as_f64().unwrap()).sum();
    assert!((sum - 3.0).abs() < 1e-12, "ranks of two methods sum to three: {ranks:?}");
    let board = std::fs::read_to_string(out.join("leaderboard.csv")).unwrap();
    assert!(board.contains("\nlocal-only,rooms,0,average-precision,"), "{board}");

    // Somebody else adds an arm to the task, in a store of their own, and sends the bundle.
    let theirs = dir.path().join("theirs");
    let arms = "arms=[\"local-only\", \"federated-logistic\"]";
    let file = smoke();
    let set = ["--set", "privacy.epsilon=inf", "--set", arms];
    succeed(&theirs, &[&["run", file.to_str().unwrap()], &set[..]].concat());
    let bundle = dir.path().join("theirs.zip");
    succeed(&theirs, &["export", "bundle", "smoke", "--out", bundle.to_str().unwrap()]);
    let with = ["benchmark", suite.to_str().unwrap(), "--out", out.to_str().unwrap(), "--with"];
    let with = |path: &Path| {
        [&with[..], &[path.to_str().unwrap()]].concat().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let arguments = with(&bundle);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = succeed(&runs, &arguments);
    assert!(said.contains("entered in rooms: federated-logistic"), "{said}");
    let board = std::fs::read_to_string(out.join("leaderboard.csv")).unwrap();
    assert!(board.contains("\nfederated-logistic,rooms,1,average-precision,"), "{board}");
    // A bundle from other worlds is refused, and so is one that was edited.
    succeed(
        &theirs,
        &[
            &["run", file.to_str().unwrap()],
            &set[..],
            &["--set", "experiment.seed=7", "--set", "experiment.name=other"],
        ]
        .concat(),
    );
    succeed(&theirs, &["export", "bundle", "other", "--out", bundle.to_str().unwrap()]);
    assert!(fail(&runs, &arguments, 2).contains("worlds"), "other worlds are another task");
    let mut bytes = std::fs::read(&bundle).unwrap();
    let at = bytes.windows(9).position(|window| window == b"\"per_seed").unwrap();
    bytes[at + 2] = b'x';
    std::fs::write(&bundle, bytes).unwrap();
    assert!(fail(&runs, &arguments, 2).contains("sum that the archive says"));
}

#[test]
fn whoever_waits_sees_rate_time_left_and_the_epsilon_spent() {
    let dir = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_equipoise"))
        .args(["run", smoke().to_str().unwrap(), "--set", "arms=[\"local-only\", \"federated\"]", "--runs"])
        .arg(dir.path())
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().rfind(|line| line.starts_with("[trial]")).unwrap();
    assert!(last.contains(" a second, about 0 s left"), "{said}");
    // Two worlds, of which each gives a federated model with epsilon 8, a budget of their own people.
    assert!(last.ends_with("; epsilon spent 8.0 of 8.0"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("[world]") && !line.contains("epsilon")), "{said}");
    let log = std::fs::read_dir(dir.path())
        .unwrap()
        .find_map(|run| std::fs::read_to_string(run.unwrap().path().join("log.jsonl")).ok());
    assert!(log.unwrap().contains("\"planned\":8.0"));
}
