//! The latest events of an account as tokens for a sequence model.
//!
//! Rings are kept per sampled contact, not per account: in a ring shared by all contacts an event with a contact that is
//! evicted later would have pushed out another token, and the sequence would depend on an account that its row does not
//! list as read. So each contact (and the events without one) keeps its own latest quarter of the length; a sequence is
//! the merge of the rings of the *final* sample, cut to the latest `sequence-length`.

use crate::dyad::Dyad;
use equipoise_core::{AccountId, Event, EventKind, SimTime, Surface};

/// One event of a sequence, as small codes for embeddings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// What kind.
    pub kind: EventKind,
    /// Whether the account acted, rather than its contact.
    pub outgoing: bool,
    /// Declared age of the contact: 0..=3 as [`equipoise_core::AgeBand`], 4 unknown, 5 no contact.
    pub peer_age: u8,
    /// Where.
    pub surface: Surface,
    /// `floor(log2(seconds since the token before + 1))`, at most 23; 0 for the first.
    pub gap_bucket: u8,
    /// Whether any of it carried media.
    pub media: bool,
}

impl Token {
    /// How many values [`Token::peer_age`] has.
    pub const PEER_AGES: usize = 6;
    /// How many values [`Token::gap_bucket`] has.
    pub const GAP_BUCKETS: usize = 24;
}

/// A token before its neighbours are known. 8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    time: i32,
    kind: u8,
    surface: u8,
    outgoing: bool,
    media: bool,
}

/// Rings of equal capacity, indexed like the slots that they belong to.
#[derive(Debug)]
pub(crate) struct Rings {
    capacity: usize,
    marks: Vec<Mark>,
    /// Per ring: where the next mark goes, and how many there are.
    ends: Vec<(u16, u16)>,
}

impl Rings {
    /// `rings` empty rings of `capacity` marks; none are kept if it is 0.
    pub(crate) fn new(capacity: usize, rings: usize) -> Self {
        let mut new = Self { capacity, marks: Vec::new(), ends: Vec::new() };
        new.grow(rings);
        new
    }

    /// Makes room for `rings` rings.
    pub(crate) fn grow(&mut self, rings: usize) {
        if self.capacity > 0 && rings > self.ends.len() {
            self.marks.resize(rings * self.capacity, Mark::default());
            self.ends.resize(rings, (0, 0));
        }
    }

    /// Empties a ring.
    #[inline]
    pub(crate) fn clear(&mut self, ring: usize) {
        if self.capacity > 0 {
            self.ends[ring] = (0, 0);
        }
    }

    /// Copies `length` rings from `from` to `to`.
    pub(crate) fn move_rings(&mut self, from: usize, to: usize, length: usize) {
        if self.capacity > 0 {
            let marks = from * self.capacity..(from + length) * self.capacity;
            self.marks.copy_within(marks, to * self.capacity);
            self.ends.copy_within(from..from + length, to);
        }
    }

    /// Puts an event at the end of a ring.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // the capacity is at most 256
    pub(crate) fn push(&mut self, ring: usize, event: &Event, outgoing: bool) {
        if self.capacity == 0 {
            return;
        }
        let (next, length) = self.ends[ring];
        self.marks[ring * self.capacity + usize::from(next)] = Mark {
            time: event.time.0,
            kind: event.kind.code(),
            surface: event.surface as u8,
            outgoing,
            media: event.media > 0,
        };
        let capacity = self.capacity as u16;
        self.ends[ring] = (if next + 1 == capacity { 0 } else { next + 1 }, (length + 1).min(capacity));
    }

    /// Reads the place that the next mark of a ring will take, whose value means nothing.
    #[inline]
    pub(crate) fn touch(&self, ring: usize) -> i32 {
        let Some(&(next, _)) = self.ends.get(ring) else { return 0 };
        self.marks[ring * self.capacity + usize::from(next)].time
    }

    /// Appends a ring's marks, oldest first, as (time, token without its gap).
    pub(crate) fn read(&self, ring: usize, peer_age: u8, out: &mut Vec<(SimTime, Token)>) {
        if self.capacity == 0 {
            return;
        }
        let (next, length) = (usize::from(self.ends[ring].0), usize::from(self.ends[ring].1));
        for back in (1..=length).rev() {
            let at = (next + self.capacity - back) % self.capacity;
            let mark = self.marks[ring * self.capacity + at];
            let token = Token {
                kind: EventKind::from_code(mark.kind).expect("written from an event kind"),
                outgoing: mark.outgoing,
                peer_age,
                surface: Surface::from_code(mark.surface).expect("written from a surface"),
                gap_bucket: 0,
                media: mark.media,
            };
            out.push((SimTime(mark.time), token));
        }
    }
}

/// Merges what the rings of one account hold into its latest `length` tokens. `held` lists ring after ring in an order
/// that depends on the final sample only, which also settles ties of time.
pub(crate) fn merge(mut held: Vec<(SimTime, Token)>, length: usize) -> Vec<Token> {
    held.sort_by_key(|&(time, _)| time);
    held.drain(..held.len().saturating_sub(length));
    let mut before = None;
    held.iter()
        .map(|&(time, token)| {
            let gap = before.map_or(0, |before| time.since(before));
            before = Some(time);
            Token { gap_bucket: gap_bucket(gap), ..token }
        })
        .collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a gap is not negative, its logarithm below 32
fn gap_bucket(gap: i32) -> u8 {
    ((gap.max(0) as u32).saturating_add(1).ilog2() as u8).min(23)
}

/// Both arenas that hang on the slots of the samples, moved together.
#[derive(Debug)]
pub(crate) struct SlotArenas {
    pub(crate) dyads: Vec<Dyad>,
    pub(crate) rings: Rings,
}

impl SlotArenas {
    /// Follows the samples: room for `slots`, the chunk move if there was one, and the new slot cleared.
    pub(crate) fn enter(&mut self, slot: usize, slots: usize, moved: Option<(usize, usize, usize)>) {
        self.dyads.resize(slots.max(self.dyads.len()), Dyad::EMPTY);
        self.rings.grow(slots);
        if let Some((from, to, length)) = moved {
            self.dyads.copy_within(from..from + length, to);
            self.rings.move_rings(from, to, length);
        }
        self.dyads[slot] = Dyad::EMPTY;
        self.rings.clear(slot);
    }
}

/// The age code of an event without a contact.
pub(crate) const NO_PEER: u8 = 5;

/// Whether an event without a contact belongs to the account at all: a guard against malformed logs.
#[inline]
pub(crate) const fn is_own(event: &Event) -> bool {
    !event.kind.has_peer() && !event.peer.is_some() && event.actor.0 != AccountId::NONE.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_latest() {
        let mut rings = Rings::new(2, 1);
        for time in 0..5 {
            let event = Event::new(SimTime(time), AccountId(0), AccountId::NONE, EventKind::Search);
            rings.push(0, &event, true);
        }
        let mut held = Vec::new();
        rings.read(0, NO_PEER, &mut held);
        assert!(held.iter().map(|(time, _)| time.0).eq([3, 4]));
    }

    #[test]
    fn gaps_are_logarithms_of_base_two() {
        assert_eq!([0, 1, 2, 3, 1023, i32::MAX].map(gap_bucket), [0, 1, 1, 2, 10, 23]);
    }
}
