//! Intents wait here until their tick. A ring over ticks, whose buffers are used again. What several tasks intend side by
//! side is collected in an [`Outbox`] each; the order in which outboxes are emptied means nothing, since a tick sorts its intents.

use crate::talk::Post;
use equipoise_core::{AccountId, Event, EventKind, FoundBy, SimTime, Surface};

const RING: i32 = 128;

/// Intents of one platform by tick, times floored to the platform's bucket.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    ring: Vec<Vec<Event>>,
    pub(crate) bucket: i32,
    tick_seconds: i32,
    now: i32,
    end: i32,
}

impl Queue {
    pub(crate) fn new(bucket: i32, tick_seconds: i32, end: i32) -> Self {
        Self { ring: vec![Vec::new(); RING as usize], bucket, tick_seconds, now: 0, end }
    }

    /// Floors to the bucket.
    pub(crate) const fn floor(&self, time: i32) -> i32 {
        time - time.rem_euclid(self.bucket)
    }

    /// The start of the first bucket that begins at `time` or later.
    pub(crate) const fn ceil(&self, time: i32) -> i32 {
        self.floor(time - 1) + self.bucket
    }

    /// Takes the intents of tick `tick` in exchange for an empty buffer, and moves the clock to the next tick.
    #[allow(clippy::cast_sign_loss)]
    pub(crate) fn take(&mut self, tick: i32, empty: Vec<Event>) -> Vec<Event> {
        self.now = tick + 1;
        std::mem::replace(&mut self.ring[(tick % RING) as usize], empty)
    }

    /// Puts an intent where it belongs; one that lies in the past moves to now, one beyond the window is dropped.
    #[allow(clippy::cast_sign_loss)]
    pub(crate) fn push(&mut self, mut event: Event) {
        let time = self.floor(event.time.0.max(self.now * self.tick_seconds));
        let tick = time / self.tick_seconds;
        if time >= self.end || tick >= self.now + RING {
            return;
        }
        event.time = SimTime(time);
        self.ring[(tick % RING) as usize].push(event);
    }

    /// An intent without counts.
    pub(crate) fn plain(&mut self, time: i32, actor: u32, peer: u32, kind: EventKind) {
        self.push(Event::new(SimTime(time), AccountId(actor), AccountId(peer), kind));
    }
}

/// Intents of one platform on their way to its queue.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    bucket: i32,
    pub(crate) intents: Vec<Event>,
}

impl Outbox {
    /// An empty one of a platform with this bucket of time.
    pub(crate) const fn new(bucket: i32) -> Self {
        Self { bucket, intents: Vec::new() }
    }

    /// An intent without counts.
    pub(crate) fn plain(&mut self, time: i32, actor: u32, peer: u32, kind: EventKind) {
        self.intents.push(Event::new(SimTime(time), AccountId(actor), AccountId(peer), kind));
    }
}

impl Outbox {
    /// A contact request, with how its target was found.
    pub(crate) fn request(&mut self, time: i32, actor: u32, peer: u32, found_by: FoundBy) {
        let mut event =
            Event::new(SimTime(time), AccountId(actor), AccountId(peer), EventKind::ContactRequest);
        event.detail = found_by as u8;
        self.intents.push(event);
    }
}

/// An outbox that takes messages with media alone, and of those what `matters` by its time and sides.
#[derive(Debug)]
pub(crate) struct MediaAlone<'a, M> {
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) matters: M,
}

impl<M: Fn(i32, u32, u32) -> bool> Post for MediaAlone<'_, M> {
    fn bucket(&self) -> i32 {
        self.outbox.bucket
    }

    fn messages(&mut self, time: i32, from: u32, to: u32, surface: Surface, count: u16, media: u8) {
        if media > 0 && (self.matters)(time, from, to) {
            self.outbox.messages(time, from, to, surface, count, media);
        }
    }
}

impl Post for Outbox {
    fn bucket(&self) -> i32 {
        self.bucket
    }

    fn messages(&mut self, time: i32, from: u32, to: u32, surface: Surface, count: u16, media: u8) {
        let mut event = Event::new(SimTime(time), AccountId(from), AccountId(to), EventKind::Message);
        event.surface = surface;
        event.count = count;
        event.media = media;
        self.intents.push(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_at_the_start_of_a_bucket_holds_in_that_bucket() {
        let queue = Queue::new(300, 21_600, 86_400);
        assert_eq!([599, 600, 601].map(|time| queue.ceil(time)), [600, 600, 900]);
    }

    #[test]
    fn an_intent_waits_for_its_tick_at_the_start_of_its_bucket() {
        let mut queue = Queue::new(300, 21_600, 86_400);
        queue.plain(21_700, 1, 2, EventKind::ContactRequest);
        queue.plain(90_000, 1, 2, EventKind::ContactRequest);
        assert!(queue.take(0, Vec::new()).is_empty());
        // What comes too late for its tick moves to the present one.
        queue.plain(5, 3, 4, EventKind::Block);
        let events = queue.take(1, Vec::new());
        assert_eq!(events.iter().map(|e| e.time.0).collect::<Vec<_>>(), [21_600, 21_600]);
        assert!(queue.take(2, Vec::new()).is_empty() && queue.take(3, Vec::new()).is_empty());
    }
}
