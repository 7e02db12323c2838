//! What times ordinary behaviour: two engines behind one trait, chosen by the world file's generator.
//!
//! An engine answers two questions: how many sessions an account begins on a day, and when the messages of a conversation
//! come. Everything else (who, whom, media, replies, searches, recommendations) is the same under both, so that two
//! worlds differ in timing alone. Conversations of roles run through the engine too: timing tells nobody apart.

use crate::generator::Timing as Choice;
use crate::hawkes::HawkesTiming;
use crate::session::SessionTiming;
use crate::spec::WorldSpec;
use crate::stream::{Quantiles, Stream};
use crate::talk::{Post, Teller};
use equipoise_core::HOUR;

/// The laws of an engine: both answers are functions of the arguments alone; messages do not come before `start`, not in
/// disorder and not later than [`Timing::LONGEST`] after it.
pub(crate) trait Timing {
    /// Seconds after which a conversation is over in any case.
    const LONGEST: i32;

    /// Sessions for each session of the session engine, at equal numbers of messages. Whatever happens with some
    /// probability per session is divided by it, so that its daily rate stays.
    fn sessions_factor(&self) -> f64;

    /// How many sessions begin on one day of an account whose median day has `rate` of them.
    fn sessions(&self, rate: f64, stream: &mut Stream) -> u32;

    /// Tells the messages of a conversation that begins at `start`; returns the second of the last.
    fn messages<P: Post>(&self, start: i32, replied: bool, stream: Stream, teller: &mut Teller<'_, P>)
    -> i32;
}

/// More sessions than these do not fit into a day.
pub(crate) const MOST_SESSIONS: u32 = 60;
/// More messages than these do not fit into a conversation.
pub(crate) const MOST_MESSAGES: usize = 400;
/// No late reply comes later than this after the session that it answers.
pub(crate) const LATEST_REPLY: i32 = 48 * HOUR;

#[derive(Clone, Debug)]
enum Engine {
    Session(SessionTiming),
    Hawkes(HawkesTiming),
}

/// The engine of a world and what its conversations need besides.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    engine: Engine,
    /// Share of replies that come later.
    pub(crate) late: f64,
    /// Seconds until then.
    pub(crate) delays: Quantiles,
}

impl Pace {
    pub(crate) fn new(spec: &WorldSpec) -> Self {
        let habits = &spec.behaviour;
        let engine = match spec.generator.timing() {
            Choice::Session => Engine::Session(SessionTiming::new(habits)),
            Choice::Hawkes => Engine::Hawkes(HawkesTiming::new(habits, &spec.hawkes)),
        };
        let median = habits.late_reply_hours.get() * f64::from(HOUR);
        let delays = Quantiles::log_normal(4_096, median, 1.0, f64::from(LATEST_REPLY));
        Self { engine, late: habits.late_reply.p(), delays }
    }

    pub(crate) fn sessions_factor(&self) -> f64 {
        match &self.engine {
            Engine::Session(timing) => timing.sessions_factor(),
            Engine::Hawkes(timing) => timing.sessions_factor(),
        }
    }

    #[inline]
    pub(crate) fn sessions(&self, rate: f64, stream: &mut Stream) -> u32 {
        match &self.engine {
            Engine::Session(timing) => timing.sessions(rate, stream),
            Engine::Hawkes(timing) => timing.sessions(rate, stream),
        }
    }

    #[inline]
    pub(crate) fn messages<P: Post>(
        &self,
        start: i32,
        replied: bool,
        stream: Stream,
        teller: &mut Teller<'_, P>,
    ) -> i32 {
        match &self.engine {
            Engine::Session(timing) => timing.messages(start, replied, stream, teller),
            Engine::Hawkes(timing) => timing.messages(start, replied, stream, teller),
        }
    }

    /// Seconds after its start within which a session leaves every row but a late reply: two conversations, one after the
    /// other, and the pauses around them.
    pub(crate) const fn reach(&self) -> i32 {
        let longest = match &self.engine {
            Engine::Session(_) => SessionTiming::LONGEST,
            Engine::Hawkes(_) => HawkesTiming::LONGEST,
        };
        2 * longest + HOUR
    }

    /// Conversations of `length` messages on average, `gap` seconds apart, with late replies in share `late`.
    #[cfg(test)]
    pub(crate) fn for_test(length: f64, gap: f64, late: f64) -> Self {
        let engine = Engine::Session(SessionTiming::of([length, 0.0], [gap, 0.0], 1.0));
        Self { engine, late, delays: Quantiles::log_normal(2, 7_200.0, 0.0, 1e9) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rhythm::Rhythm;
    use crate::stream::Address;
    use crate::talk::{Part, Talk, tell};
    use equipoise_core::{DAY, Fraction, Seed, Surface};

    /// The second of every message of a conversation; of its first side alone, if so wished.
    struct Seconds {
        own: bool,
        found: Vec<i32>,
    }
    impl Post for Seconds {
        fn bucket(&self) -> i32 {
            1
        }
        fn messages(&mut self, time: i32, from: u32, _: u32, _: Surface, count: u16, _: u8) {
            self.found.extend((0..count).filter(|_| from == 0 || !self.own).map(|_| time));
        }
    }

    fn spec(hawkes: Option<f64>) -> WorldSpec {
        let mut spec: WorldSpec = toml::from_str(include_str!("../../../datasets/research.toml")).unwrap();
        if let Some(branching) = hawkes {
            spec.generator = crate::Generator::B;
            spec.hawkes.branching.value = Fraction::new(branching).unwrap();
        }
        spec
    }

    /// The message times of one account over 90 days.
    fn times(spec: &WorldSpec, account: u64, own: bool) -> Vec<i32> {
        let (pace, rhythm) = (Pace::new(spec), Rhythm::new(&spec.behaviour));
        let root = Address::new(Seed::root(5)).at(account);
        let mut post = Seconds { own, found: Vec::new() };
        for day in 0..90_i32 {
            let address = root.at(day.unsigned_abs().into());
            let mut stream = address.stream();
            for number in 0..u64::from(pace.sessions(1.0, &mut stream)) {
                let start = day * DAY + rhythm.second(false, day % 7 >= 5, &mut stream);
                let talk =
                    Talk { sides: [0, 1], media: [0.0; 2], start, reply: 0.75, surface: Surface::Direct };
                tell(&mut post, &pace, &talk, start, address.at(number), Part::All);
            }
        }
        post.found.sort_unstable();
        post.found
    }

    fn mean(of: &[f64]) -> f64 {
        of.iter().sum::<f64>() / of.len() as f64
    }

    /// Kim and Jo's burstiness for short trains (PRE 2016) and the memory coefficient (Goh and Barabasi, EPL 2008).
    fn burstiness_and_memory(times: &[i32]) -> [f64; 2] {
        let gaps: Vec<f64> = times.windows(2).map(|pair| f64::from(pair[1] - pair[0])).collect();
        let deviation =
            |of: &[f64]| mean(&of.iter().map(|x| (x - mean(of)).powi(2)).collect::<Vec<_>>()).sqrt();
        let (r, n) = (deviation(&gaps) / mean(&gaps), times.len() as f64);
        let b = ((n + 1.0).sqrt() * r - (n - 1.0).sqrt()) / (((n + 1.0).sqrt() - 2.0) * r + (n - 1.0).sqrt());
        let (one, two) = (&gaps[..gaps.len() - 1], &gaps[1..]);
        let (m1, m2) = (mean(one), mean(two));
        let product: Vec<f64> = one.iter().zip(two).map(|(a, b)| (a - m1) * (b - m2)).collect();
        [b, mean(&product) / (deviation(one) * deviation(two))]
    }

    /// Medians over 60 accounts, and the mean number of messages.
    fn median(spec: &WorldSpec, own: bool) -> [f64; 3] {
        let logs: Vec<Vec<i32>> = (0..60).map(|account| times(spec, account, own)).collect();
        let both: Vec<[f64; 2]> = logs.iter().map(|log| burstiness_and_memory(log)).collect();
        let middle = |at: usize| {
            let mut one: Vec<f64> = both.iter().map(|pair| pair[at]).collect();
            one.sort_unstable_by(f64::total_cmp);
            one[one.len() / 2]
        };
        [middle(0), middle(1), mean(&logs.iter().map(|log| log.len() as f64).collect::<Vec<_>>())]
    }

    #[test]
    fn sessions_are_bursty_with_little_memory() {
        let [burstiness, memory, _] = median(&spec(None), true);
        assert!((0.45..0.75).contains(&burstiness), "B_n {burstiness}");
        assert!(memory.abs() < 0.1, "M {memory}");
    }

    /// Both sides of the account's conversations, as a cluster is one process. Without a rhythm and for short delays
    /// B is (r - 1) / (r + 1) with r^2 = (1 + n) / (1 - n): .27, .50, .63; the design's experiment gave .35, .52, .63.
    #[test]
    fn burstiness_of_the_hawkes_engine_rises_with_its_branching() {
        let found = [0.5, 0.8, 0.9].map(|branching| median(&spec(Some(branching)), false));
        for ([burstiness, memory, _], want) in found.iter().zip([0.35, 0.52, 0.63]) {
            assert!((burstiness - want).abs() < 0.12, "B_n {burstiness}, not near {want}");
            assert!((-0.05..0.35).contains(memory), "M {memory}");
        }
        assert!(found[0][0] < found[1][0] && found[1][0] < found[2][0]);
    }

    /// Sixty accounts: the standard error is about 5 in 100 for the session engine's busy days. It cuts conversations at three
    /// hours and days at sixty sessions, which costs it a tenth of these; clusters are hardly cut.
    #[test]
    fn both_engines_send_equally_many_messages() {
        let [_, _, session] = median(&spec(None), false);
        for branching in [0.5, 0.9] {
            let [_, _, hawkes] = median(&spec(Some(branching)), false);
            assert!((hawkes / session - 1.1).abs() < 0.2, "{hawkes} against {session}");
        }
    }
}
