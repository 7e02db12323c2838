//! Where a federation's noise is made: on the opened sum, or on every platform before its update is sealed.

use super::{AggregationSpec, Experiment};
use equipoise_encrypted::SchemeSpec;
use equipoise_privacy::IntegerNoise;
use serde::{Deserialize, Serialize};

/// Where and how noise comes into a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NoiseSpec {
    /// Gaussian noise on the opened sum, amplified by sampling: against a recipient of the released model.
    CentralGaussian {},
    /// Gaussian noise in every local step of every platform, each with the whole deviation: whatever the aggregator sends, and with any
    /// aggregation. A platform takes `steps` clipped and noised steps a round at the tuned rate and sends where they led; the server is
    /// the federation's own.
    LocalGaussian {
        /// Noised steps a round, all of which are charged.
        steps: u32,
    },
    /// Discrete Gaussian shares, added as integers by every platform before sealing: against the aggregator too. Calibrated to the
    /// `minimum` of a cohort less those that collude; no amplification by sampling is claimed.
    DistributedDiscreteGaussian {
        /// Platforms that may work with the aggregator, each of which knows its own share.
        colluding: u32,
    },
    /// The same with Skellam shares, whose sums are exactly Skellam.
    DistributedSkellam {
        /// Platforms that may work with the aggregator, each of which knows its own share.
        colluding: u32,
    },
}

impl NoiseSpec {
    /// One of each, for tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::CentralGaussian {},
            Self::LocalGaussian { steps: 4 },
            Self::DistributedDiscreteGaussian { colluding: 1 },
            Self::DistributedSkellam { colluding: 0 },
        ]
    }

    /// What platforms add and how many of them may collude; nothing where noise comes to the opened sum.
    #[must_use]
    pub const fn on_platforms(self) -> Option<(IntegerNoise, u32)> {
        match self {
            Self::CentralGaussian {} | Self::LocalGaussian { .. } => None,
            Self::DistributedDiscreteGaussian { colluding } => {
                Some((IntegerNoise::DiscreteGaussian, colluding))
            }
            Self::DistributedSkellam { colluding } => Some((IntegerNoise::Skellam, colluding)),
        }
    }

    /// Noised steps that a platform takes by itself in a round; nothing where it sends sums.
    #[must_use]
    pub const fn in_local_steps(self) -> Option<u32> {
        match self {
            Self::LocalGaussian { steps } => Some(steps),
            _ => None,
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::CentralGaussian {} => {
                "adds Gaussian noise to the opened sum; what is meant where nothing is said"
            }
            Self::LocalGaussian { .. } => {
                "every platform takes several steps a round by itself, each with the whole noise"
            }
            Self::DistributedDiscreteGaussian { .. } => {
                "every platform adds discrete Gaussian integers before sealing"
            }
            Self::DistributedSkellam { .. } => "every platform adds Skellam integers before sealing",
        }
    }
}

/// Platforms that may work with the server before it reads single updates under a scheme; nothing where it reads them alone.
fn colluders(scheme: &SchemeSpec) -> Option<u32> {
    match scheme {
        SchemeSpec::Plain {} => None,
        SchemeSpec::SharedKeyGlwe {} => Some(0),
        SchemeSpec::PairwiseMasking { threshold } => Some(threshold.max(&2) - 1),
        // Those who open are not platforms.
        _ => Some(u32::MAX),
    }
}

/// What voids noise that platforms add.
///
/// # Errors
/// Why, beginning with the key that mends it.
pub(super) fn check(e: &Experiment) -> Result<(), String> {
    if e.privacy.epsilon.is_finite() && e.privacy.noise.and_then(NoiseSpec::in_local_steps) == Some(0) {
        return Err("steps: a platform that takes no local step sends nothing; at least 1".into());
    }
    let Some((_, colluding)) = e.privacy.noise.and_then(NoiseSpec::on_platforms) else { return Ok(()) };
    if !e.privacy.epsilon.is_finite() {
        return Ok(());
    }
    let AggregationSpec::Hidden(scheme) = &e.aggregation else {
        return Err("noise: a share is sized for a sum, and a visible rule reads every update with its own share alone; use a hidden sum"
            .into());
    };
    if colluders(scheme).is_some_and(|most| colluding > most) {
        return Err(format!(
            "colluding: under `{}` the server and {colluding} platforms read every update, so that no share but a platform's own hides it; \
             choose another scheme or tolerate fewer",
            scheme.build().name()
        ));
    }
    let minimum = e.federation.cohort.minimum;
    if colluding >= minimum {
        return Err(format!(
            "colluding: of {minimum} platforms of a round {colluding} may collude, so that nobody is certain to add noise"
        ));
    }
    if e.federation.cohort.faults.is_some_and(|faults| faults.byzantine.get() > 0.0) {
        return Err(
            "byzantine: such platforms leave their share out; count them as `colluding` instead".into()
        );
    }
    Ok(())
}
