//! Bootstrap intervals of any statistic of one sample: percentile, and bias-corrected and accelerated (Efron, JASA 1987).
//! BCa is better where the statistic is skewed or biased; neither is to be trusted below about ten values.

use crate::Bootstrap;
use crate::bootstrap::quantile;
use equipoise_core::special::{normal_cdf, normal_quantile};
use equipoise_core::{Draw, Seed};

/// Sorted values of `statistic` over the resamples of `seed`; each resample is drawn at its own address.
fn resampled(values: &[f64], statistic: &dyn Fn(&[f64]) -> f64, how: &Bootstrap, seed: Seed) -> Vec<f64> {
    let mut drawn = vec![0.0; values.len()];
    let mut all: Vec<f64> = (0..how.resamples)
        .map(|resample| {
            let mut rng = seed.derive("bootstrap-statistic", u64::from(resample)).rng();
            drawn.iter_mut().for_each(|value| *value = values[rng.below(values.len())]);
            statistic(&drawn)
        })
        .collect();
    all.sort_unstable_by(f64::total_cmp);
    all
}

/// Percentile interval of `statistic`; `None` without values or where a resample's statistic is no number.
#[must_use]
pub fn percentile_interval(
    values: &[f64],
    statistic: &dyn Fn(&[f64]) -> f64,
    how: &Bootstrap,
    seed: Seed,
) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let all = resampled(values, statistic, how, seed);
    all.iter()
        .all(|value| value.is_finite())
        .then(|| (quantile(&all, how.tail()), quantile(&all, 1.0 - how.tail())))
}

/// Bias-corrected and accelerated interval of `statistic`; `None` with fewer than three values, or where leaving one value
/// out never changes the statistic, or where all resamples lie on one side of the estimate.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of values and resamples.
pub fn bca_interval(
    values: &[f64],
    statistic: &dyn Fn(&[f64]) -> f64,
    how: &Bootstrap,
    seed: Seed,
) -> Option<(f64, f64)> {
    if values.len() < 3 {
        return None;
    }
    let all = resampled(values, statistic, how, seed);
    let estimate = statistic(values);
    if !estimate.is_finite() || all.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let below = all.partition_point(|value| *value < estimate);
    let up_to = all.partition_point(|value| *value <= estimate);
    let share = (below + up_to) as f64 / (2 * all.len()) as f64;
    if share <= 0.0 || share >= 1.0 {
        return None;
    }
    let (bias, acceleration) = (normal_quantile(share), acceleration(values, statistic)?);
    let end = |p: f64| {
        let z = bias + normal_quantile(p);
        quantile(&all, normal_cdf(bias + z / (1.0 - acceleration * z)))
    };
    Some((end(how.tail()), end(1.0 - how.tail())))
}

/// A sixth of the skewness of the jackknife; `None` if it has no spread.
#[allow(clippy::cast_precision_loss)] // A count of values.
fn acceleration(values: &[f64], statistic: &dyn Fn(&[f64]) -> f64) -> Option<f64> {
    let without = |left_out: usize| {
        let rest: Vec<f64> = (0..values.len()).filter(|&at| at != left_out).map(|at| values[at]).collect();
        statistic(&rest)
    };
    let jackknife: Vec<f64> = (0..values.len()).map(without).collect();
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let (squares, cubes) = jackknife
        .iter()
        .map(|value| mean - value)
        .fold((0.0, 0.0), |(two, three), d| (two + d * d, three + d * d * d));
    let spread = squares * libm::sqrt(squares);
    (spread.is_finite() && spread > 0.0).then(|| cubes / (6.0 * spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Values 0, 0, 3: leaving one out gives 1.5, 1.5, 0, mean 1; squares .25 + .25 + 1, cubes of 1 - value -.125 -.125 + 1.
    #[test]
    fn the_acceleration_of_three_values_worked_by_hand() {
        let got = acceleration(&[0.0, 0.0, 3.0], &mean).unwrap();
        assert!((got - 0.75 / (6.0 * 1.5_f64.powf(1.5))).abs() < 1e-15);
    }

    #[test]
    fn what_has_no_spread_has_no_accelerated_interval() {
        let how = Bootstrap::new(50, 0.9).unwrap();
        assert_eq!(bca_interval(&[2.0; 5], &mean, &how, Seed::root(1)), None);
        assert_eq!(bca_interval(&[2.0, 3.0], &mean, &how, Seed::root(1)), None);
        assert_eq!(percentile_interval(&[2.0; 5], &mean, &how, Seed::root(1)), Some((2.0, 2.0)));
        assert_eq!(percentile_interval(&[], &mean, &how, Seed::root(1)), None);
    }

    /// 1,000 samples of 20 exponential values: of 95% intervals of the mean a percentile interval covers about 0.90, BCa about
    /// 0.91 (standard error 0.009; the bound 0.87 lies four below). Misses of BCa lie less on one side.
    #[test]
    fn skewed_samples_are_covered_about_as_often_as_known() {
        let how = Bootstrap::new(400, 0.95).unwrap();
        let (mut bca, mut percentile) = ((0, 0), (0, 0));
        for trial in 0..1000 {
            let mut rng = Seed::root(31).derive("trial", trial).rng();
            let values: Vec<f64> = (0..20).map(|_| -libm::log(1.0 - rng.uniform())).collect();
            let seed = Seed::root(trial);
            let miss = |(low, high): (f64, f64), (under, over): (i32, i32)| {
                (under + i32::from(high < 1.0), over + i32::from(low > 1.0))
            };
            bca = miss(bca_interval(&values, &mean, &how, seed).unwrap(), bca);
            percentile = miss(percentile_interval(&values, &mean, &how, seed).unwrap(), percentile);
        }
        assert!(bca.0 + bca.1 <= 130 && bca.0 + bca.1 >= 40, "{bca:?}");
        assert!(bca.0 < percentile.0, "BCa reaches further where the tail is: {bca:?} {percentile:?}");
    }
}
