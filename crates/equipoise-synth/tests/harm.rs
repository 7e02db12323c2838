//! The harmful side of a world: teams, targeting, concurrency, recontact, drift, churn. Seeds are fixed; statistical claims
//! state how far from their bound they lie.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

mod common;

use common::{Log, play, research};
use equipoise_core::{AgeBand, Archetype, EventKind, Fraction, SimTime};
use equipoise_synth::truth::{HarmArchetype, PlatformTruth};
use equipoise_synth::{Outcome, TargetingPreset, World, WorldSpec};
use std::collections::BTreeMap;

fn share(p: f64) -> Fraction {
    Fraction::new(p).unwrap()
}

/// A small world with many harmful accounts of one pattern and one look-alike each.
fn only(kind: HarmArchetype, persons: u32, days: u16) -> WorldSpec {
    let mut spec = research(persons, days);
    spec.harm.archetype.retain(|a| a.kind == kind);
    spec.harm.prevalence.value = share(0.05);
    spec.harm.lookalikes.value = 1.0;
    spec
}

/// Share of a team's (account, child) contacts whose child somebody else of the team contacted too.
fn overlap(platform: &PlatformTruth) -> (usize, usize) {
    let mut seen = BTreeMap::<_, u32>::new();
    let teamed = || platform.accounts.iter().filter_map(|a| a.team.map(|team| (team, a)));
    for (team, account) in teamed() {
        for (_, child) in &account.contacts {
            *seen.entry((team, *child)).or_default() += 1;
        }
    }
    let all = seen.values().sum::<u32>() as usize;
    let shared = seen.values().filter(|n| **n > 1).sum::<u32>() as usize;
    (shared, all)
}

#[test]
fn a_ring_has_three_to_eight_accounts_that_share_targets() {
    let (_, _, outcome) = play(&only(HarmArchetype::CoordinatedRing, 1_500, 30), 1);
    let (mut sizes, mut kinds) = (BTreeMap::<u32, usize>::new(), BTreeMap::new());
    let (mut shared, mut all) = (0, 0);
    for platform in &outcome.truth.platforms {
        let mut here = BTreeMap::<u32, usize>::new();
        for account in &platform.accounts {
            assert_eq!(account.team.is_some(), account.harmful.or(account.matched_for).is_some());
            if let Some(team) = account.team {
                *here.entry(team).or_default() += 1;
                assert_eq!(
                    *kinds.entry(team).or_insert(account.harmful.is_some()),
                    account.harmful.is_some()
                );
            }
        }
        for (team, size) in here {
            let most = sizes.entry(team).or_default();
            *most = (*most).max(size);
        }
        let (s, a) = overlap(platform);
        (shared, all) = (shared + s, all + a);
    }
    assert!(sizes.len() > 20 && sizes.values().all(|size| (3..=8).contains(size)), "{sizes:?}");
    assert!(all > 300 && shared * 8 > all, "{shared} of {all}");
}

#[test]
fn without_overlap_and_hand_over_a_ring_shares_few_targets() {
    // Enough children that two members seldom meet one by chance.
    let mut spec = only(HarmArchetype::CoordinatedRing, 6_000, 30);
    let team = spec.harm.archetype[0].team.as_mut().unwrap();
    team.shared_contacts.value = share(0.0);
    for knob in [&mut team.overlap, &mut team.hand_over, &mut spec.responses.recontact] {
        (knob.value.matched, knob.value.full) = (share(0.0), share(0.0));
    }
    let pattern = &mut spec.harm.archetype[0];
    for knob in [&mut pattern.existing, &mut pattern.triadic] {
        (knob.value.matched, knob.value.full) = (share(0.0), share(0.0));
    }
    let (_, _, outcome) = play(&spec, 1);
    let (shared, all) =
        outcome.truth.platforms.iter().map(overlap).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    assert!(all > 200 && shared * 12 < all, "{shared} of {all}");
}

fn contacted(outcome: &Outcome) -> impl Iterator<Item = equipoise_core::PersonId> + '_ {
    let accounts = outcome.truth.platforms.iter().flat_map(|p| &p.accounts);
    accounts.flat_map(|a| a.contacts.iter().map(|(_, child)| *child))
}

// Some 600 contacts: four standard errors are 0.08.
#[test]
fn presets_move_the_weight_of_girls_among_targets() {
    for (preset, want) in [
        (TargetingPreset::WeightDriven, 0.80),
        (TargetingPreset::DisclosureDriven, 0.50),
        (TargetingPreset::Mixed, 0.62),
    ] {
        let mut spec = only(HarmArchetype::FakePeer, 1_500, 20);
        spec.harm.targeting.active = preset;
        let (_, _, outcome) = play(&spec, 2);
        let all = contacted(&outcome).count();
        let girls = contacted(&outcome).filter(|c| outcome.truth.persons[c.index()].girl).count();
        let got = girls as f64 / all as f64;
        assert!(all > 500 && (got - want).abs() < 0.08, "{preset:?}: {girls} of {all}");
    }
}

#[test]
fn the_age_profile_moves_targets_between_bands() {
    let under_13 = |weight: f64| {
        let mut spec = only(HarmArchetype::FakePeer, 1_500, 20);
        spec.harm.targeting.ages.value.full = [weight, 1.0, 1.0];
        let (_, _, outcome) = play(&spec, 2);
        let young = |c: &equipoise_core::PersonId| outcome.truth.persons[c.index()].band == AgeBand::Under13;
        let all = contacted(&outcome).count();
        contacted(&outcome).filter(young).count() as f64 / all as f64
    };
    let (few, many) = (under_13(0.2), under_13(5.0));
    assert!(many > 3.0 * few && many > 0.25, "{few} {many}");
}

/// The largest number of children with whom one account was in S2 to S5 at the same time. (S1 also holds those who were
/// asked and have not answered yet, whom the actor no longer counts once they will not accept.)
fn at_once(platform: &PlatformTruth) -> usize {
    let mut edges = Vec::new();
    for stage in platform.stages.iter().filter(|stage| stage.stage > 1) {
        edges.push((stage.account, stage.from, 1_i32));
        edges.push((stage.account, stage.to, -1));
    }
    edges.sort_unstable();
    let (mut now, mut most, mut whose) = (0, 0, None);
    for (account, _, step) in edges {
        if whose.replace(account) != Some(account) {
            now = 0;
        }
        now += step;
        most = most.max(now);
    }
    usize::try_from(most).unwrap()
}

#[test]
fn an_actor_keeps_up_no_more_dyads_than_its_number() {
    let most = |cap: u16| {
        let mut spec = only(HarmArchetype::BroadcastContacter, 1_000, 30);
        spec.harm.concurrency_most = cap;
        spec.harm.archetype[0].concurrency.value.full = 20.0;
        spec.harm.archetype[0].moves.value.full = share(0.0);
        spec.responses.recontact.value.full = share(0.0);
        let (_, _, outcome) = play(&spec, 3);
        outcome.truth.platforms.iter().map(at_once).max().unwrap()
    };
    assert!(most(2) <= 2);
    assert!(most(500) > 3);
}

#[test]
fn recontact_happens_only_when_switched_on() {
    let count = |p: f64| {
        let mut spec = only(HarmArchetype::CoordinatedRing, 1_500, 30);
        spec.responses.recontact.value.full = share(p);
        play(&spec, 4).2.truth.tally
    };
    let (off, on) = (count(0.0), count(1.0));
    assert_eq!(off.recontacted, 0);
    assert!(on.recontacted > 10, "{on:?}");
    assert!(on.recontacted <= on.blocked + on.reported);
}

fn requests(log: &Log, platform: usize, from: i32, to: i32) -> usize {
    let span = SimTime::from_days(from)..SimTime::from_days(to);
    log.of(platform).filter(|e| e.kind == EventKind::ContactRequest && span.contains(&e.time)).count()
}

#[test]
fn a_launch_changes_requests_there_from_its_day_on_and_nowhere_before() {
    let plain = research(700, 12);
    let mut spec = plain.clone();
    spec.drift.launch.day = 6;
    spec.drift.launch.platform = Archetype::SocialNetwork;
    let (_, without, _) = play(&spec, 5);
    assert_eq!(without, play(&plain, 5).1, "a factor of 1 does nothing");
    spec.drift.launch.requests.value = 3.0;
    let (_, with, _) = play(&spec, 5);
    for platform in 0..4 {
        assert_eq!(requests(&with, platform, 0, 6), requests(&without, platform, 0, 6));
    }
    let (before, after) = (requests(&without, 2, 6, 12), requests(&with, 2, 6, 12));
    assert!(after > 2 * before, "{before} {after}");
}

#[test]
fn a_walk_of_the_mix_moves_platforms_apart_and_growth_brings_requests() {
    let mut spec = research(700, 21);
    let (_, still, _) = play(&spec, 6);
    spec.drift.platform_walk.value = 0.8;
    let (_, walked, _) = play(&spec, 6);
    let events = |log: &Log, platform, from: i32| {
        log.of(platform).filter(|e| e.time >= SimTime::from_days(from)).count() as f64
    };
    let factors: Vec<f64> = (0..4).map(|p| events(&walked, p, 14) / events(&still, p, 14)).collect();
    let (low, high) = factors.iter().fold((f64::MAX, 0.0_f64), |(l, h), f| (l.min(*f), h.max(*f)));
    assert!(high > 1.3 * low, "{factors:?}");
    spec.drift.platform_walk.value = 0.0;
    // A factor a year shows little within three weeks, so the world is longer and the actors are many.
    spec.days = 90;
    spec.harm.prevalence.value = share(0.1);
    spec.drift.arrivals_per_year.value = 10.0;
    let (_, _, grown) = play(&spec, 6);
    spec.drift.arrivals_per_year.value = 0.1;
    let (_, _, shrunk) = play(&spec, 6);
    assert!(grown.truth.tally.requests > shrunk.truth.tally.requests);
}

/// Shares of leavers among role accounts and among the rest, over all platforms.
fn leavers(outcome: &Outcome) -> [(usize, usize); 2] {
    let mut out = [(0, 0); 2];
    for account in outcome.truth.platforms.iter().flat_map(|p| &p.accounts) {
        let cell = &mut out[usize::from(account.harmful.or(account.matched_for).is_some())];
        cell.0 += usize::from(account.left.is_some());
        cell.1 += 1;
    }
    out
}

// Some 600 role accounts at 13% leaving: 3.5 standard errors are 0.048. Closings by platforms come on top for nobody.
#[test]
fn owners_leave_at_one_rate_whatever_their_accounts_do() {
    let mut spec = research(1_500, 30);
    spec.harm.prevalence.value = share(0.04);
    spec.drift.churn_per_year.value = share(0.8);
    let (_, _, outcome) = play(&spec, 7);
    let [(ordinary, n), (roles, m)] = leavers(&outcome);
    let gap = ordinary as f64 / n as f64 - roles as f64 / m as f64;
    assert!(m > 500 && roles > 30 && gap.abs() < 0.048, "{ordinary} of {n}, {roles} of {m}");
    spec.drift.churn_per_year.value = share(0.0);
    assert_eq!(leavers(&play(&spec, 7).2).map(|cell| cell.0), [0, 0]);
}

#[test]
fn a_pattern_may_have_a_detectability_of_its_own() {
    let mut spec = only(HarmArchetype::FakePeer, 400, 5);
    spec.harm.archetype[0].detectability = Some(0.0);
    let own = play(&spec, 8).1;
    spec.harm.archetype[0].detectability = None;
    assert!(own != play(&spec, 8).1);
    spec.harm.detectability = 0.0;
    assert!(own == play(&spec, 8).1);
}

/// Persons behind the role accounts, [look-alikes, patterns]: how many, how many of them minors, how many accounts.
fn behind(spec: &WorldSpec, seed: u64) -> [(usize, usize, usize); 2] {
    let truth = play(spec, seed).2.truth;
    let mut persons = [BTreeMap::new(), BTreeMap::new()];
    for account in truth.platforms.iter().flat_map(|p| &p.accounts) {
        if account.harmful.or(account.matched_for).is_some() {
            persons[usize::from(account.harmful.is_some())].insert(account.person, account.true_age_band);
        }
    }
    persons.map(|of| {
        let accounts = of.keys().map(|person| truth.accounts_of(*person).count()).sum();
        (of.len(), of.values().filter(|band| band.is_minor()).count(), accounts)
    })
}

#[test]
fn at_detectability_zero_the_persons_behind_are_alike_too() {
    for kind in [HarmArchetype::FakePeer, HarmArchetype::CoordinatedRing, HarmArchetype::Migrator] {
        let mut spec = only(kind, 4_000, 2);
        spec.harm.detectability = 0.0;
        let [(n, young, accounts), (m, young_of_m, accounts_of_m)] =
            behind(&spec, 9).map(|c| (c.0 as f64, c.1 as f64, c.2 as f64));
        let p = (young + young_of_m) / (n + m);
        let error = (p * (1.0 - p) * (1.0 / n + 1.0 / m)).sqrt();
        assert!(
            n > 200.0 && m > 200.0 && (young / n - young_of_m / m).abs() <= 3.7 * error,
            "{kind:?}: minors {young} of {n}, {young_of_m} of {m}"
        );
        // Accounts of a person: standard deviation about 1.5.
        let gap = accounts / n - accounts_of_m / m;
        assert!(gap.abs() < 3.7 * 1.5 * (1.0 / n + 1.0 / m).sqrt(), "{kind:?}: {gap} accounts a person");
    }
}

#[test]
fn at_full_detectability_an_adult_stands_behind_every_pattern() {
    let [_, (persons, minors, _)] = behind(&only(HarmArchetype::FakePeer, 2_000, 2), 9);
    assert!(persons > 50 && minors == 0, "{minors} of {persons}");
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let refuse = |change: &dyn Fn(&mut WorldSpec), name: &str| {
        let mut spec = research(300, 2);
        change(&mut spec);
        let error = World::build(&spec, equipoise_core::Seed::root(1)).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    };
    refuse(&|s| s.harm.archetype[4].team.as_mut().unwrap().size = [1, 8], "team.size");
    refuse(&|s| s.harm.concurrency_most = 0, "concurrency-most");
    refuse(&|s| s.harm.stage_moves.value[2] = 2.0, "stage-moves");
    refuse(&|s| s.harm.targeting.ages.value.full[0] = 0.0, "targeting.ages");
    refuse(&|s| s.harm.targeting.mixed.disclose_girls.value.full = 0.0, "targeting");
    refuse(&|s| s.responses.block_report.value = 2.0, "block-report");
    refuse(&|s| s.responses.ignore.value = share(0.5), "responses.ignore");
    refuse(&|s| s.drift.launch.requests.value = -1.0, "drift.launch");
    refuse(&|s| s.moderation.share_days.value = 0.0, "share-days");
}
