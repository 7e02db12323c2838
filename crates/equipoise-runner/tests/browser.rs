//! The report in a real browser: opened from disk in headless Chromium, at phone and desktop widths, light, dark, printed, and with scripts
//! off. `tests/browser.mjs` holds what is checked. Skipped with a visible line where there is no Chromium or no Node.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // Helpers of tests fail by panicking; a skipped test says so.

mod common;

use common::{line, root, succeed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first of these that answers.
fn found(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success()))
        .map(|name| (*name).to_owned())
}

/// What the browser finds wrong with the report of a run, and what it counted; none without a browser.
fn look_at(run: &Path) -> Option<serde_json::Value> {
    let browser = std::env::var("CHROMIUM")
        .ok()
        .or_else(|| found(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]));
    let (Some(browser), Some(node)) = (browser, found(&["node", "nodejs"])) else {
        eprintln!(
            "SKIPPED: no Chromium or no Node here, so nobody looks at the report (set CHROMIUM to its path)"
        );
        return None;
    };
    let script = root().join("crates/equipoise-runner/tests/browser.mjs");
    let mut command = Command::new(node);
    command.arg(script).arg(browser).arg(run);
    if let Ok(shots) = std::env::var("EQUIPOISE_SHOTS") {
        command.arg(Path::new(&shots).join(run.file_name().unwrap()));
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(serde_json::from_str(&text).unwrap_or_else(|_| {
        panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }))
}

fn report(runs: &Path, arguments: &[&str]) -> PathBuf {
    let file = root().join("experiments/smoke/smoke.toml");
    let out = succeed(runs, &[&["run", file.to_str().unwrap()], arguments].concat());
    Path::new(line(&out, "report")).parent().unwrap().to_owned()
}

fn holds(run: &Path, figures: u64) {
    let Some(seen) = look_at(run) else { return };
    let wrong = seen["wrong"].as_array().unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let count = |what: &str| seen["counts"][what].as_u64().unwrap();
    assert!(count("figures") >= figures && count("sections") == 10, "{seen}");
    assert!(count("cells") > 1000 && count("marks") > 10, "too little was looked at: {seen}");
}

/// A sweep of epsilon, enough persons for numbers with intervals.
#[test]
fn a_report_reads_in_a_browser() {
    let dir = tempfile::tempdir().unwrap();
    let enough = ["--set", "world.persons=3000", "--set", "experiment.seeds=5"];
    let arms = "arms=[\"reports-only\", \"local-only\", \"federated\", \"pooled-unlinked\"]";
    let run = report(&dir.path().join("runs"), &[&enough[..], &["--set", arms]].concat());
    holds(&run, 9);
}

/// One world: single runs, no front, nothing to pair.
#[test]
fn a_report_of_a_single_world_reads_too() {
    let dir = tempfile::tempdir().unwrap();
    let set = ["--set", "experiment.seeds=1", "--set", "arms=[\"reports-only\", \"local-only\"]"];
    let run = report(&dir.path().join("runs"), &set);
    let Some(seen) = look_at(&run) else { return };
    assert!(seen["wrong"].as_array().unwrap().is_empty(), "{seen:#}");
}

/// The check itself: a page that was tampered with is not let through.
#[test]
fn a_page_that_lies_or_calls_home_is_caught() {
    let dir = tempfile::tempdir().unwrap();
    let run = report(&dir.path().join("runs"), &["--set", "arms=[\"reports-only\", \"local-only\"]"]);
    let page = run.join("report.html");
    let text = std::fs::read_to_string(&page).unwrap();
    let lie = text.replacen("<td class=\"n\">", "<td class=\"n\">7", 1).replacen(
        "<main",
        "<img src=\"http://127.0.0.1:9/x.png\" alt=\"\" width=\"2000\" height=\"2\"><main",
        1,
    );
    std::fs::write(&page, lie).unwrap();
    let Some(seen) = look_at(&run) else { return };
    let wrong = seen["wrong"].to_string();
    for word in ["differs from its CSV", "px wide"] {
        assert!(wrong.contains(word), "`{word}` was not seen: {seen:#}");
    }
    // The policy in the page stops the request before it leaves; that it was tried is an error of the console.
    assert!(wrong.contains("127.0.0.1"), "the request was not seen: {seen:#}");
}
