//! Parameters of recording: how much is recorded, when a platform is known, which of them are named.

use crate::spec::{Number, Rate};
use crate::{Sourced, WorldError};
use serde::{Deserialize, Serialize};

/// Neutral ids of the platforms that a record can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Platform {
    /// The ephemeral messenger.
    Ephemeral = 0,
    /// The end-to-end encrypted messenger.
    EndToEnd = 1,
    /// The first social network.
    SocialA = 2,
    /// The second social network.
    SocialB = 3,
    /// The game platform.
    Game = 4,
}

impl Platform {
    /// Every platform, in code order.
    pub const ALL: [Self; 5] = [Self::Ephemeral, Self::EndToEnd, Self::SocialA, Self::SocialB, Self::Game];
}

/// The two readings of the published third share, which names two social networks and one number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The number belongs to both together.
    Joint,
    /// The number belongs to each.
    Each,
}

impl Reading {
    /// Both readings.
    pub const ALL: [Self; 2] = [Self::Joint, Self::Each];
}

/// How offences come to be recorded.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecordedSpec {
    /// Dyads in the frame of the offence for each one that is recorded. To be swept from 3 to 20.
    pub under_recording: Number,
    /// Probability that a further recorded dyad of the same account joins the offence before it.
    pub several_children: Rate,
    /// Share of offences on services of no modelled kind.
    pub elsewhere: Rate,
    /// Probability that the other platform of a dyad that went on elsewhere is named too.
    pub second_named: Rate,
    /// Probability that a record that names one social network names the other too.
    pub both_social: Rate,
    /// When the platform is known, under the first reading.
    pub joint: Naming,
    /// When the platform is known, under the second reading.
    pub each: Naming,
}

/// When the platform of a recorded offence is known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Naming {
    /// Probability by first platform: ephemeral, end-to-end, social, game, elsewhere.
    pub known: Sourced<[f64; 5]>,
}

impl RecordedSpec {
    /// The naming of a reading.
    #[must_use]
    pub const fn naming(&self, reading: Reading) -> &Naming {
        match reading {
            Reading::Joint => &self.joint,
            Reading::Each => &self.each,
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// Names the first setting that cannot be used.
    pub fn validate(&self) -> Result<(), WorldError> {
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        if !(1.0..=100.0).contains(&self.under_recording.get()) {
            return bad("recorded.under-recording", "between 1 and 100");
        }
        for naming in Reading::ALL.map(|reading| self.naming(reading)) {
            let known = &naming.known.value;
            if !known.iter().all(|p| (0.0..=1.0).contains(p)) || known.iter().all(|p| *p <= 0.0) {
                return bad("recorded.known", "five probabilities, not all 0");
            }
        }
        Ok(())
    }
}
