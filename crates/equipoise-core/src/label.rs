//! What a platform came to know about its own accounts, and when. Late, incomplete and sometimes wrong, as in life;
//! the ground truth is another type in another crate.

use crate::{AccountId, SimTime};
use serde::{Deserialize, Serialize};

/// How far the platform got.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum LabelStatus {
    /// Somebody reported the account; nobody has decided anything.
    Reported = 0,
    /// A review looked and took no action.
    Cleared = 1,
    /// A review took action.
    Actioned = 2,
    /// Confirmed from outside (police, shared signal).
    Confirmed = 3,
}

impl LabelStatus {
    /// Whether training may treat this as a positive.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        matches!(self, Self::Actioned | Self::Confirmed)
    }
}

/// Where the platform's knowledge came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum LabelSource {
    /// A user's report.
    UserReport = 0,
    /// The platform's own search.
    Proactive = 1,
    /// A signal from another platform.
    SharedSignal = 2,
    /// The police.
    Police = 3,
}

/// One step in what a platform knows about one of its accounts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct KnownLabel {
    /// The account, on the platform that holds this label.
    pub account: AccountId,
    /// When the platform learned it. Training at a cut-off sees labels with `known_at` at or before that cut-off only.
    pub known_at: SimTime,
    /// What it learned.
    pub status: LabelStatus,
    /// From where.
    pub source: LabelSource,
}
