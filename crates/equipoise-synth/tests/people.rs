//! Persons, profiles, platforms: own profiles (V2), memberships that hang together (V7), benign roles (2.6), what the
//! common schema leaves, what is never written, contact with people never met (V8).

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

mod common;

use common::{Log, play, research};
use equipoise_core::{EventKind, EventSink, Fraction, PlatformId, Seed, Silent, SimTime};
use equipoise_synth::truth::BenignGroup;
use equipoise_synth::{SchemaMode, StrangerWatch, World, WorldSpec};

fn has_account(world: &World) -> Vec<bool> {
    let truth = world.start().finish().truth;
    let mut out = vec![false; truth.persons.len()];
    for account in truth.platforms.iter().flat_map(|p| &p.accounts) {
        if account.harmful.is_none() && account.matched_for.is_none() {
            out[account.person.index()] = true;
        }
    }
    out
}

// 15,000 persons: .03 is at least two and a half standard errors for 8 to 12 (1,200), five for 8 to 17.
#[test]
fn the_published_shares_of_children_have_a_profile_of_their_own() {
    let mut spec = research(15_000, 1);
    let everybody = [1.0; 4];
    spec.membership.social_network.value = everybody;
    let world = World::build(&spec, Seed::root(2)).unwrap();
    let own = has_account(&world);
    let share = |from: f64, below: f64| {
        let of_age: Vec<bool> = world
            .ages()
            .zip(&own)
            .filter(|(age, _)| *age >= from && *age < below)
            .map(|(_, own)| *own)
            .collect();
        of_age.iter().filter(|own| **own).count() as f64 / of_age.len() as f64
    };
    for ((from, below), want) in [((8.0, 13.0), 0.60), ((8.0, 18.0), 0.77), ((18.0, 99.0), 1.0)] {
        let got = share(from, below);
        assert!((got - want).abs() <= 0.04, "{from} to {below}: {got}, want {want}");
    }
}

// The odds ratio of two memberships under a Gaussian copula of .3 is near 2.2; without correlation it is 1.
#[test]
fn memberships_of_a_person_hang_together_and_do_not_without_the_copula() {
    let ratio = |rho: f64| {
        let mut spec = research(12_000, 1);
        spec.membership.rho.value = Fraction::new(rho).unwrap();
        let world = World::build(&spec, Seed::root(5)).unwrap();
        let truth = world.start().finish().truth;
        let mut on = vec![[false; 4]; truth.persons.len()];
        for (platform, list) in truth.platforms.iter().enumerate() {
            list.accounts.iter().for_each(|account| on[account.person.index()][platform] = true);
        }
        let mut table = [[0.0_f64; 2]; 2];
        for (age, on) in world.ages().zip(&on) {
            if age >= 18.0 {
                table[usize::from(on[0])][usize::from(on[2])] += 1.0;
            }
        }
        table[0][0] * table[1][1] / (table[0][1] * table[1][0])
    };
    let (with, without) = (ratio(0.3), ratio(0.0));
    assert!(with > 1.6 && with < 3.0 && (without - 1.0).abs() < 0.2, "{with} {without}");
}

#[test]
fn benign_roles_have_the_shares_of_the_design() {
    let world = World::build(&research(30_000, 1), Seed::root(6)).unwrap();
    let truth = world.start().finish().truth;
    let ordinary: Vec<BenignGroup> = truth
        .platforms
        .iter()
        .flat_map(|p| &p.accounts)
        .filter(|a| a.harmful.is_none() && a.matched_for.is_none())
        .map(|a| a.benign_group)
        .collect();
    let share = |group| ordinary.iter().filter(|g| **g == group).count() as f64 / ordinary.len() as f64;
    let want = [
        (BenignGroup::TeacherCoach, 0.004),
        (BenignGroup::Relative, 0.02),
        (BenignGroup::PopularTeen, 0.005),
        (BenignGroup::SellerBot, 0.008),
        (BenignGroup::Newcomer, 0.02),
        (BenignGroup::SecondAccount, 0.06),
    ];
    for (group, want) in want {
        let got = share(group);
        println!("{group:?}: {got:.4}, design {want}");
        assert!(got > 0.6 * want && got < 1.6 * want, "{group:?}: {got}, want {want}");
    }
}

#[test]
fn the_common_schema_shows_only_what_every_platform_sees() {
    let mut spec = research(300, 6);
    spec.schema_mode = SchemaMode::Common;
    let (world, log, outcome) = play(&spec, 4);
    common::check_laws(&world, &log, &outcome).unwrap();
    let first = world.views()[0].schema;
    for view in world.views() {
        assert_eq!((view.schema.visible_kinds, view.schema.bucket_seconds), (first.visible_kinds, 3_600));
        assert!(view.profiles.iter().all(|p| p.declared_age.is_none() && p.region.is_none()));
    }
    assert!((0..4).flat_map(|p| log.of(p)).all(|e| e.kind != EventKind::ContactRequest && e.media == 0));
    assert!(log.of(0).filter(|e| e.kind == EventKind::Call).all(|e| e.count == 1));
}

#[test]
fn rows_that_are_not_written_are_missing_from_the_log_and_from_nothing_else() {
    let spec = research(500, 8);
    let missing = |spec: &WorldSpec, share: f64| {
        let mut spec = spec.clone();
        spec.platform[2].missing.value = [(EventKind::Message, Fraction::new(share).unwrap())].into();
        spec
    };
    let (_, log, outcome) = play(&spec, 5);
    let (_, same, _) = play(&missing(&spec, 0.0), 5);
    assert!(log == same, "a share of nothing is the do-nothing value");
    let (_, with, outcome_with) = play(&missing(&spec, 0.4), 5);
    let messages = |log: &Log| log.of(2).filter(|e| e.kind == EventKind::Message).count() as f64;
    let kept = messages(&with) / messages(&log);
    assert!((kept - 0.6).abs() < 0.05, "{kept}");
    assert_eq!(outcome.truth, outcome_with.truth);
    let others =
        |log: &Log| log.0.iter().filter(|(p, _, _)| *p != PlatformId(2)).cloned().collect::<Vec<_>>();
    assert!(others(&log) == others(&with));
}

#[test]
fn contact_with_people_never_met_is_counted_by_true_age_and_stops_with_its_cause() {
    let mut spec = research(1_500, 40);
    spec.harm.prevalence.value = Fraction::new(0.0).unwrap();
    let counts = |spec: &WorldSpec| {
        let world = World::build(spec, Seed::root(7)).unwrap();
        let mut watch = StrangerWatch::new(&world);
        world.run(None, &mut watch, &Silent).unwrap();
        watch.counts()
    };
    let usual = counts(&spec);
    println!("{usual:?}");
    assert!(usual.accepted.persons > 150 && usual.accepted.users < usual.accepted.persons);
    assert!(usual.accepted.counted > 0 && usual.games.counted > 0);
    spec.population.lobby_talk.value = [0.0; 4];
    // What is left then comes from contacts made by a request.
    let silent = counts(&spec);
    assert!(silent.games.counted < usual.games.counted, "{silent:?}");
    spec.behaviour.requests.value = Fraction::new(0.0).unwrap();
    let none = counts(&spec);
    assert_eq!((none.accepted.counted, none.exchanged.counted, none.games.counted), (0, 0, 0));
}

// V8 over a year. The present world misses all four by a factor of two to five, whatever the Beta of
// `stranger-accept`: whoever accepted one stranger is asked by that stranger's contacts, who then count as known.
#[test]
#[ignore = "a year of a small world: a measurement"]
fn contact_with_people_never_met_in_a_year() {
    let mut spec = research(3_000, 365);
    spec.harm.prevalence.value = Fraction::new(0.001).unwrap();
    let world = World::build(&spec, Seed::root(7)).unwrap();
    let mut watch = StrangerWatch::new(&world);
    world.run(None, &mut watch, &Silent).unwrap();
    watch.on_events(PlatformId(0), SimTime::from_days(365), &[]);
    let c = watch.counts();
    for (name, count, want) in [
        ("accepted, 10 to 15", c.accepted, 1.0 / 3.0),
        ("exchanged, 10 to 15", c.exchanged, 0.192),
        ("unwanted, 11 to 18", c.unwanted, 0.30),
        ("games, 8 to 17", c.games, 0.16),
    ] {
        println!(
            "{name}: {:?} of persons, {:?} of users, want {want:.3}",
            count.share(),
            count.share_of_users()
        );
    }
}
