//! What a platform must see for a column to exist there.

use equipoise_core::{Archetype, EventKind, PlatformSchema};

/// One thing that a platform may or may not see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// Declared ages.
    Age,
    /// Coarse regions.
    Region,
    /// Media flags.
    Media,
    /// Counts of mutual contacts.
    Mutuals,
    /// Events of a kind.
    Kind(EventKind),
}

impl Sight {
    /// Whether the schema lets the platform see it.
    #[must_use]
    pub const fn is_open_to(self, schema: &PlatformSchema) -> bool {
        match self {
            Self::Age => schema.sees_age,
            Self::Region => schema.sees_region,
            Self::Media => schema.sees_media,
            Self::Mutuals => schema.sees_mutuals,
            Self::Kind(kind) => schema.sees(kind),
        }
    }

    /// The archetypes that see it, wholly or in part, by the design of the world. A world file may give an instance
    /// less; rows follow its schema, not this list.
    #[must_use]
    pub const fn archetypes(self) -> &'static [Archetype] {
        use Archetype::{EphemeralMessenger as Eph, GameLobby as Gam, SocialNetwork as Soc};
        match self {
            Self::Age | Self::Region | Self::Kind(EventKind::Search) => &[Eph, Soc, Gam],
            Self::Kind(EventKind::Exposure) => &[Eph, Soc, Gam],
            Self::Media => &[Eph, Archetype::EndToEndMessenger, Soc],
            Self::Mutuals => &[Eph, Soc],
            Self::Kind(_) => &Archetype::ALL,
        }
    }
}

/// Short names for the entries of the dictionary.
pub(super) mod needs {
    use super::Sight::{self, Age, Kind, Media, Mutuals, Region};
    use equipoise_core::EventKind as K;

    pub(crate) const NOTHING: &[Sight] = &[];
    pub(crate) const AGE: &[Sight] = &[Age];
    pub(crate) const REGION: &[Sight] = &[Region];
    pub(crate) const PROFILE_CHANGE: &[Sight] = &[Kind(K::ProfileChange)];
    pub(crate) const SESSIONS: &[Sight] = &[Kind(K::SessionOpen)];
    pub(crate) const SESSION_LENGTH: &[Sight] = &[Kind(K::SessionOpen), Kind(K::SessionClose)];
    pub(crate) const SEARCH: &[Sight] = &[Kind(K::Search)];
    pub(crate) const JOINS: &[Sight] = &[Kind(K::GroupJoin)];
    pub(crate) const EXPOSURE: &[Sight] = &[Kind(K::Exposure)];
    pub(crate) const REQUESTS: &[Sight] = &[Kind(K::ContactRequest)];
    pub(crate) const ACCEPTS: &[Sight] = &[Kind(K::ContactRequest), Kind(K::ContactAccept)];
    pub(crate) const DECLINES: &[Sight] = &[Kind(K::ContactRequest), Kind(K::ContactDecline)];
    pub(crate) const MINOR_REQUESTS: &[Sight] = &[Kind(K::ContactRequest), Age];
    pub(crate) const MINOR_ACCEPTS: &[Sight] = &[Kind(K::ContactRequest), Kind(K::ContactAccept), Age];
    pub(crate) const REQUEST_MUTUALS: &[Sight] = &[Kind(K::ContactRequest), Mutuals];
    pub(crate) const INVITES: &[Sight] = &[Kind(K::GroupInvite)];
    pub(crate) const MESSAGES: &[Sight] = &[Kind(K::Message)];
    pub(crate) const MINOR_MESSAGES: &[Sight] = &[Kind(K::Message), Age];
    pub(crate) const MEDIA: &[Sight] = &[Kind(K::Message), Media];
    pub(crate) const MINOR_MEDIA: &[Sight] = &[Kind(K::Message), Media, Age];
    pub(crate) const CALLS: &[Sight] = &[Kind(K::Call)];
    pub(crate) const BLOCKS: &[Sight] = &[Kind(K::Block)];
    pub(crate) const MUTES: &[Sight] = &[Kind(K::Mute)];
    pub(crate) const REPORTS: &[Sight] = &[Kind(K::Report)];
}
