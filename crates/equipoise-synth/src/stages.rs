//! Stages S1 to S5 as a semi-Markov process: dwell times, skips, returns, ends. The order is not strict ("neither unitary
//! nor linear", European Online Grooming Project). On entering a stage a dyad may be noticed, go on at the actor's second
//! platform, pass to somebody else of the team, or come to the notice of the police. Multipliers only, no conduct.

use crate::dyad::{Dyad, Opening, Status};
use crate::rhythm::below;
use crate::simulation::Simulation;
use crate::world::NONE;
use equipoise_core::{CounterRng, DAY, Draw};
use rayon::prelude::*;

/// Factor on the rate of a dyad that went on elsewhere.
const LEFT_BEHIND: f64 = 0.15;

impl Simulation<'_> {
    /// Moves stages on at the end of a tick; then what is due from outside the dyads.
    pub(crate) fn advance(&mut self) {
        let now = (self.tick + 1) * self.tick_seconds;
        // Who is looked up side by side; a dyad that another one opens meanwhile waits for an answer and is not due.
        let due: Vec<usize> = (0..self.actors.len())
            .into_par_iter()
            .with_min_len(256)
            .filter(|at| self.due(*at, now))
            .collect();
        for index in due {
            let role = &self.world.roles[index];
            let closed = self.sites[usize::from(role.platform)].closed_at[role.account as usize];
            let live: Vec<u32> = self.actors[index].live().collect();
            let mut dyads = std::mem::take(&mut self.actors[index].dyads);
            if closed <= now {
                for number in &live {
                    let dyad = &mut dyads[*number as usize];
                    self.note(index, dyad, closed);
                    dyad.status = Status::Over;
                }
            }
            for number in live {
                let dyad = &mut dyads[number as usize];
                if dyad.status != Status::Active || dyad.until > now {
                    continue;
                }
                let address = self.seeds.stage.derive("role", index as u64).derive("dyad", u64::from(number));
                let mut rng = address.derive("tick", u64::from(self.tick.unsigned_abs())).rng();
                for _ in 0..8 {
                    if dyad.status == Status::Active && dyad.until <= now {
                        self.transition(index, dyad, &mut rng);
                    }
                }
            }
            // Moves and hand-overs push into other lists, never into this one.
            self.actors[index].dyads = dyads;
            self.actors[index].sort_out();
            self.changed(index);
        }
        self.recontact();
        self.adapt();
        self.benign_reports();
        if now % DAY == 0 {
            self.detect();
            self.churn();
        }
    }

    /// Whether anything of an actor's may end or move on by `now`.
    fn due(&self, index: usize, now: i32) -> bool {
        (self.next_end[index] <= now || self.closes(index) <= now) && self.actors[index].live().len() > 0
    }

    fn transition(&mut self, index: usize, dyad: &mut Dyad, rng: &mut CounterRng) {
        let harm = &self.world.spec.harm;
        let at = dyad.until;
        self.note(index, dyad, at);
        let platform = usize::from(self.world.roles[index].platform);
        if self.sites[platform].closed_at[dyad.target as usize] <= at {
            dyad.status = Status::Over;
            return;
        }
        let (drop, back, skip) =
            (rng.chance(harm.drop.p()), rng.chance(harm.back.p()), rng.chance(harm.skip.p()));
        let next = match (back, skip) {
            (true, _) => dyad.stage.saturating_sub(1).max(1),
            (false, true) => dyad.stage + 2,
            (false, false) => dyad.stage + 1,
        };
        if drop || next > 5 {
            dyad.status = Status::Over;
            return;
        }
        dyad.stage = next;
        dyad.since = at;
        dyad.until = at.saturating_add(self.dwell(dyad.fast, rng));
        self.on_entry(index, dyad, at, rng);
    }

    /// Being noticed, going on elsewhere, coming to the notice of the police: on entering a stage.
    fn on_entry(&mut self, index: usize, dyad: &mut Dyad, at: i32, rng: &mut CounterRng) {
        let role = &self.world.roles[index];
        let now = at.max((self.tick + 1) * self.tick_seconds);
        let stage = usize::from(dyad.stage) - 1;
        let noticing = self.noticing(usize::from(role.platform), role.account, dyad.target);
        if rng.chance((role.theta.notice[stage] * noticing).min(1.0)) {
            self.answer_notice(usize::from(role.platform), dyad.target, role.account, &role.theta, now, rng);
        }
        if dyad.stage == 3 {
            self.police(role, dyad, at, rng);
        }
        if rng.chance(role.theta.moves[stage]) {
            self.go_on_elsewhere(index, dyad, now, rng);
        }
        if (2..=4).contains(&dyad.stage) && rng.chance(role.theta.hand_over) {
            self.hand_over(index, dyad, now, rng);
        }
    }

    /// The dyad goes on with the actor's account on another platform, if the target has one there.
    fn go_on_elsewhere(&mut self, index: usize, dyad: &mut Dyad, now: i32, rng: &mut CounterRng) {
        let time = now + below(rng, DAY);
        if let Some((sibling, there)) = self.elsewhere(index, dyad.target, time) {
            dyad.rate *= LEFT_BEHIND;
            let opening = Opening { target: there, known: false, stage: dyad.stage, time };
            self.open(sibling as usize, opening, rng);
        }
    }

    /// The actor's role on another platform and the target's account there, if a new dyad between them is possible.
    pub(crate) fn elsewhere(&self, index: usize, target: u32, time: i32) -> Option<(u32, u32)> {
        let role = &self.world.roles[index];
        let sibling = role.sibling?;
        let next = &self.world.roles[sibling as usize];
        let site = &self.world.sites[usize::from(next.platform)];
        let person = self.world.sites[usize::from(role.platform)].accounts[target as usize].person;
        let there = site.first[person as usize];
        let ready = self.sites[usize::from(next.platform)].created(next.account) <= time;
        let free = there != NONE && ready && self.fresh(sibling, there);
        free.then_some((sibling, there))
    }

    /// Somebody else of the team takes the dyad up.
    fn hand_over(&mut self, index: usize, dyad: &mut Dyad, now: i32, rng: &mut CounterRng) {
        let time = now + below(rng, DAY);
        if let Some(mate) = self.mate(index, dyad.target, time, rng) {
            dyad.rate *= LEFT_BEHIND;
            let opening = Opening { target: dyad.target, known: false, stage: dyad.stage, time };
            self.open(mate as usize, opening, rng);
        }
    }

    /// Somebody else of the team who can turn to `target`.
    pub(crate) fn mate(&self, index: usize, target: u32, time: i32, rng: &mut CounterRng) -> Option<u32> {
        let role = &self.world.roles[index];
        let pick = rng.uniform();
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let mate = *role.mates.get((pick * role.mates.len() as f64) as usize)?;
        let next = &self.world.roles[mate as usize];
        let created = self.world.sites[usize::from(next.platform)].accounts[next.account as usize].created;
        (created <= time && self.fresh(mate, target)).then_some(mate)
    }

    /// Whether a role and an account on its platform can begin a dyad by a request.
    fn fresh(&self, index: u32, target: u32) -> bool {
        let role = &self.world.roles[index as usize];
        let contacts = &self.sites[usize::from(role.platform)].contacts;
        !contacts.linked(role.account, target) && self.free(role, &self.actors[index as usize], target)
    }

    /// Starts the contact of an accepted request.
    pub(crate) fn accepted(&mut self, index: usize, target: u32, at: i32) {
        let address = self.seeds.stage.derive("accepted", index as u64).derive("target", u64::from(target));
        let mut rng = address.rng();
        let fast = self.actors[index].dyad(target).map(|d| d.fast);
        let Some(fast) = fast else { return };
        let until = at.saturating_add(self.dwell(fast, &mut rng));
        if let Some(dyad) = self.actors[index].dyad(target).filter(|d| d.status == Status::Pending) {
            dyad.status = Status::Active;
            dyad.until = until;
            self.actors[index].wake(until);
            self.changed(index);
        }
    }

    /// Ends a dyad: blocked, declined, ignored, closed.
    pub(crate) fn ended(&mut self, index: usize, target: u32, at: i32) {
        let Some(dyad) = self.actors[index].end(target) else { return };
        self.note(index, &dyad, at);
        self.changed(index);
    }
}
