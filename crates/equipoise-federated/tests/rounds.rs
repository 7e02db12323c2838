//! The round loop against a hand-worked federation, across thread counts, restarts and dropouts.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use equipoise_core::{ClipNorm, Fraction, Params, Seed};
use equipoise_federated::{
    Aggregation, AggregatorSpec, CohortSpec, Contribution, Divisor, DynSecureSum, FedAvg, Federation,
    FederationError, FederationState, IntSum, LeakageProfile, LocalTrainer, NoCompression, Outcome, Plain,
    RoundCtx, ScheduleSpec, ServerSgd, SlotPlan, Stopwatch, SumError, SumSession, TrainError, TrainStats,
    TrainerFactory, Untimed, VectorSpec, WireCost,
};
use equipoise_privacy::{MechanismSpec, OutgoingUpdate, Quantizer, Rounding};

/// Every client pulls the model towards its own number.
struct Pull(Vec<f32>);
struct Worker<'a>(&'a Pull);
impl LocalTrainer for Worker<'_> {
    fn train(
        &mut self,
        global: &[f32],
        client: u32,
        _: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        for (update, weight) in update.iter_mut().zip(global) {
            *update = self.0.0[client as usize] - weight;
        }
        Ok(TrainStats { rows: 1, steps: 1, outcome: Outcome::Trained, contribution: Contribution::Delta })
    }
}
impl TrainerFactory for Pull {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(Worker(self)))
    }
    fn clients(&self) -> u32 {
        self.0.len() as u32
    }
    fn layers(&self) -> Vec<std::ops::Range<usize>> {
        std::iter::once(0..3).collect()
    }
    fn size(&self, client: u32) -> u64 {
        u64::from(client)
    }
    fn weight(&self, client: u32) -> u32 {
        client + 1
    }
}

const QUANTIZER: Quantizer = Quantizer { clip_abs: 8.0, bits: 24 };

fn run(trainers: &Pull, dropout: f64, rounds: u32, state: FederationState) -> FederationState {
    run_over(|spec| Plain.session(spec).unwrap(), trainers, dropout, rounds, state)
}

fn run_over(
    session: impl Fn(&VectorSpec) -> Box<dyn SumSession>,
    trainers: &Pull,
    dropout: f64,
    rounds: u32,
    state: FederationState,
) -> FederationState {
    let clients = trainers.clients();
    let spec = VectorSpec { len: 3, quantizer: QUANTIZER, max_weight: clients, max_clients: clients };
    let mechanism = MechanismSpec::NoNoise(equipoise_privacy::NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers,
        local: &FedAvg {},
        tamper: None,
        compression: &NoCompression {},
        schedule: ScheduleSpec::Synchronous {},
        cohorts: CohortSpec {
            participation: Fraction::new(1.0).unwrap(),
            dropout: Fraction::new(dropout).unwrap(),
            minimum: 2,
            faults: None,
        },
        quantizer: QUANTIZER,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(100.0).unwrap(),
        aggregation: Aggregation::Hidden(session(&spec)),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    federation.check().unwrap();
    (0..rounds).fold(state, |state, _| federation.step(state).unwrap())
}

#[test]
fn one_round_gives_the_weighted_mean() {
    let state = run(&Pull(vec![1.0, 4.0]), 0.0, 1, FederationState::new(Params::zeros(3)));
    // Weights 1 and 2: (1 + 2 * 4) / 3.
    for weight in &state.params.0 {
        assert!((weight - 3.0).abs() < 1e-5, "{weight}");
    }
}

#[test]
fn a_run_in_two_halves_is_the_run() {
    let clients = Pull(vec![1.0, 4.0, -2.0, 0.5]);
    let whole = run(&clients, 0.3, 8, FederationState::new(Params::zeros(3)));
    let half = run(&clients, 0.3, 3, FederationState::new(Params::zeros(3)));
    assert_eq!(run(&clients, 0.3, 5, half), whole);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let clients = Pull((0..9).map(|i| i as f32 * 0.3).collect());
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&clients, 0.2, 5, FederationState::new(Params::zeros(3))))
    };
    assert_eq!(with(1), with(2));
    assert_eq!(with(1), with(8));
}

/// The plain sum behind a door: it does not say that it hides nothing, so every update is handed over.
struct Closed(Box<dyn SumSession>);
impl SumSession for Closed {
    fn sum(
        &mut self,
        round: u32,
        updates: &[OutgoingUpdate],
        stopwatch: &dyn Stopwatch,
    ) -> Result<(IntSum, WireCost), SumError> {
        self.0.sum(round, updates, stopwatch)
    }
    fn plan(&self) -> &SlotPlan {
        self.0.plan()
    }
    fn leakage(&self) -> LeakageProfile {
        self.0.leakage()
    }
}

#[test]
fn updates_added_as_they_come_are_the_updates_handed_over() {
    let clients = Pull((0..9).map(|i| i as f32 * 0.7 - 2.0).collect());
    let start = || FederationState::new(Params::zeros(3));
    let closed =
        |spec: &VectorSpec| -> Box<dyn SumSession> { Box::new(Closed(Plain.session(spec).unwrap())) };
    let handed = run_over(closed, &clients, 0.2, 5, start());
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(&clients, 0.2, 5, start())), handed);
    }
}

#[test]
fn a_round_below_the_floor_is_not_opened() {
    let state = run(&Pull(vec![1.0, 4.0]), 1.0, 2, FederationState::new(Params::zeros(3)));
    assert!(state.history.iter().all(|record| !record.opened && record.wire.upload_bytes == 0));
    assert_eq!(state.params, Params::zeros(3));
}

#[test]
fn a_rule_that_needs_three_is_refused_at_a_floor_of_two() {
    let rule = AggregatorSpec::examples().pop().unwrap();
    let mechanism = MechanismSpec::NoNoise(equipoise_privacy::NoNoiseSpec {}).build().unwrap();
    let trainers = Pull(vec![1.0, 2.0]);
    let federation = Federation {
        trainers: &trainers,
        local: &FedAvg {},
        tamper: None,
        compression: &NoCompression {},
        schedule: ScheduleSpec::Synchronous {},
        cohorts: CohortSpec {
            participation: Fraction::new(1.0).unwrap(),
            dropout: Fraction::new(0.0).unwrap(),
            minimum: 2,
            faults: None,
        },
        quantizer: QUANTIZER,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(1.0).unwrap(),
        aggregation: Aggregation::Visible(rule.rule()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    assert!(matches!(federation.check(), Err(FederationError::CohortTooSmall { .. })));
}
