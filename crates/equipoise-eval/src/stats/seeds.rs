//! Comparisons over seeds: an arm and its baseline share each seed, so their difference is judged pair by pair.
//! "No difference" means that the interval contains 0, which is not evidence that there is none.

use crate::Bootstrap;
use crate::bootstrap::quantile;
use equipoise_core::special::{t_cdf, t_quantile};
use equipoise_core::{Draw, Seed};
use serde::{Deserialize, Serialize};

/// Mean over seeds with its t interval.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Standard deviation over seeds.
    pub sd: f64,
    /// Lower end of the interval of the mean.
    pub low: f64,
    /// Upper end of the interval of the mean.
    pub high: f64,
    /// Seeds.
    pub n: usize,
}

/// The difference of two arms over shared seeds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PairedDifference {
    /// Mean, spread and interval of arm minus baseline.
    pub difference: Summary,
    /// Two-sided p-value of the paired t test.
    pub p: f64,
}

impl PairedDifference {
    /// Whether the interval contains 0.
    #[must_use]
    pub fn no_difference(&self) -> bool {
        self.difference.low <= 0.0 && self.difference.high >= 0.0
    }
}

/// Mean, standard deviation and t interval at confidence `level`; `None` with fewer than two values.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of seeds.
pub fn summarise(values: &[f64], level: f64) -> Option<Summary> {
    let n = values.len() as f64;
    if values.len() < 2 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let sd = libm::sqrt(values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0));
    let reach = t_quantile(f64::midpoint(1.0, level), n - 1.0) * sd / libm::sqrt(n);
    Some(Summary { mean, sd, low: mean - reach, high: mean + reach, n: values.len() })
}

/// `arm - baseline` pair by pair; `None` for unequal lengths or fewer than two pairs.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of seeds.
pub fn paired_difference(arm: &[f64], baseline: &[f64], level: f64) -> Option<PairedDifference> {
    if arm.len() != baseline.len() {
        return None;
    }
    let differences: Vec<f64> = arm.iter().zip(baseline).map(|(a, b)| a - b).collect();
    let difference = summarise(&differences, level)?;
    let error = difference.sd / libm::sqrt(difference.n as f64);
    let p = match (difference.mean.abs() > 0.0, error > 0.0) {
        (false, _) => 1.0,
        (true, false) => 0.0,
        (true, true) => 2.0 * t_cdf(-difference.mean.abs() / error, difference.n as f64 - 1.0),
    };
    Some(PairedDifference { difference, p })
}

/// The ratio of two means over shared seeds and its interval at confidence `level` (Fieller, 1954): `None` for unequal lengths, fewer
/// than two pairs, or a denominator whose own interval reaches 0, because then every ratio is possible.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of seeds.
pub fn ratio_of_means(numerators: &[f64], denominators: &[f64], level: f64) -> Option<(f64, f64, f64)> {
    if numerators.len() != denominators.len() {
        return None;
    }
    let (a, b) = (summarise(numerators, level)?, summarise(denominators, level)?);
    let n = a.n as f64;
    let pairs = numerators.iter().zip(denominators);
    let covariance = pairs.map(|(x, y)| (x - a.mean) * (y - b.mean)).sum::<f64>() / (n - 1.0) / n;
    let (va, vb) = (a.sd * a.sd / n, b.sd * b.sd / n);
    let t = t_quantile(f64::midpoint(1.0, level), n - 1.0);
    let g = t * t * vb / (b.mean * b.mean);
    if b.mean.abs() <= 0.0 || g >= 1.0 {
        return None;
    }
    let ratio = a.mean / b.mean;
    let root = va - 2.0 * ratio * covariance + ratio * ratio * vb
        - g * (va - covariance * covariance / vb.max(f64::MIN_POSITIVE));
    let reach = t / b.mean.abs() * libm::sqrt(root.max(0.0));
    let centre = ratio - g * covariance / vb.max(f64::MIN_POSITIVE);
    Some((ratio, (centre - reach) / (1.0 - g), (centre + reach) / (1.0 - g)))
}

/// Percentile interval of the mean by resampling seeds; `None` without values. Too narrow below about ten seeds.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of seeds.
pub fn bootstrap_mean(values: &[f64], bootstrap: &Bootstrap, seed: Seed) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let mean = |resample: u32| {
        let mut rng = seed.derive("bootstrap-mean", u64::from(resample)).rng();
        (0..values.len()).map(|_| values[rng.below(values.len())]).sum::<f64>() / values.len() as f64
    };
    let mut means: Vec<f64> = (0..bootstrap.resamples.max(20)).map(mean).collect();
    means.sort_unstable_by(f64::total_cmp);
    Some((quantile(&means, bootstrap.tail()), quantile(&means, 1.0 - bootstrap.tail())))
}

/// p-values adjusted for their number (Holm, 1979), in the order given.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of tests.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (mut adjusted, mut least) = (vec![0.0; p.len()], 0.0_f64);
    for (rank, &index) in order.iter().enumerate() {
        least = least.max((p.len() - rank) as f64 * p[index]).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `stats.ttest_rel(a, b)` and its `confidence_interval(0.95)`.
    #[test]
    fn a_paired_difference_agrees_with_scipy() {
        let paired =
            paired_difference(&[0.61, 0.58, 0.66, 0.63, 0.60], &[0.57, 0.59, 0.60, 0.58, 0.55], 0.95)
                .unwrap();
        assert!((paired.p - 0.037_580_388_613_033_32).abs() < 1e-9, "{}", paired.p);
        assert!((paired.difference.mean - 0.038).abs() < 1e-12);
        assert!((paired.difference.sd - 0.027_748_873_851_023_228).abs() < 1e-12);
        assert!((paired.difference.low - 0.003_545_222_348_486_629).abs() < 1e-9);
        assert!((paired.difference.high - 0.072_454_777_651_513_4).abs() < 1e-9);
        assert!(!paired.no_difference());
    }

    /// scipy 1.17.1: `stats.t.interval(0.95, 5, mean, sem)`.
    #[test]
    fn a_summary_agrees_with_scipy() {
        let summary = summarise(&[3.1, 2.7, 3.6, 3.0, 2.9, 3.3], 0.95).unwrap();
        assert!(
            (summary.low - 2.768_139_312_017_242).abs() < 1e-9
                && (summary.high - 3.431_860_687_982_758_2).abs() < 1e-9
        );
        assert_eq!(summarise(&[1.0], 0.95), None);
    }

    #[test]
    fn equal_arms_show_no_difference() {
        let paired = paired_difference(&[0.5, 0.6], &[0.5, 0.6], 0.95).unwrap();
        assert!(paired.no_difference() && (paired.p - 1.0).abs() < 1e-12);
        assert_eq!(paired_difference(&[1.0, 2.0], &[1.0], 0.95), None);
    }

    /// The ends of Fieller's interval are the ratios at which the t test of `a - ratio b` is just significant: that is its
    /// definition, and it needs no formula.
    #[test]
    fn a_ratio_s_ends_are_where_the_test_of_its_difference_turns() {
        let (a, b) = ([0.03, 0.06, 0.02, 0.05, 0.04], [0.05, 0.06, 0.04, 0.07, 0.05]);
        let (ratio, low, high) = ratio_of_means(&a, &b, 0.95).unwrap();
        assert!((ratio - 0.2 / 0.27).abs() < 1e-12);
        for end in [low, high] {
            let scaled: Vec<f64> = b.iter().map(|b| end * b).collect();
            let p = paired_difference(&a, &scaled, 0.95).unwrap().p;
            assert!((p - 0.05).abs() < 1e-6, "{end} {p}");
        }
        assert!(ratio_of_means(&a, &[0.1, -0.1, 0.05, -0.2, 0.1], 0.95).is_none());
    }

    /// 3 x .01 = .03, 2 x .03 = .06, then .04 may not fall below .06.
    #[test]
    fn holm_worked_by_hand() {
        let adjusted = holm(&[0.04, 0.01, 0.03]);
        assert!(
            adjusted.iter().zip([0.06, 0.03, 0.06]).all(|(got, want)| (got - want).abs() < 1e-12),
            "{adjusted:?}"
        );
    }

    /// Thirty values 0..30: the mean is 14.5, its bootstrap standard error 1.58; the ends lie near 14.5 -+ 3.1. With
    /// 2,000 resamples an end wanders by about 0.1; 0.5 is five of them.
    #[test]
    fn the_bootstrap_of_a_mean_has_the_width_of_theory() {
        let values: Vec<f64> = (0..30).map(f64::from).collect();
        let bootstrap = Bootstrap::new(2000, 0.95).unwrap();
        let (low, high) = bootstrap_mean(&values, &bootstrap, Seed::root(4)).unwrap();
        assert!((low - 11.4).abs() < 0.5 && (high - 17.6).abs() < 0.5, "{low} {high}");
    }
}
