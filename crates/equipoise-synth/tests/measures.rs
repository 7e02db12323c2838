//! The world under measures: off is absent, byte for byte; the laws of a log (V19) hold under every combination; each measure
//! does at its extreme what logic demands; a lean run is a full run; adaptation that nobody is willing to changes nothing.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Log, research};
use equipoise_core::{
    AccountRef, AgeBand, Event, EventKind, EventSink, Fraction, NullSink, Policy, ScoreSource, Seed, Silent,
    SimTime,
};
use equipoise_policy::tandem::{Estimate, difference};
use equipoise_policy::{
    Appeal, Desk, Ledger, NoPolicy, PolicySpec, ReviewRules, Reviewer, RuleScore, Since, Together,
    run_closed_loop,
};
use equipoise_synth::harm_counts::{HarmCounts, WEIGHTINGS};
use equipoise_synth::validate::Laws;
use equipoise_synth::{AdaptationSpec, AdverseSpec, Agenda, Outcome, World, WorldSpec};
use proptest::prelude::*;

fn share(value: f64) -> Fraction {
    Fraction::new(value).unwrap()
}

/// A world with enough harmful accounts to see something.
fn spec(persons: u32, days: u16) -> WorldSpec {
    let mut spec = research(persons, days);
    spec.harm.prevalence.value = share(0.05);
    spec
}

fn adaptation(willing: f64) -> AdaptationSpec {
    let text = format!(
        "willing = {{ value = {willing}, source = \"assumed\" }}
         reregister = {{ value = 0.5, source = \"assumed\" }}
         reregister-days = {{ value = 3.0, source = \"assumed\" }}
         reregister-sigma = {{ value = 1.0, source = \"assumed\" }}
         displace = {{ value = 0.4, source = \"assumed\" }}
         slow = {{ value = 0.5, source = \"assumed\" }}"
    );
    toml::from_str(&text).unwrap()
}

fn adverse(p: f64) -> AdverseSpec {
    let line = format!("{{ value = {p}, source = \"assumed\" }}");
    toml::from_str(&format!("after-block = {line}\nafter-freeze = {line}\nafter-warning = {line}")).unwrap()
}

fn rules(capacity: u32) -> ReviewRules {
    ReviewRules {
        capacity,
        every_days: 1,
        reviewer: Reviewer::new(share(0.85), share(0.95), 6.0, 1.0).unwrap(),
        appeal: Appeal { files: share(0.5), lifts_wrong: share(0.8), lifts_right: share(0.05), days: 3 },
    }
}

fn together(specs: &[&PolicySpec], day: u16) -> Vec<Box<dyn Policy>> {
    let one = || specs.iter().map(|spec| Since { day, policy: spec.build() }).collect();
    (0..4).map(|_| -> Box<dyn Policy> { Box::new(Together::new(one())) }).collect()
}

/// Plays a world in the closed loop; lean or with everybody's sessions.
fn play(
    world: &World,
    policies: &mut [Box<dyn Policy>],
    capacity: u32,
    lean: bool,
) -> (Log, Outcome, Ledger) {
    let (mut log, blank) = (Log::default(), world.start_lean().finish());
    let harmful =
        |account: AccountRef| blank.truth.account(account.platform, account.account).harmful.is_some();
    let mut desk = Desk::new(rules(capacity), Seed::root(77));
    let agenda = world.agenda();
    let reach = policies.iter().map(|policy| policy.reach()).max().unwrap();
    let mut simulation = if lean { world.start_lean_on(&agenda).reached_by(reach) } else { world.start() };
    let mut score = RuleScore::new(4);
    let ledger = run_closed_loop(&mut simulation, policies, &mut score, &mut desk, &mut log, &harmful);
    (log, simulation.finish(), ledger)
}

#[test]
fn a_measure_that_is_off_is_absent_byte_for_byte() {
    for seed in [5, 6] {
        let world = World::build(&spec(500, 12), Seed::root(seed)).unwrap();
        let mut log = Log::default();
        let outcome = world.run(None, &mut log, &Silent).unwrap();
        for policy in PolicySpec::examples() {
            let (with, result, ledger) = play(&world, &mut together(&[&policy], 99), 5, false);
            assert!(with == log && result == outcome, "{}", policy.name());
            assert_eq!(ledger, Ledger::default(), "{}", policy.name());
        }
    }
}

#[test]
fn every_measure_that_is_on_changes_something() {
    let world = World::build(&spec(1_500, 60), Seed::root(5)).unwrap();
    let (log, outcome, _) = play(&world, &mut together(&[], 0), 5, false);
    for policy in PolicySpec::examples() {
        let queue = PolicySpec::examples().into_iter().find(|one| one.name() == "review-queue").unwrap();
        let (specs, without): (Vec<&PolicySpec>, _) = if policy.name() == "signal-sharing" {
            (vec![&queue, &policy], play(&world, &mut together(&[&queue], 0), 5, false))
        } else {
            (vec![&policy], (Log(log.0.clone()), outcome.clone(), Ledger::default()))
        };
        let (with, result, ledger) = play(&world, &mut together(&specs, 0), 5, false);
        let same = with == without.0 && result == without.1 && ledger == without.2;
        assert_eq!(same, policy.name() == "no-policy", "{policy:?}");
    }
}

/// V19 over a log of a world whose spare accounts were made on the way.
fn check(world: &World, log: &Log, outcome: &Outcome) -> Result<(), String> {
    let mut views = world.views().to_vec();
    for (account, time) in &outcome.made {
        views[account.platform.index()].profiles[account.account.index()].created = *time;
    }
    let mut laws = Laws::new(&views);
    for (platform, until, events) in &log.0 {
        laws.on_events(*platform, *until, events);
    }
    laws.finish(outcome).first().map_or(Ok(()), |broken| Err(broken.first.clone()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_log_under_every_combination_obeys_the_laws_and_a_lean_run_is_a_full_one(
        seed in any::<u64>(), chosen in 0_u16..4_096, adapts in any::<bool>(),
    ) {
        let mut spec = spec(500, 20);
        if adapts {
            spec.adaptation = Some(AdaptationSpec { adverse: Some(adverse(0.3)), ..adaptation(0.8) });
        }
        let world = World::build(&spec, Seed::root(seed)).unwrap();
        let examples = PolicySpec::examples();
        let on: Vec<&PolicySpec> =
            examples.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, one)| one).collect();
        let (log, outcome, ledger) = play(&world, &mut together(&on, 0), 3, false);
        prop_assert_eq!(check(&world, &log, &outcome), Ok(()));
        let (_, lean, lean_ledger) = play(&world, &mut together(&on, 0), 3, true);
        prop_assert!(lean.truth == outcome.truth && lean.labels == outcome.labels && lean.made == outcome.made);
        prop_assert_eq!(lean.bans, outcome.bans);
        prop_assert_eq!(lean_ledger, ledger);
    }
}

/// One cell of a lean run whose measures come one `gap` after the other: on the agenda with everything skipped that nobody reaches,
/// or with every act, look and message made again.
fn cell(world: &World, agenda: Option<&Agenda>, measures: &[&PolicySpec], gap: u16) -> (Outcome, Ledger) {
    let since = |(place, spec): (u16, &&PolicySpec)| Since { day: place * gap, policy: spec.build() };
    let one = || Together::new((0..).zip(measures).map(since).collect());
    let mut policies: Vec<Box<dyn Policy>> = (0..4).map(|_| -> Box<dyn Policy> { Box::new(one()) }).collect();
    let reach = policies.iter().map(|policy| policy.reach()).max().unwrap();
    let mut simulation = match agenda {
        Some(agenda) => world.start_lean_on(agenda).reached_by(reach),
        None => world.start_lean(),
    };
    let roster = world.roster();
    let harmful = |account: AccountRef| roster[account.platform.index()][account.account.index()];
    let (mut score, mut desk) = (RuleScore::new(4), Desk::new(rules(3), Seed::root(77)));
    let ledger =
        run_closed_loop(&mut simulation, &mut policies, &mut score, &mut desk, &mut NullSink, &harmful);
    // The number of rows is what skipping changes, and nothing else.
    (Outcome { events: 0, ..simulation.finish() }, ledger)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    /// What a further cell does not make again would have changed nothing: truth, labels, closings, accounts made and what
    /// measures cost each account are those of the run that makes all of it, cell after cell on one agenda.
    #[test]
    fn a_further_cell_is_the_cell_that_is_simulated_again_in_full(
        seed in any::<u64>(), chosen in proptest::collection::vec(0_u16..4_096, 3), gap in 0_u16..9,
    ) {
        let mut spec = spec(700, 40);
        spec.adaptation = Some(AdaptationSpec { adverse: Some(adverse(0.3)), ..adaptation(0.8) });
        let world = World::build(&spec, Seed::root(seed)).unwrap();
        let (agenda, examples) = (world.agenda(), PolicySpec::examples());
        for chosen in chosen {
            let on: Vec<&PolicySpec> =
                examples.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, one)| one).collect();
            let (further, again) = (cell(&world, Some(&agenda), &on, gap), cell(&world, None, &on, gap));
            prop_assert!(further.0.costs == again.0.costs, "costs under {:?}", on);
            prop_assert!(further == again, "under {:?}", on);
        }
    }
}

/// The filter alone skips most: of what it cannot warn of nothing is sent. It meets the same media all the same.
#[test]
fn a_filter_warns_of_the_same_media_whether_or_not_the_others_are_sent() {
    let world = World::build(&spec(1_500, 60), Seed::root(5)).unwrap();
    let filter = read(
        "policy.media-filter = { true-positive = 0.8, false-positive = 0.05, proceed = 0.5, opt-out = 0.2 }",
    );
    let agenda = world.agenda();
    for gap in [0, 20] {
        // The first measure never changes anything, so that the filter comes after the gap.
        let on = [&PolicySpec::NoPolicy(NoPolicy {}), &filter];
        let (further, again) = (cell(&world, Some(&agenda), &on, gap), cell(&world, None, &on, gap));
        let alarms = |outcome: &Outcome| {
            outcome.costs.iter().flatten().map(|cost| u64::from(cost.false_alarms)).sum::<u64>()
        };
        assert!(alarms(&again.0) > 50, "{}", alarms(&again.0));
        assert!(further == again, "gap {gap}: {} and {}", alarms(&further.0), alarms(&again.0));
    }
}

fn read(text: &str) -> PolicySpec {
    #[derive(serde::Deserialize)]
    struct File {
        policy: PolicySpec,
    }
    toml::from_str::<File>(text).unwrap().policy
}

#[test]
fn a_contact_limit_of_nothing_stops_every_declared_adults_request_to_a_declared_minor() {
    let world = World::build(&spec(800, 15), Seed::root(3)).unwrap();
    let limit = read("policy.contact-limit = { per-day = 0, mutuals-exempt = false }");
    let count = |log: &Log| {
        let to_minor = |platform: usize, event: &Event| {
            let age = |account: equipoise_core::AccountId| {
                world.views()[platform].profiles[account.index()].declared_age
            };
            event.kind == EventKind::ContactRequest
                && age(event.actor) == Some(AgeBand::Adult)
                && age(event.peer).is_some_and(AgeBand::is_minor)
        };
        (0..4).map(|p| log.of(p).filter(|event| to_minor(p, event)).count()).sum::<usize>()
    };
    let (without, _, _) = play(&world, &mut together(&[], 0), 0, true);
    let (with, outcome, _) = play(&world, &mut together(&[&limit], 0), 0, true);
    assert!(count(&without) > 50, "{}", count(&without));
    assert_eq!(count(&with), 0);
    assert!(outcome.costs.iter().flatten().map(|cost| u64::from(cost.refused)).sum::<u64>() > 0);
}

#[test]
fn a_perfect_filter_without_override_stops_every_sensitive_medium() {
    let world = World::build(&spec(1_500, 60), Seed::root(3)).unwrap();
    let filter = |rates: &str| read(&format!("policy.media-filter = {{ {rates}, opt-out = 0.0 }}"));
    let perfect = filter("true-positive = 1.0, false-positive = 0.0, proceed = 0.0");
    let blind = filter("true-positive = 0.0, false-positive = 0.0, proceed = 0.0");
    let media = |policy: &PolicySpec| {
        let (_, outcome, _) = play(&world, &mut together(&[policy], 0), 0, true);
        let sums = outcome.truth.screened.iter().fold((0, 0), |s, d| (s.0 + d.passed, s.1 + d.stopped));
        (sums, HarmCounts::of(&outcome))
    };
    let ((passed, stopped), before) = media(&blind);
    assert!(passed > 20 && stopped == 0, "{passed} {stopped}");
    let ((through, held), after) = media(&perfect);
    // A child whose device knows no age under 18 is not covered: that is the age that was declared.
    assert!(held > passed / 3, "{held} of {passed}");
    assert!(after.all.filtered > 0 && after.all.stages[3] < before.all.stages[3]);
    let sees_true_ages = |policy: &PolicySpec| {
        let mut simulation = world.start_lean().with_true_ages();
        while simulation.step(Some(&mut together(&[policy], 0)), &mut NullSink, &Silent).unwrap() {}
        simulation.finish().truth.screened.iter().map(|dyad| dyad.passed).sum::<u32>()
    };
    assert_eq!(sees_true_ages(&perfect), 0);
    assert!(through > 0, "misdeclared ages are the loophole that the oracle prices");
}

#[test]
fn adaptation_that_nobody_is_willing_to_changes_no_event() {
    let mut spec = spec(700, 25);
    let (_, log, outcome) = common::play(&spec, 9);
    spec.adaptation = Some(adaptation(0.0));
    let (_, with, result) = common::play(&spec, 9);
    assert!(log == with);
    assert_eq!(outcome.labels, result.labels);
    assert_eq!(HarmCounts::of(&outcome), HarmCounts::of(&result));
    let mut willing = spec.clone();
    willing.adaptation = Some(adaptation(1.0));
    let freeze = read("policy.review-queue = { action = \"ban\" }");
    let world = World::build(&willing, Seed::root(9)).unwrap();
    let (_, adapted, ledger) = play(&world, &mut together(&[&freeze], 0), 20, true);
    assert!(ledger.upheld > 5 && !adapted.made.is_empty(), "{ledger:?} {:?}", adapted.made);
    // Each actor makes at most one account on its platform and one elsewhere.
    assert!(adapted.made.iter().all(|(_, time)| *time >= SimTime(0) && *time < SimTime::from_days(25)));
}

/// Harm with a measure minus harm without it, by the design's weights, on ten paired worlds; and the same of adverse reactions.
fn paired_harm(measure: &PolicySpec, adverse_chance: f64) -> (Estimate, Estimate) {
    let mut spec = spec(800, 60);
    spec.adaptation = Some(AdaptationSpec { adverse: Some(adverse(adverse_chance)), ..adaptation(0.0) });
    let mut harm: [Vec<f64>; 4] = Default::default();
    for seed in 0..10 {
        let world = World::build(&spec, Seed::root(40 + seed)).unwrap();
        for (at, on) in [(0, vec![measure]), (1, vec![])] {
            let (_, outcome, _) = play(&world, &mut together(&on, 0), 0, true);
            let all = HarmCounts::of(&outcome).all;
            harm[at].push(all.weighted(&WEIGHTINGS[0]));
            harm[2 + at].push(all.adverse as f64);
        }
    }
    let [with, without, reactions, before] = &harm;
    (difference(with, without).unwrap(), difference(reactions, before).unwrap())
}

/// A filter that meets few of the media stops next to nothing, and each stop may be answered towards the child.
#[test]
fn adverse_reactions_can_make_a_measure_harm() {
    let weak = read(
        "policy.media-filter = { true-positive = 0.1, false-positive = 0.0, proceed = 0.0, opt-out = 0.0 }",
    );
    let (harm, reactions) = paired_harm(&weak, 1.0);
    println!("weak filter, reactions sure: harm {harm:?}, reactions {reactions:?}");
    assert!(reactions.low > 0.0, "{reactions:?}");
    assert!(harm.value > 0.0 && harm.low > 0.0, "the measure harms: {harm:?}");
    let (harm, reactions) = paired_harm(&weak, 0.0);
    println!("weak filter, no reactions: harm {harm:?}");
    assert!(harm.value <= 0.0, "without reactions it does not: {harm:?}");
    assert!(reactions.value.abs() < 1e-12);
}

/// Days between one measure and the next that no window holds leave the first measure alone, byte for byte.
#[test]
fn measures_one_after_the_other_begin_with_the_first_alone() {
    let world = World::build(&spec(700, 20), Seed::root(6)).unwrap();
    // The second refuses all that the first does, and more.
    let (first, second) = (
        read("policy.search-restriction = { effectiveness = 1.0 }"),
        read("policy.contact-limit = { per-day = 0, mutuals-exempt = false }"),
    );
    let staggered = |gap: u16| -> Vec<Box<dyn Policy>> {
        let one =
            || vec![Since { day: 0, policy: first.build() }, Since { day: gap, policy: second.build() }];
        (0..4).map(|_| -> Box<dyn Policy> { Box::new(Together::new(one())) }).collect()
    };
    let of = |policies: &mut Vec<Box<dyn Policy>>| play(&world, policies, 0, true).1;
    let alone = of(&mut together(&[&first], 0));
    let at_once = of(&mut together(&[&first, &second], 0));
    assert_eq!(of(&mut staggered(99)), alone, "the second never came");
    assert_eq!(of(&mut staggered(0)), at_once, "both were there from the first day");
    let later = of(&mut staggered(10));
    assert!(later != alone && later != at_once);
}

/// Bans on the platforms that act, and none on one that abstains: who is willing goes there, and with nobody willing nothing moves.
#[test]
fn accounts_that_measures_met_move_to_a_platform_that_abstains() {
    let ban = read("policy.review-queue = { action = \"ban\" }");
    let moved = |willing: f64| {
        let mut spec = spec(1_500, 60);
        let mut adapts = adaptation(willing);
        adapts.displace = toml::from_str::<AdaptationSpec>(
            &toml::to_string(&adapts).unwrap().replace("value = 0.4", "value = 1.0"),
        )
        .unwrap()
        .displace;
        spec.adaptation = Some(adapts);
        let world = World::build(&spec, Seed::root(9)).unwrap();
        let one = |platform: u8| -> Box<dyn Policy> {
            let measures = (platform != 3).then(|| Since { day: 0, policy: ban.build() });
            Box::new(Together::new(measures.into_iter().collect()))
        };
        let (_, outcome, ledger) = play(&world, &mut (0..4).map(one).collect::<Vec<_>>(), 20, true);
        assert!(ledger.upheld > 5, "{ledger:?}");
        let (_, before, _) = play(&world, &mut together(&[], 0), 0, true);
        let harm = |outcome: &Outcome| HarmCounts::of(outcome).platforms[3].weighted(&WEIGHTINGS[1]);
        let went = outcome.made.iter().filter(|(account, _)| account.platform.0 == 3).count();
        let went_before = before.made.iter().filter(|(account, _)| account.platform.0 == 3).count();
        (went as i64 - went_before as i64, harm(&outcome) - harm(&before))
    };
    let (nobody, willing) = (moved(0.0), moved(1.0));
    println!("to the platform that abstains: {nobody:?} and, willing, {willing:?}");
    assert_eq!(nobody.0, 0);
    assert!(willing.0 > 0, "{willing:?}");
    assert!(willing.1 > nobody.1, "harm moves with them: {willing:?} against {nobody:?}");
}

#[test]
fn a_review_without_capacity_is_no_review() {
    let world = World::build(&spec(500, 12), Seed::root(5)).unwrap();
    let queue = read("policy.review-queue = { action = \"ban\" }");
    let (log, outcome, _) = play(&world, &mut together(&[], 0), 0, false);
    let (with, result, ledger) = play(&world, &mut together(&[&queue], 0), 0, false);
    assert!(log == with && outcome == result);
    assert_eq!(ledger, Ledger::default());
}

/// A score hears one platform's events only with that platform's name on them.
#[test]
fn the_rule_hears_what_a_lean_run_can_tell() {
    let rule = RuleScore::new(1);
    assert!(EventKind::ALL.iter().all(|kind| !rule.hears(*kind) || kind.couples()));
}
