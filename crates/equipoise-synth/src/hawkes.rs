//! The Hawkes engine: conversations are clusters of a self-exciting process with an exponential kernel.
//!
//! Generated exactly, without a simulation step, by the cluster representation (Hawkes and Oakes, 1974): the account's
//! spontaneous events are a Poisson process along the daily rhythm; every message begets Poisson(n) further ones, `n` the
//! branching ratio, each after an exponential delay in *operational time*, in which the rhythm runs at a constant rate
//! (a cluster pauses at night). A cluster has an address of its own, so an account's day stands alone.
//!
//! The rate of spontaneous events is set so that an account sends as many messages as under the session engine. One
//! rhythm (the mean of the weekdays' two) serves the delays of everybody. "For human dynamics memory is weak" (Goh and
//! Barabasi, EPL 2008): strong branching has more of it than real logs do, hence this is not the default.

use crate::WorldError;
use crate::engine::{MOST_MESSAGES, MOST_SESSIONS, Timing};
use crate::spec::{BehaviourSpec, Number, Rate};
use crate::stream::{Quantiles, Stream};
use crate::talk::{Post, Teller};
use equipoise_core::{DAY, HOUR};
use serde::{Deserialize, Serialize};

/// The Hawkes engine's parameters; read whatever engine is chosen, so that a switch changes one word.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HawkesSpec {
    /// Messages that one message begets on average; below 1.
    pub branching: Rate,
    /// Mean seconds until a begotten message, in operational time.
    pub decay_seconds: Number,
}

impl HawkesSpec {
    /// Checks that clusters are finite and delays positive.
    ///
    /// # Errors
    /// Names the setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        if self.branching.p() > 0.98 {
            return bad("hawkes.branching", "at most 0.98");
        }
        if !(self.decay_seconds.get() > 0.0 && self.decay_seconds.get().is_finite()) {
            return bad("hawkes.decay-seconds", "positive and finite");
        }
        Ok(())
    }
}

/// What the Hawkes engine needs of the world file.
#[derive(Clone, Debug)]
pub(crate) struct HawkesTiming {
    factor: f64,
    /// Mean of the day's factor in the session engine, so that both engines have equally many messages.
    mean_day: f64,
    /// Without a reply, and with one.
    branching: [f64; 2],
    delays: Quantiles,
    clock: Clock,
}

impl HawkesTiming {
    pub(crate) fn new(habits: &BehaviourSpec, spec: &HawkesSpec) -> Self {
        let reply = habits.reply_known.p() * (1.0 - habits.late_reply.p());
        let alone = |length: f64| 1.0 + length / 5.0;
        let mean = |length: f64| reply * length + (1.0 - reply) * alone(length);
        let length = 1.0 / (1.0 - spec.branching.p());
        let day = habits.day_sigma.get();
        let weights = std::array::from_fn(|hour| {
            habits.hours_minor_weekday.value[hour] + habits.hours_adult_weekday.value[hour]
        });
        Self {
            factor: mean(habits.conversation.get()) / mean(length),
            mean_day: libm::exp(day * day / 2.0),
            branching: [1.0 - 1.0 / alone(length), spec.branching.p()],
            delays: Quantiles::exponential(1_024, spec.decay_seconds.get()),
            clock: Clock::new(&weights),
        }
    }
}

impl Timing for HawkesTiming {
    const LONGEST: i32 = 20 * HOUR;

    fn sessions_factor(&self) -> f64 {
        self.factor
    }

    #[inline]
    fn sessions(&self, rate: f64, stream: &mut Stream) -> u32 {
        stream.poisson((rate * self.mean_day * self.factor).min(100.0)).min(MOST_SESSIONS)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn messages<P: Post>(
        &self,
        start: i32,
        replied: bool,
        mut stream: Stream,
        teller: &mut Teller<'_, P>,
    ) -> i32 {
        let branching = self.branching[usize::from(replied)];
        let mut times = vec![self.clock.operational(f64::from(start))];
        let mut parent = 0;
        while parent < times.len() && times.len() < MOST_MESSAGES {
            for _ in 0..stream.poisson(branching) {
                times.push(times[parent] + self.delays.of(stream.word()));
            }
            parent += 1;
        }
        times.sort_unstable_by(f64::total_cmp);
        let mut last = start;
        for (number, time) in times.iter().enumerate() {
            let second = (self.clock.real(*time) as i32).max(last);
            if second - start > Self::LONGEST {
                break;
            }
            teller.message(second, number == 0, (stream.word() >> 10) as u32 & 0x3F_FFFF);
            last = second;
        }
        last
    }
}

/// Operational time: seconds in which every hour has the same weight.
#[derive(Clone, Debug)]
struct Clock {
    /// Operational seconds of a day that lie before each hour; the last entry is a day.
    before: [f64; 25],
}

impl Clock {
    fn new(weights: &[f64; 24]) -> Self {
        // An hour without any weight would have no inverse.
        let total: f64 = weights.iter().map(|w| w.max(1e-9)).sum();
        let mut before = [0.0; 25];
        for hour in 0..24 {
            before[hour + 1] = before[hour] + f64::from(DAY) * weights[hour].max(1e-9) / total;
        }
        before[24] = f64::from(DAY);
        Self { before }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn operational(&self, second: f64) -> f64 {
        let day = libm::floor(second / f64::from(DAY)) * f64::from(DAY);
        let hour = ((second - day) / f64::from(HOUR)) as usize % 24;
        let part = (second - day) / f64::from(HOUR) - libm::floor((second - day) / f64::from(HOUR));
        day + self.before[hour] + part * (self.before[hour + 1] - self.before[hour])
    }

    #[allow(clippy::cast_precision_loss)]
    fn real(&self, operational: f64) -> f64 {
        let day = libm::floor(operational / f64::from(DAY)) * f64::from(DAY);
        let rest = operational - day;
        let hour = self.before[1..24].partition_point(|edge| *edge <= rest);
        let part = (rest - self.before[hour]) / (self.before[hour + 1] - self.before[hour]);
        day + f64::from(HOUR) * (hour as f64 + part)
    }
}
