//! What each platform can see, how it measures time and for how long it holds rows (design table 2.2). Heterogeneous on
//! purpose: it is the federated difficulty. An experiment that wants it away says `schema-mode = "common"`.

use crate::ontology::{Sight, columns_of, sight};
use crate::spec::{PlatformSpec, WorldSpec};
use equipoise_core::{Archetype, DAY, EventKind, PlatformSchema, SimTime};
use serde::{Deserialize, Serialize};

/// Whether platforms show their own columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemaMode {
    /// Each platform shows what its kind sees, in its own buckets.
    Native,
    /// Each platform shows only what all platforms of the world see, in the coarsest bucket: an ablation.
    Common,
}

/// How long a platform holds its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retention {
    /// For ever: the do-nothing value.
    Everything,
    /// This many days.
    Days(u16),
}

/// [`PlatformSchema::retention_days`] of a platform that holds everything.
const FOR_EVER: u16 = u16::MAX;

impl Retention {
    const fn days(self) -> u16 {
        match self {
            Self::Everything => FOR_EVER,
            Self::Days(days) => days,
        }
    }
}

/// The earliest time of which a platform still holds rows at `cutoff`: what a training set or an export made then may
/// contain. Rows before it are gone, whatever the window of the world.
#[must_use]
pub const fn held_from(schema: &PlatformSchema, cutoff: SimTime) -> SimTime {
    if schema.retention_days == FOR_EVER {
        return SimTime(i32::MIN);
    }
    SimTime(cutoff.0.saturating_sub(schema.retention_days as i32 * DAY))
}

/// What a platform of this kind sees by nature, with its usual bucket and retention.
#[must_use]
pub const fn schema_of(archetype: Archetype) -> PlatformSchema {
    let columns = columns_of(archetype);
    let (bucket_seconds, retention_days) = match archetype {
        Archetype::EphemeralMessenger | Archetype::GameLobby => (300, 90),
        Archetype::EndToEndMessenger => (3_600, 30),
        Archetype::SocialNetwork => (300, 180),
    };
    let (mut visible_kinds, mut at) = (0, 0);
    while at < EventKind::ALL.len() {
        if !matches!(sight(archetype, EventKind::ALL[at]), Sight::Hidden) {
            visible_kinds |= 1 << EventKind::ALL[at].code();
        }
        at += 1;
    }
    PlatformSchema {
        visible_kinds,
        bucket_seconds,
        sees_age: columns.age,
        sees_region: columns.region,
        sees_media: columns.media,
        sees_mutuals: columns.mutuals,
        retention_days,
    }
}

impl PlatformSpec {
    fn native_schema(&self) -> PlatformSchema {
        PlatformSchema {
            bucket_seconds: i32::from(self.bucket_seconds),
            retention_days: self.retention.days(),
            ..schema_of(self.archetype)
        }
    }
}

impl WorldSpec {
    /// What the log of a platform of this world contains. Retention stays each platform's own in either mode.
    ///
    /// # Panics
    /// If the world has no such platform.
    #[must_use]
    pub fn schema(&self, platform: usize) -> PlatformSchema {
        let own = self.platform[platform].native_schema();
        if self.schema_mode == SchemaMode::Native {
            return own;
        }
        self.platform.iter().map(PlatformSpec::native_schema).fold(own, |a, b| PlatformSchema {
            visible_kinds: a.visible_kinds & b.visible_kinds,
            bucket_seconds: a.bucket_seconds.max(b.bucket_seconds),
            sees_age: a.sees_age && b.sees_age,
            sees_region: a.sees_region && b.sees_region,
            sees_media: a.sees_media && b.sees_media,
            sees_mutuals: a.sees_mutuals && b.sees_mutuals,
            retention_days: a.retention_days,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_forgets_after_its_retention_and_only_then() {
        let mut schema = schema_of(Archetype::EndToEndMessenger);
        assert_eq!(held_from(&schema, SimTime::from_days(40)), SimTime::from_days(10));
        schema.retention_days = Retention::Everything.days();
        assert!(held_from(&schema, SimTime::from_days(40)) < SimTime::from_days(-5_000));
    }

    #[test]
    fn an_end_to_end_messenger_sees_an_added_contact_and_not_the_request() {
        let schema = schema_of(Archetype::EndToEndMessenger);
        assert!(schema.sees(EventKind::ContactAccept) && !schema.sees(EventKind::ContactRequest));
        assert!(!schema.sees_age && schema.bucket_seconds == 3_600);
    }
}
