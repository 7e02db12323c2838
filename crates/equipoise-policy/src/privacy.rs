//! The privacy coordinate of a measure: whose data it reads, which, for how long. A safety number without it is half a
//! number. How many accounts that was, and per upheld case, is counted by the closed loop's [`crate::Ledger`].

use serde::Serialize;

/// Whose data a measure reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// Nobody's.
    Nobody,
    /// What lies on a device, on that device.
    OwnDevice,
    /// Those who act, at that moment.
    Actors,
    /// Accounts that others named: reports, signals.
    Named,
    /// Every account of the platform.
    Everybody,
}

/// The coordinate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Privacy {
    /// Whose data are read.
    pub reads: Reads,
    /// Which data, in words.
    pub data: &'static [&'static str],
    /// For how many days anything of it is kept for the measure's sake.
    pub kept_days: u16,
    /// Whether anything leaves the platform.
    pub leaves_platform: bool,
}
