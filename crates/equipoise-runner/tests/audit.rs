//! `equipoise audit`: files are checked and use every attack, cells are resumed to the same bytes, controls behave as controls, and
//! files that would void what they say are refused with the reason.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, root, succeed};
use serde_json::Value;
use std::path::{Path, PathBuf};

const FILES: [&str; 3] = ["audit", "inversion", "poisoning"];

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(format!("experiments/audit/{name}.toml"))).unwrap()
}

/// A file cut down to worlds of seconds; every replacement must find its text.
fn small(dir: &Path, name: &str, replace: &[(&str, &str)]) -> PathBuf {
    let mut text = text(name);
    let on = |file: &str| root().join("experiments").join(file).to_str().unwrap().to_owned();
    for (from, to) in [
        ("\"../privacy-frontier.toml\"", format!("{:?}", on("privacy-frontier.toml"))),
        ("\"../byzantine.toml\"", format!("{:?}", on("byzantine.toml"))),
        ("worlds = 5", "worlds = 2".to_owned()),
    ] {
        text = text.replace(from, &to);
    }
    for (from, to) in replace {
        assert!(text.contains(from), "{name}.toml has no `{from}`");
        text = text.replace(from, to);
    }
    let file = dir.join(format!("{name}.toml"));
    std::fs::write(&file, text).unwrap();
    file
}

const AUDIT: [(&str, &str); 6] = [
    ("world.persons=4000\"", "world.persons=500\", \"privacy.rounds=20\", \"federation.rounds=5\""),
    ("canaries = 1000", "canaries = 300"),
    ("candidates = 800", "candidates = 120"),
    ("shadow-pairs = 8", "shadow-pairs = 2"),
    ("federations = 64", "federations = 8"),
    ("rows = 200\n", "rows = 20\n"),
];
const INVERSION: [(&str, &str); 4] = [
    ("world.persons=2000", "world.persons=600"),
    ("batches = [1, 8, 32]", "batches = [1, 4]"),
    ("population = 500", "population = 100"),
    ("updates = 10 ", "updates = 4 "),
];
const POISONING: [(&str, &str); 1] = [("set = [", "set = [\"world.persons=500\", \"federation.rounds=4\", ")];

fn run(runs: &Path, file: &Path, threads: &str) -> Value {
    let said = succeed(runs, &["audit", "run", file.to_str().unwrap(), "--json", "--threads", threads]);
    serde_json::from_str(&said).unwrap()
}

fn mean(estimate: &Value) -> f64 {
    estimate["value"]["mean"].as_f64().unwrap_or_else(|| panic!("no mean in {estimate}"))
}

#[test]
fn every_file_passes_its_check_and_together_they_use_every_attack() {
    let runs = tempfile::tempdir().unwrap();
    let mut words = String::new();
    for name in FILES {
        let file = root().join(format!("experiments/audit/{name}.toml"));
        succeed(runs.path(), &["audit", "check", file.to_str().unwrap()]);
        words.push_str(&text(name));
    }
    let used = |name: &str| words.contains(&format!("{name} = {{"));
    for attack in equipoise_attack::InferSpec::examples() {
        let name = attack.attack().name();
        assert!(name == "none" || used(name), "no file uses {name}");
    }
    for attack in equipoise_attack::PoisonSpec::examples() {
        assert!(used(attack.attack().name()), "no file uses {}", attack.attack().name());
    }
    assert!(used("rows.label-flip") && used("rows.backdoor"));
    for rule in equipoise_federated::AggregatorSpec::examples() {
        assert!(used(rule.rule().name()), "no file attacks {}", rule.rule().name());
    }
}

#[test]
fn an_audit_that_was_cut_off_goes_on_to_the_same_bytes_and_its_controls_are_controls() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path(), "audit", &AUDIT);
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = run(one.path(), &file, "2");
    assert_eq!(first, run(two.path(), &file, "1"), "results depend on threads");
    let place = std::fs::read_dir(one.path()).unwrap().next().unwrap().unwrap().path();
    let cells: Vec<PathBuf> =
        std::fs::read_dir(place.join("cells")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(cells.len(), 2 * 10);
    cells.iter().step_by(3).for_each(|lost| std::fs::remove_file(lost).unwrap());
    assert_eq!(first, run(one.path(), &file, "2"), "a resumed run differs");
    // Nothing is claimed of an overfit model, and attacks find its members; a claimed epsilon of 0.1 leaves them at chance.
    let area = |promise: &str, attack: &str| {
        let rows = first["membership"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["promise"] == promise && row["attack"] == attack && row["mislabelled"] == true)
            .unwrap();
        mean(&row["auc"])
    };
    assert!(area("overfit", "lira-online") > 0.6, "{}", area("overfit", "lira-online"));
    assert!((area("row, 0.1", "lira-online") - 0.5).abs() < 0.25);
    // Half of the noise is caught by the bounds that use its form, and no kept claim is refuted.
    for row in first["canaries"].as_array().unwrap() {
        let broken = row["promise"] == "row, 2, half of the noise";
        assert!(broken || row["refuted"] == false, "{row}");
        if broken && row["bound"] == "normal scores" {
            assert!(mean(&row["audited"]) > row["claimed"].as_f64().unwrap(), "{row}");
        }
    }
    let linked = |released: &str| {
        let rows = first["linkage"].as_array().unwrap();
        mean(&rows.iter().find(|row| row["released"].as_str().unwrap().contains(released)).unwrap()["first"])
    };
    assert!(linked("positive control") > 0.999 && linked("negative control") < 0.2);
    for part in [
        "report.html",
        "report.md",
        "result.json",
        "figures/f10-claimed-audited.svg",
        "figures/f11-attack-roc.csv",
        "figures/f12-ledger.vl.json",
        "tables/membership.csv",
        "tables/facts.md",
        "tables/linkage.tex",
    ] {
        assert!(place.join(part).is_file(), "{part} is missing");
    }
    let page = std::fs::read_to_string(place.join("report.html")).unwrap();
    // No epsilon without its unit, relation, delta, adversary and limits.
    for part in [
        "nulling",
        "1e-5",
        "a recipient of the released models (A1)",
        "Not claimed:",
        "contact graph fixed and public",
    ] {
        assert!(page.contains(part), "the page does not say `{part}`");
    }
}

#[test]
fn one_row_is_read_back_whole_and_small_epsilons_leave_a_guess() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path(), "inversion", &INVERSION);
    let runs = tempfile::tempdir().unwrap();
    let report = run(runs.path(), &file, "2");
    let found = |defence: &str, attack: &str, what: &str| {
        let rows = report["inversion"].as_array().unwrap();
        let row = rows.iter().find(|row| {
            row["defence"].as_str().unwrap().contains(defence) && row["attack"] == attack && row["batch"] == 1
        });
        mean(&row.unwrap_or_else(|| panic!("no {defence}, {attack}"))[what])
    };
    assert!(found("one platform's sum", "first-layer", "exact") > 0.95);
    assert!(found("sum of clipped rows", "first-layer", "exact") > 0.95, "clipping alone turns no gradient");
    assert!(found("ε = 0.1", "first-layer", "exact") < 0.05);
    assert!(found("nothing was sent", "first-layer", "identified") < 0.3);
}

#[test]
fn poisoned_cells_pair_with_the_honest_ones() {
    let dir = tempfile::tempdir().unwrap();
    let file = small(dir.path(), "poisoning", &POISONING);
    let runs = tempfile::tempdir().unwrap();
    let report = run(runs.path(), &file, "2");
    let rows = report["poisoning"].as_array().unwrap();
    assert_eq!(rows.len(), 10 * 5);
    for row in rows {
        let changed = row["change"]["value"]["mean"].as_f64();
        if row["attack"] == "none" {
            assert!(
                changed.is_none_or(|change| change.abs() < 1e-12),
                "an honest cell differs from itself: {row}"
            );
        }
        assert_eq!(row["hidden"], row["rule"].as_str().unwrap().starts_with("hidden"));
    }
    let alarms = |attack: &str| {
        let row = rows.iter().find(|row| row["attack"] == attack && row["rule"] == "mean").unwrap();
        mean(&row["triggered"])
    };
    assert!(alarms("backdoor") > alarms("none") + 0.05, "{} {}", alarms("backdoor"), alarms("none"));
}

#[test]
fn files_that_would_void_what_they_say_are_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let runs = tempfile::tempdir().unwrap();
    for (replace, reason) in [
        (("epsilon = 0.1", "epsilon = 0.0"), "epsilon"),
        (("guesses-each = 100", "guesses-each = 501"), "at most half of the canaries"),
        (("noise-share = 0.5", "noise-share = 0.0"), "above 0 and at most 1"),
        (("rows = 2, contacts = 8", "rows = 0, contacts = 8"), "K = 0"),
        (("world.persons=4000\"", "world.persons=4000\", \"privacy.delta=1e-3\""), "1/N"),
        (("overfit-passes = 300", "noise-share = 0.5"), "need a finite epsilon"),
        (("worlds = 2", "worlds = 1"), "at least 2"),
        (("[audit.linkage]", "[audit.linkages]"), "audit.linkage"),
        (("arm = \"federated\"", "arm = \"local-only\""), "experiment.arm"),
    ] {
        let file = small(dir.path(), "audit", &[replace]);
        let said = fail(runs.path(), &["audit", "check", file.to_str().unwrap()], 2);
        assert!(said.contains(reason), "{replace:?}: {said}");
    }
    let linked = text("inversion")
        .replace("[inversion]", "[poisoning]\nbyzantine = 0.25\nattack = []\nrule = []\n\n[inversion]");
    let both = dir.path().join("both.toml");
    std::fs::write(&both, linked.replace("../privacy", root().join("experiments/privacy").to_str().unwrap()))
        .unwrap();
    let said = fail(runs.path(), &["audit", "check", both.to_str().unwrap()], 2);
    assert!(said.contains("exactly one of"), "{said}");
}
