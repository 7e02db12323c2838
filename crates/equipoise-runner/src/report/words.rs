//! Sentences computed from the data, in plain words. They follow two rules: no number without its interval, and "higher"
//! or "lower" only where both the verdict and the interval say so.

use super::data::{ArmReport, ArmRole, Comparison, Estimate, MetricInfo, ReportData, Verdict};
use super::numbers::{Mark, difference_words, estimate_words, interval_mark, mark, mark_words};

/// What a metric is called; its key where nothing describes it.
pub(super) fn metric_label(data: &ReportData, name: &str) -> String {
    match metric(data, name) {
        Some(m) => m.label.clone(),
        None if name.is_empty() => "Pre-registered metric".to_owned(),
        None => name.to_owned(),
    }
}

/// The label with its unit, for an axis.
pub(super) fn axis_name(data: &ReportData, name: &str) -> String {
    match metric(data, name) {
        Some(m) if m.unit.is_empty() => m.label.clone(),
        Some(m) => format!("{} ({})", m.label, m.unit),
        None => name.to_owned(),
    }
}

/// A label as it stands inside a sentence: "Recall at budget" loses its capital, "AUC" keeps it.
pub(super) fn midway(label: &str) -> String {
    let mut chars = label.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => label.to_owned(),
    }
}

/// The description of a metric.
pub(super) fn metric<'a>(data: &'a ReportData, name: &str) -> Option<&'a MetricInfo> {
    data.metrics.iter().find(|m| m.name == name)
}

/// What an arm is called; its key where nothing describes it.
pub(super) fn arm_label<'a>(data: &'a ReportData, id: &'a str) -> &'a str {
    data.arms.iter().find(|arm| arm.id == id).map_or(id, |arm| &arm.label)
}

/// An arm's estimate of `metric`.
pub(super) fn estimate<'a>(arm: &'a ArmReport, metric: &str) -> Option<&'a Estimate> {
    arm.summaries.get(metric)
}

/// An arm's estimate in words.
pub(super) fn arm_words(arm: &ArmReport, metric: &str) -> String {
    estimate(arm, metric).map_or_else(|| "not assessable (not measured)".to_owned(), estimate_words)
}

/// What an arm's estimate draws.
pub(super) fn arm_mark(arm: &ArmReport, metric: &str) -> Option<Mark> {
    estimate(arm, metric).and_then(mark)
}

/// The comparisons on the pre-registered metric.
pub(super) fn primary_comparisons(data: &ReportData) -> impl Iterator<Item = &Comparison> {
    data.comparisons.iter().filter(|c| c.metric == data.primary)
}

/// What may be said of a difference, never more than its interval allows.
#[must_use]
pub fn verdict_words(comparison: &Comparison) -> &'static str {
    reading(&comparison.difference, comparison.verdict)
}

/// [`verdict_words`] of a difference and what may be said of it.
pub(super) fn reading(difference: &Estimate, verdict: Verdict) -> &'static str {
    match (mark(difference), verdict) {
        (None, _) | (_, Verdict::NotAssessable) => "not assessable",
        (Some(Mark { ends: None, .. }), _) => "not tested",
        (Some(Mark { ends: Some((low, _)), .. }), Verdict::Higher) if low > 0.0 => "higher at 95%",
        (Some(Mark { ends: Some((_, high)), .. }), Verdict::Lower) if high < 0.0 => "lower at 95%",
        _ => "no difference at 95%",
    }
}

/// `learning share (federated − local): +0.12 [0.08, 0.16], higher at 95%`.
pub(super) fn comparison_words(data: &ReportData, comparison: &Comparison) -> String {
    let pair = format!("{} − {}", arm_label(data, &comparison.a), arm_label(data, &comparison.b));
    let name = match &comparison.share {
        Some(share) => format!("{share} ({pair})"),
        None => pair,
    };
    let verdict = verdict_words(comparison);
    let value = difference_words(&comparison.difference);
    if value.starts_with("not assessable") {
        format!("{name}: {value}")
    } else {
        format!("{name}: {value}, {verdict}")
    }
}

/// The sentence at the top of the page.
#[must_use]
pub fn headline(data: &ReportData) -> String {
    let label = metric_label(data, &data.primary);
    // What learning together brings is what every run is asked first; the ceiling that pooling sets comes after it.
    let lead = primary_comparisons(data)
        .find(|c| c.share.as_deref() == Some("gain of federating"))
        .or_else(|| primary_comparisons(data).find(|c| c.share.is_some()))
        .or_else(|| primary_comparisons(data).next());
    let Some(lead) = lead else {
        let Some(arm) = main_arm(data) else {
            return "Nothing can be said yet: no arm has results.".to_owned();
        };
        return format!(
            "{}: {label} was {}; no comparison was planned.",
            arm.label,
            arm_words(arm, &data.primary)
        );
    };
    let (a, b) = (arm_label(data, &lead.a), arm_label(data, &lead.b));
    let value_of = |id: &str| {
        let arm = data.arms.iter().find(|arm| arm.id == id);
        arm.map_or_else(|| "not assessable (no such arm)".to_owned(), |arm| arm_words(arm, &data.primary))
    };
    let first = format!("{label}: {a} {}, {b} {}.", value_of(&lead.a), value_of(&lead.b));
    let difference = difference_words(&lead.difference);
    match verdict_words(lead) {
        "not assessable" => format!("{first} Their paired difference is {difference}."),
        verdict => format!("{first} Paired difference: {difference}, {verdict}."),
    }
}

/// The arm that captions speak of: the first private one, else the first federated one, else the last.
pub(super) fn main_arm(data: &ReportData) -> Option<&ArmReport> {
    let with = |role: ArmRole| data.arms.iter().find(move |arm| arm.role == role);
    with(ArmRole::Private).or_else(|| with(ArmRole::Federated)).or_else(|| data.arms.last())
}

/// Counts the verdicts on the pre-registered metric in words.
pub(super) fn verdict_counts(data: &ReportData) -> String {
    let mut counts = [0_usize; 5];
    const NAMES: [&str; 5] =
        ["higher at 95%", "lower at 95%", "no difference at 95%", "not tested", "not assessable"];
    for comparison in primary_comparisons(data) {
        let words = verdict_words(comparison);
        if let Some(slot) = NAMES.iter().position(|name| *name == words) {
            counts[slot] += 1;
        }
    }
    let parts: Vec<String> =
        counts.iter().zip(NAMES).filter(|(n, _)| **n > 0).map(|(n, name)| format!("{n} {name}")).collect();
    if parts.is_empty() { "no paired comparison".to_owned() } else { parts.join("; ") }
}

/// Which group of `arm` bears most and which least, and whether their intervals part.
pub(super) fn burden_words(arm: &ArmReport) -> Option<String> {
    let mut rows: Vec<(&str, Mark)> = arm
        .burden
        .iter()
        .filter_map(|row| Some((row.group.as_str(), row.restricted_per_10k_days.and_then(interval_mark)?)))
        .collect();
    rows.sort_by(|x, y| x.1.at.total_cmp(&y.1.at).then(x.0.cmp(y.0)));
    let (least, most) = (*rows.first()?, *rows.last()?);
    if rows.len() < 2 {
        return Some(format!("{}, {}: {}.", arm.label, least.0, mark_words(least.1)));
    }
    let apart = matches!((least.1.ends, most.1.ends), (Some((_, high)), Some((low, _))) if high < low);
    Some(format!(
        "{}: most restrictions fall on {} ({}), fewest on {} ({}); {}.",
        arm.label,
        most.0,
        mark_words(most.1),
        least.0,
        mark_words(least.1),
        if apart {
            "their intervals do not overlap"
        } else {
            "their intervals overlap, so no difference is claimed"
        }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(low: f64, high: f64, verdict: Verdict) -> Comparison {
        Comparison {
            a: "a".to_owned(),
            b: "b".to_owned(),
            metric: "m".to_owned(),
            difference: Estimate::Value { mean: f64::midpoint(low, high), low, high, seeds: 5 },
            share: None,
            verdict,
            p_holm: None,
        }
    }

    #[test]
    fn an_interval_that_contains_zero_is_never_called_higher() {
        assert_eq!(verdict_words(&comparison(-0.01, 0.2, Verdict::Higher)), "no difference at 95%");
        assert_eq!(verdict_words(&comparison(0.01, 0.2, Verdict::Higher)), "higher at 95%");
        assert_eq!(verdict_words(&comparison(-0.2, -0.1, Verdict::Lower)), "lower at 95%");
        assert_eq!(verdict_words(&comparison(0.01, 0.2, Verdict::NoDifference)), "no difference at 95%");
    }

    #[test]
    fn a_difference_of_one_run_is_not_tested() {
        let mut one = comparison(0.1, 0.2, Verdict::Higher);
        one.difference = Estimate::SingleRun { value: 0.15 };
        assert_eq!(verdict_words(&one), "not tested");
        assert_eq!(comparison_words(&ReportData::default(), &one), "a − b: +0.15 (single run), not tested");
    }
}
