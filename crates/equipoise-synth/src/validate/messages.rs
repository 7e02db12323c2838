//! A sample of message rows, whole dyads and whole accounts at a time, so that reciprocity and burstiness are those of
//! the full log. Which dyads and accounts are in the sample is a public hash of their numbers and looks at nothing else.

use super::facts::WorldFacts;
use crate::contact_log::{Contact, ContactLog, ContactLogError};
use equipoise_core::{Event, EventKind, EventSink, PlatformId, SimTime};

/// Which message rows are kept: one dyad in so many and one sender in so many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sampling(pub u64);

impl Sampling {
    /// A sample of about a million rows for a world of this many persons and days.
    #[must_use]
    pub fn for_size(persons: u32, days: u16) -> Self {
        Self((u64::from(persons) * u64::from(days) / 100_000).max(1))
    }
}

/// The kept rows.
#[derive(Clone, Debug)]
pub struct Messages {
    sampling: Sampling,
    /// `[platform]`: rows of sampled dyads.
    dyads: Vec<Vec<Contact>>,
    /// `[platform]`: rows of sampled senders.
    senders: Vec<Vec<Contact>>,
}

const fn scatter(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Messages {
    pub(super) fn new(facts: &WorldFacts, sampling: Sampling) -> Self {
        Self {
            sampling,
            dyads: vec![Vec::new(); facts.views.len()],
            senders: vec![Vec::new(); facts.views.len()],
        }
    }

    fn keeps(&self, word: u64) -> bool {
        scatter(word).is_multiple_of(self.sampling.0.max(1))
    }

    /// The rows of sampled dyads of a platform that `keep` accepts, as a log that the statistics of real logs read.
    ///
    /// # Errors
    /// Only if account numbers are absurdly sparse.
    pub fn dyad_log(
        &self,
        platform: usize,
        keep: impl Fn(&Contact) -> bool,
    ) -> Result<ContactLog, ContactLogError> {
        to_log(self.dyads[platform].iter().filter(|row| keep(row)))
    }

    /// The rows of sampled senders of a platform that `keep` accepts.
    ///
    /// # Errors
    /// Only if account numbers are absurdly sparse.
    pub fn sender_log(
        &self,
        platform: usize,
        keep: impl Fn(&Contact) -> bool,
    ) -> Result<ContactLog, ContactLogError> {
        to_log(self.senders[platform].iter().filter(|row| keep(row)))
    }
}

fn to_log<'a>(rows: impl Iterator<Item = &'a Contact>) -> Result<ContactLog, ContactLogError> {
    ContactLog::from_rows(rows.copied().collect())
}

impl EventSink for Messages {
    fn on_events(&mut self, platform: PlatformId, _: SimTime, events: &[Event]) {
        let at = platform.index();
        for e in events.iter().filter(|e| e.kind == EventKind::Message && e.peer.is_some() && e.count > 0) {
            let (src, dst) = (e.actor.0, e.peer.0);
            let row = Contact { time: i64::from(e.time.0), src, dst, count: u32::from(e.count) };
            if self.keeps(u64::from(src.min(dst)) << 32 | u64::from(src.max(dst))) {
                self.dyads[at].push(row);
            }
            if self.keeps(!u64::from(src)) {
                self.senders[at].push(row);
            }
        }
    }
}
