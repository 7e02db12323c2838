//! `ls`: the runs of a store, found by reading directories; there is no database to go stale.

use super::{Said, list, query, value};
use crate::fault::Fault;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// All runs, or those with an arm for which the condition holds, with these arms.
pub(super) fn ls(runs: &Path, condition: Option<&str>) -> Result<Said, Fault> {
    let terms = condition.map(query::parse).transpose()?;
    let (mut text, mut rows) = (String::new(), Vec::new());
    for run in crate::rundir::list(runs)? {
        let mut arms = Vec::new();
        if let Some(terms) = &terms {
            let Ok(metrics) = value(&run.path.join("metrics.json")) else { continue };
            let experiment = value(&run.path.join("plan.json"))?["points"][0].clone();
            let fits =
                list(&metrics["arms"]).iter().filter(|arm| query::holds(terms, &metrics, arm, &experiment));
            let primary = metrics["primary"].as_str().unwrap_or_default();
            arms.extend(fits.map(|arm| json!({ "arm": arm["id"], "epsilon": arm["epsilon"], primary: arm["summaries"][primary] })));
            if arms.is_empty() {
                continue;
            }
        }
        let state = if run.reported { "reported" } else { "unfinished" };
        let _ = writeln!(text, "{}  {}/{} units  {state}", run.path.display(), run.finished, run.units);
        for arm in &arms {
            let primary = arm
                .as_object()
                .and_then(|arm| arm.iter().find(|(key, _)| *key != "arm" && *key != "epsilon"));
            let shown = primary
                .map_or_else(String::new, |(name, estimate)| format!("{name} {}", super::words(estimate)));
            let _ = writeln!(text, "    {}  {shown}", arm["arm"].as_str().unwrap_or_default());
        }
        let mut row = serde_json::to_value(&run).map_err(crate::fault::runtime)?;
        if terms.is_some() {
            row["arms"] = Value::from(arms);
        }
        rows.push(row);
    }
    // Conditions are about arms, which studies have not.
    for path in crate::study::list(runs).into_iter().filter(|_| terms.is_none()) {
        let kept = super::study::kept(&path)?;
        let (kind, worlds) = (kept.about.kind.name(), kept.about.worlds);
        let _ = writeln!(text, "{}  {kind}, {worlds} worlds  reported", path.display());
        rows.push(
            json!({ "path": path, "name": kept.about.name, "kind": kept.about.kind, "worlds": worlds }),
        );
    }
    if rows.is_empty() {
        let what = if terms.is_some() { "no run with such an arm" } else { "no runs" };
        let _ = writeln!(text, "{what} in {}", runs.display());
    }
    Ok(Said::new(text, rows.into()))
}
