//! Blocks of accounts generated apart, in any order and on any number of threads, are the world's log (V20).

#![allow(clippy::unwrap_used)]

mod common;

use common::{Idle, Log, research};
use equipoise_core::{Event, PlatformId, Policy, Seed, Silent, SimTime};
use equipoise_synth::{Skeleton, World, WorldSpec, tidy};
use std::ops::Range;

fn small(tick_hours: u8, hawkes: bool) -> WorldSpec {
    let mut spec = research(700, 24);
    spec.tick_hours = tick_hours;
    spec.harm.prevalence.value = equipoise_core::Fraction::new(0.04).unwrap();
    // Many blocks and closings, so that both are met by ordinary rows.
    spec.responses.ordinary_block.value = equipoise_core::Fraction::new(0.02).unwrap();
    spec.responses.ordinary_report.value = equipoise_core::Fraction::new(0.02).unwrap();
    spec.moderation.action_other.value = equipoise_core::Fraction::new(0.3).unwrap();
    if hawkes {
        spec.generator = toml::from_str::<std::collections::BTreeMap<String, _>>(
            "g.mixed = { graph-family = \"circles\", timing = \"hawkes\", harm = \"staged\" }",
        )
        .unwrap()
        .remove("g")
        .unwrap();
    }
    spec
}

fn world(spec: &WorldSpec) -> World {
    World::build(spec, Seed::root(9)).unwrap()
}

/// The log of a run by platform.
fn run(world: &World) -> Vec<Vec<Event>> {
    let mut log = Log::default();
    world.run(None, &mut log, &Silent).unwrap();
    (0..world.views().len()).map(|platform| log.of(platform).copied().collect()).collect()
}

/// Ranges of `size` accounts of a platform.
fn cut(world: &World, platform: PlatformId, size: u32) -> Vec<Range<u32>> {
    let accounts = u32::try_from(world.views()[platform.index()].profiles.len()).unwrap();
    (0..accounts).step_by(size as usize).map(|from| from..(from + size).min(accounts)).collect()
}

fn within(log: &[Event], week: &Range<SimTime>) -> Vec<Event> {
    log.iter().filter(|event| week.contains(&event.time)).copied().collect()
}

fn check(spec: &WorldSpec, size: u32, order: impl Fn(&mut Vec<Range<u32>>)) -> Skeleton<'static> {
    let world: &'static World = Box::leak(Box::new(world(spec)));
    let want = run(world);
    let mut skeleton = world.skeleton();
    let mut weeks = 0;
    while let Some(week) = skeleton.next_week(&Silent) {
        weeks += 1;
        for view in world.views() {
            let mut blocks = cut(world, view.id, size);
            order(&mut blocks);
            let mut got = Vec::new();
            for block in blocks {
                let before = got.len();
                skeleton.play(view.id, block, &mut got);
                assert!(got[before..].is_sorted_by_key(|event| (event.actor, event.time)));
            }
            tidy(&mut got);
            assert!(got == within(&want[view.id.index()], &week), "platform {}, week {weeks}", view.id);
        }
    }
    assert_eq!(weeks, 4, "three whole weeks and a short one");
    skeleton
}

#[test]
fn the_blocks_of_a_week_are_the_week_of_the_run() {
    check(&small(6, false), 100, |_| {});
}

#[test]
fn so_they_are_in_any_order_of_any_size_and_for_any_tick() {
    check(&small(24, false), 37, |blocks| blocks.reverse());
    check(&small(3, false), 1_000_000, |_| {});
}

#[test]
fn so_they_are_under_the_hawkes_engine() {
    check(&small(6, true), 100, |blocks| blocks.rotate_left(2));
}

#[test]
fn the_skeleton_ends_with_the_truth_and_the_labels_of_the_run() {
    let spec = small(6, false);
    let world = world(&spec);
    let outcome = world.run(None, &mut Log::default(), &Silent).unwrap();
    let skeleton = world.skeleton().finish(&Silent);
    assert!(outcome.bans > 10, "the world is meant to close accounts");
    assert!(skeleton.truth == outcome.truth && skeleton.labels == outcome.labels);
    assert_eq!((skeleton.bans, skeleton.tokens), (outcome.bans, outcome.tokens));
}

#[test]
fn two_halves_generated_apart_are_the_whole() {
    let spec = small(6, false);
    let want = run(&world(&spec));
    let half = |even: bool| {
        // A world and a skeleton of its own, as on another machine.
        let world = world(&spec);
        let mut skeleton = world.skeleton();
        let mut logs = vec![Vec::new(); world.views().len()];
        while skeleton.next_week(&Silent).is_some() {
            for view in world.views() {
                for (number, block) in cut(&world, view.id, 90).into_iter().enumerate() {
                    if (number % 2 == 0) == even {
                        skeleton.play(view.id, block, &mut logs[view.id.index()]);
                    }
                }
            }
        }
        logs
    };
    for ((want, mut even), odd) in want.into_iter().zip(half(true)).zip(half(false)) {
        even.extend(odd);
        tidy(&mut even);
        assert!(even == want);
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let world = world(&small(6, false));
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut log = Log::default();
            let outcome = world.run(None, &mut log, &Silent).unwrap();
            (log, outcome)
        })
    };
    let one = with(1);
    assert!(one == with(2) && one == with(8));
}

#[test]
fn a_policy_that_does_nothing_changes_no_byte_of_a_busy_world() {
    let world = world(&small(6, false));
    let (mut without, mut with) = (Log::default(), Log::default());
    let outcome = world.run(None, &mut without, &Silent).unwrap();
    let mut idle: Vec<Box<dyn Policy>> = (0..4).map(|_| Box::new(Idle) as Box<dyn Policy>).collect();
    assert!(world.run(Some(&mut idle), &mut with, &Silent).unwrap() == outcome && with == without);
}
