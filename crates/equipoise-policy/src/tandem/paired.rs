//! Estimates over paired seeds: means, differences, and anything else of the means of cells by the jackknife.

use super::student::{t_quantile, t_tail};
use serde::{Deserialize, Serialize};

/// A number with its 95 % interval over seeds, and the two-sided probability of one as far from 0 if there were nothing.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
    /// The probability; not corrected for the family that the test stands in.
    pub p: f64,
}

#[allow(clippy::cast_precision_loss, reason = "seeds are few")]
const fn number(count: usize) -> f64 {
    count as f64
}

fn interval(value: f64, error: f64, df: f64) -> Estimate {
    let half = t_quantile(0.05, df) * error;
    let p = if error > 0.0 { t_tail(value / error, df) } else { f64::from(u8::from(value.abs() < 1e-15)) };
    Estimate { value, low: value - half, high: value + half, p }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = number(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, squares / (n - 1.0))
}

/// The mean over seeds; `None` below two seeds.
#[must_use]
pub fn mean(values: &[f64]) -> Option<Estimate> {
    if values.len() < 2 {
        return None;
    }
    let (mean, variance) = moments(values);
    let n = number(values.len());
    Some(interval(mean, libm::sqrt(variance / n), n - 1.0))
}

/// The mean of `a - b` over the same seeds.
#[must_use]
pub fn difference(a: &[f64], b: &[f64]) -> Option<Estimate> {
    mean(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>())
}

/// A function of the cells' means, with the jackknife's error over seeds. `values[cell][seed]`. `None` where the function
/// is not defined, with or without any one seed, or below three seeds.
#[must_use]
pub fn jackknife(values: &[Vec<f64>], of: &dyn Fn(&[f64]) -> Option<f64>) -> Option<Estimate> {
    let seeds = values.first()?.len();
    if seeds < 3 {
        return None;
    }
    let n = number(seeds);
    let sums: Vec<f64> = values.iter().map(|row| row.iter().sum()).collect();
    let whole = of(&sums.iter().map(|sum| sum / n).collect::<Vec<f64>>())?;
    let without = |seed: usize| {
        let means = sums.iter().zip(values).map(|(sum, row)| (sum - row[seed]) / (n - 1.0));
        of(&means.collect::<Vec<f64>>())
    };
    let left: Option<Vec<f64>> = (0..seeds).map(without).collect();
    let left = left?;
    let middle = left.iter().sum::<f64>() / n;
    let squares: f64 = left.iter().map(|value| (value - middle) * (value - middle)).sum();
    Some(interval(whole, libm::sqrt((n - 1.0) / n * squares), n - 1.0))
}

/// How much common random numbers help: the variance of the difference of two cells if their seeds were independent, over
/// the variance of the paired difference. `None` below two seeds, or where the paired variance is 0.
#[must_use]
pub fn variance_ratio(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() < 2 || a.len() != b.len() {
        return None;
    }
    let paired = moments(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>()).1;
    (paired > 0.0).then(|| (moments(a).1 + moments(b).1) / paired)
}

/// The variance over seeds of the prevented fraction `1 - a / b` where the two cells' seeds do not go together, over its
/// variance where they do. The first is the mean over all ways of pairing each seed with the one `k` places on. `None` below
/// three seeds, where a `b` is 0, or where the paired fraction does not vary.
#[must_use]
pub fn prevented_variance_ratio(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len();
    if n < 3 || b.len() != n || b.iter().any(|value| *value <= 0.0) {
        return None;
    }
    let variance =
        |shift: usize| moments(&(0..n).map(|at| 1.0 - a[at] / b[(at + shift) % n]).collect::<Vec<f64>>()).1;
    let paired = variance(0);
    (paired > 0.0).then(|| (1..n).map(variance).sum::<f64>() / number(n - 1) / paired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paired_difference_by_hand() {
        // Differences 1, 2, 3: mean 2, standard error 1 / sqrt 3, t of 2 degrees 4.3027.
        let estimate = difference(&[5.0, 7.0, 9.0], &[4.0, 5.0, 6.0]).unwrap();
        assert!((estimate.value - 2.0).abs() < 1e-12);
        assert!((estimate.high - 2.0 - 4.302_653 / 3.0_f64.sqrt()).abs() < 1e-4);
    }

    #[test]
    fn the_jackknife_of_a_mean_is_the_mean_with_its_usual_error() {
        let values = vec![1.0, 4.0, 2.0, 8.0, 5.0];
        let (by_jackknife, plain) =
            (jackknife(std::slice::from_ref(&values), &|m| Some(m[0])).unwrap(), mean(&values).unwrap());
        assert!((by_jackknife.low - plain.low).abs() < 1e-9 && (by_jackknife.p - plain.p).abs() < 1e-9);
    }

    #[test]
    fn pairs_that_move_together_are_worth_more() {
        // Variances 1 and 1, paired variance 0.25 / 0.75 = 1/3: (1 + 1) / (1/3) = 6.
        let ratio = variance_ratio(&[1.0, 2.0, 3.0], &[1.0, 3.0, 3.0]).unwrap();
        assert!((ratio - (1.0 + 4.0 / 3.0) / (1.0 / 3.0)).abs() < 1e-12, "{ratio}");
        assert_eq!(variance_ratio(&[1.0, 2.0], &[1.0, 2.0]), None);
        // Half of what was, but for a little: pairing takes nearly all of the variance away.
        let (b, a) = ([8.0, 10.0, 12.0, 14.0], [4.0, 5.1, 6.0, 7.0]);
        assert!(prevented_variance_ratio(&a, &b).unwrap() > 50.0);
        assert_eq!(prevented_variance_ratio(&[4.0, 5.0, 6.0], &[8.0, 10.0, 12.0]), None);
    }
}
