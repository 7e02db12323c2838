//! Tools of other people read what we write: MLflow lists an exported run, DuckDB and Polars answer every query of the page about SQL. Optional:
//! skipped with a visible line where `EQUIPOISE_PYTHON` (or `python3`) has not the packages.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // Helpers of tests fail by panicking; a skipped test says so.

mod common;

use common::{line, root, smoke, succeed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An interpreter that has these packages.
fn python(packages: &[&str]) -> Option<String> {
    let python = std::env::var("EQUIPOISE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    // Asking for the place of a package does not import it.
    let asks = format!("import importlib.util as u; assert all(u.find_spec(name) for name in {packages:?})");
    let has = Command::new(&python).args(["-c", &asks]).output().is_ok_and(|out| out.status.success());
    if !has {
        eprintln!(
            "SKIPPED: {python} has not all of {packages:?} (pip install them, or set EQUIPOISE_PYTHON)"
        );
    }
    has.then_some(python)
}

fn run(runs: &Path) -> PathBuf {
    let file = smoke();
    let arms = "arms=[\"reports-only\", \"local-only\", \"federated\"]";
    let out = succeed(runs, &["run", file.to_str().unwrap(), "--set", arms]);
    Path::new(line(&out, "report")).parent().unwrap().to_owned()
}

fn reads(python: &str, script: &str, arguments: &[&Path]) -> String {
    let output =
        Command::new(python).arg(root().join("benches/peers").join(script)).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}\n{out}\n{err}");
    eprintln!("{}", out.trim());
    out.into_owned()
}

#[test]
fn mlflow_lists_runs_with_parameters_histories_and_artifacts() {
    let Some(python) = python(&["mlflow"]) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (runs, out) = (dir.path().join("runs"), dir.path().join("tracking"));
    let run = run(&runs);
    succeed(&runs, &["export", "mlflow", "smoke", out.to_str().unwrap()]);
    assert!(reads(&python, "mlflow_store.py", &[&out, &run]).contains("4 runs"));
}

#[test]
fn duckdb_and_polars_answer_the_queries_of_the_page() {
    let Some(python) = python(&["duckdb", "polars"]) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (runs, values) = (dir.path().join("runs"), dir.path().join("values.csv"));
    let run = run(&runs);
    succeed(&runs, &["export", "csv", "smoke", "--out", values.to_str().unwrap()]);
    reads(&python, "sql_files.py", &[&root().join("docs/how-to/sql.md"), &run, &values]);
}
