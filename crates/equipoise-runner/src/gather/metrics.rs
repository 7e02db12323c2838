//! The metrics of an experiment as a report defines them: label, unit, direction and the page they stand on.

use super::compare::person_name;
use crate::config::Evaluation;
use crate::report::data::{MetricInfo, Section};
use equipoise_eval::Unit;

pub(super) fn metrics(evaluation: &Evaluation) -> Vec<MetricInfo> {
    let mut metrics = Vec::new();
    for metric in evaluation.metrics() {
        let name = metric.name();
        let info = MetricInfo {
            name: name.to_owned(),
            label: label(name),
            unit: unit(metric.unit()).to_owned(),
            higher_is_better: metric.higher_is_better(),
            definition: metric.definition().to_owned(),
            section: section(name),
        };
        metrics.push(MetricInfo {
            name: person_name(name),
            label: format!("{} (per person)", info.label),
            definition: format!(
                "{} Counted per person: highest score, first identification, all accounts together.",
                info.definition
            ),
            ..info.clone()
        });
        metrics.push(info);
    }
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    metrics
}

/// `recall-at-budget` as it begins a line.
fn label(name: &str) -> String {
    let words = name.replace('-', " ");
    let words = words.replace("roc auc", "ROC AUC").replace("rmst ", "mean ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "share",
        Unit::Index => "index",
        Unit::Days => "days",
        Unit::Children => "children",
        Unit::PerTenThousandAccountDays => "account-days per 10,000",
        Unit::ChildrenPerCase => "children per upheld case",
        Unit::Nats => "nats",
    }
}

fn section(name: &str) -> Section {
    match name {
        _ if name.contains("wrong") || name.contains("false-positive") => Section::Fairness,
        _ if name.contains("recall")
            || name.contains("time")
            || name.contains("contacted")
            || name.contains("proactive")
            || name.contains("precision") =>
        {
            Section::Safety
        }
        _ => Section::Other,
    }
}
