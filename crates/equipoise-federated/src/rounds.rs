//! The round loop: broadcast, train, clip, quantise, noise, protect, sum, open, noise, step (noise at one of the two places). It reads beside the pseudocode of
//! `FedAvg`; the state that goes in and comes out is everything that a restart needs.

use crate::aggregator::Aggregator;
use crate::cohort::{Cohort, CohortSpec};
use crate::compression::sparse::visible_bytes;
use crate::compression::{Compression, NoCompression, Sparsifier};
use crate::levels::Inside;
use crate::local::LocalRule;
use crate::platforms::{Kept, Left, Platforms, Tamper, Trained, compression_seed};
use crate::schedule::{Arrival, Buffered, ScheduleSpec, Traffic};
use crate::secure_sum::{IntSum, SlotPlan, Stopwatch, SumError, SumSession, WireCost};
use crate::server::{ServerOptimizer, ServerState};
use crate::trainer::{Outcome, TrainError, TrainerFactory};
use equipoise_core::{ClipNorm, Params, Seed};
use equipoise_privacy::{DistributedNoiseError, DpEvent, Mechanism, Quantizer, Rounding};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// Everything that a restart needs. A checkpoint is this, written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FederationState {
    /// Rounds finished.
    pub round: u32,
    /// The global model.
    pub params: Params,
    /// What is broadcast beside it; empty where the local rule sends one vector.
    #[serde(default)]
    pub beside: Params,
    /// What stays on each platform between rounds. In a deployment it never leaves it; here it is written down so that a killed run
    /// goes on.
    #[serde(default)]
    pub kept: BTreeMap<u32, Vec<f32>>,
    /// What compression left behind on each platform, likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub residual: BTreeMap<u32, Vec<f32>>,
    /// Who trains at the moment, where steps do not wait for rounds.
    #[serde(default)]
    pub traffic: Traffic,
    /// The server optimiser's memory.
    pub server: ServerState,
    /// What happened, round by round.
    pub history: Vec<RoundRecord>,
}

impl FederationState {
    /// Before the first round.
    #[must_use]
    pub fn new(params: Params) -> Self {
        Self {
            round: 0,
            params,
            beside: Params(vec![]),
            kept: BTreeMap::new(),
            residual: BTreeMap::new(),
            traffic: Traffic::default(),
            server: ServerState::default(),
            history: vec![],
        }
    }
}

/// What happened in one round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundRecord {
    /// Who answered and who did not.
    pub cohort: Cohort,
    /// Clients that answered and whose training did not end as it should.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<(u32, Outcome)>,
    /// Steps that the model of a client's start was behind, for clients that were behind at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub staleness: Vec<(u32, u32)>,
    /// Whether the sum was opened and the model moved.
    pub opened: bool,
    /// Coordinates that the quantiser had to clamp, over the cohort.
    pub saturated: u64,
    /// Bytes on the wire.
    pub wire: WireCost,
    /// What happened inside platforms that hold a federation of devices, by platform.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Inside>,
}

/// Why a federation stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FederationError {
    /// A client failed in a way that is not a dropout.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The sum failed.
    #[error("the sum of round {round} failed")]
    Sum {
        /// Round.
        round: u32,
        /// Why.
        #[source]
        source: SumError,
    },
    /// Noise was asked for, but nothing bounds what one unit did to the sum.
    #[error(
        "`{mechanism}` cannot noise the sum of round {round}: the trainer bounded no unit's contribution"
    )]
    Unbounded {
        /// The mechanism.
        mechanism: &'static str,
        /// Round.
        round: u32,
    },
    /// A platform could not add its share of the noise.
    #[error("client {client} could not add its share of the noise in round {round}")]
    Noise {
        /// Client.
        client: u32,
        /// Round.
        round: u32,
        /// Why.
        #[source]
        source: DistributedNoiseError,
    },
    /// A setting cannot be right.
    #[error("{0}")]
    Setting(String),
    /// The visible rule is not defined for so small a cohort.
    #[error("`{rule}` needs {need} clients in a round and the cohort floor allows {floor}: raise `minimum`")]
    CohortTooSmall {
        /// The rule.
        rule: &'static str,
        /// Its smallest cohort.
        need: usize,
        /// The configured floor.
        floor: u32,
    },
}

impl Federation<'_> {
    /// Checks what can be checked before the first round.
    ///
    /// # Errors
    /// If the visible rule needs larger cohorts than the floor guarantees, or the local rule or the faults hold what cannot be.
    pub fn check(&self) -> Result<(), FederationError> {
        let clients = self.trainers.clients();
        self.schedule.check(clients, &self.cohorts).map_err(FederationError::Setting)?;
        if self.schedule != (ScheduleSpec::Synchronous {}) && self.local.sends() > 1 {
            let why = format!("local: `{}` broadcasts what a stale client does not have", self.local.name());
            return Err(FederationError::Setting(why));
        }
        self.compression.check().map_err(FederationError::Setting)?;
        self.local.check(&self.trainers.layers()).map_err(FederationError::Setting)?;
        if let Some(faults) = &self.cohorts.faults {
            faults.check().map_err(FederationError::Setting)?;
            if faults.byzantine.get() > 0.0 && self.tamper.is_none() {
                let why = "byzantine: what these clients do is not said (`poison`)";
                return Err(FederationError::Setting(why.into()));
            }
        }
        self.check_choice().map_err(FederationError::Setting)?;
        self.check_noise().map_err(FederationError::Setting)?;
        match &self.aggregation {
            Aggregation::Visible(rule) | Aggregation::Chosen(rule, _)
                if rule.minimum_cohort() > self.cohorts.minimum as usize =>
            {
                Err(FederationError::CohortTooSmall {
                    rule: rule.name(),
                    need: rule.minimum_cohort(),
                    floor: self.cohorts.minimum,
                })
            }
            _ => Ok(()),
        }
    }

    /// What clients that choose their coordinates cannot be combined with.
    fn check_choice(&self) -> Result<(), String> {
        let Some(choice) = self.aggregation.sparsifier() else { return Ok(()) };
        choice.check()?;
        let name = choice.name();
        if self.mechanism.event() != DpEvent::None {
            return Err(format!(
                "compression: `{name}` sends what a memory of earlier rounds holds, and nothing bounds what one account did to it; \
                 a guarantee needs a linear map"
            ));
        }
        if self.compression.name() != (NoCompression {}).name() {
            return Err(format!("compression: `{name}` remembers coordinates, which another map renames"));
        }
        if self.local.sends() > 1 {
            let rule = self.local.name();
            return Err(format!("compression: `{name}` would delay the control variates of `{rule}`"));
        }
        Ok(())
    }

    /// What voids noise that platforms add: it is sized for a sum of at least so many shares, all of them honestly added.
    fn check_noise(&self) -> Result<(), String> {
        let Some(noise) = self.mechanism.on_platforms() else { return Ok(()) };
        let refuse = |why: &str| Err(format!("noise: {why}"));
        if !matches!(self.aggregation, Aggregation::Hidden(_)) {
            return refuse(
                "a share is sized for a sum, and a visible rule reads every update with its own share alone; use a hidden sum",
            );
        }
        if self.schedule != (ScheduleSpec::Synchronous {}) {
            return refuse(
                "a step of a buffered server does not say how many platforms it holds; use `synchronous`",
            );
        }
        let (needed, minimum) = (noise.platforms(), self.cohorts.minimum);
        if minimum < needed {
            return Err(format!(
                "minimum: the noise is sized for sums of at least {needed} platforms, and rounds of {minimum} would be opened"
            ));
        }
        if self.cohorts.faults.is_some_and(|faults| faults.byzantine.get() > 0.0) {
            return refuse(
                "byzantine clients leave their share out; count them as `colluding` and take `byzantine` away",
            );
        }
        Ok(())
    }

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
