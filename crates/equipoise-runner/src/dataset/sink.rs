//! From the stream of a world to parts on disk: rows are gathered by platform, block and week, and written when their week is
//! over, beside the world that goes on. Memory is bounded: beyond a limit rows wait in spill files, not in memory.
//!
//! Which thread writes a part, and whether its rows waited on disk, cannot change its bytes.

use crate::fault::{Fault, runtime};
use equipoise_core::{AccountId, Event, EventKind, EventSink, PlatformId, SimTime, Surface, WEEK};
use equipoise_store::dataset::{events_part, write_events_part};
use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows that may wait in memory, 20 bytes each; as many again may be on their way into parts.
pub(crate) const ROWS_IN_MEMORY: usize = 1 << 22;

/// Bytes of a row in a spill file.
const ROW: usize = 20;

/// Writes parts below one directory, from any thread; remembers the first thing that went wrong.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    root: &'a Path,
    meta: &'a [(&'a str, &'a str)],
    on_their_way: AtomicUsize,
    written: AtomicUsize,
    found: AtomicUsize,
    fault: Mutex<Option<Fault>>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(root: &'a Path, meta: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            root,
            meta,
            on_their_way: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            found: AtomicUsize::new(0),
            fault: Mutex::new(None),
        }
    }

    /// Whether something went wrong, so that going on is in vain.
    pub(crate) fn failed(&self) -> bool {
        self.lock().is_some()
    }

    /// (parts written, parts that an interrupted build had left).
    ///
    /// # Errors
    /// The first thing that went wrong.
    pub(crate) fn finish(self) -> Result<(usize, usize), Fault> {
        let counts = (self.written.into_inner(), self.found.into_inner());
        self.fault.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(counts), Err)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Fault>> {
        self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn note(&self, fault: Fault) {
        self.lock().get_or_insert(fault);
    }

    /// A part has its name only when it is whole, so one that is there already need not be written again.
    fn write(&self, name: &str, mut events: Vec<Event>) {
        let path = self.root.join(name);
        let rows = events.len();
        if path.exists() {
            self.found.fetch_add(1, Ordering::Relaxed);
        } else if !self.failed() {
            let done = make_parent(&path)
                .and_then(|()| write_events_part(&path, &mut events, self.meta).map_err(runtime));
            match done {
                Ok(_) => _ = self.written.fetch_add(1, Ordering::Relaxed),
                Err(fault) => self.note(fault),
            }
        }
        self.on_their_way.fetch_sub(rows, Ordering::Relaxed);
    }
}

fn make_parent(path: &Path) -> Result<(), Fault> {
    let parent = path.parent().unwrap_or(path);
    let refused = |error| Fault::Runtime(format!("{}: {error}; choose another --out", parent.display()));
    fs::create_dir_all(parent).map_err(refused)
}

/// The open weeks of all platforms.
pub(crate) struct PartSink<'a, 'scope> {
    parts: &'scope Parts<'scope>,
    scope: &'a rayon::Scope<'scope>,
    block_of: &'a dyn Fn(PlatformId, AccountId) -> u16,
    limit: usize,
    waiting: usize,
    open: Vec<OpenWeek>,
}

/// The rows of one platform's current week, by block.
struct OpenWeek {
    week: u32,
    rows: Vec<Vec<Event>>,
    spilled: Vec<Option<PathBuf>>,
}

impl<'a, 'scope> PartSink<'a, 'scope> {
    pub(crate) fn new(
        parts: &'scope Parts<'scope>,
        scope: &'a rayon::Scope<'scope>,
        (platforms, blocks): (usize, u16),
        block_of: &'a dyn Fn(PlatformId, AccountId) -> u16,
        limit: usize,
    ) -> Self {
        let blocks = usize::from(blocks);
        let week = || OpenWeek { week: 0, rows: vec![Vec::new(); blocks], spilled: vec![None; blocks] };
        Self { parts, scope, block_of, limit, waiting: 0, open: (0..platforms).map(|_| week()).collect() }
    }

    /// Writes what is left when the world is over.
    pub(crate) fn finish(mut self) {
        for platform in 0..self.open.len() {
            self.close(platform);
        }
    }

    /// Hands the open week of a platform to the writers.
    fn close(&mut self, platform: usize) {
        let open = &mut self.open[platform];
        let place = PlatformId(u8::try_from(platform).unwrap_or(u8::MAX));
        for (block, (rows, spilled)) in (0_u16..).zip(open.rows.iter_mut().zip(&mut open.spilled)) {
            let mut rows = std::mem::take(rows);
            self.waiting -= rows.len();
            if let Some(path) = spilled.take() {
                match unspill(&path, &mut rows) {
                    Ok(()) => {}
                    Err(fault) => return self.parts.note(fault),
                }
            }
            if rows.is_empty() {
                continue;
            }
            let name = events_part(place, block, open.week);
            let before = self.parts.on_their_way.fetch_add(rows.len(), Ordering::Relaxed);
            let parts = self.parts;
            // With one thread, or with enough on its way already, this thread does the work itself.
            if rayon::current_num_threads() == 1 || before > self.limit {
                parts.write(&name, rows);
            } else {
                self.scope.spawn(move |_| parts.write(&name, rows));
            }
        }
        open.week += 1;
    }

    /// Moves the rows that wait in memory to the disk.
    fn spill(&mut self) -> Result<(), Fault> {
        for (platform, open) in self.open.iter_mut().enumerate() {
            for (block, (rows, spilled)) in open.rows.iter_mut().zip(&mut open.spilled).enumerate() {
                if rows.is_empty() {
                    continue;
                }
                let path = spilled
                    .get_or_insert_with(|| self.parts.root.join(format!(".spill.tmp-{platform}-{block}")));
                let file = OpenOptions::new().create(true).append(true).open(&*path).map_err(runtime)?;
                let mut file = BufWriter::new(file);
                for event in rows.drain(..) {
                    file.write_all(&to_bytes(&event)).map_err(runtime)?;
                }
                file.flush().map_err(runtime)?;
                rows.shrink_to(0);
            }
        }
        self.waiting = 0;
        Ok(())
    }
}

impl EventSink for PartSink<'_, '_> {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        if self.parts.failed() {
            return;
        }
        for event in events {
            let week = u32::try_from(event.time.0.div_euclid(WEEK)).unwrap_or(0);
            while self.open[platform.index()].week < week {
                self.close(platform.index());
            }
            let block = usize::from((self.block_of)(platform, event.actor));
            self.open[platform.index()].rows[block].push(*event);
            self.waiting += 1;
        }
        let over = u32::try_from(until.0.div_euclid(WEEK)).unwrap_or(0);
        while self.open[platform.index()].week < over {
            self.close(platform.index());
        }
        if self.waiting > self.limit
            && let Err(fault) = self.spill()
        {
            self.parts.note(fault);
        }
    }
}

/// Rows back from a spill file, before those that wait in memory; the file goes.
fn unspill(path: &Path, rows: &mut Vec<Event>) -> Result<(), Fault> {
    let bytes = fs::read(path).map_err(runtime)?;
    fs::remove_file(path).map_err(runtime)?;
    if bytes.len() % ROW != 0 {
        return Err(Fault::Runtime(format!(
            "{}: a spill file was cut short; free some space and run again",
            path.display()
        )));
    }
    let waiting = std::mem::take(rows);
    rows.reserve_exact(bytes.len() / ROW + waiting.len());
    for row in bytes.chunks_exact(ROW) {
        let event = from_bytes(row).ok_or_else(|| {
            Fault::Runtime(format!("{}: a spill file was damaged; run again", path.display()))
        })?;
        rows.push(event);
    }
    rows.extend(waiting);
    Ok(())
}

fn to_bytes(event: &Event) -> [u8; ROW] {
    let mut row = [0; ROW];
    row[0..4].copy_from_slice(&event.time.0.to_le_bytes());
    row[4..8].copy_from_slice(&event.actor.0.to_le_bytes());
    row[8..12].copy_from_slice(&event.peer.0.to_le_bytes());
    row[12..14].copy_from_slice(&event.count.to_le_bytes());
    row[14..19].copy_from_slice(&[
        event.kind.code(),
        event.surface as u8,
        event.media,
        event.mutuals,
        event.detail,
    ]);
    row
}

fn from_bytes(row: &[u8]) -> Option<Event> {
    let word = |at: usize| Some(u32::from_le_bytes(row.get(at..at + 4)?.try_into().ok()?));
    Some(Event {
        time: SimTime(word(0)?.cast_signed()),
        actor: AccountId(word(4)?),
        peer: AccountId(word(8)?),
        count: u16::from_le_bytes(row.get(12..14)?.try_into().ok()?),
        kind: EventKind::from_code(row[14])?,
        surface: Surface::from_code(row[15])?,
        media: row[16],
        mutuals: row[17],
        detail: row[18],
    })
}

/// Removes what an interrupted build left of its spill files.
///
/// # Errors
/// If the directory cannot be read or a file not removed.
pub(crate) fn remove_spill(root: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(root).map_err(runtime)? {
        let path = entry.map_err(runtime)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".spill.tmp-")) {
            fs::remove_file(&path).map_err(runtime)?;
        }
    }
    Ok(())
}
