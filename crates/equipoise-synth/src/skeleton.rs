//! The skeleton of a world, a week at a time, and the flesh of any block of accounts on it.
//!
//! A dataset is written by (platform, block of accounts, week). [`Skeleton::next_week`] plays what couples accounts, which is
//! a few per cent of the work; after it [`Skeleton::play`] makes the whole log of any block in that week: from the seed, so
//! in any order, on any number of threads, and by another machine that played its own copy of the skeleton. Memory holds
//! the state of the world and one week of the skeleton's rows, whatever the length of the window.
//!
//! A dyad whose accounts lie in different blocks has one owner, the block of the account that began the conversation; it
//! writes the rows of both sides. The same key may thus come out of two blocks: [`crate::tidy`] makes one row of them.
//! Law: the rows of all blocks, tidied, are byte for byte what [`crate::World::run`] without policies gives to its sink.

use crate::Outcome;
use crate::row::{fold, tidy};
use crate::simulation::Simulation;
use crate::world::World;
use equipoise_core::{DAY, Event, Observer, PlatformId, SimTime, WEEK};
use std::ops::Range;

/// Days before a window that reach into it: a late reply's longest wait.
const LOOK_BACK: i32 = crate::engine::LATEST_REPLY / DAY;

/// The skeleton of a run without policies, and the week that it stands at.
#[derive(Clone, Debug)]
pub struct Skeleton<'w> {
    simulation: Simulation<'w>,
    week: Range<i32>,
    /// The skeleton's rows of the week by platform, by account.
    bones: Vec<Vec<Event>>,
}

impl<'w> Skeleton<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let bones = vec![Vec::new(); world.views().len()];
        Self { simulation: Simulation::new(world, false), week: 0..0, bones }
    }

    /// Plays the next week; `None` when the window is over. The last week may be short.
    pub fn next_week(&mut self, observer: &dyn Observer) -> Option<Range<SimTime>> {
        let from = self.week.end;
        let until = from.saturating_add(WEEK).min(self.simulation.end);
        if from >= until {
            return None;
        }
        self.bones.iter_mut().for_each(Vec::clear);
        while self.simulation.now().0 < until && self.simulation.step_skeleton(observer) {
            for (bones, live) in self.bones.iter_mut().zip(&self.simulation.sites) {
                bones.extend_from_slice(&live.bones);
            }
        }
        self.simulation.sites.iter_mut().for_each(crate::simulation::Live::mark_closing);
        for bones in &mut self.bones {
            bones.sort_unstable_by_key(|event| (event.actor, *event));
        }
        self.week = from..until;
        Some(SimTime(from)..SimTime(until))
    }

    /// Adds the log of some accounts of a platform in this week to `out`, sorted by (account, time, ...), rows of one key as
    /// one: rows that these accounts are the actors of, and rows of others in conversations that these accounts began.
    ///
    /// # Panics
    /// If the platform or the accounts do not exist.
    pub fn play(&self, platform: PlatformId, accounts: Range<u32>, out: &mut Vec<Event>) {
        let live = &self.simulation.sites[platform.index()];
        let mut sheet = live.sheet(self.week.start, self.week.end);
        let days = (self.week.start / DAY - LOOK_BACK).max(0)..self.week.end / DAY;
        self.simulation.ground(platform.index()).flesh(accounts.clone(), days, &mut sheet);
        sheet.rows.sort_unstable_by_key(|row| row.by_account());
        let bones = &self.bones[platform.index()];
        let from = bones.partition_point(|event| event.actor.0 < accounts.start);
        let until = bones.partition_point(|event| event.actor.0 < accounts.end);
        let begin = out.len();
        let logbook = &self.simulation.world.sites[platform.index()].logbook;
        let keep = |row, event: &mut Event| live.lets(row) && logbook.write(event);
        fold(&sheet.rows, live.schema.bucket_seconds, keep, out);
        if from < until {
            let mut log = out.split_off(begin);
            log.extend_from_slice(&bones[from..until]);
            tidy(&mut log);
            log.sort_by_key(|event| event.actor);
            out.append(&mut log);
        }
    }

    /// Plays what is left and closes the books. [`Outcome::events`] counts the skeleton's own rows, not the flesh.
    #[must_use]
    pub fn finish(mut self, observer: &dyn Observer) -> Outcome {
        while self.next_week(observer).is_some() {}
        self.simulation.finish()
    }
}
