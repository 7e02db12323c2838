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

/// A dyad that is not over.
#[derive(Clone, Copy, Debug)]
struct Live {
    number: u32,
    target: u32,
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
    /// Those that are not over, numbers rising.
    live: Vec<Live>,
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
        self.live.push(Live { number: self.dyads.len() as u32, target: dyad.target });
        if let Err(place) = self.targets.binary_search(&dyad.target) {
            self.targets.insert(place, dyad.target);
        }
        self.next = self.next.min(dyad.until);
        self.stale |= dyad.status == Status::Active;
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
        let voice = |one: &Live| {
            let dyad = &self.dyads[one.number as usize];
            (dyad.status == Status::Active).then(|| voice(one.number, dyad)).flatten()
        };
        self.talking.clear();
        self.talking.extend(self.live.iter().filter_map(voice));
    }

    /// The dyads whose talk matters, as of the last look.
    pub(crate) fn talking(&self) -> impl Iterator<Item = (Voice, &Dyad)> {
        self.talking.iter().map(|voice| (*voice, &self.dyads[voice.number as usize]))
    }

    /// Numbers of the dyads that are not over.
    pub(crate) fn live(&self) -> impl ExactSizeIterator<Item = u32> {
        self.live.iter().map(|one| one.number)
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
        live.retain(|one| {
            let dyad = &self.dyads[one.number as usize];
            if dyad.status == Status::Active {
                next = next.min(dyad.until);
            }
            dyad.status != Status::Over
        });
        (self.live, self.next, self.stale) = (live, next, true);
    }

    fn place(&self, target: u32) -> Option<usize> {
        self.live.iter().position(|one| one.target == target)
    }

    /// The dyad with `target` that is asked for or goes on.
    pub(crate) fn with(&self, target: u32) -> Option<&Dyad> {
        self.place(target).map(|place| &self.dyads[self.live[place].number as usize])
    }

    /// Likewise, to be changed.
    pub(crate) fn dyad(&mut self, target: u32) -> Option<&mut Dyad> {
        self.place(target).map(|place| &mut self.dyads[self.live[place].number as usize])
    }

    /// Ends the dyad with `target`; returns it as it was.
    pub(crate) fn end(&mut self, target: u32) -> Option<Dyad> {
        let place = self.place(target)?;
        let dyad = &mut self.dyads[self.live[place].number as usize];
        let before = dyad.clone();
        dyad.status = Status::Over;
        // One that was only asked for had no stage and no talk.
        if before.status == Status::Active {
            self.sort_out();
        } else {
            self.live.remove(place);
        }
        Some(before)
    }

    /// Whether a dyad with `target` is asked for or goes on.
    pub(crate) fn has(&self, target: u32) -> bool {
        self.place(target).is_some()
    }
}
