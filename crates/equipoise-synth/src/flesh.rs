//! One day of flesh at a time, in blocks of accounts that can be made in any order and side by side.
//!
//! A block holds its rows of the day in the order of time slots, not yet in the order of a log: a slot is put into order
//! when its tick comes, over all blocks together. Rows that fall into later days wait in the block.

use crate::ordinary::Ground;
use crate::row::{Row, Sheet};
use equipoise_core::{DAY, Event};
use std::ops::Range;

/// Cuts accounts into runs: short enough for a core's own cache, long enough to be worth a task.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn ranges(accounts: usize) -> Vec<Range<u32>> {
    let size = (accounts / 16).clamp(64, 2_048);
    (0..accounts).step_by(size).map(|from| from as u32..(from + size).min(accounts) as u32).collect()
}

/// The flesh of a run of accounts.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    accounts: Range<u32>,
    /// Scratch while a day is made, then what lies beyond the day.
    sheet: Sheet,
    /// Today's rows by slot.
    rows: Vec<Row>,
    /// Where each slot of the day begins in `rows`.
    starts: Vec<u32>,
    first: u32,
}

impl Block {
    /// Cuts `accounts` into blocks; `sheet` is an empty one of the platform up to the end of the window.
    pub(crate) fn cut(accounts: usize, sheet: &Sheet) -> Vec<Self> {
        let block = |accounts| Self {
            accounts,
            sheet: sheet.clone(),
            rows: Vec::new(),
            starts: Vec::new(),
            first: 0,
        };
        ranges(accounts).into_iter().map(block).collect()
    }

    /// Rows of the day that was made last.
    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Makes the rows of `day`; returns its acts.
    pub(crate) fn make(&mut self, ground: &Ground<'_>, day: i32) -> Vec<Event> {
        self.sheet.begin(day * DAY);
        let mut acts = Vec::new();
        ground.whole(self.accounts.clone(), day, &mut self.sheet, &mut acts);
        self.first = self.sheet.slots.start;
        self.sort_by_slot(self.sheet.slots_of_a_day());
        acts
    }

    /// Counting sort of the day's rows; the others stay in the sheet.
    #[allow(clippy::cast_possible_truncation)]
    fn sort_by_slot(&mut self, slots: usize) {
        self.starts.clear();
        self.starts.resize(slots + 1, 0);
        let place = |row: &Row| (row.slot() - self.first) as usize;
        for row in &self.sheet.rows {
            if let Some(count) = self.starts[1..].get_mut(place(row)) {
                *count += 1;
            }
        }
        for slot in 0..slots {
            self.starts[slot + 1] += self.starts[slot];
        }
        let today = self.starts[slots] as usize;
        self.rows.clear();
        self.rows.resize(today, Row::default());
        let mut next: Vec<u32> = self.starts.clone();
        let (rows, first) = (&mut self.rows, self.first);
        self.sheet.rows.retain(|row| {
            let slot = (row.slot() - first) as usize;
            let later = slot >= slots;
            if !later {
                rows[next[slot] as usize] = *row;
                next[slot] += 1;
            }
            later
        });
    }

    /// The rows of one slot of the day that was made last, in no order.
    pub(crate) fn slot(&self, slot: u32) -> &[Row] {
        let at = (slot - self.first) as usize;
        &self.rows[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}
