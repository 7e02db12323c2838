//! Measured times on a page of their own: they differ from machine to machine and stand outside every hash.

use maud::html;
use serde::{Deserialize, Serialize};

use super::html::shell;
use super::numbers::plain;
use super::sections::BANNER;
use super::tables::Table;

/// What a run took.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Time for each seat and round.
    pub rows: Vec<TimingRow>,
    /// Stage and its seconds.
    pub stages: Vec<(String, f64)>,
    /// Seconds from start to end.
    pub total_seconds: f64,
}

/// What one seat took for a round.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimingRow {
    /// The arm.
    pub arm: String,
    /// The seat.
    pub seat: String,
    /// Milliseconds for each round, the mean of one run.
    pub milliseconds_per_round: f64,
}

/// The page of measured times. Not reproducible, and it says so.
#[must_use]
pub fn render_timings(timings: &Timings) -> String {
    let mut seats = Table::new(
        "seats",
        "Time of each seat (single run)",
        &["Arm", "Seat", "#Milliseconds per round, or per fused account"],
    );
    for row in &timings.rows {
        seats.push(vec![row.arm.clone(), row.seat.clone(), shown(row.milliseconds_per_round)]);
    }
    let mut stages = Table::new("stages", "Time of each stage (single run)", &["Stage", "#Seconds"]);
    for (stage, seconds) in &timings.stages {
        stages.push(vec![stage.clone(), shown(*seconds)]);
    }
    stages.push(vec!["from start to end".to_owned(), shown(timings.total_seconds)]);
    let body = html! {
        header { h1 { "Measured times" } p.banner role="note" { (BANNER) } }
        main id="main" tabindex="-1" {
            p { "Wall-clock times of one run on one machine, without intervals. They stand outside the results' hash and \
                 will differ when the run is repeated." }
            @if seats.rows.is_empty() { p { "Times of seats: not assessable (none was measured)." } } @else { (seats.markup()) }
            (stages.markup())
        }
    };
    shell("Measured times – Equipoise", &body)
}

fn shown(value: f64) -> String {
    if value.is_finite() { plain(value) } else { "not assessable".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_say_that_they_are_single_runs_and_escape_names() {
        let rows =
            vec![TimingRow { arm: "<b>".into(), seat: "server".into(), milliseconds_per_round: 12.34 }];
        let page =
            render_timings(&Timings { rows, stages: vec![("world".into(), f64::NAN)], total_seconds: 61.5 });
        assert!(page.contains("single run") && page.contains("&lt;b&gt;") && page.contains("12.3"));
        assert!(!page.contains("NaN") && page.contains("not assessable"));
    }
}
