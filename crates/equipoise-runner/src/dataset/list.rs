//! `equipoise dataset ls`: the cards that can be built, and what a built dataset holds.
#![allow(clippy::print_stdout)] // Part of the verb's voice.

use super::{Manner, card, print_json, usual_place};
use crate::fault::{Fault, config, runtime};
use equipoise_store::dataset::{files_in, table_at};
use equipoise_store::{TableReader, is_done};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CardRow {
    name: String,
    version: String,
    persons: u32,
    days: u16,
    pinned: bool,
    built: bool,
    title: String,
}

/// Lists the cards.
pub(super) fn cards(manner: Manner<'_>) -> Result<(), Fault> {
    let rows: Vec<CardRow> = card::all()
        .into_iter()
        .map(|loaded| CardRow {
            built: is_done(&usual_place(manner.runs, &loaded.card)),
            pinned: loaded.card.hash.is_some(),
            name: loaded.card.name,
            version: loaded.card.version,
            persons: loaded.card.persons,
            days: loaded.card.days,
            title: loaded.card.title,
        })
        .collect();
    if manner.json {
        return print_json(&rows);
    }
    if rows.is_empty() {
        println!("no cards in {}/", card::CARDS);
    }
    for row in rows {
        let state = match (row.built, row.pinned) {
            (true, _) => "built",
            (false, true) => "",
            (false, false) => "not pinned",
        };
        println!(
            "{:<10} {:<8} {:>9} persons {:>4} days  {state:<10}  {}",
            row.name, row.version, row.persons, row.days, row.title
        );
    }
    Ok(())
}

#[derive(Serialize, Default)]
#[serde(rename_all = "kebab-case")]
struct TableRow {
    table: String,
    platform: Option<u8>,
    files: u64,
    rows: u64,
    bytes: u64,
}

/// Lists the tables of a built dataset.
pub(super) fn tables(dir: &Path, json: bool) -> Result<(), Fault> {
    if !is_done(dir) {
        return Err(config(format!(
            "{}: is no finished dataset; `equipoise dataset build` makes one",
            dir.display()
        )));
    }
    let mut rows: BTreeMap<(Option<u8>, &str), TableRow> = BTreeMap::new();
    for name in files_in(dir, &[]).map_err(runtime)? {
        let Some((spec, platform)) = table_at(&name) else { continue };
        let platform = spec.by_platform.then_some(platform.0);
        let path = dir.join(&name);
        let row = rows.entry((platform, spec.name)).or_default();
        row.table = spec.name.to_owned();
        row.platform = platform;
        row.files += 1;
        row.rows += TableReader::open(&path).map_err(runtime)?.rows() as u64;
        row.bytes += std::fs::metadata(&path).map_err(runtime)?.len();
    }
    let rows: Vec<TableRow> = rows.into_values().collect();
    if json {
        return print_json(&rows);
    }
    println!(
        "{:<16} {:>8} {:>6} {:>12} {:>13} {:>10}",
        "table", "platform", "files", "rows", "bytes", "bytes/row"
    );
    for row in rows {
        let platform = row.platform.map_or("-".to_owned(), |id| id.to_string());
        #[allow(clippy::cast_precision_loss)]
        let each = row.bytes as f64 / row.rows.max(1) as f64;
        println!(
            "{:<16} {platform:>8} {:>6} {:>12} {:>13} {each:>10.2}",
            row.table, row.files, row.rows, row.bytes
        );
    }
    Ok(())
}
