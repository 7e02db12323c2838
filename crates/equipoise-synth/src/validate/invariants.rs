//! V19: the laws of a log, over every run of the evidence. The same laws are property tests of this crate.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::finding::{Finding, Header};
use super::laws::LAWS;

check!(
    /// V19.
    Invariants, "V19", Exact, "laws of a log", "by construction", invariants
);

fn invariants(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let runs: Vec<&SeedRun> = evidence.runs.iter().chain(&evidence.years).collect();
    let events: u64 = runs.iter().map(|run| run.watch.laws.events()).sum();
    let found: Vec<_> = runs.iter().flat_map(|run| run.watch.laws.clone().finish(&run.outcome)).collect();
    LAWS.iter()
        .map(|law| {
            let of_law: Vec<_> = found.iter().filter(|v| v.law == *law).collect();
            let count = of_law.iter().map(|v| v.count).sum();
            let first = of_law.first().map_or_else(String::new, |v| v.first.clone());
            header.exact(*law, count, events, runs.len(), first)
        })
        .collect()
}
