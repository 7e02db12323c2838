//! What the end-to-end tests share: the built command, and places that vanish.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // Each test binary uses a part; helpers fail by panicking.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

pub fn smoke() -> PathBuf {
    root().join("experiments/smoke/smoke.toml")
}

/// `equipoise <arguments> --runs <runs>`.
pub fn command(runs: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_equipoise"));
    command.args(arguments).arg("--runs").arg(runs).arg("--quiet").current_dir(root());
    command
}

pub fn equipoise(runs: &Path, arguments: &[&str]) -> Output {
    command(runs, arguments).output().unwrap()
}

/// Runs and demands success; gives the standard output.
pub fn succeed(runs: &Path, arguments: &[&str]) -> String {
    let output = equipoise(runs, arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    out
}

/// Runs and demands an exit code; gives the error stream.
pub fn fail(runs: &Path, arguments: &[&str], code: i32) -> String {
    let output = equipoise(runs, arguments);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{err}");
    err
}

/// The value of a stable line such as `hash: HEX`.
pub fn line<'a>(out: &'a str, key: &str) -> &'a str {
    let prefix = format!("{key}: ");
    out.lines()
        .find_map(|line| line.strip_prefix(prefix.as_str()))
        .unwrap_or_else(|| panic!("no `{key}` in\n{out}"))
}

/// The smoke experiment on as little as shows a thing.
pub fn run<'a>(file: &'a str, extra: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run", file];
    arguments.extend_from_slice(extra);
    arguments
}

/// A card of `persons` and `days` in a directory of its own; `extra` goes before the split.
pub fn probe_card(dir: &Path, persons: u32, days: u16, extra: &str) -> PathBuf {
    let world = root().join("datasets/research.toml");
    let text = format!(
        "name = \"probe\"\ntitle = \"A probe\"\nversion = \"0.1.0\"\npublished = \"2026-11-24\"\nlicence = \"CC-BY-4.0\"\n\
         world = {world:?}\npersons = {persons}\ndays = {days}\nseed = 7\nblocks = 3\n{extra}\n\
         [split]\nvalidation = 0.1\ntest = 0.3\ntest-from-day = {}\n",
        days - 1
    );
    let path = dir.join("probe.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Builds a small probe; its directory.
pub fn probe(dir: &Path) -> PathBuf {
    let place = dir.join("probe");
    let card = probe_card(dir, 200, 9, "");
    succeed(dir, &["dataset", "build", card.to_str().unwrap(), "--out", place.to_str().unwrap(), "--repin"]);
    place
}
