//! A sweep: keys that take several values. The product of its grid is expanded, typed and checked before any work.

use super::Experiment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Axes over any dotted key of the file. Worlds are the axis of seeds (`experiment.seeds`): every point sees the same ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sweep {
    /// Every combination of these values is one point. A key that names several, as `"a, b"`, moves them together: each of its
    /// values is a list with one value for each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grid: BTreeMap<String, Vec<toml::Value>>,
    /// Settings that belong together, one table for each; combined with every point of the grid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zip: Vec<BTreeMap<String, toml::Value>>,
    /// The values of the point that every other is compared with, metric by metric, paired by world. Axes that it does not
    /// name stay as they are on both sides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baseline: BTreeMap<String, toml::Value>,
    /// What the whole run may spend; an estimate above it is refused before any work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// The most that a run may spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budget {
    /// Minutes of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Gigabytes (10^9 bytes) on the disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_gb: Option<f64>,
    /// Sum of the epsilons of all models that are trained with a guarantee on one world's rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
}

impl Budget {
    fn problems(&self) -> Vec<String> {
        let limits = [("minutes", self.minutes), ("disk-gb", self.disk_gb), ("epsilon", self.epsilon)];
        let wrong =
            limits.iter().filter(|(_, limit)| limit.is_some_and(|limit| !limit.is_finite() || limit <= 0.0));
        wrong
            .map(|(name, _)| format!("{name}: a budget is a number above 0; leave it out for no limit"))
            .collect()
    }
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

/// A sweep, expanded.
pub(super) struct Expanded {
    /// Those that can be read.
    pub(super) points: Vec<Point>,
    /// What is wrong with the others, and with the sweep itself; each begins with the key that mends it.
    pub(super) problems: Vec<String>,
    /// For each point, the point that it is compared with.
    pub(super) baseline: Option<Vec<usize>>,
    pub(super) budget: Budget,
}

/// Expands the table's sweep.
pub(super) fn expand(table: &toml::Table) -> Result<Expanded, String> {
    let mut base = table.clone();
    let sweep: Sweep = base
        .remove("sweep")
        .map(|value| value.try_into().map_err(|e: toml::de::Error| format!("sweep: {}", e.message())))
        .transpose()?
        .unwrap_or_default();
    let mut problems = sweep.budget.iter().flat_map(Budget::problems).collect::<Vec<_>>();
    let mut settings: Vec<BTreeMap<String, toml::Value>> = vec![BTreeMap::new()];
    for (key, values) in &sweep.grid {
        if values.is_empty() {
            problems
                .push(format!("{key}: this axis of sweep.grid has no values; give some, or leave it out"));
            continue;
        }
        let moved: Result<Vec<_>, String> = settings
            .iter()
            .flat_map(|setting| values.iter().map(move |value| together(setting, key, value)))
            .collect();
        match moved {
            Ok(moved) => settings = moved,
            Err(why) => problems.push(why),
        }
    }
    problems.extend(zip_problems(&sweep));
    if !sweep.zip.is_empty() {
        settings =
            settings.iter().flat_map(|setting| sweep.zip.iter().map(|zip| joined(setting, zip))).collect();
    }
    let (points, wrong): (Vec<_>, Vec<_>) =
        settings.into_iter().map(|set| point(&base, set)).partition(Result::is_ok);
    problems.extend(wrong.into_iter().filter_map(Result::err));
    let points: Vec<Point> = points.into_iter().filter_map(Result::ok).collect();
    let mut baseline = None;
    if problems.is_empty() && !sweep.baseline.is_empty() {
        match baselines(&points, &sweep.baseline) {
            Ok(found) => baseline = Some(found),
            Err(why) => problems.push(why),
        }
    }
    Ok(Expanded { points, problems, baseline, budget: sweep.budget.unwrap_or_default() })
}

/// The whole file at every point of its sweep, the sweep itself left in: what a reader of all that files can say reads.
pub(crate) fn tables(table: &toml::Table) -> Vec<toml::Table> {
    let points = expand(table).map(|expanded| expanded.points).unwrap_or_default();
    let at = |point: &Point| {
        let mut table = table.clone();
        point.set.iter().try_for_each(|(key, value)| set_dotted(&mut table, key, value.clone())).ok()?;
        Some(table)
    };
    points.iter().filter_map(at).collect()
}

/// Every table of a zip sets the same keys, and none that the grid sets: else it would not be said which value holds.
fn zip_problems(sweep: &Sweep) -> Vec<String> {
    let Some(first) = sweep.zip.first() else { return vec![] };
    let in_grid = |key: &String| sweep.grid.keys().any(|axis| axis.split(',').any(|name| name.trim() == key));
    let mut problems = Vec::new();
    for (index, zip) in sweep.zip.iter().enumerate() {
        if !zip.keys().eq(first.keys()) {
            problems.push(format!(
                "zip: table {index} sets other keys than the first; every table sets the same keys"
            ));
        }
    }
    let twice = first.keys().filter(|key| in_grid(key));
    problems.extend(twice.map(|key| format!("zip: `{key}` stands in the grid too; one axis for each key")));
    problems
}

fn joined(
    setting: &BTreeMap<String, toml::Value>,
    more: &BTreeMap<String, toml::Value>,
) -> BTreeMap<String, toml::Value> {
    setting.iter().chain(more).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The index of each point's baseline: the point whose values are the baseline's where that has one, and its own elsewhere.
fn baselines(points: &[Point], baseline: &BTreeMap<String, toml::Value>) -> Result<Vec<usize>, String> {
    let wanted = |point: &Point| joined(&point.set, baseline);
    let find = |point: &Point| points.iter().position(|other| same(&other.set, &wanted(point)));
    points.iter().map(find).collect::<Option<Vec<_>>>().ok_or_else(|| {
        let keys: Vec<&str> = baseline.keys().map(String::as_str).collect();
        format!(
            "baseline: no point of the sweep has these values of {}; name one value of an axis each",
            keys.join(", ")
        )
    })
}

/// Equal, where `8` and `8.0` are the same number.
fn same(a: &BTreeMap<String, toml::Value>, b: &BTreeMap<String, toml::Value>) -> bool {
    #[allow(clippy::cast_precision_loss)]
    let number =
        |value: &toml::Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    let equal = |a: &toml::Value, b: &toml::Value| {
        a == b || number(a).zip(number(b)).is_some_and(|(a, b)| a.to_bits() == b.to_bits())
    };
    a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| equal(a, b))
}

/// Applies `--set key=value`: a value, or several with commas between them, which are an axis of the grid. A value given
/// here replaces an axis of that key in the file.
pub(super) fn override_key(table: &mut toml::Table, key: &str, text: &str) -> Result<(), String> {
    let values = split_top(text);
    if let Some(grid) =
        table.get_mut("sweep").and_then(|sweep| sweep.get_mut("grid")).and_then(toml::Value::as_table_mut)
    {
        grid.remove(key);
    }
    if let [_] = values[..] {
        return set_dotted(table, key, value_of(text));
    }
    // The path must exist even though each point sets it itself.
    set_dotted(&mut table.clone(), key, value_of(values[0]))?;
    let sweep = table.entry("sweep").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let sweep = sweep.as_table_mut().ok_or("`sweep` is not a table")?;
    let grid = sweep.entry("grid").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let grid = grid.as_table_mut().ok_or("`sweep.grid` is not a table")?;
    grid.insert(key.to_owned(), toml::Value::Array(values.into_iter().map(value_of).collect()));
    Ok(())
}

/// A value given on the command line: TOML if it is TOML, a string otherwise.
fn value_of(text: &str) -> toml::Value {
    let text = text.trim();
    toml::from_str::<toml::Table>(&format!("v = {text}"))
        .ok()
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| toml::Value::String(text.into()))
}

/// Splits at commas that stand in no bracket and no quotation.
pub(super) fn split_top(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut quote, mut start) = (Vec::new(), 0_i32, None, 0);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
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
        format!("{key}: this axis of sweep.grid moves several keys, so each value is a list of {} values, one for each key", keys.len())
    })?;
    setting.extend(keys.into_iter().map(str::to_owned).zip(values.iter().cloned()));
    Ok(setting)
}

/// Reads the table, without its sweep, with one value of the command line in it.
pub(super) fn read_with(table: &toml::Table, key: &str, value: &str) -> Result<Experiment, String> {
    let mut table = table.clone();
    table.remove("sweep");
    set_dotted(&mut table, key, value_of(value))?;
    read(table)
}

fn read(table: toml::Table) -> Result<Experiment, String> {
    toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

fn point(base: &toml::Table, set: BTreeMap<String, toml::Value>) -> Result<Point, String> {
    let mut table = base.clone();
    for (key, value) in &set {
        set_dotted(&mut table, key, value.clone()).map_err(|why| format!("{key}: sweep: {why}"))?;
    }
    let why = match read(table) {
        Ok(experiment) => return Ok(Point { set, experiment }),
        Err(why) => why,
    };
    let alone = |key: &String| {
        let mut table = base.clone();
        set_dotted(&mut table, key, set[key].clone()).is_err() || read(table).is_err()
    };
    let key = set.keys().find(|key| alone(key)).or_else(|| set.keys().next());
    let name = set.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ");
    Err(key.map_or_else(|| why.clone(), |key| format!("{key}: at {name}: {why}")))
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

    fn table(text: &str) -> toml::Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn several_values_on_the_command_line_are_an_axis_and_one_replaces_an_axis() {
        let mut file = table("[privacy]\nepsilon = 1.0\n[sweep.grid]\n\"privacy.epsilon\" = [1, 2]");
        override_key(&mut file, "privacy.epsilon", "0.5,2, inf").unwrap();
        let axis = file["sweep"]["grid"]["privacy.epsilon"].as_array().unwrap();
        assert_eq!(axis.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.5", "2", "inf"]);
        override_key(&mut file, "privacy.epsilon", "3").unwrap();
        assert!(file["sweep"]["grid"].get("privacy.epsilon").is_none());
        assert_eq!(file["privacy"]["epsilon"].as_integer(), Some(3));
        assert!(override_key(&mut file, "privcy.epsilon", "1,2").unwrap_err().contains("privcy"));
        assert_eq!(split_top("[1,2],{ a = \"x,y\" },'a,b'"), ["[1,2]", "{ a = \"x,y\" }", "'a,b'"]);
    }

    #[test]
    fn a_zip_sets_the_same_keys_and_none_of_the_grid() {
        let sweep = |text: &str| -> Sweep { toml::from_str(text).unwrap() };
        assert!(zip_problems(&sweep("zip = [{ a = 1, b = 2 }, { a = 2, b = 1 }]")).is_empty());
        assert_eq!(zip_problems(&sweep("zip = [{ a = 1 }, { b = 1 }]")).len(), 1);
        assert!(zip_problems(&sweep("zip = [{ a = 1 }]\n[grid]\n\"b, a\" = [[1, 2]]"))[0].contains("`a`"));
    }

    #[test]
    fn a_misspelt_path_makes_no_new_table() {
        let mut table: toml::Table = toml::from_str("[privacy]\nepsilon = 1.0").unwrap();
        assert!(set_dotted(&mut table, "privcy.epsilon", 2.into()).unwrap_err().contains("privcy"));
        set_dotted(&mut table, "privacy.epsilon", 2.into()).unwrap();
        assert_eq!(table["privacy"]["epsilon"], 2.into());
    }
}
