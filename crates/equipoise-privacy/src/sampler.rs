//! Poisson sampling: each unit takes part in a step independently, with the same public probability.
//!
//! The batch has a random size and is never padded, truncated or shuffled into shape: fixed-size shuffled batches with
//! Poisson accounting are not private as claimed (Chua et al., arXiv 2403.17673). Which units took part must stay secret;
//! the stream here is replayable, hence for simulation.

use equipoise_core::{Draw, Fraction, Seed};

/// Draws batches.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PoissonSampler {
    rate: Fraction,
}

impl PoissonSampler {
    /// A sampler at `rate`.
    #[must_use]
    pub const fn new(rate: Fraction) -> Self {
        Self { rate }
    }

    /// The probability that a unit takes part.
    #[must_use]
    pub const fn rate(&self) -> Fraction {
        self.rate
    }

    /// The expected size of a batch: the fixed public divisor of a sum (the realised size is private).
    #[must_use]
    pub fn expected(&self, units: u32) -> f64 {
        self.rate.get() * f64::from(units)
    }

    /// The units of `0..units` that take part, in ascending order; possibly none, possibly all. `seed` addresses one step
    /// of one platform.
    ///
    /// One stream skips geometrically from one chosen unit to the next, which costs the batch and not the population and
    /// is the same as tossing a coin for each unit. Whether unit `i` takes part does not depend on `units`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a skip is cut to u32 first")]
    pub fn sample(&self, units: u32, seed: Seed) -> Vec<u32> {
        let rate = self.rate.get();
        if rate <= 0.0 {
            return Vec::new();
        }
        if rate >= 1.0 {
            return (0..units).collect();
        }
        let mut rng = seed.derive("poisson-sample", 0).rng();
        let ln_stay_out = libm::log1p(-rate);
        let mut chosen = Vec::new();
        let mut next = 0_u64;
        loop {
            let skip = libm::floor(libm::log(rng.uniform_open()) / ln_stay_out);
            next += skip.min(f64::from(u32::MAX)) as u64;
            if next >= u64::from(units) {
                return chosen;
            }
            chosen.push(next as u32);
            next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(rate: f64) -> PoissonSampler {
        PoissonSampler::new(Fraction::new(rate).unwrap())
    }

    #[test]
    fn nobody_and_everybody_are_exact() {
        let seed = Seed::root(1);
        assert!(sampler(0.0).sample(100, seed).is_empty());
        assert_eq!(sampler(1.0).sample(5, seed), [0, 1, 2, 3, 4]);
        assert!(sampler(0.5).sample(0, seed).is_empty());
    }

    #[test]
    fn a_larger_population_does_not_change_who_was_chosen_before() {
        let (few, many) = (sampler(0.1).sample(500, Seed::root(2)), sampler(0.1).sample(1000, Seed::root(2)));
        assert_eq!(few[..], many[..few.len()]);
        assert!(many[few.len()..].iter().all(|&unit| unit >= 500));
    }

    /// Chi-square of batch sizes against the binomial and of inclusions per unit. Each statistic is standardised; 5
    /// standard deviations false-alarm at less than 1e-4 (the statistics are slightly skewed).
    #[test]
    fn batches_are_binomial_and_every_unit_is_equally_likely() {
        for (rate, units) in [(0.05, 20_u32), (0.5, 10), (0.9, 15)] {
            let draws = 20_000;
            let mut sizes = vec![0_u32; units as usize + 1];
            let mut inclusions = vec![0_u32; units as usize];
            let mut neighbours = 0_u32;
            for draw in 0..draws {
                let batch = sampler(rate).sample(units, Seed::root(3).derive("draw", draw));
                sizes[batch.len()] += 1;
                batch.iter().for_each(|&unit| inclusions[unit as usize] += 1);
                neighbours += u32::from(batch.contains(&3) && batch.contains(&4));
            }
            let n = draws as f64;
            let (mut chi, mut cells) = (0.0, 0.0);
            let mut probability = (1.0 - rate).powi(units as i32);
            for (k, &count) in sizes.iter().enumerate() {
                let expected = n * probability;
                if expected >= 5.0 {
                    chi += (f64::from(count) - expected).powi(2) / expected;
                    cells += 1.0;
                }
                probability *= (f64::from(units) - k as f64) / (k as f64 + 1.0) * rate / (1.0 - rate);
            }
            assert!((chi - cells) / f64::sqrt(2.0 * cells) < 5.0, "sizes at {rate}: {chi} over {cells}");
            let spread = n * rate * (1.0 - rate);
            let chi: f64 = inclusions.iter().map(|&c| (f64::from(c) - n * rate).powi(2) / spread).sum();
            assert!(
                (chi - f64::from(units)) / f64::sqrt(2.0 * f64::from(units)) < 5.0,
                "units at {rate}: {chi}"
            );
            let both = rate * rate;
            assert!(
                (f64::from(neighbours) - n * both).abs() < 5.0 * (n * both * (1.0 - both)).sqrt(),
                "pairs at {rate}"
            );
        }
    }
}
