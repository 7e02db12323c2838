//! `benchmark NAME`: a versioned set of tasks, run in the store, as one table: `leaderboard.csv` and the mean rank of every
//! method with a bootstrap interval. Bundles of other people's methods enter beside ours (`submission`).
//!
//! Ranks are taken in each cell (a world of a task) among the methods that have a value there, ties sharing their mean rank;
//! the bootstrap draws worlds within each task, so tasks stay as they are (Efron and Tibshirani 1993, ch. 8). What is not
//! promised: that ranks of few worlds mean anything; the interval says how little.

use super::redo::redo;
use super::{Said, list, long};
use crate::config::{load, parse, read};
use crate::fault::{Fault, config, runtime};
use crate::plan::Plan;
use equipoise_core::{Draw, Seed};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Resamples of the interval.
const RESAMPLES: u64 = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Suite {
    version: String,
    metric: String,
    task: Vec<Task>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Task {
    id: String,
    experiment: PathBuf,
    set: Vec<String>,
}

/// Ranks by method in one world of a task; 1 is best.
type Cell = BTreeMap<String, f64>;

pub(super) fn run(
    suite: &Path,
    with: &[PathBuf],
    out: &Path,
    runs: &Path,
    quiet: bool,
) -> Result<Said, Fault> {
    let tasks: Suite = parse(suite, &read(suite, "benchmark")?)?;
    let file = |task: &Task| suite.parent().unwrap_or(Path::new(".")).join(&task.experiment);
    // Every task is checked before the first works.
    let plan = |task: &Task| Plan::new(&load(&file(task), &task.set)?);
    let plans: Vec<Plan> = tasks.task.iter().map(plan).collect::<Result<_, _>>()?;
    let mut results = Vec::new();
    for (task, plan) in tasks.task.iter().zip(&plans) {
        results.push((task.id.clone(), redo(plan, runs, quiet)?));
    }
    let entered = super::submission::enter_all(with, &plans, &mut results)?;
    std::fs::create_dir_all(out).map_err(runtime)?;
    let path = out.join("leaderboard.csv");
    let board = long::leaderboard(&results);
    equipoise_store::write_atomic(&path, board.as_bytes()).map_err(runtime)?;
    let cells: Vec<Vec<Cell>> = results.iter().map(|(_, metrics)| cells(metrics, &tasks.metric)).collect();
    if cells.iter().all(Vec::is_empty) {
        return Err(config(format!("metric: `{}` has no value in any task", tasks.metric)));
    }
    let (mut text, mut rows) = (String::new(), Vec::new());
    let _ = writeln!(
        text,
        "{} {}: mean rank by {}, 95 % bootstrap over worlds",
        suite.display(),
        tasks.version,
        tasks.metric
    );
    for (method, mean, low, high) in ranking(&cells) {
        let _ = writeln!(text, "{method:<28} {mean:>6.2} [{low:.2}, {high:.2}]");
        rows.push(json!({ "method": method, "rank": mean, "low": low, "high": high }));
    }
    for (task, method) in &entered {
        let _ = writeln!(text, "entered in {task}: {method}");
    }
    let _ = writeln!(text, "leaderboard: {}", path.display());
    Ok(Said::new(
        text,
        json!({ "version": tasks.version, "metric": tasks.metric, "ranks": rows, "entered": entered, "leaderboard": path }),
    ))
}

/// The ranks of all methods, a cell a world.
fn cells(metrics: &Value, metric: &str) -> Vec<Cell> {
    let info = list(&metrics["metrics"]).iter().find(|info| info["name"] == metric);
    let higher = info.is_none_or(|info| info["higher_is_better"] == true);
    let worlds = metrics["seeds"].as_u64().and_then(|seeds| usize::try_from(seeds).ok()).unwrap_or(0);
    let cell = |world: usize| -> Cell {
        let value =
            |arm: &Value| arm["per_seed"][metric][world].as_f64().map(|v| if higher { -v } else { v });
        let values: Vec<(String, f64)> = list(&metrics["arms"])
            .iter()
            .filter_map(|arm| Some((arm["id"].as_str()?.to_owned(), value(arm)?)))
            .collect();
        let rank = |value: f64| {
            let below = values.iter().filter(|(_, other)| *other < value).count();
            let equal = values.iter().filter(|(_, other)| other.total_cmp(&value).is_eq()).count();
            #[allow(clippy::cast_precision_loss)]
            let rank = below as f64 + (equal as f64 + 1.0) / 2.0;
            rank
        };
        values.iter().map(|(method, value)| (method.clone(), rank(*value))).collect()
    };
    (0..worlds).map(cell).filter(|cell| !cell.is_empty()).collect()
}

/// Method, mean rank and its interval; the best first.
fn ranking(tasks: &[Vec<Cell>]) -> Vec<(String, f64, f64, f64)> {
    let whole: Vec<&Cell> = tasks.iter().flatten().collect();
    let means = mean_ranks(&whole);
    let mut draws: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for resample in 0..RESAMPLES {
        let mut rng = Seed::root(0).derive("benchmark ranks", resample).rng();
        let mut drawn = Vec::new();
        for cells in tasks.iter().filter(|cells| !cells.is_empty()) {
            for _ in cells {
                drawn.push(&cells[rng.below(cells.len())]);
            }
        }
        for (method, mean) in mean_ranks(&drawn) {
            draws.entry(method).or_default().push(mean);
        }
    }
    let mut rows: Vec<(String, f64, f64, f64)> = means
        .into_iter()
        .map(|(method, mean)| {
            let mut values = draws.remove(&method).unwrap_or_else(|| vec![mean]);
            values.sort_by(f64::total_cmp);
            let (last, tail) = (values.len() - 1, values.len() / 40);
            (method, mean, values[tail.min(last)], values[last - tail.min(last)])
        })
        .collect();
    rows.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
    rows
}

fn mean_ranks(cells: &[&Cell]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (method, rank) in cells.iter().flat_map(|cell| cell.iter()) {
        let sum = sums.entry(method.clone()).or_default();
        *sum = (sum.0 + rank, sum.1 + 1.0);
    }
    sums.into_iter().map(|(method, (sum, count))| (method, sum / count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(values: [[f64; 3]; 2]) -> Value {
        let arm = |id: &str, values: [f64; 3]| json!({ "id": id, "per_seed": { "recall": values } });
        json!({ "seeds": 3, "metrics": [{ "name": "recall", "higher_is_better": true }],
            "arms": [arm("good", values[0]), arm("bad", values[1])] })
    }

    #[test]
    fn the_better_method_ranks_first_and_ties_share() {
        let always = ranking(&[cells(&metrics([[0.9, 0.8, 0.7], [0.1, 0.2, 0.3]]), "recall")]);
        assert_eq!(always[0], ("good".into(), 1.0, 1.0, 1.0));
        let mixed = ranking(&[cells(&metrics([[0.9, 0.8, 0.1], [0.1, 0.2, 0.1]]), "recall")]);
        assert!((mixed[0].1 - 3.5 / 3.0).abs() < 1e-12, "one world is a tie: {mixed:?}");
        assert!(mixed[0].2 < mixed[0].3, "worlds disagree, so the interval has a width");
    }
}
