//! Short streams of random words for the inside of one account's day.
//!
//! A Philox block costs more than the message that it decides. So an account's day has one Philox address
//! ([`equipoise_core::Seed`]), and what happens inside it draws from SplitMix64 (Steele, Lea and Flood, "Fast splittable
//! pseudorandom number generators", OOPSLA 2014) seeded there: a counter passed through a mixing function, hence still an
//! address and an index and never an order of calls. For simulation only. Two streams of 64-bit state can overlap: with
//! 10^9 streams of 100 words a run has about one shared stretch, which no statistic can see.

use equipoise_core::Seed;

/// The golden ratio's odd 64-bit fraction: the step of the counter.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of SplitMix64.
#[inline]
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A place below one Philox address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Address(u64);

impl Address {
    pub(crate) const fn new(seed: Seed) -> Self {
        Self(mix(seed.fingerprint()))
    }

    /// The place of a stream whose first word is at hand already.
    pub(crate) const fn from_word(word: u64) -> Self {
        Self(mix(word))
    }

    /// The place `index` below this one.
    #[inline]
    pub(crate) const fn at(self, index: u64) -> Self {
        // Another multiplier than the counter's, so that a place below is never a word of the stream above.
        Self(mix(self.0 ^ (index + 1).wrapping_mul(0xD1B5_4A32_D192_ED03)))
    }

    #[inline]
    pub(crate) const fn stream(self) -> Stream {
        Stream(self.0)
    }
}

/// The stream at one [`Address`].
#[derive(Clone, Debug)]
pub(crate) struct Stream(u64);

impl Stream {
    /// 64 random bits.
    #[inline]
    pub(crate) const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// Uniform on `[0, 1)`.
    #[inline]
    #[allow(clippy::cast_precision_loss)]
    pub(crate) const fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    #[inline]
    pub(crate) const fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Uniform on `0..n`, `n` below 2^32 and not 0; the bias is below `n` / 2^32 and needs no division.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) const fn below(&mut self, n: u32) -> u32 {
        (((self.word() >> 32) * n as u64) >> 32) as u32
    }

    /// Geometric on `1, 2, ...` with mean `mean`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn geometric(&mut self, mean: f64) -> u32 {
        let draw = 1.0 - self.uniform();
        if mean <= 1.0 {
            return 1;
        }
        let draws = libm::log(draw) / libm::log(1.0 - 1.0 / mean);
        (libm::floor(draws).min(1e6) as u32).saturating_add(1)
    }

    /// Poisson with mean `mean`, by inversion: for means of at most about 100.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        let target = self.uniform();
        let mut probability = libm::exp(-mean);
        let (mut sum, mut k) = (probability, 0_u32);
        while sum < target && k < 400 {
            k += 1;
            probability *= mean / f64::from(k);
            sum += probability;
        }
        k
    }
}

/// Quantiles of a distribution at the middles of equal shares: a draw costs one look-up. The tails end at the outermost
/// middle: of 4,096 slots at 3.67 standard deviations of a normal.
#[derive(Clone, Debug)]
pub(crate) struct Quantiles(Vec<f32>);

impl Quantiles {
    /// Log-normal with median `median`, log-scale `sigma`, values above `cap` at `cap`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    pub(crate) fn log_normal(slots: usize, median: f64, sigma: f64, cap: f64) -> Self {
        assert!(slots.is_power_of_two(), "a slot is a run of bits");
        let share = |slot: usize| (slot as f64 + 0.5) / slots as f64;
        Self(
            (0..slots)
                .map(|slot| (median * libm::exp(sigma * normal_quantile(share(slot)))).min(cap) as f32)
                .collect(),
        )
    }

    /// Exponential with mean `mean`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    pub(crate) fn exponential(slots: usize, mean: f64) -> Self {
        assert!(slots.is_power_of_two(), "a slot is a run of bits");
        let left = |slot: usize| 1.0 - (slot as f64 + 0.5) / slots as f64;
        Self((0..slots).map(|slot| (-mean * libm::log(left(slot))) as f32).collect())
    }

    /// The value of the slot that the low bits of `bits` name.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn of(&self, bits: u64) -> f64 {
        f64::from(self.0[bits as usize & (self.0.len() - 1)])
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.0
    }
}

/// By bisection; exact to 1e-11.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        let below = 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2);
        if below < p { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the reference implementation (Vigna, `splitmix64.c`) from state 1234567.
    #[test]
    fn the_words_are_those_of_the_published_generator() {
        let mut stream = Stream(1_234_567);
        assert_eq!(stream.word(), 6_457_827_717_110_365_317);
        assert_eq!(stream.word(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn neighbouring_places_draw_unrelated_words() {
        let root = Address::new(Seed::root(3));
        let draws = 20_000_u32;
        let sum: f64 = (0..u64::from(draws))
            .map(|i| (root.at(i).stream().uniform() - 0.5) * (root.at(i + 1).stream().uniform() - 0.5) * 12.0)
            .sum();
        // Standard error of the correlation is 1/sqrt(20,000) = 0.007; five of them.
        assert!((sum / f64::from(draws)).abs() < 0.035);
    }

    #[test]
    fn moments_agree_with_the_formulas() {
        let mut stream = Address::new(Seed::root(4)).stream();
        let mean = |draw: &mut dyn FnMut(&mut Stream) -> f64, stream: &mut Stream| {
            (0..100_000).map(|_| draw(stream)).sum::<f64>() / 100_000.0
        };
        // Five standard errors each.
        assert!((mean(&mut |s| f64::from(s.poisson(2.5)), &mut stream) - 2.5).abs() < 0.025);
        assert!((mean(&mut |s| f64::from(s.geometric(8.0)), &mut stream) - 8.0).abs() < 0.12);
        assert!((mean(&mut |s| f64::from(s.below(11)), &mut stream) - 5.0).abs() < 0.05);
        let table = Quantiles::exponential(1_024, 3.0);
        assert!((mean(&mut |s| table.of(s.word()), &mut stream) - 3.0).abs() < 0.05);
    }

    #[test]
    fn the_table_has_the_median_and_the_log_scale_of_the_file() {
        let table = Quantiles::log_normal(1_024, 45.0, 1.3, 1_800.0);
        assert!((table.values()[511] - 45.0).abs() < 0.2);
        // One standard deviation up: share 0.8413 of 1,024 is slot 861.
        assert!((f64::from(table.values()[861]).ln() - 45.0_f64.ln() - 1.3).abs() < 0.01);
    }
}
