//! A factorial in words, for a terminal: counts first, then what measures do together, whichever sign it has.

use super::file::Experiment;
use super::result::Report;
use equipoise_policy::tandem::{Effects, Estimate};

/// Prints; a reader that went away (`| head`) is no error.
pub(super) fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn words(estimate: Option<&Estimate>, digits: usize) -> String {
    estimate.map_or_else(
        || "not assessable".to_owned(),
        |e| format!("{:.digits$} [{:.digits$}, {:.digits$}]", e.value, e.low, e.high),
    )
}

/// Prints a report.
pub(super) fn print(experiment: &Experiment, report: &Report) {
    say(&report.question);
    say(&format!(
        "{} paired worlds of {} persons and {} days; accounts with a simulated harmful pattern a world: {}",
        report.seeds,
        experiment.world.persons,
        experiment.world.days,
        words(report.harmful_accounts.as_ref(), 0)
    ));
    for measure in &report.measures {
        for (about, privacy) in measure.about.iter().zip(&measure.privacy) {
            let kept = privacy.kept_days;
            say(&format!("  {}: {about} (reads: {:?}; kept {kept} days)", measure.name, privacy.reads));
        }
    }
    cells(report);
    if let Some(effects) = report.effects.get("children-contacted") {
        together("children contacted", effects);
    }
    if let Some(effects) = report.effects.get("harm-design") {
        together("weighted harm (design's weights, invented)", effects);
    }
    for (outcome, ratio) in &report.variance_ratio {
        let ratio = ratio.map_or_else(|| "not assessable".to_owned(), |ratio| format!("{ratio:.2}"));
        say(&format!(
            "variance of the prevented fraction, independent over common random numbers, {outcome}: {ratio}"
        ));
    }
    if report.displacement_index.is_some() {
        say(&format!("displacement index: {}", words(report.displacement_index.as_ref(), 2)));
    }
    burden(report);
    say(report.notice);
}

fn cells(report: &Report) {
    say(&format!(
        "{:<52} {:>26} {:>26} {:>24} {:>14} {:>14}",
        "cell", "children contacted", "minus none", "prevented (children)", "upheld", "wrongly, child"
    ));
    for cell in &report.cells {
        let name = match (cell.measures.is_empty(), cell.staggered) {
            (true, _) => "none".to_owned(),
            (_, true) => format!("{}, one after the other", cell.measures.join(" + ")),
            _ => cell.measures.join(" + "),
        };
        let count = |what: &str| cell.counts.get(what).and_then(Option::as_ref);
        let value = |what: &str| count(what).map_or_else(|| "-".to_owned(), |e| format!("{:.1}", e.value));
        say(&format!(
            "{name:<52} {:>26} {:>26} {:>24} {:>14} {:>14}",
            words(count("children-contacted"), 1),
            words(cell.children_minus_none.as_ref(), 1),
            words(cell.prevented.get("children-contacted").and_then(Option::as_ref), 3),
            value("upheld"),
            value("children-wrongly-restricted"),
        ));
    }
    if let Some(cell) = report.cells.iter().rev().find(|cell| !cell.staggered) {
        say("prevented, children contacted, all measures, by pattern:");
        for (pattern, estimate) in &cell.prevented_by_pattern {
            say(&format!("  {pattern:<24} {}", words(estimate.as_ref(), 3)));
        }
    }
}

fn together(outcome: &str, effects: &Effects) {
    say(&format!("{outcome}: what each measure does (logarithm of the ratio to none; below 0 is less)"));
    let p = |p: Option<f64>| p.map_or_else(|| "-".to_owned(), |p| format!("{p:.3}"));
    for one in &effects.measures {
        say(&format!(
            "  {:<24} alone {:>24}  over all cells {:>24}  share of prevented {:>22}  p (Holm) {}",
            one.measure,
            words(one.alone.as_ref(), 3),
            words(one.main.as_ref(), 3),
            words(one.share.as_ref(), 3),
            p(one.p_holm)
        ));
    }
    say("  two together, beyond what each does (above 0 redundant, below 0 more together):");
    for one in &effects.interactions {
        say(&format!(
            "  {:<40} alone {:>24}  over all cells {:>24}  p (Holm) {}",
            one.measures.join(" x "),
            words(one.alone.as_ref(), 3),
            words(one.mean.as_ref(), 3),
            p(one.p_holm)
        ));
    }
    say(&format!(
        "  all together prevent {}; were they independent {}",
        words(effects.prevented.as_ref(), 3),
        words(effects.prevented_if_independent.as_ref(), 3)
    ));
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn burden(report: &Report) {
    let Some(cell) = report.cells.iter().rev().find(|cell| !cell.staggered) else { return };
    say("what all measures cost harmless accounts, for each 1,000 accounts of the group:");
    say(&format!(
        "  {:<20} {:>10} {:>10} {:>12} {:>10} {:>12} {:>14}",
        "group", "refused", "held up", "false alarms", "reviewed", "restricted", "days of it"
    ));
    for (group, one) in &cell.burden {
        let per = |count: f64| count * 1_000.0 / one.accounts.max(1) as f64;
        say(&format!(
            "  {group:<20} {:>10.1} {:>10.1} {:>12.1} {:>10.2} {:>12.2} {:>14.2}",
            per(one.refused as f64),
            per(one.held as f64),
            per(one.false_alarms as f64),
            per(one.reviewed as f64),
            per(one.restricted as f64),
            per(one.restricted_days)
        ));
    }
    say(
        "  false alarms of the filter are those about messages of role accounts and their targets; ordinary sessions are not simulated again",
    );
}
