//! No noise: the control arm. It claims nothing.

use super::Mechanism;
use crate::{DpEvent, NoiseError, NoiseSource, PrivacyClaim, PrivacyUnit};
use serde::{Deserialize, Serialize};

/// The empty table of an experiment file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NoNoiseSpec {}

impl NoNoiseSpec {
    /// The mechanism.
    #[must_use]
    pub const fn build(self) -> NoNoise {
        NoNoise
    }
}

/// Leaves the sum as it is.
#[derive(Clone, Copy, Debug)]
pub struct NoNoise;

impl Mechanism for NoNoise {
    fn name(&self) -> &'static str {
        "no-noise"
    }

    fn event(&self) -> DpEvent {
        DpEvent::None
    }

    fn on_server_with(&self, _: &mut [f64], _: f64, _: NoiseSource) -> Result<(), NoiseError> {
        Ok(())
    }

    fn claim(&self, _: PrivacyUnit, _: u32) -> Option<PrivacyClaim> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RdpAccountant;
    use equipoise_core::{Delta, Seed};

    #[test]
    fn the_sum_stays_and_its_epsilon_is_infinite() {
        let mut sum = [1.0, -2.5];
        NoNoise.on_server(&mut sum, 1.0, Seed::root(1));
        assert_eq!(sum.map(f64::to_bits), [1.0, -2.5].map(f64::to_bits));
        assert!(NoNoise.claim(PrivacyUnit::Row, 1).is_none());
        let mut accountant = RdpAccountant::new();
        accountant.compose(&NoNoise.event(), 1);
        assert!(accountant.epsilon(Delta::new(1e-5).unwrap()).epsilon.is_infinite());
    }
}
