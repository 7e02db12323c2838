//! `equipoise world describe`: every parameter with its source and the checks that hold it, generated from the file; with a
//! seed also how large the parts of that world are. Aggregates of a built world, nothing of a run.

use super::{Manner, Parameter, Tag, parameters, print_json};
use crate::fault::{Fault, runtime};
use equipoise_core::{AccountId, AgeBand, PersonId, Seed};
use equipoise_synth::{World, WorldSpec};
use serde::Serialize;

/// How large one platform is.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct PlatformSize {
    name: String,
    accounts: usize,
    /// Of them, accounts of persons under 18.
    of_minors: usize,
    /// Of them, accounts with a simulated harmful pattern.
    harmful: usize,
    /// Of them, matched benign look-alikes.
    look_alikes: usize,
    /// Contacts of an account before the window, on average.
    mean_contacts: f64,
}

/// How large a built world is.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct WorldSize {
    seed: u64,
    /// Persons by age band.
    persons: Vec<(AgeBand, usize)>,
    /// Ties between persons, wherever they use.
    ties: usize,
    platforms: Vec<PlatformSize>,
}

impl WorldSize {
    fn of(spec: &WorldSpec, seed: u64) -> Result<Self, Fault> {
        let world = World::build(spec, Seed::root(seed)).map_err(runtime)?;
        let truth = world.start().finish().truth;
        let count = |band| truth.persons.iter().filter(|person| person.band == band).count();
        let platforms = world.views().iter().zip(&truth.platforms).map(|(view, truth)| {
            let accounts = &truth.accounts;
            let ids = (0_u32..).take(accounts.len()).map(AccountId);
            let contacts: usize = ids.map(|id| world.contacts(view.id, id).len()).sum();
            PlatformSize {
                name: view.name.clone(),
                accounts: accounts.len(),
                of_minors: accounts.iter().filter(|a| a.true_age_band.is_minor()).count(),
                harmful: accounts.iter().filter(|a| a.harmful.is_some()).count(),
                look_alikes: accounts.iter().filter(|a| a.matched_for.is_some()).count(),
                mean_contacts: contacts as f64 / accounts.len().max(1) as f64,
            }
        });
        let ties = world.ties();
        let ids = (0_u32..).take(ties.persons()).map(PersonId);
        let both_sides: usize = ids.map(|id| ties.of(id).len()).sum();
        Ok(Self {
            seed,
            persons: AgeBand::ALL.map(|band| (band, count(band))).to_vec(),
            ties: both_sides / 2,
            platforms: platforms.collect(),
        })
    }
}

/// Prints the table.
pub(super) fn describe(spec: &WorldSpec, seed: Option<u64>, manner: Manner<'_>) -> Result<(), Fault> {
    let rows = parameters(spec)?;
    let size = seed.map(|seed| WorldSize::of(spec, seed)).transpose()?;
    if manner.json {
        return match size {
            Some(world) => print_json(&serde_json::json!({ "parameters": rows, "world": world })),
            None => print_json(&rows),
        };
    }
    super::say(&format!("{} persons, {} days, {} platforms", spec.persons, spec.days, spec.platform.len()));
    size.iter().for_each(say_size);
    let width = rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
    for row in &rows {
        let checks = if row.checks.is_empty() { "V21".to_owned() } else { row.checks.join(" ") };
        super::say(&format!(
            "{:<width$}  {:<12} {:<14} {}: {}",
            row.key,
            checks,
            row.tag.word(),
            row.source,
            words(row)
        ));
    }
    let count = |tag: Tag| rows.iter().filter(|row| row.tag == tag).count();
    super::say(&format!(
        "{} parameters: {} cited, {} of our own experiments, {} assumed (held by sweeps, V21, and by nothing else)",
        rows.len(),
        count(Tag::Cited),
        count(Tag::OwnExperiment),
        count(Tag::Assumed)
    ));
    Ok(())
}

fn say_size(size: &WorldSize) {
    let bands: Vec<String> = size.persons.iter().map(|(band, count)| format!("{band:?} {count}")).collect();
    super::say(&format!("seed {}: {}; {} ties", size.seed, bands.join(", "), size.ties));
    for platform in &size.platforms {
        super::say(&format!(
            "  {}: {} accounts, {} of minors, {} with a simulated harmful pattern, {} look-alikes, {:.1} contacts each",
            platform.name,
            platform.accounts,
            platform.of_minors,
            platform.harmful,
            platform.look_alikes,
            platform.mean_contacts
        ));
    }
}

fn words(row: &Parameter) -> String {
    row.value.to_string()
}
