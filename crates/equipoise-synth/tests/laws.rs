//! Determinism (V20), policies on the same path, the laws of a log (V19), labels, errors.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

mod common;

use common::{Against, Idle, Log, check_laws, play, research};
use equipoise_core::{
    AccountId, Action, Event, EventKind, LabelSource, LabelStatus, NullSink, PlatformId, Policy, Seed,
    Silent, SimTime, Verdict,
};
use equipoise_synth::{World, WorldError, WorldSpec};
use proptest::prelude::*;

fn policies(make: impl Fn() -> Box<dyn Policy>) -> Vec<Box<dyn Policy>> {
    (0..4).map(|_| make()).collect()
}

#[test]
fn the_same_seed_gives_the_same_events_labels_and_truth() {
    let spec = research(600, 12);
    let (_, log, outcome) = play(&spec, 5);
    let (_, log_again, outcome_again) = play(&spec, 5);
    assert!(log == log_again && outcome == outcome_again);
    let (_, other, _) = play(&spec, 6);
    assert!(log != other);
}

#[test]
fn a_policy_that_does_nothing_equals_no_policy() {
    let (world, log, outcome) = play(&research(600, 12), 5);
    let mut with = Log::default();
    let outcome_with = world.run(Some(&mut policies(|| Box::new(Idle))), &mut with, &Silent).unwrap();
    assert!(log == with && outcome == outcome_with);
}

#[test]
fn a_refused_kind_never_happens_and_sessions_stay_as_they_were() {
    let (world, log, outcome) = play(&research(600, 10), 5);
    let mut with = Log::default();
    let mut refuse = policies(|| Box::new(Against(EventKind::ContactRequest, Verdict::Refuse)));
    let refused = world.run(Some(&mut refuse), &mut with, &Silent).unwrap();
    let count = |log: &Log, kind| (0..4).flat_map(|p| log.of(p)).filter(|e| e.kind == kind).count();
    assert!(count(&log, EventKind::ContactRequest) > 100);
    assert_eq!(count(&with, EventKind::ContactRequest), 0);
    // A policy cannot refuse what its platform does not see: an end-to-end messenger logs added contacts alone.
    let accepts = |p| with.of(p).filter(|e| e.kind == EventKind::ContactAccept).count();
    for view in world.views().iter().filter(|v| v.schema.sees(EventKind::ContactRequest)) {
        assert_eq!(accepts(view.id.index()), 0, "{}", view.name);
    }
    assert!(refused.events < outcome.events);
    // Common random numbers: searches depend on no contact, so that closings alone may change a few.
    let (before, after) = (count(&log, EventKind::Search), count(&with, EventKind::Search));
    assert!(before.abs_diff(after) * 200 < before, "{before} {after}");
    let mut warn = policies(|| Box::new(Against(EventKind::ContactRequest, Verdict::Warn)));
    let mut warned = Log::default();
    world.run(Some(&mut warn), &mut warned, &Silent).unwrap();
    let share = count(&warned, EventKind::ContactRequest) * 100 / count(&log, EventKind::ContactRequest);
    assert!((40..=60).contains(&share), "half of the warned go on, got {share} in 100");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_log_obeys_the_laws(seed in any::<u64>(), ticks in 0_usize..4) {
        let mut spec = research(500, 15);
        spec.tick_hours = [3, 6, 12, 24][ticks];
        let (world, log, outcome) = play(&spec, seed);
        prop_assert_eq!(check_laws(&world, &log, &outcome), Ok(()));
    }
}

#[test]
fn the_laws_reject_wrong_logs() {
    let mut spec = research(900, 20);
    spec.harm.prevalence.value = equipoise_core::Fraction::new(0.05).unwrap();
    let (world, mut log, outcome) = play(&spec, 8);
    check_laws(&world, &log, &outcome).unwrap();
    let until = SimTime::from_days(99);
    // Answers are checked where requests are logged.
    let place = |kind| PlatformId(u8::from(kind != EventKind::ContactAccept));
    let wrong = |log: &mut Log, kind, actor: u32, peer: u32, time| {
        let event = Event::new(SimTime(time), AccountId(actor), AccountId(peer), kind);
        log.0.push((place(kind), until, vec![event]));
        let verdict = check_laws(&world, log, &outcome);
        log.0.pop();
        verdict.unwrap_err()
    };
    assert!(wrong(&mut log, EventKind::Search, 0, u32::MAX, 98 * 86_400).contains("seen false"));
    assert!(wrong(&mut log, EventKind::ContactAccept, 0, 1, 98 * 86_400).contains("without a request"));
    assert!(wrong(&mut log, EventKind::Message, 0, 1, 98 * 86_400 + 300).contains("seen false"));
    assert!(wrong(&mut log, EventKind::Message, 0, 1, -400 * 86_400).contains("created"));
    let actioned =
        outcome.labels[1].iter().find(|l| l.status == LabelStatus::Actioned).expect("one account was closed");
    assert!(
        wrong(&mut log, EventKind::SessionOpen, actioned.account.0, u32::MAX, 98 * 86_400)
            .contains("after closing")
    );
    let block = log.of(1).find(|e| e.kind == EventKind::Block).copied().expect("somebody blocked somebody");
    let event = Event::new(SimTime::from_days(98), block.peer, block.actor, EventKind::Message);
    log.0.push((PlatformId(1), until, vec![event]));
    assert!(check_laws(&world, &log, &outcome).unwrap_err().starts_with("after"));
}

#[test]
fn an_account_closed_between_ticks_falls_silent() {
    let world = World::build(&research(500, 10), Seed::root(2)).unwrap();
    let mut simulation = world.start();
    let mut before = Log::default();
    for _ in 0..16 {
        assert!(simulation.step(None, &mut before, &Silent).unwrap());
    }
    let busy = before.of(2).find(|e| e.kind == EventKind::Message).unwrap().actor;
    simulation.apply(PlatformId(2), &[Action::Ban(busy)]);
    let mut after = Log::default();
    while simulation.step(None, &mut after, &Silent).unwrap() {}
    assert!(after.of(2).all(|e| e.actor != busy && e.peer != busy));
    assert_eq!(simulation.now(), SimTime::from_days(10));
}

#[test]
fn labels_are_late_incomplete_and_sometimes_wrong() {
    let mut spec = research(1_500, 40);
    spec.harm.prevalence.value = equipoise_core::Fraction::new(0.03).unwrap();
    let (_, _, outcome) = play(&spec, 3);
    let (mut harmful, mut found, mut wrong) = (0, 0, 0);
    for (platform, labels) in outcome.truth.platforms.iter().zip(&outcome.labels) {
        assert!(labels.is_sorted_by_key(|l| (l.known_at, l.account)));
        for (id, account) in (0_u32..).zip(&platform.accounts) {
            let positive = labels.iter().find(|l| l.account.0 == id && l.status.is_positive());
            match (account.harmful, positive) {
                (Some(_), label) => {
                    harmful += 1;
                    found += usize::from(label.is_some());
                    if let (Some(label), Some(start)) = (label, account.harm_start) {
                        // Reports may concern a benign contact, signals another platform.
                        let early = [LabelSource::UserReport, LabelSource::SharedSignal];
                        assert!(label.known_at > start || early.contains(&label.source));
                    }
                }
                (None, Some(_)) => wrong += 1,
                (None, None) => {}
            }
        }
        for label in labels.iter().filter(|l| l.status == LabelStatus::Actioned) {
            let reported = labels.iter().any(|l| {
                l.account == label.account && l.status == LabelStatus::Reported && l.known_at < label.known_at
            });
            assert!(reported || label.source == LabelSource::Proactive, "{label:?}");
        }
    }
    assert!(found > 0 && found < harmful, "{found} of {harmful}");
    assert!(wrong > 0);
}

#[test]
fn truth_holds_together() {
    let (_, _, outcome) = play(&research(1_000, 30), 4);
    let mut stages = 0;
    for (number, platform) in outcome.truth.platforms.iter().enumerate() {
        for (id, account) in (0_u32..).zip(&platform.accounts) {
            assert!(
                outcome
                    .truth
                    .accounts_of(account.person)
                    .any(|a| a.account.0 == id && a.platform.index() == number)
            );
            assert_eq!(account.harm_start, account.contacts.first().map(|c| c.0));
            assert!(account.harmful.is_some() || account.contacts.is_empty());
            assert!(account.contacts.iter().all(|(_, c)| outcome.truth.persons[c.index()].band.is_minor()));
        }
        for stage in &platform.stages {
            assert!(stage.from < stage.to && (1..=5).contains(&stage.stage));
            assert!(platform.accounts[stage.account.index()].contacts.iter().any(|(_, c)| *c == stage.child));
            stages += 1;
        }
        assert_eq!(outcome.tokens[number].len(), platform.accounts.len());
    }
    assert!(stages > 20);
}

#[test]
fn wrong_files_are_refused_with_the_reason() {
    let mut spec = research(500, 10);
    spec.platform.clear();
    let error = World::build(&spec, Seed::root(1)).unwrap_err();
    assert_eq!(error, WorldError::Platforms { got: 0 });
    let text = include_str!("../../../datasets/research.toml");
    let read = |text: &str| toml::from_str::<WorldSpec>(text).unwrap_err().to_string();
    let unknown = read(&text.replace("tick-hours", "tock-hours"));
    assert!(unknown.contains("tock-hours") && unknown.contains("line"), "{unknown}");
    let range = read(&text.replace("girls = { value = 0.5,", "girls = { value = 1.5,"));
    assert!(
        range.contains("a fraction must be between 0 and 1, got 1.5") && range.contains("line"),
        "{range}"
    );
    let bare = read(&text.replace("girls = { value = 0.5, source = \"assumed\" }", "girls = 0.5"));
    assert!(bare.contains("line"), "{bare}");
    let mut spec = research(500, 10);
    spec.tick_hours = 5;
    assert_eq!(
        World::build(&spec, Seed::root(1)).unwrap_err().to_string(),
        "tick-hours must be a divisor of 24"
    );
    let world = World::build(&research(500, 2), Seed::root(1)).unwrap();
    let error = world.run(Some(&mut [Box::new(Idle)]), &mut NullSink, &Silent).unwrap_err();
    assert_eq!(error.to_string(), "1 policies for 4 platforms: give one for each");
}

#[test]
fn any_number_of_instances_of_one_archetype_is_a_world() {
    let mut spec = research(300, 4);
    let social = spec.platform[2].clone();
    spec.platform = (0..6)
        .map(|i| equipoise_synth::PlatformSpec { name: format!("social-{i}"), ..social.clone() })
        .collect();
    let (world, log, outcome) = play(&spec, 1);
    assert_eq!(world.views().len(), 6);
    check_laws(&world, &log, &outcome).unwrap();
    spec.platform.truncate(1);
    let (world, log, outcome) = play(&spec, 1);
    check_laws(&world, &log, &outcome).unwrap();
}

#[test]
fn the_null_world_is_the_research_world_at_detectability_zero() {
    let (mut research, null) = (research(500, 10), common::null(500, 10));
    assert!(research != null);
    research.harm.detectability = 0.0;
    assert_eq!(research, null);
}
