//! The log itself: rows of (time, src, dst, count), sorted, without anything else.

use rayon::prelude::*;

/// `count` messages from `src` to `dst` at `time`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Contact {
    /// Seconds on the log's own clock.
    pub time: i64,
    /// Who wrote.
    pub src: u32,
    /// To whom.
    pub dst: u32,
    /// How many messages the row stands for.
    pub count: u32,
}

/// Why columns are not a contact log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContactLogError {
    /// Columns of different lengths.
    #[error(
        "columns of {src}, {dst}, {time} and {count} rows: give every row a source, a destination, a time and a count"
    )]
    Lengths {
        /// Rows of the sources.
        src: usize,
        /// Rows of the destinations.
        dst: usize,
        /// Rows of the times.
        time: usize,
        /// Rows of the counts.
        count: usize,
    },
    /// A row that stands for nothing.
    #[error("row {row}: a count of 0: leave the row out")]
    NoCount {
        /// The row, from 0.
        row: usize,
    },
    /// Ids that would make every array by account enormous.
    #[error("account id {id} in a log of {rows} rows: number the accounts from 0 without large gaps")]
    Sparse {
        /// The largest id.
        id: u32,
        /// The rows.
        rows: usize,
    },
    /// A bucket of no length.
    #[error("a bucket of 0 seconds: give at least 1")]
    Bucket,
    /// More rows than the indices can count.
    #[error("{rows} rows: at most 4,294,967,295 can be profiled; take a part of the log")]
    Rows {
        /// How many.
        rows: usize,
    },
}

/// A directed contact log, sorted by (time, src, dst). Contacts of an account with itself are dropped and counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactLog {
    rows: Vec<Contact>,
    bound: usize,
    resolution: i64,
    self_contacts: u64,
}

impl ContactLog {
    /// A log in which each row is one message. Account ids are array indices; any order of rows will do.
    ///
    /// # Errors
    /// If the columns differ in length or the ids are too sparse to index arrays with.
    pub fn new(src: &[u32], dst: &[u32], time: &[i64]) -> Result<Self, ContactLogError> {
        Self::with_counts(src, dst, time, &vec![1; src.len()])
    }

    /// A log in which a row stands for `count` messages.
    ///
    /// # Errors
    /// As [`ContactLog::new`], and if a count is 0.
    pub fn with_counts(
        src: &[u32],
        dst: &[u32],
        time: &[i64],
        count: &[u32],
    ) -> Result<Self, ContactLogError> {
        let lengths = [src.len(), dst.len(), time.len(), count.len()];
        if lengths.iter().any(|&length| length != src.len()) {
            let [src, dst, time, count] = lengths;
            return Err(ContactLogError::Lengths { src, dst, time, count });
        }
        let rows = (0..src.len())
            .map(|i| Contact { time: time[i], src: src[i], dst: dst[i], count: count[i] })
            .collect();
        Self::from_rows(rows)
    }

    /// A log of the given rows, in any order.
    ///
    /// # Errors
    /// As [`ContactLog::with_counts`].
    pub fn from_rows(mut rows: Vec<Contact>) -> Result<Self, ContactLogError> {
        if u32::try_from(rows.len()).is_err() {
            return Err(ContactLogError::Rows { rows: rows.len() });
        }
        if let Some(row) = rows.iter().position(|row| row.count == 0) {
            return Err(ContactLogError::NoCount { row });
        }
        let given = rows.len();
        rows.retain(|row| row.src != row.dst);
        let self_contacts = (given - rows.len()) as u64;
        let largest = rows.iter().map(|row| row.src.max(row.dst)).max();
        if let Some(id) = largest.filter(|&id| id as usize > (1 << 24) + 64 * rows.len()) {
            return Err(ContactLogError::Sparse { id, rows: rows.len() });
        }
        if !rows.is_sorted() {
            rows.par_sort_unstable();
        }
        let bound = largest.map_or(0, |id| id as usize + 1);
        Ok(Self { rows, bound, resolution: 1, self_contacts })
    }

    /// The same log seen through buckets of `seconds`: times are floored, and the messages of one sender to one receiver
    /// in one bucket become one row. Two logs must be bucketed alike before their timing is compared.
    ///
    /// # Errors
    /// If `seconds` is 0.
    pub fn bucketed(&self, seconds: u32) -> Result<Self, ContactLogError> {
        if seconds == 0 {
            return Err(ContactLogError::Bucket);
        }
        let seconds = i64::from(seconds);
        let mut rows = self.rows.clone();
        for row in &mut rows {
            row.time = row.time.div_euclid(seconds) * seconds;
        }
        rows.par_sort_unstable();
        rows.dedup_by(|later, kept| {
            let same = (later.time, later.src, later.dst) == (kept.time, kept.src, kept.dst);
            if same {
                kept.count = kept.count.saturating_add(later.count);
            }
            same
        });
        let resolution = self.resolution.max(seconds);
        Ok(Self { rows, bound: self.bound, resolution, self_contacts: self.self_contacts })
    }

    /// The same rows at other times, again seen at this log's resolution; for controls.
    pub(crate) fn retimed(&self, times: impl Iterator<Item = i64>) -> Self {
        let rows: Vec<Contact> =
            self.rows.iter().zip(times).map(|(row, time)| Contact { time, ..*row }).collect();
        let loose = Self { rows, ..self.clone() };
        let seconds = u32::try_from(self.resolution).unwrap_or(u32::MAX);
        loose.bucketed(seconds).expect("a resolution is at least one second")
    }

    /// The rows, sorted by (time, src, dst).
    #[must_use]
    pub fn rows(&self) -> &[Contact] {
        &self.rows
    }

    /// One more than the largest account id: the length of arrays by account.
    #[must_use]
    pub const fn bound(&self) -> usize {
        self.bound
    }

    /// Seconds below which times are not told apart.
    #[must_use]
    pub const fn resolution(&self) -> i64 {
        self.resolution
    }

    /// Rows in which an account wrote to itself; they are not in the log.
    #[must_use]
    pub const fn self_contacts(&self) -> u64 {
        self.self_contacts
    }

    /// First and last time, or `None` without rows.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        Some((self.rows.first()?.time, self.rows.last()?.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_contacts_with_oneself_are_counted() {
        let log = ContactLog::new(&[2, 1, 0], &[1, 1, 2], &[9, 8, 3]).unwrap();
        let kept: Vec<(i64, u32, u32)> = log.rows().iter().map(|r| (r.time, r.src, r.dst)).collect();
        assert_eq!(kept, [(3, 0, 2), (9, 2, 1)]);
        assert_eq!((log.self_contacts(), log.bound(), log.span()), (1, 3, Some((3, 9))));
    }

    #[test]
    fn a_bucket_merges_what_one_sender_writes_to_one_receiver() {
        let log = ContactLog::new(&[0, 0, 1, 0], &[1, 1, 0, 1], &[-1, 10, 20, 299]).unwrap();
        let kept: Vec<(i64, u32, u32)> =
            log.bucketed(300).unwrap().rows().iter().map(|r| (r.time, r.src, r.count)).collect();
        assert_eq!(kept, [(-300, 0, 1), (0, 0, 2), (0, 1, 1)]);
        assert_eq!(log.bucketed(0), Err(ContactLogError::Bucket));
    }

    #[test]
    fn what_is_no_log_is_refused() {
        let lengths = ContactLog::new(&[0], &[1], &[]).unwrap_err();
        assert_eq!(lengths, ContactLogError::Lengths { src: 1, dst: 1, time: 0, count: 1 });
        let empty = ContactLog::with_counts(&[0], &[1], &[0], &[0]).unwrap_err();
        assert_eq!(empty, ContactLogError::NoCount { row: 0 });
        let sparse = ContactLog::new(&[0], &[4_000_000_000], &[0]).unwrap_err();
        assert_eq!(sparse, ContactLogError::Sparse { id: 4_000_000_000, rows: 1 });
    }
}
