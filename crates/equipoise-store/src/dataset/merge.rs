//! The order of a published log, and what becomes of two rows with one key.
//!
//! A dyad whose accounts lie in two blocks has one owner, which writes the rows of both sides; so the parts of a week may
//! hold the same key twice. Law: merging is associative and does not depend on order, so blocks may be generated apart, in
//! any order, and read in any order. It is the rule by which the simulated world merges rows of one tick.

use equipoise_core::{Event, EventKind};

/// When, who, whom, what, where: two rows of a log with equal keys are one row. One number, since comparing tuples is what
/// sorting would spend its time on.
const fn key(first: u32, second: u32, event: &Event) -> u128 {
    let rest = ((event.peer.0 as u64) << 16) | ((event.kind.code() as u64) << 8) | event.surface as u64;
    ((first as u128) << 96) | ((second as u128) << 64) | rest as u128
}

/// Time as an unsigned number of the same order, also before the window.
const fn unsigned(event: &Event) -> u32 {
    event.time.0.cast_unsigned() ^ (1 << 31)
}

/// The order of a log: by time, then actor, peer, kind, surface.
#[must_use]
pub(crate) const fn log_key(event: &Event) -> u128 {
    key(unsigned(event), event.actor.0, event)
}

/// The order inside a part: by account, then as in the log. Neighbouring rows are alike, so they pack better.
#[must_use]
const fn part_key(event: &Event) -> u128 {
    key(event.actor.0, unsigned(event), event)
}

/// Takes `next`, which has the key of `kept`, into it: counts and media of messages add up (and stop at the type's end), of
/// anything else the larger values stay, and a number of mutual contacts that somebody saw stays before an unseen one.
pub(crate) fn absorb(kept: &mut Event, next: &Event) {
    if kept.kind == EventKind::Message {
        kept.count = kept.count.saturating_add(next.count);
        kept.media = kept.media.saturating_add(next.media);
    } else {
        kept.count = kept.count.max(next.count);
        kept.media = kept.media.max(next.media);
    }
    kept.detail = kept.detail.max(next.detail);
    kept.mutuals = seen(kept.mutuals, next.mutuals);
}

fn seen(a: u8, b: u8) -> u8 {
    match (a, b) {
        (Event::UNSEEN, other) | (other, Event::UNSEEN) => other,
        _ => a.max(b),
    }
}

/// Puts rows into the order of the log and merges equal keys.
pub fn tidy_log(events: &mut Vec<Event>) {
    events.sort_unstable_by_key(log_key);
    merge_neighbours(events);
}

/// Puts rows into the order of a part and merges equal keys.
pub(crate) fn tidy_part(events: &mut Vec<Event>) {
    events.sort_unstable_by_key(part_key);
    merge_neighbours(events);
}

fn merge_neighbours(events: &mut Vec<Event>) {
    events.dedup_by(|next, kept| {
        let same = log_key(next) == log_key(kept);
        if same {
            absorb(kept, next);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{AccountId, SimTime, Surface};
    use proptest::prelude::*;

    fn event(kind: EventKind, count: u16, media: u8, mutuals: u8, detail: u8) -> Event {
        let plain = Event::new(SimTime(300), AccountId(1), AccountId(2), kind);
        Event { count, media, mutuals, detail, ..plain }
    }

    #[test]
    fn messages_add_up_and_other_kinds_keep_the_larger() {
        let mut log = vec![
            event(EventKind::Message, 3, 1, Event::UNSEEN, 0),
            event(EventKind::Call, 7, 0, Event::UNSEEN, 0),
            event(EventKind::Message, 4, 1, Event::UNSEEN, 0),
            event(EventKind::Call, 5, 0, Event::UNSEEN, 0),
        ];
        tidy_log(&mut log);
        assert_eq!(
            log,
            [
                event(EventKind::Message, 7, 2, Event::UNSEEN, 0),
                event(EventKind::Call, 7, 0, Event::UNSEEN, 0)
            ]
        );
    }

    #[test]
    fn the_key_of_a_log_orders_as_its_parts_do() {
        let tuple = |e: &Event| (e.time, e.actor, e.peer, e.kind, e.surface);
        let base = event(EventKind::Message, 1, 0, Event::UNSEEN, 0);
        let rows = [
            base,
            Event { time: SimTime(-300), ..base },
            Event { time: SimTime(i32::MAX), ..base },
            Event { actor: AccountId(u32::MAX), ..base },
            Event { peer: AccountId::NONE, ..base },
            Event { kind: EventKind::Report, ..base },
            Event { surface: Surface::Lobby, ..base },
        ];
        for (a, b) in rows.iter().flat_map(|a| rows.iter().map(move |b| (a, b))) {
            assert_eq!(log_key(a).cmp(&log_key(b)), tuple(a).cmp(&tuple(b)), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_seen_number_of_mutual_contacts_stays() {
        let mut log = vec![
            event(EventKind::ContactRequest, 1, 0, Event::UNSEEN, 0),
            event(EventKind::ContactRequest, 1, 0, 3, 0),
        ];
        tidy_log(&mut log);
        assert_eq!(log[0].mutuals, 3);
    }

    #[test]
    fn rows_that_differ_in_any_part_of_the_key_stay_apart() {
        let base = event(EventKind::Message, 1, 0, Event::UNSEEN, 0);
        let mut log = vec![
            base,
            Event { time: SimTime(600), ..base },
            Event { actor: AccountId(5), ..base },
            Event { peer: AccountId(6), ..base },
            Event { kind: EventKind::Call, ..base },
            Event { surface: Surface::Group, ..base },
        ];
        tidy_log(&mut log);
        assert_eq!(log.len(), 6);
    }

    proptest! {
        #[test]
        fn the_order_of_merging_does_not_matter(
            rows in prop::collection::vec((0_usize..3, 0_u16..40_000, 0_u8..200, any::<u8>(), 0_u8..2), 1..12),
            turn in 0_usize..12,
        ) {
            let kinds = [EventKind::Message, EventKind::ContactRequest, EventKind::Report];
            let mut one: Vec<Event> = rows.iter().map(|&(k, c, m, u, d)| event(kinds[k], c, m, u, d)).collect();
            let mut other = one.clone();
            other.rotate_left(turn % one.len());
            other.reverse();
            // Merged in two halves first, as two blocks would be.
            let mut half = other.split_off(other.len() / 2);
            tidy_part(&mut other);
            tidy_part(&mut half);
            other.append(&mut half);
            tidy_log(&mut one);
            tidy_log(&mut other);
            prop_assert_eq!(one, other);
        }
    }
}
