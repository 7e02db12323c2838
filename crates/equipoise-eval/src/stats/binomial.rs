//! Shares: exact intervals (Clopper and Pearson, 1934), Wilson's (1927), the difference of two (Newcombe, 1998, method 10) and
//! Fisher's exact test.

use equipoise_core::special::{incomplete_beta, normal_quantile};

/// The `p`-quantile of the beta distribution, by bisection: slow and sure.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if incomplete_beta(a, b, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Exact interval of a share of `found` in `all` at confidence `level`: covers at least so often. `None` unless
/// `found <= all`, `all > 0` and the level lies inside (0, 1).
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn clopper_pearson(found: u64, all: u64, level: f64) -> Option<(f64, f64)> {
    if found > all || all == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let (k, n, tail) = (found as f64, all as f64, (1.0 - level) / 2.0);
    let low = if found == 0 { 0.0 } else { beta_quantile(tail, k, n - k + 1.0) };
    let high = if found == all { 1.0 } else { beta_quantile(1.0 - tail, k + 1.0, n - k) };
    Some((low, high))
}

/// Wilson's score interval: closer to the level on average than the exact one, below it for some shares. `None` as
/// [`clopper_pearson`].
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn wilson(found: u64, all: u64, level: f64) -> Option<(f64, f64)> {
    if found > all || all == 0 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let (k, n, z) = (found as f64, all as f64, normal_quantile(f64::midpoint(1.0, level)));
    let middle = (k + z * z / 2.0) / (n + z * z);
    let reach = z / (n + z * z) * libm::sqrt(k * (n - k) / n + z * z / 4.0);
    Some(((middle - reach).max(0.0), (middle + reach).min(1.0)))
}

/// The difference of two shares, first minus second, with its interval at confidence `level`. `None` as [`clopper_pearson`]
/// for either.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn difference_of_shares(first: (u64, u64), second: (u64, u64), level: f64) -> Option<(f64, f64, f64)> {
    let (a, b) = (wilson(first.0, first.1, level)?, wilson(second.0, second.1, level)?);
    let share = |(found, all): (u64, u64)| found as f64 / all as f64;
    let (p, q) = (share(first), share(second));
    let down = libm::hypot(p - a.0, b.1 - q);
    let up = libm::hypot(a.1 - p, q - b.0);
    Some((p - q, p - q - down, p - q + up))
}

/// Two-sided p-value of Fisher's exact test that two shares are one: all tables with the same margins that are no likelier
/// than this one. `None` if a count exceeds its whole.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn fisher_exact(first: (u64, u64), second: (u64, u64)) -> Option<f64> {
    let ((a, n), (b, m)) = (first, second);
    if a > n || b > m {
        return None;
    }
    let choose = |n: u64, k: u64| {
        libm::lgamma(n as f64 + 1.0) - libm::lgamma(k as f64 + 1.0) - libm::lgamma((n - k) as f64 + 1.0)
    };
    let found = a + b;
    let chance =
        |in_first: u64| libm::exp(choose(n, in_first) + choose(m, found - in_first) - choose(n + m, found));
    let here = chance(a);
    // Equal chances differ by rounding; a part in ten million is far above that and below any real difference.
    let sum: f64 =
        (found.saturating_sub(m)..=found.min(n)).map(chance).filter(|p| *p <= here * (1.0 + 1e-7)).sum();
    Some(sum.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// None of n: the upper end solves (1 - p)^n = tail.
    #[test]
    fn the_ends_of_an_exact_interval_worked_by_hand() {
        let (low, high) = clopper_pearson(0, 100, 0.95).unwrap();
        assert!(low.abs() < 1e-15 && (high - (1.0 - 0.025_f64.powf(0.01))).abs() < 1e-12);
        let (low, high) = clopper_pearson(100, 100, 0.95).unwrap();
        assert!((low - 0.025_f64.powf(0.01)).abs() < 1e-12 && (high - 1.0).abs() < 1e-15);
        assert_eq!(clopper_pearson(3, 2, 0.95), None);
        assert_eq!(clopper_pearson(0, 0, 0.95), None);
        assert_eq!(wilson(1, 2, 1.0), None);
    }

    /// Newcombe (1998), table II: 56/70 against 48/80 gives 0.2 with 0.0524 to 0.3339 by method 10.
    #[test]
    fn a_published_difference_of_shares() {
        let (difference, low, high) = difference_of_shares((56, 70), (48, 80), 0.95).unwrap();
        assert!((difference - 0.2).abs() < 1e-12);
        assert!((low - 0.0524).abs() < 5e-5 && (high - 0.3339).abs() < 5e-5, "{low} {high}");
    }

    /// The lady tasting tea: 3 of 4 against 1 of 4 has p = (16 + 1 + 1 + 16) / 70.
    #[test]
    fn the_tea_tasting_worked_by_hand() {
        assert!((fisher_exact((3, 4), (1, 4)).unwrap() - 34.0 / 70.0).abs() < 1e-12);
        assert_eq!(fisher_exact((5, 4), (1, 4)), None);
    }
}
