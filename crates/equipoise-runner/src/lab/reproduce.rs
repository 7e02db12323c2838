//! `reproduce BUNDLE`: checks a bundle's sums, makes its plan again from its inputs, computes everything from nothing in a
//! directory that vanishes, and holds each number against the published one. PASS or FAIL, metric by metric.
//!
//! An edited bundle fails where it was edited: at its sums; if those were mended, at its plan (configuration, world file);
//! if only published numbers were changed, at these numbers. Numbers are equal up to 1e-9 of their size: across threads they
//! are the same bits, across processors with other vector instructions the last ones may differ.

use super::bundle::{SUMS, replan, sums};
use super::compare::differences;
use super::redo::redo;
use super::scratch::Scratch;
use super::zip::{self, Members};
use super::{Said, list};
use crate::fault::{Fault, config, runtime};
use crate::study::STUDY;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Sections of `metrics.json` that follow from the units alone, besides the arms.
const SECTIONS: [&str; 9] = [
    "comparisons",
    "closed",
    "patterns",
    "coalitions",
    "calibration",
    "ledger",
    "costs",
    "outcomes",
    "facts",
];

pub(super) fn bundle(path: &Path, runs: &Path, quiet: bool) -> Result<Said, Fault> {
    let bytes = std::fs::read(path)
        .map_err(|error| config(format!("{}: {error}; check the path", path.display())))?;
    let members = zip::read(&bytes).map_err(|error| config(format!("{}: {error}", path.display())))?;
    let mut wrong = changed_files(&members);
    if wrong.is_empty() {
        let scratch = Scratch::new(runs, "reproduce")?;
        if members.contains_key(STUDY) {
            return super::study::reproduce(&members, &scratch.0, quiet);
        }
        let plan = replan(&members, &scratch.0)?;
        let text = serde_json::to_string(&plan).map_err(runtime)?;
        let again: Value = serde_json::from_str(&text).map_err(runtime)?;
        let published = json_member(&members, "plan.json")?;
        wrong = said("plan", differences(&published, &again));
        if wrong.is_empty() {
            let is = redo(&plan, &scratch.0, quiet)?;
            return Ok(verdict(&json_member(&members, "metrics.json")?, &is));
        }
    }
    Ok(not_what_was_exported(&path.display().to_string(), wrong))
}

/// Differences between what was published and what the inputs give, in words.
pub(super) fn said(what: &str, differ: Vec<(String, Value, Value)>) -> Vec<String> {
    let words = |(key, was, is)| format!("{what}: {key}: {was} is published, the bundle's inputs give {is}");
    differ.into_iter().map(words).collect()
}

/// A bundle that fails before any work, and where.
pub(super) fn not_what_was_exported(path: &str, mut wrong: Vec<String>) -> Said {
    let count = wrong.len();
    wrong.truncate(20);
    let text = wrong.iter().fold(String::new(), |text, why| text + "FAIL  " + why + "\n");
    let why = format!(
        "{path}: {count} difference{}; it is not what was exported:\n  {}",
        if count == 1 { "" } else { "s" },
        wrong.join("\n  ")
    );
    Said { text, json: json!({ "pass": false, "differs": wrong }), fault: Some(Fault::Mismatch(why)) }
}

/// Members that do not have their recorded sum, are missing, or are not recorded.
pub(super) fn changed_files(members: &Members) -> Vec<String> {
    let parse = |text: &str| -> BTreeMap<String, String> {
        let lines = text.lines().filter_map(|line| line.split_once("  "));
        lines.map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect()
    };
    let recorded = members.get(SUMS).map(|bytes| parse(&String::from_utf8_lossy(bytes))).unwrap_or_default();
    let has = parse(&sums(members));
    let mut wrong = Vec::new();
    for (name, sum) in &recorded {
        match has.get(name) {
            None => wrong.push(format!("{name}: missing")),
            Some(is) if is != sum => wrong.push(format!("{name}: its content was changed")),
            Some(_) => {}
        }
    }
    wrong.extend(
        has.keys().filter(|name| !recorded.contains_key(*name)).map(|name| format!("{name}: not in {SUMS}")),
    );
    wrong
}

pub(super) fn json_member(members: &Members, name: &str) -> Result<Value, Fault> {
    let bytes =
        members.get(name).ok_or_else(|| config(format!("the bundle has no `{name}`; export it again")))?;
    serde_json::from_slice(bytes).map_err(|error| config(format!("{name}: {error}; export the bundle again")))
}

/// Published and recomputed numbers, row by row.
fn verdict(published: &Value, again: &Value) -> Said {
    judged(&rows(published), &rows(again))
}

/// The same of rows by name.
pub(super) fn judged(was: &BTreeMap<String, Value>, is: &BTreeMap<String, Value>) -> Said {
    let (mut text, mut wrong, mut passed, mut json_rows) = (String::new(), Vec::new(), 0, Vec::new());
    let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let none = Value::Null;
        let pair = (was.get(name).unwrap_or(&none), is.get(name).unwrap_or(&none));
        let differs: Vec<String> = differences(pair.0, pair.1)
            .into_iter()
            .filter(|(_, a, b)| !close(a, b))
            .map(|(key, a, b)| format!("{name}: {key}: {a} is published, {b} is computed"))
            .collect();
        let _ = writeln!(text, "{}  {name}", if differs.is_empty() { "PASS" } else { "FAIL" });
        json_rows.push(json!({ "what": name, "pass": differs.is_empty() }));
        passed += usize::from(differs.is_empty());
        wrong.extend(differs);
    }
    let _ = writeln!(text, "{passed} of {} reproduced", json_rows.len());
    let json = json!({ "pass": wrong.is_empty(), "rows": json_rows, "differs": wrong });
    let fault = (!wrong.is_empty()).then(|| {
        let shown = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n  ");
        Fault::Mismatch(format!("{} numbers are not reproduced:\n  {shown}", wrong.len()))
    });
    Said { text, json, fault }
}

/// What is held against each other: each metric of each arm, and each section.
fn rows(metrics: &Value) -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    for arm in list(&metrics["arms"]) {
        let id = arm["id"].as_str().unwrap_or_default();
        let metrics = arm["per_seed"].as_object().into_iter().chain(arm["summaries"].as_object());
        for metric in metrics.flat_map(serde_json::Map::keys) {
            let value = json!({ "by world": arm["per_seed"][metric], "summary": arm["summaries"][metric] });
            rows.insert(format!("{id} {metric}"), value);
        }
        let mut rest = arm.clone();
        if let Some(map) = rest.as_object_mut() {
            map.remove("per_seed");
            map.remove("summaries");
        }
        rows.insert(format!("{id} curves and groups"), rest);
    }
    for section in SECTIONS {
        rows.insert(section.to_owned(), metrics[section].clone());
    }
    rows
}

/// Equal, or numbers (or lists of numbers) that differ by rounding.
fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(a, b)),
        _ => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            _ => a == b,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_number_fails_and_rounding_passes() {
        let metrics = |recall: f64| {
            json!({ "arms": [{ "id": "x", "label": "x",
            "per_seed": { "recall": [recall, null] }, "summaries": { "recall": { "single-run": { "value": recall } } } }] })
        };
        assert!(verdict(&metrics(0.25), &metrics(0.25 + 1e-12)).fault.is_none());
        let said = verdict(&metrics(0.26), &metrics(0.25));
        assert!(
            said.text.contains("FAIL  x recall") && said.text.contains("PASS  x curves"),
            "{}",
            said.text
        );
        assert_eq!(said.fault.unwrap().exit_code(), 4);
    }

    #[test]
    fn changed_missing_and_added_files_are_named() {
        let mut members: Members = [("a".to_owned(), vec![1]), ("b".to_owned(), vec![2])].into();
        members.insert(SUMS.into(), sums(&members).into_bytes());
        assert!(changed_files(&members).is_empty());
        members.insert("a".into(), vec![9]);
        members.insert("c".into(), vec![3]);
        members.remove("b");
        let wrong = changed_files(&members).join("; ");
        assert_eq!(wrong, "a: its content was changed; b: missing; c: not in SHA256SUMS");
    }
}
