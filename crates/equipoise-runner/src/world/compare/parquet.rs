//! Parquet files of our events schema: direct messages only, dyads mirrored across blocks once.

use crate::fault::{Fault, config, runtime};
use equipoise_core::{EventKind, Surface};
use equipoise_store::{Table, TableReader};
use equipoise_synth::contact_log::{Contact, ContactLog};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Whether a file begins like a Parquet file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn is_parquet(path: &Path) -> Result<bool, Fault> {
    let mut start = [0_u8; 4];
    let mut file = File::open(path).map_err(|error| {
        config(format!("{}: the log cannot be read ({error}); check the path and its rights", path.display()))
    })?;
    Ok(file.read(&mut start).map_err(runtime)? == 4 && &start == b"PAR1")
}

/// The direct messages of event files of one platform.
///
/// # Errors
/// If a file is not a table of our events.
pub(super) fn events(paths: &[PathBuf]) -> Result<ContactLog, Fault> {
    let mut rows = Vec::new();
    for path in paths {
        let reader = TableReader::open(path).map_err(|error| config(error.to_string()))?;
        for group in 0..reader.groups() {
            let table = reader.read_group(group).map_err(|error| config(error.to_string()))?;
            direct_messages(&table, &mut rows)
                .map_err(|error| config(format!("{}: not a table of events: {error}", path.display())))?;
        }
    }
    // A row of two accounts in different blocks is filed under both.
    rows.sort_unstable();
    rows.dedup();
    ContactLog::from_rows(rows).map_err(runtime)
}

fn direct_messages(table: &Table, rows: &mut Vec<Contact>) -> Result<(), equipoise_store::StoreError> {
    let (time, actor, peer) = (table.i32("time")?, table.u32("actor")?, table.u32("peer")?);
    let (kind, surface, count) = (table.u8("kind")?, table.u8("surface")?, table.u16("count")?);
    for row in 0..table.rows() {
        let message = kind[row] == EventKind::Message.code() && surface[row] == Surface::Direct as u8;
        if message && peer[row] != u32::MAX {
            rows.push(Contact {
                time: i64::from(time[row]),
                src: actor[row],
                dst: peer[row],
                count: u32::from(count[row].max(1)),
            });
        }
    }
    Ok(())
}
