//! Attacks in words, for a terminal: what was claimed, what was found, and by whom.

use super::result::AuditReport;
use crate::report::Estimate;

/// Prints; a reader that went away (`| head`) is no error.
pub(super) fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn words(estimate: &Estimate) -> String {
    match estimate {
        Estimate::Value { mean, low, high, .. } => format!("{mean:.3} [{low:.3}, {high:.3}]"),
        Estimate::SingleRun { value } => format!("{value:.3} (single run)"),
        Estimate::NotAssessable { .. } => "not assessable".to_owned(),
    }
}

/// Prints a report.
pub(super) fn print(report: &AuditReport) {
    say(&report.question);
    for row in &report.claims {
        let claim = row.claim.as_ref().map_or_else(|| "nothing is claimed".to_owned(), ToString::to_string);
        let broken = row.noise_share.map_or_else(String::new, |share| {
            format!(" BROKEN ON PURPOSE: {share} of the owed noise is added.")
        });
        say(&format!("  {}: {claim}{broken}", row.promise));
    }
    for row in &report.canaries {
        let verdict = if row.refuted { "REFUTED" } else { "not refuted" };
        say(&format!(
            "canaries, {}: claimed {:.3}, at least {} by {} (above in {} of {} worlds: {verdict})",
            row.promise,
            row.claimed,
            words(&row.audited),
            row.bound,
            row.above,
            row.worlds
        ));
    }
    for row in &report.membership {
        say(&format!(
            "membership{}, {}, {}: area {}, {} of members at 1 % of others",
            if row.mislabelled { " of mislabelled accounts" } else { "" },
            row.promise,
            row.attack,
            words(&row.auc),
            words(&row.at_one_percent)
        ));
    }
    for row in &report.facts {
        say(&format!(
            "{} ({}), {}: area {} without the release, which adds {}",
            row.fact,
            row.about,
            row.promise,
            words(&row.without),
            words(&row.gain)
        ));
    }
    for row in &report.linkage {
        say(&format!(
            "linked by {}, {}: {} of 1 in {}",
            row.released,
            row.promise,
            words(&row.first),
            row.among
        ));
    }
    for row in &report.inversion {
        say(&format!(
            "{}, batch {}, {}: whole rows {}, told from the population {}",
            row.defence,
            row.batch,
            row.attack,
            words(&row.exact),
            words(&row.identified)
        ));
    }
    for row in &report.poisoning {
        say(&format!(
            "{} under {}: average precision {} (change {}), false alarms by the trigger {}",
            row.attack,
            row.rule,
            words(&row.average_precision),
            words(&row.change),
            words(&row.triggered)
        ));
    }
    say(report.notice);
}
