//! From a world to parts on disk. Each week the skeleton is played once; then the blocks of a platform are played side by side,
//! rows are handed to the block of their actor (a dyad across blocks comes out of the block of whoever began), and the
//! parts are sorted, encoded and written side by side, while the next platform is played. In memory lie the world and one week of
//! two platforms.
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
    // What was played last is written while the next is played, so that neither waits for the other's last block.
    let write = |played: Option<Played>| played.map_or(Ok(0), |played| played.write(root, meta));
    let mut waiting: Option<Played> = None;
    for week in 0.. {
        let before = waiting.take();
        let (begun, written) = rayon::join(|| skeleton.next_week(observer), || write(before));
        counts.written += written?;
        if begun.is_none() {
            break;
        }
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
            let before = waiting.take();
            let (logs, written) = rayon::join(|| ranges.par_iter().map(play).collect(), || write(before));
            counts.written += written?;
            waiting = Some(Played { platform: view.id, week, missing, ranges, logs });
        }
    }
    Ok((skeleton.finish(observer), counts))
}

/// One week of one platform, played and not yet written.
struct Played {
    platform: PlatformId,
    week: u32,
    missing: Vec<u16>,
    ranges: Vec<Range<u32>>,
    /// By block of whoever began.
    logs: Vec<Vec<Event>>,
}

impl Played {
    /// Writes the missing parts, side by side; how many there were rows for.
    fn write(&self, root: &Path, meta: &[(&str, &str)]) -> Result<usize, Fault> {
        let one = |block: &u16| {
            let place = (self.platform, *block, self.week);
            write_part(root, place, &self.ranges[usize::from(*block)], &self.logs, meta)
        };
        let written: Result<Vec<bool>, Fault> = self.missing.par_iter().map(one).collect();
        Ok(written?.into_iter().filter(|written| *written).count())
    }
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
