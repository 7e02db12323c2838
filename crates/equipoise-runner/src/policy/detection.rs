//! When and how the accounts with a harmful pattern were met in one cell, and what scores said of everybody: what the figures of
//! detection are made of. Truth: it stays in the runner.

use equipoise_core::{
    AccountId, AccountRef, Event, EventKind, EventSink, KnownLabel, PlatformId, RiskScore, ScoreSource,
    SimTime,
};
use equipoise_eval::{Ending, FollowUp, StepPoint, survival};
use equipoise_policy::Desk;
use equipoise_synth::{Outcome, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// No such time.
const NEVER: i32 = i32::MAX;

/// An account with a simulated harmful pattern that was there from the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(u8, i32, i32, i32, u32, u8)", into = "(u8, i32, i32, i32, u32, u8)")]
pub(crate) struct Detected {
    /// Code of the pattern.
    pub(crate) pattern: u8,
    /// First harmful contact, in seconds; none before the end: the largest number.
    pub(crate) start: i32,
    /// When the first case about it was upheld; likewise.
    pub(crate) identified: i32,
    /// When its platform's own moderation acted on it; likewise.
    pub(crate) removed: i32,
    /// Children contacted before it was identified, or by the end.
    pub(crate) children: u32,
    /// The highest stage that any of its pairs had reached when it was identified; 0 for none, 255 for never identified.
    pub(crate) stage: u8,
}

type Row = (u8, i32, i32, i32, u32, u8);

impl From<Row> for Detected {
    fn from((pattern, start, identified, removed, children, stage): Row) -> Self {
        Self { pattern, start, identified, removed, children, stage }
    }
}

impl From<Detected> for Row {
    fn from(one: Detected) -> Self {
        (one.pattern, one.start, one.identified, one.removed, one.children, one.stage)
    }
}

impl Detected {
    /// Whether a review upheld a case about it.
    pub(crate) const fn is_identified(&self) -> bool {
        self.identified != NEVER
    }

    /// Time from the first harmful contact to identification, removal competing; none without a contact. Identified before any
    /// contact is identified at once.
    pub(crate) fn follow_up(&self, end: SimTime) -> Option<FollowUp> {
        if self.start >= end.0 {
            return None;
        }
        let ends = [
            (self.identified, Ending::Identified),
            (self.removed, Ending::Removed),
            (end.0, Ending::Censored),
        ];
        let (at, ending) = ends.into_iter().min()?;
        let days = f64::from(at.saturating_sub(self.start).max(0)) / 86_400.0;
        Some(FollowUp { days, ending, weight: 1 })
    }
}

/// The accounts of a finished run.
pub(crate) fn detected(world: &World, outcome: &Outcome, desk: &Desk, end: SimTime) -> Vec<Detected> {
    let mut upheld: BTreeMap<AccountRef, i32> = BTreeMap::new();
    for case in desk.cases().iter().filter(|case| case.upheld && case.decided_at < end) {
        let first = upheld.entry(case.account).or_insert(case.decided_at.0);
        *first = (*first).min(case.decided_at.0);
    }
    let mut removed: BTreeMap<AccountRef, i32> = BTreeMap::new();
    for (platform, labels) in (0_u8..).map(PlatformId).zip(&outcome.labels) {
        for label in labels.iter().filter(|label| label.status.is_positive()) {
            let account = AccountRef { platform, account: label.account };
            let first = removed.entry(account).or_insert(label.known_at.0);
            *first = (*first).min(label.known_at.0);
        }
    }
    let mut all = Vec::new();
    for (at, platform) in (0_u8..).zip(&outcome.truth.platforms) {
        for (number, account) in (0_u32..).zip(&platform.accounts) {
            let of = AccountRef { platform: PlatformId(at), account: AccountId(number) };
            let there = world.views()[usize::from(at)].profiles[of.account.index()].created.0 != NEVER;
            let Some(pattern) = account.harmful.filter(|_| there) else { continue };
            let identified = upheld.get(&of).copied().unwrap_or(NEVER);
            let until = identified.min(end.0);
            let reached = platform.stages.partition_point(|stage| stage.account < of.account);
            let stages = platform.stages[reached..].iter().take_while(|stage| stage.account == of.account);
            let stage =
                stages.filter(|stage| stage.from.0 <= until).map(|stage| stage.stage).max().unwrap_or(0);
            all.push(Detected {
                pattern: pattern as u8,
                start: account.harm_start.map_or(NEVER, |start| start.0),
                identified,
                removed: removed.get(&of).copied().unwrap_or(NEVER),
                children: u32::try_from(account.contacts.iter().filter(|(time, _)| time.0 < until).count())
                    .unwrap_or(u32::MAX),
                stage: if identified == NEVER { u8::MAX } else { stage },
            });
        }
    }
    all
}

/// Share identified by each day since the first harmful contact, removal competing, over the accounts of all seeds together.
pub(crate) fn curve<'a>(all: impl Iterator<Item = &'a Detected>, end: SimTime) -> Vec<StepPoint> {
    let mut follow_ups: Vec<FollowUp> = all.filter_map(|one| one.follow_up(end)).collect();
    if follow_ups.is_empty() {
        return Vec::new();
    }
    follow_ups.sort_unstable_by(|a, b| a.days.total_cmp(&b.days).then(a.ending.cmp(&b.ending)));
    survival::aalen_johansen(&follow_ups, Ending::Identified)
}

/// Upper ends of the bins of scores; the last holds the rest.
pub(crate) const BINS: [f32; 10] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0];

/// Accounts by the highest score that they had at any decision.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct TopScores {
    /// Accounts, those of them with a harmful pattern, and the sum of their scores, by bin.
    pub(crate) bins: Vec<(u64, u64, f64)>,
}

/// A score with somebody who notes what it said.
pub(crate) struct Watched<'a> {
    inner: &'a mut dyn ScoreSource,
    /// `[platform][account]`: the highest so far; below 0 for none.
    top: Option<Vec<Vec<f32>>>,
}

impl<'a> Watched<'a> {
    /// Watches `inner`, or lets it through where nobody is going to ask it.
    pub(crate) fn new(inner: &'a mut dyn ScoreSource, asked: bool) -> Self {
        Self { inner, top: asked.then(Vec::new) }
    }

    /// What was noted.
    pub(crate) fn top(self, harmful: &dyn Fn(AccountRef) -> bool) -> TopScores {
        let Some(top) = self.top else { return TopScores::default() };
        let mut bins = vec![(0, 0, 0.0); BINS.len()];
        let accounts = (0..).map(PlatformId).zip(top).flat_map(|(platform, scores)| {
            let account = move |account| AccountRef { platform, account };
            (0..).map(AccountId).map(account).zip(scores)
        });
        for (account, score) in accounts.filter(|(_, score)| *score >= 0.0) {
            let bin = BINS.iter().position(|end| score <= *end).unwrap_or(BINS.len() - 1);
            let (accounts, with, sum) = &mut bins[bin];
            *accounts += 1;
            *with += u64::from(harmful(account));
            *sum += f64::from(score);
        }
        TopScores { bins }
    }
}

impl EventSink for Watched<'_> {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        if self.top.is_some() {
            self.inner.on_events(platform, until, events);
        }
    }
}

impl ScoreSource for Watched<'_> {
    fn scores(&mut self, platform: PlatformId, now: SimTime) -> Vec<(AccountId, RiskScore)> {
        let scores = self.inner.scores(platform, now);
        if let Some(top) = &mut self.top {
            if top.len() <= platform.index() {
                top.resize_with(platform.index() + 1, Vec::new);
            }
            let top = &mut top[platform.index()];
            for (account, score) in &scores {
                if top.len() <= account.index() {
                    top.resize(account.index() + 1, -1.0);
                }
                let highest = &mut top[account.index()];
                *highest = highest.max(score.get());
            }
        }
        scores
    }

    fn hears(&self, kind: EventKind) -> bool {
        self.top.is_some() && self.inner.hears(kind)
    }

    fn knows(&mut self, platform: PlatformId, labels: &[KnownLabel], now: SimTime) {
        if self.top.is_some() {
            self.inner.knows(platform, labels, now);
        }
    }

    fn decided(&mut self, account: AccountRef, upheld: bool, opened_at: SimTime) {
        self.inner.decided(account, upheld, opened_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i32 = 86_400;

    fn one(start: i32, identified: i32, removed: i32) -> Detected {
        Detected { pattern: 0, start, identified, removed, children: 1, stage: 2 }
    }

    /// Four accounts from day 0 to 10: identified on day 2, removed on day 4, identified on day 6 (after removal of its own on
    /// day 8), never. Shares: 1/4 from day 2; from day 6 another half of the half that is still free: 1/4.
    #[test]
    fn the_curve_of_four_accounts_by_hand() {
        let all =
            [one(0, 2 * DAY, NEVER), one(0, NEVER, 4 * DAY), one(0, 6 * DAY, 8 * DAY), one(0, NEVER, NEVER)];
        let points: Vec<(f64, f64)> =
            curve(all.iter(), SimTime::from_days(10)).iter().map(|p| (p.days, p.value)).collect();
        assert_eq!(points, [(0.0, 0.0), (2.0, 0.25), (6.0, 0.5)]);
    }

    #[test]
    fn who_was_identified_before_any_contact_was_identified_at_once_and_who_had_none_is_not_timed() {
        let end = SimTime::from_days(10);
        assert!(one(5 * DAY, 2 * DAY, NEVER).follow_up(end).unwrap().days.abs() < 1e-12);
        assert!(one(NEVER, 2 * DAY, NEVER).follow_up(end).is_none());
        assert_eq!(one(5 * DAY, NEVER, NEVER).follow_up(end).unwrap().ending, Ending::Censored);
        let text = serde_json::to_string(&one(1, 2, 3)).unwrap();
        assert_eq!(serde_json::from_str::<Detected>(&text).unwrap(), one(1, 2, 3));
    }

    struct Says(Vec<f32>);
    impl EventSink for Says {
        fn on_events(&mut self, _: PlatformId, _: SimTime, _: &[Event]) {}
    }
    impl ScoreSource for Says {
        fn scores(&mut self, _: PlatformId, _: SimTime) -> Vec<(AccountId, RiskScore)> {
            let said = self.0.iter().map(|score| RiskScore::new(*score));
            let scores = (0..).map(AccountId).zip(said).collect();
            self.0.rotate_left(1);
            scores
        }
    }

    #[test]
    fn the_highest_score_of_each_account_is_binned_with_the_truth() {
        let mut says = Says(vec![0.05, 0.5, 0.05]);
        let mut watched = Watched::new(&mut says, true);
        watched.scores(PlatformId(0), SimTime(0));
        watched.scores(PlatformId(0), SimTime(1));
        // Account 0 had .05 and .5, account 1 .5 and .05, account 2 .05 twice.
        let top = watched.top(&|account| account.account.0 == 1);
        assert_eq!((top.bins[4].0, top.bins[4].1), (1, 0));
        assert_eq!((top.bins[7].0, top.bins[7].1), (2, 1));
        assert!((top.bins[7].2 - 1.0).abs() < 1e-6);
    }
}
