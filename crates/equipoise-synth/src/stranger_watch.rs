//! Counts contact between children and people they have never met, by true age, while a world runs (check V8).
//!
//! The published figures have four different frames and are never pooled: accepted an unknown request and exchanged
//! messages with somebody never met (10 to 15, a year, ONS CSEW), an unwanted request (11 to 18, ever, Ofcom 2023), talk
//! with unknowns in games (8 to 17, Ofcom 2022). "Never met" means: no tie of any kind in the world and
//! nobody whom both know, since a friend's friend is somebody one may have met. The counts read the
//! platforms' logs, so that what a platform does not see (requests on an end-to-end messenger) is not counted either;
//! "ever" can only be "within the window". Gives aggregates alone; a frame of fewer than [`COHORT`] persons gives none.

use crate::graph::Ties;
use crate::world::World;
use equipoise_core::{AccountId, Archetype, Event, EventKind, EventSink, PersonId, PlatformId, SimTime};
use std::collections::BTreeSet;

/// Fewest persons of whom a share is given.
pub const COHORT: u32 = 20;

/// How many persons of an age frame did something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// Everybody of that age in the world.
    pub persons: u32,
    /// Those with an account of their own.
    pub users: u32,
    /// Those to whom it happened.
    pub counted: u32,
}

impl Counted {
    /// The share among all persons of the age, or nothing if they are too few.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.persons >= COHORT).then(|| f64::from(self.counted) / f64::from(self.persons))
    }

    /// The share among those with an account of their own, or nothing if they are too few.
    #[must_use]
    pub fn share_of_users(&self) -> Option<f64> {
        (self.users >= COHORT).then(|| f64::from(self.counted) / f64::from(self.users))
    }
}

/// The four counts, over the window of the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StrangerCounts {
    /// 10 to 15: accepted a request of somebody never met.
    pub accepted: Counted,
    /// 10 to 15: sent to and received from somebody never met.
    pub exchanged: Counted,
    /// 11 to 18: declined, blocked or reported somebody never met after a request.
    pub unwanted: Counted,
    /// 8 to 17: sent a message to somebody never met on a game platform.
    pub games: Counted,
}

const ACCEPTED: u8 = 1;
const EXCHANGED: u8 = 2;
const UNWANTED: u8 = 4;
const GAMES: u8 = 8;

/// An event sink that counts. Wrap another sink to look on while a run is stored.
#[derive(Debug)]
pub struct StrangerWatch<'w> {
    world: &'w World,
    ties: Ties,
    /// By person: what happened.
    marks: Vec<u8>,
    /// (platform, who asked, who was asked), never met.
    asked: BTreeSet<(u8, u32, u32)>,
    /// (from, to): messages between persons who never met.
    sent: BTreeSet<(u32, u32)>,
}

impl<'w> StrangerWatch<'w> {
    /// Makes the world's ties again, once.
    #[must_use]
    pub fn new(world: &'w World) -> Self {
        let ties = world.ties();
        let marks = vec![0; ties.persons()];
        Self { world, ties, marks, asked: BTreeSet::new(), sent: BTreeSet::new() }
    }

    /// The persons of both sides, if they never met.
    fn unknown(&self, platform: PlatformId, a: AccountId, b: AccountId) -> Option<(u32, u32)> {
        let accounts = &self.world.sites[platform.index()].accounts;
        let (a, b) = (accounts[a.index()].person, accounts[b.index()].person);
        (a != b && !self.acquainted(PersonId(a), PersonId(b))).then_some((a, b))
    }

    /// Whether two persons know each other or somebody in common.
    fn acquainted(&self, a: PersonId, b: PersonId) -> bool {
        let (few, many) = if self.ties.of(a).len() < self.ties.of(b).len() { (a, b) } else { (b, a) };
        let many = self.ties.of(many);
        many.binary_search(&few.0).is_ok()
            || self.ties.of(few).iter().any(|person| many.binary_search(person).is_ok())
    }

    fn see(&mut self, platform: PlatformId, event: &Event) {
        if !event.kind.has_peer() || event.kind == EventKind::Exposure {
            return;
        }
        let Some((actor, peer)) = self.unknown(platform, event.actor, event.peer) else { return };
        match event.kind {
            EventKind::ContactRequest => {
                self.asked.insert((platform.0, actor, peer));
            }
            EventKind::ContactAccept => self.marks[actor as usize] |= ACCEPTED,
            EventKind::ContactDecline => self.marks[actor as usize] |= UNWANTED,
            EventKind::Block | EventKind::Report if self.asked.contains(&(platform.0, peer, actor)) => {
                self.marks[actor as usize] |= UNWANTED;
            }
            EventKind::Message => {
                if self.world.views()[platform.index()].archetype == Archetype::GameLobby {
                    self.marks[actor as usize] |= GAMES;
                }
                if self.sent.contains(&(peer, actor)) {
                    self.marks[actor as usize] |= EXCHANGED;
                    self.marks[peer as usize] |= EXCHANGED;
                }
                self.sent.insert((actor, peer));
            }
            _ => {}
        }
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> StrangerCounts {
        let mut has_account = vec![false; self.marks.len()];
        for site in &self.world.sites {
            for account in site.accounts.iter().filter(|account| !account.made_for_role) {
                has_account[account.person as usize] = true;
            }
        }
        let frame = |from: f64, below: f64, mark: u8| {
            let mut counted = Counted::default();
            for ((age, marks), user) in self.world.ages().zip(&self.marks).zip(&has_account) {
                if age >= from && age < below {
                    counted.persons += 1;
                    counted.users += u32::from(*user);
                    counted.counted += u32::from(marks & mark != 0);
                }
            }
            counted
        };
        StrangerCounts {
            accepted: frame(10.0, 16.0, ACCEPTED),
            exchanged: frame(10.0, 16.0, EXCHANGED),
            unwanted: frame(11.0, 19.0, UNWANTED),
            games: frame(8.0, 18.0, GAMES),
        }
    }
}

impl EventSink for StrangerWatch<'_> {
    fn on_events(&mut self, platform: PlatformId, _until: SimTime, events: &[Event]) {
        for event in events {
            self.see(platform, event);
        }
    }
}
