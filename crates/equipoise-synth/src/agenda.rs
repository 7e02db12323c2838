//! What no measure can touch, made once for all the cells of a seed: in which sessions ordinary accounts will have an act in
//! mind, and in which ticks a role will not look for anybody. That is a function of the seed and the file. Towards whom an act goes, and whether its account is still there, hangs
//! on the run and is made in each. Law (a test): a run with an agenda is the run without it, byte for byte.

use crate::ordinary::Planned;
use crate::simulation::Simulation;
use crate::truth::Truth;
use crate::world::World;
use equipoise_core::DAY;
use rayon::prelude::*;
use std::sync::OnceLock;

/// Planned acts of every ordinary account of a world.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// `[day][platform]`.
    days: Vec<Vec<Vec<Planned>>>,
    /// By tick: one bit a role, whether it may look for somebody.
    looks: Vec<Vec<u64>>,
    /// By spare, likewise one bit a tick: made when a run first makes that spare, for all runs after it.
    spares: Vec<OnceLock<Vec<u64>>>,
    /// Roles that are nobody's spare; spares come after them.
    origins: usize,
    /// Truth before the first tick.
    blank: Truth,
}

impl World {
    /// The acts that ordinary accounts will have in mind, to be shared by lean runs ([`World::start_lean`]).
    #[must_use]
    pub fn agenda(&self) -> Agenda {
        let simulation = Simulation::new(self, false);
        let day = |day: i32| {
            let on = |platform: usize| {
                let mut planned = Vec::new();
                #[allow(clippy::cast_possible_truncation, reason = "numbers of accounts fit 32 bits")]
                let residents = self.sites[platform].residents as u32;
                simulation.ground(platform).plan_acts(0..residents, day, &mut planned);
                planned
            };
            (0..self.sites.len()).map(on).collect()
        };
        let roles = self.roles.iter().filter(|role| role.spare_of.is_none()).count();
        let looks = |tick: i32| {
            let word = |first: usize| {
                let bit = |at: usize| u64::from(at < roles && simulation.may_look(at, tick)) << (at - first);
                (first..first + 64).map(bit).sum()
            };
            (0..roles).step_by(64).map(word).collect()
        };
        Agenda {
            days: (0..simulation.end / DAY).into_par_iter().map(day).collect(),
            looks: (0..simulation.end / simulation.tick_seconds).into_par_iter().map(looks).collect(),
            spares: vec![OnceLock::new(); self.roles.len() - roles],
            origins: roles,
            blank: simulation.truth,
        }
    }
}

impl Agenda {
    /// Truth without anything that only a run can tell.
    pub(crate) const fn blank(&self) -> &Truth {
        &self.blank
    }

    /// Whether a role that is nobody's spare may look for somebody in a tick.
    pub(crate) fn may_look(&self, tick: i32, role: usize) -> bool {
        self.looks[tick.unsigned_abs() as usize][role / 64] >> (role % 64) & 1 == 1
    }

    /// Whether a spare that was made may look for somebody in a tick of a run.
    pub(crate) fn spare_may_look(&self, run: &Simulation<'_>, role: usize) -> bool {
        let looks = self.spares[role - self.origins].get_or_init(|| {
            let bit = |tick: i32| u64::from(run.may_look(role, tick)) << (tick % 64);
            let ticks: Vec<i32> = (0..run.end / run.tick_seconds).collect();
            ticks.chunks(64).map(|ticks| ticks.iter().copied().map(bit).sum()).collect()
        });
        let tick = run.tick.unsigned_abs() as usize;
        looks[tick / 64] >> (tick % 64) & 1 == 1
    }

    /// Which of 64 roles may look for somebody in a tick.
    pub(crate) fn looking(&self, tick: i32, word: usize) -> u64 {
        self.looks[tick.unsigned_abs() as usize].get(word).copied().unwrap_or(0)
    }

    /// The acts planned for one day on one platform.
    pub(crate) fn of(&self, day: i32, platform: usize) -> &[Planned] {
        &self.days[day.unsigned_abs() as usize][platform]
    }
}
