//! One conversation: who, on which surface, who answers, which rows it leaves. *When* its messages come is the engine's
//! ([`crate::engine`]). Messages of one bucket of time and one direction are one row, here already.
//! A late reply may come without a session of its own (from a notification).

use crate::engine::Pace;
use crate::stream::Address;
use equipoise_core::{CounterRng, Draw, Surface};

/// Takes the message rows of a conversation.
pub(crate) trait Post {
    /// Seconds of a bucket of time.
    fn bucket(&self) -> i32;

    /// `count` messages within the bucket of `time`, `media` of them with media.
    fn messages(&mut self, time: i32, from: u32, to: u32, surface: Surface, count: u16, media: u8);
}

/// One conversation to be; the first side starts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    pub(crate) sides: [u32; 2],
    pub(crate) media: [f64; 2],
    pub(crate) start: i32,
    pub(crate) reply: f64,
    pub(crate) surface: Surface,
}

/// Media flags are drawn with 21 bits.
const MEDIA_BITS: u32 = 21;

/// Counts messages into rows.
#[derive(Debug)]
pub(crate) struct Teller<'a, P> {
    post: &'a mut P,
    talk: &'a Talk,
    odds: [u32; 2],
    replied: bool,
    bucket: i32,
    from: i32,
    counts: [u16; 2],
    media: [u8; 2],
}

impl<'a, P: Post> Teller<'a, P> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn new(post: &'a mut P, talk: &'a Talk, replied: bool) -> Self {
        let bucket = post.bucket();
        let odds = talk.media.map(|share| (share * f64::from(1_u32 << MEDIA_BITS)) as u32);
        let from = talk.start - talk.start % bucket;
        Self { post, talk, odds, replied, bucket, from, counts: [0; 2], media: [0; 2] }
    }

    /// The next message, at a second that is not before the one before. Of `bits`, 22 choose its side and its media flag.
    #[inline]
    pub(crate) fn message(&mut self, second: i32, first: bool, bits: u32) {
        if second - self.from >= self.bucket {
            self.flush();
            self.from = second - second % self.bucket;
        }
        let side = (bits as usize & 1) & usize::from(self.replied && !first);
        self.counts[side] += 1;
        let flag = u8::from((bits >> 1) & ((1 << MEDIA_BITS) - 1) < self.odds[side]);
        self.media[side] = self.media[side].saturating_add(flag);
    }

    #[inline]
    fn flush(&mut self) {
        for side in 0..2 {
            if self.counts[side] > 0 {
                let (from, to) = (self.talk.sides[side], self.talk.sides[1 - side]);
                self.post.messages(
                    self.from,
                    from,
                    to,
                    self.talk.surface,
                    self.counts[side],
                    self.media[side],
                );
            }
        }
        (self.counts, self.media) = ([0; 2], [0; 2]);
    }
}

/// Which rows of a conversation are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    All,
    /// A reply that came late, hours or days after: what a later window needs of an earlier day.
    Late,
}

/// Writes the rows of a conversation and returns when it ended; a late reply counts from `since`.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn tell<P: Post>(
    post: &mut P,
    pace: &Pace,
    talk: &Talk,
    since: i32,
    address: Address,
    part: Part,
) -> i32 {
    let mut head = address.stream();
    let answered = head.chance(talk.reply);
    let late = head.chance(pace.late) && answered;
    let replied = answered && !late;
    if late {
        let at = since.saturating_add(pace.delays.of(head.word()) as i32);
        let count = head.geometric(2.0).min(50) as u16;
        post.messages(at, talk.sides[1], talk.sides[0], talk.surface, count, 0);
    }
    if part == Part::Late {
        return talk.start;
    }
    let mut teller = Teller::new(post, talk, replied);
    let end = pace.messages(talk.start, replied, address.at(0).stream(), &mut teller);
    teller.flush();
    end
}

/// Writes a conversation that a role's own stream addresses.
pub(crate) fn converse<P: Post>(post: &mut P, rng: &mut CounterRng, pace: &Pace, talk: &Talk) -> i32 {
    tell(post, pace, talk, talk.start, Address::from_word(rng.uniform().to_bits()), Part::All)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Outbox;
    use equipoise_core::{AccountId, Seed, SimTime};

    #[test]
    fn messages_of_one_bucket_and_direction_become_one_row() {
        let mut outbox = Outbox::new(3_600);
        let pace = Pace::for_test(8.0, 1.0, 0.0);
        let talk =
            Talk { sides: [3, 4], media: [1.0, 0.0], start: 7_200, reply: 1.0, surface: Surface::Direct };
        converse(&mut outbox, &mut Seed::root(4).rng(), &pace, &talk);
        let rows = outbox.intents;
        assert!(!rows.is_empty() && rows.len() <= 2 && rows.iter().all(|row| row.time == SimTime(7_200)));
        for row in rows {
            assert_eq!(u16::from(row.media), if row.actor == AccountId(3) { row.count } else { 0 });
        }
    }
}
