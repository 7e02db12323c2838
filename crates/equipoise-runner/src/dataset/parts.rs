//! From a world to parts on disk. Each week the skeleton is played once; then the blocks of a platform are played side by side,
//! rows are handed to the block of their actor (a dyad across blocks comes out of the block of whoever began), and the
//! parts are sorted, encoded and written side by side. In memory lie the world and one week of one platform.
//!
//! Which thread plays or writes a block cannot change its bytes. A part that is there already is not written again, and a
//! week of which every wanted part is there is not played: so an interrupted build is taken up, and blocks that were built
//! apart (`--blocks`) are put together.

use super::source::Source;
use crate::fault::{Fault, runtime};
use equipoise_core::{Event, Observer, PlatformId};
use equipoise_store::dataset::{events_part, write_events_part};
use equipoise_synth::Outcome;
use rayon::prelude::*;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// Parts that were written, and parts that were there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) written: usize,
    pub(crate) found: usize,
}

/// Plays the world and writes the parts of `blocks` below `root`.
///
/// # Errors
/// If the disk does not take a part; then the parts before it are kept.
pub(crate) fn write_parts(
    source: &Source,
    blocks: &Range<u16>,
    root: &Path,
    meta: &[(&str, &str)],
    observer: &dyn Observer,
) -> Result<(Outcome, Counts), Fault> {
    let mut skeleton = source.skeleton();
    let mut counts = Counts::default();
    let mut week = 0;
    while skeleton.next_week(observer).is_some() {
        for view in source.views() {
            let there = |block: &u16| root.join(events_part(view.id, *block, week)).exists();
            let missing: Vec<u16> = blocks.clone().filter(|block| !there(block)).collect();
            counts.found += blocks.len() - missing.len();
            if missing.is_empty() {
                continue;
            }
            let ranges = source.ranges(view.id);
            let play = |accounts: &Range<u32>| {
                let mut log = Vec::new();
                skeleton.play(view.id, accounts.clone(), &mut log);
                log
            };
            let logs: Vec<Vec<Event>> = ranges.par_iter().map(play).collect();
            let write = |block: &u16| {
                write_part(root, (view.id, *block, week), &ranges[usize::from(*block)], &logs, meta)
            };
            let written: Result<Vec<bool>, Fault> = missing.par_iter().map(write).collect();
            counts.written += written?.into_iter().filter(|written| *written).count();
        }
        week += 1;
    }
    Ok((skeleton.finish(observer), counts))
}

/// Writes the rows of `accounts` from every block's log, each sorted by account; whether there were any.
fn write_part(
    root: &Path,
    (platform, block, week): (PlatformId, u16, u32),
    accounts: &Range<u32>,
    logs: &[Vec<Event>],
    meta: &[(&str, &str)],
) -> Result<bool, Fault> {
    let of_block = |log: &'_ Vec<Event>| {
        let from = log.partition_point(|event| event.actor.0 < accounts.start);
        from..from + log[from..].partition_point(|event| event.actor.0 < accounts.end)
    };
    let pieces: Vec<&[Event]> = logs.iter().map(|log| &log[of_block(log)]).collect();
    let mut rows: Vec<Event> = Vec::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    pieces.iter().for_each(|piece| rows.extend_from_slice(piece));
    if rows.is_empty() {
        return Ok(false);
    }
    let path = root.join(events_part(platform, block, week));
    let parent = path.parent().unwrap_or(root);
    fs::create_dir_all(parent)
        .map_err(|error| Fault::Runtime(format!("{}: {error}; choose another --out", parent.display())))?;
    write_events_part(&path, &mut rows, meta).map_err(runtime)?;
    Ok(true)
}
