//! Keys of a policy experiment that take several values. The world is the same at all of them, so that cells pair; a cell that
//! reads nothing of what moved is the same cell and is played once.

use super::file::PolicyFile;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Sections that do not make the world.
const FREE: [&str; 3] = ["review", "measure", "score"];

/// One key with its values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Vary {
    /// A dotted key of this file; of a list its place, or the name of the entry: `measure.limit.pools.0.contact-limit.per-day`.
    pub(crate) key: String,
    /// What the axis is called, with its unit.
    pub(crate) about: String,
    /// At least one, no two alike.
    pub(crate) values: Vec<Value>,
    /// What each value is called, where values are not numbers or words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) names: Option<Vec<String>>,
}

/// The file at one value.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// The value's name; none where nothing varies.
    pub(crate) name: Option<String>,
    /// The value as a number, if it is one.
    pub(crate) number: Option<f64>,
    pub(crate) file: PolicyFile,
}

/// The file at each of its values; the file itself where it has no axis.
///
/// # Errors
/// A fragment that begins with the key that mends it.
pub(crate) fn points(file: &PolicyFile, table: &Table) -> Result<Vec<Point>, String> {
    let Some(vary) = &file.vary else {
        return Ok(vec![Point { name: None, number: None, file: file.clone() }]);
    };
    may_move(&vary.key, &FREE).map_err(|why| format!("vary.key: {why}"))?;
    if vary.values.is_empty() {
        return Err("vary.values: at least one value".into());
    }
    if let Some(names) = vary.names.as_ref().filter(|names| names.len() != vary.values.len()) {
        return Err(format!(
            "vary.names: one for each of the {} values, got {}",
            vary.values.len(),
            names.len()
        ));
    }
    let mut points: Vec<Point> = Vec::with_capacity(vary.values.len());
    for (at, value) in vary.values.iter().enumerate() {
        let name = match (&vary.names, value) {
            (Some(names), _) => names[at].clone(),
            (None, Value::Table(_) | Value::Array(_)) => {
                return Err("vary.names: values that are tables or lists need names".into());
            }
            (None, Value::String(word)) => word.clone(),
            (None, other) => other.to_string(),
        };
        let moved = set_all(table, &[(vary.key.as_str(), value.clone())])
            .map_err(|why| format!("vary.key: at {name}: {why}"))?;
        if points.iter().any(|point| point.file == moved || point.name.as_deref() == Some(name.as_str())) {
            return Err(format!("vary.values: {name} stands there twice"));
        }
        let number = value.as_float().or_else(|| {
            #[allow(clippy::cast_precision_loss, reason = "days and counts are small")]
            value.as_integer().map(|whole| whole as f64)
        });
        points.push(Point { name: Some(name), number, file: moved });
    }
    Ok(points)
}

/// Whether a key belongs to one of these sections.
///
/// # Errors
/// If not.
pub(super) fn may_move(key: &str, sections: &[&str]) -> Result<(), String> {
    let section = key.split('.').next().unwrap_or(key);
    if sections.contains(&section) {
        return Ok(());
    }
    Err(format!("`{key}` may not move here; use a key of {}", sections.join(", ")))
}

/// The file with some keys set otherwise, read again as strictly as the file itself.
///
/// # Errors
/// If a key has no place in the file, or its value is refused.
pub(super) fn set_all(table: &Table, keys: &[(&str, Value)]) -> Result<PolicyFile, String> {
    let mut root = Value::Table(table.clone());
    for (key, value) in keys {
        set(&mut root, key, value.clone())?;
    }
    root.try_into().map_err(|error: toml::de::Error| format!("`{}`: {}", first(keys), error.message()))
}

fn first<'a>(keys: &[(&'a str, Value)]) -> &'a str {
    keys.first().map_or("", |(key, _)| key)
}

/// Sets one key. Everything above it must exist: a misspelt path makes no new table.
fn set(root: &mut Value, key: &str, value: Value) -> Result<(), String> {
    let (parents, last) = key.rsplit_once('.').map_or(("", key), |(parents, last)| (parents, last));
    let mut at = root;
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        at = inside(at, part).ok_or_else(|| format!("`{key}`: there is no `{part}` in the file"))?;
    }
    match at {
        Value::Table(table) => {
            table.insert(last.to_owned(), value);
            Ok(())
        }
        other => match inside(other, last) {
            Some(place) => {
                *place = value;
                Ok(())
            }
            None => Err(format!("`{key}`: there is no `{last}` in the file")),
        },
    }
}

/// A key of a table; of a list an entry by its place or its `name`.
fn inside<'a>(value: &'a mut Value, part: &str) -> Option<&'a mut Value> {
    match value {
        Value::Table(table) => table.get_mut(part),
        Value::Array(list) => {
            let named = |entry: &Value| entry.get("name").and_then(Value::as_str) == Some(part);
            let at = part.parse().ok().filter(|at: &usize| *at < list.len());
            let at = list.iter().position(named).or(at)?;
            list.get_mut(at)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: &str = "[vary]\nkey = \"review.reviewer.delay-hours-median\"\nabout = \"hours\"\nvalues = [1.0, 24, 720.0]\n";

    fn file(with: &str) -> (PolicyFile, Table) {
        let text = include_str!("../../../../experiments/policy/signals.toml").to_owned() + with;
        (toml::from_str(&text).unwrap(), toml::from_str(&text).unwrap())
    }

    fn of(with: &str) -> Result<Vec<Point>, String> {
        let (file, table) = file(with);
        points(&file, &table)
    }

    #[test]
    fn a_file_without_an_axis_is_its_own_point() {
        let (file, table) = file("");
        let points = points(&file, &table).unwrap();
        assert!(points.len() == 1 && points[0].name.is_none() && points[0].file == file);
    }

    #[test]
    fn each_value_is_set_and_nothing_else() {
        let points = of(DELAY).unwrap();
        let delays: Vec<f64> =
            points.iter().map(|point| point.file.review.reviewer.delay_hours_median).collect();
        assert_eq!(delays, [1.0, 24.0, 720.0]);
        let names: Vec<&str> = points.iter().filter_map(|point| point.name.as_deref()).collect();
        assert_eq!(names, ["1.0", "24", "720.0"]);
        assert!(points.iter().all(|point| point.file.measure == points[0].file.measure));
        let of_a_measure = DELAY
            .replace("review.reviewer.delay-hours-median", "measure.review.pools.0.review-queue.action")
            .replace("[1.0, 24, 720.0]", "[\"ban\", \"friction\"]");
        let points = of(&of_a_measure).unwrap();
        assert_ne!(points[0].file.measure[0], points[1].file.measure[0]);
        assert_eq!(points[0].file.measure[1], points[1].file.measure[1]);
    }

    #[test]
    fn slips_are_errors_that_name_their_key() {
        let broken = |from: &str, to: &str| of(&DELAY.replace(from, to)).unwrap_err();
        assert!(broken("[1.0, 24, 720.0]", "[]").starts_with("vary.values: at least one"));
        assert!(broken("24", "1.0").contains("stands there twice"));
        assert!(broken("24", "-24").contains("must be finite and not negative"));
        assert!(broken("24", "\"soon\"").contains("invalid type"));
        assert!(broken("24", "{ a = 1 }").starts_with("vary.names: values that are tables"));
        let world = broken("review.reviewer.delay-hours-median", "world.persons");
        assert!(world.contains("use a key of review, measure, score"), "{world}");
        let misspelt = broken("reviewer.delay", "reviwer.delay");
        assert!(misspelt.contains("there is no `reviwer`"), "{misspelt}");
        let unknown = broken("delay-hours-median", "delay-hours");
        assert!(unknown.contains("unknown field"), "{unknown}");
        assert!(
            of(&format!("{DELAY}names = [\"a\"]\n")).unwrap_err().starts_with("vary.names: one for each")
        );
        assert!(toml::from_str::<PolicyFile>(&format!("{}more = 1\n", file(DELAY).1)).is_err());
    }
}
