//! Burstiness and memory of trains of events.
//!
//! With gaps of mean `mu` and standard deviation `sigma` and `r = sigma / mu`:
//! - `B = (r - 1) / (r + 1)` (Goh and Barabasi, "Burstiness and memory in complex systems", EPL 81, 2008): -1 for a
//!   regular train, 0 for a long Poisson train, towards 1 for bursts. It is biased for short trains.
//! - `B_n = (sqrt(n+1) r - sqrt(n-1)) / ((sqrt(n+1) - 2) r + sqrt(n-1))` for `n` gaps (Kim and Jo, "Measuring burstiness
//!   for finite event sequences", PRE 94, 2016): -1, 0 and 1 for the regular, the Poisson and the most bursty train of
//!   that length.
//! - `M`, the correlation of neighbouring gaps (Goh and Barabasi).
//!
//! A train that the observation window cuts short is taken as it is.

use super::{Quartiles, Trains};
use rayon::prelude::*;
use serde::Serialize;

/// The measures of one train.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Burst {
    /// Gaps that they rest on.
    pub gaps: usize,
    /// The plain measure.
    pub b: f64,
    /// The measure corrected for a finite train.
    pub b_n: f64,
    /// Correlation of neighbouring gaps; `None` where it has no meaning (fewer than three gaps, or equal ones).
    pub memory: Option<f64>,
}

impl Burst {
    /// Measures sorted times in seconds; `None` for fewer than two gaps, or if all times are equal.
    #[must_use]
    pub fn of(times: &[i64]) -> Option<Self> {
        let gaps = times.len().checked_sub(1).filter(|&gaps| gaps >= 2)?;
        let n = gaps as f64;
        let gap = |pair: &[i64]| (pair[1] - pair[0]) as f64;
        let mean = (times[gaps] - times[0]) as f64 / n;
        if mean <= 0.0 {
            return None;
        }
        let variance = times.windows(2).map(|pair| (gap(pair) - mean) * (gap(pair) - mean)).sum::<f64>() / n;
        let r = libm::sqrt(variance) / mean;
        let (up, down) = (libm::sqrt(n + 1.0), libm::sqrt(n - 1.0));
        let b_n = (up * r - down) / ((up - 2.0) * r + down);
        Some(Self { gaps, b: (r - 1.0) / (r + 1.0), b_n, memory: memory(times) })
    }
}

/// `M`: Pearson's correlation of (gap, next gap).
fn memory(times: &[i64]) -> Option<f64> {
    if times.len() < 4 {
        return None;
    }
    let pairs = (times.len() - 2) as f64;
    let (mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    // Centred on the overall mean first: gaps of days would lose the digits of gaps of seconds.
    let centre = (times[times.len() - 1] - times[0]) as f64 / (times.len() - 1) as f64;
    for triple in times.windows(3) {
        let a = (triple[1] - triple[0]) as f64 - centre;
        let b = (triple[2] - triple[1]) as f64 - centre;
        x += a;
        y += b;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    let (vx, vy) = (xx - x * x / pairs, yy - y * y / pairs);
    // Equal gaps leave rounding behind, not spread.
    (vx > 1e-12 * xx && vy > 1e-12 * yy).then(|| (xy - x * y / pairs) / libm::sqrt(vx * vy))
}

/// Medians over the trains with at least so many gaps.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BurstSummary {
    /// The least number of gaps of a train that counts.
    pub min_gaps: usize,
    /// How many trains count.
    pub trains: usize,
    /// `B` over trains.
    pub b: Option<Quartiles>,
    /// `B_n` over trains.
    pub b_n: Option<Quartiles>,
    /// `M` over trains.
    pub memory: Option<Quartiles>,
}

impl BurstSummary {
    /// Measures all trains once and summarises them at each of `min_gaps`.
    #[must_use]
    pub fn of(trains: &Trains, min_gaps: &[usize]) -> Vec<Self> {
        let least = min_gaps.iter().copied().min().unwrap_or(2);
        let all: Vec<Burst> =
            trains.par_iter().filter(|times| times.len() > least).filter_map(Burst::of).collect();
        min_gaps.iter().map(|&gaps| Self::at(&all, gaps)).collect()
    }

    fn at(all: &[Burst], min_gaps: usize) -> Self {
        let long = || all.iter().filter(move |burst| burst.gaps >= min_gaps);
        Self {
            min_gaps,
            trains: long().count(),
            b: Quartiles::of(long().map(|burst| burst.b).collect()),
            b_n: Quartiles::of(long().map(|burst| burst.b_n).collect()),
            memory: Quartiles::of(long().filter_map(|burst| burst.memory).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};
    use proptest::prelude::*;

    #[test]
    fn measures_of_a_train_worked_by_hand() {
        // Gaps 1, 1, 4: mean 2, variance 2, r = 1/sqrt(2); pairs (1,1) and (1,4) have no spread on the left.
        let got = Burst::of(&[0, 1, 2, 6]).unwrap();
        let r = 0.5_f64.sqrt();
        assert!((got.b - (r - 1.0) / (r + 1.0)).abs() < 1e-12);
        // n = 3: (2 r - sqrt 2) / ((2 - 2) r + sqrt 2) = r sqrt 2 - 1 = 0.
        assert!(got.b_n.abs() < 1e-12);
        assert_eq!(got.memory, None);
        // Gaps 1, 3, 1, 3: pairs (1,3), (3,1), (1,3) lie on a falling line.
        let got = Burst::of(&[0, 1, 4, 5, 8]).unwrap();
        assert!((got.memory.unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(Burst::of(&[0, 5]), None);
    }

    // 400 trains of 200 gaps: the median's standard error is about 0.003 (B_n) and 0.004 (M).
    #[test]
    fn a_poisson_train_has_no_burstiness_and_no_memory() {
        let train = |index: u64| {
            let mut rng = Seed::root(5).derive("train", index).rng();
            let mut times: Vec<i64> = (0..201).map(|_| (1e9 * rng.uniform()) as i64).collect();
            times.sort_unstable();
            Burst::of(&times).unwrap()
        };
        let all: Vec<Burst> = (0..400).map(train).collect();
        let summary = BurstSummary::at(&all, 10);
        assert!(summary.b_n.unwrap().p50.abs() < 0.015, "{summary:?}");
        assert!(summary.memory.unwrap().p50.abs() < 0.02, "{summary:?}");
    }

    proptest! {
        #[test]
        fn a_regular_train_is_at_the_lower_end(start in -1_000_000_i64..1_000_000, gap in 1_i64..100_000, events in 3_usize..80) {
            let times: Vec<i64> = (0..events as i64).map(|i| start + i * gap).collect();
            let got = Burst::of(&times).unwrap();
            prop_assert!((got.b + 1.0).abs() < 1e-9 && (got.b_n + 1.0).abs() < 1e-9 && got.memory.is_none());
        }

        #[test]
        fn one_long_gap_among_none_is_at_the_upper_end(events in 3_usize..80, gap in 1_i64..1_000_000) {
            let mut times = vec![0_i64; events];
            times[events - 1] = gap;
            prop_assert!((Burst::of(&times).unwrap().b_n - 1.0).abs() < 1e-9);
        }

        #[test]
        fn neither_shift_nor_scale_matters(gaps in prop::collection::vec(1_i64..10_000, 3..40), shift in -1_000_i64..1_000, scale in 1_i64..50) {
            let times = |shift: i64, scale: i64| {
                let mut at = shift;
                let mut all = vec![at];
                for gap in &gaps { at += gap * scale; all.push(at); }
                all
            };
            let (a, b) = (Burst::of(&times(0, 1)).unwrap(), Burst::of(&times(shift, scale)).unwrap());
            prop_assert!((a.b - b.b).abs() < 1e-9 && (a.b_n - b.b_n).abs() < 1e-9);
            prop_assert!((a.memory.unwrap_or(0.0) - b.memory.unwrap_or(0.0)).abs() < 1e-6);
            prop_assert!((-1.0..=1.0).contains(&a.b) && a.b_n >= -1.0 - 1e-12 && a.b_n <= 1.0 + 1e-12);
        }
    }
}
