//! The round loop: broadcast, train, clip, quantise, noise, protect, sum, open, noise, step (noise at one of the two places). It reads beside the pseudocode of
//! `FedAvg`; the state that goes in and comes out is everything that a restart needs.

mod check;
mod state;

pub use check::FederationError;
pub use state::{FederationState, RoundRecord};

use crate::aggregator::Aggregator;
use crate::cohort::{Cohort, CohortSpec};
use crate::compression::sparse::visible_bytes;
use crate::compression::{Compression, Sparsifier};
use crate::local::LocalRule;
use crate::platforms::{Kept, Left, Platforms, Tamper, Trained, compression_seed};
use crate::schedule::{Arrival, Buffered, ScheduleSpec};
use crate::secure_sum::{IntSum, SlotPlan, Stopwatch, SumSession, WireCost};
use crate::server::ServerOptimizer;
use crate::trainer::TrainerFactory;
use equipoise_core::{ClipNorm, Seed};
use equipoise_privacy::{DpEvent, Mechanism, Quantizer, Rounding};

/// Updates are hidden in a sum, or visible and ranked. Never both: the tension is a type.
pub enum Aggregation<'a> {
    /// The server sees the sum only.
    Hidden(Box<dyn SumSession + 'a>),
    /// The server sees every update.
    Visible(&'a dyn Aggregator),
    /// The server sees of every update the coordinates that its client chose.
    Chosen(&'a dyn Aggregator, &'a dyn Sparsifier),
}

impl<'a> Aggregation<'a> {
    /// How each client chooses what it sends, where it does.
    #[must_use]
    pub const fn sparsifier(&self) -> Option<&'a dyn Sparsifier> {
        if let Self::Chosen(_, choice) = self { Some(*choice) } else { None }
    }
}

impl std::fmt::Debug for Aggregation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hidden(_) => f.write_str("Hidden(..)"),
            Self::Visible(rule) => write!(f, "Visible({})", rule.name()),
            Self::Chosen(rule, choice) => write!(f, "Chosen({}, {})", rule.name(), choice.name()),
        }
    }
}

/// By what an opened sum is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Divisor {
    /// By the sum of the public weights of whoever answered.
    Weights,
    /// By a public constant: what differential privacy needs.
    Fixed(f64),
}

/// Everything that a federation is made of. The runner assembles it; nothing in here is global.
pub struct Federation<'a> {
    /// Who trains.
    pub trainers: &'a dyn TrainerFactory,
    /// What a platform does besides following its gradient.
    pub local: &'a dyn LocalRule,
    /// When the server takes a step.
    pub schedule: ScheduleSpec,
    /// How cohorts are made.
    pub cohorts: CohortSpec,
    /// What byzantine clients do, where the cohort's faults have any.
    pub tamper: Option<Tamper<'a>>,
    /// What is sent of an update.
    pub compression: &'a dyn Compression,
    /// How reals become integers.
    pub quantizer: Quantizer,
    /// Which of its two neighbours on the grid a real becomes.
    pub rounding: Rounding,
    /// Bound on a whole update where the trainer set none: robustness and range, not privacy.
    pub update_clip: ClipNorm,
    /// How updates become one.
    pub aggregation: Aggregation<'a>,
    /// What is added to the opened sum.
    pub mechanism: &'a dyn Mechanism,
    /// By what the sum is divided.
    pub divisor: Divisor,
    /// What the server does with it.
    pub server: &'a dyn ServerOptimizer,
    /// The address of the run's draws.
    pub seed: Seed,
    /// Who may read a clock.
    pub stopwatch: &'a dyn Stopwatch,
}

impl std::fmt::Debug for Federation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Federation").field("aggregation", &self.aggregation).finish_non_exhaustive()
    }
}

impl Federation<'_> {
    /// The slot plan, where updates are hidden.
    #[must_use]
    pub fn plan(&self) -> Option<&SlotPlan> {
        match &self.aggregation {
            Aggregation::Hidden(session) => Some(session.plan()),
            Aggregation::Visible(_) | Aggregation::Chosen(..) => None,
        }
    }

    /// One round: state in, state out. A redone round draws the same cohort, batches and noise.
    ///
    /// # Errors
    /// If a client or the sum fails. A dropout is not an error.
    pub fn step(&mut self, mut state: FederationState) -> Result<FederationState, FederationError> {
        let round = state.round;
        // The first round of a rule that broadcasts something beside the model starts it at zero.
        state.beside.0.resize((self.local.sends() - 1) * state.params.len(), 0.0);
        let (cohort, arrivals) = self.cohort(&mut state);
        let behind = arrivals.iter().map(|arrival| (arrival.client, round - arrival.from));
        let mut record = RoundRecord {
            cohort,
            outcomes: vec![],
            staleness: behind.filter(|(_, steps)| *steps > 0).collect(),
            opened: false,
            saturated: 0,
            wire: WireCost::default(),
            inside: vec![],
        };
        let enough = |clients: usize| clients >= self.cohorts.minimum as usize;
        if enough(record.cohort.clients.len()) {
            let mut trained = self.train(&state, &record.cohort, &arrivals)?;
            record.inside = std::mem::take(&mut trained.inside);
            (record.saturated, record.outcomes) = (trained.saturated, std::mem::take(&mut trained.outcomes));
            let clients = trained.clients();
            if enough(clients) {
                let sensitivity = self.sensitivity(round, &trained)?;
                if let Aggregation::Hidden(session) = &mut self.aggregation {
                    session.asked(round, &record.cohort.asked());
                }
                let (kept, residual) = (trained.kept, trained.residual);
                let delta = self.combine(round, trained.left, sensitivity, &mut record.wire)?;
                state = self.advance(state, clients, (kept, residual), &delta);
                record.opened = true;
            }
        }
        state.traffic.forget();
        state.history.push(record);
        state.round += 1;
        Ok(state)
    }

    /// Who takes part in this step, and where each began if the server does not wait for rounds.
    fn cohort(&self, state: &mut FederationState) -> (Cohort, Vec<Arrival>) {
        let clients = self.trainers.clients();
        match self.schedule {
            ScheduleSpec::Synchronous {} => (self.cohorts.draw(clients, state.round, self.seed), vec![]),
            ScheduleSpec::Buffered { buffer, concurrency, .. } => state.traffic.arrive(
                (buffer, concurrency),
                &self.cohorts,
                clients,
                state.round,
                &state.params,
                self.seed.derive("traffic", 0),
            ),
        }
    }

    /// On the platforms.
    fn train(
        &self,
        state: &FederationState,
        cohort: &Cohort,
        arrivals: &[Arrival],
    ) -> Result<Trained, FederationError> {
        let clients = self.trainers.clients();
        let byzantine = self.cohorts.faults.map_or(vec![], |faults| faults.byzantine(clients, self.seed));
        let clear = match &self.aggregation {
            Aggregation::Hidden(session) => session.clear(),
            Aggregation::Visible(_) | Aggregation::Chosen(..) => None,
        };
        let platforms = Platforms {
            trainers: self.trainers,
            local: self.local,
            layers: &self.trainers.layers(),
            compression: self.compression,
            sparsifier: self.aggregation.sparsifier(),
            quantizer: self.quantizer,
            rounding: self.rounding,
            update_clip: self.update_clip,
            noise: self.mechanism.on_platforms(),
            seed: self.seed,
            byzantine: &byzantine,
            tamper: self.tamper,
            clear,
            stopwatch: self.stopwatch,
            buffered: match self.schedule {
                ScheduleSpec::Synchronous {} => None,
                ScheduleSpec::Buffered { power, .. } => {
                    Some(Buffered { traffic: &state.traffic, arrivals, power, step: state.round })
                }
            },
        };
        platforms.train(state, cohort)
    }

    /// The global model steps; what is broadcast beside it moves by its mean change times the share of clients that sent one.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Parameters are f32 by definition.
    fn advance(
        &self,
        mut state: FederationState,
        clients: usize,
        (kept, residual): (Kept, Kept),
        delta: &[f64],
    ) -> FederationState {
        let (model, beside) = delta.split_at(state.params.len());
        (state.server, state.params) = self.server.step(state.server, state.params, model);
        let share = clients as f64 / f64::from(self.trainers.clients().max(1));
        for (value, change) in state.beside.0.iter_mut().zip(beside) {
            *value = (f64::from(*value) + share * change) as f32;
        }
        state.kept.extend(kept);
        state.residual.extend(residual);
        state
    }

    /// On the server: one vector in real units, noised and divided.
    #[allow(clippy::cast_precision_loss)] // Sums stay below 2^53: the plan bounds them.
    fn combine(
        &mut self,
        round: u32,
        left: Left,
        sensitivity: f64,
        wire: &mut WireCost,
    ) -> Result<Vec<f64>, FederationError> {
        let lsb = self.quantizer.lsb();
        let sparse = self.aggregation.sparsifier().is_some();
        let real = |opened: IntSum| -> (Vec<f64>, f64) {
            (opened.values.iter().map(|&value| value as f64 * lsb).collect(), opened.weight as f64)
        };
        let (mut sum, weight) = match (&mut self.aggregation, left) {
            (Aggregation::Hidden(session), Left::Updates(updates)) => {
                let (opened, cost) = session
                    .sum(round, &updates, self.stopwatch)
                    .map_err(|source| FederationError::Sum { round, source })?;
                *wire = cost;
                real(opened)
            }
            (_, Left::Sum(sum)) => {
                wire.upload_bytes = sum.wire_bytes();
                real(sum.open())
            }
            (Aggregation::Visible(rule) | Aggregation::Chosen(rule, _), Left::Updates(updates)) => {
                let bytes = |update| visible_bytes(update, self.quantizer.bits, sparse);
                wire.upload_bytes = updates.iter().map(bytes).sum();
                let weight: u64 = updates.iter().map(|update| u64::from(update.weight())).sum();
                let scale = lsb * weight as f64;
                (rule.aggregate(&updates).into_iter().map(|value| value * scale).collect(), weight as f64)
            }
        };
        self.mechanism.on_server(&mut sum, sensitivity, self.seed.derive("noise", u64::from(round)));
        let len = self.local.sends() * self.trainers.layers().last().map_or(0, |layer| layer.end);
        let mut sum = self.compression.expand(sum, len, compression_seed(self.seed, round));
        let divisor = match self.divisor {
            Divisor::Weights => weight,
            Divisor::Fixed(divisor) => divisor,
        };
        for value in &mut sum {
            *value /= divisor;
        }
        Ok(sum)
    }

    /// The L2 sensitivity of the opened sum, rounding included. A mechanism that adds noise needs one.
    fn sensitivity(&self, round: u32, trained: &Trained) -> Result<f64, FederationError> {
        let len = match &trained.left {
            Left::Updates(updates) => updates.first().map_or(0, |update| update.values().len()),
            Left::Sum(sum) => sum.len(),
        };
        match trained.sensitivity {
            Some(bound) => Ok(self.rounding.sensitivity(&self.quantizer, bound, len)),
            None if self.mechanism.event() == DpEvent::None => Ok(0.0),
            None => Err(FederationError::Unbounded { mechanism: self.mechanism.name(), round }),
        }
    }
}
