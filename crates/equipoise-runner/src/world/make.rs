//! `equipoise world make`: one world's events, labels and truth as Parquet, for looking at. A dataset to publish, with parts,
//! checksums and papers, is built by `equipoise dataset build`.

use super::{Manner, print_json};
use crate::fault::{Fault, config, runtime};
use crate::progress::Progress;
use equipoise_core::{Event, EventSink, PlatformId, Seed, SimTime};
use equipoise_store::{
    Published, StoreError, Table, TableWriter, events_to_table, publish_dir, scratch_dir, write_json_atomic,
    write_table,
};
use equipoise_synth::{Outcome, World, WorldSpec};
use std::path::Path;

/// Rows that wait in memory for each platform.
const PIECE: usize = 1 << 19;
const META: [(&str, &str); 1] = [("generator", env!("CARGO_PKG_VERSION"))];

/// One file a platform, written piece by piece.
struct Files {
    writers: Vec<TableWriter>,
    waiting: Vec<Vec<Event>>,
    error: Option<StoreError>,
}

impl Files {
    fn new(dir: &Path, platforms: usize) -> Result<Self, StoreError> {
        let schema = events_to_table(&[]).schema();
        let open = |platform: usize| {
            TableWriter::create(&dir.join(format!("events-{platform}.parquet")), &schema, &META)
        };
        let writers = (0..platforms).map(open).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { writers, waiting: vec![Vec::new(); platforms], error: None })
    }

    fn flush(&mut self, platform: usize) {
        if self.error.is_none() && !self.waiting[platform].is_empty() {
            let table = events_to_table(&self.waiting[platform]);
            self.error = self.writers[platform].append(&table).err();
        }
        self.waiting[platform].clear();
    }

    fn finish(mut self) -> Result<(), StoreError> {
        (0..self.writers.len()).for_each(|platform| self.flush(platform));
        if let Some(error) = self.error {
            return Err(error);
        }
        self.writers.into_iter().try_for_each(TableWriter::finish)
    }
}

impl EventSink for Files {
    fn on_events(&mut self, platform: PlatformId, _: SimTime, events: &[Event]) {
        let at = platform.index();
        self.waiting[at].extend_from_slice(events);
        if self.waiting[at].len() >= PIECE {
            self.flush(at);
        }
    }
}

/// Makes the directory, wholly or not at all.
pub(super) fn make(spec: &WorldSpec, out: &Path, seed: u64, manner: Manner<'_>) -> Result<(), Fault> {
    if out.exists() {
        return Err(config(format!("{}: exists already; choose another --out", out.display())));
    }
    let world = World::build(spec, Seed::root(seed)).map_err(runtime)?;
    let dir = scratch_dir(out).map_err(runtime)?;
    let written = fill(&dir, &world, spec, seed, manner);
    let outcome = match written {
        Ok(outcome) => outcome,
        Err(fault) => {
            // What is left under a temporary name is rubbish either way.
            let _ = std::fs::remove_dir_all(&dir);
            return Err(fault);
        }
    };
    if publish_dir(&dir, out).map_err(runtime)? == Published::Theirs {
        return Err(config(format!("{}: another process was first", out.display())));
    }
    if manner.json {
        return print_json(&serde_json::json!({ "path": out, "events": outcome.events, "seed": seed }));
    }
    super::say(&format!(
        "{}: {} events of {} persons over {} days",
        out.display(),
        outcome.events,
        spec.persons,
        spec.days
    ));
    Ok(())
}

fn fill(
    dir: &Path,
    world: &World,
    spec: &WorldSpec,
    seed: u64,
    manner: Manner<'_>,
) -> Result<Outcome, Fault> {
    let mut files = Files::new(dir, world.views().len()).map_err(runtime)?;
    let outcome = world.run(None, &mut files, &Progress::new(manner.quiet)).map_err(runtime)?;
    files.finish().map_err(runtime)?;
    for (platform, labels) in outcome.labels.iter().enumerate() {
        let table = Table::new()
            .with("account", labels.iter().map(|l| l.account.0).collect::<Vec<u32>>())
            .and_then(|t| t.with("known_at", labels.iter().map(|l| l.known_at.0).collect::<Vec<i32>>()))
            .and_then(|t| t.with("status", labels.iter().map(|l| l.status as u8).collect::<Vec<u8>>()))
            .and_then(|t| t.with("source", labels.iter().map(|l| l.source as u8).collect::<Vec<u8>>()))
            .map_err(runtime)?;
        write_table(&dir.join(format!("labels-{platform}.parquet")), &table, &META).map_err(runtime)?;
    }
    truth(&dir.join("truth"), &outcome)?;
    let text = toml::to_string_pretty(spec).map_err(runtime)?;
    equipoise_store::write_atomic(&dir.join("config.toml"), text.as_bytes()).map_err(runtime)?;
    write_json_atomic(&dir.join("seed.json"), &seed).map_err(runtime)?;
    Ok(outcome)
}

/// Truth lies in a directory of its own, so that no path of training comes across it.
fn truth(dir: &Path, outcome: &Outcome) -> Result<(), Fault> {
    std::fs::create_dir(dir).map_err(runtime)?;
    for (platform, truth) in outcome.truth.platforms.iter().enumerate() {
        let accounts = &truth.accounts;
        let table = Table::new()
            .with("person", accounts.iter().map(|a| a.person.0).collect::<Vec<u32>>())
            .and_then(|t| {
                // 0 is none; a pattern is its code and one.
                let code = |a: &equipoise_synth::truth::AccountTruth| a.harmful.map_or(0, |h| h as u8 + 1);
                t.with("harmful", accounts.iter().map(code).collect::<Vec<u8>>())
            })
            .and_then(|t| {
                t.with("benign_group", accounts.iter().map(|a| a.benign_group as u8).collect::<Vec<u8>>())
            })
            .and_then(|t| {
                let start = |a: &equipoise_synth::truth::AccountTruth| a.harm_start.map_or(i32::MAX, |s| s.0);
                t.with("harm_start", accounts.iter().map(start).collect::<Vec<i32>>())
            })
            .map_err(runtime)?;
        write_table(&dir.join(format!("accounts-{platform}.parquet")), &table, &META).map_err(runtime)?;
    }
    Ok(())
}
