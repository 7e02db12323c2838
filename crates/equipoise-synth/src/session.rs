//! The session engine: the number of a day's sessions follows the account's rate and a log-normal factor of the day,
//! messages of a conversation come with log-normal gaps, as many as a geometric law with a log-normal mean gives (most
//! exchanges are short and a few are very long; with one mean for all, short gaps would come in threes and fours only).
//! Bursts belong to dyads (Karsai et al. 2012), so that one conversation is one train; the factor of the day makes quiet
//! and busy days, which the daily rhythm alone cannot (Jo et al. 2012).

use crate::engine::{MOST_MESSAGES, MOST_SESSIONS, Timing};
use crate::spec::BehaviourSpec;
use crate::stream::{Quantiles, Stream};
use crate::talk::{Post, Teller};
use equipoise_core::HOUR;

/// Longer pauses belong to another conversation.
const LONGEST_GAP: f64 = 1_800.0;

/// Kinds of conversation, equally likely.
const KINDS: usize = 64;

/// What the session engine needs of the world file.
#[derive(Clone, Debug)]
pub(crate) struct SessionTiming {
    /// The factor of a day on an account's rate.
    today: Quantiles,
    /// Gaps in whole seconds, at least one.
    gaps: Vec<u16>,
    /// Out of 2^32: the conversation ends after this message, by kind of conversation; without a reply, and with one.
    stops: Box<[[u32; KINDS]; 2]>,
}

impl SessionTiming {
    pub(crate) fn new(habits: &BehaviourSpec) -> Self {
        Self::of(
            [habits.conversation.get(), habits.conversation_sigma.get()],
            [habits.gap_seconds.get(), habits.gap_sigma.get()],
            habits.day_sigma.get(),
        )
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn of([length, spread]: [f64; 2], [gap, sigma]: [f64; 2], day: f64) -> Self {
        let gaps = Quantiles::log_normal(1_024, gap, sigma, LONGEST_GAP);
        let kinds = Quantiles::log_normal(KINDS, 1.0, spread, f64::INFINITY);
        let kinds: Vec<f64> = kinds.values().iter().map(|factor| f64::from(*factor)).collect();
        let mean = kinds.iter().sum::<f64>() / KINDS as f64;
        let stops = |length: f64| {
            std::array::from_fn(|kind| {
                let mean = 1.0 + (length - 1.0) * kinds[kind] / mean;
                (4_294_967_295.0 / mean.max(1.0)) as u32
            })
        };
        Self {
            today: Quantiles::log_normal(4_096, 1.0, day, f64::INFINITY),
            gaps: gaps.values().iter().map(|gap| gap.round().max(1.0) as u16).collect(),
            stops: Box::new([stops(1.0 + length / 5.0), stops(length)]),
        }
    }
}

impl Timing for SessionTiming {
    const LONGEST: i32 = 3 * HOUR;

    fn sessions_factor(&self) -> f64 {
        1.0
    }

    #[inline]
    fn sessions(&self, rate: f64, stream: &mut Stream) -> u32 {
        let today = self.today.of(stream.word());
        stream.poisson((rate * today).min(100.0)).min(MOST_SESSIONS)
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn messages<P: Post>(
        &self,
        start: i32,
        replied: bool,
        mut stream: Stream,
        teller: &mut Teller<'_, P>,
    ) -> i32 {
        let stop = self.stops[usize::from(replied)][stream.word() as usize % KINDS];
        let mut second = start;
        for number in 0..MOST_MESSAGES {
            // One word a message: 32 bits whether it is the last, 22 for side and media, 10 for the gap after it.
            let bits = stream.word();
            teller.message(second, number == 0, (bits >> 10) as u32 & 0x3F_FFFF);
            let next = second + i32::from(self.gaps[bits as usize & 1_023]);
            if (bits >> 32) as u32 <= stop || next - start > Self::LONGEST {
                break;
            }
            second = next;
        }
        second
    }
}
