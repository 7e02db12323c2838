//! `show`: what a run asked, found, spent, and where it came from.

use super::{Said, list, value, words};
use crate::fault::Fault;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn show(run: &Path) -> Result<Said, Fault> {
    let metrics = value(&run.join("metrics.json"))?;
    let provenance = value(&run.join("provenance.json")).unwrap_or(Value::Null);
    let hash = crate::rundir::hash(run)?;
    let primary = metrics["primary"].as_str().unwrap_or_default();
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut text = format!("{}\n{}\n", run.display(), word(&metrics["question"]));
    let _ = writeln!(text, "worlds: {}; primary metric: {primary}", metrics["seeds"]);
    for arm in list(&metrics["arms"]) {
        let _ = writeln!(text, "  {:<40} {}", word(&arm["label"]), words(&arm["summaries"][primary]));
    }
    for row in list(&metrics["ledger"]) {
        let epsilon =
            row["epsilon"].as_f64().map_or_else(|| "no guarantee".into(), |e| format!("epsilon {e}"));
        let _ =
            writeln!(text, "released: {}: {epsilon} (unit: {})", word(&row["release"]), word(&row["unit"]));
    }
    for failure in list(&metrics["failures"]) {
        let _ = writeln!(text, "failed: {}", word(failure));
    }
    for key in ["version", "commit", "uncommitted_changes", "processor", "threads", "seed"] {
        let _ = writeln!(text, "{}: {}", key.replace('_', " "), word(&provenance[key]));
    }
    let _ = writeln!(text, "report: {}\nhash: {hash}", run.join("report.html").display());
    Ok(Said::new(text, json!({ "run": run, "hash": hash, "metrics": metrics, "provenance": provenance })))
}
