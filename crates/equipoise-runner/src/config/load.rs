//! From a file and its overrides to checked points. Every error names its place; all points are checked before any work.

use super::Experiment;
use super::check::check;
use super::sweep::{Budget, Point, expand, override_key, read_with, split_top};
use crate::fault::{Fault, config};
use equipoise_synth::WorldSpec;
use std::path::{Path, PathBuf};

/// A file that was read, overridden, expanded and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The experiment file.
    pub path: PathBuf,
    /// Its text, as given.
    pub text: String,
    /// The world that it names, with persons and days as the experiment asks.
    pub world: WorldSpec,
    /// The points of the sweep; one if there is none.
    pub points: Vec<Point>,
    /// For each point, the point that it is compared with, where the sweep names a baseline.
    pub baseline: Option<Vec<usize>>,
    /// What the run may spend.
    pub budget: Budget,
    /// The overrides, as given.
    pub overrides: Vec<String>,
}

impl Loaded {
    /// The first point: name, question and seeds are the same at all of them.
    #[must_use]
    pub fn first(&self) -> &Experiment {
        &self.points[0].experiment
    }
}

/// Reads an experiment file, applies `key=value` overrides and checks every point.
///
/// # Errors
/// If the file is missing or anything in it cannot be right: a [`Fault::Config`] that names the place.
pub fn load(path: &Path, overrides: &[String]) -> Result<Loaded, Fault> {
    load_on(path, overrides, None)
}

/// The same on another world file than the one that the experiment names: the one of a bundle.
///
/// # Errors
/// As [`load`].
pub fn load_on(path: &Path, overrides: &[String], dataset: Option<&Path>) -> Result<Loaded, Fault> {
    let text = read(path, "experiment file")?;
    // The typed read of the untouched text comes first: only it knows lines.
    let _: Experiment = parse(path, &text)?;
    let mut table: toml::Table = parse(path, &text)?;
    let mut problems = Vec::new();
    for given in overrides {
        let set = given.split_once('=').ok_or_else(|| "expected key=value".to_owned());
        let done = set.and_then(|(key, value)| override_key(&mut table, key.trim(), value.trim()));
        problems.extend(done.err().map(|why| format!("--set {given}: {why}")));
    }
    if !problems.is_empty() {
        return Err(config(problems.join("\n")));
    }
    let expanded = expand(&table).map_err(|why| {
        let lines = why.lines().map(|why| located(path, &text, why));
        config(lines.collect::<Vec<_>>().join("\n"))
    })?;
    if !expanded.problems.is_empty() {
        // What --set brought in is said of --set: the file has no line for it.
        let brought = misread(path, &text, overrides)?;
        if !brought.is_empty() {
            return Err(config(brought.join("\n")));
        }
    }
    let points = expanded.points;
    problems.extend(expanded.problems.iter().map(|why| located(path, &text, why)));
    if points.is_empty() {
        return Err(config(problems.join("\n")));
    }
    let world = read_world(path, &text, &points, dataset)?;
    // What is wrong at every point is said once.
    let mut wrong: Vec<(String, Vec<&Point>)> = Vec::new();
    for point in &points {
        for why in check(point, &world) {
            match wrong.iter_mut().find(|(known, _)| *known == why) {
                Some((_, at)) => at.push(point),
                None => wrong.push((why, vec![point])),
            }
        }
    }
    for (why, at) in wrong {
        let everywhere = at.len() == points.len();
        let named: Vec<String> = at.iter().filter(|_| !everywhere).map(|point| point.label()).collect();
        let of =
            if named.is_empty() { String::new() } else { format!(" (sweep point {})", named.join("; ")) };
        problems.push(located(path, &text, &why) + &of);
    }
    if problems.is_empty() {
        let (baseline, budget) = (expanded.baseline, expanded.budget);
        let (path, overrides) = (path.into(), overrides.to_vec());
        Ok(Loaded { path, text, world, points, baseline, budget, overrides })
    } else {
        problems.dedup();
        Err(config(problems.join("\n")))
    }
}

/// The overridden values that the file cannot be read with, each by itself.
fn misread(path: &Path, text: &str, overrides: &[String]) -> Result<Vec<String>, Fault> {
    let table: toml::Table = parse(path, text)?;
    let of = |given: &String| -> Option<Vec<String>> {
        let (key, values) = given.split_once('=')?;
        let wrong = |value: &str| {
            let error = read_with(&table, key.trim(), value).err()?;
            let mend = super::suggest::mend(&error);
            Some(format!("--set {}={}: {error}\n  mend: {mend}", key.trim(), value.trim()))
        };
        Some(split_top(values).into_iter().filter_map(wrong).collect())
    };
    Ok(overrides.iter().filter_map(of).flatten().collect())
}

/// The text of a file that is called `what`.
pub(crate) fn read(path: &Path, what: &str) -> Result<String, Fault> {
    std::fs::read_to_string(path).map_err(|error| {
        config(format!(
            "{}: the {what} cannot be read ({error}); check the path and its rights",
            path.display()
        ))
    })
}

/// Parses TOML; the error says file, line, column, what was expected and, of a misspelt word, which was meant.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, Fault> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let (line, column) = place(text, at);
        let (message, mend) = (error.message(), super::suggest::mend(error.message()));
        // Of the reader's own words only the picture of the place: place and message stand before it already.
        let whole = error.to_string();
        let picture = whole.lines().skip(1).take_while(|line| line.contains('|'));
        let picture: String = picture.map(|line| format!("  {line}\n")).collect();
        config(format!(
            "{}, line {line}, column {column}: {message}\n{picture}  mend: {mend}",
            path.display()
        ))
    })
}

/// Line and column of a byte, both from 1; columns count characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    (1 + before.matches('\n').count(), 1 + before[begin..].chars().count())
}

fn read_world(
    path: &Path,
    whole: &str,
    points: &[Point],
    dataset: Option<&Path>,
) -> Result<WorldSpec, Fault> {
    let first = &points[0].experiment;
    let section = &first.world;
    let shared = |e: &Experiment| {
        (
            e.experiment.clone(),
            e.world.clone(),
            e.features,
            e.protocol.clone(),
            e.evaluation.clone(),
            e.arms.clone(),
            e.tuning.worlds,
        )
    };
    if points.iter().any(|point| shared(&point.experiment) != shared(first)) {
        let why = "a sweep may change [model], [training], [federation], [aggregation], [privacy] and learning rates; \
                   arms on different worlds, features, protocols or evaluations do not pair, so write one file for each";
        return Err(config(located(path, whole, &format!("sweep: {why}"))));
    }
    let named = || path.parent().unwrap_or_else(|| Path::new(".")).join(&section.dataset);
    let file = dataset.map_or_else(named, Path::to_owned);
    let lost = |fault: Fault| config(located(path, whole, &format!("dataset: {fault}")));
    let text = read(&file, "world file").map_err(lost)?;
    let mut world: WorldSpec = parse(&file, &text)?;
    world.persons = section.persons;
    world.days = section.days;
    world.validate().map_err(|error| config(format!("{}: {error}", file.display())))?;
    Ok(world)
}

/// Puts file, line and column before a problem, by the key that it begins with.
fn located(path: &Path, text: &str, why: &str) -> String {
    let key = why.split(':').next().unwrap_or("");
    let last = key.rsplit('.').next().unwrap_or(key);
    let sets = |line: &str, key: &str| {
        let line = line.trim_start();
        let begins = line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']));
        let heads = |rest: &str| rest.starts_with(key) || rest.contains(&format!(".{key}"));
        begins || line.strip_prefix('[').is_some_and(heads)
    };
    // A key of an inline table stands further inside its line.
    let inside = |line: &str, key: &str| {
        [format!(" {key} = "), format!(".{key} = "), format!("\"{key}\"")]
            .iter()
            .any(|word| line.contains(word))
    };
    let find = |fits: &dyn Fn(&str) -> bool| text.lines().position(fits);
    let line = find(&|line| sets(line, key))
        .or_else(|| find(&|line| inside(line, key)))
        .or_else(|| find(&|line| sets(line, last)))
        .unwrap_or(0);
    let found = text.lines().nth(line).unwrap_or("");
    let at = found.find(key).or_else(|| found.find(last)).map_or(0, |at| found[..at].chars().count());
    format!("{}, line {}, column {}: {why}", path.display(), line + 1, at + 1)
}
