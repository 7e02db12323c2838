//! The parameter table of a world, generated from the file that was read: key, value, source, kind of source, and the checks
//! that hold the parameter. A row exists for everything that carries a source; nothing is listed by hand but the checks.

use crate::fault::{Fault, runtime};
use equipoise_synth::WorldSpec;
use serde::Serialize;
use serde_json::Value;

/// What kind of source stands behind a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tag {
    /// Our choice; must be swept.
    Assumed,
    /// A small experiment of our own.
    OwnExperiment,
    /// Something published.
    Cited,
}

impl Tag {
    /// The word in tables.
    #[must_use]
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::OwnExperiment => "own experiment",
            Self::Cited => "cited",
        }
    }
}

/// One row of the table.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Parameter {
    /// Dotted key in the file; list entries are numbered from 0.
    pub(super) key: String,
    /// Its value.
    pub(super) value: Value,
    /// Its source, in the file's words.
    pub(super) source: String,
    /// What kind of source.
    pub(super) tag: Tag,
    /// The checks that hold it; empty where only a sweep (V21) does.
    pub(super) checks: Vec<&'static str>,
}

/// Which checks hold which keys: the longest prefix counts.
const CHECKS: [(&str, &[&str]); 42] = [
    ("population.bands", &["V1"]),
    ("population.girls", &["V1"]),
    ("population.declared-age", &["V2"]),
    ("population.vulnerability-sigma", &["V8"]),
    ("population.stranger-accept", &["V8"]),
    ("population.own-profile", &["V2", "V22"]),
    ("population.open-to-strangers", &["V8"]),
    ("population.lobby-talk", &["V8"]),
    ("population.second-accounts", &["V22"]),
    ("membership", &["V7", "V22"]),
    ("graph", &["V3", "V4", "V5"]),
    ("behaviour.sessions", &["V10"]),
    ("behaviour.activity-sigma", &["V10"]),
    ("behaviour.day-sigma", &["V10"]),
    ("behaviour.conversation", &["V6", "V10"]),
    ("behaviour.gap", &["V10"]),
    ("behaviour.reply", &["V6"]),
    ("behaviour.late-reply", &["V6", "V10"]),
    ("behaviour.lobby-strangers", &["V6", "V8"]),
    ("behaviour.stranger-talk", &["V6", "V8"]),
    ("behaviour.requests", &["V8"]),
    ("behaviour.triadic", &["V8"]),
    ("behaviour.same-generation", &["V5", "V8"]),
    ("behaviour.hours", &["V11"]),
    ("hard-negatives", &["V5", "V13"]),
    ("responses.notice", &["V18"]),
    ("responses.block", &["V18"]),
    ("responses.report", &["V18"]),
    ("responses.mute", &["V18"]),
    ("responses.category", &["V18"]),
    ("responses.accept-known", &["V6", "V8"]),
    ("responses.decline", &["V8"]),
    ("moderation.action", &["V18"]),
    ("moderation.review", &["V18"]),
    ("moderation.police", &["V7", "V9", "V22"]),
    ("moderation.wrong-confirmation", &["V22"]),
    ("linkage", &["V14"]),
    ("harm.lookalikes", &["V12", "V13"]),
    ("harm.actor-sigma", &["V12", "V13"]),
    ("harm.archetype", &["V12", "V13", "V17"]),
    ("harm.recent-in-window", &["V12", "V13"]),
    ("recorded", &["V7", "V9"]),
];

fn checks_of(key: &str) -> Vec<&'static str> {
    CHECKS
        .iter()
        .filter(|(prefix, _)| key.starts_with(prefix))
        .max_by_key(|(prefix, _)| prefix.len())
        .map_or_else(Vec::new, |(_, checks)| checks.to_vec())
}

fn tag_of(source: &str) -> Tag {
    if source.starts_with("assumed") {
        Tag::Assumed
    } else if source.starts_with("own experiment") {
        Tag::OwnExperiment
    } else {
        Tag::Cited
    }
}

/// Every sourced parameter of a world, by key.
///
/// # Errors
/// If the specification cannot be written as JSON, which no checked specification does.
pub(super) fn parameters(spec: &WorldSpec) -> Result<Vec<Parameter>, Fault> {
    let value = serde_json::to_value(spec).map_err(runtime)?;
    let mut rows = Vec::new();
    walk(&value, "", &mut rows);
    Ok(rows)
}

fn walk(value: &Value, key: &str, rows: &mut Vec<Parameter>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        Value::Object(map) => {
            if let (Some(inner), Some(Value::String(source)), 2) =
                (map.get("value"), map.get("source"), map.len())
            {
                rows.push(Parameter {
                    key: key.to_owned(),
                    value: inner.clone(),
                    source: source.clone(),
                    tag: tag_of(source),
                    checks: checks_of(key),
                });
                return;
            }
            map.iter().for_each(|(name, inner)| walk(inner, &below(name), rows));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, inner)| walk(inner, &below(&at.to_string()), rows));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn research() -> Vec<Parameter> {
        let text = include_str!("../../../../datasets/research.toml");
        parameters(&toml::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn every_source_of_the_file_is_a_row() {
        let rows = research();
        let sources = include_str!("../../../../datasets/research.toml").matches("source = \"").count();
        // Optional sections that the file leaves out may add rows, never remove one.
        assert!(rows.len() >= sources, "{} rows, {sources} sources", rows.len());
        assert!(rows.iter().any(|r| r.tag == Tag::Cited) && rows.iter().any(|r| r.tag == Tag::Assumed));
    }

    #[test]
    fn a_row_names_its_key_its_source_and_its_checks() {
        let rows = research();
        let girls = rows.iter().find(|r| r.key == "population.girls").unwrap();
        assert_eq!((girls.tag, girls.checks.as_slice()), (Tag::Assumed, ["V1"].as_slice()));
        let archetype = rows.iter().find(|r| r.key == "harm.archetype.0.requests").unwrap();
        assert_eq!(archetype.checks, ["V12", "V13", "V17"]);
        assert!(archetype.value["full"].is_number());
    }
}
