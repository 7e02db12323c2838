//! The discrete Gaussian, sampled exactly (Canonne, Kamath, Steinke, arXiv 2004.00010, algorithms 1 to 3).
//!
//! Whole numbers only: every coin has a rational probability, so no rounding of a floating-point number can leak (Mironov 2012).
//! The running time depends on what is drawn: a party that can time each draw learns something, and this does not defend.

use rand::Rng;

/// The largest variance that fits the arithmetic, in squared grid steps.
pub(crate) const LARGEST_VARIANCE: f64 = 7.2e16;

/// Uniform on `0..n`, by rejection.
pub(crate) fn below(n: u128, rng: &mut impl Rng) -> u128 {
    debug_assert!(n > 0, "a draw from nothing");
    let spare = n.leading_zeros().min(127);
    loop {
        let bits = (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
        let drawn = bits >> spare;
        if drawn < n {
            return drawn;
        }
    }
}

/// True with probability `numerator / denominator`.
fn chance(numerator: u128, denominator: u128, rng: &mut impl Rng) -> bool {
    below(denominator, rng) < numerator
}

/// True with probability `e^(-numerator / denominator)` (algorithm 1).
fn chance_exp(mut numerator: u128, denominator: u128, rng: &mut impl Rng) -> bool {
    while numerator > denominator {
        if !chance_exp_at_most_one(1, 1, rng) {
            return false;
        }
        numerator -= denominator;
    }
    chance_exp_at_most_one(numerator, denominator, rng)
}

fn chance_exp_at_most_one(numerator: u128, denominator: u128, rng: &mut impl Rng) -> bool {
    let mut k = 1;
    // Heads with probability (n / d) / k; the number of heads in a row is even with probability e^(-n / d).
    while chance(numerator, denominator * k, rng) {
        k += 1;
    }
    k % 2 == 1
}

/// A discrete Laplace number of whole scale `t` (algorithm 2): probability proportional to `e^(-|y| / t)`.
fn discrete_laplace(t: u64, rng: &mut impl Rng) -> i128 {
    loop {
        let within = below(u128::from(t), rng);
        if !chance_exp(within, u128::from(t), rng) {
            continue;
        }
        let mut whole = 0_u128;
        while chance_exp(1, 1, rng) {
            whole += 1;
        }
        let size = within + u128::from(t) * whole;
        let negative = rng.next_u64() & 1 == 1;
        if !(negative && size == 0) {
            let size = i128::try_from(size).expect("a Laplace number is far below 2^127");
            return if negative { -size } else { size };
        }
    }
}

/// A discrete Gaussian number: probability proportional to `e^(-y^2 / (2 v))`. `variance` is rounded *up* to a whole number, or to
/// a multiple of 2^-20 where it is below a million.
///
/// # Panics
/// If `variance` is not positive, or above 7.2e16.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: at most 2^56")]
pub fn discrete_gaussian(variance: f64, rng: &mut impl Rng) -> i64 {
    assert!(variance > 0.0 && variance <= LARGEST_VARIANCE, "a variance was not checked");
    let parts: u64 = if variance < 1e6 { 1 << 20 } else { 1 };
    let numerator = libm::ceil(variance * parts as f64) as u64;
    let t = libm::floor(libm::sqrt(variance)) as u64 + 1;
    let (n, d, wide) = (i128::from(numerator), i128::from(parts), i128::from(t));
    let denominator = 2 * u128::from(numerator) * u128::from(parts) * u128::from(t) * u128::from(t);
    loop {
        let y = discrete_laplace(t, rng);
        // (|y| - v / t)^2 / (2 v), over one denominator. What overflows has a probability below e^-1000.
        let off = y
            .unsigned_abs()
            .checked_mul((d * wide).unsigned_abs())
            .map(|whole| whole.abs_diff(n.unsigned_abs()));
        let Some(square) = off.and_then(|off| off.checked_mul(off)) else { continue };
        if chance_exp(square, denominator, rng) {
            return i64::try_from(y).expect("a discrete Gaussian number of this variance fits");
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use equipoise_core::Seed;

    /// Chi-square of `draws` against `ln_weight` on whole numbers, standardised; cells with fewer than 8 expected are pooled.
    pub(crate) fn standardised_chi_square(draws: &[i64], ln_weight: impl Fn(i64) -> f64, reach: i64) -> f64 {
        let weights: Vec<f64> = (-reach..=reach).map(|y| ln_weight(y).exp()).collect();
        let (total, n) = (weights.iter().sum::<f64>(), draws.len() as f64);
        let mut counts = vec![0.0; weights.len()];
        let mut beyond = 0.0;
        for draw in draws {
            match usize::try_from(draw + reach).ok().and_then(|at| counts.get_mut(at)) {
                Some(count) => *count += 1.0,
                None => beyond += 1.0,
            }
        }
        let (mut chi, mut cells, mut rare, mut expected_rare) = (0.0, 0.0, beyond, 0.0);
        for (count, weight) in counts.iter().zip(&weights) {
            let expected = n * weight / total;
            if expected >= 8.0 {
                chi += (count - expected).powi(2) / expected;
                cells += 1.0;
            } else {
                rare += count;
                expected_rare += expected;
            }
        }
        if expected_rare > 0.5 {
            chi += (rare - expected_rare).powi(2) / expected_rare;
            cells += 1.0;
        }
        (chi - (cells - 1.0)) / f64::sqrt(2.0 * (cells - 1.0_f64))
    }

    /// Fixed seeds; 5 standard deviations of a chi-square false-alarm at less than 1e-4. The last, wrong weights must be found.
    #[test]
    fn the_numbers_have_the_exact_probabilities() {
        for (variance, reach) in [(0.3, 8), (1.0, 12), (6.25, 30), (300.0, 200)] {
            let mut rng = Seed::root(5).derive("variance", f64::to_bits(variance)).rng();
            let draws: Vec<i64> = (0..60_000).map(|_| discrete_gaussian(variance, &mut rng)).collect();
            let right = standardised_chi_square(&draws, |y| -(y * y) as f64 / (2.0 * variance), reach);
            assert!(right.abs() < 5.0, "{variance}: {right}");
            let wrong = standardised_chi_square(&draws, |y| -(y * y) as f64 / (2.2 * variance), reach);
            assert!(wrong > 5.0, "a variance that is 10 % off was not found at {variance}: {wrong}");
        }
    }

    /// 20,000 draws: the standard error of a variance is 1 %.
    #[test]
    fn large_variances_fit_the_arithmetic() {
        for variance in [1e6, 3.7e9, 7e16] {
            let mut rng = Seed::root(6).derive("large", f64::to_bits(variance)).rng();
            let mean_square =
                (0..20_000).map(|_| (discrete_gaussian(variance, &mut rng) as f64).powi(2)).sum::<f64>()
                    / 20_000.0;
            assert!((mean_square / variance - 1.0).abs() < 0.05, "{variance}: {mean_square}");
        }
    }

    #[test]
    fn coins_fall_as_often_as_they_should() {
        let mut rng = Seed::root(7).rng();
        for (numerator, denominator) in [(0_u128, 1_u128), (1, 3), (1, 1), (7, 2)] {
            let want = (-(numerator as f64) / denominator as f64).exp();
            let n = 40_000;
            let heads = (0..n).filter(|_| chance_exp(numerator, denominator, &mut rng)).count() as f64;
            let band = 5.0 * (f64::from(n) * want * (1.0 - want)).sqrt() + 1e-9;
            assert!((heads - f64::from(n) * want).abs() <= band, "{numerator}/{denominator}: {heads}");
        }
    }
}
