//! Who can be sought out on one platform: ordinary accounts by true gender and age band. Weights are per account, so a
//! band with few accounts is met rarely however much it is weighted.

use crate::accounts::Account;
use crate::population::Person;
use equipoise_core::{AgeBand, CounterRng, Draw};

/// Ordinary accounts of one platform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    /// `[girl][band]`, minors only.
    minors: [[Vec<u32>; 3]; 2],
    adults: Vec<u32>,
}

impl Targets {
    pub(crate) fn new(accounts: &[Account], people: &[Person]) -> Self {
        let mut targets = Self::default();
        for (id, account) in (0_u32..).zip(accounts).filter(|(_, a)| !a.made_for_role) {
            let person = &people[account.person as usize];
            let list = match person.band {
                AgeBand::Adult => &mut targets.adults,
                band => &mut targets.minors[usize::from(person.girl)][band as usize],
            };
            list.push(id);
        }
        targets
    }

    /// A minor of a gender, by the weights of the bands.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn minor(&self, girl: bool, weights: &[f64; 3], rng: &mut CounterRng) -> Option<u32> {
        let lists = &self.minors[usize::from(girl)];
        let mass: [f64; 3] = std::array::from_fn(|band| weights[band] * lists[band].len() as f64);
        let list = &lists[rng.weighted(&mass)];
        let at = rng.uniform();
        if list.is_empty() { None } else { list.get((at * list.len() as f64) as usize).copied() }
    }

    pub(crate) fn adult(&self, rng: &mut CounterRng) -> Option<u32> {
        if self.adults.is_empty() { None } else { Some(self.adults[rng.below(self.adults.len())]) }
    }
}
