//! What a release did, in the accountant's words.
//!
//! As in dp_accounting's `DpEvent` and JAX-Privacy's execution plan, an event is *derived* from the struct that runs the
//! mechanism, so that what is accounted is what ran.

use crate::DiscreteSum;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// One release, or a composition of releases.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum DpEvent {
    /// Something was released **without** noise: no guarantee, epsilon is infinite. (Releasing nothing at all is
    /// `Repeat` with 0 steps.)
    None,
    /// A Gaussian sum over a Poisson sample. A sampling rate of 1 is the plain Gaussian mechanism.
    PoissonGaussian {
        /// Probability that a unit takes part in the step, independently of all others.
        sampling_rate: f64,
        /// Standard deviation of the noise over the L2 sensitivity.
        noise_multiplier: f64,
    },
    /// The same, for a unit that touches up to `rows` rows, each sampled by itself.
    PoissonGaussianRows {
        /// Probability that a row takes part in the step, independently of all others.
        sampling_rate: f64,
        /// Standard deviation of the noise over what one row can move.
        noise_multiplier: f64,
        /// The bound on the rows of one unit.
        rows: NonZeroU32,
    },
    /// A sum with integer noise from several platforms. No amplification by sampling is claimed for it.
    DiscreteSum(DiscreteSum),
    /// Anything that is rho-zero-concentrated differentially private.
    ZeroConcentrated {
        /// The rho.
        rho: f64,
    },
    /// The same event several times, each on fresh randomness.
    Repeat {
        /// What is repeated.
        event: Box<DpEvent>,
        /// How often.
        steps: u32,
    },
    /// Several events on the same data, each possibly chosen after the ones before it were seen.
    Compose(Vec<DpEvent>),
}

impl DpEvent {
    /// This event, `steps` times.
    #[must_use]
    pub fn repeated(self, steps: u32) -> Self {
        Self::Repeat { event: Box::new(self), steps }
    }

    /// Calls `visit` with every elementary event and how often it happened.
    pub fn for_each(&self, times: u64, visit: &mut dyn FnMut(&Self, u64)) {
        match self {
            _ if times == 0 => {}
            Self::None
            | Self::PoissonGaussian { .. }
            | Self::PoissonGaussianRows { .. }
            | Self::DiscreteSum(_)
            | Self::ZeroConcentrated { .. } => visit(self, times),
            Self::Repeat { event, steps } => event.for_each(times.saturating_mul(u64::from(*steps)), visit),
            Self::Compose(events) => events.iter().for_each(|event| event.for_each(times, visit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_repeats_multiply_and_zero_steps_are_nothing() {
        let step = DpEvent::PoissonGaussian { sampling_rate: 0.1, noise_multiplier: 1.0 };
        let plan =
            DpEvent::Compose(vec![step.clone().repeated(3).repeated(4), DpEvent::None.repeated(0), step]);
        let mut counts = Vec::new();
        plan.for_each(2, &mut |event, times| counts.push((event == &DpEvent::None, times)));
        assert_eq!(counts, [(false, 24), (false, 2)]);
    }
}
