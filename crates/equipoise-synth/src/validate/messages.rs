//! A sample of message rows, whole dyads and whole accounts at a time, so that reciprocity and burstiness are those of
//! the full log. Which dyads and accounts are in the sample is a public hash of their numbers and looks at nothing else.

use super::facts::WorldFacts;
use crate::contact_log::{Contact, ContactLog, ContactLogError};
use equipoise_core::{Event, EventKind, EventSink, PlatformId, SimTime};

/// Which message rows are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sampling {
    /// One dyad in so many and one sender in so many, at random.
    OneIn(u64),
    /// Every dyad that is not in contact at the start and has a minor on one side: what V8 counts.
    Strangers,
}

impl Sampling {
    /// A sample of about a million rows for a world of this many persons and days.
    #[must_use]
    pub fn for_size(persons: u32, days: u16) -> Self {
        Self::OneIn((u64::from(persons) * u64::from(days) / 100_000).max(1))
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
    /// For [`Sampling::Strangers`].
    minors: Vec<Vec<bool>>,
    ties: Vec<Vec<(u32, u32)>>,
}

const fn scatter(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

impl Messages {
    pub(super) fn new(facts: &WorldFacts, sampling: Sampling) -> Self {
        let strangers = sampling == Sampling::Strangers;
        let minors = |list: &Vec<super::facts::AccountFacts>| list.iter().map(|a| a.minor).collect();
        Self {
            sampling,
            dyads: vec![Vec::new(); facts.views.len()],
            senders: vec![Vec::new(); facts.views.len()],
            minors: if strangers { facts.accounts.iter().map(minors).collect() } else { Vec::new() },
            ties: if strangers { facts.ties.clone() } else { Vec::new() },
        }
    }

    fn keeps_dyad(&self, platform: usize, pair: (u32, u32)) -> bool {
        match self.sampling {
            Sampling::OneIn(n) => scatter(u64::from(pair.0) << 32 | u64::from(pair.1)).is_multiple_of(n),
            Sampling::Strangers => {
                let minors = &self.minors[platform];
                (minors[pair.0 as usize] || minors[pair.1 as usize])
                    && self.ties[platform].binary_search(&pair).is_err()
            }
        }
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

    /// The rows of sampled dyads of a platform, in order.
    #[must_use]
    pub fn dyad_rows(&self, platform: usize) -> &[Contact] {
        &self.dyads[platform]
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
            if self.keeps_dyad(at, (src.min(dst), src.max(dst))) {
                self.dyads[at].push(row);
            }
            if matches!(self.sampling, Sampling::OneIn(n) if scatter(!u64::from(src)).is_multiple_of(n)) {
                self.senders[at].push(row);
            }
        }
    }
}
