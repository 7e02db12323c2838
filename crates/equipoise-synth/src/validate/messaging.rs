//! V6: who answers whom. Benign dyads in accepted contact against dyads that never were.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::finding::{Finding, Header, Target};
use crate::contact_log::{Contact, Dyads, Reciprocity};
use equipoise_core::EventKind;
use std::collections::BTreeSet;

check!(
    /// V6.
    Reciprocal, "V6", Gated, "share of message dyads in which both sides wrote",
    "assumed (CollegeMsg: .64 of links, over half a year)", reciprocal
);

/// Dyads of benign accounts with messages, and how many of them go both ways, over all platforms of one world.
#[allow(clippy::cast_precision_loss)]
fn dyads(run: &SeedRun, accepted: bool) -> (f64, f64) {
    let (mut all, mut both) = (0.0, 0.0);
    for platform in 0..run.facts.views.len() {
        let truth = &run.outcome.truth.platforms[platform].accounts;
        let joined: BTreeSet<(u32, u32)> = run.watch.deeds[platform]
            .iter()
            .filter(|deed| deed.kind == EventKind::ContactAccept)
            .map(|deed| (deed.actor.min(deed.peer), deed.actor.max(deed.peer)))
            .collect();
        let benign = |a: u32| truth.get(a as usize).is_some_and(|t| t.harmful.is_none());
        let keep = |row: &Contact| {
            let pair = (row.src.min(row.dst), row.src.max(row.dst));
            let known = run.facts.tied(platform, pair.0, pair.1) || joined.contains(&pair);
            known == accepted && benign(row.src) && benign(row.dst)
        };
        let Ok(log) = run.watch.messages.dyad_log(platform, keep) else { continue };
        let dyads = Dyads::of(&log);
        let n = dyads.pairs().len() as f64;
        all += n;
        both += n * Reciprocity::of(&log, &dyads).dyads.unwrap_or(0.0);
    }
    (all, both)
}

fn reciprocal(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    [(true, "accepted dyads answered", (0.70, 0.90)), (false, "unsolicited dyads answered", (0.15, 0.45))]
        .into_iter()
        .map(|(accepted, name, (low, high))| {
            let counts: Vec<(f64, f64)> = evidence.runs.iter().map(|run| dyads(run, accepted)).collect();
            let shares: Vec<f64> = counts.iter().map(|(all, both)| both / all).collect();
            let n = super::population::whole(counts.iter().map(|c| c.0).sum());
            header.judge(name, &shares, n, Target::Band(low, high))
        })
        .collect()
}
