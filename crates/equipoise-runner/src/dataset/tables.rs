//! The tables besides events: what stands still, what platforms came to know, the truth, the split. This is the one writer of
//! truth to disk; it lands below `truth/`, apart from everything that training may read.

use super::card::Split;
use super::source::Source;
use crate::fault::{Fault, runtime};
use equipoise_core::{AccountProfile, DAY, Draw, KnownLabel, PlatformId, Seed};
use equipoise_store::dataset::{table_spec, write_catalogued};
use equipoise_store::{ColumnData, StoreError, Table};
use equipoise_synth::Outcome;
use equipoise_synth::truth::Truth;
use std::collections::BTreeMap;
use std::path::Path;

/// Names of the sides, by code.
pub(crate) const SPLITS: [&str; 3] = ["train", "validation", "test"];
/// Where a platform does not see an age or a region.
const UNSEEN: u8 = 255;
/// A time that never came.
const NEVER: i32 = i32::MAX;

/// Rows by (table, platform).
pub(crate) type Rows = BTreeMap<(&'static str, PlatformId), u64>;

/// Writes tables of the catalogue and counts their rows.
pub(crate) struct Writer<'a> {
    root: &'a Path,
    meta: &'a [(&'a str, &'a str)],
    rows: Rows,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(root: &'a Path, meta: &'a [(&'a str, &'a str)]) -> Self {
        Self { root, meta, rows: Rows::new() }
    }

    fn put(
        &mut self,
        name: &'static str,
        platform: PlatformId,
        table: Result<Table, StoreError>,
    ) -> Result<(), Fault> {
        let table = table.map_err(runtime)?;
        let spec =
            table_spec(name).ok_or_else(|| Fault::Runtime(format!("no table `{name}` in the catalogue")))?;
        write_catalogued(self.root, spec, platform, &table, self.meta).map_err(runtime)?;
        self.rows.insert((spec.name, platform), table.rows() as u64);
        Ok(())
    }

    /// Writes everything but events.
    ///
    /// # Errors
    /// If the disk does not take a table.
    pub(crate) fn all(
        mut self,
        source: &Source,
        outcome: &Outcome,
        split: &Split,
        days: u16,
        seed: u64,
    ) -> Result<Rows, Fault> {
        for (at, view) in source.views().iter().enumerate() {
            self.put("accounts", view.id, accounts(&view.profiles, &source.tokens()[at]))?;
            self.put("edges", view.id, edges(&source.contacts(view.id)))?;
            self.put("labels", view.id, labels(&outcome.labels[at]))?;
            self.put("split_accounts", view.id, split_accounts(&outcome.truth, at, split, seed))?;
        }
        let nowhere = PlatformId(0);
        self.put("split_times", nowhere, split_times(split, days))?;
        self.put("truth_persons", nowhere, persons(&outcome.truth))?;
        self.put("truth_accounts", nowhere, truth_accounts(&outcome.truth))?;
        self.put("truth_stages", nowhere, stages(&outcome.truth))?;
        self.put("truth_contacts", nowhere, contacts(&outcome.truth))?;
        Ok(self.rows)
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn numbers(count: usize) -> Vec<u32> {
    (0..number(count)).collect()
}

fn platform(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(u8::MAX)
}

fn accounts(profiles: &[AccountProfile], tokens: &[u64]) -> Result<Table, StoreError> {
    let age = |p: &AccountProfile| p.declared_age.map_or(UNSEEN, |band| band as u8);
    Table::new()
        .with("account", numbers(profiles.len()))?
        .with("declared_age", profiles.iter().map(age).collect::<Vec<_>>())?
        .with("region", profiles.iter().map(|p| p.region.unwrap_or(UNSEEN)).collect::<Vec<_>>())?
        .with("created", profiles.iter().map(|p| p.created.0).collect::<Vec<_>>())?
        .with("token", tokens.to_vec())
}

fn edges(pairs: &[(u32, u32)]) -> Result<Table, StoreError> {
    Table::new()
        .with("a", pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?
        .with("b", pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())
}

fn labels(known: &[KnownLabel]) -> Result<Table, StoreError> {
    Table::new()
        .with("account", known.iter().map(|label| label.account.0).collect::<Vec<_>>())?
        .with("known_at", known.iter().map(|label| label.known_at.0).collect::<Vec<_>>())?
        .with("status", known.iter().map(|label| label.status as u8).collect::<Vec<_>>())?
        .with("source", known.iter().map(|label| label.source as u8).collect::<Vec<_>>())
}

/// The side of a unit (a household, the persons behind one team): an address of its own, so that another share moves nobody
/// twice.
pub(crate) fn side_of(unit: u32, split: &Split, seed: u64) -> u8 {
    let draw = Seed::root(seed).derive("dataset-split", 0).derive("person", u64::from(unit)).rng().uniform();
    if draw < split.test.get() { 2 } else { u8::from(draw < split.test.get() + split.validation.get()) }
}

fn split_accounts(truth: &Truth, at: usize, split: &Split, seed: u64) -> Result<Table, StoreError> {
    let accounts = &truth.platforms[at].accounts;
    Table::new().with("account", numbers(accounts.len()))?.with(
        "split",
        accounts
            .iter()
            .map(|a| side_of(truth.persons[a.person.index()].unit, split, seed))
            .collect::<Vec<_>>(),
    )
}

fn split_times(split: &Split, days: u16) -> Result<Table, StoreError> {
    let (cut, end) = (i32::from(split.test_from_day) * DAY, i32::from(days) * DAY);
    Table::new()
        .with("split", vec![0_u8, 1, 2])?
        .with("from", vec![0, 0, cut])?
        .with("until", vec![cut, cut, end])
}

#[allow(clippy::cast_possible_truncation)]
fn persons(truth: &Truth) -> Result<Table, StoreError> {
    let all = &truth.persons;
    Table::new()
        .with("person", numbers(all.len()))?
        .with("age_band", all.iter().map(|p| p.band as u8).collect::<Vec<_>>())?
        .with("girl", all.iter().map(|p| p.girl).collect::<Vec<bool>>())?
        .with("region", all.iter().map(|p| p.region).collect::<Vec<_>>())?
        .with("sociability", all.iter().map(|p| p.sociability as f32).collect::<Vec<_>>())?
        .with("vulnerability", all.iter().map(|p| p.vulnerability as f32).collect::<Vec<_>>())
}

fn truth_accounts(truth: &Truth) -> Result<Table, StoreError> {
    let all: Vec<_> = truth
        .platforms
        .iter()
        .enumerate()
        .flat_map(|(at, site)| {
            (0_u32..).zip(&site.accounts).map(move |(id, account)| (platform(at), id, account))
        })
        .collect();
    Table::new()
        .with("platform", all.iter().map(|row| row.0).collect::<Vec<_>>())?
        .with("account", all.iter().map(|row| row.1).collect::<Vec<_>>())?
        .with("person", all.iter().map(|row| row.2.person.0).collect::<Vec<_>>())?
        .with(
            "harmful",
            all.iter().map(|row| row.2.harmful.map_or(0, |kind| 1 + kind as u8)).collect::<Vec<_>>(),
        )?
        .with("benign_group", all.iter().map(|row| row.2.benign_group as u8).collect::<Vec<_>>())?
        .with(
            "matched_for",
            all.iter().map(|row| row.2.matched_for.map_or(0, |kind| 1 + kind as u8)).collect::<Vec<_>>(),
        )?
        .with(
            "harm_start",
            all.iter().map(|row| row.2.harm_start.map_or(NEVER, |at| at.0)).collect::<Vec<_>>(),
        )
}

fn stages(truth: &Truth) -> Result<Table, StoreError> {
    let all: Vec<_> = truth
        .platforms
        .iter()
        .enumerate()
        .flat_map(|(at, site)| site.stages.iter().map(move |stage| (platform(at), stage)))
        .collect();
    Table::new()
        .with("platform", all.iter().map(|row| row.0).collect::<Vec<_>>())?
        .with("account", all.iter().map(|row| row.1.account.0).collect::<Vec<_>>())?
        .with("child", all.iter().map(|row| row.1.child.0).collect::<Vec<_>>())?
        .with("stage", all.iter().map(|row| row.1.stage).collect::<Vec<_>>())?
        .with("from", all.iter().map(|row| row.1.from.0).collect::<Vec<_>>())?
        .with("until", all.iter().map(|row| row.1.to.0).collect::<Vec<_>>())
}

fn contacts(truth: &Truth) -> Result<Table, StoreError> {
    let mut columns: (Vec<u8>, Vec<u32>, Vec<u32>, Vec<i32>) = Default::default();
    for (at, site) in truth.platforms.iter().enumerate() {
        for (id, account) in (0_u32..).zip(&site.accounts) {
            for (time, child) in &account.contacts {
                columns.0.push(platform(at));
                columns.1.push(id);
                columns.2.push(child.0);
                columns.3.push(time.0);
            }
        }
    }
    let (platform, account, child, time) = columns;
    Table::new()
        .with("platform", platform)?
        .with("account", account)?
        .with("child", child)?
        .with("time", ColumnData::I32(time))
}
