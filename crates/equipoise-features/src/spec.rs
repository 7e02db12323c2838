//! What an experiment file may choose about features. Research choices have no defaults.

use equipoise_core::{PlatformId, SimTime};
use serde::{Deserialize, Serialize};

/// How rows and sequences are made. The same on every platform of a federation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeatureSpec {
    /// How many contacts a row may read, 1 to 256: the `m` of the contribution bound.
    pub max_contacts: u16,
    /// The public seed of the contact sample. It never depends on the data.
    pub contact_seed: u64,
    /// Whether the columns about blocks, mutes and reports exist.
    pub label_adjacent: bool,
    /// The longest sequence of an account, 0 (no sequences are kept) to 1,024. One contact, and the events without a
    /// contact, may each fill at most a quarter of it, rounded up.
    pub sequence_length: u16,
}

impl FeatureSpec {
    /// Checks the limits stated at the fields.
    ///
    /// # Errors
    /// If `max_contacts` or `sequence_length` lies outside its limits.
    pub fn validate(&self) -> Result<(), FeatureError> {
        if !(1..=256).contains(&self.max_contacts) {
            return Err(FeatureError::MaxContacts(self.max_contacts));
        }
        if self.sequence_length > 1024 {
            return Err(FeatureError::SequenceLength(self.sequence_length));
        }
        Ok(())
    }

    /// How many events of one contact a sequence may hold.
    pub(crate) const fn marks_per_contact(&self) -> usize {
        (self.sequence_length as usize).div_ceil(4)
    }
}

/// What can go wrong with features.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The limit on contacts is out of range.
    #[error("max-contacts must lie in 1..=256, got {0}")]
    MaxContacts(u16),
    /// The sequence is too long.
    #[error("sequence-length must lie in 0..=1024, got {0}")]
    SequenceLength(u16),
    /// The cut-offs are not strictly increasing.
    #[error("snapshot cut-offs must strictly increase, got {later} after {earlier}")]
    UnsortedPlan {
        /// The cut-off before.
        earlier: SimTime,
        /// The one that does not lie after it.
        later: SimTime,
    },
    /// A cut-off does not fall on the end of a tick.
    #[error(
        "cut-off {cutoff} falls inside the batch of {platform} up to {until}: move it to the end of a tick"
    )]
    CutoffInsideBatch {
        /// Whose batch.
        platform: PlatformId,
        /// The planned cut-off.
        cutoff: SimTime,
        /// The end of the batch.
        until: SimTime,
    },
    /// Two views carry the same platform id.
    #[error("{0} is listed twice")]
    RepeatedPlatform(PlatformId),
    /// Events arrived for a platform without a view.
    #[error("events arrived for {0}, which no view describes")]
    UnknownPlatform(PlatformId),
    /// A planned cut-off lies past the end of the events.
    #[error("the world ended before the cut-off {0}")]
    CutoffNotReached(SimTime),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(max_contacts: u16, sequence_length: u16) -> FeatureSpec {
        FeatureSpec { max_contacts, contact_seed: 1, label_adjacent: true, sequence_length }
    }

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(spec(1, 0).validate(), Ok(()));
        assert_eq!(spec(256, 1024).validate(), Ok(()));
        assert_eq!(spec(0, 0).validate(), Err(FeatureError::MaxContacts(0)));
        assert_eq!(spec(257, 0).validate(), Err(FeatureError::MaxContacts(257)));
        assert_eq!(spec(1, 1025).validate(), Err(FeatureError::SequenceLength(1025)));
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        let good = r#"{"max-contacts":8,"contact-seed":1,"label-adjacent":false,"sequence-length":16}"#;
        assert!(serde_json::from_str::<FeatureSpec>(good).is_ok());
        assert!(serde_json::from_str::<FeatureSpec>(&good.replace("contact-seed", "seed")).is_err());
        assert!(serde_json::from_str::<FeatureSpec>(&good.replace("\"label-adjacent\":false,", "")).is_err());
    }
}
