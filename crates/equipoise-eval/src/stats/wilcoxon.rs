//! The signed-rank test of paired differences (Wilcoxon, Biometrics 1945; ties as in Pratt and Gibbons, 1981): asks for
//! symmetry about 0, not for normality. With fewer than six pairs it cannot find anything at 5%, and says so by its p-value.

use equipoise_core::special::normal_cdf;
use serde::{Deserialize, Serialize};

/// How a p-value came about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RankMethod {
    /// All sign patterns counted: at most 50 pairs, no ties, no zero difference.
    Exact,
    /// Normal approximation, its variance corrected for ties, without a correction for continuity.
    Normal,
}

/// A two-sided signed-rank test.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignedRank {
    /// The smaller of the rank sums of positive and of negative differences.
    pub statistic: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// Pairs that differ.
    pub n: usize,
    /// How `p` came about.
    pub method: RankMethod,
}

/// Tests whether `differences` are symmetric about 0; zeros are left out. `None` if none is left or one is no number.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of pairs.
pub fn signed_rank(differences: &[f64]) -> Option<SignedRank> {
    if differences.iter().any(|d| d.is_nan()) {
        return None;
    }
    let mut by_size: Vec<f64> = differences.iter().copied().filter(|d| d.abs() > 0.0).collect();
    by_size.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let n = by_size.len();
    if n == 0 {
        return None;
    }
    let (mut above, mut ties, mut rank) = (0.0, 0.0, 0.0);
    #[allow(clippy::float_cmp)] // A tie is an equal size.
    for tie in by_size.chunk_by(|a, b| a.abs() == b.abs()) {
        let size = tie.len() as f64;
        let shared = rank + f64::midpoint(1.0, size);
        above += shared * tie.iter().filter(|d| **d > 0.0).count() as f64;
        ties += size * size * size - size;
        rank += size;
    }
    let pairs = n as f64;
    let whole = pairs * (pairs + 1.0) / 2.0;
    let statistic = above.min(whole - above);
    let exact = n <= 50 && ties <= 0.0 && n == differences.len();
    let (p, method) = if exact {
        (exact_p(statistic, n), RankMethod::Exact)
    } else {
        let variance = (pairs * (pairs + 1.0) * (2.0 * pairs + 1.0) - ties / 2.0) / 24.0;
        let z = (statistic - whole / 2.0) / libm::sqrt(variance);
        (2.0 * normal_cdf(z), RankMethod::Normal)
    };
    Some(SignedRank { statistic, p: p.min(1.0), n, method })
}

/// Twice the share of the `2^n` sign patterns whose rank sum is at most `statistic`. Counts below 2^50 are exact.
fn exact_p(statistic: f64, n: usize) -> f64 {
    let mut patterns = vec![0.0; n * (n + 1) / 2 + 1];
    patterns[0] = 1.0;
    for rank in 1..=n {
        for sum in (rank..patterns.len()).rev() {
            patterns[sum] += patterns[sum - rank];
        }
    }
    let below: f64 =
        (0_u32..).zip(&patterns).take_while(|(sum, _)| f64::from(*sum) <= statistic).map(|(_, n)| n).sum();
    let all: f64 = patterns.iter().sum();
    2.0 * below / all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks 1 to 4, only the smallest negative: sum 1, patterns with a sum of at most 1 are 2 of 16, doubled 1/4.
    #[test]
    fn four_pairs_worked_by_hand() {
        let got = signed_rank(&[-0.1, 0.2, 0.3, 0.4]).unwrap();
        assert_eq!((got.statistic, got.n, got.method), (1.0, 4, RankMethod::Exact));
        assert!((got.p - 0.25).abs() < 1e-15);
    }

    /// 1, -1, 2, 2, 0: the zero goes, the ones share rank 1.5, the twos 3.5. Below: 1.5 of 10; variance (180 - 6) / 24 = 7.25.
    #[test]
    fn ties_and_zeros_worked_by_hand() {
        let got = signed_rank(&[1.0, -1.0, 2.0, 2.0, 0.0]).unwrap();
        assert_eq!((got.statistic, got.n, got.method), (1.5, 4, RankMethod::Normal));
        assert!((got.p - 2.0 * normal_cdf(-3.5 / 7.25_f64.sqrt())).abs() < 1e-15);
        assert_eq!(signed_rank(&[0.0, 0.0]), None);
        assert_eq!(signed_rank(&[f64::NAN]), None);
    }
}
