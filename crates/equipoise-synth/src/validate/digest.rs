//! A number that stands for a whole run, for V20: two runs with the same number had the same events in the same order,
//! the same labels and the same tokens. Not a security boundary (FNV-1a over 64-bit words, twice with different starts).

use crate::Outcome;
use equipoise_core::{Event, EventSink, PlatformId, SimTime};

/// A running hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Digest([u64; 2]);

impl Default for Digest {
    fn default() -> Self {
        Self([0xcbf2_9ce4_8422_2325, 0x9E37_79B9_7F4A_7C15])
    }
}

impl Digest {
    /// Takes one word.
    pub fn word(&mut self, word: u64) {
        for half in &mut self.0 {
            let mixed = (*half ^ word).wrapping_mul(0x0000_0100_0000_01b3);
            // The multiplication alone never carries downwards.
            *half = mixed ^ (mixed >> 29);
        }
    }

    /// Takes what a run leaves besides its events.
    pub fn outcome(&mut self, outcome: &Outcome) {
        for label in outcome.labels.iter().flatten() {
            self.word(u64::from(label.account.0) << 32 | u64::from(label.known_at.0.cast_unsigned()));
            self.word((label.status as u64) << 8 | label.source as u64);
        }
        for token in outcome.tokens.iter().flatten() {
            self.word(*token);
        }
        for platform in &outcome.truth.platforms {
            for stage in &platform.stages {
                self.word(u64::from(stage.account.0) << 32 | u64::from(stage.child.0));
                self.word(
                    u64::from(stage.from.0.cast_unsigned()) << 32 | u64::from(stage.to.0.cast_unsigned()),
                );
            }
            for (account, about) in platform.accounts.iter().enumerate() {
                for (time, child) in &about.contacts {
                    self.word(account as u64);
                    self.word(u64::from(time.0.cast_unsigned()) << 32 | u64::from(child.0));
                }
            }
        }
        self.word(outcome.events);
        self.word(outcome.bans);
    }

    /// The number in hexadecimal digits.
    #[must_use]
    pub fn words(self) -> String {
        format!("{:016x}{:016x}", self.0[0], self.0[1])
    }
}

impl EventSink for Digest {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        self.word(u64::from(platform.0) << 32 | u64::from(until.0.cast_unsigned()));
        for e in events {
            self.word(u64::from(e.time.0.cast_unsigned()) << 32 | u64::from(e.actor.0));
            self.word(u64::from(e.peer.0) << 32 | u64::from(e.kind.code()) << 16 | e.surface as u64);
            let small = u64::from(e.count) << 24 | u64::from(e.media) << 16;
            self.word(small | u64::from(e.mutuals) << 8 | u64::from(e.detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{AccountId, EventKind};

    #[test]
    fn order_and_every_field_count() {
        let event =
            |time, actor| Event::new(SimTime(time), AccountId(actor), AccountId(9), EventKind::Message);
        let of = |events: &[Event]| {
            let mut digest = Digest::default();
            digest.on_events(PlatformId(0), SimTime(100), events);
            digest
        };
        let (a, b) = (event(1, 2), event(1, 3));
        assert_eq!(of(&[a, b]), of(&[a, b]));
        assert_ne!(of(&[a, b]), of(&[b, a]));
        let mut changed = b;
        changed.media = 1;
        assert_ne!(of(&[a, b]), of(&[a, changed]));
    }
}
