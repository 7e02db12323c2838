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
    #[serde(default)]
    experiment: Option<PathBuf>,
    /// Or a study's file (`policy run`, `audit run`).
    #[serde(default)]
    study: Option<PathBuf>,
    /// Overrides.
    #[serde(default)]
    set: Vec<String>,
    /// The numbers of an experiment.
    #[serde(default)]
    pub(super) value: Vec<Number>,
    /// Numbers by the place at which they stand: of an experiment's `metrics.json`, or of a study's `result.json`, which has no others.
    #[serde(default)]
    part: Vec<Part>,
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

/// One published number by its place.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Part {
    /// Where it stands: keys and indices, with dots between them.
    at: String,
    is: f64,
    tolerance: f64,
}

impl Part {
    fn stands_in(&self, numbers: &Value) -> Option<f64> {
        numbers.pointer(&format!("/{}", self.at.replace('.', "/")))?.as_f64()
    }
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
        let experiment = self.experiment.as_ref().ok_or_else(|| {
            config(format!(
                "{}: claim `{}` is a study's, and only an experiment's worlds can be drawn",
                registry.display(),
                self.id
            ))
        })?;
        let file = registry.parent().unwrap_or(Path::new(".")).join(experiment);
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
    for claim in &all.claim {
        let numbers = (claim.value.is_empty(), claim.part.is_empty());
        let fits = match (&claim.experiment, &claim.study) {
            (Some(_), None) => numbers != (true, true) || !claim.difference.is_empty(),
            (None, Some(_)) => numbers == (true, false) && claim.difference.is_empty(),
            _ => false,
        };
        if !fits {
            return Err(config(format!(
                "{}: claim `{}`: give `experiment` with `value`, `part` or `difference`, or `study` with `part`; a claim without numbers cannot fail",
                registry.display(),
                claim.id
            )));
        }
    }
    let ids: Vec<String> = all.claim.iter().map(|claim| claim.id.clone()).collect();
    all.claim.into_iter().find(|claim| claim.id == id).ok_or_else(|| {
        config(format!("{}: there is no claim `{id}`; it has {}", registry.display(), ids.join(", ")))
    })
}

/// A published number beside what was computed.
struct Check {
    name: String,
    published: f64,
    within: f64,
    is: Option<f64>,
}

impl Check {
    fn passes(&self) -> bool {
        self.is.is_some_and(|is| (is - self.published).abs() <= self.within)
    }
}

/// Runs what a claim is about: where its results lie, its numbers, and what its differences are asked of.
fn run(
    claim: &Claim,
    registry: &Path,
    runs: &Path,
    quiet: bool,
) -> Result<(PathBuf, Vec<Check>, Value), Fault> {
    let parts = |numbers: &Value| -> Vec<Check> {
        let check = |part: &Part| Check {
            name: part.at.clone(),
            published: part.is,
            within: part.tolerance,
            is: part.stands_in(numbers),
        };
        claim.part.iter().map(check).collect()
    };
    let Some(file) = &claim.study else {
        let plan = Plan::new(&claim.load(registry, &[], None)?)?;
        let metrics = redo(&plan, runs, quiet)?;
        let check = |n: &Number| Check {
            name: n.name(),
            published: n.is,
            within: n.tolerance,
            is: n.in_run(&metrics),
        };
        let checks = claim.value.iter().map(check).chain(parts(&metrics)).collect();
        return Ok((crate::rundir::run_dir(runs, &plan), checks, metrics));
    };
    let file = registry.parent().unwrap_or(Path::new(".")).join(file);
    let run = super::study::play(&file, runs, quiet)?;
    let result = super::value(&run.join(super::study::RESULT))?;
    Ok((run, parts(&result), Value::Null))
}

pub(super) fn reproduce(registry: &Path, id: &str, runs: &Path, quiet: bool) -> Result<Said, Fault> {
    let claim = find(registry, id)?;
    let (run, checks, metrics) = run(&claim, registry, runs, quiet)?;
    let (mut text, mut rows, mut wrong) = (format!("{id}: {}\n", claim.says), Vec::new(), Vec::new());
    let shown = |is: Option<f64>| is.map_or_else(|| "no value".to_owned(), |is| format!("{is:.4}"));
    let mut judge = |line: String, pass: bool, row: Value| {
        let _ = writeln!(text, "{}  {line}", if pass { "PASS" } else { "FAIL" });
        rows.push(row);
        if !pass {
            wrong.push(line);
        }
    };
    for check in &checks {
        let Check { name, published, within, is } = check;
        let line = format!("{name}: published {published} within {within}, computed {}", shown(*is));
        let pass = check.passes();
        let row = json!({ "what": name, "published": published, "tolerance": within, "computed": is, "pass": pass });
        judge(line, pass, row);
    }
    for Answer { what, is, holds } in claim.difference.iter().map(|difference| difference.answer(&metrics)) {
        let row = json!({ "what": what, "computed": is, "pass": holds });
        judge(format!("{what}: computed {}", shown(is)), holds, row);
    }
    if let Some(stability) = claim.stability {
        let _ = writeln!(text, "drawn worlds: {}", stability.words());
    }
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
