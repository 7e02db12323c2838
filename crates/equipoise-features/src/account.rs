//! What an account does without another side: sessions, searches, joining groups, profile changes.

use crate::dyad::NEVER;
use crate::moment::{Moment, Week};
use equipoise_core::{DAY, Event, EventKind, Surface};

/// Running statistics of one account's own events without a contact. Small counts saturate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OwnActivity {
    /// Sum of squared gaps between session openings, seconds squared.
    pub(crate) gap_squares: f64,
    /// Sum of these gaps.
    pub(crate) gap_sum: u32,
    /// Seconds between an opening and the closing after it.
    pub(crate) session_seconds: u32,
    /// The latest event of any own kind.
    last: i32,
    /// The latest opening.
    pub(crate) last_open: i32,
    /// Whether the latest session is still open.
    open: bool,
    pub(crate) sessions: u16,
    pub(crate) off_hours_sessions: u16,
    /// Days with an own event.
    pub(crate) days: u16,
    pub(crate) searches: u16,
    pub(crate) group_joins: u16,
    pub(crate) lobby_joins: u16,
    pub(crate) profile_changes: u16,
    pub(crate) week: Week,
}

impl OwnActivity {
    /// An account that has done nothing.
    pub(crate) const EMPTY: Self = Self {
        gap_squares: 0.0,
        gap_sum: 0,
        session_seconds: 0,
        last: NEVER,
        last_open: NEVER,
        open: false,
        sessions: 0,
        off_hours_sessions: 0,
        days: 0,
        searches: 0,
        group_joins: 0,
        lobby_joins: 0,
        profile_changes: 0,
        week: Week::ZERO,
    };

    /// Adds one event without a contact.
    #[inline]
    pub(crate) fn add(&mut self, event: &Event, now: Moment) {
        if self.last == NEVER || self.last.div_euclid(DAY) != now.day {
            bump(&mut self.days);
        }
        self.last = now.at;
        match event.kind {
            EventKind::SessionOpen => self.open(now),
            EventKind::SessionClose => self.close(now),
            EventKind::Search => bump(&mut self.searches),
            EventKind::ProfileChange => bump(&mut self.profile_changes),
            EventKind::GroupJoin if event.surface == Surface::Lobby => bump(&mut self.lobby_joins),
            EventKind::GroupJoin => bump(&mut self.group_joins),
            _ => {}
        }
    }

    #[inline]
    #[allow(clippy::cast_sign_loss)] // time never runs backwards in a log
    fn open(&mut self, now: Moment) {
        if self.last_open != NEVER {
            let gap = now.at - self.last_open;
            self.gap_sum = self.gap_sum.saturating_add(gap as u32);
            self.gap_squares += f64::from(gap) * f64::from(gap);
        }
        let latest = (self.last_open != NEVER).then(|| self.last_open.div_euclid(DAY));
        self.week.add(latest, now.day, 1);
        self.last_open = now.at;
        self.open = true;
        bump(&mut self.sessions);
        if now.off_hours {
            bump(&mut self.off_hours_sessions);
        }
    }

    #[inline]
    #[allow(clippy::cast_sign_loss)]
    fn close(&mut self, now: Moment) {
        if self.open {
            self.session_seconds = self.session_seconds.saturating_add((now.at - self.last_open) as u32);
            self.open = false;
        }
    }
}

#[inline]
fn bump(value: &mut u16) {
    *value = value.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{AccountId, SimTime};

    #[test]
    fn sessions_and_days_by_hand() {
        let mut own = OwnActivity::EMPTY;
        let kinds =
            [(0, EventKind::SessionOpen), (90, EventKind::SessionClose), (DAY, EventKind::SessionOpen)];
        for (time, kind) in kinds {
            let time = SimTime(time);
            own.add(&Event::new(time, AccountId(0), AccountId::NONE, kind), Moment::new(time));
        }
        assert_eq!((own.sessions, own.off_hours_sessions, own.days, own.session_seconds), (2, 2, 2, 90));
        assert_eq!(own.gap_sum, 86_400);
    }
}
