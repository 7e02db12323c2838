//! Small random platforms and logs for the property tests. Not a model of anything.

use crate::{FeatureSpec, FeatureStream, RowBlock};
use equipoise_core::{
    AccountId, AccountProfile, AgeBand, Archetype, DAY, Event, EventKind, PlatformId, PlatformSchema,
    PlatformView, SimTime, Surface,
};
use proptest::prelude::*;

pub(crate) const ACCOUNTS: u32 = 14;
pub(crate) const DAYS: i32 = 40;

/// A schema that sees everything.
pub(crate) const OPEN: PlatformSchema = PlatformSchema {
    visible_kinds: 0x7FFF,
    bucket_seconds: 300,
    sees_age: true,
    sees_region: true,
    sees_media: true,
    sees_mutuals: true,
    retention_days: 90,
};

pub(crate) fn view(profiles: Vec<AccountProfile>) -> PlatformView {
    PlatformView {
        id: PlatformId(0),
        name: "social-1".into(),
        archetype: Archetype::SocialNetwork,
        schema: OPEN,
        profiles,
    }
}

pub(crate) fn spec(max_contacts: u16, label_adjacent: bool) -> FeatureSpec {
    FeatureSpec { max_contacts, contact_seed: 11, label_adjacent, sequence_length: 10 }
}

pub(crate) fn accounts() -> Vec<AccountId> {
    (0..ACCOUNTS).map(AccountId).collect()
}

pub(crate) fn profiles() -> impl Strategy<Value = Vec<AccountProfile>> {
    let profile = (0_usize..5, 0_u8..3, -400_i32..10).prop_map(|(age, region, day)| AccountProfile {
        declared_age: AgeBand::ALL.get(age).copied(),
        region: Some(region),
        created: SimTime::from_days(day),
    });
    proptest::collection::vec(profile, ACCOUNTS as usize)
}

/// A sorted log; a few accounts act far more than others, so that samples overflow and dyads go back and forth.
pub(crate) fn log(events: usize) -> impl Strategy<Value = Vec<Event>> {
    let accounts = || prop_oneof![0..3_u32, 0..ACCOUNTS];
    let event = (
        (0..DAYS * DAY / 300, accounts(), accounts(), 0_u8..23),
        (0_u8..3, 1_u16..20, 0_u8..4, prop_oneof![Just(0_u8), 0_u8..9, Just(Event::UNSEEN)], 0_u8..2),
    )
        .prop_map(|((time, actor, peer, kind), (surface, count, media, mutuals, detail))| {
            let kind = EventKind::from_code(kind).unwrap_or(EventKind::Message);
            let other = if peer == actor { (peer + 1) % ACCOUNTS } else { peer };
            Event {
                time: SimTime(time * 300),
                actor: AccountId(actor),
                peer: if kind.has_peer() { AccountId(other) } else { AccountId::NONE },
                kind,
                surface: Surface::from_code(surface).unwrap(),
                count,
                media,
                mutuals,
                detail,
            }
        });
    proptest::collection::vec(event, 0..events).prop_map(|mut events| {
        events.sort_unstable();
        events
    })
}

/// The stream after the whole log in one batch, as of the end of the last day.
pub(crate) fn run(view: &PlatformView, spec: &FeatureSpec, events: &[Event]) -> FeatureStream {
    let mut stream = FeatureStream::new(view, spec).unwrap();
    stream.observe(SimTime::from_days(DAYS), events);
    stream
}

pub(crate) fn rows(view: &PlatformView, spec: &FeatureSpec, events: &[Event]) -> RowBlock {
    run(view, spec, events).snapshot(&accounts())
}
