//! The little statistics that attacks and audits are judged by: the normal distribution (core's), binomial tails, and the exact
//! interval of Clopper and Pearson (1934).

use equipoise_core::special::incomplete_beta;
pub use equipoise_core::special::{normal_cdf, normal_quantile};

/// Halvings of a bracket of width 80: enough to reach the resolution of `f64`.
const HALVINGS: u32 = 64;

/// The point of `[low, high]` where `below` turns from true to false.
pub(crate) fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if below(middle) { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// `P(Bin(n, p) >= k)` for every `k` in `0..=n`, summed from the upper end, where the small terms stand.
#[must_use]
pub fn binomial_tails(n: u32, p: f64) -> Vec<f64> {
    let (ln_p, ln_rest) = (libm::log(p), libm::log1p(-p));
    let of_n = libm::lgamma(f64::from(n) + 1.0);
    let mut tails = vec![0.0; n as usize + 1];
    let mut sum = 0.0;
    for k in (0..=n).rev() {
        let (hits, misses) = (f64::from(k), f64::from(n - k));
        let times = |count: f64, ln: f64| if count > 0.0 { count * ln } else { 0.0 };
        let ways = of_n - libm::lgamma(hits + 1.0) - libm::lgamma(misses + 1.0);
        sum += libm::exp(ways + times(hits, ln_p) + times(misses, ln_rest));
        tails[k as usize] = sum.min(1.0);
    }
    tails
}

/// A rate seen in `hits` of `trials`, with the exact interval that misses the truth with probability at most `miss` on either side.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rate {
    /// How often.
    pub hits: u32,
    /// Of how many.
    pub trials: u32,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Rate {
    /// Clopper and Pearson; `miss` is the error of each side.
    ///
    /// # Panics
    /// If there are more hits than trials, or no trial.
    #[must_use]
    pub fn new(hits: u32, trials: u32, miss: f64) -> Self {
        assert!(trials > 0 && hits <= trials, "a rate needs trials, and no more hits than them");
        let (k, n) = (f64::from(hits), f64::from(trials));
        let at_least = |k: f64, p: f64| incomplete_beta(k, n - k + 1.0, p);
        let low = if hits == 0 { 0.0 } else { bisect(0.0, 1.0, |p| at_least(k, p) < miss) };
        let high = if hits == trials { 1.0 } else { bisect(0.0, 1.0, |p| 1.0 - at_least(k + 1.0, p) > miss) };
        Self { hits, trials, low, high }
    }

    /// The share seen.
    #[must_use]
    pub fn share(&self) -> f64 {
        f64::from(self.hits) / f64::from(self.trials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 3 coins: at least 2 heads in 4 of 8 cases.
    #[test]
    fn tails_of_three_coins() {
        for (got, want) in binomial_tails(3, 0.5).iter().zip([1.0, 0.875, 0.5, 0.125]) {
            assert!((got - want).abs() < 1e-14);
        }
    }

    /// No hit of n: the upper bound is `1 - miss^(1/n)`. Design notes: 1 of 1,000 has [3e-5, 5.6e-3], 10 of 10,000 [4.8e-4, 1.84e-3].
    #[test]
    fn exact_intervals_agree_with_closed_forms_and_the_design_notes() {
        let none = Rate::new(0, 100, 0.025);
        assert!(none.low <= 0.0 && (none.high - (1.0 - 0.025_f64.powf(0.01))).abs() < 1e-12);
        let one = Rate::new(1, 1_000, 0.025);
        assert!((one.low - 2.53e-5).abs() < 1e-7 && (one.high - 5.56e-3).abs() < 1e-5, "{one:?}");
        let ten = Rate::new(10, 10_000, 0.025);
        assert!((ten.low - 4.8e-4).abs() < 1e-6 && (ten.high - 1.838e-3).abs() < 1e-6, "{ten:?}");
        assert!(Rate::new(7, 7, 0.05).high >= 1.0);
    }
}
