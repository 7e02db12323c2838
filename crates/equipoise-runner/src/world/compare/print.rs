//! The comparison as columns, as Markdown and as JSON.
#![allow(clippy::print_stdout)] // The runner is the one place that speaks to people.

use super::table::{Comparison, ControlBursts, Row};
use crate::fault::{Fault, runtime};

/// What every form ends with.
const LIMITS: &str = "Aggregates only; nothing was stored. Inside the bands does not mean realistic: logs can agree on all of \
                      these numbers and differ in everything else.";

/// Prints JSON.
///
/// # Errors
/// Never in practice: all values are finite numbers and texts.
pub(super) fn json(comparison: &Comparison) -> Result<(), Fault> {
    let summary = serde_json::json!({
        "ours-inside": comparison.inside(), "theirs-inside": comparison.theirs_inside(),
        "alike": comparison.alike(), "passing-controls": comparison.passing_controls(), "limits": LIMITS,
    });
    let value = serde_json::json!({ "comparison": comparison, "summary": summary });
    println!("{}", serde_json::to_string_pretty(&value).map_err(runtime)?);
    Ok(())
}

/// Prints aligned columns.
pub(super) fn text(comparison: &Comparison) {
    println!("theirs: {}", comparison.theirs);
    println!("ours:   {}", comparison.ours);
    println!(
        "both in buckets of {} s; control: the same rows at times drawn by the log's own hours of the week",
        comparison.bucket_seconds
    );
    println!(
        "{:<36} {:>9} {:>9} {:>9} {:>9}  {:<14} {:<16} {:<8} {:<6}",
        "statistic", "theirs", "control", "ours", "control", "band", "inside?", "near", "alike?"
    );
    for row in &comparison.rows {
        println!(
            "{:<36} {:>9} {:>9} {:>9} {:>9}  {:<14} {:<16} {:<8} {:<6}",
            row.id,
            number(row.theirs),
            number(row.theirs_control),
            number(row.ours),
            number(row.ours_control),
            band(row),
            inside(row),
            row.near.as_deref().unwrap_or(""),
            alike(row),
        );
    }
    for line in closing(comparison) {
        println!("{line}");
    }
}

/// Prints a Markdown page.
pub(super) fn markdown(comparison: &Comparison) {
    println!("# {} beside {}\n", comparison.theirs, comparison.ours);
    println!(
        "Printed by `equipoise world compare`. Both in buckets of {} s; control: the same rows at times drawn by the log's own hours of the week.\n",
        comparison.bucket_seconds
    );
    println!("| statistic | theirs | control | ours | control | band | inside? | near | alike? | source |");
    println!("|---|---:|---:|---:|---:|---|---|---|---|---|");
    let (judged, others): (Vec<&Row>, Vec<&Row>) =
        comparison.rows.iter().partition(|row| row.source.is_some());
    for row in judged {
        println!(
            "| `{}`: {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.id,
            row.about,
            number(row.theirs),
            number(row.theirs_control),
            number(row.ours),
            number(row.ours_control),
            band(row),
            inside(row),
            row.near.as_deref().unwrap_or(""),
            alike(row),
            row.source.unwrap_or(""),
        );
    }
    println!("\nWithout an expectation:\n");
    println!("| statistic | theirs | control | ours | control |\n|---|---:|---:|---:|---:|");
    for row in others {
        println!(
            "| {} | {} | {} | {} | {} |",
            row.about,
            number(row.theirs),
            number(row.theirs_control),
            number(row.ours),
            number(row.ours_control),
        );
    }
    println!();
    for line in closing(comparison) {
        println!("- {line}");
    }
}

/// A number with three digits that matter.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let size = value.abs();
    if size >= 1e7 {
        format!("{value:.2e}")
    } else if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size > 0.0 && size < 0.01 {
        format!("{value:.1e}")
    } else {
        format!("{value:.3}")
    }
}

fn band(row: &Row) -> String {
    row.band.map_or_else(String::new, |[low, high]| format!("{low} .. {high}"))
}

/// Whose value lies outside; in capitals where it is ours.
fn inside(row: &Row) -> &'static str {
    match (row.ours_inside, row.theirs_inside) {
        (Some(true), Some(true)) => "both",
        (Some(true), Some(false)) => "ours, not theirs",
        (Some(true), None) => "ours",
        (Some(false), Some(true)) => "OURS OUTSIDE",
        (Some(false), Some(false)) => "BOTH OUTSIDE",
        (Some(false), None) => "OURS OUTSIDE",
        (None, Some(true)) => "theirs",
        (None, Some(false)) => "theirs outside",
        (None, None) => "",
    }
}

fn alike(row: &Row) -> &'static str {
    row.alike.map_or("", |alike| if alike { "yes" } else { "NO" })
}

fn closing(comparison: &Comparison) -> Vec<String> {
    let of = |(yes, all): (usize, usize)| format!("{yes} of {all}");
    let controls = |controls: &[ControlBursts]| {
        let one = |c: &ControlBursts| format!("{} {} / {}", c.control, number(c.dyads), number(c.accounts));
        controls.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let passing = comparison.passing_controls();
    let verdict = if passing.is_empty() {
        "no control reaches the band of B_n, so the band says something about timing".to_owned()
    } else {
        format!(
            "INSIDE THE BAND OF B_n: {}; there the band alone says nothing about timing",
            passing.join("; ")
        )
    };
    vec![
        format!(
            "inside their bands: ours {}, theirs {}; alike: {}",
            of(comparison.inside()),
            of(comparison.theirs_inside()),
            of(comparison.alike())
        ),
        format!(
            "median B_n of controls, dyads / accounts: theirs: {}; ours: {}",
            controls(&comparison.theirs_controls),
            controls(&comparison.ours_controls)
        ),
        format!("controls: {verdict}"),
        LIMITS.to_owned(),
    ]
}
