//! Bursty trains: runs of events whose gaps are all at most a window (Karsai, Kaski, Barabasi and Kertesz, "Universal
//! features of correlated bursty behaviour", Scientific Reports 2, 2012).
//!
//! The number of events `E` of a run has a geometric distribution if gaps are independent, whatever their own
//! distribution; Karsai et al. find `P(E) ~ E^-beta` instead. The comparison here pools all trains, so that accounts of
//! different activity alone lift the tail a little above the geometric one; the control of equal counts shows how much.

use super::{TailReport, Trains};
use serde::Serialize;

/// Sizes of the runs of all trains at one window.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrainSizes {
    /// The largest gap inside a run, in seconds.
    pub window: i64,
    /// How many runs there are, single events included.
    pub runs: usize,
    /// Mean events of a run.
    pub mean: Option<f64>,
    /// Share of runs with at least [`TrainSizes::LONG`] events.
    pub long: Option<f64>,
    /// What `long` would be if the same pooled gaps were independent: `q^(LONG - 1)`, `q` the share of gaps inside the
    /// window.
    pub long_if_independent: Option<f64>,
    /// Exponent `beta` of the tail from `exponent_from` on, as [`TailReport::of`] fits it.
    pub exponent: Option<f64>,
    /// Smallest size of the fitted tail.
    pub exponent_from: Option<u64>,
}

impl TrainSizes {
    /// Events from which a run is long.
    pub const LONG: u64 = 10;

    /// Cuts all trains into runs.
    #[must_use]
    pub fn of(trains: &Trains, window: i64) -> Self {
        let (mut sizes, mut gaps, mut inside) = (Vec::new(), 0_usize, 0_usize);
        for times in trains.iter() {
            let mut size = 1_u64;
            for pair in times.windows(2) {
                gaps += 1;
                if pair[1] - pair[0] <= window {
                    inside += 1;
                    size += 1;
                } else {
                    sizes.push(size);
                    size = 1;
                }
            }
            sizes.push(size);
        }
        let runs = sizes.len();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let tail = TailReport::of(&sizes);
        Self {
            window,
            runs,
            mean: (runs > 0).then(|| sizes.iter().sum::<u64>() as f64 / runs as f64),
            long: share(sizes.iter().filter(|&&size| size >= Self::LONG).count(), runs),
            long_if_independent: share(inside, gaps).map(|q| libm::pow(q, (Self::LONG - 1) as f64)),
            exponent: tail.as_ref().map(|tail| tail.power_law.alpha),
            exponent_from: tail.map(|tail| tail.xmin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ContactLog;
    use super::*;

    #[test]
    fn runs_of_a_train_worked_by_hand() {
        // Runs of 3, 1 and 2 events at a window of 10; all four gaps but two lie inside.
        let time = [0, 10, 15, 100, 200, 205];
        let log = ContactLog::new(&[0; 6], &[1; 6], &time).unwrap();
        let got = TrainSizes::of(&Trains::by_sender(&log), 10);
        assert_eq!(got.runs, 3);
        assert!((got.mean.unwrap() - 2.0).abs() < 1e-12);
        assert!((got.long_if_independent.unwrap() - 0.6_f64.powi(9)).abs() < 1e-12);
        assert_eq!((got.long.unwrap().to_bits(), got.exponent), (0.0_f64.to_bits(), None));
    }
}
