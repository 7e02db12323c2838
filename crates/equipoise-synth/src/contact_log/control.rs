//! The same log with its timing replaced: what burstiness would look like if accounts acted without memory.
//!
//! Who writes to whom, and how often, stays exactly as it is. Jo, Karsai, Kertesz and Kaski ("Circadian pattern and burst
//! in mobile phone communication", New J. Phys. 14, 2012) show that daily and weekly rhythm alone does not make bursts;
//! the second control repeats that argument on any log. A log whose timing statistics equal those of a control has no
//! burstiness of its own.

use super::ContactLog;
use super::rhythm::{Rhythm, hour_of_week};
use equipoise_core::{Draw, Seed};

/// How the times of a control are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// Uniform over the observed span: a Poisson process given its counts.
    Poisson,
    /// By the log's own rate in each hour of the week: a Poisson process with the platform's rhythm.
    Rhythm,
    /// The log's own times, permuted over its rows (randomly permuted times, Holme and Saramaki 2012): keeps rhythm,
    /// growth and holidays of the platform as a whole.
    Shuffled,
}

impl Control {
    /// Every control.
    pub const ALL: [Self; 3] = [Self::Poisson, Self::Rhythm, Self::Shuffled];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Rhythm => "rhythm",
            Self::Shuffled => "shuffled",
        }
    }

    /// The control of `log`, on whose clock `monday` is a Monday's midnight. The same seed gives the same control; a log
    /// without rows is its own.
    ///
    /// At the log's resolution two redrawn rows of one link can fall into one bucket and merge: a control may hold a few
    /// rows less, never fewer messages.
    #[must_use]
    pub fn apply(self, log: &ContactLog, monday: i64, seed: Seed) -> ContactLog {
        let Some((first, last)) = log.span() else { return log.clone() };
        let seed = seed.derive("contact-log", 0).derive(self.name(), 0);
        let rows = log.rows().len() as u64;
        let uniform = |row: u64| seed.derive("row", row).rng();
        let length = (last - first + log.resolution()) as f64;
        match self {
            Self::Poisson => {
                log.retimed((0..rows).map(|row| first + (length * uniform(row).uniform()) as i64))
            }
            Self::Rhythm => {
                let Some(hours) = Hours::of(log, monday) else { return log.clone() };
                log.retimed((0..rows).map(|row| {
                    let mut rng = uniform(row);
                    hours.draw(rng.uniform(), rng.uniform())
                }))
            }
            Self::Shuffled => {
                let mut times: Vec<i64> = log.rows().iter().map(|row| row.time).collect();
                seed.rng().shuffle(&mut times);
                log.retimed(times.into_iter())
            }
        }
    }
}

/// The observed span cut at full hours, with the cumulative rate.
struct Hours {
    edges: Vec<i64>,
    cumulative: Vec<f64>,
}

impl Hours {
    fn of(log: &ContactLog, monday: i64) -> Option<Self> {
        let (first, last) = log.span()?;
        let rates = Rhythm::of(log, monday)?.rates;
        let end = last + log.resolution();
        let (mut edges, mut cumulative) = (vec![first], vec![0.0]);
        let mut at = first;
        while at < end {
            let next = (at - (at - monday).rem_euclid(3_600) + 3_600).min(end);
            let mass = rates[hour_of_week(at, monday)] * (next - at) as f64;
            cumulative.push(cumulative[cumulative.len() - 1] + mass);
            edges.push(next);
            at = next;
        }
        Some(Self { edges, cumulative })
    }

    /// The inverse of the cumulative rate at `u`, spread evenly inside the hour by `v`.
    fn draw(&self, u: f64, v: f64) -> i64 {
        let total = self.cumulative[self.cumulative.len() - 1];
        let hour = self.cumulative.partition_point(|&c| c <= u * total).clamp(1, self.edges.len() - 1);
        let (from, to) = (self.edges[hour - 1], self.edges[hour]);
        from + ((to - from) as f64 * v) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BurstSummary, Trains, distance};
    use super::*;

    /// Forty senders write in bursts, by day only, for four weeks.
    fn bursty() -> ContactLog {
        let (mut src, mut dst, mut time) = (Vec::new(), Vec::new(), Vec::new());
        for account in 0..40_u32 {
            let mut rng = Seed::root(3).derive("account", u64::from(account)).rng();
            for _ in 0..12 {
                let start = 86_400 * rng.below(28) as i64 + 28_800 + rng.below(36_000) as i64;
                for step in 0..8 {
                    src.push(account);
                    dst.push(40 + account);
                    time.push(start + 40 * step);
                }
            }
        }
        ContactLog::new(&src, &dst, &time).unwrap()
    }

    fn median(log: &ContactLog) -> f64 {
        BurstSummary::of(&Trains::by_sender(log), &[10])[0].b_n.unwrap().p50
    }

    // Medians over 40 trains of about 95 gaps: standard error of a control's median about 0.012.
    #[test]
    fn a_control_keeps_who_and_how_often_and_loses_the_bursts() {
        let log = bursty();
        assert!(median(&log) > 0.5, "{}", median(&log));
        for (control, most) in [(Control::Poisson, 0.06), (Control::Rhythm, 0.25), (Control::Shuffled, 0.25)]
        {
            let copy = control.apply(&log, 0, Seed::root(1));
            let count = |log: &ContactLog| log.rows().iter().map(|r| u64::from(r.count)).sum::<u64>();
            assert_eq!(count(&copy), count(&log));
            let got = median(&copy);
            assert!(got < most, "{control:?}: {got}");
            assert_eq!(copy, control.apply(&log, 0, Seed::root(1)));
            assert_ne!(copy, control.apply(&log, 0, Seed::root(2)));
        }
    }

    // 3,840 rows: the KS distance of equal rhythms exceeds 0.035 in under 1 of 1,000 runs.
    #[test]
    fn the_rhythm_control_keeps_the_hours_and_the_poisson_control_does_not() {
        let log = bursty();
        let hours = |log: &ContactLog| Rhythm::of(log, 0).unwrap().hours;
        let rhythm = Control::Rhythm.apply(&log, 0, Seed::root(1));
        assert!(distance(&hours(&rhythm), &hours(&log)) < 0.035);
        let poisson = Control::Poisson.apply(&log, 0, Seed::root(1));
        assert!(distance(&hours(&poisson), &hours(&log)) > 0.2);
        let shuffled = Control::Shuffled.apply(&log, 0, Seed::root(1));
        assert!(distance(&hours(&shuffled), &hours(&log)) < 0.01);
    }

    #[test]
    fn a_control_of_a_bucketed_log_is_bucketed_alike() {
        let log = bursty().bucketed(300).unwrap();
        let copy = Control::Rhythm.apply(&log, 0, Seed::root(1));
        assert!(copy.resolution() == 300 && copy.rows().iter().all(|row| row.time % 300 == 0));
    }
}
