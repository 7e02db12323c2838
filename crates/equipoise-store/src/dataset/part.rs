//! Writing one part of a log: the rows of one platform, one block of accounts and one week, sorted by (account, time).
//!
//! Encodings, chosen by measurement (BENCHMARKS.md): times and accounts are delta-packed, which costs almost nothing where
//! they are sorted; codes and small counts use a dictionary. A part holds what its caller holds: a block-week, whatever the
//! length of the window.

use super::merge::tidy_part;
use crate::{StoreError, events_to_table, write_table};
use equipoise_core::Event;
use std::path::Path;

/// Sorts `events` into the order of a part, merges equal keys and writes them. How many rows were written.
///
/// Law: the same set of rows in any order gives the same bytes.
///
/// # Errors
/// If the file cannot be written; then nothing is left behind.
pub fn write_events_part(
    path: &Path,
    events: &mut Vec<Event>,
    meta: &[(&str, &str)],
) -> Result<usize, StoreError> {
    tidy_part(events);
    write_table(path, &events_to_table(events), meta)?;
    Ok(events.len())
}
