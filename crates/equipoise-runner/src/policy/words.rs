//! A factorial in words, for a terminal: counts first, then what measures do together, whichever sign it has.

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
pub(super) fn print(report: &Report) {
    say(&report.question);
    say(&format!(
        "{} paired worlds of {} persons and {} days; accounts with a simulated harmful pattern a world: {}",
        report.seeds,
        report.persons,
        report.days,
        words(report.harmful_accounts.as_ref(), 0)
    ));
    for measure in &report.measures {
        for (about, privacy) in measure.about.iter().zip(&measure.privacy) {
            let kept = privacy.kept_days;
            say(&format!("  {}: {about} (reads: {:?}; kept {kept} days)", measure.name, privacy.reads));
        }
    }
    for (at, point) in report.points.iter().enumerate() {
        if let (Some(axis), Some(value)) = (&report.axis, &point.value) {
            say(&format!("{axis}: {value}"));
        }
        say(&format!("  reviews are ordered by {}", point.score));
        cells(report, at);
        if report.points.len() == 1 {
            patterns(report);
        }
        if let Some(effects) = point.effects.get("children-contacted") {
            together("children contacted", effects);
        }
        if let Some(effects) = point.effects.get("harm-design").filter(|_| report.points.len() == 1) {
            together("weighted harm (design's weights, invented)", effects);
        }
        for (outcome, ratio) in point.variance_ratio.iter().filter(|_| report.points.len() == 1) {
            let ratio = ratio.map_or_else(|| "not assessable".to_owned(), |ratio| format!("{ratio:.2}"));
            say(&format!(
                "variance of the prevented fraction, independent over common random numbers, {outcome}: {ratio}"
            ));
        }
        if point.displacement_index.is_some() {
            say(&format!("displacement index: {}", words(point.displacement_index.as_ref(), 2)));
        }
        if point.staggered_minus_together.is_some() {
            let more = words(point.staggered_minus_together.as_ref(), 1);
            say(&format!("children contacted, one after the other minus at once: {more}"));
        }
    }
    if let Some(aliases) = &report.aliases {
        say(&format!(
            "half of the factorial, {} (resolution {}); each of these holds the other as well:",
            aliases.relation, aliases.resolution
        ));
        aliases.pairs.iter().for_each(|(one, other)| say(&format!("  {one} with {other}")));
    }
    burden(report);
    uncertain(report);
    say(report.notice);
}

fn cells(report: &Report, point: usize) {
    say(&format!(
        "{:<44} {:>24} {:>24} {:>22} {:>8} {:>22} {:>8} {:>22} {:>10} {:>10}",
        "cell",
        "children contacted",
        "minus none",
        "prevented (children)",
        "upheld",
        "recall",
        "child",
        "children a case",
        "told",
        "opened"
    ));
    for cell in report.cells.iter().filter(|cell| cell.point == point) {
        let name = cell.name(report.measures.len());
        let count = |what: &str| cell.counts.get(what).and_then(Option::as_ref);
        let rate = |what: &str| cell.rates.get(what).and_then(Option::as_ref);
        let value = |what: &str| count(what).map_or_else(|| "-".to_owned(), |e| format!("{:.1}", e.value));
        say(&format!(
            "{name:<44} {:>24} {:>24} {:>22} {:>8} {:>22} {:>8} {:>22} {:>10} {:>10}",
            words(count("children-contacted"), 1),
            words(cell.children_minus_none.as_ref(), 1),
            words(cell.prevented.get("children-contacted").and_then(Option::as_ref), 3),
            value("upheld"),
            words(rate("recall"), 3),
            value("children-wrongly-restricted"),
            words(rate("children-wrongly-restricted-per-upheld"), 3),
            value("tokens-told"),
            value("values-opened"),
        ));
    }
    for cell in report.cells.iter().filter(|cell| cell.point == point && point > 0) {
        if !cell.measures.is_empty() {
            say(&format!(
                "  {}, minus the axis' first value: children contacted {}, recall {}",
                cell.measures.join(" + "),
                words(cell.children_minus_first.as_ref(), 1),
                words(cell.recall_minus_first.as_ref(), 3)
            ));
        }
    }
    say(
        "  child: children wrongly restricted, a world and an upheld case; told: tokens told to another platform; opened: fused values",
    );
}

fn patterns(report: &Report) {
    if let Some(cell) = report.cells.iter().rev().find(|cell| !cell.staggered) {
        say("prevented, children contacted, all measures, by pattern:");
        for (pattern, estimate) in &cell.prevented_by_pattern {
            say(&format!("  {pattern:<24} {}", words(estimate.as_ref(), 3)));
        }
    }
}

/// Monte-Carlo error and the spread of rates, never in one number.
fn uncertain(report: &Report) {
    let Some(spread) = &report.uncertainty else { return };
    say(&format!(
        "fraction that all measures prevent, at {} points of the assumed rates ({} paired worlds each):",
        spread.points, spread.seeds
    ));
    for (name, one) in &spread.outcomes {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
        let over = one.over_points.map_or_else(
            || "not assessable".to_owned(),
            |[low, middle, high]| format!("{middle:.3}, 95 % of points in [{low:.3}, {high:.3}]"),
        );
        say(&format!(
            "  {name:<22} at the file's rates {} (chance of worlds; {} on the points' worlds); over points {over}; deviation of a world {}, of rates {}",
            words(one.at_the_files_rates.as_ref(), 3),
            number(one.on_the_points_worlds.map(|e| e.value)),
            number(one.sd_of_worlds),
            number(one.sd_of_rates)
        ));
    }
    if let Some(children) = spread.outcomes.get("children-contacted") {
        say("  rank correlation of each rate with the fraction of children:");
        for rate in &children.rates {
            let r = rate.rank_correlation.map_or_else(|| "-".to_owned(), |r| format!("{r:.2}"));
            say(&format!("    {:<60} {} to {}: {r}", rate.key, rate.low, rate.high));
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
    for (kind, uneven) in &cell.uneven {
        say(&format!(
            "  days of wrong restriction for each 10,000 account days by {kind}: most {} ({}), least {} ({}); highest over lowest {}",
            uneven.most,
            words(uneven.days.get(&uneven.most).and_then(Option::as_ref), 2),
            uneven.least,
            words(uneven.days.get(&uneven.least).and_then(Option::as_ref), 2),
            words(uneven.ratio.as_ref(), 2)
        ));
    }
    say(
        "  false alarms of the filter are those about messages of role accounts and their targets; ordinary sessions are not simulated again",
    );
}
