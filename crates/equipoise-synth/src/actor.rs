//! The changing part of a role: its dyads, which of them go on, which of them talk, and when anything of them is due.
//!
//! A role whose dyads have nothing to say that anybody in the run hears is not looked at again before something of it
//! changes ([`Actor::talks`]); with a filter nowhere, that is most roles in most ticks.

use crate::dyad::{Dyad, Status};
use equipoise_core::Reach;

/// A target that another account of the actor or team may turn to after a block or report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Again {
    pub(crate) target: u32,
    pub(crate) due: i32,
}

/// What a dyad in contact brings to the question whether it talks in a tick.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) number: u32,
    pub(crate) matters: Reach,
    /// Conversations a day where the platform is used as ever, and their share in the off hours.
    pub(crate) pace: f64,
    pub(crate) off: f64,
}

/// The changing part of a role.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// All there ever were, in the order of their beginning: the number of a dyad is an address of draws.
    pub(crate) dyads: Vec<Dyad>,
    /// Numbers of those that are not over, rising.
    live: Vec<u32>,
    /// Those whose talk matters, numbers rising; as of the last look unless `stale`.
    talking: Vec<Voice>,
    stale: bool,
    /// Targets of all of them, sorted.
    targets: Vec<u32>,
    /// No stage of any of them ends before.
    next: i32,
    /// Whether any target was ever reached.
    pub(crate) met: bool,
    pub(crate) begun: bool,
    pub(crate) again: Vec<Again>,
    /// Factor on how often it seeks; 1 until it slows down.
    pub(crate) pace: f64,
    pub(crate) refused: bool,
    pub(crate) closed: bool,
    pub(crate) displaced: bool,
}

impl Default for Actor {
    fn default() -> Self {
        Self {
            dyads: Vec::new(),
            live: Vec::new(),
            talking: Vec::new(),
            stale: false,
            targets: Vec::new(),
            next: i32::MAX,
            met: false,
            begun: false,
            again: Vec::new(),
            pace: 1.0,
            refused: false,
            closed: false,
            displaced: false,
        }
    }
}

impl Actor {
    /// Adds a dyad; its target is new to the actor.
    pub(crate) fn begin(&mut self, dyad: Dyad) {
        #[allow(clippy::cast_possible_truncation, reason = "fewer dyads than accounts")]
        self.live.push(self.dyads.len() as u32);
        if let Err(place) = self.targets.binary_search(&dyad.target) {
            self.targets.insert(place, dyad.target);
        }
        self.wake(dyad.until);
        self.dyads.push(dyad);
    }

    /// Notes that a dyad is in contact, in a stage that ends at `until`.
    pub(crate) fn wake(&mut self, until: i32) {
        self.next = self.next.min(until);
        self.stale = true;
    }

    /// Notes that a target was reached at `time`, if it is one.
    pub(crate) fn reached(&mut self, target: u32, time: i32) {
        if let Some(dyad) = self.dyad(target)
            && dyad.contacted.is_none()
        {
            dyad.contacted = Some(time);
            (self.met, self.stale) = (true, true);
        }
    }

    /// Whether anything may come of the talk of its dyads.
    pub(crate) fn talks(&self) -> bool {
        self.stale || !self.talking.is_empty()
    }

    /// Looks again whose talk matters, if anything changed: `voice` says so of a dyad in contact.
    pub(crate) fn listen(&mut self, voice: impl Fn(u32, &Dyad) -> Option<Voice>) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let voice = |number: &u32| {
            let dyad = &self.dyads[*number as usize];
            (dyad.status == Status::Active).then(|| voice(*number, dyad)).flatten()
        };
        self.talking.clear();
        self.talking.extend(self.live.iter().filter_map(voice));
    }

    /// The dyads whose talk matters, as of the last look.
    pub(crate) fn talking(&self) -> impl Iterator<Item = (Voice, &Dyad)> {
        self.talking.iter().map(|voice| (*voice, &self.dyads[voice.number as usize]))
    }

    /// Numbers of the dyads that are not over.
    pub(crate) fn live(&self) -> &[u32] {
        &self.live
    }

    /// Dyads that are not over, with their numbers.
    pub(crate) fn going_on(&self) -> impl Iterator<Item = (u64, &Dyad)> {
        self.live.iter().map(|number| (u64::from(*number), &self.dyads[*number as usize]))
    }

    /// Whether `target` was ever a target.
    pub(crate) fn knew(&self, target: u32) -> bool {
        self.targets.binary_search(&target).is_ok()
    }

    /// No stage of any of them ends before.
    pub(crate) const fn next_end(&self) -> i32 {
        self.next
    }

    /// Looks again which dyads go on and when a stage ends next, after some of them changed.
    pub(crate) fn sort_out(&mut self) {
        let (mut live, mut next) = (std::mem::take(&mut self.live), i32::MAX);
        live.retain(|number| {
            let dyad = &self.dyads[*number as usize];
            if dyad.status == Status::Active {
                next = next.min(dyad.until);
            }
            dyad.status != Status::Over
        });
        (self.live, self.next, self.stale) = (live, next, true);
    }

    pub(crate) fn dyad(&mut self, target: u32) -> Option<&mut Dyad> {
        let number = self.live.iter().find(|number| self.dyads[**number as usize].target == target)?;
        Some(&mut self.dyads[*number as usize])
    }

    /// Whether a dyad with `target` is asked for or goes on.
    pub(crate) fn has(&self, target: u32) -> bool {
        self.going_on().any(|(_, dyad)| dyad.target == target)
    }
}
