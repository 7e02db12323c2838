//! Table 2.2 of the design as data: how each kind of platform names and sees the events of the common ontology.
//!
//! The common ontology is [`EventKind`]. What differs between platforms is the federated difficulty: names, units, what
//! is seen in part or not at all. `schema-mode = "common"` forbids all of it and leaves only what every platform of the
//! world sees alike. There is no "moved elsewhere" event, because only content could tell.

use equipoise_core::{Archetype, EventKind};
use serde::Serialize;

/// How much of something a platform sees.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Nothing.
    Hidden,
    /// A part, named in [`Entry::unit`].
    Part,
    /// All of it.
    Full,
}

/// One line of the mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// The kind of platform.
    pub archetype: Archetype,
    /// The event of the common ontology.
    pub kind: EventKind,
    /// What platforms of this kind call it.
    pub native: &'static str,
    /// How much they see of it.
    pub sight: Sight,
    /// What one row's count means, and what is missing where the sight is partial.
    pub unit: &'static str,
}

use EventKind as E;
use Sight::{Full, Hidden, Part};

type Row = (EventKind, [Sight; 4]);

/// Columns: ephemeral messenger, end-to-end messenger, social network, game lobby.
const EVENTS: [Row; 15] = [
    (E::SessionOpen, [Full, Full, Full, Full]),
    (E::SessionClose, [Full, Full, Full, Full]),
    (E::ProfileChange, [Full, Hidden, Full, Full]),
    (E::Search, [Full, Hidden, Full, Part]),
    (E::Exposure, [Hidden, Hidden, Full, Hidden]),
    (E::ContactRequest, [Full, Hidden, Full, Full]),
    (E::ContactAccept, [Full, Part, Full, Full]),
    (E::ContactDecline, [Full, Hidden, Full, Full]),
    (E::Message, [Full, Part, Full, Part]),
    (E::Call, [Full, Full, Part, Full]),
    (E::GroupJoin, [Full, Full, Full, Full]),
    (E::GroupInvite, [Full, Full, Full, Full]),
    (E::Block, [Full, Full, Full, Full]),
    (E::Mute, [Full, Full, Full, Full]),
    (E::Report, [Full, Full, Full, Full]),
];

/// What is known about accounts and rows besides their kind.
pub(crate) struct Columns {
    pub(crate) age: bool,
    pub(crate) region: bool,
    pub(crate) media: bool,
    pub(crate) mutuals: bool,
}

pub(crate) const fn columns_of(archetype: Archetype) -> Columns {
    match archetype {
        Archetype::EphemeralMessenger | Archetype::SocialNetwork => {
            Columns { age: true, region: true, media: true, mutuals: true }
        }
        // The media flag is a class of sizes here.
        Archetype::EndToEndMessenger => Columns { age: false, region: false, media: true, mutuals: false },
        Archetype::GameLobby => Columns { age: true, region: true, media: false, mutuals: false },
    }
}

/// How much of a kind platforms of `archetype` see.
#[must_use]
pub const fn sight(archetype: Archetype, kind: EventKind) -> Sight {
    EVENTS[kind.code() as usize].1[archetype as usize]
}

/// The whole mapping, by archetype and kind.
#[must_use]
pub fn ontology() -> Vec<Entry> {
    let entry = |archetype, (kind, _): &Row| Entry {
        archetype,
        kind: *kind,
        native: native(archetype, *kind),
        sight: sight(archetype, *kind),
        unit: unit(archetype, *kind),
    };
    Archetype::ALL
        .into_iter()
        .flat_map(|archetype| EVENTS.iter().map(move |row| entry(archetype, row)))
        .collect()
}

const fn native(archetype: Archetype, kind: EventKind) -> &'static str {
    use Archetype::{EndToEndMessenger, GameLobby, SocialNetwork};
    match (archetype, kind) {
        (EndToEndMessenger, E::ContactAccept) => "contact-added",
        (EndToEndMessenger, E::Message) => "send",
        (SocialNetwork, E::ContactRequest) => "follow-or-friend-request",
        (SocialNetwork, E::Exposure) => "account-recommended",
        (GameLobby, E::SessionOpen) => "game-start",
        (GameLobby, E::SessionClose) => "game-end",
        (GameLobby, E::Message) => "lobby-chat",
        (GameLobby, E::Call) => "voice-channel",
        (GameLobby, E::GroupJoin) => "lobby-join",
        (GameLobby, E::GroupInvite) => "party-invite",
        (_, E::SessionOpen) => "session-open",
        (_, E::SessionClose) => "session-close",
        (_, E::ProfileChange) => "profile-change",
        (_, E::Search) => "search",
        (_, E::Exposure) => "exposure",
        (_, E::ContactRequest) => "contact-request",
        (_, E::ContactAccept) => "contact-accept",
        (_, E::ContactDecline) => "contact-decline",
        (_, E::Message) => "message",
        (_, E::Call) => "call",
        (_, E::GroupJoin) => "group-join",
        (_, E::GroupInvite) => "group-invite",
        (_, E::Block) => "block",
        (_, E::Mute) => "mute",
        (_, E::Report) => "report",
    }
}

const fn unit(archetype: Archetype, kind: EventKind) -> &'static str {
    use Archetype::{EndToEndMessenger, GameLobby, SocialNetwork};
    match (archetype, kind) {
        (EndToEndMessenger, E::Message) => "sends per bucket and direction; nothing of groups",
        (EndToEndMessenger, E::ContactAccept) => "occurrences; who had asked is not logged",
        (GameLobby, E::Message) => {
            "messages per bucket and direction between members of one lobby; nothing elsewhere"
        }
        (GameLobby, E::Search) => "occurrences; searches for accounts alone",
        (SocialNetwork, E::Call) => "occurrences; no minutes",
        (_, E::Message) => "messages per bucket and direction",
        (_, E::Call) => "minutes",
        _ => "occurrences",
    }
}

/// Whether rows about messages in groups are written.
pub(crate) const fn sees_groups(archetype: Archetype) -> bool {
    !matches!(archetype, Archetype::EndToEndMessenger)
}

/// Whether messages outside lobbies are written.
pub(crate) const fn lobby_only(archetype: Archetype) -> bool {
    matches!(archetype, Archetype::GameLobby)
}

/// Whether the minutes of a call are written.
pub(crate) const fn sees_minutes(archetype: Archetype) -> bool {
    !matches!(archetype, Archetype::SocialNetwork)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_maps_every_event_once_and_no_two_to_one_name() {
        let all = ontology();
        assert_eq!(all.len(), 60);
        for archetype in Archetype::ALL {
            let mut names: Vec<_> =
                all.iter().filter(|e| e.archetype == archetype).map(|e| e.native).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), 15, "{archetype:?}");
        }
        for (code, (kind, _)) in EVENTS.iter().enumerate() {
            assert_eq!(usize::from(kind.code()), code);
        }
    }

    #[test]
    fn a_part_is_named() {
        for entry in ontology().iter().filter(|e| e.sight == Part) {
            assert!(entry.unit.contains(';'), "{entry:?}");
        }
    }
}
