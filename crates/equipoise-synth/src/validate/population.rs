//! V1, who lives in the world, and V2, the ages that they declare.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::finding::{Finding, Header, Pass, Target};
use super::stats::chi_square_tail;
use equipoise_core::AgeBand;

check!(
    /// V1.
    Mix, "V1", Gated, "age bands and genders against the file", "the world file", mix
);

check!(
    /// V2.
    DeclaredAge, "V2", Gated, "declared against true ages",
    "Ofcom/Yonder 2022, user ages (8 to 17: 32% declare 18 or more; 8 to 12: 23%; 8 to 15: 47% declare 16 or more)",
    declared
);

/// Counts of persons by band and of girls and women.
fn count(run: &SeedRun) -> ([f64; 4], f64) {
    let (mut bands, mut girls) = ([0.0; 4], 0.0);
    for person in &run.facts.persons {
        bands[person.band as usize] += 1.0;
        girls += f64::from(u8::from(person.girl));
    }
    (bands, girls)
}

fn mix(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let counts: Vec<([f64; 4], f64)> = evidence.runs.iter().map(count).collect();
    let Some(first) = evidence.runs.first() else {
        return vec![header.absent("share of the age bands and genders", Target::Shown, "no world was run")];
    };
    let population = &first.facts.spec.population;
    let persons: f64 = counts.iter().flat_map(|(bands, _)| bands).sum();
    let mut findings = Vec::new();
    let mut square = 0.0;
    for (band, want) in population.bands.value.iter().enumerate() {
        let seen: f64 = counts.iter().map(|(bands, _)| bands[band]).sum();
        square += (seen - want * persons) * (seen - want * persons) / (want * persons).max(1e-9);
        let shares: Vec<f64> =
            counts.iter().map(|(bands, _)| bands[band] / bands.iter().sum::<f64>()).collect();
        let name = format!("share of persons in band {:?}", AgeBand::ALL[band]);
        findings.push(header.judge(name, &shares, whole(persons), Target::Band(want - 0.01, want + 0.01)));
    }
    findings.push(chi(header, "age bands: probability of a larger chi-square", square, 3.0, persons));
    let (girls, want) = (counts.iter().map(|c| c.1).sum::<f64>(), population.girls.p());
    let shares: Vec<f64> = counts.iter().map(|(bands, girls)| girls / bands.iter().sum::<f64>()).collect();
    findings.push(header.judge(
        "share of girls and women",
        &shares,
        whole(persons),
        Target::Band(want - 0.01, want + 0.01),
    ));
    let spread = (want * (1.0 - want) * persons).max(1e-9);
    let square = (girls - want * persons) * (girls - want * persons) / spread;
    findings.push(chi(header, "genders: probability of a larger chi-square", square, 1.0, persons));
    findings
}

/// A chi-square test of counts pooled over seeds: false-alarm rate 1%.
fn chi(header: &Header, name: &str, square: f64, degrees: f64, n: f64) -> Finding {
    let p = chi_square_tail(square, degrees);
    let mut finding = header.absent(name, Target::AtLeast(0.01), "counts pooled over seeds");
    finding.value = Some(p);
    finding.n = whole(n);
    finding.pass = if p > 0.01 { Pass::Pass } else { Pass::Fail };
    finding
}

/// Accounts by true and declared band on one world's platforms that ask for an age; accounts of roles declare by their
/// own rule and are left out.
fn table(run: &SeedRun) -> [[f64; 4]; 4] {
    let mut table = [[0.0; 4]; 4];
    for (view, accounts) in run.facts.views.iter().zip(&run.facts.accounts) {
        for (profile, account) in view.profiles.iter().zip(accounts) {
            if let (Some(declared), false) = (profile.declared_age, account.role) {
                let band = run.facts.persons[account.person as usize].band;
                table[band as usize][declared as usize] += 1.0;
            }
        }
    }
    table
}

fn declared(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let tables: Vec<[[f64; 4]; 4]> = evidence.runs.iter().map(table).collect();
    let rows = [
        ("declared 18 or more, of 8 to 17", &[0_usize, 1, 2][..], &[3_usize][..], Some((0.32, 0.02))),
        ("declared 18 or more, of 8 to 12", &[0], &[3], Some((0.23, 0.02))),
        ("declared 16 or more, of 8 to 15", &[0, 1], &[2, 3], Some((0.47, 0.02))),
        ("adults who declare to be a child", &[3], &[0, 1, 2], None),
    ];
    rows.iter()
        .map(|(name, bands, declared, target)| {
            let shares: Vec<f64> = evidence
                .runs
                .iter()
                .zip(&tables)
                .map(|(run, table)| share(&run.facts.spec.population.bands.value, table, bands, declared))
                .collect();
            let n: f64 = tables.iter().flat_map(|t| bands.iter().map(|b| t[*b].iter().sum::<f64>())).sum();
            let target = target.map_or(Target::Shown, |(want, room)| Target::Band(want - room, want + room));
            header.judge(*name, &shares, whole(n), target)
        })
        .collect()
}

/// The share of `bands` that declares one of `declared`; bands weigh by persons, as in the published survey.
fn share(weights: &[f64; 4], table: &[[f64; 4]; 4], bands: &[usize], declared: &[usize]) -> f64 {
    let of =
        |band: usize| declared.iter().map(|d| table[band][*d]).sum::<f64>() / table[band].iter().sum::<f64>();
    bands.iter().map(|b| weights[*b] * of(*b)).sum::<f64>() / bands.iter().map(|b| weights[*b]).sum::<f64>()
}

/// A count that was added up in floating point.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn whole(count: f64) -> u64 {
    libm::round(count.max(0.0)) as u64
}
