//! AUC of a single feature with a 95% interval (DeLong, DeLong and Clarke-Pearson, 1988), on the logit scale so that it
//! stays inside [0, 1]. Used to ask whether one column alone gives the truth away.

use equipoise_core::special::normal_quantile;

/// The share of `sorted` below `value`, equals counting half.
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
fn placement(sorted: &[f32], value: f32) -> f64 {
    let below = sorted.partition_point(|other| other.total_cmp(&value).is_lt());
    let up_to = sorted.partition_point(|other| other.total_cmp(&value).is_le());
    (below + up_to) as f64 / (2.0 * sorted.len() as f64)
}

/// Mean of `values`, and the variance of that mean.
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
fn mean_and_its_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, if n > 1.0 { squares / (n - 1.0) / n } else { 0.0 })
}

/// `(auc, low, high)` of positive against negative scores, ties counting half; `None` if either side is empty or holds
/// a value that is not a number.
///
/// Where the sample shows no spread (all or none ranked right), the bound is the exact binomial one over the smaller side.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn auc_with_interval(positive: &[f32], negative: &[f32]) -> Option<(f64, f64, f64)> {
    if positive.is_empty()
        || negative.is_empty()
        || positive.iter().chain(negative).any(|score| score.is_nan())
    {
        return None;
    }
    // Adding 0 makes -0 equal to 0 under the total order.
    let sorted = |scores: &[f32]| {
        let mut sorted: Vec<f32> = scores.iter().map(|score| score + 0.0).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        sorted
    };
    let (positive, negative) = (sorted(positive), sorted(negative));
    let of_positive: Vec<f64> = positive.iter().map(|&score| placement(&negative, score)).collect();
    let of_negative: Vec<f64> = negative.iter().map(|&score| placement(&positive, score)).collect();
    let (auc, positive_part) = mean_and_its_variance(&of_positive);
    let (_, negative_part) = mean_and_its_variance(&of_negative);
    let edge = libm::pow(0.025, 1.0 / positive.len().min(negative.len()) as f64);
    if auc >= 1.0 - 1e-12 {
        return Some((1.0, edge, 1.0));
    }
    if auc <= 1e-12 {
        return Some((0.0, 0.0, 1.0 - edge));
    }
    let deviation = libm::sqrt(positive_part + negative_part) / (auc * (1.0 - auc));
    let (middle, reach) = (libm::log(auc / (1.0 - auc)), normal_quantile(0.975) * deviation);
    let back = |logit: f64| 1.0 / (1.0 + libm::exp(-logit));
    Some((auc, back(middle - reach), back(middle + reach)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    /// numpy, by placements: AUC 0.59375, standard error 0.226787; logit interval 0.37949 -+ 1.95996 x 0.226787 / 0.241211.
    #[test]
    fn a_small_auc_agrees_with_numpy() {
        let (auc, low, high) = auc_with_interval(&[0.9, 0.8, 0.5, 0.3], &[0.9, 0.5, 0.5, 0.1]).unwrap();
        let reach = 1.959_963_984_540_054 * 0.226_786_886_011_210_6 / (0.59375 * 0.40625);
        let back = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        let middle = (0.59375_f64 / 0.40625).ln();
        assert!((auc - 0.59375).abs() < 1e-12);
        assert!(
            (low - back(middle - reach)).abs() < 1e-9 && (high - back(middle + reach)).abs() < 1e-9,
            "{low} {high}"
        );
    }

    #[test]
    fn perfect_separation_of_twenty_is_not_certainty() {
        let (auc, low, high) = auc_with_interval(&[1.0; 20], &[0.0; 400]).unwrap();
        assert!((auc - 1.0).abs() < 1e-12 && (high - 1.0).abs() < 1e-12);
        assert!((low - 0.025_f64.powf(0.05)).abs() < 1e-9, "{low}");
        assert_eq!(auc_with_interval(&[], &[0.5]), None);
        assert_eq!(auc_with_interval(&[f32::NAN], &[0.5]), None);
    }

    /// 400 samples of 40 against 60, normals one apart, whose AUC is Phi(1/sqrt 2) = 0.76025. A covering share of 0.95
    /// has standard error 0.011; the bounds lie four away (a false alarm in 15,000 fresh seeds).
    #[test]
    fn intervals_cover_the_truth_about_as_often_as_they_say() {
        let mut covered = 0;
        for trial in 0..400 {
            let mut rng = Seed::root(23).derive("trial", trial).rng();
            #[allow(clippy::cast_possible_truncation)]
            let mut draw =
                |shift: f64, n: usize| (0..n).map(|_| (rng.normal() + shift) as f32).collect::<Vec<f32>>();
            let (_, low, high) = auc_with_interval(&draw(1.0, 40), &draw(0.0, 60)).unwrap();
            covered += i32::from(low <= 0.760_25 && 0.760_25 <= high);
        }
        assert!((362..=397).contains(&covered), "{covered} of 400");
    }
}
