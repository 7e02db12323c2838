//! The flipped sign (for instance Li, Xu, Chen, Giannakis, Ling, "RSA", AAAI 2019). It keeps the norm, so no clip sees it.

use super::Poison;
use equipoise_core::Seed;
use equipoise_privacy::{OutgoingUpdate, Quantizer};
use serde::{Deserialize, Serialize};

/// Turns the update round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignFlip {}

impl Poison for SignFlip {
    fn name(&self) -> &'static str {
        "sign-flip"
    }

    fn tamper(&self, honest: OutgoingUpdate, _grid: &Quantizer, _seed: Seed) -> OutgoingUpdate {
        let turned = honest.values().iter().map(|value| -value).collect();
        honest.tampered(turned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_federated::laws::{outgoing_integers, unit_quantizer};

    #[test]
    fn every_value_is_turned_round() {
        let sent = SignFlip {}.tamper(outgoing_integers(0, 1, 2, &[3, -4]), &unit_quantizer(), Seed::root(1));
        assert_eq!(sent.values(), [-6, 8]);
    }
}
