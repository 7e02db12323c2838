//! Noise that platforms add: it is in the opened sum and nowhere else, redone rounds redraw it, and what voids it is refused.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction, Params, Seed};
use equipoise_federated::{
    Aggregation, AggregatorSpec, CohortSpec, Contribution, Divisor, DynSecureSum, FaultSpec, FedAvg,
    Federation, FederationError, FederationState, LocalTrainer, NoCompression, Outcome, Plain, RoundCtx,
    ScheduleSpec, ServerSgd, Stragglers, TrainError, TrainStats, TrainerFactory, Untimed, VectorSpec,
};
use equipoise_privacy::{
    DistributedNoise, DistributedNoiseSpec, IntegerNoise, OutgoingUpdate, PrivacyUnit, Quantizer, Relation,
    Rounding, Sensitivity,
};
use std::num::NonZeroU32;

const LEN: usize = 50;
const GRID: Quantizer = Quantizer { clip_abs: 8.0, bits: 16 };

/// Four platforms that send a bounded sum; the bound is `.0`.
struct Sums(f64);

impl LocalTrainer for &Sums {
    fn train(
        &mut self,
        _: &[f32],
        client: u32,
        _: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        update.fill(0.25 * client as f32);
        let value = ClipNorm::new(self.0).unwrap();
        let bound = Sensitivity { unit: PrivacyUnit::Row, relation: Relation::ZeroOut, value };
        let contribution = Contribution::BoundedSum(bound);
        Ok(TrainStats { rows: 1, steps: 1, outcome: Outcome::Trained, contribution })
    }
}

impl TrainerFactory for Sums {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(self))
    }
    fn clients(&self) -> u32 {
        4
    }
    fn layers(&self) -> Vec<std::ops::Range<usize>> {
        std::iter::once(0..LEN).collect()
    }
    fn size(&self, _: u32) -> u64 {
        1
    }
    fn weight(&self, _: u32) -> u32 {
        1
    }
}

fn noise(kind: IntegerNoise, tolerated: u32) -> DistributedNoise {
    let spec = DistributedNoiseSpec {
        noise: kind,
        platforms: NonZeroU32::new(4).unwrap(),
        tolerated,
        dimension: NonZeroU32::new(LEN as u32).unwrap(),
        scale: 1.0 / GRID.lsb(),
        clip_norm: ClipNorm::new(1.0).unwrap(),
        rows_per_account: None,
        epsilon: Epsilon::new(4.0).unwrap(),
        delta: Delta::new(1e-5).unwrap(),
        sums: NonZeroU32::new(3).unwrap(),
    };
    spec.build().unwrap()
}

fn with<T>(
    trainers: &Sums,
    noise: &DistributedNoise,
    change: impl FnOnce(&mut Federation<'_>),
    then: impl FnOnce(&mut Federation<'_>) -> T,
) -> T {
    let room = noise.room(&GRID, 1e6).unwrap();
    let spec = VectorSpec { len: LEN, quantizer: room, max_weight: 1, max_clients: 4 };
    let mut federation = Federation {
        trainers,
        local: &FedAvg {},
        tamper: None,
        compression: &NoCompression {},
        schedule: ScheduleSpec::Synchronous {},
        cohorts: CohortSpec {
            participation: Fraction::new(1.0).unwrap(),
            dropout: Fraction::new(0.0).unwrap(),
            minimum: 4,
            faults: None,
        },
        quantizer: GRID,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(100.0).unwrap(),
        aggregation: Aggregation::Hidden(Plain.session(&spec).unwrap()),
        mechanism: noise,
        divisor: Divisor::Fixed(1.0),
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    change(&mut federation);
    then(&mut federation)
}

fn rounds(noise: &DistributedNoise, state: FederationState, rounds: u32) -> FederationState {
    let run = |federation: &mut Federation<'_>| {
        federation.check().unwrap();
        (0..rounds).fold(state, |state, _| federation.step(state).unwrap())
    };
    with(&Sums(1.0), noise, |_| {}, run)
}

#[test]
fn the_model_moves_by_the_sum_and_the_shares_and_by_nothing_else() {
    for kind in [IntegerNoise::DiscreteGaussian, IntegerNoise::Skellam] {
        let noise = noise(kind, 0);
        let moved = rounds(&noise, FederationState::new(Params::zeros(LEN)), 1).params;
        // 0 + 0.25 + 0.5 + 0.75 a coordinate, the rest are whole steps of the grid.
        let steps = moved.0.iter().map(|&value| (f64::from(value) - 1.5) / GRID.lsb());
        let steps: Vec<f64> = steps.collect();
        assert!(steps.iter().all(|step| (step - step.round()).abs() < 0.6), "{steps:?}");
        let deviation = (steps.iter().map(|step| step * step).sum::<f64>() / LEN as f64).sqrt();
        // Fifty draws: the standard error of a deviation is a tenth.
        let wanted = noise.sum().total_deviation();
        assert!((deviation / wanted - 1.0).abs() < 0.5, "{kind:?}: {deviation}, {wanted} is accounted");
        // A redone run draws the same, and so does one that stopped in between.
        let whole = rounds(&noise, FederationState::new(Params::zeros(LEN)), 3);
        let half = rounds(&noise, FederationState::new(Params::zeros(LEN)), 1);
        assert_eq!(rounds(&noise, half, 2), whole);
    }
}

#[test]
fn a_trainer_that_bounds_less_tightly_than_the_noise_was_sized_for_is_an_error() {
    let noise = noise(IntegerNoise::Skellam, 0);
    let step = |federation: &mut Federation<'_>| federation.step(FederationState::new(Params::zeros(LEN)));
    let error = with(&Sums(1.5), &noise, |_| {}, step).unwrap_err();
    assert!(matches!(error, FederationError::Noise { round: 0, .. }), "{error:?}");
}

/// What a byzantine client sends here: its honest update.
fn honest(update: OutgoingUpdate, _: Seed) -> OutgoingUpdate {
    update
}

#[test]
fn what_voids_the_noise_is_refused_with_the_reason() {
    let noise = noise(IntegerNoise::Skellam, 1);
    let why = |change: &dyn Fn(&mut Federation<'_>)| {
        with(&Sums(1.0), &noise, change, |federation| federation.check().unwrap_err().to_string())
    };
    assert!(why(&|f| f.cohorts.minimum = 3).contains("sums of at least 4 platforms, and rounds of 3"));
    let buffered = ScheduleSpec::Buffered { buffer: 4, concurrency: 1, power: 0.5 };
    assert!(why(&|f| f.schedule = buffered).contains("`synchronous`"));
    let faults = FaultSpec {
        over_selection: 1.0,
        deadline: 1e6,
        speed_sigma: 0.0,
        round_sigma: 0.0,
        stragglers: Stragglers::Late,
        crash: Fraction::new(0.0).unwrap(),
        away_rounds: 0,
        byzantine: Fraction::new(0.25).unwrap(),
    };
    let refused = why(&|f| {
        f.cohorts.faults = Some(faults);
        f.tamper = Some(&honest);
    });
    assert!(refused.contains("leave their share out"), "{refused}");
    let mean: &'static AggregatorSpec = Box::leak(Box::new(AggregatorSpec::examples().remove(0)));
    assert!(why(&|f| f.aggregation = Aggregation::Visible(mean.rule())).contains("reads every update"));
    assert!(with(&Sums(1.0), &noise, |_| {}, |federation| federation.check()).is_ok());
}
