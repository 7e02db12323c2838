//! How early alerts come, of a table whose column `seen` says what had been seen up to and including each alert (events, posts or days;
//! nothing where no alert was given): ERDE (Losada and Crestani, CLEF 2016) and the latency-weighted F1 (Sadeque and others, WSDM 2018).
//!
//! Their parameters are choices of whoever asks, so none is taken silently; only what a false alert costs has the value that eRisk
//! gives it, the share of positive rows, and the answer says it.

use super::Judged;
use super::read::Columns;
use clap::Args;
use equipoise_eval::early::{EarlyCase, erde, latency_weighted_f1};
use serde_json::{Value, json};

/// The parameters.
#[derive(Debug, Args)]
pub(super) struct EarlyArgs {
    /// Deadlines of ERDE, in what `seen` counts; eRisk takes 5,50
    #[arg(long, value_name = "O", value_delimiter = ',', value_parser = positive)]
    deadline: Vec<f64>,
    /// What a false alert costs ERDE, 0 to 1 [default: the share of positive rows, as eRisk]
    #[arg(long, value_name = "C", requires = "deadline", value_parser = share)]
    false_alert: Option<f64>,
    /// How fast the latency-weighted F1 falls with what was seen; eRisk takes 0.0078
    #[arg(long, value_name = "P", value_parser = positive)]
    latency: Option<f64>,
}

fn positive(text: &str) -> Result<f64, String> {
    let wrong = || format!("write a finite number above 0, got `{text}`");
    text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0).ok_or_else(wrong)
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("write a number from 0 to 1, got `{text}`");
    text.parse().ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(wrong)
}

impl EarlyArgs {
    /// What a false alert costs: as was asked, else the share of positive rows of the whole table.
    #[allow(clippy::cast_precision_loss)] // Counts of rows.
    pub(super) fn false_alert_cost(&self, labels: &[bool]) -> f64 {
        let prevalence = labels.iter().filter(|label| **label).count() as f64 / labels.len().max(1) as f64;
        self.false_alert.unwrap_or(prevalence)
    }

    /// Judges the named rows; nothing where the table has no such column and nobody asked.
    pub(super) fn judge(&self, columns: &Columns, rows: &[usize], cost: f64) -> Vec<Judged> {
        let judged = |name: String, value: Result<f64, String>| Judged { name, value, interval: None };
        let cases = match (&columns.seen, &columns.weights) {
            (None, _) if self.deadline.is_empty() && self.latency.is_none() => return Vec::new(),
            (None, _) => Err("the table has no column `seen`, which says what had been seen at the alert"),
            (Some(_), Some(_)) => Err("it takes no weights; leave the column `weight` out"),
            (Some(seen), None) => {
                let case =
                    |&row: &usize| EarlyCase { harmful: columns.labels[row], seen_at_alert: seen[row] };
                Ok(rows.iter().map(case).collect::<Vec<_>>())
            }
        };
        let of = |value: &dyn Fn(&[EarlyCase]) -> Option<f64>| match &cases {
            Ok(cases) => value(cases).ok_or_else(|| "no row is positive".to_owned()),
            Err(why) => Err((*why).to_owned()),
        };
        let mut found: Vec<Judged> = self
            .deadline
            .iter()
            .map(|&deadline| judged(format!("erde_{deadline}"), of(&|cases| erde(cases, deadline, cost))))
            .collect();
        if self.deadline.is_empty() {
            found
                .push(judged("erde".to_owned(), Err("no --deadline was given; eRisk takes 5,50".to_owned())));
        }
        let value = match self.latency {
            Some(p) => of(&|cases| latency_weighted_f1(cases, p)),
            None => Err("no --latency was given; eRisk takes 0.0078".to_owned()),
        };
        found.push(judged("latency_weighted_f1".to_owned(), value));
        found
    }

    /// The parameters as they were used.
    pub(super) fn said(&self, cost: f64) -> Option<Value> {
        let asked = !self.deadline.is_empty() || self.latency.is_some();
        asked.then(|| json!({ "deadlines": self.deadline, "false_alert": cost, "latency": self.latency }))
    }

    /// The same in a line.
    pub(super) fn words(&self, cost: f64) -> String {
        if self.deadline.is_empty() {
            return String::new();
        }
        format!("erde: mean cost; a miss 1, a false alert {cost:.6}, a hit by how late it comes\n")
    }
}
