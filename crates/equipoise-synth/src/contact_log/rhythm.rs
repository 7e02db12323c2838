//! The hours of the day and the days of the week at which a whole log is active.

use super::ContactLog;
use serde::Serialize;

const HOUR: i64 = 3_600;
const WEEK: i64 = 168 * HOUR;

/// Shares of rows by hour and weekday, each sum 1.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rhythm {
    /// By hour of the day.
    pub hours: [f64; 24],
    /// By day of the week, Monday first.
    pub days: [f64; 7],
    /// The emptiest hour's share over the fullest hour's.
    pub trough_to_peak: f64,
    /// The emptiest hour.
    pub trough_hour: usize,
    /// The fullest hour.
    pub peak_hour: usize,
    /// The weekend's share of a day over the weekdays' share of a day.
    pub weekend_to_weekday: f64,
    /// Rows per hour of the week (Monday 0 h first) and hour of observation, for controls.
    #[serde(skip)]
    pub(crate) rates: Vec<f64>,
}

impl Rhythm {
    /// The rhythm of a log on whose clock `monday` is some Monday's midnight; `None` without rows.
    #[must_use]
    pub fn of(log: &ContactLog, monday: i64) -> Option<Self> {
        let (first, last) = log.span()?;
        let mut counts = vec![0_u64; 168];
        for row in log.rows() {
            counts[hour_of_week(row.time, monday)] += 1;
        }
        let total = log.rows().len() as f64;
        let (mut hours, mut days) = ([0.0; 24], [0.0; 7]);
        for (hour, &count) in counts.iter().enumerate() {
            hours[hour % 24] += count as f64 / total;
            days[hour / 24] += count as f64 / total;
        }
        let by = |a: &usize, b: &usize| hours[*a].total_cmp(&hours[*b]);
        let (trough, peak) = ((0..24).min_by(by)?, (0..24).max_by(by)?);
        let exposure = exposure(first, last + log.resolution(), monday);
        let rates =
            counts.iter().zip(exposure).map(|(&n, e)| if e > 0.0 { n as f64 / e } else { 0.0 }).collect();
        let weekdays = days[..5].iter().sum::<f64>() / 5.0;
        Some(Self {
            trough_to_peak: hours[trough] / hours[peak],
            trough_hour: trough,
            peak_hour: peak,
            weekend_to_weekday: if weekdays > 0.0 { (days[5] + days[6]) / 2.0 / weekdays } else { 0.0 },
            hours,
            days,
            rates,
        })
    }
}

/// Which of the week's 168 hours a time falls in.
pub(crate) fn hour_of_week(time: i64, monday: i64) -> usize {
    (time - monday).rem_euclid(WEEK).div_euclid(HOUR) as usize
}

/// Hours for which each hour of the week was observed in `from..to`.
fn exposure(from: i64, to: i64, monday: i64) -> Vec<f64> {
    let mut hours = vec![0.0; 168];
    let mut at = from;
    while at < to {
        let end = (at - (at - monday).rem_euclid(HOUR) + HOUR).min(to);
        hours[hour_of_week(at, monday)] += (end - at) as f64 / HOUR as f64;
        at = end;
    }
    hours
}

/// The Kolmogorov-Smirnov distance of two distributions over the same ordered classes (here hours from midnight): the
/// largest difference of their cumulative shares. Both are normalised first; 0 if either is empty.
#[must_use]
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    let (all_a, all_b) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    if all_a <= 0.0 || all_b <= 0.0 {
        return 0.0;
    }
    let (mut gap, mut largest) = (0.0_f64, 0.0_f64);
    for (x, y) in a.iter().zip(b) {
        gap += x / all_a - y / all_b;
        largest = largest.max(gap.abs());
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_log_worked_by_hand() {
        // Monday 0 h, Monday 1 h twice, Sunday 1 h; the clock's Monday lies at -86,400.
        let monday = -86_400;
        let time: Vec<i64> = [0, HOUR, HOUR + 5, 6 * 24 * HOUR + HOUR].iter().map(|t| t + monday).collect();
        let log = ContactLog::new(&[0, 0, 1, 1], &[1, 1, 0, 0], &time).unwrap();
        let got = Rhythm::of(&log, monday).unwrap();
        assert!((got.hours[0] - 0.25).abs() < 1e-12 && (got.hours[1] - 0.75).abs() < 1e-12);
        assert!((got.days[0] - 0.75).abs() < 1e-12 && (got.days[6] - 0.25).abs() < 1e-12);
        assert_eq!((got.peak_hour, got.trough_hour, got.trough_to_peak.to_bits()), (1, 2, 0.0_f64.to_bits()));
        assert!((got.weekend_to_weekday - 0.125 / 0.15).abs() < 1e-12);
    }

    #[test]
    fn exposure_counts_every_observed_second_once() {
        let week = exposure(-100, 2 * WEEK - 100, 0);
        assert!(week.iter().all(|hours| (hours - 2.0).abs() < 1e-12));
        let part = exposure(1_800, 2 * HOUR, 0);
        assert!((part[0] - 0.5).abs() < 1e-12 && (part[1] - 1.0).abs() < 1e-12 && part[2] < 1e-12);
    }

    #[test]
    fn the_distance_is_the_largest_cumulative_gap() {
        assert!((distance(&[1.0, 1.0, 2.0], &[1.0, 0.0, 0.0]) - 0.75).abs() < 1e-12);
        assert!(distance(&[3.0, 1.0], &[6.0, 2.0]) < 1e-12);
    }
}
