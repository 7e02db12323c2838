//! Writing one part of a log: the rows of one platform, one block of accounts and one week, sorted by (account, time).
//!
//! Encodings by measurement (BENCHMARKS.md; 3.3 million rows of a social network, processor time): a dictionary for times, of
//! which a week has 2,016 at most, and for kinds; everything else delta-packed, which for sorted accounts and nearly constant
//! codes takes almost no bytes and no hashing. Snappy: zstd would save a tenth of the bytes, cost a quarter of the speed,
//! and bring a C library into the build. A part needs the memory of one block-week, whatever the length of the window.

use super::merge::tidy_part;
use crate::write::{Packing, encode_table};
use crate::{StoreError, Table, events_to_table, write_atomic};
use equipoise_core::Event;
use std::path::Path;

/// Columns of a part with few distinct values in no order that a difference would use.
const DICTIONARY: &[&str] = &["time", "kind"];

/// The bytes of a part with these rows, which [`events_to_table`] made of rows in the order of a part.
///
/// # Errors
/// If a metadata key may not be set.
pub fn encode_events_part(rows: &Table, meta: &[(&str, &str)]) -> Result<Vec<u8>, StoreError> {
    encode_table(rows, meta, Packing::Named(DICTIONARY))
}

/// Sorts `events` into the order of a part, merges equal keys and writes them. How many rows were written.
///
/// Law: the same set of rows in any order gives the same bytes.
///
/// # Errors
/// If a metadata key may not be set or the file cannot be written; then nothing is left behind.
pub fn write_events_part(
    path: &Path,
    events: &mut Vec<Event>,
    meta: &[(&str, &str)],
) -> Result<usize, StoreError> {
    tidy_part(events);
    write_atomic(path, &encode_events_part(&events_to_table(events), meta)?)?;
    Ok(events.len())
}
