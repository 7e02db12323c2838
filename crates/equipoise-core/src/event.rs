//! One row of a platform's behaviour log: who, whom, when, what kind, how many. There is no content field to fill.

use crate::{AccountId, PlatformId, SimTime};
use serde::{Deserialize, Serialize};

/// What kind of thing happened: the common ontology of all platforms. A platform sees a subset of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum EventKind {
    /// A session began.
    SessionOpen = 0,
    /// A session ended.
    SessionClose = 1,
    /// The account changed its profile.
    ProfileChange = 2,
    /// The account searched for other accounts.
    Search = 3,
    /// The platform recommended `peer` to `actor`.
    Exposure = 4,
    /// `actor` asked `peer` for contact.
    ContactRequest = 5,
    /// `actor` accepted the earlier request of `peer`.
    ContactAccept = 6,
    /// `actor` declined the earlier request of `peer`.
    ContactDecline = 7,
    /// `actor` sent `count` messages to `peer` within one bucket of time.
    Message = 8,
    /// A call of `count` minutes.
    Call = 9,
    /// `actor` joined a group or lobby.
    GroupJoin = 10,
    /// `actor` invited `peer` to a group or lobby.
    GroupInvite = 11,
    /// `actor` blocked `peer`.
    Block = 12,
    /// `actor` muted `peer`.
    Mute = 13,
    /// `actor` reported `peer`.
    Report = 14,
}

impl EventKind {
    /// Every kind, in code order.
    pub const ALL: [Self; 15] = [
        Self::SessionOpen,
        Self::SessionClose,
        Self::ProfileChange,
        Self::Search,
        Self::Exposure,
        Self::ContactRequest,
        Self::ContactAccept,
        Self::ContactDecline,
        Self::Message,
        Self::Call,
        Self::GroupJoin,
        Self::GroupInvite,
        Self::Block,
        Self::Mute,
        Self::Report,
    ];

    /// The code written to disk.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind of a code, or `None` for an unknown code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Whether an event of this kind has another side.
    #[must_use]
    pub const fn has_peer(self) -> bool {
        !matches!(
            self,
            Self::SessionOpen | Self::SessionClose | Self::ProfileChange | Self::Search | Self::GroupJoin
        )
    }

    /// Whether everything of this kind comes out of the skeleton of a world: what couples accounts. Other kinds also, or
    /// only, come out of ordinary sessions, which change nothing for anybody.
    #[must_use]
    pub const fn couples(self) -> bool {
        matches!(
            self,
            Self::ContactRequest
                | Self::ContactAccept
                | Self::ContactDecline
                | Self::Block
                | Self::Mute
                | Self::Report
        )
    }

    /// Whether events of this kind lie next to the label: they are what a review is opened on.
    #[must_use]
    pub const fn is_label_adjacent(self) -> bool {
        matches!(self, Self::Block | Self::Mute | Self::Report)
    }
}

/// Where on the platform it happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Surface {
    /// One account to one account.
    #[default]
    Direct = 0,
    /// Inside a group.
    Group = 1,
    /// Inside a game lobby.
    Lobby = 2,
}

impl Surface {
    /// The surface of a code, or `None` for an unknown code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Direct),
            1 => Some(Self::Group),
            2 => Some(Self::Lobby),
            _ => None,
        }
    }
}

/// The category that a reporting account chose. Carried in [`Event::detail`] of a report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum ReportCategory {
    /// Any other category.
    Other = 0,
    /// Safety of a child.
    ChildSafety = 1,
}

/// One row of a log. 20 bytes; ordered by `(time, actor, peer, kind)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Event {
    /// When, at the resolution of the platform's bucket.
    pub time: SimTime,
    /// Whose action it was.
    pub actor: AccountId,
    /// The other side, or [`AccountId::NONE`].
    pub peer: AccountId,
    /// What kind.
    pub kind: EventKind,
    /// Where.
    pub surface: Surface,
    /// How many: messages in the bucket, minutes of a call; 1 otherwise.
    pub count: u16,
    /// How many of `count` carried media; 0 where the platform does not see it.
    pub media: u8,
    /// Contacts that both sides share, saturating at 254; [`Event::UNSEEN`] where the platform does not see it.
    pub mutuals: u8,
    /// Kind-specific small code: the report category; of a request that is still an intent, how the peer was found
    /// ([`crate::FoundBy`]); 0 otherwise.
    pub detail: u8,
}

impl Event {
    /// Marks [`Event::mutuals`] as not visible to the platform.
    pub const UNSEEN: u8 = 255;

    /// An event of one thing, without a surface, media or detail of its own.
    #[must_use]
    pub const fn new(time: SimTime, actor: AccountId, peer: AccountId, kind: EventKind) -> Self {
        Self {
            time,
            actor,
            peer,
            kind,
            surface: Surface::Direct,
            count: 1,
            media: 0,
            mutuals: Self::UNSEEN,
            detail: 0,
        }
    }
}

/// Receives what the world lets happen, platform by platform, tick by tick.
///
/// Law: within a platform the batches of successive calls do not overlap in time, and each batch is sorted by
/// `(time, actor, peer, kind)`; every event of a batch lies before `until`.
pub trait EventSink {
    /// Takes the events of `platform` up to (not including) `until`. Called for each platform at each tick end, also
    /// with an empty batch.
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]);
}

/// Forgets everything: the dummy of tests.
#[derive(Debug, Default)]
pub struct NullSink;

impl EventSink for NullSink {
    fn on_events(&mut self, _platform: PlatformId, _until: SimTime, _events: &[Event]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_positions_in_all() {
        for (code, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.code()), code);
            assert_eq!(EventKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(EventKind::from_code(15), None);
    }

    #[test]
    fn an_event_stays_small() {
        assert!(size_of::<Event>() <= 20);
    }
}
