//! The closed loop: scores order a queue, reviews decide, actions change what happens next.
//!
//! Tick by tick: what reviews decided is carried out, the world plays a tick under its measures, the score hears what happened;
//! at each decision every platform spends its capacity on its own highest scores, and a case that was upheld may go to
//! other platforms as a signal, where it is reviewed again. Policies and scores see one platform each. Whoever calls this
//! hands in truth as a closure of one bit; the loop gives it to reviewers and to nobody else.

use crate::desk::{Desk, Opened};
use equipoise_core::{
    AccountRef, Action, Budget, DAY, Event, EventSink, PlatformId, Policy, ScoreSource, SimTime, Steered,
};
use serde::Serialize;

/// What the loop counted: the measures' privacy coordinate in numbers, and the work of reviewers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ledger {
    /// Different accounts that were ever scored.
    pub accounts_scored: u64,
    /// Scores that were computed.
    pub scores: u64,
    /// Cases opened by a score.
    pub reviews: u64,
    /// Cases opened by a signal.
    pub signal_reviews: u64,
    /// Signals sent to another platform, one for each receiving platform with a carrier.
    pub signals: u64,
    /// Of these: about accounts without a harmful pattern.
    pub signals_wrongly: u64,
    /// Cases that were upheld.
    pub upheld: u64,
    /// Of these: about accounts without a harmful pattern.
    pub upheld_wrongly: u64,
    /// Actions taken back after an appeal.
    pub lifted: u64,
}

/// Accounts that were met, by platform.
#[derive(Default)]
struct Met(Vec<Vec<bool>>);

impl Met {
    /// Notes an account; whether it is new.
    fn meets(&mut self, account: AccountRef) -> bool {
        let (platform, at) = (account.platform.index(), account.account.index());
        if self.0.len() <= platform {
            self.0.resize_with(platform + 1, Vec::new);
        }
        let accounts = &mut self.0[platform];
        if accounts.len() <= at {
            accounts.resize(at + 1, false);
        }
        !std::mem::replace(&mut accounts[at], true)
    }

    fn met(&self, account: AccountRef) -> bool {
        let accounts = self.0.get(account.platform.index());
        accounts.and_then(|accounts| accounts.get(account.account.index())).copied().unwrap_or(false)
    }
}

/// Sends every batch to the score and to whoever else listens.
struct Both<'a> {
    score: &'a mut dyn ScoreSource,
    sink: &'a mut dyn EventSink,
}

impl EventSink for Both<'_> {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        self.score.on_events(platform, until, events);
        self.sink.on_events(platform, until, events);
    }
}

/// Plays a world to its end under one policy a platform.
///
/// Law: with a capacity of 0 and no signals, the desk stays empty and the run is that of the policies alone.
pub fn run_closed_loop(
    world: &mut dyn Steered,
    policies: &mut [Box<dyn Policy>],
    score: &mut dyn ScoreSource,
    desk: &mut Desk,
    sink: &mut dyn EventSink,
    harmful: &dyn Fn(AccountRef) -> bool,
) -> Ledger {
    let mut ledger = Ledger::default();
    let mut scored = Met::default();
    loop {
        let now = world.now();
        policies.iter_mut().for_each(|policy| policy.clock(now));
        for case in desk.take_decided(now) {
            score.decided(case.account, case.upheld, case.opened_at);
        }
        for (platform, action, case) in desk.take_due(now) {
            world.carry_out(platform, &[action]);
            let account = desk.cases()[case].account;
            if matches!(action, Action::Reinstate(_)) {
                ledger.lifted += 1;
                continue;
            }
            ledger.upheld += 1;
            ledger.upheld_wrongly += u64::from(!harmful(account));
            // A signal is never passed on again.
            if desk.cases()[case].opened == Opened::Score && policies[platform.index()].shares_signals(now) {
                signal(world, policies, desk, account, harmful, &mut ledger);
            }
        }
        if now.0 > 0 && now.second_of_day() == 0 && now.day() % i32::from(desk.rules().every_days.max(1)) == 0
        {
            for platform in (0..world.platforms()).filter_map(|at| u8::try_from(at).ok()).map(PlatformId) {
                score.knows(platform, world.known(platform), now);
            }
            decide(world, policies, score, desk, harmful, &mut ledger, &mut scored);
        }
        if !world.step_under(policies, &mut Both { score, sink }) {
            break;
        }
    }
    ledger
}

/// Lets every platform spend its capacity. An account that its own moderation, or somebody outside, has settled is not reviewed again.
fn decide(
    world: &dyn Steered,
    policies: &mut [Box<dyn Policy>],
    score: &mut dyn ScoreSource,
    desk: &mut Desk,
    harmful: &dyn Fn(AccountRef) -> bool,
    ledger: &mut Ledger,
    scored: &mut Met,
) {
    let (now, budget) = (world.now(), Budget(desk.rules().capacity));
    if budget.0 == 0 || now.0 % DAY != 0 {
        return;
    }
    for (platform, policy) in (0_u8..).map(PlatformId).zip(policies) {
        if !policy.reviews(now) {
            continue;
        }
        let mut settled = Met::default();
        let known = world.known(platform).iter();
        known.filter(|label| label.status.is_positive() && label.known_at <= now).for_each(|label| {
            settled.meets(AccountRef { platform, account: label.account });
        });
        let mut scores = score.scores(platform, now);
        scores.retain(|(account, _)| !settled.met(AccountRef { platform, account: *account }));
        ledger.scores += scores.len() as u64;
        let new =
            scores.iter().filter(|(account, _)| scored.meets(AccountRef { platform, account: *account }));
        ledger.accounts_scored += new.count() as u64;
        for action in policy.act(&scores, budget) {
            let account = AccountRef { platform, account: crate::laws::subject(action) };
            ledger.reviews += 1;
            desk.open(account, action, Opened::Score, harmful(account), now);
        }
    }
}

/// Tells the other platforms about an upheld case.
fn signal(
    world: &mut dyn Steered,
    policies: &mut [Box<dyn Policy>],
    desk: &mut Desk,
    account: AccountRef,
    harmful: &dyn Fn(AccountRef) -> bool,
    ledger: &mut Ledger,
) {
    let now = world.now();
    let carriers = world.carriers(account);
    for (platform, policy) in (0_u8..).map(PlatformId).zip(policies) {
        let here = carriers.iter().filter(|carrier| carrier.platform == platform);
        let accounts: Vec<_> = here.map(|carrier| carrier.account).collect();
        if accounts.is_empty() || !policy.shares_signals(now) {
            continue;
        }
        ledger.signals += 1;
        ledger.signals_wrongly += u64::from(!harmful(account));
        for action in policy.signalled(&accounts, now) {
            let account = AccountRef { platform, account: crate::laws::subject(action) };
            ledger.signal_reviews += 1;
            desk.open(account, action, Opened::Signal, harmful(account), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PolicySpec, QueueAction, ReviewQueueSpec, RuleScore, desk};
    use equipoise_core::{AccountId, EventKind, NullSink, Seed};

    /// Account 0 of platform 0 asks somebody else every day until it is stopped; it carries the token of account 7 on
    /// platform 1.
    #[derive(Default)]
    struct Toy {
        day: i32,
        done: Vec<(PlatformId, Action)>,
        stopped: bool,
    }

    impl Steered for Toy {
        fn now(&self) -> SimTime {
            SimTime::from_days(self.day)
        }
        fn platforms(&self) -> usize {
            2
        }
        fn step_under(&mut self, policies: &mut [Box<dyn Policy>], sink: &mut dyn EventSink) -> bool {
            if self.day == 30 {
                return false;
            }
            let peer = AccountId(u32::try_from(self.day).unwrap() + 1);
            let asks = Event::new(self.now(), AccountId(0), peer, EventKind::ContactRequest);
            let events: &[Event] = if self.stopped { &[] } else { &[asks] };
            self.day += 1;
            sink.on_events(PlatformId(0), self.now(), events);
            sink.on_events(PlatformId(1), self.now(), &[]);
            policies[0].tick_end(events);
            true
        }
        fn carry_out(&mut self, platform: PlatformId, actions: &[Action]) {
            self.done.extend(actions.iter().map(|action| (platform, *action)));
            self.stopped |= actions.contains(&Action::ContactFreeze(AccountId(0)));
        }
        fn carriers(&self, account: AccountRef) -> Vec<AccountRef> {
            assert_eq!((account.platform.0, account.account.0), (0, 0));
            vec![AccountRef { platform: PlatformId(1), account: AccountId(7) }]
        }
    }

    fn run(capacity: u32, share: bool) -> (Toy, Ledger) {
        let queue = PolicySpec::ReviewQueue(ReviewQueueSpec { action: QueueAction::ContactFreeze });
        let signals = PolicySpec::SignalSharing(crate::SignalSharing { action: QueueAction::Ban });
        let one = || -> Box<dyn Policy> {
            let mut measures = vec![crate::Since { day: 0, policy: queue.build() }];
            if share {
                measures.push(crate::Since { day: 0, policy: signals.build() });
            }
            Box::new(crate::Together::new(measures))
        };
        let rules = crate::ReviewRules { capacity, ..desk::tests::rules(1.0, 0.0) };
        let (mut toy, mut desk) = (Toy::default(), Desk::new(rules, Seed::root(1)));
        let (mut score, mut policies) = (RuleScore::new(2), vec![one(), one()]);
        let ledger =
            run_closed_loop(&mut toy, &mut policies, &mut score, &mut desk, &mut NullSink, &|_| true);
        (toy, ledger)
    }

    #[test]
    fn a_score_leads_to_a_review_and_the_review_to_an_action_that_changes_the_world() {
        let (toy, ledger) = run(1, false);
        assert_eq!(toy.done, [(PlatformId(0), Action::ContactFreeze(AccountId(0)))]);
        assert_eq!((ledger.reviews, ledger.upheld, ledger.accounts_scored), (1, 1, 1));
    }

    #[test]
    fn an_upheld_case_is_reviewed_again_where_its_token_is_carried() {
        let (toy, ledger) = run(1, true);
        assert_eq!(toy.done[1], (PlatformId(1), Action::Ban(AccountId(7))));
        assert_eq!((ledger.signals, ledger.signal_reviews, ledger.upheld), (1, 1, 2));
        assert_eq!(ledger.signals_wrongly, 0, "the case was about somebody with a pattern");
    }

    #[test]
    fn a_signal_about_an_account_without_a_pattern_is_counted_as_one() {
        let queue = PolicySpec::ReviewQueue(ReviewQueueSpec { action: QueueAction::ContactFreeze });
        let signals = PolicySpec::SignalSharing(crate::SignalSharing { action: QueueAction::Ban });
        let one = || -> Box<dyn Policy> {
            let both = [&queue, &signals].map(|spec| crate::Since { day: 0, policy: spec.build() });
            Box::new(crate::Together::new(both.into()))
        };
        // A reviewer that upholds everything.
        let mut rules = crate::ReviewRules { capacity: 1, ..desk::tests::rules(1.0, 0.0) };
        rules.reviewer.specificity = equipoise_core::Fraction::new(0.0).unwrap();
        let (mut toy, mut desk) = (Toy::default(), Desk::new(rules, Seed::root(1)));
        let (mut score, mut policies) = (RuleScore::new(2), vec![one(), one()]);
        let ledger =
            run_closed_loop(&mut toy, &mut policies, &mut score, &mut desk, &mut NullSink, &|_| false);
        assert_eq!((ledger.signals, ledger.signals_wrongly, ledger.upheld_wrongly), (1, 1, 2));
    }

    /// A score that keeps what it is told, and puts account 0 first.
    #[derive(Default)]
    struct Listens {
        decided: Vec<(u32, bool, i32)>,
        known: usize,
        asked_before_told: bool,
    }

    impl EventSink for Listens {
        fn on_events(&mut self, _: PlatformId, _: SimTime, _: &[Event]) {}
    }

    impl ScoreSource for Listens {
        fn scores(&mut self, _: PlatformId, _: SimTime) -> Vec<(AccountId, equipoise_core::RiskScore)> {
            self.asked_before_told |= self.known == 0;
            [(0, 0.9), (1, 0.8), (2, 0.7)]
                .map(|(account, score)| (AccountId(account), equipoise_core::RiskScore::new(score)))
                .to_vec()
        }
        fn knows(&mut self, _: PlatformId, labels: &[equipoise_core::KnownLabel], _: SimTime) {
            self.known += labels.len();
        }
        fn decided(&mut self, account: AccountRef, upheld: bool, opened_at: SimTime) {
            self.decided.push((account.account.0, upheld, opened_at.day()));
        }
    }

    /// The toy, on whose platforms moderation has closed account 1.
    struct Moderated(Toy, Vec<equipoise_core::KnownLabel>);

    impl Steered for Moderated {
        fn now(&self) -> SimTime {
            self.0.now()
        }
        fn platforms(&self) -> usize {
            1
        }
        fn step_under(&mut self, policies: &mut [Box<dyn Policy>], _: &mut dyn EventSink) -> bool {
            self.0.step_under(policies, &mut NullSink)
        }
        fn carry_out(&mut self, platform: PlatformId, actions: &[Action]) {
            self.0.carry_out(platform, actions);
        }
        fn carriers(&self, _: AccountRef) -> Vec<AccountRef> {
            Vec::new()
        }
        fn known(&self, _: PlatformId) -> &[equipoise_core::KnownLabel] {
            &self.1
        }
    }

    #[test]
    fn a_score_is_told_of_labels_and_decisions_and_who_is_settled_is_not_reviewed_again() {
        let label = equipoise_core::KnownLabel {
            account: AccountId(1),
            known_at: SimTime(0),
            status: equipoise_core::LabelStatus::Actioned,
            source: equipoise_core::LabelSource::UserReport,
        };
        let queue = PolicySpec::ReviewQueue(ReviewQueueSpec { action: QueueAction::ContactFreeze });
        let mut policies: Vec<Box<dyn Policy>> = vec![queue.build()];
        let rules = crate::ReviewRules { capacity: 1, ..desk::tests::rules(1.0, 0.0) };
        let (mut world, mut desk) = (Moderated(Toy::default(), vec![label]), Desk::new(rules, Seed::root(1)));
        let mut score = Listens::default();
        let harmful = |account: AccountRef| account.account.0 == 0;
        run_closed_loop(&mut world, &mut policies, &mut score, &mut desk, &mut NullSink, &harmful);
        // One review a day: account 0 on day 1, account 2 on day 2; account 1 is settled. Only the first is upheld.
        assert_eq!(score.decided, [(0, true, 1), (2, false, 2)]);
        assert!(score.known > 0 && !score.asked_before_told);
    }

    #[test]
    fn a_capacity_of_nothing_is_no_review() {
        let (toy, ledger) = run(0, true);
        assert!(toy.done.is_empty() && ledger == Ledger::default());
    }
}
