//! What kind of tail do whole numbers (degrees, train sizes) have?
//!
//! Follows Clauset, Shalizi and Newman, "Power-law distributions in empirical data", SIAM Review 51 (2009): the tail
//! begins where a discrete power law fits best by the Kolmogorov-Smirnov distance; rivals are fitted to the same tail by
//! maximum likelihood and compared by Vuong's (1989) normalised likelihood ratio, or by the chi-squared ratio test where
//! one model contains the other.
//!
//! Approximated: at most 60 starts are tried; the log-normal is a rounded continuous one; there is no bootstrap of the
//! goodness of fit, so that the tests say which of the three is *better*, never that one is right.

mod cutoff;
mod log_normal;
mod power_law;
mod sample;
mod search;

pub use cutoff::Cutoff;
pub use log_normal::LogNormal;
pub use power_law::PowerLaw;

use sample::{Histogram, Sample};
use serde::Serialize;

/// A distribution over whole numbers from a smallest one on.
trait Model {
    /// Log-probability of `x`, at least the smallest number.
    fn ln_p(&self, x: f64) -> f64;

    fn likelihood(&self, sample: &Sample<'_>) -> f64 {
        sample.points.iter().map(|&(x, count)| count * self.ln_p(x)).sum()
    }
}

/// A likelihood-ratio test of two models.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ratio {
    /// Sum of the log-likelihood ratios: positive if the first model is the more likely one.
    pub log_ratio: f64,
    /// The sum over its standard error; 0 for nested models, whose sum is not normal.
    pub z: f64,
    /// Probability of so large a ratio, in either direction, if both were equally good.
    pub p: f64,
}

impl Ratio {
    /// Level below which Clauset et al. let the sign of a ratio count.
    pub const LEVEL: f64 = 0.1;

    fn counts(&self) -> bool {
        self.p < Self::LEVEL
    }

    /// Vuong's test of models that do not contain each other.
    fn vuong(a: &dyn Model, b: &dyn Model, sample: &Sample<'_>) -> Self {
        let ratio = |x: f64| a.ln_p(x) - b.ln_p(x);
        let log_ratio: f64 = sample.points.iter().map(|&(x, count)| count * ratio(x)).sum();
        let mean = log_ratio / sample.n;
        let squares: f64 =
            sample.points.iter().map(|&(x, count)| count * (ratio(x) - mean) * (ratio(x) - mean)).sum();
        if squares <= 1e-12 {
            return Self { log_ratio, z: 0.0, p: 1.0 };
        }
        // Sum over sigma sqrt(n), with sigma^2 = squares / n.
        let z = log_ratio / libm::sqrt(squares);
        Self { log_ratio, z, p: libm::erfc(z.abs() / std::f64::consts::SQRT_2) }
    }

    /// Twice the gain of one more parameter is chi-squared with one degree of freedom.
    fn nested(smaller: &dyn Model, larger: &dyn Model, sample: &Sample<'_>) -> Self {
        let log_ratio = (smaller.likelihood(sample) - larger.likelihood(sample)).min(0.0);
        Self { log_ratio, z: 0.0, p: libm::erfc(libm::sqrt(-log_ratio)) }
    }
}

/// What the tests say together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TailShape {
    /// The power law beats the log-normal, and a cut-off adds nothing.
    PowerLaw,
    /// A power law is not rejected, but not preferred either.
    Undecided,
    /// Not a pure power law; log-normal and cut-off cannot be told apart.
    NotPowerLaw,
    /// Not a pure power law; the log-normal is best.
    LogNormal,
    /// Not a pure power law; the power law with exponential cut-off is best.
    Cutoff,
}

impl TailShape {
    /// Whether a pure power law is rejected.
    #[must_use]
    pub const fn rejects_power_law(self) -> bool {
        !matches!(self, Self::PowerLaw | Self::Undecided)
    }
}

/// Three models of one tail and what decides between them.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TailReport {
    /// Smallest value of the tail.
    pub xmin: u64,
    /// Values in the tail.
    pub values: usize,
    /// Their share of all values.
    pub share: f64,
    /// Kolmogorov-Smirnov distance of the power law.
    pub ks: f64,
    /// The fitted power law.
    pub power_law: PowerLaw,
    /// The fitted power law with exponential cut-off.
    pub cutoff: Cutoff,
    /// The fitted log-normal.
    pub log_normal: LogNormal,
    /// Power law against log-normal.
    pub power_law_or_log_normal: Ratio,
    /// Power law against power law with cut-off (nested).
    pub power_law_or_cutoff: Ratio,
    /// Power law with cut-off against log-normal.
    pub cutoff_or_log_normal: Ratio,
    /// The verdict of the three ratios at [`Ratio::LEVEL`].
    pub shape: TailShape,
}

impl TailReport {
    /// Fewest values of a tail that is fitted.
    pub const LEAST: usize = 50;

    /// Finds the tail of `values` (zeros are left out) and fits it; `None` with fewer than [`TailReport::LEAST`] values or
    /// three different ones beyond any start.
    #[must_use]
    pub fn of(values: &[u64]) -> Option<Self> {
        let histogram = Histogram::of(values);
        let (sample, _) = histogram
            .starts(Self::LEAST, 60)
            .map(|sample| {
                let ks = PowerLaw::fit(&sample).ks(&sample);
                (sample, ks)
            })
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Self::fit(&sample, histogram.n))
    }

    /// Fits the values from `xmin` on, for instance from 1 to describe a whole distribution; `None` as in
    /// [`TailReport::of`].
    #[must_use]
    pub fn from_start(values: &[u64], xmin: u64) -> Option<Self> {
        let histogram = Histogram::of(values);
        let sample = histogram.from(xmin.max(1), Self::LEAST)?;
        Some(Self::fit(&sample, histogram.n))
    }

    /// Vuong's normalised ratio, positive if the log-normal is the better of the two; `None` if nothing tells them apart.
    #[must_use]
    pub fn log_normal_over_power_law(&self) -> Option<f64> {
        let ratio = self.power_law_or_log_normal;
        (ratio.p < 1.0).then_some(-ratio.z)
    }

    fn fit(sample: &Sample<'_>, all: f64) -> Self {
        let power_law = PowerLaw::fit(sample);
        let cutoff = Cutoff::fit(sample, &power_law);
        let log_normal = LogNormal::fit(sample);
        let power_law_or_log_normal = Ratio::vuong(&power_law, &log_normal, sample);
        let power_law_or_cutoff = Ratio::nested(&power_law, &cutoff, sample);
        let cutoff_or_log_normal = Ratio::vuong(&cutoff, &log_normal, sample);
        let beaten = power_law_or_log_normal.counts() && power_law_or_log_normal.z < 0.0;
        let shape = if beaten || power_law_or_cutoff.counts() {
            match (cutoff_or_log_normal.counts(), cutoff_or_log_normal.z > 0.0) {
                (false, _) => TailShape::NotPowerLaw,
                (true, true) => TailShape::Cutoff,
                (true, false) => TailShape::LogNormal,
            }
        } else if power_law_or_log_normal.counts() {
            TailShape::PowerLaw
        } else {
            TailShape::Undecided
        };
        Self {
            xmin: sample.xmin as u64,
            values: sample.n as usize,
            share: sample.n / all,
            ks: power_law.ks(sample),
            power_law,
            cutoff,
            log_normal,
            power_law_or_log_normal,
            power_law_or_cutoff,
            cutoff_or_log_normal,
            shape,
        }
    }
}

#[cfg(test)]
mod tests;
