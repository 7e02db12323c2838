//! V16: no person on both sides of a split, whatever the number of their accounts, and no household or team of a ring
//! either. Whoever trains gives the split.

use super::check::check;
use super::evidence::{Evidence, Part, SeedRun, Split};
use super::finding::{Finding, Header, Target};

check!(
    /// V16.
    EntityLeak, "V16", Exact, "persons, families and rings across train and test", "by construction", leak
);

/// What is counted on either side: the number of whoever is behind an account.
type Behind = fn(&SeedRun, u32) -> u32;

/// Persons, then units of them.
const WHO: [(&str, Behind); 2] = [
    ("persons", |_, person| person),
    ("families and rings", |run, person| run.facts.persons[person as usize].unit),
];

/// Those with accounts on both sides, and those on any.
fn sides(run: &SeedRun, split: &Split, behind: Behind) -> (u64, u64) {
    let mut sides = vec![[false; 2]; run.facts.persons.len()];
    for (parts, accounts) in split.part.iter().zip(&run.facts.accounts) {
        for (part, account) in parts.iter().zip(accounts) {
            let side = &mut sides[behind(run, account.person) as usize];
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
        let seeds = of_name.len();
        let mut all = 0;
        for (who, behind) in WHO {
            let (mut both, mut any) = (0, 0);
            for (run, split) in &of_name {
                let (b, a) = sides(run, split, behind);
                (both, any) = (both + b, any + a);
            }
            all = all.max(any);
            let what = format!("{who} on both sides of the split `{name}`");
            findings.push(header.exact(what, both, any, seeds, ""));
        }
        let shares: Vec<f64> = of_name.iter().map(|(run, split)| crossing(run, split)).collect();
        findings.push(
            header
                .judge(format!("share of contacts across the split `{name}`"), &shares, all, Target::Shown)
                .noting("friends are on either side; features of a test account may read events with train accounts"),
        );
    }
    findings
}
