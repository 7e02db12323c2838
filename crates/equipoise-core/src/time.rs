//! Simulated time: seconds since the start of the observed window. Nothing here reads a clock.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Seconds in a minute.
pub const MINUTE: i32 = 60;
/// Seconds in an hour.
pub const HOUR: i32 = 3_600;
/// Seconds in a day.
pub const DAY: i32 = 86_400;
/// Seconds in a week.
pub const WEEK: i32 = 7 * DAY;

/// Seconds since the start of the observed window; negative before it (an older account). Day 0 is a Monday.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimTime(pub i32);

impl SimTime {
    /// The start of day `day`.
    #[must_use]
    pub const fn from_days(day: i32) -> Self {
        Self(day * DAY)
    }

    /// The day that this instant falls in (floor, also before the window).
    #[must_use]
    pub const fn day(self) -> i32 {
        self.0.div_euclid(DAY)
    }

    /// Seconds since midnight.
    #[must_use]
    pub const fn second_of_day(self) -> i32 {
        self.0.rem_euclid(DAY)
    }

    /// Hour of the day, 0..24.
    #[must_use]
    pub const fn hour(self) -> i32 {
        self.second_of_day() / HOUR
    }

    /// Whether the day is a Saturday or a Sunday.
    #[must_use]
    pub const fn is_weekend(self) -> bool {
        self.day().rem_euclid(7) >= 5
    }

    /// This instant moved by `seconds`, saturating at the ends of representable time.
    #[must_use]
    pub const fn plus(self, seconds: i32) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this instant (negative if it lies before).
    #[must_use]
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant in days, with its fraction.
    #[must_use]
    pub fn as_days(self) -> f64 {
        f64::from(self.0) / f64::from(DAY)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "day {} {:02}:{:02}", self.day(), self.hour(), (self.second_of_day() % HOUR) / MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_floored_before_the_window_too() {
        assert_eq!(SimTime(-1).day(), -1);
        assert_eq!(SimTime(-1).hour(), 23);
    }

    #[test]
    fn day_five_is_a_saturday() {
        assert!(SimTime::from_days(5).is_weekend());
        assert!(!SimTime::from_days(7).is_weekend());
    }
}
