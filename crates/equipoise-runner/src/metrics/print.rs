//! The answer of `equipoise metrics`: one JSON object with keys in snake case, or a few columns of words.

use super::{Answer, Judgement, MetricsArgs};
use crate::fault::{Fault, runtime};
use equipoise_eval::MINIMUM_COHORT;
use equipoise_eval::table::{Budget, TableMetric};
use serde_json::{Map, Value, json};
use std::io::Write;

/// Prints; a reader that went away (`| head`) is no error.
pub(super) fn answer(args: &MetricsArgs, answer: &Answer, json: bool) -> Result<(), Fault> {
    let text = if json {
        serde_json::to_string_pretty(&object(args, answer)).map_err(runtime)? + "\n"
    } else {
        words(args, answer)
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn withheld() -> String {
    format!("fewer than {MINIMUM_COHORT} rows: a smaller group could be about somebody")
}

/// The keys of one judgement.
fn judgement(judged: &Judgement) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("n".to_owned(), json!(judged.n));
    map.insert("n_positive".to_owned(), json!(judged.n_positive));
    let (mut undefined, mut intervals) = (Map::new(), Map::new());
    for metric in &judged.metrics {
        match &metric.value {
            Ok(value) => map.insert(metric.name.clone(), json!(value)),
            Err(why) => {
                undefined.insert(metric.name.clone(), json!(why));
                map.insert(metric.name.clone(), Value::Null)
            }
        };
        if let Some(interval) = metric.interval {
            let ends = json!({ "low": interval.low, "high": interval.high });
            intervals.insert(metric.name.clone(), ends);
        }
    }
    map.insert("undefined".to_owned(), Value::Object(undefined));
    if !intervals.is_empty() {
        map.insert("intervals".to_owned(), Value::Object(intervals));
    }
    map
}

fn object(args: &MetricsArgs, answer: &Answer) -> Value {
    let mut map = judgement(&answer.whole);
    map.insert("weighted".to_owned(), json!(answer.columns.weights.is_some()));
    map.insert(
        "budget".to_owned(),
        match args.budget {
            None => Value::Null,
            Some(Budget::Rows(rows)) => json!({ "rows": rows }),
            Some(Budget::Share(share)) => json!({ "share": share }),
        },
    );
    if let Some(how) = args.early.said(answer.cost) {
        map.insert("early".to_owned(), how);
    }
    if let Some(resamples) = args.bootstrap {
        let how = json!({ "resamples": resamples, "level": args.level, "seed": args.seed, "unit": "row" });
        map.insert("bootstrap".to_owned(), how);
    }
    if let Some(groups) = &answer.groups {
        let rows = groups.iter().map(|(name, judged)| {
            let mut row = judged
                .as_ref()
                .map_or_else(|| Map::from_iter([("withheld".to_owned(), json!(withheld()))]), judgement);
            row.insert("group".to_owned(), json!(name));
            Value::Object(row)
        });
        map.insert("groups".to_owned(), rows.collect());
    }
    Value::Object(map)
}

fn words(args: &MetricsArgs, answer: &Answer) -> String {
    let mut text = String::new();
    let mut table = |title: &str, judged: &Judgement| {
        text += &format!("{title}: {} rows, {} positive\n", judged.n, judged.n_positive);
        for metric in &judged.metrics {
            let value = match (&metric.value, metric.interval) {
                (Ok(value), Some(ends)) => format!("{value:.6} [{:.6}, {:.6}]", ends.low, ends.high),
                (Ok(value), None) => format!("{value:.6}"),
                (Err(why), _) => format!("- ({why})"),
            };
            text += &format!("  {:<30} {value}\n", metric.name);
        }
    };
    table("all", &answer.whole);
    let mut small = Vec::new();
    for (name, judged) in answer.groups.iter().flatten() {
        match judged {
            Some(judged) => table(&format!("group {name}"), judged),
            None => small.push(name.as_str()),
        }
    }
    if !small.is_empty() {
        text += &format!("withheld: {} ({})\n", small.join(", "), withheld());
    }
    if !answer.columns.ignored.is_empty() {
        text += &format!("columns not read: {}\n", answer.columns.ignored.join(", "));
    }
    text += &match args.bootstrap {
        Some(n) => {
            format!("intervals: {} %, {n} resamples of rows drawn as independent\n", args.level * 100.0)
        }
        None => "no intervals; add --bootstrap 1000 --seed 1\n".to_owned(),
    };
    let about = TableMetric::RecallAtBudget.about();
    text += &format!("recall_at_budget: {}\n", about.definition);
    if args.budget.is_some() && answer.columns.times.is_some() {
        text += "recall_at_daily_budget: the same where the budget is spent anew each day (`time`) on each `platform`\n";
    }
    text + &args.early.words(answer.cost)
}
