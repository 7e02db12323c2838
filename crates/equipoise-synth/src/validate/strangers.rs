//! V8: contact with people never met, over a whole year. Three surveys with three age frames, which are not pooled. A
//! stranger is an account of somebody who is in contact with the child on no platform and shares no contact with it on
//! this one when the year begins; "unwanted" is a stranger's request that the child did not accept.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::finding::{Finding, Header, Target};
use equipoise_core::EventKind;
use std::collections::BTreeSet;

check!(
    /// V8.
    StrangerContact, "V8", Gated, "children's contact with strangers in a year",
    "ONS CSEW 10 to 15 (a third accept an unknown request; 19.2% exchange messages with somebody never met; 4.4% meet), Ofcom 2023 (30% of 11 to 18 ever had an unwanted request)",
    contact
);

/// Who knows whom before the year begins.
struct Known {
    /// Pairs of persons in contact on any platform.
    persons: BTreeSet<(u32, u32)>,
    /// `[platform][account]`: contacts, sorted.
    contacts: Vec<Vec<Vec<u32>>>,
}

impl Known {
    fn of(run: &SeedRun) -> Self {
        let mut persons = BTreeSet::new();
        let mut contacts: Vec<Vec<Vec<u32>>> =
            run.facts.accounts.iter().map(|list| vec![Vec::new(); list.len()]).collect();
        for (platform, ties) in run.facts.ties.iter().enumerate() {
            let person = |a: u32| run.facts.accounts[platform][a as usize].person;
            for (a, b) in ties {
                let (x, y) = (person(*a), person(*b));
                // Only pairs with a child are ever asked for.
                if run.facts.persons[x as usize].band.is_minor()
                    || run.facts.persons[y as usize].band.is_minor()
                {
                    persons.insert((x.min(y), x.max(y)));
                }
                contacts[platform][*a as usize].push(*b);
                contacts[platform][*b as usize].push(*a);
            }
        }
        contacts.iter_mut().flatten().for_each(|list| list.sort_unstable());
        Self { persons, contacts }
    }

    fn strangers(&self, run: &SeedRun, platform: usize, a: u32, b: u32) -> bool {
        let person = |a: u32| run.facts.accounts[platform][a as usize].person;
        let (x, y) = (person(a), person(b));
        let (short, long) = (&self.contacts[platform][a as usize], &self.contacts[platform][b as usize]);
        x != y
            && !self.persons.contains(&(x.min(y), x.max(y)))
            && !short.iter().any(|c| long.binary_search(c).is_ok())
    }
}

/// By person: accepted a stranger, wrote both ways with one, had an unwanted request.
fn children(run: &SeedRun) -> Vec<[bool; 3]> {
    let known = Known::of(run);
    let mut out = vec![[false; 3]; run.facts.persons.len()];
    for platform in 0..run.facts.views.len() {
        let child = |account: u32| {
            let person = run.facts.accounts[platform][account as usize].person as usize;
            run.facts.persons[person].band.is_minor().then_some(person)
        };
        let deeds = &run.watch.deeds[platform];
        let accepted: BTreeSet<(u32, u32)> =
            deeds.iter().filter(|d| d.kind == EventKind::ContactAccept).map(|d| (d.peer, d.actor)).collect();
        for deed in deeds.iter().filter(|d| d.kind == EventKind::ContactRequest) {
            let Some(person) = child(deed.peer) else { continue };
            if known.strangers(run, platform, deed.actor, deed.peer) {
                out[person][if accepted.contains(&(deed.actor, deed.peer)) { 0 } else { 2 }] = true;
            }
        }
        let mut wrote: Vec<(u32, u32)> =
            run.watch.messages.dyad_rows(platform).iter().map(|row| (row.src, row.dst)).collect();
        wrote.sort_unstable();
        wrote.dedup();
        for (a, b) in &wrote {
            let Some(person) = child(*a).filter(|_| wrote.binary_search(&(*b, *a)).is_ok()) else { continue };
            out[person][1] = out[person][1] || known.strangers(run, platform, *a, *b);
        }
    }
    out
}

#[allow(clippy::cast_precision_loss)]
fn contact(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let met = header.absent(
        "share of 10 to 15 who met such a person",
        Target::Band(0.024, 0.064),
        "meetings leave no metadata and are not modelled",
    );
    let rows = [
        ("share of 10 to 15 who accepted a stranger's request", 0, (10.0, 16.0), 1.0 / 3.0),
        ("share of 10 to 15 who exchanged messages with a stranger", 1, (10.0, 16.0), 0.192),
        ("share of 11 to 18 with an unwanted request from a stranger", 2, (11.0, 18.0), 0.30),
    ];
    let all: Vec<Vec<[bool; 3]>> = evidence.years.iter().map(children).collect();
    let mut findings: Vec<Finding> =
        rows.iter()
            .map(|(name, column, (from, to), want)| {
                let mut n = 0;
                let shares: Vec<f64> = evidence
                    .years
                    .iter()
                    .zip(&all)
                    .map(|(run, children)| {
                        let online = online(run);
                        let of_age = run.facts.persons.iter().zip(children).zip(&online).filter(
                            |((person, _), online)| **online && person.age >= *from && person.age < *to,
                        );
                        let (mut count, mut yes) = (0_u64, 0_u64);
                        for ((_, child), _) in of_age {
                            count += 1;
                            yes += u64::from(child[*column]);
                        }
                        n += count;
                        yes as f64 / count as f64
                    })
                    .collect();
                header.judge(*name, &shares, n, Target::Band(want - 0.02, want + 0.02))
            })
            .collect();
    findings[2] = findings[2].clone().noting("the survey asks `ever`, the world counts one year");
    findings.push(met);
    findings
}

/// By person: has an account anywhere.
fn online(run: &SeedRun) -> Vec<bool> {
    let mut online = vec![false; run.facts.persons.len()];
    for account in run.facts.accounts.iter().flatten().filter(|a| !a.role) {
        online[account.person as usize] = true;
    }
    online
}
