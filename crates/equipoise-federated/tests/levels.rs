//! Two levels against one, on losses whose optimum is known; what is wrong with them; choosing coordinates and drawn rounding through whole
//! rounds.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use equipoise_core::{ClipNorm, Fraction, Params, Seed};
use equipoise_federated::laws::{Quadratics, check_levels};
use equipoise_federated::{
    Aggregation, AggregatorSpec, CohortSpec, Devices, DevicesSpec, Divisor, DynSecureSum, FedAvg, Federation,
    FederationState, LocalRule, LocalTrainer, NoCompression, Outcome, Plain, Scaffold, ScheduleSpec,
    ServerSgd, Sparsifier, TopK, TrainError, TrainerFactory, Untimed, VectorSpec,
};
use equipoise_privacy::{MechanismSpec, NoNoiseSpec, Quantizer, Rounding};
use std::ops::Range;

const QUANTIZER: Quantizer = Quantizer { clip_abs: 8.0, bits: 28 };

fn fraction(value: f64) -> Fraction {
    Fraction::new(value).unwrap()
}

fn spec(participation: f64) -> DevicesSpec {
    DevicesSpec {
        participation: fraction(participation),
        dropout: fraction(0.0),
        minimum: 1,
        rounds: 1,
        weight_levels: 1,
    }
}

/// Seven devices that disagree, two on one platform and five on the other.
fn devices() -> Quadratics {
    let clients = vec![(1.0, 4.0), (0.5, 3.0), (1.0, -1.0), (0.2, 2.0), (0.7, -2.0), (1.0, 0.5), (0.1, 1.0)];
    Quadratics { clients, rate: 0.2, steps: 3 }
}
const PLATFORMS: [Range<u32>; 2] = [0..2, 2..7];

fn two<'a>(trainers: &'a dyn TrainerFactory, spec: DevicesSpec, levels: u32) -> Devices<'a> {
    let how = (QUANTIZER, Rounding::Nearest {}, ClipNorm::new(100.0).unwrap());
    Devices::new(trainers, PLATFORMS.to_vec(), spec, levels, how)
}

struct Setting<'a> {
    rule: &'a dyn LocalRule,
    visible: Option<&'a dyn Sparsifier>,
    quantizer: Quantizer,
    rounding: Rounding,
}

const PLAIN: Setting<'_> =
    Setting { rule: &FedAvg {}, visible: None, quantizer: QUANTIZER, rounding: Rounding::Nearest {} };

fn run(
    trainers: &dyn TrainerFactory,
    setting: &Setting<'_>,
    rounds: u32,
    state: FederationState,
) -> FederationState {
    let (len, max_clients) = (3 * setting.rule.sends(), trainers.clients());
    let sums = VectorSpec { len, quantizer: setting.quantizer, max_weight: 8, max_clients };
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mean = AggregatorSpec::examples().remove(0);
    let mut federation = Federation {
        trainers,
        local: setting.rule,
        schedule: ScheduleSpec::Synchronous {},
        cohorts: CohortSpec {
            participation: fraction(1.0),
            dropout: fraction(0.0),
            minimum: 1,
            faults: None,
        },
        tamper: None,
        compression: &NoCompression {},
        quantizer: setting.quantizer,
        rounding: setting.rounding,
        update_clip: ClipNorm::new(100.0).unwrap(),
        aggregation: match setting.visible {
            Some(choice) => Aggregation::Chosen(mean.rule(), choice),
            None => Aggregation::Hidden(Plain.session(&sums).unwrap()),
        },
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    federation.check().unwrap();
    (0..rounds).try_fold(state, |state, _| federation.step(state)).unwrap()
}

fn start() -> FederationState {
    FederationState::new(Params::zeros(3))
}

#[test]
fn devices_inside_platforms_keep_the_law_of_one_level() {
    let devices = devices();
    check_levels(&two(&devices, spec(1.0), 5), &devices, &PLATFORMS, QUANTIZER.lsb()).unwrap();
}

/// The same through whole rounds: hidden sums of two platforms against one hidden sum of seven devices.
#[test]
fn two_levels_are_one_to_rounding_over_rounds() {
    let devices = devices();
    let (one, above) = (run(&devices, &PLAIN, 20, start()), two(&devices, spec(1.0), 5));
    let two = run(&above, &PLAIN, 20, start());
    for (one, two) in one.params.0.iter().zip(&two.params.0) {
        assert!((one - two).abs() < 1e-5, "{one} {two}");
    }
    let round = &two.history[0];
    assert_eq!(round.cohort.clients, [0, 1]);
    let inside: Vec<(u32, u32, u32)> =
        round.inside.iter().map(|i| (i.platform, i.answered, i.opened)).collect();
    assert_eq!(inside, [(0, 2, 1), (1, 5, 1)]);
    // Three integers of 28 bits are 11 bytes, and a header of 12.
    assert_eq!(round.inside[1].upload_bytes, 5 * 23);
}

/// Wrong: platforms count alike, whatever they hold.
#[test]
fn platforms_that_count_alike_are_rejected() {
    let devices = devices();
    let error =
        check_levels(&two(&devices, spec(1.0), 1), &devices, &PLATFORMS, QUANTIZER.lsb()).unwrap_err();
    assert!(error.contains("not weighted by their devices"), "{error}");
}

/// Wrong: a platform that asks half of its devices and says that it asked all.
#[test]
fn a_platform_that_forgets_devices_is_rejected() {
    let devices = devices();
    let error =
        check_levels(&two(&devices, spec(0.5), 5), &devices, &PLATFORMS, QUANTIZER.lsb()).unwrap_err();
    assert!(error.contains("does not send the mean of its devices"), "{error}");
}

#[test]
fn every_platform_draws_a_cohort_of_its_own_and_another_in_each_round() {
    let devices = Quadratics { clients: vec![(1.0, 1.0); 7], rate: 0.5, steps: 1 };
    let above = two(&devices, DevicesSpec { dropout: fraction(0.3), ..spec(0.6) }, 5);
    let mut asked = [0; 7];
    for round in 0..200 {
        let seed = Seed::root(8).derive("round", round);
        for platform in [0, 1] {
            let cohort = above.cohort(platform, 0, seed);
            let own = &PLATFORMS[platform as usize];
            let all = cohort.clients.iter().chain(&cohort.dropped);
            assert!(all.clone().all(|device| own.contains(device)), "{cohort:?} of {own:?}");
            assert_eq!(all.count(), if platform == 0 { 2 } else { 3 });
            cohort.clients.iter().for_each(|&device| asked[device as usize] += 1);
        }
    }
    assert!(asked.iter().all(|&times| times > 60), "{asked:?}");
}

#[test]
fn inner_rounds_bring_a_platform_nearer_to_its_own_devices() {
    let devices = devices();
    let far = |rounds| {
        let above = two(&devices, DevicesSpec { rounds, ..spec(1.0) }, 5);
        run(&above, &PLAIN, 1, start()).history[0].inside.iter().map(|i| i.answered).sum::<u32>()
    };
    assert_eq!((far(1), far(4)), (7, 28));
    let moved = |rounds| {
        let above = two(&devices, DevicesSpec { rounds, ..spec(1.0) }, 5);
        run(&above, &PLAIN, 1, start()).params.0[0].abs()
    };
    assert!(moved(4) > 1.5 * moved(1), "{} {}", moved(4), moved(1));
}

#[test]
fn a_platform_without_answers_sits_the_round_out() {
    let devices = devices();
    let above = two(&devices, DevicesSpec { minimum: 4, ..spec(1.0) }, 5);
    let state = run(&above, &PLAIN, 1, start());
    assert_eq!(state.history[0].outcomes, [(0, Outcome::NoRows)], "two devices are below four");
    let own = Quadratics { clients: devices.clients[2..].to_vec(), ..devices.clone() };
    let alone = run(&own, &PLAIN, 1, start());
    assert!((state.params.0[0] - alone.params.0[0]).abs() < 1e-5);
}

#[test]
fn devices_that_cannot_train_are_counted_and_left_out() {
    let mut devices = devices();
    devices.clients[3] = (0.0, 0.0);
    let above = two(&devices, spec(1.0), 5);
    let state = run(&above, &PLAIN, 1, start());
    assert_eq!(state.history[0].inside[1].outcomes, [(Outcome::NoRows, 1)]);
}

#[test]
fn a_platform_s_control_does_not_reach_its_devices() {
    let devices = devices();
    let above = two(&devices, spec(1.0), 5);
    let mut worker: Box<dyn LocalTrainer + '_> = above.worker().unwrap();
    let (layers, step) = (above.layers(), [0.1; 3]);
    let drift = equipoise_federated::Drift { each_step: Some(&step), ..Default::default() };
    let ctx =
        equipoise_federated::RoundCtx { round: 0, seed: Seed::root(1), drift, effort: 1.0, layers: &layers };
    let error: TrainError = worker.train(&[0.0; 3], 0, &ctx, &mut [0.0; 3]).unwrap_err();
    assert!(error.to_string().contains("control"), "{error}");
}

#[test]
fn the_number_of_threads_changes_nothing_on_two_levels() {
    let devices = Quadratics {
        clients: (0..7_u8).map(|i| (0.3 + 0.1 * f32::from(i), f32::from(i))).collect(),
        rate: 0.1,
        steps: 2,
    };
    let above = two(&devices, DevicesSpec { rounds: 2, ..spec(0.7) }, 5);
    let drawn = Setting { rounding: Rounding::Stochastic {}, ..PLAIN };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&above, &drawn, 5, start()))
    };
    assert_eq!(with(1), with(2));
    assert_eq!(with(1), with(8));
}

/// One of three coordinates a round reaches the optimum of the sum all the same, and the bytes are those of one pair.
#[test]
fn a_third_of_the_coordinates_learns_what_all_learn() {
    // With a constant step size the memory keeps the model in a ring around the optimum that shrinks with the step.
    let clients = Quadratics { clients: vec![(1.0, 0.0), (0.2, 3.0)], rate: 0.02, steps: 1 };
    let whole = run(&clients, &PLAIN, 1_500, start());
    let top = Setting { visible: Some(&TopK { share: 0.3 }), ..PLAIN };
    let chosen = run(&clients, &top, 1_500, start());
    for (whole, chosen) in whole.params.0.iter().zip(&chosen.params.0) {
        assert!((whole - chosen).abs() < 0.05, "{whole} {chosen}");
    }
    // One integer of 28 bits with two bits of index is 4 bytes, for each of two clients, with a header of 12.
    assert_eq!(chosen.history[1].wire.upload_bytes, 2 * 16);
    assert_eq!(chosen.residual.len(), 2);
}

/// What left over all rounds and what still waits is what was trained: the grid's rounding stays behind too. A coarse grid without
/// the memory of it would stand still.
#[test]
fn nothing_is_lost_between_the_grid_and_the_memory() {
    let clients = Quadratics { clients: vec![(1.0, 0.3)], rate: 0.05, steps: 1 };
    let coarse = Quantizer { clip_abs: 7.0, bits: 4 };
    let top = Setting { visible: Some(&TopK { share: 1.0 }), quantizer: coarse, ..PLAIN };
    let stands = |state: &FederationState| {
        let waits = state.residual.values().map(|left| left[0]).sum::<f32>();
        (state.params.0[0], waits)
    };
    let (mut state, mut trained) = (start(), 0.0_f32);
    for _ in 0..60 {
        trained += 0.05 * (0.3 - state.params.0[0]);
        state = run(&clients, &top, 1, state);
        let (model, waits) = stands(&state);
        assert!((model + waits - trained).abs() < 1e-4, "{model} {waits} {trained}");
    }
}

#[test]
fn what_waits_on_a_client_survives_a_restart() {
    let clients = devices();
    let top = Setting { visible: Some(&TopK { share: 0.3 }), ..PLAIN };
    let whole = run(&clients, &top, 9, start());
    let half = serde_json::to_string(&run(&clients, &top, 4, start())).unwrap();
    assert_eq!(run(&clients, &top, 5, serde_json::from_str(&half).unwrap()), whole);
    let mut forgotten: FederationState = serde_json::from_str(&half).unwrap();
    forgotten.residual.clear();
    assert_ne!(run(&clients, &top, 5, forgotten).params, whole.params, "the memory must matter");
}

/// On a grid whose step is larger than an update, the nearest step is no step at all; a drawn one learns.
#[test]
fn a_drawn_step_learns_where_the_nearest_stands_still() {
    let clients = Quadratics { clients: vec![(1.0, 2.0); 40], rate: 0.05, steps: 1 };
    let coarse = Quantizer { clip_abs: 7.0, bits: 4 };
    let with =
        |rounding| run(&clients, &Setting { rounding, quantizer: coarse, ..PLAIN }, 150, start()).params.0[0];
    assert!(with(Rounding::Nearest {}).abs() < 1e-6);
    assert!((with(Rounding::Stochastic {}) - 2.0).abs() < 0.3, "{}", with(Rounding::Stochastic {}));
}

#[test]
fn choosing_coordinates_beside_what_it_cannot_stand_is_refused() {
    let trainers = devices();
    let mean = AggregatorSpec::examples().remove(0);
    let top = TopK { share: 0.5 };
    let noise = MechanismSpec::examples().pop().unwrap().build().unwrap();
    let silent = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let refused = |rule: &dyn LocalRule, compression: &dyn equipoise_federated::Compression, noised: bool| {
        let federation = Federation {
            trainers: &trainers,
            local: rule,
            schedule: ScheduleSpec::Synchronous {},
            cohorts: CohortSpec {
                participation: fraction(1.0),
                dropout: fraction(0.0),
                minimum: 1,
                faults: None,
            },
            tamper: None,
            compression,
            quantizer: QUANTIZER,
            rounding: Rounding::Nearest {},
            update_clip: ClipNorm::new(1.0).unwrap(),
            aggregation: Aggregation::Chosen(mean.rule(), &top),
            mechanism: if noised { noise.as_ref() } else { silent.as_ref() },
            divisor: Divisor::Weights,
            server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
            seed: Seed::root(5),
            stopwatch: &Untimed,
        };
        federation.check().unwrap_err().to_string()
    };
    assert!(refused(&FedAvg {}, &NoCompression {}, true).contains("a guarantee needs a linear map"));
    assert!(refused(&Scaffold {}, &NoCompression {}, false).contains("control variates of `scaffold`"));
    assert!(refused(&FedAvg {}, &equipoise_federated::Rotation {}, false).contains("another map renames"));
}
