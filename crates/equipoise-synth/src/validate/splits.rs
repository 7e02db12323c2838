//! V16: no person on both sides of a split, whatever the number of their accounts. Whoever trains gives the split.

use super::check::check;
use super::evidence::{Evidence, Part, SeedRun, Split};
use super::finding::{Finding, Header, Target};

check!(
    /// V16.
    EntityLeak, "V16", Exact, "persons, dyads and families across train and test", "by construction", leak
);

/// Persons with accounts on both sides, and persons on any.
fn persons(run: &SeedRun, split: &Split) -> (u64, u64) {
    let mut sides = vec![[false; 2]; run.facts.persons.len()];
    for (parts, accounts) in split.part.iter().zip(&run.facts.accounts) {
        for (part, account) in parts.iter().zip(accounts) {
            let side = &mut sides[account.person as usize];
            side[0] |= *part == Part::Train;
            side[1] |= *part == Part::Test;
        }
    }
    let both = sides.iter().filter(|s| s[0] && s[1]).count() as u64;
    (both, sides.iter().filter(|s| s[0] || s[1]).count() as u64)
}

/// The share of contacts that join a train account with a test account.
#[allow(clippy::cast_precision_loss)]
fn crossing(run: &SeedRun, split: &Split) -> f64 {
    let (mut all, mut across) = (0_u64, 0_u64);
    for (parts, ties) in split.part.iter().zip(&run.facts.ties) {
        for (a, b) in ties {
            let (a, b) = (parts[*a as usize], parts[*b as usize]);
            if a != Part::Neither && b != Part::Neither {
                all += 1;
                across += u64::from(a != b);
            }
        }
    }
    across as f64 / all as f64
}

fn leak(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let splits: Vec<(&SeedRun, &Split)> = evidence
        .runs
        .iter()
        .chain(&evidence.divided)
        .flat_map(|run| run.splits.iter().map(move |split| (run, split)))
        .collect();
    if splits.is_empty() {
        return vec![header.absent("persons on both sides of a split", Target::None, "no split was given")];
    }
    let mut names: Vec<&str> = splits.iter().map(|(_, split)| split.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut findings = Vec::new();
    for name in names {
        let of_name: Vec<&(&SeedRun, &Split)> =
            splits.iter().filter(|(_, split)| split.name == name).collect();
        let (mut both, mut any) = (0, 0);
        for (run, split) in &of_name {
            let (b, a) = persons(run, split);
            (both, any) = (both + b, any + a);
        }
        let seeds = of_name.len();
        findings.push(header.exact(
            format!("persons on both sides of the split `{name}`"),
            both,
            any,
            seeds,
            "a ring shares no person with another actor; its members are split as persons",
        ));
        let shares: Vec<f64> = of_name.iter().map(|(run, split)| crossing(run, split)).collect();
        findings.push(
            header
                .judge(format!("share of contacts across the split `{name}`"), &shares, any, Target::Shown)
                .noting("a split by person keeps neither dyads nor families together; features of a test account may read events with train accounts"),
        );
    }
    findings
}
