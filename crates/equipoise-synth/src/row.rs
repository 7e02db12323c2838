//! Rows of ordinary behaviour while they are many: 16 bytes that sort as two words, in the order of a log.
//! A [`Sheet`] collects them for one window of time and drops what lies outside it or what the platform cannot see.

use crate::talk::Post;
use equipoise_core::{AccountId, DAY, Event, EventKind, PlatformSchema, SimTime, Surface};
use std::ops::Range;

/// One row: (slot of time, actor) and (peer, kind, surface, media, count), each as one word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct Row {
    first: u64,
    rest: u64,
}

/// Where the counts end and the key begins in [`Row::rest`].
const COUNTS: u32 = 26;

impl Row {
    /// `slot` is the time over the platform's bucket.
    #[inline]
    fn new(
        slot: u32,
        actor: u32,
        peer: u32,
        kind: EventKind,
        surface: Surface,
        count: u16,
        media: u8,
    ) -> Self {
        let code = (u64::from(kind.code()) << 28) | ((surface as u64) << COUNTS);
        Self {
            first: (u64::from(slot) << 32) | u64::from(actor),
            rest: (u64::from(peer) << 32) | code | (u64::from(media) << 16) | u64::from(count),
        }
    }

    #[inline]
    pub(crate) const fn slot(self) -> u32 {
        (self.first >> 32) as u32
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) const fn actor(self) -> u32 {
        self.first as u32
    }

    #[inline]
    pub(crate) const fn peer(self) -> u32 {
        (self.rest >> 32) as u32
    }

    /// Whether both rows are about the same thing, so that they are one row.
    #[inline]
    pub(crate) const fn same(self, other: Self) -> bool {
        self.first == other.first && self.rest >> COUNTS == other.rest >> COUNTS
    }

    /// The order of a part of a dataset: by account, then by time.
    #[inline]
    pub(crate) const fn by_account(self) -> (u64, u64) {
        (self.first.rotate_left(32), self.rest)
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    pub(crate) fn event(self, bucket: i32) -> Event {
        let mut event = Event::new(
            SimTime(self.slot() as i32 * bucket),
            AccountId(self.actor()),
            AccountId(self.peer()),
            EventKind::ALL[(self.rest >> 28) as usize & 15],
        );
        event.surface = Surface::from_code((self.rest >> COUNTS) as u8 & 3).unwrap_or_default();
        event.count = self.rest as u16;
        event.media = (self.rest >> 16) as u8;
        event
    }
}

/// Rows of one platform whose slot lies in a window.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) rows: Vec<Row>,
    pub(crate) slots: Range<u32>,
    schema: PlatformSchema,
    sees_groups: bool,
}

impl Sheet {
    /// For `from..until`, in seconds, both on slots.
    #[allow(clippy::cast_sign_loss)]
    pub(crate) const fn new(schema: PlatformSchema, sees_groups: bool, from: i32, until: i32) -> Self {
        let bucket = schema.bucket_seconds;
        Self { rows: Vec::new(), slots: (from / bucket) as u32..(until / bucket) as u32, schema, sees_groups }
    }

    /// Where the window begins, in seconds.
    #[allow(clippy::cast_possible_wrap)]
    pub(crate) const fn from(&self) -> i32 {
        self.slots.start as i32 * self.schema.bucket_seconds
    }

    #[allow(clippy::cast_sign_loss)]
    pub(crate) const fn slots_of_a_day(&self) -> usize {
        (DAY / self.schema.bucket_seconds) as usize
    }

    /// Moves the beginning of the window.
    #[allow(clippy::cast_sign_loss)]
    pub(crate) const fn begin(&mut self, from: i32) {
        self.slots.start = (from / self.schema.bucket_seconds) as u32;
    }

    #[inline]
    #[allow(clippy::cast_sign_loss)]
    fn slot(&self, time: i32) -> u32 {
        // Divisions by these constants are multiplications.
        match self.schema.bucket_seconds {
            300 => time as u32 / 300,
            3_600 => time as u32 / 3_600,
            other => (time / other) as u32,
        }
    }

    #[inline]
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn push(
        &mut self,
        time: i32,
        actor: u32,
        peer: u32,
        kind: EventKind,
        surface: Surface,
        count: u16,
        media: u8,
    ) {
        let slot = self.slot(time);
        if self.slots.contains(&slot) && self.schema.sees(kind) {
            self.rows.push(Row::new(slot, actor, peer, kind, surface, count, media));
        }
    }

    /// A row of one's own.
    #[inline]
    pub(crate) fn own(&mut self, time: i32, actor: u32, kind: EventKind, surface: Surface) {
        self.push(time, actor, u32::MAX, kind, surface, 1, 0);
    }
}

impl Post for Sheet {
    fn bucket(&self) -> i32 {
        self.schema.bucket_seconds
    }

    #[inline]
    fn messages(&mut self, time: i32, from: u32, to: u32, surface: Surface, count: u16, media: u8) {
        if surface == Surface::Group && !self.sees_groups {
            return;
        }
        let media = if self.schema.sees_media { media } else { 0 };
        self.push(time, from, to, EventKind::Message, surface, count, media);
    }
}

/// The key of an event in the order of a log.
#[inline]
const fn key(event: &Event) -> (u64, u64) {
    (
        ((event.time.0 as u32 as u64) << 32) | event.actor.0 as u64,
        ((event.peer.0 as u64) << 16) | ((event.kind.code() as u64) << 8) | event.surface as u64,
    )
}

/// Takes in a row of the same key: messages and media add up, of anything else the larger values stay.
#[inline]
fn absorb(kept: &mut Event, next: &Event) {
    if kept.kind == EventKind::Message {
        kept.count = kept.count.saturating_add(next.count);
        kept.media = kept.media.saturating_add(next.media);
    } else {
        kept.count = kept.count.max(next.count);
        kept.detail = kept.detail.max(next.detail);
    }
}

/// Puts events into the order of a log (time, actor, peer, kind, surface) and merges rows of one key: counts of messages
/// add up, of anything else the larger stays. Neither the order of the rows nor an earlier merging of some of them
/// matters, so blocks that were generated apart may be put together in any order.
pub fn tidy(events: &mut Vec<Event>) {
    events.sort_unstable_by_key(key);
    events.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            absorb(kept, next);
        }
        same
    });
}

/// Adds the rows that `keep` keeps, and may change, to the end of `out` as events, rows of one key as one. `rows` is sorted.
#[inline]
pub(crate) fn fold(rows: &[Row], bucket: i32, keep: impl Fn(Row, &mut Event) -> bool, out: &mut Vec<Event>) {
    let mut at = 0;
    while let Some(&row) = rows.get(at) {
        at += 1;
        let mut event = row.event(bucket);
        while let Some(next) = rows.get(at).filter(|next| next.same(row)) {
            absorb(&mut event, &next.event(bucket));
            at += 1;
        }
        if keep(row, &mut event) {
            out.push(event);
        }
    }
}

/// Merges two logs, each in order and without rows of one key, into one such log.
pub(crate) fn weave(one: &[Event], other: &[Event], out: &mut Vec<Event>) {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        match (one.peek(), other.peek()) {
            (Some(a), Some(b)) => match key(a).cmp(&key(b)) {
                std::cmp::Ordering::Less => out.extend(one.next()),
                std::cmp::Ordering::Greater => out.extend(other.next()),
                std::cmp::Ordering::Equal => {
                    let mut event = **a;
                    // What the skeleton alone carries (mutual contacts) is on no ordinary row.
                    event.mutuals = event.mutuals.min(b.mutuals);
                    absorb(&mut event, b);
                    out.push(event);
                    _ = (one.next(), other.next());
                }
            },
            (Some(_), None) => return out.extend(one),
            (None, _) => return out.extend(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schema() -> PlatformSchema {
        crate::schema_of(equipoise_core::Archetype::SocialNetwork)
    }

    #[test]
    fn a_row_gives_back_what_it_was_made_of() {
        let mut sheet = Sheet::new(schema(), true, 0, 86_400);
        sheet.messages(3_599, 7, 9, Surface::Lobby, 400, 200);
        let event = sheet.rows[0].event(300);
        let plain = Event::new(SimTime(3_300), AccountId(7), AccountId(9), EventKind::Message);
        assert_eq!(event, Event { surface: Surface::Lobby, count: 400, media: 200, ..plain });
    }

    #[test]
    fn a_sheet_drops_what_lies_outside_its_window_or_its_sight() {
        let blind = crate::schema_of(equipoise_core::Archetype::EndToEndMessenger);
        let mut sheet = Sheet::new(blind, false, 3_600, 7_200);
        sheet.own(3_599, 1, EventKind::SessionOpen, Surface::Direct);
        sheet.own(7_200, 1, EventKind::SessionOpen, Surface::Direct);
        sheet.own(3_600, 1, EventKind::Search, Surface::Direct);
        sheet.messages(3_600, 1, 2, Surface::Group, 1, 0);
        assert!(sheet.rows.is_empty());
        sheet.own(3_600, 1, EventKind::SessionOpen, Surface::Direct);
        assert_eq!(sheet.rows.len(), 1);
    }

    proptest! {
        /// The packed order and merging against the obvious ones.
        #[test]
        fn folding_rows_equals_tidying_events(
            rows in proptest::collection::vec((0_i32..3, 0_u32..3, 3_u32..5, 0_usize..9, 0_u8..3, 1_u16..9), 0..60),
            cut in 0_usize..60,
        ) {
            let kinds = [0, 1, 2, 3, 4, 8, 9, 10, 11].map(|k| EventKind::ALL[k]);
            let mut sheet = Sheet::new(schema(), true, 0, 86_400);
            for (slot, actor, peer, kind, surface, count) in rows {
                let surface = Surface::from_code(surface).unwrap();
                sheet.push(slot * 300, actor, peer, kinds[kind], surface, count, 0);
            }
            let mut want: Vec<Event> = sheet.rows.iter().map(|row| row.event(300)).collect();
            tidy(&mut want);
            prop_assert!(want.is_sorted());
            // All at once, and as two logs woven together.
            let (mut first, mut second) = (sheet.rows.clone(), sheet.rows.split_off(cut.min(sheet.rows.len())));
            first.truncate(sheet.rows.len());
            let folded = |rows: &mut Vec<Row>| {
                let mut out = Vec::new();
                rows.sort_unstable();
                fold(rows, 300, |_, _| true, &mut out);
                out
            };
            let mut woven = Vec::new();
            weave(&folded(&mut first), &folded(&mut second), &mut woven);
            prop_assert_eq!(&woven, &want);
            sheet.rows.append(&mut second);
            prop_assert_eq!(folded(&mut sheet.rows), want);
        }
    }
}
