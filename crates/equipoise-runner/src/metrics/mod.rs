//! `equipoise metrics FILE`: what a table of scores and labels is worth, wherever it comes from.
//!
//! The table is read, judged, printed and forgotten; nothing of it is stored. A group of fewer than 20 rows gets no number;
//! where it is the only one, the whole less the others still tells about it.

mod early;
mod print;
mod read;

use crate::fault::{Fault, config};
use clap::Args;
use equipoise_core::Seed;
use equipoise_eval::table::{
    Budget, Interval, ScoredTable, TableError, TableMetric, at_daily_budget, bootstrap,
};
use equipoise_eval::{Bootstrap, MINIMUM_COHORT};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What to judge, and how.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// CSV (header in line 1) or Parquet with columns score and label, and optionally weight, group, platform, time (days) and seen
    file: PathBuf,
    /// What can be reviewed: a number of rows such as 200, or a share such as 0.02
    #[arg(long, value_name = "N|SHARE")]
    budget: Option<Budget>,
    /// Resamples of the rows for intervals, at least 20
    #[arg(long, value_name = "N", requires = "seed")]
    bootstrap: Option<u32>,
    /// Seed of the resamples
    #[arg(long, value_name = "N", requires = "bootstrap")]
    seed: Option<u64>,
    /// Confidence level of the intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, requires = "bootstrap")]
    level: f64,
    #[command(flatten)]
    early: early::EarlyArgs,
}

/// A value or the reason why there is none, and the interval if one was asked for and exists.
struct Judged {
    name: String,
    value: Result<f64, String>,
    interval: Option<Interval>,
}

/// One table, or one group of it.
struct Judgement {
    n: usize,
    n_positive: usize,
    metrics: Vec<Judged>,
}

/// The whole answer.
struct Answer {
    columns: read::Columns,
    /// What a false alert costs.
    cost: f64,
    whole: Judgement,
    /// `None` where the group is too small.
    groups: Option<BTreeMap<String, Option<Judgement>>>,
}

/// Reads, judges and prints.
///
/// # Errors
/// If the table or an option cannot be used.
pub(crate) fn metrics(args: &MetricsArgs, json: bool) -> Result<(), Fault> {
    let how = args
        .bootstrap
        .zip(args.seed)
        .map(|(resamples, seed)| Ok((Bootstrap::new(resamples, args.level)?, Seed::root(seed))))
        .transpose()
        .map_err(|error: equipoise_eval::EvalError| config(format!("--bootstrap: {error}")))?;
    let columns = read::read(&args.file)?;
    let all: Vec<usize> = (0..columns.scores.len()).collect();
    let cost = args.early.false_alert_cost(&columns.labels);
    let judge = |rows: &[usize], how| judge(&columns, rows, args.budget, (&args.early, cost), how);
    let whole = judge(&all, how)?;
    let groups = columns.groups.as_ref().map(|groups| {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, group) in groups.iter().enumerate() {
            members.entry(group).or_default().push(row);
        }
        let judge_group = |(at, (name, rows)): (usize, (&str, Vec<usize>))| {
            let how = how.map(|(how, seed)| (how, seed.derive("group", at as u64)));
            let large = rows.len() >= MINIMUM_COHORT;
            let judged = large.then(|| judge(&rows, how)).transpose()?;
            Ok((name.to_owned(), judged))
        };
        members.into_iter().enumerate().map(judge_group).collect::<Result<_, Fault>>()
    });
    let groups = groups.transpose()?;
    print::answer(args, &Answer { columns, cost, whole, groups }, json)
}

fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}

/// Judges the named rows.
fn judge(
    columns: &read::Columns,
    rows: &[usize],
    budget: Option<Budget>,
    (early, cost): (&early::EarlyArgs, f64),
    how: Option<(Bootstrap, Seed)>,
) -> Result<Judgement, Fault> {
    let refuse = |error: TableError| config(error.to_string());
    let (scores, labels) = (pick(&columns.scores, rows), pick(&columns.labels, rows));
    let weights = columns.weights.as_ref().map(|weights| pick(weights, rows));
    let table = ScoredTable::new(&scores, &labels, weights.as_deref()).map_err(refuse)?;
    let intervals = match how {
        Some((how, seed)) => bootstrap(&TableMetric::ALL, &table, budget, &how, seed),
        None => vec![None; TableMetric::ALL.len()],
    };
    let judged = |(metric, interval): (TableMetric, Option<Interval>)| Judged {
        name: metric.about().name.to_owned(),
        value: metric.compute(&table, budget).map_err(|why| why.to_string()),
        interval,
    };
    let mut metrics: Vec<Judged> = TableMetric::ALL.into_iter().zip(intervals).map(judged).collect();
    let daily = match (budget, &columns.times) {
        (None, _) => Err("no budget was given".to_owned()),
        (_, None) => Err("the table has no column `time`, which says the day".to_owned()),
        (Some(budget), Some(times)) => {
            let platform =
                |row: usize| columns.platforms.as_ref().map_or("", |platforms| platforms[row].as_str());
            #[allow(clippy::cast_possible_truncation)] // Checked to lie within 1e9 days when read.
            let cells: Vec<(&str, i64)> =
                rows.iter().map(|&row| (platform(row), times[row].floor() as i64)).collect();
            Ok(at_daily_budget(&scores, &labels, weights.as_deref(), &cells, budget).map_err(refuse)?)
        }
    };
    let of = |name: &str, value: Result<Result<f64, _>, &String>| Judged {
        name: name.to_owned(),
        value: match value {
            Ok(value) => value.map_err(|why: equipoise_eval::table::Undefined| why.to_string()),
            Err(why) => Err(why.clone()),
        },
        interval: None,
    };
    metrics.push(of("recall_at_daily_budget", daily.as_ref().map(|at| at.recall)));
    metrics.push(of("precision_at_daily_budget", daily.as_ref().map(|at| at.precision)));
    metrics.extend(early.judge(columns, rows, cost));
    let n_positive = labels.iter().filter(|label| **label).count();
    Ok(Judgement { n: rows.len(), n_positive, metrics })
}
