//! An instant taken apart once per event: which day, which part of the day; and a week of daily counts.

use equipoise_core::{DAY, HOUR, SimTime};

/// An event's instant, with what every statistic asks about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Seconds of simulated time.
    pub(crate) at: i32,
    /// The day it falls in.
    pub(crate) day: i32,
    /// 22:00 to 06:00.
    pub(crate) off_hours: bool,
    /// Monday to Friday, 09:00 to 15:00.
    pub(crate) school_hours: bool,
}

impl Moment {
    pub(crate) const fn new(time: SimTime) -> Self {
        let day = time.day();
        let hour = (time.0 - day * DAY) / HOUR;
        Self {
            at: time.0,
            day,
            off_hours: hour >= 22 || hour < 6,
            school_hours: hour >= 9 && hour < 15 && day.rem_euclid(7) < 5,
        }
    }
}

/// The last calendar day that lies before a cut-off, wholly or in part.
pub(crate) const fn last_day(cutoff: SimTime) -> i32 {
    cutoff.plus(-1).day()
}

/// Counts of the latest seven calendar days on which something was added, saturating at 65,535.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Week([u16; 7]);

impl Week {
    /// Nothing yet.
    pub(crate) const ZERO: Self = Self([0; 7]);

    /// Adds `count` on `day`; `latest` is the day of the addition before, or `None` for the first.
    #[inline]
    pub(crate) fn add(&mut self, latest: Option<i32>, day: i32, count: u16) {
        let from = latest.map_or(day - 6, |latest| (latest + 1).max(day - 6));
        for stale in from..=day {
            self.0[slot(stale)] = 0;
        }
        let today = &mut self.0[slot(day)];
        *today = today.saturating_add(count);
    }

    /// What was added in the seven days that end with `last`; `latest` is the day of the latest addition.
    pub(crate) fn sum(&self, latest: i32, last: i32) -> f64 {
        (last - 6..=latest).map(|day| f64::from(self.0[slot(day)])).sum()
    }
}

#[inline]
#[allow(clippy::cast_sign_loss)] // rem_euclid(7) lies in 0..7
const fn slot(day: i32) -> usize {
    day.rem_euclid(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_hours_run_from_ten_in_the_evening_to_six() {
        let off = |hour| Moment::new(SimTime(hour * HOUR)).off_hours;
        assert!(off(22) && off(0) && off(5));
        assert!(!off(6) && !off(21));
    }

    #[test]
    fn school_hours_leave_out_the_weekend() {
        assert!(Moment::new(SimTime(9 * HOUR)).school_hours);
        assert!(!Moment::new(SimTime(15 * HOUR)).school_hours);
        assert!(!Moment::new(SimTime(5 * DAY + 9 * HOUR)).school_hours);
    }

    #[test]
    fn a_week_forgets_what_is_older_than_seven_days() {
        let mut week = Week::default();
        week.add(None, 3, 5);
        week.add(Some(3), 9, 2);
        assert!((week.sum(9, 9) - 7.0).abs() < 1e-12);
        assert!((week.sum(9, 10) - 2.0).abs() < 1e-12);
        week.add(Some(9), 30, 1);
        assert!((week.sum(30, 30) - 1.0).abs() < 1e-12);
        assert!(week.sum(30, 37) < 1e-12);
    }
}
