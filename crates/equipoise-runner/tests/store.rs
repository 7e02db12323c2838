//! The run store through the binary: sweeps and their budgets, two runners on one store, finding, comparing, verifying and
//! cleaning up.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{command, fail, line, root, smoke, succeed};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const INFINITE: &str = "privacy.epsilon=inf";
const ARMS: &str = "arms=[\"reports-only\", \"local-only\", \"federated\"]";
/// Three arms, two worlds, no guarantee.
const SMALL: [&str; 4] = ["--set", ARMS, "--set", INFINITE];

fn json(runs: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(runs, &[arguments, &["--json"]].concat())).unwrap()
}

fn smoke_with(verb: &str, sets: &[&str]) -> Vec<String> {
    let mut arguments = vec![verb.to_owned(), smoke().to_str().unwrap().to_owned()];
    arguments.extend(sets.iter().map(|&set| set.to_owned()));
    arguments
}

fn run(runs: &Path, sets: &[&str]) -> String {
    let arguments = smoke_with("run", sets);
    succeed(runs, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn check(runs: &Path, sets: &[&str]) -> Value {
    let arguments = smoke_with("check", sets);
    json(runs, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The smoke file with lines added to its end, beside the datasets that it names.
fn extended(dir: &Path, more: &str) -> PathBuf {
    let world = root().join("datasets/research.toml");
    let text = std::fs::read_to_string(smoke()).unwrap();
    let text = text.replace("../../datasets/research.toml", world.to_str().unwrap());
    let path = dir.join("extended.toml");
    std::fs::write(&path, format!("{text}\n{more}")).unwrap();
    path
}

#[test]
fn an_axis_on_the_command_line_multiplies_and_a_single_value_replaces_it() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(check(dir.path(), &[])["points"], 2, "the file's own axis");
    assert_eq!(check(dir.path(), &["--set", INFINITE])["points"], 1);
    let axes = ["--set", "privacy.epsilon=8,4,inf", "--set", "federation.rounds=3,4"];
    assert_eq!(check(dir.path(), &axes)["points"], 6);
}

/// The stages read what they read: another metric measures again and trains nothing, another run takes over what is the same in it, and
/// both give what a store of their own gives.
#[test]
fn changing_only_how_it_is_measured_trains_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (runs, alone) = (dir.path().join("runs"), dir.path().join("alone"));
    let file = smoke();
    let of = |runs: &Path, more: &[&str]| {
        json(runs, &[&["run", file.to_str().unwrap()], &SMALL[..], more].concat())
    };
    let number = |said: &Value, key: &str| said[key].as_u64().unwrap();
    let first = of(&runs, &[]);
    // Two arms learn, on two worlds and in tuning.
    assert_eq!((number(&first, "trained"), number(&first, "computed")), (6, 11), "{first}");
    let measured = ["--set", "evaluation.review-budget=0.05", "--set", "evaluation.horizon-days=5.0"];
    let second = of(&runs, &measured);
    assert_eq!((number(&second, "trained"), number(&second, "computed")), (0, 6), "{second}");
    let third = of(&runs, &["--set", "experiment.primary=average-precision"]);
    assert_eq!((number(&third, "trained"), number(&third, "computed")), (0, 0), "{third}");
    let fresh = of(&alone, &measured);
    assert_eq!(number(&fresh, "trained"), 6);
    assert_eq!(fresh["hash"], second["hash"], "what was taken over is what would have been computed");
    let per_world = |said: &Value| {
        let path = PathBuf::from(said["report"].as_str().unwrap()).with_file_name("metrics.json");
        let metrics: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        metrics["arms"][2]["per_seed"].clone()
    };
    assert_ne!(per_world(&first), per_world(&second), "the budget changes what is identified");
    // What no run names any more goes.
    std::fs::write(runs.join("cache/trained/000000000000.json"), "{}").unwrap();
    assert!(succeed(&runs, &["gc"]).contains("000000000000"));
    assert_eq!(std::fs::read_dir(runs.join("cache/trained")).unwrap().count(), 4);
}

#[test]
fn a_zip_moves_keys_together_and_every_wrong_point_is_named_before_any_work() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let zip = "[[sweep.zip]]\n\"federation.rounds\" = 3\n\"model.mlp.hidden\" = [8]\n\
               [[sweep.zip]]\n\"federation.rounds\" = 4\n\"model.mlp.hidden\" = [16]\n";
    let path = extended(dir.path(), zip);
    assert_eq!(
        json(&runs, &["check", path.to_str().unwrap()])["points"],
        4,
        "two of the grid, two of the zip"
    );
    let path = extended(dir.path(), &zip.replace("\" = [8]", "\" = []").replace("= 4", "= 0"));
    let error = fail(&runs, &["run", path.to_str().unwrap()], 2);
    for word in ["rounds: at least one round", "an mlp needs a hidden layer", "extended.toml, line", "column"]
    {
        assert!(error.contains(word), "`{word}` is not in\n{error}");
    }
    let grid = ["--set", "privacy.delta=2,3", "--set", "model.mlp.hidden=[8],\"x\""];
    let arguments = smoke_with("run", &grid);
    let error = fail(&runs, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), 2);
    for given in ["--set privacy.delta=2:", "--set privacy.delta=3:", "--set model.mlp.hidden=\"x\":"] {
        assert!(error.contains(given), "`{given}` is not in\n{error}");
    }
    assert!(!runs.exists(), "something was written");
}

#[test]
fn a_key_misspelt_on_the_command_line_is_said_once_of_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    for value in ["3", "3,4"] {
        let set = format!("federation.rounsd={value}");
        let arguments = smoke_with("run", &["--set", &set]);
        let error = fail(dir.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), 2);
        assert!(error.contains("--set federation.rounsd=3: unknown field `rounsd`"), "{error}");
        assert!(error.contains("unknown key `rounsd`, did you mean `rounds`?"), "{error}");
        assert!(!error.contains("smoke.toml, line"), "the file is not to blame: {error}");
        assert_eq!(error.matches("did you mean").count(), value.split(',').count(), "{error}");
    }
}

#[test]
fn a_report_is_drawn_again_only_from_what_was_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let out = run(dir.path(), &SMALL);
    let report = PathBuf::from(line(&out, "report"));
    let (home, hash) = (report.parent().unwrap(), line(&out, "hash").to_owned());
    std::fs::remove_file(&report).unwrap();
    let again = succeed(dir.path(), &["report", home.to_str().unwrap()]);
    assert_eq!(line(&again, "hash"), hash, "what was lost is drawn again");
    let scores = std::fs::read_dir(home.join("units")).unwrap().find_map(|unit| {
        let scores = unit.unwrap().path().join("scores.parquet");
        scores.is_file().then_some(scores)
    });
    for measured in [scores.unwrap(), home.join("metrics.json")] {
        let whole = std::fs::read(&measured).unwrap();
        std::fs::write(&measured, &whole[..whole.len() / 2]).unwrap();
        let error = fail(dir.path(), &["report", home.to_str().unwrap()], 2);
        assert!(error.contains(measured.to_str().unwrap()) && error.contains("mend: remove"), "{error}");
        std::fs::write(&measured, whole).unwrap();
    }
    assert_eq!(line(&succeed(dir.path(), &["report", home.to_str().unwrap()]), "hash"), hash);
}

#[test]
fn a_budget_refuses_before_the_start_and_epsilon_has_its_own_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let run =
        |more: &str, code: i32| fail(&runs, &["run", extended(dir.path(), more).to_str().unwrap()], code);
    // Three arms of the smoke file learn with epsilon 8.
    assert!(run("[sweep.budget]\nepsilon = 8.0", 5).contains("epsilon: 24"));
    assert!(run("[sweep.budget]\nminutes = 0.0001", 2).contains("minutes"));
    assert!(run("[sweep.budget]\ndisk-gb = 1e-9", 2).contains("disk-gb"));
    assert!(run("[sweep.budget]\nminutes = -1.0", 2).contains("above 0"));
    assert!(!runs.exists(), "something was written");
    let path = extended(dir.path(), "[sweep.budget]\nepsilon = 24.0");
    let estimate = &json(&runs, &["check", path.to_str().unwrap()])["estimate"];
    assert!((estimate["epsilon"].as_f64().unwrap() - 24.0).abs() < 1e-12, "{estimate}");
}

#[test]
fn a_baseline_pairs_every_point_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let path = extended(dir.path(), "[sweep.baseline]\n\"privacy.epsilon\" = \"inf\"");
    let arms = "arms=[\"federated\", \"federated-logistic\"]";
    let report = json(&runs, &["run", path.to_str().unwrap(), "--set", arms]);
    let metrics = PathBuf::from(report["report"].as_str().unwrap()).with_file_name("metrics.json");
    let metrics: Value = serde_json::from_str(&std::fs::read_to_string(metrics).unwrap()).unwrap();
    let against: Vec<String> = metrics["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["share"] == "against the baseline" && row["metric"] == metrics["primary"])
        .map(|row| format!("{} {}", row["a"].as_str().unwrap(), row["b"].as_str().unwrap()))
        .collect();
    assert_eq!(against, ["federated-eps-8 federated", "federated-logistic-eps-8 federated-logistic"]);
    let path = extended(dir.path(), "[sweep.baseline]\n\"privacy.epsilon\" = 7.0");
    assert!(fail(&runs, &["check", path.to_str().unwrap()], 2).contains("no point of the sweep"));
}

#[test]
fn two_runners_on_one_store_share_the_units() {
    let (alone, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let arguments = smoke_with("run", &["--set", "experiment.seeds=3", "--json"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let whole: Value = serde_json::from_str(&succeed(alone.path(), &arguments)).unwrap();
    let start = || command(shared.path(), &arguments).stdout(Stdio::piped()).spawn().unwrap();
    let both = [start(), start()].map(|child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    });
    let computed: Vec<u64> = both.iter().map(|run| run["computed"].as_u64().unwrap()).collect();
    let units = whole["computed"].as_u64().unwrap();
    assert!(units > 20);
    assert_eq!(computed.iter().sum::<u64>(), units, "{computed:?}: each unit is computed once");
    assert!(computed.iter().all(|&count| count > 0), "{computed:?}: both worked");
    assert!(both.iter().all(|run| run["hash"] == whole["hash"]), "and the result is the same");
}

#[test]
fn runs_are_found_compared_verified_and_cleaned_up() {
    let runs = tempfile::tempdir().unwrap();
    let runs = runs.path();
    let first = run(runs, &SMALL);
    run(runs, &[&SMALL[..], &["--set", "federation.rounds=4"]].concat());
    let a = Path::new(line(&first, "report")).parent().unwrap().to_owned();
    let listed = json(runs, &["ls"]);
    let paths: Vec<&str> =
        listed.as_array().unwrap().iter().map(|run| run["path"].as_str().unwrap()).collect();
    assert_eq!(paths.len(), 2);
    let b = paths.iter().find(|path| Path::new(path) != a).unwrap().to_owned();

    assert_eq!(json(runs, &["ls", "--where", "federation.rounds>3"]).as_array().unwrap().len(), 1);
    assert!(json(runs, &["ls", "--where", "eps<2"]).as_array().unwrap().is_empty());
    assert_eq!(json(runs, &["ls", "--where", "arm=federated and eps>100"]).as_array().unwrap().len(), 2);
    assert!(fail(runs, &["ls", "--where", "eps"], 2).contains("expected key<value"));

    let shown = succeed(runs, &["show", a.to_str().unwrap()]);
    assert_eq!(line(&shown, "hash"), line(&first, "hash"));
    assert!(shown.contains("Does every room of the house work?") && shown.contains("local only"));
    let many = fail(runs, &["show", "smoke"], 2);
    assert!(many.contains("names 2 runs: smoke-") && many.contains(", smoke-"), "{many}");
    assert!(fail(runs, &["report", "smoke"], 2).contains("names 2 runs"));
    assert!(fail(runs, &["show", "nothing"], 2).contains("equipoise ls"));

    let compared = json(runs, &["compare", a.to_str().unwrap(), b]);
    assert_eq!(compared["config"][0]["key"], "federation.rounds");
    let row = |arm: &str| {
        compared["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["arm"] == arm && row["metric"] == "average-precision")
            .unwrap()
            .clone()
    };
    assert_eq!(
        (row("reports-only")["mean"].as_f64(), row("reports-only")["worlds"].as_u64()),
        (Some(0.0), Some(2))
    );
    assert!(
        row("federated")["mean"].as_f64().unwrap().abs() > 0.0,
        "another number of rounds is another model"
    );
    // Ten persons are too few for a number: what the report does not state, the words of a comparison do not.
    assert!(row("federated")["not-assessable"].as_str().unwrap().contains("of at least 50 persons"));
    let words = succeed(runs, &["compare", a.to_str().unwrap(), b]);
    assert!(words.contains("federated: recall-at-budget, A minus B: not assessable (10 of"), "{words}");

    let verified = json(runs, &["verify", a.to_str().unwrap(), "--units", "4"]);
    assert_eq!(verified.as_array().unwrap().iter().filter(|row| row["same"] == true).count(), 4);
    let unit = verified[3]["unit"].as_str().unwrap();
    let record = a.join("units").join(unit).join("trial.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replacen("\"learning-rate\": ", "\"learning-rate\":  ", 1)).unwrap();
    let error = fail(runs, &["verify", a.to_str().unwrap(), "--units", "4"], 4);
    assert!(error.contains(unit) && error.contains("trial.json"), "{error}");

    // Another seed needs other worlds; without its run they are waste.
    let other = run(runs, &[&SMALL[..], &["--set", "experiment.seed=9"]].concat());
    std::fs::remove_dir_all(Path::new(line(&other, "report")).parent().unwrap()).unwrap();
    let worlds = || std::fs::read_dir(runs.join("cache/world")).unwrap().count();
    let all = worlds();
    succeed(runs, &["gc", "--dry-run"]);
    assert_eq!(worlds(), all, "a dry run removes nothing");
    assert!(json(runs, &["gc"])["bytes"].as_u64().unwrap() > 0);
    assert_eq!(worlds(), all - 3, "two test worlds and a development world");
    assert_eq!(
        line(&run(runs, &[&SMALL[..], &["--set", "federation.rounds=4"]].concat()), "hash"),
        line(&succeed(runs, &["show", b]), "hash"),
        "what is needed was kept"
    );
}
