//! Poisson counts of a whole rate and their differences (Skellam), sampled exactly in integers.
//!
//! A count is proposed uniformly within twelve deviations of the rate and kept with probability `pmf(k) / pmf(rate)`, a product of
//! fractions: `m / (m + i)` upwards, `(m - i) / m` downwards. A uniform number is compared with that product first in `f64` with a
//! stated error, and where that does not decide, with the product in 120-bit fixed point between two bounds. What remains undecided
//! (below 2^-80) and the tails beyond the window (below 1e-30) are the whole distance from the exact distribution.

use crate::integer_noise::below;
use rand::Rng;

/// The largest rate that fits.
pub(crate) const LARGEST_RATE: u64 = 1 << 54;
/// Bits of the fixed point.
const BITS: u32 = 120;

/// A Poisson count of rate `rate`.
///
/// # Panics
/// If the rate is above 2^54.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "below 2^62"
)]
pub fn poisson(rate: u64, rng: &mut impl Rng) -> u64 {
    assert!(rate <= LARGEST_RATE, "a rate was not checked");
    if rate == 0 {
        return 0;
    }
    let reach = 12 * libm::ceil(libm::sqrt(rate as f64)) as u64 + 40;
    let lowest = rate.saturating_sub(reach);
    loop {
        let k = lowest + below(u128::from(rate + reach - lowest + 1), rng) as u64;
        if keep(k, rate, rng) {
            return k;
        }
    }
}

/// The difference of two Poisson counts of rate `rate` each; its variance is twice that.
///
/// # Panics
/// If the rate is above 2^54.
#[must_use]
#[allow(clippy::cast_possible_wrap, reason = "counts are below 2^62")]
pub fn skellam(rate: u64, rng: &mut impl Rng) -> i64 {
    poisson(rate, rng) as i64 - poisson(rate, rng) as i64
}

/// `ln(pmf(k) / pmf(m))` and how far from it the number may be: by Stirling's series, whose large parts cancel on paper.
#[allow(clippy::cast_precision_loss, reason = "an error is stated")]
fn ln_kept(k: u64, m: u64) -> (f64, f64) {
    let (x, rate) = (k as f64, m as f64);
    let steps = if k >= m { (k - m) as f64 } else { -((m - k) as f64) };
    if k.min(m) < 128 {
        let (size, far) = (libm::lgamma(rate + 1.0), steps * libm::log(rate));
        return (size - libm::lgamma(x + 1.0) + far, 1e-12 + 1e-14 * (size.abs() + far.abs()));
    }
    let correction = |n: f64| (1.0 - 1.0 / (30.0 * n * n)) / (12.0 * n);
    let longer = (x + 0.5) * libm::log1p(steps / rate) - steps + correction(x) - correction(rate);
    (-longer, 1e-12 + 4e-15 * steps.abs())
}

/// True with probability `pmf(k) / pmf(m)`.
#[allow(clippy::cast_precision_loss, reason = "an error is stated")]
fn keep(k: u64, m: u64, rng: &mut impl Rng) -> bool {
    let high = rng.next_u64();
    let (ln_kept, error) = ln_kept(k, m);
    let ln_drawn = |bits: u64| libm::log((bits as f64 + 0.5) / 18_446_744_073_709_551_616.0);
    let drawn = ln_drawn(high);
    if high > 1_000_000 && (drawn - ln_kept).abs() > error {
        return drawn < ln_kept;
    }
    let drawn = (u128::from(high) << (BITS - 64)) | (u128::from(rng.next_u64()) >> (128 - BITS));
    let (low, up) = product(k, m);
    debug_assert!(low <= up, "two bounds of one number");
    drawn < low
}

/// `pmf(k) / pmf(m)` between two bounds, in units of 2^-120.
fn product(k: u64, m: u64) -> (u128, u128) {
    let one = 1_u128 << BITS;
    let (mut low, mut up) = (one, one);
    let mut times = |numerator: u64, denominator: u64| {
        low = scaled(low, numerator, denominator).0;
        let (whole, rest) = scaled(up, numerator, denominator);
        up = whole + u128::from(rest);
    };
    if k >= m {
        (1..=k - m).for_each(|i| times(m, m + i));
    } else {
        (0..m - k).for_each(|i| times(m - i, m));
    }
    (low, up)
}

/// `value * numerator / denominator` rounded down, and whether anything was cut; the fraction is at most 1.
fn scaled(value: u128, numerator: u64, denominator: u64) -> (u128, bool) {
    let (n, d) = (u128::from(numerator), u128::from(denominator));
    // Long division in two limbs of 64 bits.
    let (high, low) = ((value >> 64) * n, (value & u128::from(u64::MAX)) * n);
    let carried = high + (low >> 64);
    let (top, rest) = (carried / d, carried % d);
    let bottom = (rest << 64) | (low & u128::from(u64::MAX));
    ((top << 64) + bottom / d, bottom % d != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integer_noise::tests::standardised_chi_square;
    use equipoise_core::Seed;

    /// ln of the Poisson probability times a constant, as a sum on paper.
    fn ln_pmf(k: i64, rate: f64) -> f64 {
        if k < 0 {
            return f64::NEG_INFINITY;
        }
        (1..=k).map(|i| (rate / i as f64).ln()).sum::<f64>() - rate
    }

    #[test]
    fn counts_have_the_exact_probabilities() {
        for rate in [1_u64, 2, 9, 150] {
            let mut rng = Seed::root(8).derive("rate", rate).rng();
            let draws: Vec<i64> = (0..60_000).map(|_| poisson(rate, &mut rng) as i64).collect();
            let reach = (rate + 14 * rate.isqrt() + 30) as i64;
            let right = standardised_chi_square(&draws, |k| ln_pmf(k, rate as f64), reach);
            assert!(right.abs() < 5.0, "{rate}: {right}");
            let wrong = standardised_chi_square(&draws, |k| ln_pmf(k, rate as f64 * 1.05), reach);
            assert!(wrong > 5.0, "a rate that is 5 % off was not found at {rate}: {wrong}");
        }
    }

    #[test]
    fn differences_have_the_exact_probabilities() {
        for rate in [1_u64, 7] {
            let mut rng = Seed::root(9).derive("rate", rate).rng();
            let draws: Vec<i64> = (0..60_000).map(|_| skellam(rate, &mut rng)).collect();
            // The convolution on paper.
            let of = |y: i64| {
                (0..120)
                    .map(|k| (ln_pmf(k, rate as f64) + ln_pmf(k + y, rate as f64)).exp())
                    .sum::<f64>()
                    .ln()
            };
            let right = standardised_chi_square(&draws, of, 40);
            assert!(right.abs() < 5.0, "{rate}: {right}");
        }
    }

    #[test]
    fn the_quick_comparison_is_as_near_as_it_says() {
        for (k, m) in [
            (200_u64, 150_u64),
            (150, 200),
            (129, 128),
            (3, 7),
            (90, 150),
            (40_000, 39_000),
            (1_002_000, 1_000_000),
        ] {
            let (quick, error) = ln_kept(k, m);
            let exact = (product(k, m).0 as f64 / (1_u128 << BITS) as f64).ln();
            assert!(
                (quick - exact).abs() < error + 1e-13 * exact.abs(),
                "{k} {m}: {quick} {exact} {error:e}"
            );
        }
    }

    #[test]
    fn large_rates_have_mean_and_variance_of_the_rate() {
        for rate in [1_000_000_u64, 1 << 40, 1 << 54] {
            let mut rng = Seed::root(10).derive("rate", rate).rng();
            let deviation = (rate as f64).sqrt();
            let off: Vec<f64> =
                (0..20_000).map(|_| (poisson(rate, &mut rng) as f64 - rate as f64) / deviation).collect();
            let mean = off.iter().sum::<f64>() / 2e4;
            let square = off.iter().map(|x| x * x).sum::<f64>() / 2e4;
            assert!(mean.abs() < 0.036 && (square - 1.0).abs() < 0.05, "{rate}: {mean} {square}");
        }
    }

    #[test]
    fn the_fixed_point_holds_the_product_between_its_bounds() {
        // 3^2 / (4 * 5) = 0.45 upwards, 3 * 2 / 9 downwards.
        for (k, want) in [(5, 0.45), (1, 2.0 / 3.0), (3, 1.0)] {
            let (low, up) = product(k, 3);
            let as_real = |value: u128| value as f64 / (1_u128 << BITS) as f64;
            assert!((as_real(low) - want).abs() < 1e-15 && up - low <= 4, "{k}: {low} {up}");
        }
        let (low, up) = product(1_100_000, 1_000_000);
        assert!(up - low < 1 << 18);
    }
}
