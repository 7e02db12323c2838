//! What a platform is, and what it can see.

use crate::{EventKind, PlatformId, SimTime};
use serde::{Deserialize, Serialize};

/// The kind of a platform. Never a firm: four abstract service designs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Archetype {
    /// Messages disappear; the operator sees counts and media flags.
    EphemeralMessenger = 0,
    /// End-to-end encrypted; the operator sees little and no ages.
    EndToEndMessenger = 1,
    /// Profiles, follows, recommendations.
    SocialNetwork = 2,
    /// Strangers meet in lobbies.
    GameLobby = 3,
}

impl Archetype {
    /// Every archetype, in code order.
    pub const ALL: [Self; 4] =
        [Self::EphemeralMessenger, Self::EndToEndMessenger, Self::SocialNetwork, Self::GameLobby];
}

/// An age as bands, the only resolution at which anything here knows ages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum AgeBand {
    /// Below 13.
    Under13 = 0,
    /// 13, 14 or 15.
    From13To15 = 1,
    /// 16 or 17.
    From16To17 = 2,
    /// 18 or older.
    Adult = 3,
}

impl AgeBand {
    /// Every band, youngest first.
    pub const ALL: [Self; 4] = [Self::Under13, Self::From13To15, Self::From16To17, Self::Adult];

    /// Whether the band lies below 18.
    #[must_use]
    pub const fn is_minor(self) -> bool {
        !matches!(self, Self::Adult)
    }
}

/// A coarse region code: tens of regions in a world, nothing finer exists.
pub type Region = u8;

/// What a platform holds about an account besides its events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccountProfile {
    /// The age that the account *declared*, where the platform asks; often wrong.
    pub declared_age: Option<AgeBand>,
    /// Coarse region, where the platform sees it.
    pub region: Option<Region>,
    /// When the account was made; negative if before the observed window.
    pub created: SimTime,
}

/// What a platform's log can contain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlatformSchema {
    /// Bit `k` set: events of kind code `k` are visible.
    pub visible_kinds: u16,
    /// Length of a message bucket in seconds; event times are floored to it.
    pub bucket_seconds: i32,
    /// Whether declared ages are known.
    pub sees_age: bool,
    /// Whether coarse regions are known.
    pub sees_region: bool,
    /// Whether media flags are known.
    pub sees_media: bool,
    /// Whether mutual-contact counts are known.
    pub sees_mutuals: bool,
    /// How many days of events the platform keeps.
    pub retention_days: u16,
}

impl PlatformSchema {
    /// Whether events of `kind` are visible.
    #[must_use]
    pub const fn sees(&self, kind: EventKind) -> bool {
        self.visible_kinds & (1 << kind.code()) != 0
    }
}

/// Everything about a platform that its operator may read, events aside. `profiles[a]` belongs to account `a`; an
/// account exists from its `created` on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlatformView {
    /// Which platform.
    pub id: PlatformId,
    /// The name in the world file, for instance `social-1`.
    pub name: String,
    /// Its kind.
    pub archetype: Archetype,
    /// What its log can contain.
    pub schema: PlatformSchema,
    /// Its accounts.
    pub profiles: Vec<AccountProfile>,
}
