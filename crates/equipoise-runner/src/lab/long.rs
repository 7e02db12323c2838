//! Tables of one value a row: `export csv` for pandas, polars and DuckDB, `export leaderboard` in the columns that ranking
//! engines read (method, task, seed, metric, error; TabArena's form).

use super::{Said, list, value};
use crate::fault::{Fault, runtime};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// `arm,epsilon,world,metric,value`, one row a value that exists.
pub(super) fn csv(run: &Path, out: &Path) -> Result<Said, Fault> {
    let metrics = value(&run.join("metrics.json"))?;
    let mut text = String::from("arm,epsilon,world,metric,value\n");
    each(&metrics, |arm, world, metric, value| {
        let epsilon = arm["epsilon"].as_f64().map_or_else(|| "inf".to_owned(), |epsilon| epsilon.to_string());
        let _ =
            writeln!(text, "{},{epsilon},{world},{metric},{value}", arm["id"].as_str().unwrap_or_default());
    });
    write(out, &text)
}

/// `method,task,seed,metric,error`: of a metric where more is better, what is missing to 1.
pub(super) fn leaderboard(runs: &[(String, Value)]) -> String {
    let mut text = String::from("method,task,seed,metric,error\n");
    for (task, metrics) in runs {
        let higher = |metric: &str| {
            let info = list(&metrics["metrics"]).iter().find(|info| info["name"] == metric);
            info.is_some_and(|info| info["higher_is_better"] == true)
        };
        each(metrics, |arm, world, metric, value| {
            let error = if higher(metric) { 1.0 - value } else { value };
            let _ =
                writeln!(text, "{},{task},{world},{metric},{error}", arm["id"].as_str().unwrap_or_default());
        });
    }
    text
}

fn each(metrics: &Value, mut row: impl FnMut(&Value, usize, &str, f64)) {
    for arm in list(&metrics["arms"]) {
        for (metric, values) in arm["per_seed"].as_object().into_iter().flatten() {
            for (world, value) in list(values).iter().enumerate() {
                if let Some(value) = value.as_f64() {
                    row(arm, world, metric, value);
                }
            }
        }
    }
}

pub(super) fn write(out: &Path, text: &str) -> Result<Said, Fault> {
    equipoise_store::write_atomic(out, text.as_bytes()).map_err(runtime)?;
    let rows = text.lines().count() - 1;
    Ok(Said::new(format!("{}: {rows} rows\n", out.display()), json!({ "file": out, "rows": rows })))
}
