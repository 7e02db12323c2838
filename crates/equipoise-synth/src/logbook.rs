//! What becomes of an event when its platform writes it down: units, what is seen in part, and rows that are never
//! written. Whether a row is missing is drawn from the row itself, so it depends on no other row. The world goes on all
//! the same: what is not logged has happened, and policies have seen it.

use crate::ontology::{lobby_only, sees_groups, sees_minutes};
use crate::schema::SchemaMode;
use crate::spec::WorldSpec;
use equipoise_core::{Draw, Event, EventKind, Seed, Surface};

/// The logging of one platform.
#[derive(Clone, Debug)]
pub(crate) struct Logbook {
    pub(crate) sees_groups: bool,
    lobby_only: bool,
    sees_minutes: bool,
    missing: [f64; EventKind::ALL.len()],
    seed: Seed,
}

impl Logbook {
    pub(crate) fn new(spec: &WorldSpec, platform: usize, seed: Seed) -> Self {
        let all = |sees: fn(equipoise_core::Archetype) -> bool| match spec.schema_mode {
            SchemaMode::Native => sees(spec.platform[platform].archetype),
            SchemaMode::Common => spec.platform.iter().all(|p| sees(p.archetype)),
        };
        let named = &spec.platform[platform].missing.value;
        Self {
            sees_groups: all(sees_groups),
            lobby_only: lobby_only(spec.platform[platform].archetype),
            sees_minutes: all(sees_minutes),
            missing: EventKind::ALL.map(|kind| named.get(&kind).map_or(0.0, |share| share.get())),
            seed: seed.derive("logbook", platform as u64),
        }
    }

    /// Brings a visible event into the platform's units; false if the row is not written.
    #[inline]
    pub(crate) fn write(&self, event: &mut Event) -> bool {
        match event.kind {
            EventKind::Call if !self.sees_minutes => event.count = 1,
            EventKind::Message if self.lobby_only && event.surface != Surface::Lobby => return false,
            _ => {}
        }
        let missing = self.missing[usize::from(event.kind.code())];
        missing <= 0.0 || !self.lost(event, missing)
    }

    fn lost(&self, event: &Event, share: f64) -> bool {
        let what = u64::from(event.kind.code()) << 8 | event.surface as u64;
        let at = u64::from(event.time.0.unsigned_abs()) << 16 | what;
        let pair = u64::from(event.actor.0) << 32 | u64::from(event.peer.0);
        self.seed.derive("row", pair).derive("at", at).rng().chance(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{AccountId, Fraction, SimTime};

    fn spec() -> WorldSpec {
        toml::from_str(include_str!("../../../datasets/research.toml")).unwrap()
    }

    fn row(time: i32, kind: EventKind) -> Event {
        let mut event = Event::new(SimTime(time), AccountId(3), AccountId(4), kind);
        event.count = 7;
        event
    }

    // 20,000 rows at share .3: five standard errors are .016.
    #[test]
    fn the_named_share_of_a_kind_is_missing_and_nothing_else() {
        let mut spec = spec();
        spec.platform[0].missing.value = [(EventKind::Message, Fraction::new(0.3).unwrap())].into();
        let book = Logbook::new(&spec, 0, Seed::root(1));
        let lost = |kind| (0..20_000).filter(|t| !book.write(&mut row(300 * t, kind))).count();
        let share = lost(EventKind::Message) as f64 / 20_000.0;
        assert!((share - 0.3).abs() < 0.016, "{share}");
        assert_eq!(lost(EventKind::Block), 0);
        let again = Logbook::new(&spec, 0, Seed::root(1));
        assert!((0..500).all(|t| {
            let mut row = row(300 * t, EventKind::Message);
            book.write(&mut row) == again.write(&mut row)
        }));
    }

    #[test]
    fn minutes_of_calls_are_written_where_the_platform_sees_them() {
        let spec = spec();
        for (platform, minutes) in [(0, 7), (2, 1)] {
            let mut call = row(0, EventKind::Call);
            assert!(Logbook::new(&spec, platform, Seed::root(1)).write(&mut call));
            assert_eq!(call.count, minutes);
        }
    }
}
