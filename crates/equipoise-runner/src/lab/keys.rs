//! `schema`: the JSON Schema (draft 2020-12) of experiment files, for editors that complete and underline.
//!
//! It is asked from the reader itself: in each table of the built-in experiments a key that nobody has is put, and the
//! reader's answer lists the keys that it knows; a key is taken away, and the answer says whether it was needed; a value of
//! another kind is put in its place, and the answer says whether that kind is read. So schema and reader cannot disagree on
//! a key that any experiment uses. Not promised: ranges of numbers, and the inside of a strategy that no experiment uses.

use super::template::TEMPLATES;
use crate::config::{Experiment, tables};
use serde_json::{Map, Value, json};
use toml::Value as Toml;

/// A key that no table has.
const NOBODY: &str = "zz-nobody";

/// The schema.
pub(super) fn schema() -> Value {
    let examples: Vec<Toml> = TEMPLATES
        .iter()
        .filter_map(|(_, text)| toml::from_str(text).ok())
        .flat_map(|table: toml::Table| tables(&table))
        .map(Toml::Table)
        .collect();
    let mut schema = node(&examples, &[]);
    if let Some(map) = schema.as_object_mut() {
        map.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        map.insert("title".into(), "Equipoise experiment".into());
    }
    schema
}

/// The reader's complaint about a file, if it has one.
fn complaint(file: &Toml) -> Option<String> {
    file.clone().try_into::<Experiment>().err().map(|error| error.message().to_owned())
}

fn at<'a>(file: &'a Toml, path: &[String]) -> Option<&'a Toml> {
    path.iter().try_fold(file, |value, key| match value {
        Toml::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key.as_str()),
    })
}

/// The complaint about a file in which the value at `path` is another, or is gone.
fn with(file: &Toml, path: &[String], value: Option<Toml>) -> Option<String> {
    let mut file = file.clone();
    let (last, parents) = path.split_last()?;
    let mut place = &mut file;
    for key in parents {
        place = match place {
            Toml::Array(items) => items.get_mut(key.parse::<usize>().ok()?)?,
            other => other.get_mut(key.as_str())?,
        };
    }
    match (place, value) {
        (Toml::Array(items), Some(value)) => *items.get_mut(last.parse::<usize>().ok()?)? = value,
        (Toml::Table(table), Some(value)) => {
            table.insert(last.clone(), value);
        }
        (Toml::Table(table), None) => {
            table.remove(last);
        }
        _ => return None,
    }
    complaint(&file)
}

/// The words that a complaint about [`NOBODY`] expects, if it is one of the kind `what`.
fn expected(complaint: Option<&String>, what: &str) -> Option<Vec<String>> {
    let message = complaint?;
    let begins = message.starts_with(&format!("unknown {what} `{NOBODY}`"));
    begins.then(|| message.split('`').skip(3).step_by(2).map(str::to_owned).collect())
}

fn join(path: &[String], key: &str) -> Vec<String> {
    path.iter().cloned().chain([key.to_owned()]).collect()
}

fn node(files: &[Toml], path: &[String]) -> Value {
    let having: Vec<&Toml> = files.iter().filter(|file| at(file, path).is_some()).collect();
    let Some(&first) = having.first() else { return json!({}) };
    let table = having.iter().copied().find(|file| at(file, path).is_some_and(Toml::is_table));
    let Some(file) = table else { return leaf(first, path) };
    let bogus = with(file, &join(path, NOBODY), Some(Toml::Boolean(true)));
    if let Some(fields) = expected(bogus.as_ref(), "field") {
        return object(files, file, path, &fields);
    }
    let choice: toml::Table = [(NOBODY.to_owned(), Toml::Table(toml::Table::new()))].into_iter().collect();
    if let Some(variants) = expected(with(file, path, Some(Toml::Table(choice))).as_ref(), "variant") {
        // A choice without parameters is a word, the others are tables.
        let word = |variant: &String| with(file, path, Some(Toml::String(variant.clone()))).is_none();
        let (words, tables): (Vec<String>, Vec<String>) = variants.into_iter().partition(word);
        let mut properties = Map::new();
        for variant in tables {
            let deeper = node(files, &join(path, &variant));
            properties.insert(variant, deeper);
        }
        let table = json!({ "type": "object", "properties": properties, "additionalProperties": false,
            "minProperties": 1, "maxProperties": 1 });
        return if words.is_empty() { table } else { json!({ "anyOf": [{ "enum": words }, table] }) };
    }
    json!({ "type": "object" })
}

fn object(files: &[Toml], file: &Toml, path: &[String], fields: &[String]) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in fields {
        let place = join(path, field);
        let gone = at(file, &place).and_then(|_| with(file, &place, None));
        if gone.is_some_and(|why| why.starts_with(&format!("missing field `{field}`"))) {
            required.push(field.clone());
        }
        properties.insert(field.clone(), node(files, &place));
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A value that is no table: which kinds the reader takes in its place.
fn leaf(file: &Toml, path: &[String]) -> Value {
    let nobody = || Toml::String(NOBODY.into());
    if let Some(words) = expected(with(file, path, Some(nobody())).as_ref(), "variant") {
        return json!({ "enum": words });
    }
    if let Some(Toml::Array(items)) = at(file, path) {
        let items = if items.is_empty() { json!({}) } else { leaf(file, &join(path, "0")) };
        return json!({ "type": "array", "items": items });
    }
    let takes =
        |value: Toml| !with(file, path, Some(value)).is_some_and(|why| why.starts_with("invalid type"));
    let number = if takes(Toml::Float(0.5)) { "number" } else { "integer" };
    let kinds = [
        (takes(Toml::Boolean(true)), "boolean"),
        (takes(Toml::Integer(1)), number),
        (takes(nobody()), "string"),
    ];
    let kinds: Vec<&str> = kinds.iter().filter(|(takes, _)| *takes).map(|(_, kind)| *kind).collect();
    match kinds.as_slice() {
        [] => json!({}),
        [one] => json!({ "type": one }),
        several => json!({ "type": several }),
    }
}
