//! `compare A B`: which keys differ, and for each arm that both have, each metric of A minus that of B, paired by world.
//!
//! Worlds pair when they are the same units: the same people, days and labels. Where they are not, values of one run say
//! nothing pair by pair about the other, and no difference is printed.

use super::{Said, list, value};
use crate::fault::{Fault, config};
use equipoise_eval::stats::paired_difference;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn compare(a: &Path, b: &Path) -> Result<Said, Fault> {
    let read =
        |run: &Path| Ok::<_, Fault>((value(&run.join("plan.json"))?, value(&run.join("metrics.json"))?));
    let ((plan_a, metrics_a), (plan_b, metrics_b)) = (read(a)?, read(b)?);
    let differing = settings_that_differ(&plan_a["points"], &plan_b["points"]);
    let mut text = format!("A: {}\nB: {}\n", a.display(), b.display());
    for (key, left, right) in &differing {
        let _ = writeln!(text, "  {key}: {} -> {}", shown(left), shown(right));
    }
    if differing.is_empty() {
        text.push_str("  the configurations are the same\n");
    }
    // Where each world of A stands in B.
    let in_b = |world: &Value| list(&plan_b["worlds"]).iter().position(|other| other == world);
    let pairs: Vec<(usize, usize)> = list(&plan_a["worlds"])
        .iter()
        .enumerate()
        .filter_map(|(at, world)| Some((at, in_b(world)?)))
        .collect();
    if pairs.is_empty() {
        let why = "the runs share no world, so nothing pairs; compare runs with the same [world], [features], [protocol] and seed";
        return Err(config(format!("{text}{why}")));
    }
    let mut rows = Vec::new();
    for arm_a in list(&metrics_a["arms"]) {
        let Some(arm_b) = list(&metrics_b["arms"]).iter().find(|arm| arm["id"] == arm_a["id"]) else {
            continue;
        };
        let names: Vec<&String> =
            arm_a["per_seed"].as_object().map(|map| map.keys().collect()).unwrap_or_default();
        for metric in names {
            let at = |arm: &Value, world: usize| arm["per_seed"][metric][world].as_f64();
            let values = pairs.iter().filter_map(|(x, y)| Some((at(arm_a, *x)?, at(arm_b, *y)?)));
            let (left, right): (Vec<f64>, Vec<f64>) = values.unzip();
            let arm = arm_a["id"].as_str().unwrap_or_default();
            let (mut row, shown) = match (
                paired_difference(&left, &right, 0.95),
                left.as_slice(),
                right.as_slice(),
            ) {
                (Some(paired), ..) => {
                    let d = paired.difference;
                    let row = json!({ "arm": arm, "metric": metric, "mean": d.mean, "low": d.low, "high": d.high, "worlds": d.n, "p": paired.p });
                    (row, format!("{:.4} [{:.4}, {:.4}] over {} worlds", d.mean, d.low, d.high, d.n))
                }
                (None, [left], [right]) => {
                    let row = json!({ "arm": arm, "metric": metric, "single-run": left - right });
                    (row, format!("{:.4} (single run)", left - right))
                }
                _ => continue,
            };
            // What a run may not state of its arms, the words do not state of their difference; the JSON has both, as `metrics.json` has.
            let why = [arm_a, arm_b]
                .into_iter()
                .find_map(|arm| arm["summaries"][metric]["not-assessable"]["reason"].as_str());
            if let Some(why) = why {
                row["not-assessable"] = why.into();
            }
            if metric == metrics_a["primary"].as_str().unwrap_or_default() {
                let shown = why.map_or(shown, |why| format!("not assessable ({why})"));
                let _ = writeln!(text, "{arm}: {metric}, A minus B: {shown}");
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        let ids = |metrics: &Value| {
            let arms = list(&metrics["arms"]).iter().filter_map(|arm| arm["id"].as_str());
            arms.collect::<Vec<_>>().join(", ")
        };
        text.push_str("no arm of one name has a value in both\n");
        let _ = writeln!(text, "  A has {}\n  B has {}", ids(&metrics_a), ids(&metrics_b));
    }
    text.push_str("other metrics: --json; intervals are 95 %, not corrected for their number\n");
    let config: Vec<Value> =
        differing.iter().map(|(key, a, b)| json!({ "key": key, "a": a, "b": b })).collect();
    Ok(Said::new(text, json!({ "config": config, "metrics": rows, "worlds": pairs.len() })))
}

/// Settings that differ between two runs; what a run sweeps stands as all its values, under the name that one value has elsewhere.
fn settings_that_differ(a: &Value, b: &Value) -> Vec<(String, Value, Value)> {
    let settings = |points: &Value| {
        let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for point in list(points) {
            let mut one = BTreeMap::new();
            flatten("", point, &mut one);
            for (key, value) in one {
                let known = all.entry(key).or_default();
                if !known.contains(&value) {
                    known.push(value);
                }
            }
        }
        let of = |mut values: Vec<Value>| {
            if values.len() == 1 { values.remove(0) } else { json!({ SWEPT: values }) }
        };
        all.into_iter().map(|(key, values)| (key, of(values))).collect::<BTreeMap<String, Value>>()
    };
    let (left, right) = (settings(a), settings(b));
    unequal(&left, &right)
}

/// Keys under which two maps have unlike values, with both; null where one has none.
fn unequal(left: &BTreeMap<String, Value>, right: &BTreeMap<String, Value>) -> Vec<(String, Value, Value)> {
    let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let get = |map: &BTreeMap<String, Value>, key: &String| map.get(key).cloned().unwrap_or(Value::Null);
    let rows = keys.into_iter().map(|key| (key.clone(), get(left, key), get(right, key)));
    rows.filter(|(_, a, b)| a != b).collect()
}

/// The name under which all values of a swept key stand.
const SWEPT: &str = "swept";

/// `5 | 20 | 60` of a swept key, `-` of one that a run has not.
fn shown(value: &Value) -> String {
    match value[SWEPT].as_array() {
        Some(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | "),
        None if value.is_null() => "-".to_owned(),
        None => value.to_string(),
    }
}

/// Keys whose values differ, with both values.
pub(super) fn differences(a: &Value, b: &Value) -> Vec<(String, Value, Value)> {
    let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
    flatten("", a, &mut left);
    flatten("", b, &mut right);
    unequal(&left, &right)
}

/// Leaves by their dotted keys; the only element of a list stands without a number.
pub(super) fn flatten(prefix: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    let join = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| flatten(&join(key), value, into));
        }
        Value::Array(items) if items.len() == 1 && items[0].is_object() => flatten(prefix, &items[0], into),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(at, value)| flatten(&join(&at.to_string()), value, into));
        }
        leaf => {
            into.insert(prefix.to_owned(), leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_keys_are_named_with_both_values() {
        let a = json!([{ "privacy": { "epsilon": 1.0 }, "model": { "mlp": { "hidden": [8] } } }]);
        let b = json!([{ "privacy": { "epsilon": 2.0 }, "model": { "gru": { "hidden": 8 } } }]);
        let keys: Vec<String> = differences(&a, &b).into_iter().map(|(key, ..)| key).collect();
        assert_eq!(keys, ["model.gru.hidden", "model.mlp.hidden", "privacy.epsilon"]);
        assert!(differences(&a, &a).is_empty());
    }

    #[test]
    fn a_sweep_beside_a_single_run_differs_in_what_it_sweeps_and_nothing_else() {
        let point = |rounds: u32| json!({ "federation": { "rounds": rounds }, "training": { "batch": 64 } });
        let (sweep, single) = (json!([point(5), point(20)]), json!([point(20)]));
        let rows: Vec<String> = settings_that_differ(&sweep, &single)
            .iter()
            .map(|(key, a, b)| format!("{key}: {} -> {}", shown(a), shown(b)))
            .collect();
        assert_eq!(rows, ["federation.rounds: 5 | 20 -> 20"]);
        assert!(settings_that_differ(&sweep, &sweep).is_empty());
        let without = json!([{ "training": { "batch": 64 } }]);
        assert_eq!(shown(&settings_that_differ(&without, &single)[0].1), "-");
    }
}
