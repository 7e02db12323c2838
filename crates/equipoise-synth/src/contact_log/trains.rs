//! Trains of event times: one per sender, or one per pair of accounts.
//!
//! A train holds *distinct* times: what falls into one second, or one bucket of a bucketed log, is one event. Otherwise
//! the measures of burstiness would mostly see how often two sides write within one bucket.

use super::{ContactLog, Dyads};
use rayon::prelude::*;

/// Many trains of strictly increasing times in seconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trains {
    starts: Vec<usize>,
    times: Vec<i64>,
}

impl Trains {
    /// The times at which each account wrote.
    #[must_use]
    pub fn by_sender(log: &ContactLog) -> Self {
        let mut starts = vec![0_usize; log.bound() + 1];
        for row in log.rows() {
            starts[row.src as usize + 1] += 1;
        }
        for v in 0..log.bound() {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut times = vec![0_i64; log.rows().len()];
        for row in log.rows() {
            times[next[row.src as usize]] = row.time;
            next[row.src as usize] += 1;
        }
        Self::distinct(starts.windows(2).map(|span| times[span[0]..span[1]].iter().copied()), times.len())
    }

    /// The times at which either side of each pair wrote.
    #[must_use]
    pub fn by_dyad(log: &ContactLog, dyads: &Dyads) -> Self {
        let rows = log.rows();
        Self::distinct(
            dyads.groups().map(|group| group.iter().map(|&row| rows[row as usize].time)),
            rows.len(),
        )
    }

    /// Trains of given times, each sorted.
    fn distinct<T: Iterator<Item = i64>>(trains: impl Iterator<Item = T>, events: usize) -> Self {
        let (mut starts, mut times) = (vec![0], Vec::with_capacity(events));
        for train in trains {
            let start = times.len();
            for time in train {
                if times.len() == start || times.last() != Some(&time) {
                    times.push(time);
                }
            }
            if times.len() > start {
                starts.push(times.len());
            }
        }
        Self { starts, times }
    }

    /// The trains; none is empty.
    pub fn iter(&self) -> impl Iterator<Item = &[i64]> {
        self.starts.windows(2).map(|span| &self.times[span[0]..span[1]])
    }

    /// The trains, in parallel, in the same order.
    pub fn par_iter(&self) -> impl IndexedParallelIterator<Item = &[i64]> {
        self.starts.par_windows(2).map(|span| &self.times[span[0]..span[1]])
    }

    /// All gaps between neighbouring events of one train, pooled, in seconds.
    #[must_use]
    pub fn gaps(&self) -> Vec<i64> {
        self.iter().flat_map(|train| train.windows(2).map(|pair| pair[1] - pair[0])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trains_hold_distinct_times_in_order() {
        let log = ContactLog::new(&[0, 1, 0, 2, 0], &[1, 0, 2, 0, 1], &[5, 5, 5, 7, 9]).unwrap();
        let senders: Vec<Vec<i64>> = Trains::by_sender(&log).iter().map(<[i64]>::to_vec).collect();
        assert_eq!(senders, [vec![5, 9], vec![5], vec![7]]);
        let trains = Trains::by_dyad(&log, &Dyads::of(&log));
        let dyads: Vec<Vec<i64>> = trains.iter().map(<[i64]>::to_vec).collect();
        assert_eq!(dyads, [vec![5, 9], vec![5, 7]]);
        assert_eq!(trains.gaps(), [4, 2]);
    }
}
