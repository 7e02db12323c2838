//! The ways to make a world that are timed; each returns a count, so that nothing is optimised away.
#![allow(clippy::unwrap_used)] // A stopwatch for people.

use equipoise_core::{Event, NullSink, Seed, Silent, SimTime};
use equipoise_features::{FeatureSpec, MultiStream, SnapshotPlan};
use equipoise_synth::{World, WorldSpec};
use rayon::prelude::*;

/// The published world with other sizes.
///
/// # Panics
/// If they fit no world.
#[must_use]
pub fn research(persons: u32, days: u16) -> World {
    let mut spec: WorldSpec = toml::from_str(include_str!("../../datasets/research.toml")).unwrap();
    (spec.persons, spec.days) = (persons, days);
    World::build(&spec, Seed::root(1)).unwrap()
}

/// Events of a run in memory.
///
/// # Panics
/// If the world cannot be run.
#[must_use]
pub fn events(world: &World) -> usize {
    usize::try_from(world.run(None, &mut NullSink, &Silent).unwrap().events).unwrap()
}

/// Rows of the same with every platform's features online and two snapshots.
///
/// # Panics
/// If the world cannot be run.
#[must_use]
pub fn features(world: &World) -> usize {
    let spec = FeatureSpec { max_contacts: 32, contact_seed: 1, label_adjacent: true, sequence_length: 32 };
    let days = i32::from(world.spec().days);
    let plan = SnapshotPlan::new(vec![SimTime::from_days(days / 2), SimTime::from_days(days)]).unwrap();
    let mut stream = MultiStream::new(world.views(), &spec, plan).unwrap();
    world.run(None, &mut stream, &Silent).unwrap();
    stream.finish().unwrap().0.len()
}

/// Events of blocks of accounts, as a dataset is built from them: every block of every week, counted and dropped.
///
/// # Panics
/// If a platform has more accounts than 32 bits count.
#[must_use]
pub fn blocks(world: &World) -> usize {
    let mut skeleton = world.skeleton();
    let mut rows = 0;
    while skeleton.next_week(&Silent).is_some() {
        for view in world.views() {
            let accounts = u32::try_from(view.profiles.len()).unwrap();
            let starts: Vec<u32> = (0..accounts).step_by(512).collect();
            let one = |from: &u32| {
                let mut log: Vec<Event> = Vec::new();
                skeleton.play(view.id, *from..(from + 512).min(accounts), &mut log);
                log.len()
            };
            rows += starts.par_iter().map(one).sum::<usize>();
        }
    }
    rows
}
