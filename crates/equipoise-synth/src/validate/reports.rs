//! V18: what becomes of reports. P(action | report) and the time to action are read from the log and the labels, as a
//! transparency report would count them; a decision is matched to the earliest open report about its account. In a world as
//! it is few children notice anything: worlds enlarged in prevalence answer, where there are some.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::finding::{Finding, Header, Target};
use super::stats::quantile;
use equipoise_core::{EventKind, LabelSource, LabelStatus, ReportCategory};
use std::collections::BTreeMap;

check!(
    /// V18.
    ReportCalibration, "V18", Gated, "action on reports, time to action, disclosure",
    "Snap transparency (US H2 2024: 36.1% and 37 min, AU H1 2025: 44.2% and 5 min), Thorn 2021/2022 (20% tell nobody)",
    calibration
);

/// A decided report.
struct Decision {
    child_safety: bool,
    action: bool,
    minutes: f64,
}

fn decisions(run: &SeedRun) -> Vec<Decision> {
    let mut out = Vec::new();
    for (deeds, labels) in run.watch.deeds.iter().zip(&run.outcome.labels) {
        let mut open: BTreeMap<u32, Vec<(i32, u8)>> = BTreeMap::new();
        for deed in deeds.iter().filter(|d| d.kind == EventKind::Report) {
            open.entry(deed.peer).or_default().push((deed.time.0, deed.detail));
        }
        let decided = labels.iter().filter(|label| {
            label.source == LabelSource::UserReport
                && matches!(label.status, LabelStatus::Cleared | LabelStatus::Actioned)
        });
        for label in decided {
            let Some(list) = open.get_mut(&label.account.0) else { continue };
            let Some(at) = list.iter().position(|(time, _)| *time <= label.known_at.0) else { continue };
            let (time, detail) = list.remove(at);
            out.push(Decision {
                child_safety: detail == ReportCategory::ChildSafety as u8,
                action: label.status == LabelStatus::Actioned,
                minutes: f64::from(label.known_at.0 - time) / 60.0,
            });
        }
    }
    out
}

#[allow(clippy::cast_precision_loss)]
fn calibration(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let runs = if evidence.enlarged.is_empty() { &evidence.runs } else { &evidence.enlarged };
    let all: Vec<Vec<Decision>> = runs.iter().map(decisions).collect();
    let safety = |list: &[Decision]| list.iter().filter(|d| d.child_safety).count() as f64;
    let acted = |list: &[Decision]| list.iter().filter(|d| d.child_safety && d.action).count() as f64;
    let n = super::population::whole(all.iter().map(|list| safety(list)).sum());
    let shares: Vec<f64> = all.iter().map(|list| acted(list) / safety(list)).collect();
    let latencies: Vec<f64> = all
        .iter()
        .map(|list| {
            let acted: Vec<f64> =
                list.iter().filter(|d| d.child_safety && d.action).map(|d| d.minutes).collect();
            quantile(&acted, 0.5)
        })
        .collect();
    let actions = super::population::whole(all.iter().map(|list| acted(list)).sum());
    let tallies = || runs.iter().map(|run| run.outcome.truth.tally);
    let silent: Vec<f64> = tallies().map(|t| t.told_nobody as f64 / t.noticed as f64).collect();
    let noticed = tallies().map(|t| t.noticed).sum();
    vec![
        header.judge(
            "share of decided child-safety reports that led to action",
            &shares,
            n,
            Target::Band(0.36 * 0.9, 0.44 * 1.1),
        ),
        header
            .judge(
                "median minutes from report to action",
                &latencies,
                actions,
                Target::Band(5.0 * 0.9, 37.0 * 1.1),
            )
            .noting("10% of room around 5 to 37 min; times of reports are floored to the platform's bucket"),
        header.judge(
            "share of children who tell nobody, of those who noticed something unwanted",
            &silent,
            noticed,
            Target::Band(0.18, 0.22),
        ),
    ]
}
