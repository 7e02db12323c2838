//! What one account's events with one sampled contact add up to. About 120 bytes, no allocation; small counts saturate.
//!
//! Index 0 of a pair is the own side, index 1 the contact's side. A *reply* is a message after one of the other side
//! within two days; a dyad is *opened* by a message after six hours of silence; a *turn* is a run of one side's messages.

use crate::moment::{Moment, Week};
use equipoise_core::{DAY, Event, EventKind, HOUR, MINUTE, ReportCategory, Surface};

/// Stands for "never happened".
pub(crate) const NEVER: i32 = i32::MIN;

/// The upper ends of the reply-gap buckets but the last, in seconds.
pub(crate) const GAP_EDGES: [i32; 5] = [5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR, DAY];
/// After this silence the next message opens the dyad again.
pub(crate) const OPEN_AFTER: i32 = 6 * HOUR;
/// A message later than this is no reply.
pub(crate) const REPLY_WITHIN: i32 = 2 * DAY;

/// The running statistics of one dyad from one side.
/// Two whole cache lines, never three.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub(crate) struct Dyad {
    /// Sum of squared gaps between own message events, in seconds squared: an exact integer in an `f64`.
    pub(crate) gap_squares: f64,
    /// Sum of these gaps.
    pub(crate) gap_sum: u32,
    /// The first request, message, call or invite of either side; an answer begins nothing, even if the bucket of time
    /// lists it first.
    pub(crate) began: i32,
    /// First and latest message of either side.
    pub(crate) first_message: i32,
    pub(crate) last_message: i32,
    /// Latest own message.
    pub(crate) last_out: i32,
    pub(crate) messages: [u16; 2],
    pub(crate) media: [u16; 2],
    /// Own message events (buckets), against the messages in them.
    pub(crate) buckets_out: u16,
    pub(crate) off_hours_out: u16,
    pub(crate) school_hours_out: u16,
    pub(crate) group_out: u16,
    pub(crate) lobby_out: u16,
    pub(crate) call_minutes: u16,
    /// Days with a message of either side.
    pub(crate) days: u16,
    pub(crate) opens: [u16; 2],
    pub(crate) turns: [u16; 2],
    pub(crate) replies: [u16; 2],
    /// Reply gaps of each side by [`GAP_EDGES`].
    pub(crate) gaps: [[u16; 6]; 2],
    pub(crate) week_out: Week,
    pub(crate) requests: [u8; 2],
    pub(crate) accepts: [u8; 2],
    pub(crate) declines: [u8; 2],
    pub(crate) invites: [u8; 2],
    /// How often the platform recommended the contact to the own side, after the contact had begun.
    pub(crate) exposures: u8,
    pub(crate) blocks: [u8; 2],
    pub(crate) mutes: [u8; 2],
    pub(crate) reports: [u8; 2],
    pub(crate) safety_reports: [u8; 2],
    /// Mutual contacts at the first own request.
    pub(crate) mutuals: u8,
    /// Side of the latest message; 2 before any.
    pub(crate) last_side: u8,
    /// Side that began; 2 before that.
    pub(crate) began_by: u8,
    /// Whether the own side did anything that forms a contact.
    pub(crate) turned: bool,
}

/// Whether an event of `kind` makes a contact out of two accounts. Never a recommendation (the platform's act) and never
/// a block, mute or report, so that the sample is the same with and without the label-adjacent group.
#[inline]
pub(crate) const fn forms_contact(kind: EventKind) -> bool {
    use EventKind as K;
    matches!(
        kind,
        K::ContactRequest | K::ContactAccept | K::ContactDecline | K::Message | K::Call | K::GroupInvite
    )
}

/// Whether an event of `kind` is a first step rather than an answer.
#[inline]
pub(crate) const fn begins_contact(kind: EventKind) -> bool {
    forms_contact(kind) && !matches!(kind, EventKind::ContactAccept | EventKind::ContactDecline)
}

impl Dyad {
    /// A dyad without events.
    pub(crate) const EMPTY: Self = Self {
        gap_squares: 0.0,
        gap_sum: 0,
        began: NEVER,
        first_message: NEVER,
        last_message: NEVER,
        last_out: NEVER,
        messages: [0; 2],
        media: [0; 2],
        buckets_out: 0,
        off_hours_out: 0,
        school_hours_out: 0,
        group_out: 0,
        lobby_out: 0,
        call_minutes: 0,
        days: 0,
        opens: [0; 2],
        turns: [0; 2],
        replies: [0; 2],
        gaps: [[0; 6]; 2],
        week_out: Week::ZERO,
        requests: [0; 2],
        accepts: [0; 2],
        declines: [0; 2],
        invites: [0; 2],
        exposures: 0,
        blocks: [0; 2],
        mutes: [0; 2],
        reports: [0; 2],
        safety_reports: [0; 2],
        mutuals: Event::UNSEEN,
        last_side: 2,
        began_by: 2,
        turned: false,
    };

    /// Adds one event; `side` is 0 if it was the own side's.
    #[inline]
    pub(crate) fn add(&mut self, event: &Event, now: Moment, side: usize) {
        self.turned |= side == 0 && forms_contact(event.kind);
        if self.began_by == 2 && begins_contact(event.kind) {
            self.began = now.at;
            self.began_by = u8::from(side == 1);
        }
        match event.kind {
            EventKind::Message => self.message(event, now, side),
            EventKind::Call => bump_by(&mut self.call_minutes, event.count),
            EventKind::ContactRequest => {
                if side == 0 && self.requests[0] == 0 {
                    self.mutuals = event.mutuals;
                }
                bump(&mut self.requests[side]);
            }
            EventKind::ContactAccept => bump(&mut self.accepts[side]),
            EventKind::ContactDecline => bump(&mut self.declines[side]),
            EventKind::GroupInvite => bump(&mut self.invites[side]),
            EventKind::Exposure if side == 0 => bump(&mut self.exposures),
            EventKind::Block => bump(&mut self.blocks[side]),
            EventKind::Mute => bump(&mut self.mutes[side]),
            EventKind::Report => {
                bump(&mut self.reports[side]);
                if event.detail == ReportCategory::ChildSafety as u8 {
                    bump(&mut self.safety_reports[side]);
                }
            }
            _ => {}
        }
    }

    #[inline]
    fn message(&mut self, event: &Event, now: Moment, side: usize) {
        self.turn(now, side);
        if self.last_message == NEVER || now.at - now.at.rem_euclid(DAY) > self.last_message {
            bump_by(&mut self.days, 1);
        }
        if self.first_message == NEVER {
            self.first_message = now.at;
        }
        self.last_message = now.at;
        self.last_side = u8::from(side == 1);
        bump_by(&mut self.messages[side], event.count);
        bump_by(&mut self.media[side], u16::from(event.media).min(event.count));
        if side == 0 {
            self.own_message(event, now);
        }
    }

    /// Who opened, who replied and after how long.
    #[inline]
    fn turn(&mut self, now: Moment, side: usize) {
        let gap = if self.last_message == NEVER { i32::MAX } else { now.at - self.last_message };
        let other_side = self.last_side != 2 && usize::from(self.last_side) != side;
        if gap > OPEN_AFTER {
            bump_by(&mut self.opens[side], 1);
        }
        if gap > OPEN_AFTER || other_side {
            bump_by(&mut self.turns[side], 1);
        }
        if other_side && gap <= REPLY_WITHIN {
            bump_by(&mut self.replies[side], 1);
            bump_by(&mut self.gaps[side][gap_bucket(gap)], 1);
        }
    }

    #[inline]
    #[allow(clippy::cast_sign_loss)] // time never runs backwards in a log
    fn own_message(&mut self, event: &Event, now: Moment) {
        if self.last_out != NEVER {
            let gap = now.at - self.last_out;
            self.gap_sum = self.gap_sum.saturating_add(gap as u32);
            self.gap_squares += f64::from(gap) * f64::from(gap);
        }
        let latest = (self.last_out != NEVER).then(|| self.last_out.div_euclid(DAY));
        self.week_out.add(latest, now.day, event.count);
        self.last_out = now.at;
        bump_by(&mut self.buckets_out, 1);
        bump_by(&mut self.off_hours_out, if now.off_hours { event.count } else { 0 });
        bump_by(&mut self.school_hours_out, if now.school_hours { event.count } else { 0 });
        match event.surface {
            Surface::Direct => {}
            Surface::Group => bump_by(&mut self.group_out, event.count),
            Surface::Lobby => bump_by(&mut self.lobby_out, event.count),
        }
    }
}

/// The bucket of a reply gap in seconds.
#[inline]
pub(crate) fn gap_bucket(gap: i32) -> usize {
    GAP_EDGES.iter().filter(|&&edge| gap > edge).count()
}

#[inline]
fn bump(value: &mut u8) {
    *value = value.saturating_add(1);
}

#[inline]
fn bump_by(value: &mut u16, by: u16) {
    *value = value.saturating_add(by);
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{AccountId, SimTime};

    fn message(time: i32) -> Event {
        Event::new(SimTime(time), AccountId(0), AccountId(1), EventKind::Message)
    }

    fn dyad(messages: &[(i32, usize)]) -> Dyad {
        let mut dyad = Dyad::EMPTY;
        for &(time, side) in messages {
            dyad.add(&message(time), Moment::new(SimTime(time)), side);
        }
        dyad
    }

    /// Own at 0 s, answered after 10 min, own again after 1 min, silence of 7 h, then the contact opens.
    #[test]
    fn turns_opens_and_replies_by_hand() {
        let dyad = dyad(&[(0, 0), (600, 1), (660, 0), (660 + 7 * HOUR, 1)]);
        assert_eq!(dyad.opens, [1, 1]);
        assert_eq!(dyad.turns, [2, 2]);
        assert_eq!(dyad.replies, [1, 2]);
        assert_eq!(dyad.gaps, [[1, 0, 0, 0, 0, 0], [0, 1, 0, 1, 0, 0]]);
        assert_eq!((dyad.gap_sum, dyad.days), (660, 1));
    }

    #[test]
    fn a_day_counts_once() {
        assert_eq!(dyad(&[(10, 0), (DAY - 1, 1), (DAY, 0), (DAY + 5, 0), (3 * DAY, 0)]).days, 3);
    }

    #[test]
    fn a_dyad_stays_small() {
        assert!(size_of::<Dyad>() <= 128, "{}", size_of::<Dyad>());
    }
}
