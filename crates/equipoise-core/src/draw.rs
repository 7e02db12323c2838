//! Distributions on top of [`CounterRng`], with transcendental functions from `libm` so that every machine draws the
//! same bytes. (`rand_distr` uses the platform's functions once any crate switches `num-traits/std` on.)

use crate::CounterRng;
use rand::rand_core::Rng;

/// Draws from the distributions that the world and the mechanisms use.
pub trait Draw: Rng {
    /// Uniform on `[0, 1)`, 53 bits.
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform on `(0, 1]`: safe under a logarithm.
    #[inline]
    fn uniform_open(&mut self) -> f64 {
        1.0 - self.uniform()
    }

    /// True with probability `p`. Draws even when `p` is 0 or 1, so that streams stay aligned.
    #[inline]
    fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Uniform on `0..n` (Lemire's multiply-shift; the bias, below n / 2^64, is far under what any run can resolve).
    ///
    /// # Panics
    /// If `n` is 0.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "a draw from nothing");
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// Standard normal (Box-Muller, one of the pair: an address is cheap, state is not).
    #[inline]
    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform_open()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Log-normal with median `median` and log-scale `sigma`.
    #[inline]
    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal())
    }

    /// Exponential with mean `mean`.
    #[inline]
    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(self.uniform_open())
    }

    /// Geometric on `1, 2, ...` with mean `mean >= 1`.
    #[inline]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn geometric(&mut self, mean: f64) -> u32 {
        if mean <= 1.0 {
            self.uniform();
            return 1;
        }
        let draws = libm::log(self.uniform_open()) / libm::log(1.0 - 1.0 / mean);
        (libm::floor(draws).min(1e6) as u32).saturating_add(1)
    }

    /// Poisson with mean `mean`: inversion up to 30, a rounded normal above (relative error of the tails is stated in
    /// the test).
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn poisson(&mut self, mean: f64) -> u32 {
        if mean <= 0.0 {
            return 0;
        }
        if mean > 30.0 {
            return libm::floor((mean + libm::sqrt(mean) * self.normal() + 0.5).clamp(0.0, 4e9)) as u32;
        }
        let target = self.uniform();
        // The exponential is at least this cubic (its series alternates), so most zeros need none: `target` is not above it.
        if target < 1.0 - mean * (1.0 - mean * (0.5 - mean / 6.0)) - 1e-12 {
            return 0;
        }
        let mut probability = libm::exp(-mean);
        let (mut sum, mut k) = (probability, 0_u32);
        while sum < target && k < 200 {
            k += 1;
            probability *= mean / f64::from(k);
            sum += probability;
        }
        k
    }

    /// Gamma with shape `shape` and scale 1 (Marsaglia and Tsang, 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(self.uniform_open(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let v = 1.0 + c * x;
            if v > 0.0 {
                let v = v * v * v;
                let u = self.uniform_open();
                if libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                    return d * v;
                }
            }
        }
    }

    /// Beta with parameters `a`, `b`.
    fn beta(&mut self, a: f64, b: f64) -> f64 {
        let x = self.gamma(a);
        let y = self.gamma(b);
        x / (x + y)
    }

    /// The index of one of `weights`, drawn in proportion to them.
    ///
    /// # Panics
    /// If there are none.
    fn weighted(&mut self, weights: &[f64]) -> usize {
        assert!(!weights.is_empty(), "a draw from nothing");
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len() - 1
    }

    /// Puts `items` into a random order (Fisher-Yates).
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

impl Draw for CounterRng {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn moments(mut draw: impl FnMut(&mut CounterRng) -> f64) -> (f64, f64) {
        let n = 200_000;
        let mut rng = Seed::root(3).derive("moments", 0).rng();
        let draws: Vec<f64> = (0..n).map(|_| draw(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n);
        (mean, variance)
    }

    fn close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "got {got}, want {want} within {tolerance}");
    }

    // With 200,000 draws each tolerance is at least five standard errors of the moment.
    #[test]
    fn moments_agree_with_the_formulas() {
        let (mean, variance) = moments(|r| r.normal());
        close(mean, 0.0, 0.012);
        close(variance, 1.0, 0.017);
        let (mean, variance) = moments(|r| r.exponential(2.0));
        close(mean, 2.0, 0.023);
        close(variance, 4.0, 0.13);
        for lambda in [0.3, 4.0, 80.0] {
            let (mean, variance) = moments(|r| f64::from(r.poisson(lambda)));
            close(mean, lambda, 0.012 * (1.0 + lambda.sqrt()));
            close(variance, lambda, 0.03 * (1.0 + lambda));
        }
        let (mean, _) = moments(|r| f64::from(r.geometric(8.0)));
        close(mean, 8.0, 0.09);
        let (mean, variance) = moments(|r| r.beta(2.0, 5.0));
        close(mean, 2.0 / 7.0, 0.002);
        close(variance, 10.0 / (49.0 * 8.0), 0.001);
        let (mean, variance) = moments(|r| r.gamma(0.5));
        close(mean, 0.5, 0.008);
        close(variance, 0.5, 0.03);
    }

    #[test]
    fn weighted_draws_follow_the_weights() {
        let (mean, _) = moments(|r| f64::from(u8::from(r.weighted(&[1.0, 3.0]) == 1)));
        close(mean, 0.75, 0.005);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Seed::root(5).rng().shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
