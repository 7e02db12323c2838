//! V22: how different the platforms are. Membership is held against the file; how unevenly labels, activity and persons
//! lie is reported, because that unevenness is what a federation has to live with.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::finding::{Finding, Header, Target};
use super::stats::jensen_shannon;
use equipoise_core::EventKind;

check!(
    /// V22.
    FederatedSkew, "V22", Gated, "membership, labels and activity by platform", "the world file", skew
);

/// Shares of persons with an account of their own, by platform: seen and due.
#[allow(clippy::cast_precision_loss)]
fn membership(run: &SeedRun) -> Vec<(f64, f64)> {
    let facts = &run.facts;
    let persons = facts.persons.len() as f64;
    let shares = |(platform, accounts): (usize, &Vec<super::facts::AccountFacts>)| {
        let table = facts.spec.membership.shares(facts.spec.platform[platform].archetype);
        let own = &facts.spec.population.own_profile.value;
        let due: f64 = facts.persons.iter().map(|p| own[p.band as usize] * table[p.band as usize]).sum();
        (accounts.iter().filter(|a| a.own).count() as f64 / persons, due / persons)
    };
    facts.accounts.iter().enumerate().map(shares).collect()
}

/// The highest over the lowest share of accounts with a positive label.
#[allow(clippy::cast_precision_loss)]
fn label_ratio(run: &SeedRun) -> f64 {
    let rates: Vec<f64> = run
        .outcome
        .labels
        .iter()
        .zip(&run.facts.accounts)
        .map(|(labels, accounts)| {
            let known: std::collections::BTreeSet<_> =
                labels.iter().filter(|l| l.status.is_positive()).map(|l| l.account).collect();
            known.len() as f64 / accounts.len() as f64
        })
        .collect();
    let (low, high) = rates.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), r| (l.min(*r), h.max(*r)));
    high / low
}

/// The largest divergence between two platforms over the kinds of events that both can see.
#[allow(clippy::cast_precision_loss)]
fn divergence(run: &SeedRun) -> f64 {
    let mut largest = 0.0_f64;
    for a in 0..run.facts.views.len() {
        for b in 0..a {
            let both = |kind: &EventKind| {
                run.facts.views[a].schema.sees(*kind) && run.facts.views[b].schema.sees(*kind)
            };
            let of = |platform: usize| -> Vec<f64> {
                EventKind::ALL
                    .iter()
                    .filter(|kind| both(kind))
                    .map(|kind| run.watch.kinds[platform][usize::from(kind.code())] as f64)
                    .collect()
            };
            largest = largest.max(jensen_shannon(&of(a), &of(b)));
        }
    }
    largest
}

/// Platforms a person, over persons with any.
#[allow(clippy::cast_precision_loss)]
fn overlap(run: &SeedRun) -> f64 {
    let mut platforms = vec![0_u32; run.facts.persons.len()];
    for accounts in &run.facts.accounts {
        for account in accounts.iter().filter(|a| a.own) {
            platforms[account.person as usize] += 1;
        }
    }
    let some: Vec<f64> = platforms.iter().filter(|p| **p > 0).map(|p| f64::from(*p)).collect();
    super::stats::mean(&some)
}

fn skew(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let runs = &evidence.runs;
    let Some(first) = runs.first() else {
        return vec![header.absent("membership", Target::Shown, "no world was run")];
    };
    let tables: Vec<Vec<(f64, f64)>> = runs.iter().map(membership).collect();
    let persons: u64 = runs.iter().map(|run| run.facts.persons.len() as u64).sum();
    let mut findings = Vec::new();
    for (platform, view) in first.facts.views.iter().enumerate() {
        let gaps: Vec<f64> = tables.iter().map(|t| t[platform].0 - t[platform].1).collect();
        let name = format!("members of {} among persons, seen minus due", view.name);
        findings.push(header.judge(name, &gaps, persons, Target::Band(-0.02, 0.02)));
    }
    let labels: u64 = runs.iter().flat_map(|run| &run.outcome.labels).map(|l| l.len() as u64).sum();
    let of = |f: fn(&SeedRun) -> f64| runs.iter().map(f).collect::<Vec<f64>>();
    findings.push(header.judge(
        "share of accounts with a positive label, highest platform over lowest",
        &of(label_ratio),
        labels,
        Target::Shown,
    ));
    let events: u64 = runs.iter().map(|run| run.watch.laws.events()).sum();
    findings.push(header.judge(
        "largest Jensen-Shannon divergence of event kinds between platforms, bits",
        &of(divergence),
        events,
        Target::Shown,
    ));
    findings.push(header.judge("platforms a person", &of(overlap), persons, Target::Shown));
    findings
}
