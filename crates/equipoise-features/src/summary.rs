//! Everything that a row's formulas may use: one account's own activity, and its sampled dyads added up.

use crate::account::OwnActivity;
use crate::dyad::{Dyad, NEVER};
use crate::moment::last_day;
use equipoise_core::{DAY, Event, SimTime};

/// The age code of an account whose declared age the platform does not hold.
pub(crate) const UNKNOWN_AGE: u8 = 4;
/// The region code of an account whose region the platform does not hold.
pub(crate) const UNKNOWN_REGION: u8 = u8::MAX;

/// An account's profile as codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codes {
    /// 0..=3 as `AgeBand`, 4 unknown.
    pub(crate) age: u8,
    pub(crate) region: u8,
    pub(crate) created: SimTime,
}

impl Codes {
    pub(crate) const fn is_minor(self) -> bool {
        self.age < 3
    }
}

/// Sums over a set of dyads. Pairs: own side, contact's side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) contacts: f64,
    pub(crate) requests: [f64; 2],
    pub(crate) accepts: [f64; 2],
    pub(crate) declines: [f64; 2],
    pub(crate) invites: [f64; 2],
    pub(crate) messages: [f64; 2],
    pub(crate) media: [f64; 2],
    pub(crate) off_hours: f64,
    pub(crate) school_hours: f64,
    pub(crate) group: f64,
    pub(crate) lobby: f64,
    pub(crate) call_minutes: f64,
    pub(crate) opens: [f64; 2],
    pub(crate) turns: [f64; 2],
    pub(crate) replies: [f64; 2],
    pub(crate) gaps: [[f64; 6]; 2],
    pub(crate) recent: f64,
    /// Dyads that the own side began, and those begun in the last seven days.
    pub(crate) begun: f64,
    pub(crate) begun_recently: f64,
    pub(crate) exposed: f64,
    pub(crate) blocks: [f64; 2],
    pub(crate) mutes: [f64; 2],
    pub(crate) reports: [f64; 2],
    pub(crate) safety_reports: [f64; 2],
    /// Dyads with messages; with messages of both sides; of the own side only.
    pub(crate) talks: f64,
    pub(crate) mutual_talks: f64,
    pub(crate) one_sided_talks: f64,
    /// Most own messages in one dyad.
    pub(crate) top: f64,
    /// Sum over talks of (days with a message / days from first to latest message).
    pub(crate) persistence: f64,
    /// Talks without a message in the last 14 days; and those of them that lasted under three days.
    pub(crate) quiet: f64,
    pub(crate) short: f64,
    /// Gaps between own message events of a dyad: count, sum, sum of squares (seconds).
    pub(crate) gap_moments: [f64; 3],
    /// Own requests with a visible count of mutual contacts; the sum of log(1 + mutuals); those with none.
    pub(crate) mutuals_seen: f64,
    pub(crate) mutuals_log: f64,
    pub(crate) mutuals_none: f64,
}

impl Totals {
    fn add(&mut self, dyad: &Dyad, cutoff: SimTime) {
        self.contacts += 1.0;
        self.call_minutes += f64::from(dyad.call_minutes);
        for side in 0..2 {
            self.requests[side] += f64::from(dyad.requests[side]);
            self.accepts[side] += f64::from(dyad.accepts[side]);
            self.declines[side] += f64::from(dyad.declines[side]);
            self.invites[side] += f64::from(dyad.invites[side]);
            self.blocks[side] += f64::from(dyad.blocks[side]);
            self.mutes[side] += f64::from(dyad.mutes[side]);
            self.reports[side] += f64::from(dyad.reports[side]);
            self.safety_reports[side] += f64::from(dyad.safety_reports[side]);
        }
        if dyad.began_by == 0 {
            self.begun += 1.0;
            self.begun_recently += truth(cutoff.0 - dyad.began <= 7 * DAY);
        }
        self.exposed += truth(dyad.exposures > 0);
        if dyad.requests[0] > 0 && dyad.mutuals != Event::UNSEEN {
            self.mutuals_seen += 1.0;
            self.mutuals_log += libm::log1p(f64::from(dyad.mutuals));
            self.mutuals_none += truth(dyad.mutuals == 0);
        }
        if dyad.last_message != NEVER {
            self.add_talk(dyad, cutoff);
        }
    }

    fn add_talk(&mut self, dyad: &Dyad, cutoff: SimTime) {
        for side in 0..2 {
            self.messages[side] += f64::from(dyad.messages[side]);
            self.media[side] += f64::from(dyad.media[side]);
            self.opens[side] += f64::from(dyad.opens[side]);
            self.turns[side] += f64::from(dyad.turns[side]);
            self.replies[side] += f64::from(dyad.replies[side]);
            for (sum, &gap) in self.gaps[side].iter_mut().zip(&dyad.gaps[side]) {
                *sum += f64::from(gap);
            }
        }
        self.off_hours += f64::from(dyad.off_hours_out);
        self.school_hours += f64::from(dyad.school_hours_out);
        self.group += f64::from(dyad.group_out);
        self.lobby += f64::from(dyad.lobby_out);
        self.talks += 1.0;
        self.mutual_talks += truth(dyad.messages[0] > 0 && dyad.messages[1] > 0);
        self.one_sided_talks += truth(dyad.messages[1] == 0);
        self.top = self.top.max(f64::from(dyad.messages[0]));
        let span = dyad.last_message.div_euclid(DAY) - dyad.first_message.div_euclid(DAY) + 1;
        self.persistence += f64::from(dyad.days) / f64::from(span);
        let quiet = cutoff.0 - dyad.last_message > 14 * DAY;
        self.quiet += truth(quiet);
        self.short += truth(quiet && span < 3);
        if dyad.last_out != NEVER {
            self.recent += dyad.week_out.sum(dyad.last_out.div_euclid(DAY), last_day(cutoff));
            self.gap_moments[0] += f64::from(dyad.buckets_out) - 1.0;
            self.gap_moments[1] += f64::from(dyad.gap_sum);
            self.gap_moments[2] += dyad.gap_squares;
        }
    }
}

/// What the formulas of one row are evaluated on.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) codes: Codes,
    pub(crate) own: OwnActivity,
    pub(crate) cutoff: SimTime,
    /// Days of the observed window in which the account existed, at least one.
    pub(crate) observed_days: f64,
    /// Days on which it was active by its own events, at least one; all observed days where sessions are not seen.
    pub(crate) active_days: f64,
    /// Contacts in all (estimated from the sample once that is full) over contacts in the sample, at least one.
    pub(crate) scale: f64,
    pub(crate) max_contacts: f64,
    pub(crate) all: Totals,
    /// The part with declared minors.
    pub(crate) minors: Totals,
    /// Sampled contacts by age code.
    pub(crate) bands: [f64; 5],
    /// Contacts whose region is known like the own one; and those in another region.
    pub(crate) regions: [f64; 2],
    /// Contacts whose age is known like the own one; sum of absolute band differences; how many are younger.
    pub(crate) ages: [f64; 3],
    /// Most dyads begun by the own side in one day: with anybody, with declared minors.
    pub(crate) most_begun: [f64; 2],
    begun_days: Vec<(i32, bool)>,
}

impl Summary {
    /// A summary of an account without contacts.
    pub(crate) fn new(max_contacts: u16) -> Self {
        Self {
            codes: Codes { age: UNKNOWN_AGE, region: UNKNOWN_REGION, created: SimTime(0) },
            own: OwnActivity::EMPTY,
            cutoff: SimTime(0),
            observed_days: 1.0,
            active_days: 1.0,
            scale: 1.0,
            max_contacts: f64::from(max_contacts),
            all: Totals::default(),
            minors: Totals::default(),
            bands: [0.0; 5],
            regions: [0.0; 2],
            ages: [0.0; 3],
            most_begun: [0.0; 2],
            begun_days: Vec::new(),
        }
    }

    /// Starts over for another account.
    pub(crate) fn begin(&mut self, codes: Codes, own: OwnActivity, cutoff: SimTime, sees_sessions: bool) {
        let seen = f64::from(cutoff.since(codes.created.max(SimTime(0)))) / f64::from(DAY);
        self.observed_days = seen.max(1.0);
        self.active_days = if sees_sessions { f64::from(own.days).max(1.0) } else { self.observed_days };
        (self.codes, self.own, self.cutoff) = (codes, own, cutoff);
        (self.all, self.minors) = (Totals::default(), Totals::default());
        (self.bands, self.regions, self.ages) = ([0.0; 5], [0.0; 2], [0.0; 3]);
        self.begun_days.clear();
    }

    /// Adds a sampled contact. Call in the order of peer ids: sums of floats depend on it.
    pub(crate) fn add(&mut self, peer: Codes, dyad: &Dyad) {
        self.all.add(dyad, self.cutoff);
        if peer.is_minor() {
            self.minors.add(dyad, self.cutoff);
        }
        self.bands[usize::from(peer.age)] += 1.0;
        if self.codes.region != UNKNOWN_REGION && peer.region != UNKNOWN_REGION {
            self.regions[0] += 1.0;
            self.regions[1] += truth(peer.region != self.codes.region);
        }
        if self.codes.age != UNKNOWN_AGE && peer.age != UNKNOWN_AGE {
            self.ages[0] += 1.0;
            self.ages[1] += f64::from(self.codes.age.abs_diff(peer.age));
            self.ages[2] += truth(peer.age < self.codes.age);
        }
        if dyad.began_by == 0 {
            self.begun_days.push((dyad.began.div_euclid(DAY), peer.is_minor()));
        }
    }

    /// Finishes: `contacts` is how many there are in all.
    pub(crate) fn end(&mut self, contacts: f64) {
        self.scale = if self.all.contacts > 0.0 { (contacts / self.all.contacts).max(1.0) } else { 1.0 };
        self.begun_days.sort_unstable();
        self.most_begun = [0.0; 2];
        for day in self.begun_days.chunk_by(|a, b| a.0 == b.0) {
            let with_minors = day.iter().map(|&(_, minor)| truth(minor)).sum::<f64>();
            let with_all = day.iter().map(|_| 1.0).sum::<f64>();
            self.most_begun = [self.most_begun[0].max(with_all), self.most_begun[1].max(with_minors)];
        }
    }

    /// A sum over sampled contacts, scaled up to all of them, per active day.
    pub(crate) fn daily(&self, sum: f64) -> f64 {
        sum * self.scale / self.active_days
    }

    /// Days since the account was made.
    pub(crate) fn account_days(&self) -> f64 {
        f64::from(self.cutoff.since(self.codes.created).max(0)) / f64::from(DAY)
    }

    /// Sessions of the last seven days.
    pub(crate) fn recent_sessions(&self) -> f64 {
        if self.own.last_open == NEVER {
            return 0.0;
        }
        self.own.week.sum(self.own.last_open.div_euclid(DAY), last_day(self.cutoff))
    }

    /// Share of a total that fell into the last seven days, with both halves as daily rates; 0.5 without any.
    pub(crate) fn recency(&self, recent: f64, total: f64) -> f64 {
        if self.observed_days <= 7.0 {
            return 0.5;
        }
        let (late, early) = (recent / 7.0, (total - recent).max(0.0) / (self.observed_days - 7.0));
        if late + early > 0.0 { late / (late + early) } else { 0.5 }
    }
}

/// `part / whole` in 0..=1; 0 of nothing.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// `(part + 1) / (whole + 2)` in 0..=1: a share under a public prior of one in two, worth two observations.
pub(crate) fn smoothed(part: f64, whole: f64) -> f64 {
    ((part + 1.0) / (whole + 2.0)).clamp(0.0, 1.0)
}

/// `log(1 + value) / log(1 + cap)`, clipped to 0..=1. The cap is public.
pub(crate) fn log_scaled(value: f64, cap: f64) -> f64 {
    libm::log1p(value.clamp(0.0, cap)) / libm::log1p(cap)
}

/// Goh and Barabási's burstiness (EPL 2008), (sd - mean) / (sd + mean) of gaps, -1..=1; 0 below two gaps.
pub(crate) fn burstiness([count, sum, squares]: [f64; 3]) -> f64 {
    if count < 2.0 || sum <= 0.0 {
        return 0.0;
    }
    let mean = sum / count;
    let deviation = (squares / count - mean * mean).max(0.0).sqrt();
    (deviation - mean) / (deviation + mean)
}

/// The bucket that holds the median of a histogram, as a fraction of the last bucket; 1 (slowest) without any.
pub(crate) fn median_bucket(histogram: &[f64; 6]) -> f64 {
    let half = histogram.iter().sum::<f64>() / 2.0;
    if half <= 0.0 {
        return 1.0;
    }
    let mut below = 0.0;
    for (bucket, count) in (0_u8..).zip(histogram) {
        below += count;
        if below >= half {
            return f64::from(bucket) / 5.0;
        }
    }
    1.0
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // these values are exact
mod tests {
    use super::*;

    #[test]
    fn regular_gaps_are_not_bursty_and_one_long_gap_is() {
        assert_eq!(burstiness([3.0, 30.0, 300.0]), -1.0);
        // Gaps 0, 0, 0, 4: mean 1, sd sqrt(3).
        let root = 3.0_f64.sqrt();
        assert_eq!(burstiness([4.0, 4.0, 16.0]), (root - 1.0) / (root + 1.0));
    }

    #[test]
    fn the_median_lies_in_its_bucket() {
        assert_eq!(median_bucket(&[1.0, 1.0, 0.0, 0.0, 0.0, 3.0]), 1.0);
        assert_eq!(median_bucket(&[0.0, 3.0, 1.0, 0.0, 0.0, 1.0]), 0.2);
    }

    #[test]
    fn scaling_is_public_and_clipped() {
        assert_eq!(log_scaled(1e9, 10.0), 1.0);
        assert_eq!(log_scaled(0.0, 10.0), 0.0);
        assert_eq!(smoothed(0.0, 0.0), 0.5);
        assert_eq!(share(3.0, 0.0), 0.0);
    }

    #[test]
    fn recency_compares_daily_rates() {
        let mut summary = Summary::new(4);
        summary.observed_days = 14.0;
        assert_eq!(summary.recency(7.0, 14.0), 0.5);
        assert_eq!(summary.recency(7.0, 7.0), 1.0);
        assert_eq!(summary.recency(0.0, 7.0), 0.0);
        assert_eq!(summary.recency(0.0, 0.0), 0.5);
    }
}
