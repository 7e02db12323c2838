//! Local rules, faults and outcomes through whole rounds, on losses whose optimum is known.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use equipoise_core::{ClipNorm, Fraction, Params, Seed};
use equipoise_federated::laws::{Quadratics, check_local};
use equipoise_federated::{
    Aggregation, AggregatorSpec, Broadcast, CohortSpec, Ditto, Divisor, DynSecureSum, FaultSpec, FedAvg,
    FedProx, Federation, FederationError, FederationState, LocalLayers, LocalRule, LocalSpec, LocalTrainer,
    NoCompression, Outcome, Plain, RoundCtx, Scaffold, ScheduleSpec, ServerSgd, Stragglers, Tamper,
    TrainError, TrainStats, TrainerFactory, Untimed, VectorSpec,
};
use equipoise_privacy::{MechanismSpec, NoNoiseSpec, OutgoingUpdate, Quantizer, Rounding};
use std::ops::Range;

const QUANTIZER: Quantizer = Quantizer { clip_abs: 8.0, bits: 28 };

fn fraction(value: f64) -> Fraction {
    Fraction::new(value).unwrap()
}

fn everybody() -> CohortSpec {
    CohortSpec { participation: fraction(1.0), dropout: fraction(0.0), minimum: 1, faults: None }
}

fn faults() -> FaultSpec {
    FaultSpec {
        over_selection: 1.0,
        deadline: 1.0,
        speed_sigma: 0.0,
        round_sigma: 0.5,
        stragglers: Stragglers::Late,
        crash: fraction(0.0),
        away_rounds: 0,
        byzantine: fraction(0.0),
    }
}

fn try_run(
    trainers: &dyn TrainerFactory,
    local: &dyn LocalRule,
    cohorts: CohortSpec,
    tamper: Option<Tamper<'_>>,
    rounds: u32,
) -> Result<FederationState, FederationError> {
    let clients = trainers.clients();
    let spec =
        VectorSpec { len: 3 * local.sends(), quantizer: QUANTIZER, max_weight: 4, max_clients: clients };
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers,
        local,
        cohorts,
        tamper,
        compression: &NoCompression {},
        schedule: ScheduleSpec::Synchronous {},
        quantizer: QUANTIZER,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(100.0).unwrap(),
        aggregation: Aggregation::Hidden(Plain.session(&spec).unwrap()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    federation.check()?;
    (0..rounds).try_fold(FederationState::new(Params::zeros(3)), |state, _| federation.step(state))
}

fn run(trainers: &dyn TrainerFactory, local: &dyn LocalRule, rounds: u32) -> FederationState {
    try_run(trainers, local, everybody(), None, rounds).unwrap()
}

/// Two clients that disagree: a steep one that wants 0 and a flat one that wants 3. The optimum of the sum is 3 * 0.2 / 1.2.
fn skewed(steps: u32) -> Quadratics {
    Quadratics { clients: vec![(1.0, 0.0), (0.2, 3.0)], rate: 0.2, steps }
}
const OPTIMUM: f32 = 0.5;

#[test]
fn every_rule_obeys_the_laws() {
    for spec in LocalSpec::examples() {
        check_local(spec.rule()).unwrap();
    }
}

#[test]
fn a_rule_that_sends_without_learning_breaks_the_laws() {
    struct Pushy;
    impl LocalRule for Pushy {
        fn name(&self) -> &'static str {
            "pushy"
        }
        fn check(&self, _: &[Range<usize>]) -> Result<(), String> {
            Ok(())
        }
        fn train(
            &self,
            worker: &mut dyn LocalTrainer,
            sent: Broadcast<'_>,
            client: u32,
            ctx: &RoundCtx<'_>,
            _: &mut Vec<f32>,
            update: &mut [f32],
        ) -> Result<TrainStats, TrainError> {
            let stats = worker.train(sent.global, client, ctx, update);
            update[0] += 0.1;
            stats
        }
    }
    assert!(check_local(&Pushy).unwrap_err().contains("nothing to learn"));
}

#[test]
fn one_full_step_of_averaging_is_pooled_gradient_descent() {
    let clients = skewed(1);
    let state = run(&clients, &FedAvg {}, 7);
    let mut pooled = 0.0_f32;
    for _ in 0..7 {
        let gradient: f32 = clients.clients.iter().map(|(a, t)| a * (pooled - t)).sum::<f32>() / 2.0;
        pooled -= clients.rate * gradient;
    }
    assert!(
        state.params.0.iter().all(|weight| (weight - pooled).abs() < 1e-5),
        "{:?} {pooled}",
        state.params
    );
}

/// With ten local steps each client runs far towards its own optimum and the mean of where they end is not the optimum of the sum.
#[test]
fn averaging_drifts_and_scaffold_does_not() {
    let clients = skewed(10);
    let off = |rule: &dyn LocalRule| (run(&clients, rule, 300).params.0[0] - OPTIMUM).abs();
    assert!(off(&FedAvg {}) > 0.2, "{}", off(&FedAvg {}));
    assert!(off(&Scaffold {}) < 1e-3, "{}", off(&Scaffold {}));
}

#[test]
fn a_proximal_pull_lessens_the_drift() {
    let clients = skewed(10);
    let off = |mu| (run(&clients, &FedProx { mu }, 300).params.0[0] - OPTIMUM).abs();
    assert!(off(2.0) < 0.6 * off(0.0), "{} {}", off(2.0), off(0.0));
    assert!((off(0.0) - (run(&clients, &FedAvg {}, 300).params.0[0] - OPTIMUM).abs()).abs() < 1e-9);
}

#[test]
fn scaffold_s_control_is_the_mean_of_the_clients_own() {
    let state = run(&skewed(5), &Scaffold {}, 20);
    let mean = state.kept.values().map(|own| own[0]).sum::<f32>() / 2.0;
    assert!((state.beside.0[0] - mean).abs() < 1e-4, "{} {mean}", state.beside.0[0]);
}

#[test]
fn ditto_s_own_models_stand_between_alone_and_together() {
    let clients = skewed(10);
    let own = |lambda| {
        let rule = Ditto { lambda };
        let state = run(&clients, &rule, 300);
        rule.own_model(&state.params.0, &state.kept[&1], &[])[0]
    };
    let (alone, between, together) = (own(0.0), own(0.2), own(4.0));
    assert!((alone - 3.0).abs() < 1e-2, "{alone}");
    assert!(together < between && between < alone, "{together} {between} {alone}");
}

#[test]
fn layers_that_stay_at_home_never_move_the_global_model() {
    let rule = LocalLayers { layers: vec![0] };
    let clients = skewed(5);
    let state = run(&clients, &rule, 100);
    assert!(state.params.0[0].abs() < 1e-9, "layer 0 is the first weight");
    let own = |client: u32| rule.own_model(&state.params.0, &state.kept[&client], &clients.layers());
    assert!((own(0)[0]).abs() < 1e-3 && (own(1)[0] - 3.0).abs() < 1e-3, "{:?} {:?}", own(0), own(1));
    assert!(own(0)[1..] == own(1)[1..], "the other layers are shared");
}

#[test]
fn a_layer_that_is_not_there_is_refused() {
    let error = try_run(&skewed(1), &LocalLayers { layers: vec![2] }, everybody(), None, 1).unwrap_err();
    assert!(error.to_string().contains("there is no layer 2"), "{error}");
}

#[test]
fn a_client_without_rows_is_named_and_its_weight_does_not_count() {
    let mut clients = skewed(1);
    clients.clients.push((0.0, 0.0));
    let state = run(&clients, &FedAvg {}, 3);
    assert_eq!(state.history[0].outcomes, [(2, Outcome::NoRows)]);
    assert_eq!(state.params, run(&skewed(1), &FedAvg {}, 3).params);
}

/// Client 1 explodes: its update is not a number.
struct Broken;
impl LocalTrainer for Broken {
    fn train(
        &mut self,
        from: &[f32],
        client: u32,
        _: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        update.iter_mut().zip(from).for_each(|(update, from)| *update = 1.0 - from);
        if client == 1 {
            update[2] = f32::NAN;
        }
        Ok(TrainStats {
            rows: 1,
            steps: 1,
            outcome: Outcome::Trained,
            contribution: equipoise_federated::Contribution::Delta,
        })
    }
}
impl TrainerFactory for Broken {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(Self))
    }
    fn clients(&self) -> u32 {
        2
    }
    fn layers(&self) -> Vec<Range<usize>> {
        std::iter::once(0..3).collect()
    }
    fn size(&self, _: u32) -> u64 {
        1
    }
    fn weight(&self, _: u32) -> u32 {
        1
    }
}

#[test]
fn an_update_that_is_not_finite_is_left_out_and_said() {
    let state = run(&Broken, &FedAvg {}, 1);
    assert_eq!(state.history[0].outcomes, [(1, Outcome::NotFinite)]);
    assert!(state.params.0.iter().all(|weight| (weight - 1.0).abs() < 1e-6), "{:?}", state.params);
}

#[test]
fn a_round_that_falls_below_the_floor_after_training_is_not_opened() {
    let cohorts = CohortSpec { minimum: 2, ..everybody() };
    let state = try_run(&Broken, &FedAvg {}, cohorts, None, 1).unwrap();
    assert!(!state.history[0].opened);
    assert_eq!(state.params, Params::zeros(3));
}

#[test]
fn stragglers_bias_the_model_unless_they_send_partial_work() {
    let late = CohortSpec { faults: Some(faults()), ..everybody() };
    let partial = FaultSpec { stragglers: Stragglers::PartialWork, ..faults() };
    let partial = CohortSpec { faults: Some(partial), ..everybody() };
    let answered = |cohorts| {
        let state = try_run(&skewed(4), &FedAvg {}, cohorts, None, 50).unwrap();
        state.history.iter().map(|round| round.cohort.clients.len()).sum::<usize>()
    };
    assert_eq!(answered(partial), 100);
    assert!((20..80).contains(&answered(late)), "{}", answered(late));
}

#[test]
fn byzantine_clients_tamper_and_a_median_withstands_them() {
    let turned = |update: OutgoingUpdate, _: Seed| {
        let values = update.values().iter().map(|value| -3 * value).collect();
        update.tampered(values)
    };
    let trainers = Quadratics { clients: vec![(1.0, 1.0); 5], rate: 0.5, steps: 1 };
    let byzantine = FaultSpec { deadline: 1e9, byzantine: fraction(0.4), ..faults() };
    let cohorts = CohortSpec { minimum: 5, faults: Some(byzantine), ..everybody() };
    let summed = try_run(&trainers, &FedAvg {}, cohorts, Some(&turned), 4).unwrap();
    assert!(summed.params.0[0] < 0.0, "two of five drive the mean away: {:?}", summed.params);
    let median = AggregatorSpec::examples()
        .into_iter()
        .find(|spec| spec.rule().name() == "coordinate-median")
        .unwrap();
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers: &trainers,
        local: &FedAvg {},
        cohorts,
        tamper: Some(&turned),
        compression: &NoCompression {},
        schedule: ScheduleSpec::Synchronous {},
        quantizer: QUANTIZER,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(100.0).unwrap(),
        aggregation: Aggregation::Visible(median.rule()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    let start = FederationState::new(Params::zeros(3));
    let state = (0..10).try_fold(start, |state, _| federation.step(state)).unwrap();
    assert!((state.params.0[0] - 1.0).abs() < 1e-2, "{:?}", state.params);
}

#[test]
fn byzantine_clients_without_a_deed_are_refused() {
    let cohorts =
        CohortSpec { faults: Some(FaultSpec { byzantine: fraction(0.5), ..faults() }), ..everybody() };
    assert!(
        try_run(&skewed(1), &FedAvg {}, cohorts, None, 1).unwrap_err().to_string().starts_with("byzantine")
    );
}

#[test]
fn what_stays_on_a_platform_survives_a_restart() {
    let text = serde_json::to_string(&run(&skewed(3), &Scaffold {}, 4)).unwrap();
    let read: FederationState = serde_json::from_str(&text).unwrap();
    assert_eq!(read, run(&skewed(3), &Scaffold {}, 4));
    assert_eq!(read.kept.len(), 2);
}

fn buffered(
    trainers: &dyn TrainerFactory,
    local: &dyn LocalRule,
    state: FederationState,
    steps: u32,
) -> FederationState {
    let spec = VectorSpec { len: 3, quantizer: QUANTIZER, max_weight: 4, max_clients: trainers.clients() };
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers,
        local,
        cohorts: CohortSpec {
            faults: Some(FaultSpec { deadline: 1e9, speed_sigma: 0.7, ..faults() }),
            ..everybody()
        },
        tamper: None,
        compression: &NoCompression {},
        schedule: ScheduleSpec::Buffered { buffer: 2, concurrency: 4, power: 0.5 },
        quantizer: QUANTIZER,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(100.0).unwrap(),
        aggregation: Aggregation::Hidden(Plain.session(&spec).unwrap()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 0.5, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    federation.check().unwrap();
    (0..steps).try_fold(state, |state, _| federation.step(state)).unwrap()
}

#[test]
fn a_buffered_server_learns_from_stale_clients_and_goes_on_after_a_restart() {
    let clients = Quadratics { clients: vec![(1.0, 1.0); 6], rate: 0.3, steps: 2 };
    let start = || FederationState::new(Params::zeros(3));
    let whole = buffered(&clients, &FedAvg {}, start(), 60);
    assert!((whole.params.0[0] - 1.0).abs() < 1e-2, "{:?}", whole.params);
    assert!(whole.history.iter().any(|step| !step.staleness.is_empty()), "somebody must be stale");
    let half = serde_json::to_string(&buffered(&clients, &FedAvg {}, start(), 23)).unwrap();
    let resumed = buffered(&clients, &FedAvg {}, serde_json::from_str(&half).unwrap(), 37);
    assert_eq!(resumed, whole);
}
