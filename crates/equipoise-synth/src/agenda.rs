//! What no measure can touch, made once for all the cells of a seed: in which sessions ordinary accounts will have an act in
//! mind. That is a function of the seed and the file. Towards whom an act goes, and whether its account is still there, hangs
//! on the run and is made in each. Law (a test): a run with an agenda is the run without it, byte for byte.

use crate::ordinary::Planned;
use crate::simulation::Simulation;
use crate::world::World;
use equipoise_core::DAY;
use rayon::prelude::*;

/// Planned acts of every ordinary account of a world.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// `[day][platform]`.
    days: Vec<Vec<Vec<Planned>>>,
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
        Agenda { days: (0..simulation.end / DAY).into_par_iter().map(day).collect() }
    }
}

impl Agenda {
    /// The acts planned for one day on one platform.
    pub(crate) fn of(&self, day: i32, platform: usize) -> &[Planned] {
        &self.days[day.unsigned_abs() as usize][platform]
    }
}
