//! When the server waits for whom: in rounds, or for whoever comes first.
//!
//! Buffered asynchronous aggregation (`FedBuff`: Nguyen, Malik, Zhan, Yousefpour, Rabbat, Malek, Huba, AISTATS 2022, algorithm 1): a number
//! of clients train at any time, each from the model of its start; when `buffer` of them have arrived the server takes one step. Time is
//! virtual and every draw has an address, so the order of arrivals is data: the same after any restart.

use crate::cohort::{Cohort, CohortSpec};
use equipoise_core::{Draw, Params, Seed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When the server takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScheduleSpec {
    /// In rounds: a cohort is asked and waited for.
    Synchronous {},
    /// Whenever so many updates have arrived, each weighed by `(1 + staleness)^-power` (on the grid of public weights). Speeds are those
    /// of the cohort's faults; deadline and over-selection belong to rounds and are not read.
    Buffered {
        /// Updates a step.
        buffer: u32,
        /// Clients that train at any time; more than `buffer` where updates should be stale at all.
        concurrency: u32,
        /// Power of the discount; the paper takes one half.
        power: f64,
    },
}

impl ScheduleSpec {
    /// What cannot be right about it in a federation of so many clients.
    ///
    /// # Errors
    /// Begins with the key that mends it.
    pub fn check(&self, clients: u32, cohorts: &CohortSpec) -> Result<(), String> {
        let Self::Buffered { buffer, concurrency, power } = *self else { return Ok(()) };
        let minimum = cohorts.minimum;
        if cohorts.dropout.get() >= 1.0 {
            return Err("dropout: nobody would ever arrive".into());
        }
        if buffer < minimum.max(1) {
            return Err(format!(
                "buffer: a step of {buffer} updates is below the floor `minimum` of {minimum}"
            ));
        }
        if u64::from(buffer) + u64::from(concurrency) > u64::from(clients) + 1 || concurrency == 0 {
            return Err(format!(
                "concurrency: {concurrency} clients in training beside a buffer of {buffer} need more than {clients} clients, \
                 because none takes part twice in one step"
            ));
        }
        if power >= 0.0 && power.is_finite() {
            Ok(())
        } else {
            Err(format!("power: must be finite and not negative, got {power}"))
        }
    }

    /// One of each, for tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![Self::Synchronous {}, Self::Buffered { buffer: 2, concurrency: 3, power: 0.5 }]
    }
}

/// A client in training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Flight {
    client: u32,
    /// How many began before it.
    task: u64,
    /// The step whose model it began from.
    from: u32,
    /// When it will be done.
    done: f64,
}

/// The arrivals of one step, and what each began from.
#[derive(Clone, Copy)]
pub(crate) struct Buffered<'a> {
    pub(crate) traffic: &'a Traffic,
    /// Ascending by client.
    pub(crate) arrivals: &'a [Arrival],
    pub(crate) power: f64,
    pub(crate) step: u32,
}

impl<'a> Buffered<'a> {
    /// The model that a client of this step began from, and its weight for `weight` fresh ones.
    pub(crate) fn of(&self, client: u32, weight: u32) -> (&'a [f32], u32) {
        let at = self.arrivals.partition_point(|arrival| arrival.client < client);
        let from = self.arrivals[at].from;
        (&self.traffic.models[&from].0, discounted(weight, self.step - from, self.power))
    }
}

/// What a buffered server must remember: who trains, from which model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    clock: f64,
    started: u64,
    flights: Vec<Flight>,
    /// The models that somebody still trains from, by step.
    models: BTreeMap<u32, Params>,
}

/// One arrival of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) client: u32,
    pub(crate) from: u32,
}

impl Traffic {
    /// Lets time pass until `buffer` updates have arrived. Returns the cohort of this step and where each arrival began.
    pub(crate) fn arrive(
        &mut self,
        (buffer, concurrency): (u32, u32),
        cohorts: &CohortSpec,
        clients: u32,
        step: u32,
        global: &Params,
        seed: Seed,
    ) -> (Cohort, Vec<Arrival>) {
        let begun = self.clock;
        self.models.insert(step, global.clone());
        let mut cohort = Cohort { round: step, ..Cohort::default() };
        let mut arrivals: Vec<Arrival> = Vec::new();
        while arrivals.len() < buffer as usize {
            while self.flights.len() < concurrency as usize {
                self.start(cohorts, clients, step, &arrivals, seed);
            }
            let next = (0..self.flights.len())
                .min_by(|&a, &b| {
                    let (a, b) = (&self.flights[a], &self.flights[b]);
                    a.done.total_cmp(&b.done).then(a.client.cmp(&b.client))
                })
                .expect("somebody is in training");
            let flight = self.flights.swap_remove(next);
            self.clock = flight.done;
            if seed.derive("lost", flight.task).rng().chance(cohorts.dropout.get()) {
                cohort.dropped.push(flight.client);
            } else {
                arrivals.push(Arrival { client: flight.client, from: flight.from });
            }
        }
        arrivals.sort_by_key(|arrival| arrival.client);
        cohort.clients = arrivals.iter().map(|arrival| arrival.client).collect();
        cohort.dropped.sort_unstable();
        cohort.dropped.dedup();
        cohort.duration = self.clock - begun;
        (cohort, arrivals)
    }

    /// Forgets the models that nobody trains from any more, once a step is taken.
    pub(crate) fn forget(&mut self) {
        let flights = &self.flights;
        self.models.retain(|step, _| flights.iter().any(|flight| flight.from == *step));
    }

    /// One more client begins from the model of this step: drawn evenly among those that neither train nor wait in the buffer.
    fn start(&mut self, cohorts: &CohortSpec, clients: u32, step: u32, arrived: &[Arrival], seed: Seed) {
        let busy = |client: &u32| {
            self.flights.iter().any(|flight| flight.client == *client)
                || arrived.iter().any(|arrival| arrival.client == *client)
        };
        let idle: Vec<u32> = (0..clients).filter(|client| !busy(client)).collect();
        let at = seed.derive("start", self.started);
        let client = idle[at.rng().below(idle.len())];
        let number = u32::try_from(self.started).unwrap_or(u32::MAX);
        let time = cohorts.faults.map_or(1.0, |faults| faults.duration(client, number, seed));
        self.flights.push(Flight { client, task: self.started, from: step, done: self.clock + time });
        self.started += 1;
    }
}

/// The public weight of a stale update: `weight (1 + staleness)^-power`, at least 1.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // At most `weight`.
fn discounted(weight: u32, staleness: u32, power: f64) -> u32 {
    let discount = libm::pow(1.0 + f64::from(staleness), -power);
    (libm::rint(f64::from(weight) * discount) as u32).clamp(1, weight.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Fraction;

    fn cohorts() -> CohortSpec {
        let fraction = |value| Fraction::new(value).unwrap();
        CohortSpec { participation: fraction(1.0), dropout: fraction(0.2), minimum: 1, faults: None }
    }

    #[test]
    fn nobody_takes_part_twice_in_a_step_and_stale_models_are_kept_no_longer_than_needed() {
        let (mut traffic, seed) = (Traffic::default(), Seed::root(4));
        let mut stale = 0;
        for step in 0..200 {
            let model = Params(vec![f32::from(u16::try_from(step).unwrap())]);
            let (cohort, arrivals) = traffic.arrive((3, 6), &cohorts(), 9, step, &model, seed);
            assert!(cohort.clients.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", cohort.clients);
            assert_eq!(cohort.clients.len(), 3);
            let buffered = Buffered { traffic: &traffic, arrivals: &arrivals, power: 0.5, step };
            for arrival in &arrivals {
                let (from, _) = buffered.of(arrival.client, 4);
                assert!(
                    (from[0] - arrival.from as f32).abs() < 1e-6,
                    "each begins from the model of its start"
                );
                stale += step - arrival.from;
            }
            traffic.forget();
            assert!(traffic.models.len() <= 6);
        }
        assert!(stale > 100, "six in training and three a step: most are a step or two late, {stale}");
    }

    #[test]
    fn weights_fall_with_staleness_on_the_public_grid() {
        let weights: Vec<u32> = [0, 1, 3, 8, 99].map(|staleness| discounted(4, staleness, 0.5)).to_vec();
        assert_eq!(weights, [4, 3, 2, 1, 1]);
        assert_eq!(discounted(4, 50, 0.0), 4);
    }

    #[test]
    fn what_cannot_be_is_named() {
        let check = |buffer, concurrency, power| {
            ScheduleSpec::Buffered { buffer, concurrency, power }.check(4, &cohorts())
        };
        assert!(check(0, 2, 0.5).unwrap_err().starts_with("buffer"));
        assert!(check(3, 3, 0.5).unwrap_err().starts_with("concurrency"));
        assert!(check(2, 2, f64::NAN).unwrap_err().starts_with("power"));
        assert_eq!(check(2, 3, 0.5), Ok(()));
    }
}
