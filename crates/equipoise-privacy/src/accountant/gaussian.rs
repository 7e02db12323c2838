//! The Gaussian mechanism exactly (Balle and Wang, arXiv 1805.06530):
//! `delta = Phi(1/2s - e s) - e^e Phi(-1/2s - e s)` for noise multiplier `s` and epsilon `e`.
//!
//! T releases with the whole data set compose to one of noise multiplier `s / sqrt(T)`. Both inversions return the safe
//! side of their last bracket.

use equipoise_core::{Delta, Epsilon, NoiseMultiplier};

/// Halvings of a bracket: enough to reach the resolution of `f64`.
const HALVINGS: u32 = 200;

/// `ln Phi(x)`, accurate in both tails.
#[must_use]
pub fn log_normal_cdf(x: f64) -> f64 {
    let scaled = x * std::f64::consts::FRAC_1_SQRT_2;
    if x > 0.0 {
        libm::log1p(-0.5 * libm::erfc(scaled))
    } else if x > -35.0 {
        libm::log(0.5 * libm::erfc(-scaled))
    } else {
        // Mills' ratio, asymptotic; the next term is below 1e-10 here.
        let y = 1.0 / (x * x);
        let series = -y * (1.0 - y * (3.0 - y * (15.0 - 105.0 * y)));
        -0.5 * x * x - libm::log(-x) - 0.5 * libm::log(std::f64::consts::TAU) + libm::log1p(series)
    }
}

/// `ln delta` at `epsilon`.
fn ln_delta(sigma: f64, epsilon: f64) -> f64 {
    let above = log_normal_cdf(0.5 / sigma - epsilon * sigma);
    let below = epsilon + log_normal_cdf(-0.5 / sigma - epsilon * sigma);
    above + libm::log1p(-libm::exp((below - above).min(0.0)))
}

/// The exact delta of one Gaussian release at `epsilon`.
#[must_use]
pub fn gaussian_delta(noise_multiplier: NoiseMultiplier, epsilon: f64) -> f64 {
    libm::exp(ln_delta(noise_multiplier.get(), epsilon))
}

/// The exact epsilon of one Gaussian release at `delta`; 0 if `delta` covers everything.
#[must_use]
pub fn gaussian_epsilon(noise_multiplier: NoiseMultiplier, delta: Delta) -> f64 {
    let (sigma, target) = (noise_multiplier.get(), libm::log(delta.get()));
    if ln_delta(sigma, 0.0) <= target {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while ln_delta(sigma, high) > target {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if ln_delta(sigma, middle) > target { low = middle } else { high = middle }
    }
    high
}

/// The smallest noise multiplier whose one Gaussian release is within (`epsilon`, `delta`); 0 noise is not representable,
/// so an infinite epsilon gives the smallest multiplier tried, 2^-60.
#[must_use]
pub fn gaussian_noise_multiplier(epsilon: Epsilon, delta: Delta) -> NoiseMultiplier {
    let (epsilon, target) = (epsilon.get(), libm::log(delta.get()));
    let (mut low, mut high) = (-60.0, 60.0);
    if epsilon.is_infinite() {
        high = low;
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if ln_delta(libm::exp2(middle), epsilon) > target { low = middle } else { high = middle }
    }
    NoiseMultiplier::new(libm::exp2(high)).expect("a power of two in range is a noise multiplier")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_the_normal_distribution_is_right_in_both_tails() {
        // Reference values: scipy.special.log_ndtr.
        for (x, want) in [
            (0.0, -std::f64::consts::LN_2),
            (-1.0, -1.841_021_645_009_263_7),
            (-10.0, -53.231_285_150_512_47),
            (-40.0, -804.608_442_013_753_8),
            (5.0, -2.866_516_129_637_636e-7),
        ] {
            let got = log_normal_cdf(x);
            assert!((got / want - 1.0).abs() < 1e-10, "{x}: {got} {want}");
        }
    }

    #[test]
    fn the_two_branches_of_the_tail_meet() {
        assert!((log_normal_cdf(-35.0 + 1e-9) - log_normal_cdf(-35.0 - 1e-9)).abs() < 1e-6);
    }

    #[test]
    fn both_inversions_land_on_the_safe_side() {
        for sigma in [0.4, 1.0, 7.0, 60.0] {
            for delta in [1e-3, 1e-6, 1e-9] {
                let (sigma, delta) = (NoiseMultiplier::new(sigma).unwrap(), Delta::new(delta).unwrap());
                let epsilon = gaussian_epsilon(sigma, delta);
                assert!(gaussian_delta(sigma, epsilon) <= delta.get() * (1.0 + 1e-12));
                if epsilon > 0.0 {
                    let back = gaussian_noise_multiplier(Epsilon::new(epsilon).unwrap(), delta);
                    assert!((back.get() / sigma.get() - 1.0).abs() < 1e-9, "{sigma} {delta}");
                }
            }
        }
    }
}
