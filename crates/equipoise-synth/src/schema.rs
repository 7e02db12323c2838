//! What each kind of platform can see (design table 2.2). Heterogeneous on purpose: it is the federated difficulty.
//! There is no "moved elsewhere" flag, because only content could tell.

use equipoise_core::{Archetype, EventKind, PlatformSchema};

const fn kinds(list: &[EventKind]) -> u16 {
    let (mut bits, mut at) = (0, 0);
    while at < list.len() {
        bits |= 1 << list[at].code();
        at += 1;
    }
    bits
}

const COMMON: u16 = kinds(&[
    EventKind::SessionOpen,
    EventKind::SessionClose,
    EventKind::ContactRequest,
    EventKind::ContactAccept,
    EventKind::Message,
    EventKind::Call,
    EventKind::GroupJoin,
    EventKind::GroupInvite,
    EventKind::Block,
    EventKind::Mute,
    EventKind::Report,
]);

/// What the log of a platform of this kind can contain.
#[must_use]
pub const fn schema_of(archetype: Archetype) -> PlatformSchema {
    let richer = COMMON | kinds(&[EventKind::ProfileChange, EventKind::ContactDecline]);
    match archetype {
        Archetype::EphemeralMessenger => PlatformSchema {
            visible_kinds: richer | kinds(&[EventKind::Search]),
            bucket_seconds: 300,
            sees_age: true,
            sees_region: true,
            sees_media: true,
            sees_mutuals: true,
            retention_days: 90,
        },
        Archetype::EndToEndMessenger => PlatformSchema {
            visible_kinds: COMMON,
            bucket_seconds: 3_600,
            sees_age: false,
            sees_region: false,
            sees_media: true,
            sees_mutuals: false,
            retention_days: 30,
        },
        Archetype::SocialNetwork => PlatformSchema {
            visible_kinds: richer | kinds(&[EventKind::Search, EventKind::Exposure]),
            bucket_seconds: 300,
            sees_age: true,
            sees_region: true,
            sees_media: true,
            sees_mutuals: true,
            retention_days: 180,
        },
        Archetype::GameLobby => PlatformSchema {
            visible_kinds: richer,
            bucket_seconds: 300,
            sees_age: true,
            sees_region: true,
            sees_media: false,
            sees_mutuals: false,
            retention_days: 90,
        },
    }
}
