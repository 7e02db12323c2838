//! The do-nothing attack: an honest client.

use super::Poison;
use equipoise_core::Seed;
use equipoise_privacy::{OutgoingUpdate, Quantizer};
use serde::{Deserialize, Serialize};

/// Sends what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoPoison {}

impl Poison for NoPoison {
    fn name(&self) -> &'static str {
        "none"
    }

    fn tamper(&self, honest: OutgoingUpdate, _grid: &Quantizer, _seed: Seed) -> OutgoingUpdate {
        honest
    }
}
