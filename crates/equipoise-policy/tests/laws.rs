//! Every example obeys the laws, wrong measures do not, and every example has a name in a file.

use equipoise_core::{
    AccountId, Action, Budget, Event, EventKind, Intent, Levers, PlatformState, Policy, Reach, RiskScore,
    SimTime, Verdict,
};
use equipoise_policy::PolicySpec;
use equipoise_policy::laws::{check_does_nothing, check_laws};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

type Scores<'a> = &'a [(AccountId, RiskScore)];

#[test]
fn every_example_obeys_the_laws() {
    for spec in PolicySpec::examples() {
        check_laws(&|| spec.build()).unwrap_or_else(|why| panic!("{spec:?}: {why}"));
    }
}

#[test]
fn exactly_the_do_nothing_form_does_nothing() {
    for spec in PolicySpec::examples() {
        let does_nothing = check_does_nothing(&|| spec.build()).is_ok();
        assert_eq!(does_nothing, matches!(spec, PolicySpec::NoPolicy(_)), "{spec:?}");
    }
}

/// A measure made of two functions, to be wrong in one way each.
struct Wrong {
    permit: fn(u32, &Intent) -> Verdict,
    act: fn(u32, Scores<'_>, Budget) -> Vec<Action>,
    calls: AtomicU32,
}

impl Wrong {
    fn boxed(
        permit: fn(u32, &Intent) -> Verdict,
        act: fn(u32, Scores<'_>, Budget) -> Vec<Action>,
    ) -> Box<dyn Policy> {
        Box::new(Self { permit, act, calls: AtomicU32::new(0) })
    }
}

impl Policy for Wrong {
    fn permit(&self, intent: &Intent, _: &PlatformState<'_>) -> Verdict {
        (self.permit)(self.calls.fetch_add(1, Ordering::Relaxed), intent)
    }
    fn act(&mut self, scores: &[(AccountId, RiskScore)], budget: Budget) -> Vec<Action> {
        (self.act)(self.calls.load(Ordering::Relaxed), scores, budget)
    }
    fn tick_end(&mut self, _: &[Event]) {}
}

fn permit_all(_: u32, _: &Intent) -> Verdict {
    Verdict::Permit
}

fn no_action(_: u32, _: Scores<'_>, _: Budget) -> Vec<Action> {
    Vec::new()
}

fn rejected(make: &dyn Fn() -> Box<dyn Policy>, why: &str) {
    let error = check_laws(make).expect_err("the laws must reject this measure");
    assert!(error.contains(why), "{error}");
}

/// The examples' filter, or a refusal of every message, with a reach that is too short.
struct Short {
    refuses: bool,
}

impl Policy for Short {
    fn permit(&self, intent: &Intent, _: &PlatformState<'_>) -> Verdict {
        let message = intent.kind == EventKind::Message && self.refuses;
        if message { Verdict::Refuse } else { Verdict::Permit }
    }
    fn act(&mut self, _: Scores<'_>, _: Budget) -> Vec<Action> {
        Vec::new()
    }
    fn reach(&self) -> Reach {
        if self.refuses { Reach::Media } else { Reach::Nothing }
    }
    fn levers(&self, now: SimTime) -> Levers {
        let filter = PolicySpec::examples().into_iter().find(|spec| spec.name() == "media-filter");
        filter.filter(|_| !self.refuses).map_or_else(Levers::default, |spec| spec.build().levers(now))
    }
}

#[test]
fn a_measure_that_reaches_further_than_it_says_is_rejected() {
    rejected(&|| Box::new(Short { refuses: true }), "answers Message between contacts");
    rejected(&|| Box::new(Short { refuses: false }), "pulls the filter's lever");
}

#[test]
fn a_measure_that_overspends_is_rejected() {
    let overspend = |_: u32, scores: Scores<'_>, budget: Budget| {
        scores.iter().take(budget.0 as usize + 1).map(|(a, _)| Action::Friction(*a)).collect()
    };
    rejected(&|| Wrong::boxed(permit_all, overspend), "with a budget of 0");
}

#[test]
fn a_measure_that_speaks_about_strangers_is_rejected() {
    let strangers = |_: u32, _: Scores<'_>, budget: Budget| {
        (0..budget.0).map(|a| Action::Ban(AccountId(900 + a))).collect()
    };
    rejected(&|| Wrong::boxed(permit_all, strangers), "which it was not given");
}

#[test]
fn a_measure_that_spends_twice_on_one_account_is_rejected() {
    let twice =
        |_: u32, scores: Scores<'_>, budget: Budget| vec![Action::Ban(scores[0].0); budget.0 as usize];
    rejected(&|| Wrong::boxed(permit_all, twice), "spoke twice");
}

#[test]
fn a_measure_that_counts_its_questions_is_rejected() {
    let moody = |calls: u32, _: &Intent| if calls % 7 == 6 { Verdict::Refuse } else { Verdict::Permit };
    rejected(&|| Wrong::boxed(moody, no_action), "about the same intent");
}

#[test]
fn a_measure_whose_actions_follow_the_order_of_the_scores_is_rejected() {
    let first_come = |_: u32, scores: Scores<'_>, budget: Budget| {
        scores.iter().take(budget.0 as usize).map(|(a, _)| Action::Friction(*a)).collect()
    };
    rejected(&|| Wrong::boxed(permit_all, first_come), "the order of the scores");
}

#[test]
fn a_measure_with_hidden_state_outside_itself_is_rejected() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let make = || {
        let odd = !RUNS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let refuse = |_: u32, _: &Intent| Verdict::Refuse;
        if odd { Wrong::boxed(refuse, no_action) } else { Wrong::boxed(permit_all, no_action) }
    };
    rejected(&make, "two fresh measures");
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct File {
    policy: PolicySpec,
}

#[test]
fn every_example_is_written_and_read_under_its_name() {
    for policy in PolicySpec::examples() {
        let file = File { policy };
        let text = toml::to_string(&file).unwrap();
        assert!(text.contains(&format!("policy.{}", file.policy.name())), "{text}");
        assert_eq!(toml::from_str::<File>(&text).unwrap(), file);
        assert!(!file.policy.describe().is_empty());
    }
}

#[test]
fn files_are_read_as_documented_and_slips_are_errors() {
    let read = |text: &str| {
        toml::from_str::<File>(text).map(|file| file.policy.describe()).map_err(|e| e.to_string())
    };
    assert!(read("policy.no-policy = {}").is_ok());
    assert_eq!(
        read("policy.contact-limit = { per-day = 3, mutuals-exempt = true }").unwrap(),
        "refuses a contact request from a declared adult to a declared minor after 3 in 24 hours; requests to an account \
         with a shared contact are exempt"
    );
    assert!(
        read("policy.review-queue = { action = \"contact-freeze\" }")
            .unwrap()
            .ends_with("stops new contacts")
    );
    for (text, why) in [
        ("policy.no-policy = { per-day = 3 }", "unknown field `per-day`"),
        ("policy.contact-limit = { per-day = 3 }", "missing field `mutuals-exempt`"),
        ("policy.contact-limit = { per-day = -1, mutuals-exempt = true }", "-1"),
        (
            "policy.review-queue = { action = \"reinstate\" }",
            "expected one of `friction`, `contact-freeze`, `ban`",
        ),
        ("policy.queue = {}", "expected one of `no-policy`, `media-filter`, `contact-limit`"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}
