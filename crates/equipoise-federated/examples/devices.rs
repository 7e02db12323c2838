//! What a round of devices inside platforms costs as their number grows while a round asks as many as before: processor time a device that
//! trained, and peak memory. `cargo run --release -p equipoise-federated --example devices -- DEVICES ASKED PARAMETERS ROUNDS`
#![allow(clippy::print_stdout, clippy::unwrap_used)] // A measurement for people.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Counts of a measurement.

use equipoise_core::{ClipNorm, Fraction, Params, Seed};
use equipoise_federated::{
    Aggregation, CohortSpec, Contribution, Devices, DevicesSpec, Divisor, DynSecureSum, FedAvg, Federation,
    FederationState, LocalTrainer, NoCompression, Outcome, Plain, RoundCtx, ScheduleSpec, ServerSgd,
    TrainError, TrainStats, TrainerFactory, Untimed, VectorSpec,
};
use equipoise_privacy::{MechanismSpec, NoNoiseSpec, Quantizer, Rounding};
use std::ops::Range;

/// Devices that hold one number each and pull every weight towards it.
struct Pull {
    targets: Vec<f32>,
    parameters: usize,
}
struct Worker<'a>(&'a Pull);

impl LocalTrainer for Worker<'_> {
    fn train(
        &mut self,
        from: &[f32],
        client: u32,
        _: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let target = self.0.targets[client as usize];
        update.iter_mut().zip(from).for_each(|(update, from)| *update = 0.1 * (target - from));
        Ok(TrainStats { rows: 1, steps: 1, outcome: Outcome::Trained, contribution: Contribution::Delta })
    }
}

impl TrainerFactory for Pull {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(Worker(self)))
    }
    fn clients(&self) -> u32 {
        self.targets.len() as u32
    }
    fn layers(&self) -> Vec<Range<usize>> {
        std::iter::once(0..self.parameters).collect()
    }
    fn size(&self, _: u32) -> u64 {
        1
    }
    fn weight(&self, _: u32) -> u32 {
        1
    }
}

/// A number of `/proc`: peak memory in KiB.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor seconds of all threads.
fn processor() -> f64 {
    let of = |entry: std::fs::DirEntry| {
        std::fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default()
    };
    let nanos =
        |text: String| text.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.map(|entry| nanos(of(entry.unwrap()))).sum::<f64>() * 1e-9
}

fn main() {
    let argument = |at: usize, or: usize| std::env::args().nth(at).map_or(or, |text| text.parse().unwrap());
    let (devices, asked) = (argument(1, 100_000), argument(2, 500));
    let (parameters, rounds) = (argument(3, 16_641), argument(4, 10));
    let held = Pull { targets: (0..devices).map(|at| (at % 7) as f32).collect(), parameters };
    let quantizer = Quantizer { clip_abs: 4.0, bits: 18 };
    let (count, platforms) = (devices as u32, 4);
    let owners = (0..platforms).map(|p| p * count / platforms..(p + 1) * count / platforms).collect();
    let fraction = |value| Fraction::new(value).unwrap();
    let spec = DevicesSpec {
        participation: fraction(asked as f64 / devices as f64),
        dropout: fraction(0.0),
        minimum: 2,
        rounds: 1,
        weight_levels: 1,
    };
    let clip = ClipNorm::new(1e3).unwrap();
    let above = Devices::new(&held, owners, spec, 64, (quantizer, Rounding::Nearest {}, clip));
    let sums = VectorSpec { len: parameters, quantizer, max_weight: 64, max_clients: platforms };
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers: &above,
        local: &FedAvg {},
        schedule: ScheduleSpec::Synchronous {},
        cohorts: CohortSpec {
            participation: fraction(1.0),
            dropout: fraction(0.0),
            minimum: 2,
            faults: None,
        },
        tamper: None,
        compression: &NoCompression {},
        quantizer,
        rounding: Rounding::Nearest {},
        update_clip: clip,
        aggregation: Aggregation::Hidden(Plain.session(&sums).unwrap()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(1),
        stopwatch: &Untimed,
    };
    let (mut state, mut trained) = (FederationState::new(Params::zeros(parameters)), 0_u64);
    let before = processor();
    for _ in 0..rounds {
        state = federation.step(state).unwrap();
        trained +=
            state.history.last().unwrap().inside.iter().map(|inside| u64::from(inside.answered)).sum::<u64>();
    }
    let each = (processor() - before) / trained as f64 * 1e6;
    println!(
        "{devices} devices, {} a round, {parameters} parameters: {each:.1} us each, peak {} KiB",
        trained / rounds as u64,
        peak()
    );
}
