//! V8: contact with people never met, over a whole year. Surveys with different age frames, which are not pooled. What counts
//! as "never met" is said by [`crate::StrangerWatch`]; the year's world holds harm at about the rate of a retrospective survey,
//! since surveys ask everybody.

use super::check::check;
use super::evidence::Evidence;
use super::finding::{Finding, Header, Target};
use crate::{Counted, StrangerCounts};

check!(
    /// V8.
    StrangerContact, "V8", Gated, "children's contact with people never met in a year",
    "ONS CSEW 10 to 15 (a third accept an unknown request; 19.2% exchange messages with somebody never met; 4.4% meet), Ofcom 2023 (30% of 11 to 18 ever had an unwanted request), Ofcom 2022 (16% of 8 to 17 chat to unknowns in games)",
    contact
);

/// A statistic, its place in the counts, the published share, and what a reader must know.
type Row = (&'static str, fn(&StrangerCounts) -> Counted, f64, &'static str);

const ROWS: [Row; 4] = [
    ("share of 10 to 15 who accepted a request of somebody never met", |c| c.accepted, 1.0 / 3.0, ""),
    ("share of 10 to 15 who exchanged messages with somebody never met", |c| c.exchanged, 0.192, ""),
    (
        "share of 11 to 18 who refused, blocked or reported a request of somebody never met",
        |c| c.unwanted,
        0.30,
        "the survey asks `ever`, the world counts one year",
    ),
    ("share of 8 to 17 who wrote to somebody never met in a game", |c| c.games, 0.16, ""),
];

fn contact(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let counts: Vec<StrangerCounts> = evidence.years.iter().filter_map(|run| run.strangers).collect();
    let mut findings: Vec<Finding> = ROWS
        .iter()
        .map(|(name, of, want, note)| {
            let shares: Vec<f64> = counts.iter().map(|c| of(c).share().unwrap_or(f64::NAN)).collect();
            let n = counts.iter().map(|c| u64::from(of(c).persons)).sum();
            let finding = header.judge(*name, &shares, n, Target::Band(want - 0.02, want + 0.02));
            if note.is_empty() { finding } else { finding.noting(note) }
        })
        .collect();
    findings.push(header.absent(
        "share of 10 to 15 who met such a person",
        Target::Band(0.024, 0.064),
        "meetings leave no metadata and are not modelled",
    ));
    findings
}
