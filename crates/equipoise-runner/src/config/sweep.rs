//! A sweep: keys that take several values. The product of its grid is expanded, typed and checked before any work.

use super::Experiment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Axes over any dotted key of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sweep {
    /// Every combination of these values is one point. A key that names several, as `"a, b"`, moves them together: each of its
    /// values is a list with one value for each.
    pub grid: BTreeMap<String, Vec<toml::Value>>,
}

/// One point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The values that make it this point.
    pub set: BTreeMap<String, toml::Value>,
    /// The whole experiment at this point, without its sweep.
    pub experiment: Experiment,
}

impl Point {
    /// `key = value` pairs, for people.
    #[must_use]
    pub fn label(&self) -> String {
        self.set.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
    }
}

/// Expands the table's sweep.
pub(super) fn expand(table: &toml::Table) -> Result<Vec<Point>, String> {
    let mut base = table.clone();
    let sweep: Option<Sweep> = base
        .remove("sweep")
        .map(|value| value.try_into().map_err(|e: toml::de::Error| e.to_string()))
        .transpose()?;
    let mut settings: Vec<BTreeMap<String, toml::Value>> = vec![BTreeMap::new()];
    for (key, values) in sweep.iter().flat_map(|sweep| &sweep.grid) {
        if values.is_empty() {
            return Err(format!("sweep.grid.\"{key}\" has no values"));
        }
        settings = settings
            .iter()
            .flat_map(|setting| values.iter().map(move |value| together(setting, key, value)))
            .collect::<Result<_, String>>()?;
    }
    let (points, problems): (Vec<_>, Vec<_>) =
        settings.into_iter().map(|set| point(&base, set)).partition(Result::is_ok);
    let problems: Vec<String> = problems.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() {
        Ok(points.into_iter().filter_map(Result::ok).collect())
    } else {
        Err(problems.join("\n"))
    }
}

/// The setting with one more axis, which may move several keys at once.
fn together(
    setting: &BTreeMap<String, toml::Value>,
    key: &str,
    value: &toml::Value,
) -> Result<BTreeMap<String, toml::Value>, String> {
    let mut setting = setting.clone();
    let keys: Vec<&str> = key.split(',').map(str::trim).collect();
    if let [one] = keys[..] {
        setting.insert(one.to_owned(), value.clone());
        return Ok(setting);
    }
    let values = value.as_array().filter(|values| values.len() == keys.len()).ok_or_else(|| {
        format!("sweep.grid.\"{key}\": each value is a list of {} values, one for each key", keys.len())
    })?;
    setting.extend(keys.into_iter().map(str::to_owned).zip(values.iter().cloned()));
    Ok(setting)
}

fn point(base: &toml::Table, set: BTreeMap<String, toml::Value>) -> Result<Point, String> {
    let mut table = base.clone();
    let name = set.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ");
    for (key, value) in &set {
        set_dotted(&mut table, key, value.clone()).map_err(|why| format!("sweep over {key}: {why}"))?;
    }
    let experiment = toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| {
        if name.is_empty() { error.message().to_owned() } else { format!("at {name}: {}", error.message()) }
    })?;
    Ok(Point { set, experiment })
}

/// Sets `a.b.c` in a table. Only keys whose parent exists can be set: a misspelt path must not make a new table.
pub(super) fn set_dotted(table: &mut toml::Table, key: &str, value: toml::Value) -> Result<(), String> {
    let (parents, last) = key.rsplit_once('.').map_or((None, key), |(parents, last)| (Some(parents), last));
    let mut at = table;
    for part in parents.into_iter().flat_map(|parents| parents.split('.')) {
        at = at
            .get_mut(part)
            .and_then(toml::Value::as_table_mut)
            .ok_or_else(|| format!("there is no table `{part}` in the file"))?;
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_axis_move_together() {
        let none = BTreeMap::new();
        let value: toml::Table = toml::from_str("v = [1, \"burn\"]").unwrap();
        let set = together(&none, "model.size, training.trainer", &value["v"]).unwrap();
        assert_eq!(
            (set["model.size"].as_integer(), set["training.trainer"].as_str()),
            (Some(1), Some("burn"))
        );
        assert!(together(&none, "a, b, c", &value["v"]).unwrap_err().contains("3 values"));
        assert!(together(&none, "a", &value["v"]).unwrap()["a"].is_array());
    }

    #[test]
    fn a_misspelt_path_makes_no_new_table() {
        let mut table: toml::Table = toml::from_str("[privacy]\nepsilon = 1.0").unwrap();
        assert!(set_dotted(&mut table, "privcy.epsilon", 2.into()).unwrap_err().contains("privcy"));
        set_dotted(&mut table, "privacy.epsilon", 2.into()).unwrap();
        assert_eq!(table["privacy"]["epsilon"], 2.into());
    }
}
