//! Where noise comes from, and Gaussian noise on a sum.
//!
//! The Gaussian is idealised: `f64` by Box-Muller. Its last bits are open to precision attacks (Mironov 2012; Haney et
//! al., arXiv 2207.13793); the hardened path is discrete noise on the integer grid.

use equipoise_core::{CounterRng, Seed};
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};
use std::convert::Infallible;

/// The source of a mechanism's noise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoiseSource {
    /// Simulation mode: a redone round draws the *same* noise (a second draw would be a second release). Whoever knows the
    /// seed can subtract the noise, so this protects no real data.
    Replayable(Seed),
    /// A cryptographic generator (ChaCha12) keyed by the operating system. A run that uses it is not byte-reproducible,
    /// and a redone round must reuse the stored noised sum.
    Protected,
}

/// The operating system gave no entropy.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no entropy for protected noise")]
pub struct NoiseError(#[source] rand::rngs::SysError);

impl NoiseSource {
    /// Whether a run that draws from it can be repeated byte for byte.
    #[must_use]
    pub const fn is_reproducible(&self) -> bool {
        matches!(self, Self::Replayable(_))
    }

    /// Adds independent `N(0, standard_deviation^2)` to every coordinate of `sum`.
    ///
    /// # Errors
    /// If the source is [`NoiseSource::Protected`] and the operating system gives no entropy; `sum` is then untouched.
    pub fn add_gaussian(&self, sum: &mut [f64], standard_deviation: f64) -> Result<(), NoiseError> {
        add_gaussian(sum, standard_deviation, &mut self.rng("gaussian")?);
        Ok(())
    }

    /// A generator for one purpose.
    pub(crate) fn rng(&self, purpose: &'static str) -> Result<NoiseRng, NoiseError> {
        Ok(match self {
            Self::Replayable(seed) => NoiseRng::Replayable(seed.derive(purpose, 0).rng()),
            Self::Protected => {
                NoiseRng::Protected(Box::new(StdRng::try_from_rng(&mut SysRng).map_err(NoiseError)?))
            }
        })
    }
}

/// What a source draws from.
pub(crate) enum NoiseRng {
    Replayable(CounterRng),
    Protected(Box<StdRng>),
}

impl TryRng for NoiseRng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(match self {
            Self::Replayable(rng) => rng.next_u32(),
            Self::Protected(rng) => rng.next_u32(),
        })
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(match self {
            Self::Replayable(rng) => rng.next_u64(),
            Self::Protected(rng) => rng.next_u64(),
        })
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        match self {
            Self::Replayable(rng) => rng.fill_bytes(bytes),
            Self::Protected(rng) => rng.fill_bytes(bytes),
        }
        Ok(())
    }
}

/// Box-Muller, both of the pair.
fn add_gaussian(sum: &mut [f64], standard_deviation: f64, rng: &mut impl Rng) {
    for pair in sum.chunks_mut(2) {
        let radius = standard_deviation * libm::sqrt(-2.0 * libm::log(1.0 - uniform(rng)));
        let (sine, cosine) = libm::sincos(std::f64::consts::TAU * uniform(rng));
        pair.iter_mut().zip([cosine, sine]).for_each(|(value, direction)| *value += radius * direction);
    }
}

/// Uniform on `[0, 1)`, 53 bits.
#[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(source: NoiseSource, n: usize) -> (f64, f64, f64) {
        let mut noise = vec![0.0; n];
        source.add_gaussian(&mut noise, 2.0).unwrap();
        let mean = noise.iter().sum::<f64>() / n as f64;
        let second = noise.iter().map(|x| x * x).sum::<f64>() / n as f64;
        let beyond = noise.iter().filter(|x| x.abs() > 4.0).count() as f64 / n as f64;
        (mean, second, beyond)
    }

    /// 200,000 draws: standard errors 0.0045, 0.0126 and 0.00047; the bands are five of them (false alarm 6e-7 each).
    #[test]
    fn both_sources_are_normal_with_the_stated_deviation() {
        for source in [NoiseSource::Replayable(Seed::root(9)), NoiseSource::Protected] {
            let (mean, second, beyond) = moments(source, 200_000);
            assert!(mean.abs() < 0.0225 && (second - 4.0).abs() < 0.064 && (beyond - 0.0455).abs() < 0.0024);
        }
    }

    #[test]
    fn only_the_replayable_source_replays() {
        let draw = |source: NoiseSource| {
            let mut noise = vec![0.0; 3];
            source.add_gaussian(&mut noise, 1.0).unwrap();
            noise
        };
        let replayable = NoiseSource::Replayable(Seed::root(1));
        assert_eq!(draw(replayable), draw(replayable));
        assert_ne!(draw(NoiseSource::Protected), draw(NoiseSource::Protected));
        assert!(replayable.is_reproducible() && !NoiseSource::Protected.is_reproducible());
    }
}
