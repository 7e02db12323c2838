//! What an interruption leaves behind, through the binary: Ctrl-C, SIGKILL at random moments, one of two runners killed; and the
//! one command that runs for hours, `stability`.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)] // Helpers of tests fail by panicking; counts are small.

mod common;

use common::{command, line, root, smoke, succeed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// Three arms, two worlds, no guarantee.
const SMALL: [&str; 2] = ["arms=[\"reports-only\", \"local-only\", \"federated\"]", "privacy.epsilon=inf"];

fn arguments(sets: &[&str]) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), smoke().to_str().unwrap().to_owned()];
    sets.iter().for_each(|set| arguments.extend(["--set".to_owned(), (*set).to_owned()]));
    arguments
}

fn start(runs: &Path, arguments: &[String]) -> Child {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    command(runs, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finish(runs: &Path, arguments: &[String]) -> PathBuf {
    let out = succeed(runs, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    Path::new(line(&out, "report")).parent().unwrap().to_owned()
}

/// Every file of a run and of its worlds but what clocks, hosts and interruptions leave.
fn bytes(dir: &Path, below: &str, all: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let outside = equipoise_runner::rundir::OUTSIDE_HASH.contains(&name.as_str());
        if outside || name.starts_with('.') || name == "locks" {
            continue;
        }
        let name = format!("{below}/{name}");
        if path.is_dir() {
            bytes(&path, &name, all);
        } else {
            all.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

fn assert_same(a: &Path, b: &Path) {
    let [mut one, mut other] = [BTreeMap::new(), BTreeMap::new()];
    bytes(a, "", &mut one);
    bytes(b, "", &mut other);
    assert!(one.len() > 20, "{} files", one.len());
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    let differing: Vec<&String> = one.keys().filter(|name| one[*name] != other[*name]).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

/// Moments of a linear congruential generator: the same in every run of the test.
fn moment(state: &mut u64, most: Duration) -> Duration {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    most * u32::try_from(*state >> 48).unwrap() / 0x1_0000
}

/// Kills a sweep `kills` times, goes on each time, and holds it against one that nobody killed. Gives the number of units.
fn killed(sets: &[&str], kills: u32) -> usize {
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let arguments = arguments(sets);
    let clock = equipoise_runner::clock::now();
    let run = finish(whole.path(), &arguments);
    let most = clock.elapsed() / kills;
    let (mut state, mut hits) = (7, 0);
    while hits < kills {
        let mut child = start(broken.path(), &arguments);
        std::thread::sleep(moment(&mut state, most));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it ended by itself after {hits} of {kills} kills");
        hits += 1;
    }
    finish(broken.path(), &arguments);
    assert_same(whole.path(), broken.path());
    let plan: Value = serde_json::from_slice(&std::fs::read(run.join("plan.json")).unwrap()).unwrap();
    plan["units"].as_array().unwrap().len()
}

#[test]
fn a_sweep_that_is_killed_three_times_ends_in_the_same_bytes() {
    killed(&SMALL, 3);
}

#[test]
#[ignore = "minutes: 60 units, 20 kills"]
fn sixty_units_killed_at_twenty_random_moments_end_in_the_same_bytes() {
    let units = killed(&["privacy.epsilon=inf,8,3", "experiment.seeds=4"], 20);
    assert!(units >= 60, "{units} units");
}

#[test]
fn when_one_of_two_runners_is_killed_the_other_finishes_the_same_result() {
    let (alone, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let arguments = arguments(&SMALL);
    let clock = equipoise_runner::clock::now();
    finish(alone.path(), &arguments);
    let third = clock.elapsed() / 3;
    let [mut victim, survivor] = [(); 2].map(|()| start(shared.path(), &arguments));
    std::thread::sleep(third);
    victim.kill().unwrap();
    assert_eq!(victim.wait().unwrap().signal(), Some(9));
    let output = survivor.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_same(alone.path(), shared.path());
}

#[test]
fn ctrl_c_says_how_to_go_on_and_going_on_gives_the_same_bytes() {
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let arguments = arguments(&SMALL);
    let name = finish(whole.path(), &arguments).file_name().unwrap().to_owned();
    let child = start(broken.path(), &arguments);
    let log = broken.path().join(name).join("log.jsonl");
    while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains('\n')) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted; goes on with: equipoise run "), "{said}");
    assert!(said.contains("--set 'arms=[\"reports-only\", \"local-only\", \"federated\"]'"), "{said}");
    finish(broken.path(), &arguments);
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
    assert_same(whole.path(), broken.path());
}

/// A registry with one claim about a small smoke experiment.
fn registry(dir: &Path, sign: &str) -> PathBuf {
    let path = dir.join(format!("{sign}.toml"));
    let text = format!(
        "[[claim]]\nid = \"T1\"\nsays = \"A test.\"\nexperiment = {:?}\n\
         set = [\"privacy.epsilon=inf\", \"arms=[\\\"reports-only\\\", \\\"local-only\\\"]\", \"tuning.worlds=1\"]\nvalue = []\n\
         difference = [{{ arm = \"local-only\", minus = \"reports-only\", metric = \"average-precision\", sign = \"{sign}\" }}]\n",
        smoke().to_str().unwrap()
    );
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_claim_is_asked_of_drawn_worlds_of_both_generators_and_goes_on_where_it_stood() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let ask = |sign: &str| -> Value {
        let claims = registry(dir.path(), sign);
        let claims = claims.to_str().unwrap();
        let arguments = ["stability", "T1", "--claims", claims, "--worlds", "4", "--json"];
        serde_json::from_str(&succeed(&runs, &arguments)).unwrap()
    };
    let first = ask("positive");
    assert_eq!((first["computed"].as_u64(), first["of"].as_u64()), (Some(4), Some(4)));
    let draws = first["draws"].as_array().unwrap();
    assert_eq!(draws.iter().filter(|draw| draw["generator"] == "b").count(), 2);
    // What it says is what the runs in the store say.
    let mut values = Vec::new();
    for draw in draws {
        let metrics = PathBuf::from(draw["run"].as_str().unwrap()).join("metrics.json");
        let metrics: Value = serde_json::from_slice(&std::fs::read(root().join(metrics)).unwrap()).unwrap();
        let mean = |arm: usize| {
            let values = metrics["arms"][arm]["per_seed"]["average-precision"].as_array().unwrap();
            values.iter().map(|value| value.as_f64().unwrap()).sum::<f64>() / values.len() as f64
        };
        let is = mean(1) - mean(0);
        assert!((draw["values"][0].as_f64().unwrap() - is).abs() < 1e-12);
        assert_eq!(draw["holds"].as_bool(), Some(is > 0.0));
        values.push(is);
    }
    let held = values.iter().filter(|&&value| value > 0.0).count() as u64;
    assert_eq!(first["held"].as_u64(), Some(held));
    values.dedup();
    assert_eq!(values.len(), 4, "four worlds, not one: {values:?}");
    assert_eq!(std::fs::read_dir(runs.join("cache/world")).unwrap().count(), 0, "drawn worlds are not kept");

    // The same runs answer the opposite question; only a draw that was lost is computed again.
    let lost = PathBuf::from(draws[2]["run"].as_str().unwrap());
    std::fs::remove_dir_all(root().join(lost)).unwrap();
    let opposite = ask("negative");
    assert_eq!(opposite["computed"], 1);
    assert_eq!(opposite["held"].as_u64(), Some(4 - held));
    assert_eq!(opposite["assumption-driven"].as_bool(), Some(4 - held < 4));
    assert!(runs.join("stability/T1.json").is_file());
}
