//! `equipoise policy`: files are checked, cells are resumed, results do not depend on threads or interruptions.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{root, succeed};
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("experiments/policy")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The factorial of this project, cut down to a world of seconds.
fn small(dir: &Path) -> PathBuf {
    let text = std::fs::read_to_string(root().join("experiments/policy/in-tandem.toml")).unwrap();
    let world = root().join("datasets/research.toml");
    let text = text
        .replace("../../datasets/research.toml", world.to_str().unwrap())
        .replace("persons = 10000", "persons = 300")
        .replace("days = 180", "days = 8")
        .replace("seeds = 30", "seeds = 3");
    let file = dir.join("small.toml");
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn every_policy_experiment_passes_its_check_and_together_they_use_every_measure() {
    let runs = tempfile::tempdir().unwrap();
    let mut words = String::new();
    for file in files() {
        succeed(runs.path(), &["policy", "check", file.to_str().unwrap()]);
        words.push_str(&std::fs::read_to_string(&file).unwrap());
    }
    for policy in equipoise_policy::PolicySpec::examples() {
        let name = policy.name();
        assert!(name == "no-policy" || words.contains(&format!("{name} = {{")), "no file uses {name}");
    }
    for key in [
        "[vary]",
        "[uncertainty]",
        "fraction = \"half\"",
        "staggered-days",
        "retrain = { never",
        "labels = \"truth\"",
    ] {
        assert!(words.contains(key), "no file uses {key}");
    }
}

/// A file of this project, cut down to a world of seconds.
fn cut(dir: &Path, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut text = std::fs::read_to_string(root().join("experiments/policy").join(name)).unwrap();
    let datasets = format!("{}/", root().join("datasets").display());
    let scores = root().join("experiments/loop-scores.toml").display().to_string();
    let always = [
        ("../../datasets/", datasets.as_str()),
        ("../loop-scores.toml", scores.as_str()),
        ("seeds = 10", "seeds = 3"),
    ];
    for (from, to) in always {
        text = text.replace(from, to);
    }
    for (from, to) in changes {
        assert!(text.contains(from), "{name} has no `{from}`");
        text = text.replace(from, to);
    }
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

fn report_of(runs: &Path, file: &Path) -> serde_json::Value {
    let text = succeed(runs, &["policy", "run", file.to_str().unwrap(), "--json"]);
    serde_json::from_str(&text).unwrap()
}

fn folder(runs: &Path, begins: &str) -> PathBuf {
    let entries = std::fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(begins)).unwrap()
}

#[test]
fn an_axis_plays_what_it_moves_and_its_points_are_the_files_with_those_values() {
    let (dir, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let small = [("persons = 3000", "persons = 400"), ("days = 180", "days = 25")];
    let file = cut(dir.path(), "review-delay.toml", &small);
    let report = report_of(runs.path(), &file);
    assert_eq!(report["cells"].as_array().unwrap().len(), 7 * 2);
    let played = std::fs::read_dir(folder(runs.path(), "policy-review-delay").join("cells")).unwrap().count();
    assert_eq!(played, 3 * (1 + 7), "none is the same cell at every delay");
    let text = std::fs::read_to_string(&file).unwrap();
    let alone = text[..text.find("[vary]").unwrap()]
        .replace("delay-hours-median = 24.0", "delay-hours-median = 168.0")
        .replace("review-delay", "delay-of-a-week");
    let one = dir.path().join("one.toml");
    std::fs::write(&one, alone).unwrap();
    let one = report_of(runs.path(), &one);
    let week = &report["cells"].as_array().unwrap()[2 * 4 + 1];
    assert_eq!(report["points"][4]["value"], "168.0");
    for key in ["counts", "rates", "prevented", "burden", "detection"] {
        assert_eq!(week[key], one["cells"][1][key], "{key}");
    }
    let page =
        std::fs::read_to_string(folder(runs.path(), "policy-review-delay").join("report.html")).unwrap();
    let ids = [
        "along",
        "f2-prevented",
        "f5-detection-time",
        "f6-children-before",
        "f7-stage",
        "f8-reliability",
        "f9-burden",
    ];
    for id in ids {
        assert!(page.contains(&format!("id=\"{id}\"")), "the page has no {id}");
        for kind in ["svg", "csv", "vl.json"] {
            let path = folder(runs.path(), "policy-review-delay").join(format!("figures/{id}.{kind}"));
            assert!(path.exists(), "{}", path.display());
        }
    }
    assert!(page.contains("children wrongly restricted for each upheld case"));
}

#[test]
fn slips_in_a_file_name_their_key() {
    let (dir, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let refused = |name: &str, changes: &[(&str, &str)]| {
        let file = cut(dir.path(), name, changes);
        let output = common::equipoise(runs.path(), &["policy", "check", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let delay = "key = \"review.reviewer.delay-hours-median\"";
    for (name, changes, why) in [
        ("review-delay.toml", [(delay, "key = \"world.days\"")], "vary.key: `world.days` may not move here"),
        ("review-delay.toml", [(delay, "key = \"review.reviewer.delay\"")], "unknown field `delay`"),
        (
            "six-measures.toml",
            [("name = \"tools\"", "name = \"limit\"")],
            "measure: `limit` stands there twice",
        ),
        (
            "retrain-loop.toml",
            [("arm = \"federated\"", "arm = \"reports-only\"")],
            "score.model.arm: use an arm",
        ),
        ("retrain-loop.toml", [("abstain = []", "abstain = [\"game-lobby\"]")], "abstain"),
        ("retrain-loop.toml", [("set = []", "set = [\"privacy.epsilon=1.0\"]")], "charged again"),
        ("retrain-loop.toml", [("learning-rate = 0.05", "learning-rate = 0.0")], "score.model.learning-rate"),
        ("assumed-rates.toml", [("points = 64", "points = 4")], "uncertainty.points: at least 8"),
    ] {
        let error = refused(name, &changes);
        assert!(error.contains(why), "{name}, {changes:?}: {error}");
    }
    let five = refused("in-tandem.toml", &[("seeds = 30", "seeds = 3\nfraction = \"half\"")]);
    assert!(five.contains("experiment.fraction: the half is one of 6 measures, got 5"), "{five}");
}

#[test]
fn half_of_six_measures_is_thirty_two_cells_with_their_aliases() {
    let (dir, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let small = [("persons = 2500", "persons = 250"), ("days = 180", "days = 6")];
    let report = report_of(runs.path(), &cut(dir.path(), "six-measures.toml", &small));
    let cells = report["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 32);
    assert!(cells.iter().all(|cell| cell["measures"].as_array().unwrap().len() % 2 == 0));
    assert_eq!(report["aliases"]["relation"], "I = filter x limit x search x defaults x tools x review");
    let effects = &report["points"][0]["effects"]["children-contacted"];
    assert_eq!(effects["interactions"].as_array().unwrap().len(), 15);
    assert!(effects["measures"][0]["share"].is_null(), "a half has no Shapley shares");
}

#[test]
fn drawn_rates_stand_beside_the_chance_of_worlds() {
    let (dir, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let small =
        [("persons = 2500", "persons = 300"), ("days = 180", "days = 12"), ("points = 64", "points = 8")];
    let file = cut(dir.path(), "assumed-rates.toml", &small);
    let report = report_of(runs.path(), &file);
    let of = &report["uncertainty"]["outcomes"]["children-contacted"];
    assert_eq!(of["at"].as_array().unwrap().len(), 8);
    assert_eq!(of["rates"].as_array().unwrap().len(), 17);
    let [low, middle, high] = [0, 1, 2].map(|at| of["over-points"][at].as_f64().unwrap());
    assert!(low <= middle && middle <= high);
    let at_the_file = &report["cells"][1]["prevented"]["children-contacted"];
    assert_eq!(&of["at-the-files-rates"], at_the_file, "the file's own rates are its own cells");
    let cells = folder(runs.path(), "policy-assumed-rates").join("cells");
    std::fs::remove_file(cells.join("point-0003-seed-0001.json")).unwrap();
    assert_eq!(report, report_of(runs.path(), &file), "what was lost is played again to the same bytes");
}

/// Two decisions in a small world: real keys and ciphertexts open what the clear function computes, so the loop goes the same way.
#[test]
fn encrypted_fusion_in_the_loop_is_plain_fusion_in_the_loop_to_the_last_account() {
    let (dir, runs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let small = [
        ("persons = 2500", "persons = 300"),
        ("days = 120", "days = 25"),
        ("every-days = 7", "every-days = 12"),
        (
            "names = [\"public rule\", \"local-only\", \"federated\", \"fused\"]",
            "names = [\"local-only\", \"federated\", \"plain\", \"encrypted\"]",
        ),
        ("    { rule = {} },\n", ""),
        (
            "arm = \"fused-plain\", learning-rate = 0.05, retrain = { never = {} } } },\n",
            "arm = \"fused-plain\", learning-rate = 0.05, retrain = { never = {} } } },\n    { model = { on = \"../loop-scores.toml\", set = [], arm = \"fused-encrypted\", learning-rate = 0.05, retrain = { never = {} } } },\n",
        ),
    ];
    let scores = root().join("experiments/loop-scores.toml");
    let mut own = std::fs::read_to_string(&scores).unwrap();
    for (from, to) in [
        ("days = 60", "days = 30"),
        ("[14, 21, 28, 35]", "[7, 10, 14]"),
        ("label-cutoff = 40", "label-cutoff = 16"),
        ("horizon-days = 14.0", "horizon-days = 10.0"),
    ] {
        assert!(own.contains(from), "{from}");
        own = own.replace(from, to);
    }
    let datasets = format!("{}/", root().join("datasets").display());
    std::fs::write(dir.path().join("scores.toml"), own.replace("../datasets/", &datasets)).unwrap();
    let file = cut(dir.path(), "signal-sharing.toml", &small);
    let text = std::fs::read_to_string(&file).unwrap();
    let text =
        text.replace(scores.to_str().unwrap(), "scores.toml").replace("../loop-scores.toml", "scores.toml");
    std::fs::write(&file, text).unwrap();
    let report = report_of(runs.path(), &file);
    let cells = report["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4 * 4);
    let of = |point: usize, on: usize| &cells[4 * point + on];
    for on in [1, 3] {
        let (plain, encrypted) = (of(2, on), of(3, on));
        for key in ["rates", "prevented", "burden", "detection", "uneven"] {
            assert_eq!(plain[key], encrypted[key], "{key}");
        }
        for key in ["upheld", "reviews", "values-opened", "pseudonyms", "tokens-told"] {
            assert_eq!(plain["counts"][key], encrypted["counts"][key], "{key}");
        }
        let mean = |cell: &serde_json::Value, key: &str| cell["counts"][key]["value"].as_f64().unwrap();
        assert!(mean(plain, "scores-read-by-a-server") > 0.0);
        assert!(mean(encrypted, "scores-read-by-a-server").abs() < 1e-12, "no server reads a score");
        assert!(mean(encrypted, "values-opened") > 0.0 && mean(of(1, on), "values-opened").abs() < 1e-12);
        assert!(mean(of(1, on), "model-updates") > 0.0 && mean(of(0, on), "model-updates").abs() < 1e-12);
    }
    assert_ne!(of(0, 1)["detection"], of(1, 1)["detection"], "local and federated scores are not one");
}

#[test]
fn a_model_that_is_trained_again_in_the_loop_is_another_one_and_the_same_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let small =
        [("persons = 2500", "persons = 400"), ("days = 180", "days = 45"), ("days = 28", "days = 14")];
    let file = cut(dir.path(), "retrain-loop.toml", &small);
    let run = |threads: &str| {
        let runs = tempfile::tempdir().unwrap();
        succeed(runs.path(), &["policy", "run", file.to_str().unwrap(), "--json", "--threads", threads])
    };
    let first = run("2");
    assert_eq!(first, run("1"));
    let report: serde_json::Value = serde_json::from_str(&first).unwrap();
    let trained = |point: usize| {
        report["cells"][2 * point + 1]["counts"]["models-trained-again"]["value"].as_f64().unwrap()
    };
    assert!(trained(0).abs() < 1e-12, "never");
    assert!(trained(4) > 0.0, "labels of an oracle are there from the first time on");
    assert_ne!(report["cells"][1]["detection"], report["cells"][9]["detection"]);
}

#[test]
fn a_run_that_was_cut_off_goes_on_to_the_same_bytes_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path());
    let run = |runs: &Path, threads: &str| {
        let args = ["policy", "run", file.to_str().unwrap(), "--json", "--threads", threads];
        succeed(runs, &args)
    };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = run(one.path(), "2");
    assert_eq!(first, run(two.path(), "1"));
    let cells = std::fs::read_dir(one.path()).unwrap().next().unwrap().unwrap().path().join("cells");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&cells).unwrap().map(|e| e.unwrap().path()).collect();
    found.sort();
    assert_eq!(found.len(), 3 * 33);
    for lost in found.iter().step_by(7) {
        std::fs::remove_file(lost).unwrap();
    }
    assert_eq!(first, run(one.path(), "2"));
    let report: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(report["cells"].as_array().unwrap().len(), 33);
    let none = &report["cells"][0];
    assert!(none["measures"].as_array().unwrap().is_empty());
    assert!(
        none["children-minus-none"]["value"].as_f64().unwrap().abs() < 1e-12,
        "a twin differs from itself"
    );
    for cell in report["cells"].as_array().unwrap() {
        for (group, burden) in cell["burden"].as_object().unwrap() {
            assert!(burden["accounts"].as_u64().unwrap() >= 20, "{group} is below the smallest cohort");
        }
    }
}
