//! `reproduce C1`: published claims, each with the experiment that shows it, its numbers and their tolerances.

use super::redo::redo;
use super::{Said, list};
use crate::config::{Loaded, load_on, parse, read};
use crate::fault::{Fault, config};
use crate::plan::Plan;
use equipoise_eval::stats::clopper_pearson;
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
    /// What the statement comes down to in any world; without it, its numbers within their tolerances.
    #[serde(default)]
    pub(super) difference: Vec<Difference>,
    /// What `equipoise stability` found.
    #[serde(default)]
    stability: Option<Stability>,
}

/// A paired difference between two arms, and the side of zero on which the statement puts it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Difference {
    arm: String,
    minus: String,
    metric: String,
    sign: Sign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sign {
    Positive,
    Negative,
}

/// In how many worlds of how many a statement held.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Stability {
    pub(super) held: u64,
    pub(super) of: u64,
}

impl Stability {
    /// Share, exact interval, and the label where the share is below 80 %.
    pub(super) fn words(self) -> String {
        let Self { held, of } = self;
        let Some((low, high)) = clopper_pearson(held, of, 0.95) else {
            return "in no world assessable".into();
        };
        #[allow(clippy::cast_precision_loss)] // A count of worlds.
        let share = 100.0 * held as f64 / of as f64;
        let label = if self.driven_by_assumptions() { "; assumption-driven" } else { "" };
        format!(
            "holds in {share:.1} % of worlds ({held} of {of}; 95 % {:.1} to {:.1}, Clopper-Pearson){label}",
            100.0 * low,
            100.0 * high
        )
    }

    /// Below 80 % of worlds a statement is one about our assumptions.
    pub(super) const fn driven_by_assumptions(self) -> bool {
        5 * self.held < 4 * self.of
    }
}

/// One question of a statement, put to one run.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) what: String,
    pub(super) is: Option<f64>,
    pub(super) holds: bool,
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
    fn in_run(&self, metrics: &Value) -> Option<f64> {
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

impl Difference {
    fn answer(&self, metrics: &Value) -> Answer {
        let (arm, minus, metric) = (self.arm.clone(), Some(self.minus.clone()), self.metric.clone());
        let number = Number { arm, minus, metric, is: 0.0, tolerance: 0.0 };
        let is = number.in_run(metrics);
        let (word, holds) = match self.sign {
            Sign::Positive => ("above", is.is_some_and(|is| is > 0.0)),
            Sign::Negative => ("below", is.is_some_and(|is| is < 0.0)),
        };
        Answer { what: format!("{} {word} 0", number.name()), is, holds }
    }
}

impl Claim {
    /// The claim's experiment with more overrides, on the world that it names or on another.
    pub(super) fn load(
        &self,
        registry: &Path,
        more: &[String],
        world: Option<&Path>,
    ) -> Result<Loaded, Fault> {
        let file = registry.parent().unwrap_or(Path::new(".")).join(&self.experiment);
        load_on(&file, &[self.set.clone(), more.to_vec()].concat(), world)
    }

    /// What a run says to the statement: its differences, or its numbers where it names none.
    pub(super) fn answers(&self, metrics: &Value) -> Vec<Answer> {
        if !self.difference.is_empty() {
            return self.difference.iter().map(|difference| difference.answer(metrics)).collect();
        }
        let answer = |number: &Number| {
            let is = number.in_run(metrics);
            let holds = is.is_some_and(|is| (is - number.is).abs() <= number.tolerance);
            Answer {
                what: format!("{} is {} within {}", number.name(), number.is, number.tolerance),
                is,
                holds,
            }
        };
        self.value.iter().map(answer).collect()
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
    let plan = Plan::new(&claim.load(registry, &[], None)?)?;
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
    for Answer { what, is, holds } in claim.difference.iter().map(|difference| difference.answer(&metrics)) {
        let shown = is.map_or_else(|| "no value".to_owned(), |is| format!("{is:.4}"));
        let line = format!("{what}: computed {shown}");
        let _ = writeln!(text, "{}  {line}", if holds { "PASS" } else { "FAIL" });
        rows.push(json!({ "what": what, "computed": is, "pass": holds }));
        if !holds {
            wrong.push(line);
        }
    }
    if let Some(stability) = claim.stability {
        let _ = writeln!(text, "drawn worlds: {}", stability.words());
    }
    let run = crate::rundir::run_dir(runs, &plan);
    let _ = writeln!(text, "report: {}", run.join("report.html").display());
    let fault = (!wrong.is_empty())
        .then(|| Fault::Mismatch(format!("claim {id} is not reproduced:\n  {}", wrong.join("\n  "))));
    Ok(Said {
        text,
        json: json!({ "claim": id, "pass": wrong.is_empty(), "values": rows, "run": run,
            "assumption-driven": claim.stability.map(Stability::driven_by_assumptions) }),
        fault,
    })
}
