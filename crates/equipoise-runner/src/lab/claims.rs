//! `reproduce C1`: published claims, each with the experiment that shows it, its numbers and their tolerances.

use super::redo::redo;
use super::{Said, list};
use crate::config::{load, parse, read};
use crate::fault::{Fault, config};
use crate::plan::Plan;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The registry of claims.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Registry {
    claim: Vec<Claim>,
}

/// A statement and the numbers that it rests on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Claim {
    /// What `reproduce` is asked for.
    pub(super) id: String,
    /// The statement, in words that its numbers carry.
    pub(super) says: String,
    /// Experiment file, beside the registry.
    experiment: PathBuf,
    /// Overrides.
    #[serde(default)]
    set: Vec<String>,
    /// The numbers.
    pub(super) value: Vec<Number>,
}

/// One published number: a metric's mean over worlds of an arm, or of its paired difference to another.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Number {
    pub(super) arm: String,
    #[serde(default)]
    pub(super) minus: Option<String>,
    pub(super) metric: String,
    pub(super) is: f64,
    pub(super) tolerance: f64,
}

impl Number {
    /// What the metrics of a run say instead.
    pub(super) fn in_run(&self, metrics: &Value) -> Option<f64> {
        let arm = |id: &str| list(&metrics["arms"]).iter().find(|arm| arm["id"] == id);
        let by_world = |arm: &Value| -> Option<Vec<f64>> {
            list(&arm["per_seed"][&self.metric]).iter().map(Value::as_f64).collect()
        };
        let mut values = by_world(arm(&self.arm)?)?;
        if let Some(other) = &self.minus {
            let other = by_world(arm(other)?)?;
            values.iter_mut().zip(other).for_each(|(value, other)| *value -= other);
        }
        #[allow(clippy::cast_precision_loss)] // A count of worlds.
        let count = values.len() as f64;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)
    }

    pub(super) fn name(&self) -> String {
        let minus = self.minus.as_ref().map_or_else(String::new, |other| format!(" minus {other}"));
        format!("{}{minus}: {}", self.arm, self.metric)
    }
}

impl Claim {
    /// The plan of the claim's experiment with more overrides.
    pub(super) fn plan(&self, registry: &Path, more: &[String]) -> Result<Plan, Fault> {
        let file = registry.parent().unwrap_or(Path::new(".")).join(&self.experiment);
        Plan::new(&load(&file, &[self.set.clone(), more.to_vec()].concat())?)
    }
}

/// A claim of the registry.
pub(super) fn find(registry: &Path, id: &str) -> Result<Claim, Fault> {
    let all: Registry = parse(registry, &read(registry, "registry of claims")?)?;
    let ids: Vec<String> = all.claim.iter().map(|claim| claim.id.clone()).collect();
    all.claim.into_iter().find(|claim| claim.id == id).ok_or_else(|| {
        config(format!("{}: there is no claim `{id}`; it has {}", registry.display(), ids.join(", ")))
    })
}

pub(super) fn reproduce(registry: &Path, id: &str, runs: &Path, quiet: bool) -> Result<Said, Fault> {
    let claim = find(registry, id)?;
    let plan = claim.plan(registry, &[])?;
    let metrics = redo(&plan, runs, quiet)?;
    let (mut text, mut rows, mut wrong) = (format!("{id}: {}\n", claim.says), Vec::new(), Vec::new());
    for number in &claim.value {
        let is = number.in_run(&metrics);
        let pass = is.is_some_and(|is| (is - number.is).abs() <= number.tolerance);
        let shown = is.map_or_else(|| "no value".to_owned(), |is| format!("{is:.4}"));
        let (name, said, within) = (number.name(), number.is, number.tolerance);
        let line = format!("{name}: published {said} within {within}, computed {shown}");
        let _ = writeln!(text, "{}  {line}", if pass { "PASS" } else { "FAIL" });
        rows.push(
            json!({ "what": name, "published": said, "tolerance": within, "computed": is, "pass": pass }),
        );
        if !pass {
            wrong.push(line);
        }
    }
    let run = crate::rundir::run_dir(runs, &plan);
    let _ = writeln!(text, "report: {}", run.join("report.html").display());
    let fault = (!wrong.is_empty())
        .then(|| Fault::Mismatch(format!("claim {id} is not reproduced:\n  {}", wrong.join("\n  "))));
    Ok(Said {
        text,
        json: json!({ "claim": id, "pass": wrong.is_empty(), "values": rows, "run": run }),
        fault,
    })
}
