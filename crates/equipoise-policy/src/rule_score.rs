//! A simple rule as a score: how many different accounts an account asked for contact in its last days, against how many
//! accepted, and who blocked or reported it. For tests and as a floor; it hears nothing that ordinary sessions alone make.
//!
//! It is public, fixed and untuned, and stands for no service's rule.

use equipoise_core::{
    AccountId, DAY, Event, EventKind, EventSink, PlatformId, RiskScore, ScoreSource, SimTime,
};
use std::collections::VecDeque;

/// Days that the rule looks back.
const WINDOW: i32 = 14 * DAY;

/// What counts, about whom.
#[derive(Clone, Copy, Debug)]
struct Count {
    time: SimTime,
    account: AccountId,
    weight: f32,
}

/// What the rule has heard of one platform.
#[derive(Clone, Debug, Default)]
struct Heard {
    /// In the order of time.
    recent: VecDeque<Count>,
    /// By account: the weights of what is recent. Weights are multiples of one half, so that sums are exact.
    sums: Vec<f32>,
}

impl Heard {
    fn add(&mut self, account: AccountId, weight: f32) {
        if self.sums.len() <= account.index() {
            self.sums.resize(account.index() + 1, 0.0);
        }
        self.sums[account.index()] += weight;
    }
}

/// The rule, with what it has heard.
#[derive(Clone, Debug)]
pub struct RuleScore {
    platforms: Vec<Heard>,
}

impl RuleScore {
    /// A rule that has heard nothing of this many platforms.
    #[must_use]
    pub fn new(platforms: usize) -> Self {
        Self { platforms: vec![Heard::default(); platforms] }
    }

    fn add(&mut self, platform: PlatformId, account: AccountId, time: SimTime, weight: f32) {
        let heard = &mut self.platforms[platform.index()];
        heard.add(account, weight);
        heard.recent.push_back(Count { time, account, weight });
    }
}

impl EventSink for RuleScore {
    fn on_events(&mut self, platform: PlatformId, _until: SimTime, events: &[Event]) {
        for event in events {
            match event.kind {
                EventKind::ContactRequest => self.add(platform, event.actor, event.time, 1.0),
                // Who accepts takes the request back; who declines, blocks or reports counts against the other side.
                EventKind::ContactAccept => self.add(platform, event.peer, event.time, -1.0),
                EventKind::ContactDecline => self.add(platform, event.peer, event.time, 0.5),
                EventKind::Block => self.add(platform, event.peer, event.time, 4.0),
                EventKind::Report => self.add(platform, event.peer, event.time, 6.0),
                _ => {}
            }
        }
    }
}

impl ScoreSource for RuleScore {
    fn scores(&mut self, platform: PlatformId, now: SimTime) -> Vec<(AccountId, RiskScore)> {
        let heard = &mut self.platforms[platform.index()];
        while let Some(count) = heard.recent.pop_front_if(|count| now.since(count.time) >= WINDOW) {
            heard.add(count.account, -count.weight);
        }
        let sums = (0..).map(AccountId).zip(&heard.sums);
        let score = |sum: f32| RiskScore::new(sum / (sum + 10.0));
        sums.filter(|(_, sum)| **sum > 0.0).map(|(account, sum)| (account, score(*sum))).collect()
    }

    fn hears(&self, kind: EventKind) -> bool {
        use EventKind::{Block, ContactAccept, ContactDecline, ContactRequest, Report};
        matches!(kind, ContactRequest | ContactAccept | ContactDecline | Block | Report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_nobody_accepts_and_reports_raise_a_score_for_two_weeks() {
        let mut rule = RuleScore::new(1);
        let event = |day, actor, peer, kind| {
            Event::new(SimTime::from_days(day), AccountId(actor), AccountId(peer), kind)
        };
        rule.on_events(
            PlatformId(0),
            SimTime::from_days(2),
            &[
                event(0, 0, 1, EventKind::ContactRequest),
                event(0, 0, 2, EventKind::ContactRequest),
                event(1, 1, 0, EventKind::ContactAccept),
                event(1, 2, 0, EventKind::Report),
                event(1, 3, 2, EventKind::ContactRequest),
                event(1, 2, 3, EventKind::ContactAccept),
            ],
        );
        // 1 + 1 - 1 + 6 = 7 for account 0; 1 - 1 = 0 for account 3, who is not listed.
        assert_eq!(
            rule.scores(PlatformId(0), SimTime::from_days(2)),
            [(AccountId(0), RiskScore::new(7.0 / 17.0))]
        );
        assert!(rule.scores(PlatformId(0), SimTime::from_days(15)).is_empty());
    }
}
