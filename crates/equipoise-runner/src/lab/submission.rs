//! Other people's methods in a benchmark: a bundle of a run of one of its tasks, in which nothing but arms was added.
//!
//! A bundle counts if its files have their sums, if it was scored on the task's own worlds (by their addresses, which hold
//! everything that makes them) with the task's evaluation, and if no arm tuned on more candidates than the task allows. An arm that
//! the task has too must give the task's numbers; a new one, or one of another setting under an old name, enters under a name of its own.
//! What is not promised: that the code that made a bundle is the code that it names; `equipoise reproduce` of the bundle shows that.

use super::list;
use super::reproduce::{changed_files, json_member};
use super::zip;
use crate::fault::{Fault, config};
use crate::plan::Plan;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A bundle that was read.
pub(super) struct Submission {
    name: String,
    plan: Value,
    metrics: Value,
}

/// Reads a bundle.
pub(super) fn read(path: &Path) -> Result<Submission, Fault> {
    let place = path.display();
    let bytes = std::fs::read(path).map_err(|error| config(format!("{place}: {error}; check the path")))?;
    let members = zip::read(&bytes).map_err(|error| config(format!("{place}: {error}")))?;
    let wrong = changed_files(&members);
    if !wrong.is_empty() {
        let why = wrong.join("\n  ");
        return Err(Fault::Mismatch(format!("{place}: it is not what was exported:\n  {why}")));
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Submission {
        name: stem,
        plan: json_member(&members, "plan.json")?,
        metrics: json_member(&members, "metrics.json")?,
    })
}

impl Submission {
    /// Whether it was scored on this task's worlds, with this task's evaluation.
    pub(super) fn answers(&self, task: &Value) -> bool {
        let same = |key: &str| self.plan["points"][0][key] == task["points"][0][key];
        self.plan["worlds"] == task["worlds"]
            && same("evaluation")
            && self.plan["points"][0]["tuning"]["worlds"] == task["points"][0]["tuning"]["worlds"]
    }

    /// Adds its arms to a task's metrics; the names under which they entered.
    pub(super) fn enter(&self, task: &Value, metrics: &mut Value) -> Result<Vec<String>, Fault> {
        let allowed = list(&task["arms"]).iter().map(|arm| list(&arm["slice"]["learning_rates"]).len()).max();
        let mut entered = Vec::new();
        for arm in list(&self.metrics["arms"]) {
            let id = arm["id"].as_str().unwrap_or_default();
            let planned = |plan: &Value| {
                list(&plan["arms"]).iter().find(|planned| planned["id"] == id).map(|arm| arm["slice"].clone())
            };
            let slice = planned(&self.plan).unwrap_or(Value::Null);
            let tried = list(&slice["learning_rates"]).len();
            if allowed.is_some_and(|allowed| tried > allowed) {
                return Err(config(format!(
                    "{}: `{id}` tunes on {tried} candidates, the task allows {}; run it again with no more",
                    self.name,
                    allowed.unwrap_or(0)
                )));
            }
            let own = list(&metrics["arms"]).iter().find(|own| own["id"] == id);
            if let (Some(own), Some(ours)) = (own, planned(task))
                && ours == slice
            {
                if own["per_seed"] != arm["per_seed"] {
                    return Err(Fault::Mismatch(format!(
                        "{}: `{id}` is a method of this task, and the bundle has other numbers for it; reproduce it on one machine",
                        self.name
                    )));
                }
                continue;
            }
            let taken: BTreeSet<&str> =
                list(&metrics["arms"]).iter().filter_map(|own| own["id"].as_str()).collect();
            let mut name = id.to_owned();
            if taken.contains(id) {
                name = format!("{id} ({})", self.name);
            }
            if taken.contains(name.as_str()) {
                return Err(config(format!(
                    "{}: `{name}` was entered before; leave one of them out",
                    self.name
                )));
            }
            let mut row = arm.clone();
            row["id"] = name.clone().into();
            if let Some(arms) = metrics["arms"].as_array_mut() {
                arms.push(row);
            }
            entered.push(name);
        }
        Ok(entered)
    }
}

/// Enters every bundle into the task that it answers.
pub(super) fn enter_all(
    paths: &[std::path::PathBuf],
    plans: &[Plan],
    results: &mut [(String, Value)],
) -> Result<Vec<(String, String)>, Fault> {
    let tasks: Vec<Value> =
        plans.iter().map(serde_json::to_value).collect::<Result<_, _>>().map_err(crate::fault::runtime)?;
    let mut entered = Vec::new();
    for path in paths {
        let submission = read(path)?;
        let Some(at) = tasks.iter().position(|task| submission.answers(task)) else {
            let names: Vec<&str> = results.iter().map(|(id, _)| id.as_str()).collect();
            return Err(config(format!(
                "{}: it was not run on the worlds and with the evaluation of any task ({}); make it with the version of this suite",
                path.display(),
                names.join(", ")
            )));
        };
        let (task, metrics) = &mut results[at];
        entered.extend(submission.enter(&tasks[at], metrics)?.into_iter().map(|name| (task.clone(), name)));
    }
    Ok(entered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(rates: &[f64], arms: &[&str]) -> Value {
        let arms: Vec<Value> =
            arms.iter().map(|id| json!({ "id": id, "slice": { "learning_rates": rates } })).collect();
        json!({ "worlds": ["w0", "w1"], "points": [{ "evaluation": { "review-budget": 0.1 }, "tuning": { "worlds": 1 } }], "arms": arms })
    }

    fn metrics(arms: &[(&str, f64)]) -> Value {
        let arms: Vec<Value> =
            arms.iter().map(|(id, v)| json!({ "id": id, "per_seed": { "recall": [v, v] } })).collect();
        json!({ "arms": arms })
    }

    #[test]
    fn a_new_arm_enters_a_known_one_is_checked_and_other_worlds_do_not_answer() {
        let task = plan(&[0.1, 0.3], &["local-only"]);
        let mut board = metrics(&[("local-only", 0.2)]);
        let theirs = |rates: &[f64], value: f64| Submission {
            name: "theirs".into(),
            plan: plan(rates, &["local-only", "new"]),
            metrics: metrics(&[("local-only", value), ("new", 0.4)]),
        };
        assert_eq!(theirs(&[0.1, 0.3], 0.2).enter(&task, &mut board).unwrap(), ["new"]);
        assert_eq!(list(&board["arms"]).len(), 2);
        let error = theirs(&[0.1, 0.3], 0.3).enter(&task, &mut board).unwrap_err();
        assert_eq!(error.exit_code(), 4, "{error}");
        let error = theirs(&[0.1, 0.3, 1.0], 0.2).enter(&task, &mut board).unwrap_err().to_string();
        assert!(error.contains("3 candidates, the task allows 2"), "{error}");
        // The same name with another setting is another method.
        assert_eq!(theirs(&[0.2], 0.9).enter(&task, &mut board).unwrap()[0], "local-only (theirs)");
        let mut elsewhere = theirs(&[0.1], 0.2);
        assert!(elsewhere.answers(&task));
        elsewhere.plan["worlds"] = json!(["w0", "w2"]);
        assert!(!elsewhere.answers(&task));
    }
}
