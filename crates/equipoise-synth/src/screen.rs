//! The levers of measures that are not refusals: the filter on children's devices, and reporting tools.
//!
//! The filter is two rates. A medium is sensitive, by definition, if it passes in a dyad with a simulated harmful pattern and
//! a child that has reached S4; every other one is ordinary. No image exists, and what the device found is told to nobody: it
//! changes whether the message is sent. A device knows the age that was declared on it (or the true one, under the oracle).
//! On a platform that logs no media flags the filter acts on the messages of roles, which carry the flag until they are
//! logged; ordinary messages carry none there, so that false alarms about them are not counted.

use crate::commit::Desk;
use crate::cost::{Cost, Costs};
use crate::simulation::{Filed, Live, Seeds, Simulation};
use crate::world::NONE;
use equipoise_core::{AccountId, AgeBand, CounterRng, Draw, Event, EventKind, MediaScreen, SimTime};

/// The first stage whose media the filter is after.
const SENSITIVE_FROM: u8 = 4;

/// What the filter did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Screened {
    Passed,
    Stopped,
}

/// The draws of the filter about a medium.
fn screening(seeds: &Seeds, platform: usize, (from, to): (u32, u32), time: i32) -> CounterRng {
    let pair = (u64::from(from) << 32) | u64::from(to);
    let address = seeds.warn.derive("screen", platform as u64).derive("pair", pair);
    address.derive("at", u64::from(time.unsigned_abs())).rng()
}

impl Desk<'_> {
    /// The age that measures see: as declared, or the truth under the oracle.
    pub(crate) fn age(&self, platform: usize, account: u32) -> AgeBand {
        let account = &self.world.sites[platform].accounts[account as usize];
        if self.true_ages { self.world.people[account.person as usize].band } else { account.declared }
    }

    /// The child's side of a message, if its device runs the filter.
    fn screened_side(&self, platform: usize, event: &Event, screen: &MediaScreen) -> Option<u32> {
        let sides = [event.actor.0, event.peer.0];
        let child = sides.into_iter().find(|side| self.age(platform, *side).is_minor())?;
        let device = self.seeds.warn.derive("device", platform as u64).derive("account", u64::from(child));
        (!device.rng().chance(screen.opt_out.get())).then_some(child)
    }

    /// Warned, and not gone on.
    fn screen_draw(&self, platform: usize, event: &Event, rate: f64, proceed: f64) -> (bool, bool) {
        let mut rng = screening(self.seeds, platform, (event.actor.0, event.peer.0), event.time.0);
        let (warned, goes_on) = (rng.chance(rate), rng.chance(proceed));
        (warned, warned && !goes_on)
    }

    /// The role and the target of a message of a harmful dyad with a child that has reached S4.
    fn sensitive(&self, platform: usize, event: &Event) -> Option<(u32, u32)> {
        let site = &self.world.sites[platform];
        [(event.actor.0, event.peer.0), (event.peer.0, event.actor.0)].into_iter().find_map(|(own, other)| {
            let role = site.role_of[own as usize];
            let child = self.world.people[site.accounts[other as usize].person as usize].band.is_minor();
            if role == NONE || !self.world.roles[role as usize].harmful || !child {
                return None;
            }
            let dyad = self.actors[role as usize].with(other);
            dyad.is_some_and(|dyad| dyad.stage >= SENSITIVE_FROM).then_some((role, other))
        })
    }
}

impl Live {
    /// Lets the device of a child look at an intent of the skeleton.
    pub(crate) fn screen(&mut self, desk: Desk<'_>, event: &Event) -> Screened {
        let Some(screen) = self.levers.media_screen else { return Screened::Passed };
        if event.kind != EventKind::Message || event.media == 0 {
            return Screened::Passed;
        }
        let sensitive = desk.sensitive(self.platform, event);
        let Some(child) = desk.screened_side(self.platform, event, &screen) else {
            self.screened.extend(sensitive.map(|(role, target)| (role, target, event.time.0, false)));
            return Screened::Passed;
        };
        let rate = if sensitive.is_some() { screen.true_positive } else { screen.false_positive };
        let (warned, stopped) = desk.screen_draw(self.platform, event, rate.get(), screen.proceed.get());
        match sensitive {
            Some((role, target)) => self.screened.push((role, target, event.time.0, stopped)),
            None if warned => {
                self.cost(child, Cost::false_alarms);
                if stopped {
                    self.cost(child, Cost::media_lost);
                }
            }
            None => {}
        }
        if stopped { Screened::Stopped } else { Screened::Passed }
    }

    /// The same for an ordinary event; true if it is not sent.
    pub(crate) fn screen_ordinary(&self, desk: Desk<'_>, event: &Event, costs: &mut Costs) -> bool {
        let Some(screen) = self.levers.media_screen else { return false };
        if event.kind != EventKind::Message || event.media == 0 {
            return false;
        }
        let Some(child) = desk.screened_side(self.platform, event, &screen) else { return false };
        let (warned, stopped) =
            desk.screen_draw(self.platform, event, screen.false_positive.get(), screen.proceed.get());
        if warned {
            costs.add(child, Cost::false_alarms);
        }
        if stopped {
            costs.add(child, Cost::media_lost);
        }
        stopped
    }

    /// After a block of an account without a role, the platform asks whether to report it too. Who blocks a role was asked
    /// when the answer was drawn ([`Simulation::answer_notice`]).
    pub(crate) fn ask_to_report(&mut self, desk: Desk<'_>, block: Filed) {
        let Some(tools) = self.levers.reporting else { return };
        if desk.world.sites[self.platform].role_of[block.about as usize] != NONE {
            return;
        }
        let pair = (u64::from(block.by) << 32) | u64::from(block.about);
        let address = desk.seeds.warn.derive("prompt", self.platform as u64).derive("pair", pair);
        if address.rng().chance(tools.prompt.get()) {
            let (by, about) = (AccountId(block.by), AccountId(block.about));
            self.queue.push(Event::new(SimTime(block.time), by, about, EventKind::Report));
            self.cost(block.by, Cost::prompted);
        }
    }
}

impl Simulation<'_> {
    /// Whether the filter, as it stands in this tick, may warn of a medium of a dyad that never is a sensitive one; of a later
    /// tick's it is not known. What it will not warn of changes nothing: it need not be sent in a run that hears no messages.
    pub(crate) fn may_stop(&self, platform: usize, time: i32, from: u32, to: u32) -> bool {
        let live = &self.sites[platform];
        let time = live.queue.floor(time);
        if time >= (self.tick + 1) * self.tick_seconds {
            return true;
        }
        let Some(screen) = live.levers.media_screen else { return false };
        screening(&self.seeds, platform, (from, to), time).chance(screen.false_positive.get())
    }

    /// Factor on the chance that `target` notices something unwanted in `account`.
    pub(crate) fn noticing(&self, platform: usize, account: u32, target: u32) -> f64 {
        let live = &self.sites[platform];
        let Some(tools) = live.levers.reporting.filter(|_| live.schema.sees_age) else { return 1.0 };
        let age = |account: u32| {
            let account = &self.world.sites[platform].accounts[account as usize];
            if self.true_ages { self.world.people[account.person as usize].band } else { account.declared }
        };
        if age(account) == AgeBand::Adult && age(target).is_minor() { tools.notice } else { 1.0 }
    }

    /// Writes what the filter met in harmful dyads into them.
    pub(crate) fn note_screened(&mut self, platform: usize) {
        let mut screened = std::mem::take(&mut self.sites[platform].screened);
        for (role, target, time, stopped) in screened.drain(..) {
            if let Some(dyad) = self.actors[role as usize].dyad(target) {
                *(if stopped { &mut dyad.stopped } else { &mut dyad.passed }) += 1;
            }
            if stopped {
                self.reactions.push((role, target, time, crate::adaptation::Trigger::Warned));
            }
        }
        self.sites[platform].screened = screened;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Fraction, Seed};

    /// A filter that may come, or change, with the next tick says nothing of that tick's media yet.
    #[test]
    fn media_of_a_later_tick_may_always_be_stopped_and_those_of_this_tick_as_the_draw_says() {
        let mut spec: crate::WorldSpec =
            toml::from_str(include_str!("../../../datasets/research.toml")).unwrap();
        (spec.persons, spec.days) = (400, 3);
        let world = crate::World::build(&spec, Seed::root(3)).unwrap();
        let mut run = world.start_lean();
        let (now, later) = (run.tick_seconds - 1, run.tick_seconds);
        assert!(!run.may_stop(0, now, 1, 2) && run.may_stop(0, later, 1, 2));
        let share = |value| Fraction::new(value).unwrap();
        let screen = |false_positive| MediaScreen {
            true_positive: share(1.0),
            false_positive: share(false_positive),
            proceed: share(0.5),
            opt_out: share(0.0),
        };
        for (rate, least, most) in [(0.0, 0, 0), (0.25, 60, 140), (1.0, 400, 400)] {
            run.sites[0].levers.media_screen = Some(screen(rate));
            // 400 draws at a quarter: four standard errors are 35.
            let warned = (0..400).filter(|peer| run.may_stop(0, now, 1, *peer)).count();
            assert!((least..=most).contains(&warned), "{warned} at {rate}");
            assert!(run.may_stop(0, later, 1, 2));
        }
    }
}
