//! The rows of a log by pair of accounts, and how many pairs are answered.

use super::ContactLog;
use rayon::prelude::*;
use serde::Serialize;

/// The rows of a log grouped by unordered pair, in time order within a pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dyads {
    pairs: Vec<(u32, u32)>,
    starts: Vec<usize>,
    order: Vec<u32>,
}

impl Dyads {
    /// Groups the rows of `log`.
    #[must_use]
    pub fn of(log: &ContactLog) -> Self {
        let mut keyed: Vec<((u32, u32), u32)> = (0_u32..)
            .zip(log.rows())
            .map(|(index, row)| ((row.src.min(row.dst), row.src.max(row.dst)), index))
            .collect();
        keyed.par_sort_unstable();
        let (mut pairs, mut starts) = (Vec::new(), Vec::new());
        for (at, (pair, _)) in keyed.iter().enumerate() {
            if pairs.last() != Some(pair) {
                pairs.push(*pair);
                starts.push(at);
            }
        }
        starts.push(keyed.len());
        Self { pairs, starts, order: keyed.into_iter().map(|(_, index)| index).collect() }
    }

    /// The pairs (low, high), ascending.
    #[must_use]
    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.pairs
    }

    /// The indices of the rows of each pair, in time order; in the order of [`Dyads::pairs`].
    pub fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|span| &self.order[span[0]..span[1]])
    }
}

/// How much of a log is answered at all. Says nothing about *when*.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reciprocity {
    /// Share of directed links `a -> b` for which `b -> a` exists too (the `r` of Newman, Forrest and Balthrop 2002).
    pub links: Option<f64>,
    /// Share of pairs in which each side wrote at least once.
    pub dyads: Option<f64>,
    /// The same among pairs with at least [`Reciprocity::LASTING`] rows, where silence is a choice rather than a short
    /// observation.
    pub lasting_dyads: Option<f64>,
}

impl Reciprocity {
    /// Rows from which a pair counts as lasting.
    pub const LASTING: usize = 5;

    /// Counts answered links and pairs.
    #[must_use]
    pub fn of(log: &ContactLog, dyads: &Dyads) -> Self {
        let (mut both, mut lasting, mut lasting_both) = (0_usize, 0_usize, 0_usize);
        for (pair, group) in dyads.pairs().iter().zip(dyads.groups()) {
            let up = group.iter().filter(|&&row| log.rows()[row as usize].src == pair.0).count();
            let answered = up > 0 && up < group.len();
            both += usize::from(answered);
            if group.len() >= Self::LASTING {
                lasting += 1;
                lasting_both += usize::from(answered);
            }
        }
        let all = dyads.pairs().len();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        Self {
            // A pair answered both ways holds two links, another pair one.
            links: share(2 * both, all + both),
            dyads: share(both, all),
            lasting_dyads: share(lasting_both, lasting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_log_worked_by_hand() {
        // 0 and 1 both ways, 0 to 2 five times one way, 2 and 3 five rows both ways.
        let src = [0, 1, 0, 0, 0, 0, 0, 2, 3, 2, 3, 2];
        let dst = [1, 0, 2, 2, 2, 2, 2, 3, 2, 3, 2, 3];
        let time: Vec<i64> = (0..12).collect();
        let log = ContactLog::new(&src, &dst, &time).unwrap();
        let dyads = Dyads::of(&log);
        assert_eq!(dyads.pairs(), [(0, 1), (0, 2), (2, 3)]);
        let sizes: Vec<usize> = dyads.groups().map(<[u32]>::len).collect();
        assert_eq!(sizes, [2, 5, 5]);
        let got = Reciprocity::of(&log, &dyads);
        assert!((got.links.unwrap() - 0.8).abs() < 1e-12);
        assert!((got.dyads.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!((got.lasting_dyads.unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn an_empty_log_has_no_shares() {
        let log = ContactLog::new(&[], &[], &[]).unwrap();
        assert_eq!(Reciprocity::of(&log, &Dyads::of(&log)).dyads, None);
    }
}
