//! Times between events, pooled over trains: how often they exceed given lengths, and how their density falls.
//!
//! Two exponents, because one does not say it all. `body_exponent` is the least-squares slope of the log-binned density
//! between ten minutes and a day, the range that is reported for calls, letters and mail (Barabasi 2005; Karsai et al.
//! 2012). `tail` is Hill's estimator `1 + n / sum ln(x / from)` beyond the start at which a power law fits best by the
//! Kolmogorov-Smirnov distance (Clauset, Shalizi and Newman 2009, continuous case).
//!
//! Approximated: starts are tried at 40 log-spaced ranks, the distance is taken at 1,000 ranks of the tail. A log of finite
//! length lacks gaps longer than itself, which steepens the tail; compare logs of like length only.

use super::Trains;
use super::clustering::slope;
use super::quantiles::quantile;
use rayon::prelude::*;
use serde::Serialize;

const DAY: i64 = 86_400;

/// The pooled gaps of many trains.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GapProfile {
    /// How many gaps.
    pub gaps: usize,
    /// Median gap in seconds.
    pub median: Option<f64>,
    /// 90th percentile in seconds.
    pub p90: Option<f64>,
    /// (seconds, share of gaps longer than that), at [`GapProfile::POINTS`].
    pub longer_than: Vec<(i64, f64)>,
    /// `gamma` of a density `t^-gamma` between ten minutes and a day.
    pub body_exponent: Option<f64>,
    /// The tail.
    pub tail: Option<GapTail>,
}

/// A fitted power-law tail.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GapTail {
    /// Exponent of the density.
    pub exponent: f64,
    /// Where the tail begins, in seconds.
    pub from: i64,
    /// Gaps beyond.
    pub gaps: usize,
    /// Kolmogorov-Smirnov distance of the fit.
    pub ks: f64,
}

impl GapProfile {
    /// Lengths at which the complementary distribution is reported, in seconds: 10 min, 1 h, 6 h, 1, 3, 7, 30 days.
    pub const POINTS: [i64; 7] = [600, 3_600, 21_600, DAY, 3 * DAY, 7 * DAY, 30 * DAY];

    /// Pools the gaps of all trains of a log whose times are known to `resolution` seconds.
    #[must_use]
    pub fn of(trains: &Trains, resolution: i64) -> Self {
        let mut gaps = trains.gaps();
        gaps.par_sort_unstable();
        let longer = |t: i64| (gaps.len() - gaps.partition_point(|&gap| gap <= t)) as f64 / gaps.len() as f64;
        let sorted: Vec<f64> = gaps.iter().map(|&gap| gap as f64).collect();
        Self {
            gaps: gaps.len(),
            median: quantile(&sorted, 0.5),
            p90: quantile(&sorted, 0.9),
            longer_than: if gaps.is_empty() {
                Vec::new()
            } else {
                Self::POINTS.iter().map(|&t| (t, longer(t))).collect()
            },
            body_exponent: body_exponent(&gaps, resolution),
            tail: tail(&sorted),
        }
    }
}

/// Slope of the density over bins that double from ten minutes (two buckets of a coarser log) to a day. The edges are
/// multiples of a five-minute bucket, so that each bin holds as many buckets as its width says.
fn body_exponent(sorted: &[i64], resolution: i64) -> Option<f64> {
    let mut points = Vec::new();
    let mut from = 2 * resolution.max(300);
    while 2 * from <= DAY {
        let below = |t: i64| sorted.partition_point(|&gap| gap < t);
        let inside = below(2 * from) - below(from);
        if inside > 0 {
            let middle = libm::log(from as f64 * std::f64::consts::SQRT_2);
            points.push((middle, libm::log(inside as f64 / from as f64)));
        }
        from *= 2;
    }
    slope(&points).map(|slope| -slope)
}

/// The fewest gaps a tail may have.
const LEAST: usize = 50;

fn tail(sorted: &[f64]) -> Option<GapTail> {
    let n = sorted.len();
    if n < 2 * LEAST {
        return None;
    }
    // Sums of logarithms from the end, so that each start costs only its distance.
    let mut sums = vec![0.0; n + 1];
    for rank in (0..n).rev() {
        sums[rank] = sums[rank + 1] + libm::log(sorted[rank]);
    }
    let mut best: Option<GapTail> = None;
    let mut last = usize::MAX;
    for step in 0..40_u32 {
        // Tails of n down to LEAST gaps, in equal ratios.
        let size = n as f64 * libm::pow(LEAST as f64 / n as f64, f64::from(step) / 39.0);
        let at = (n - size as usize).min(n - LEAST);
        let start = sorted.partition_point(|&gap| gap < sorted[at]);
        if start == last {
            continue;
        }
        last = start;
        let (from, count) = (sorted[start], (n - start) as f64);
        let spread = sums[start] - count * libm::log(from);
        if spread <= 0.0 {
            continue;
        }
        let exponent = 1.0 + count / spread;
        let ks = ks(&sorted[start..], exponent);
        if best.is_none_or(|best| ks < best.ks) {
            best = Some(GapTail { exponent, from: from as i64, gaps: n - start, ks });
        }
    }
    best
}

/// Distance of a sorted tail from a continuous power law that begins at its first value. Between ties only the upper end
/// of the empirical step is used: gaps are whole seconds.
fn ks(tail: &[f64], exponent: f64) -> f64 {
    let n = tail.len();
    let step = n.div_ceil(1_000);
    let mut largest = 0.0_f64;
    for at in (0..n).step_by(step) {
        let upper = tail.partition_point(|&gap| gap <= tail[at]) as f64 / n as f64;
        let model = 1.0 - libm::pow(tail[at] / tail[0], 1.0 - exponent);
        if tail[at] > tail[0] {
            largest = largest.max((upper - model).abs());
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::super::ContactLog;
    use super::*;
    use equipoise_core::{Draw, Seed};

    fn train_of(gaps: &[i64]) -> Trains {
        let mut time = vec![0_i64];
        for gap in gaps {
            time.push(time[time.len() - 1] + gap);
        }
        let zeros = vec![0_u32; time.len()];
        let ones = vec![1_u32; time.len()];
        Trains::by_sender(&ContactLog::new(&zeros, &ones, &time).unwrap())
    }

    #[test]
    fn shares_of_gaps_worked_by_hand() {
        let got = GapProfile::of(&train_of(&[300, 600, 1_200, 4_000, 90_000]), 300);
        let shares: Vec<f64> = got.longer_than.iter().map(|point| point.1).collect();
        for (share, want) in shares.iter().zip([0.6, 0.4, 0.2, 0.2, 0.0, 0.0, 0.0]) {
            assert!((share - want).abs() < 1e-12, "{shares:?}");
        }
        assert!((got.median.unwrap() - 1_200.0).abs() < 1e-12 && got.tail.is_none());
    }

    // 20,000 gaps with density t^-2 beyond 60 s: standard error of the exponent 0.007 over all of them; the start that
    // the distance picks leaves fewer, so 0.1 is allowed.
    #[test]
    fn the_exponents_of_a_pareto_train_are_found() {
        let mut rng = Seed::root(4).rng();
        let gaps: Vec<i64> = (0..20_000).map(|_| (60.0 / rng.uniform_open()).min(1e12) as i64).collect();
        let got = GapProfile::of(&train_of(&gaps), 1);
        assert!((got.tail.unwrap().exponent - 2.0).abs() < 0.1, "{got:?}");
        assert!((got.body_exponent.unwrap() - 2.0).abs() < 0.1, "{got:?}");
    }

    #[test]
    fn exponential_gaps_have_no_flat_body() {
        let mut rng = Seed::root(4).rng();
        let gaps: Vec<i64> = (0..20_000).map(|_| 1 + rng.exponential(40_000.0) as i64).collect();
        let got = GapProfile::of(&train_of(&gaps), 1);
        assert!(got.body_exponent.unwrap() < 0.6, "{got:?}");
    }
}
