//! Base-rate profiles: the same world at other shares of harmful accounts (`datasets/profiles.toml`). A metric is reported
//! at the prevalence of its own profile; training at one and testing at another needs a correction of the prior.

use crate::spec::{Number, Rate, WorldSpec};
use serde::{Deserialize, Serialize};

/// A base rate to put over a world file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BaseRate {
    /// Accounts with a harmful pattern as a share of ordinary accounts.
    pub prevalence: Rate,
    /// Matched look-alike actors per harmful actor.
    pub lookalikes: Number,
}

/// The four profiles.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BaseRates {
    /// One in ten: for tests of separation, never for claims about use.
    pub balanced: BaseRate,
    /// One in a hundred: the reference worlds.
    pub research: BaseRate,
    /// One in a thousand.
    pub realistic: BaseRate,
    /// One in ten thousand.
    pub stress: BaseRate,
}

impl BaseRate {
    /// Puts this base rate into a world file; nothing else changes.
    pub fn apply(&self, world: &mut WorldSpec) {
        world.harm.prevalence = self.prevalence.clone();
        world.harm.lookalikes = self.lookalikes.clone();
    }
}
