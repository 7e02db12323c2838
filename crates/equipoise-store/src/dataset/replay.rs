//! A published log back in the order of time, as the world emitted it, holding about as many rows as it is told to.
//!
//! Parts are sorted by account, so a stretch of time is gathered from every part of its week. A week with more rows than
//! the bound is read in several passes, one a slice of time: memory is bounded, reading costs more.

use super::layout::{FoundPart, find_parts};
use super::merge::{log_key, tidy_log};
use crate::{StoreError, TableReader, events_from_table};
use equipoise_core::{Event, EventSink, PlatformId, SimTime, WEEK};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One platform's log on disk.
#[derive(Clone, Debug)]
pub struct PlatformLog {
    platform: PlatformId,
    weeks: BTreeMap<u32, Vec<Part>>,
}

#[derive(Clone, Debug)]
struct Part {
    path: PathBuf,
    rows: usize,
}

/// Consecutive rows of a log.
#[derive(Clone, PartialEq, Debug)]
pub struct EventBatch {
    /// Every row lies before this instant, and every later row at or after it.
    pub until: SimTime,
    /// Sorted by time, actor, peer, kind, surface; no key twice.
    pub events: Vec<Event>,
}

impl PlatformLog {
    /// Finds the parts of a platform in the published directory `dataset` and reads how many rows each holds.
    ///
    /// # Errors
    /// If there is no such log, or a part cannot be read.
    pub fn open(dataset: &Path, platform: PlatformId) -> Result<Self, StoreError> {
        let mut weeks: BTreeMap<u32, Vec<Part>> = BTreeMap::new();
        for FoundPart { week, path, .. } in find_parts(dataset, platform)? {
            let rows = TableReader::open(&path)?.rows();
            weeks.entry(week).or_default().push(Part { path, rows });
        }
        Ok(Self { platform, weeks })
    }

    /// Rows of all parts together; equal keys in different parts count twice here and are one row when read.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.weeks.values().flatten().map(|part| part.rows as u64).sum()
    }

    /// How many parts there are.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.weeks.values().map(Vec::len).sum()
    }

    /// The log in the order of time, in batches of about `most_rows` rows (more where one stretch of a week is busier than
    /// the others). The rows do not depend on `most_rows`.
    pub fn batches(
        &self,
        most_rows: usize,
    ) -> impl Iterator<Item = Result<EventBatch, StoreError>> + use<'_> {
        self.weeks.iter().flat_map(move |(week, parts)| {
            let rows: usize = parts.iter().map(|part| part.rows).sum();
            // The length of a week in hours is the finest that a week is cut.
            let slices = i32::try_from(rows.div_ceil(most_rows.max(1))).unwrap_or(168).clamp(1, 168);
            let start = i32::try_from(*week).unwrap_or(i32::MAX).saturating_mul(WEEK);
            (0..slices).map(move |slice| {
                let cut = |at: i32| start.saturating_add((WEEK / 168) * (168 * at / slices));
                read_slice(parts, start, cut(slice), cut(slice + 1))
            })
        })
    }

    /// Hands the whole log to `sink`, as the world did.
    ///
    /// # Errors
    /// If a part cannot be read.
    pub fn replay(&self, most_rows: usize, sink: &mut dyn EventSink) -> Result<(), StoreError> {
        for batch in self.batches(most_rows) {
            let batch = batch?;
            sink.on_events(self.platform, batch.until, &batch.events);
        }
        Ok(())
    }
}

fn read_slice(parts: &[Part], week: i32, from: i32, until: i32) -> Result<EventBatch, StoreError> {
    let mut events = Vec::new();
    for part in parts {
        let reader = TableReader::open(&part.path)?;
        for group in 0..reader.groups() {
            let rows = events_from_table(&reader.read_group(group)?)?;
            if rows.iter().any(|row| row.time.0 < week || row.time.0 - week >= WEEK) {
                let why = "a row lies outside the week that the file is named after".to_owned();
                return Err(StoreError::NotParquet { path: part.path.clone(), why });
            }
            events.extend(rows.into_iter().filter(|row| (from..until).contains(&row.time.0)));
        }
    }
    tidy_log(&mut events);
    debug_assert!(events.is_sorted_by_key(log_key));
    Ok(EventBatch { until: SimTime(until), events })
}
