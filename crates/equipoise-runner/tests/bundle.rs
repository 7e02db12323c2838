//! A result that anybody can reproduce: bundles that pass elsewhere, edited bundles that fail and say where, claims.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, root, smoke, succeed};
use equipoise_runner::lab::zip;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A bundle of a small run, made with one thread; the store is gone afterwards.
fn bundle(dir: &Path) -> Vec<u8> {
    let runs = dir.join("here");
    let file = smoke();
    let arms = "arms=[\"local-only\", \"federated\"]";
    let set = ["--set", arms, "--set", "privacy.epsilon=inf", "--set", "experiment.seeds=2"];
    succeed(&runs, &[&["run", file.to_str().unwrap(), "--threads", "1"], &set[..]].concat());
    let out = dir.join("one.zip");
    let export = || {
        succeed(&runs, &["export", "bundle", "smoke", "--out", out.to_str().unwrap()]);
        std::fs::read(&out).unwrap()
    };
    let (first, second) = (export(), export());
    assert!(first == second, "the same run gives the same archive");
    std::fs::remove_dir_all(runs).unwrap();
    first
}

/// The bundle with one piece of text replaced, and its sums mended if asked.
fn edited(dir: &Path, bundle: &[u8], name: &str, from: &str, to: &str, mend: bool) -> String {
    let mut members = zip::read(bundle).unwrap();
    let text = String::from_utf8(members[name].clone()).unwrap();
    assert!(text.contains(from), "`{from}` is not in {name}");
    members.insert(name.into(), text.replacen(from, to, 1).into_bytes());
    if mend {
        let mut sums = String::new();
        for (name, bytes) in members.iter().filter(|(name, _)| *name != "SHA256SUMS") {
            let sum =
                Sha256::digest(bytes).iter().fold(String::new(), |sum, byte| format!("{sum}{byte:02x}"));
            writeln!(sums, "{sum}  {name}").unwrap();
        }
        members.insert("SHA256SUMS".into(), sums.into_bytes());
    }
    let path = dir.join("edited.zip");
    std::fs::write(&path, zip::write(&members).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_bundle_passes_elsewhere_and_an_edited_one_fails_where_it_was_edited() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let bytes = bundle(dir);
    let path = dir.join("one.zip");
    let there = dir.join("there");
    let out = succeed(&there, &["reproduce", path.to_str().unwrap(), "--threads", "2"]);
    assert!(out.contains("PASS  federated recall-at-budget") && !out.contains("FAIL"), "{out}");
    assert_eq!(std::fs::read_dir(&there).unwrap().count(), 0, "the temporary folder is gone");

    let metrics = String::from_utf8(zip::read(&bytes).unwrap()["metrics.json"].clone()).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    let caught = |path: String, words: &[&str]| {
        let error = fail(&there, &["reproduce", &path], 4);
        for word in words {
            assert!(error.contains(word), "`{word}` is not in\n{error}");
        }
    };
    // Sums not mended: the file is named. Mended: the configuration key, the world's key, the number.
    caught(
        edited(dir, &bytes, "metrics.json", "\"seeds\": 2", "\"seeds\": 3", false),
        &["metrics.json: its content"],
    );
    caught(
        edited(dir, &bytes, "experiment.toml", "rounds = 3", "rounds = 4", true),
        &["federation.rounds", "3", "4"],
    );
    let world = String::from_utf8(zip::read(&bytes).unwrap()["world.toml"].clone()).unwrap();
    // A share of the world, whichever stands first: half of it is another world.
    let share = |line: &&str| {
        let number: Option<f64> = line.split_once(" = ").and_then(|(_, value)| value.parse().ok());
        line.contains('.') && number.is_some_and(|share| share > 0.0 && share < 1.0)
    };
    let from = world.lines().find(share).unwrap();
    let (key, value) = from.split_once(" = ").unwrap();
    let to = format!("{key} = {}", value.parse::<f64>().unwrap() * 0.5);
    caught(edited(dir, &bytes, "world.toml", from, &to, true), &[key, "world"]);
    let arm = &metrics["arms"].as_array().unwrap()[1];
    assert_eq!(arm["id"], "federated");
    let value = arm["per_seed"]["average-precision"][0].to_string();
    let path = edited(dir, &bytes, "metrics.json", &value, "0.987654", true);
    caught(path, &["average-precision", "0.987654", &value]);
}

/// Files of this project copied to `dir` as they lie to each other, one of them cut down to a world of seconds.
fn copied(dir: &Path, study: &str, beside: &[&str], changes: &[(&str, &str)]) -> PathBuf {
    let copy = |name: &str, changes: &[(&str, &str)]| {
        let (from, to) = (root().join(name), dir.join(name));
        let mut text = std::fs::read_to_string(from).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{name} has no `{from}`");
            text = text.replace(from, to);
        }
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(&to, text).unwrap();
        to
    };
    beside.iter().for_each(|name| drop(copy(name, &[])));
    copy(study, changes)
}

/// A study of measures goes the way of a run: the same hash again and on other threads, listed, shown, one archive, reproduced elsewhere from
/// the files in it alone; an edited archive fails where it was edited, before any work where its inputs say something else.
#[test]
fn a_study_of_measures_is_sealed_bundled_and_reproduced() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let changes =
        [("persons = 10000", "persons = 300"), ("days = 180", "days = 8"), ("seeds = 30", "seeds = 3")];
    let world = "datasets/research.toml";
    let file = copied(&dir.join("files"), "experiments/policy/in-tandem.toml", &[world], &changes);
    let (here, there) = (dir.join("here"), dir.join("there"));
    let run = |runs: &Path, threads: &str| {
        let said = succeed(runs, &["policy", "run", file.to_str().unwrap(), "--threads", threads]);
        said.lines().find_map(|line| line.strip_prefix("hash: ")).unwrap().to_owned()
    };
    let hash = run(&here, "1");
    let seconds = || {
        let place = std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
        let text = std::fs::read_to_string(place.join("provenance.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["seconds"].as_f64().unwrap()
    };
    let first = seconds();
    assert_eq!(hash, run(&here, "2"), "again, from what is there");
    assert!(seconds() > first, "what it took before is kept");
    assert_eq!(hash, run(&there, "2"), "elsewhere, on other threads");
    assert!(succeed(&here, &["ls"]).contains("policy, 3 worlds  reported"));
    let shown = succeed(&here, &["show", "policy-in"]);
    assert!(shown.contains(&hash) && shown.contains("children contacted in a world"), "{shown}");
    for verb in ["verify", "report"] {
        assert!(fail(&here, &[verb, "policy-in"], 2).contains("a study of measures or attacks"), "{verb}");
    }
    let out = dir.join("study.zip");
    succeed(&here, &["export", "bundle", "policy-in", "--out", out.to_str().unwrap()]);
    // Nothing that the archive does not hold can help.
    std::fs::remove_dir_all(dir.join("files")).unwrap();
    std::fs::remove_dir_all(&here).unwrap();
    let said = succeed(&there, &["reproduce", out.to_str().unwrap(), "--threads", "2"]);
    assert!(
        said.contains("PASS  points 0") && said.contains("PASS  cells 32") && !said.contains("FAIL"),
        "{said}"
    );

    let bytes = std::fs::read(&out).unwrap();
    let inside = "inputs/experiments/policy/in-tandem.toml";
    for (name, from, to, mend, words) in [
        (inside, "persons = 300", "persons = 310", false, vec!["in-tandem.toml: its content was changed"]),
        (inside, "persons = 300", "persons = 310", true, vec!["world.persons", "300", "310"]),
        (
            "inputs/datasets/research.toml",
            "tick-hours = 6",
            "tick-hours = 3",
            true,
            vec!["resolved.world.tick-hours"],
        ),
        ("result.json", "\"seeds\": 3", "\"seeds\": 4", true, vec!["seeds", "4 is published, 3 is computed"]),
    ] {
        let error = fail(&there, &["reproduce", &edited(dir, &bytes, name, from, to, mend)], 4);
        for word in words {
            assert!(error.contains(word), "`{word}` is not in\n{error}");
        }
    }
    // A path that means another file elsewhere is refused.
    let text = String::from_utf8(zip::read(&bytes).unwrap()[inside].clone()).unwrap();
    let lost = text.lines().find(|line| line.starts_with("file = ")).unwrap();
    let outside = format!("file = \"{}\"", root().join(world).display());
    let error = fail(&there, &["reproduce", &edited(dir, &bytes, inside, lost, &outside, true)], 2);
    assert!(error.contains("which the bundle does not hold"), "{error}");
}

/// The same for attacks, whose file names an experiment that names a world.
#[test]
fn a_study_of_attacks_is_reproduced_with_the_experiment_it_is_about() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let changes = [
        ("set = [", "set = [\"world.persons=500\", \"federation.rounds=4\", "),
        ("worlds = 5", "worlds = 2"),
    ];
    let beside = ["experiments/byzantine.toml", "datasets/eight.toml"];
    let file = copied(&dir.join("files"), "experiments/audit/poisoning.toml", &beside, &changes);
    let (runs, out) = (dir.join("runs"), dir.join("study.zip"));
    succeed(&runs, &["audit", "run", file.to_str().unwrap()]);
    succeed(&runs, &["export", "bundle", "audit-poisoning", "--out", out.to_str().unwrap()]);
    std::fs::remove_dir_all(dir.join("files")).unwrap();
    std::fs::remove_dir_all(&runs).unwrap();
    let said = succeed(&runs, &["reproduce", out.to_str().unwrap()]);
    assert!(said.contains("PASS") && !said.contains("FAIL"), "{said}");
    let bytes = std::fs::read(&out).unwrap();
    let name = "inputs/experiments/byzantine.toml";
    let error = fail(&runs, &["reproduce", &edited(dir, &bytes, name, "epochs = 1", "epochs = 2", true)], 4);
    assert!(error.contains("resolved.experiment.training.epochs"), "{error}");
}

#[test]
fn a_claim_passes_and_a_wrong_number_fails() {
    let runs = tempfile::tempdir().unwrap();
    let out = succeed(runs.path(), &["reproduce", "S0"]);
    assert!(out.contains("PASS  reports-only: average-precision") && !out.contains("FAIL"), "{out}");
    let text = std::fs::read_to_string(root().join("experiments/claims.toml")).unwrap();
    let file = smoke();
    let text = text.replace("smoke/smoke.toml", file.to_str().unwrap()).replacen("is = 0.", "is = 0.9", 1);
    let wrong = runs.path().join("claims.toml");
    std::fs::write(&wrong, text).unwrap();
    let error = fail(runs.path(), &["reproduce", "S0", "--claims", wrong.to_str().unwrap()], 4);
    assert!(error.contains("published 0.9"), "{error}");
    assert!(fail(runs.path(), &["reproduce", "C99"], 2).contains("C1"));
}

/// A claim about a study: its numbers stand in the result by their place; one that is wrong or not there fails, and one without any is refused.
#[test]
fn a_claim_about_a_study_passes_and_a_wrong_place_or_number_fails() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let changes =
        [("persons = 10000", "persons = 300"), ("days = 180", "days = 8"), ("seeds = 30", "seeds = 3")];
    copied(dir, "experiments/policy/in-tandem.toml", &["datasets/research.toml"], &changes);
    let claims = |parts: &str| {
        let text = format!(
            "[[claim]]\nid = \"T\"\nsays = \"Nothing.\"\nstudy = \"experiments/policy/in-tandem.toml\"\npart = [{parts}]\n"
        );
        let file = dir.join("claims.toml");
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (runs, right) =
        (dir.join("runs"), "{ at = \"cells.0.rates.recall.value\", is = 0.0, tolerance = 0.0 }");
    let out = succeed(&runs, &["reproduce", "T", "--claims", &claims(right)]);
    assert!(out.contains("PASS  cells.0.rates.recall.value") && !out.contains("FAIL"), "{out}");
    for wrong in [right.replace("0.0, tol", "0.1, tol"), right.replace("recall", "recal")] {
        let error = fail(&runs, &["reproduce", "T", "--claims", &claims(&wrong)], 4);
        assert!(error.contains("claim T is not reproduced"), "{error}");
    }
    assert!(fail(&runs, &["reproduce", "T", "--claims", &claims("")], 2).contains("cannot fail"));
    assert!(fail(&runs, &["stability", "T", "--claims", &claims(right)], 2).contains("is a study's"));
}

/// Numbers that README prints are claims, and what claims say stands in README: each claim's letter, and each of its numbers as printed.
#[test]
fn what_the_readme_prints_is_what_claims_check() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let text = std::fs::read_to_string(root().join("experiments/claims.toml")).unwrap();
    let claims: toml::Table = toml::from_str(&text).unwrap();
    let (mut checked, plain) = (0, readme.replace(',', ""));
    for claim in claims["claim"].as_array().unwrap() {
        let id = claim["id"].as_str().unwrap();
        // A smoke test's numbers are nobody's finding.
        if id == "S0" {
            continue;
        }
        let named = |end: &str| readme.contains(&format!(" {id}{end}"));
        assert!([" |", ",", ")"].into_iter().any(named), "{id} is not named in README");
        for key in ["value", "part"] {
            for number in claim.get(key).and_then(|list| list.as_array()).into_iter().flatten() {
                let is = &number["is"];
                let shown = is.as_float().map_or_else(
                    || is.as_integer().unwrap().to_string(),
                    |is| if is == 0.0 { "0.000".into() } else { format!("{:.3}", is.abs()) },
                );
                assert!(plain.contains(&shown), "{id}: {shown} does not stand in README");
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "only {checked} numbers were checked");
}
