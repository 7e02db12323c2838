//! Results that the literature reports, on its own kind of data, through our whole round: the binary form of the synthetic(alpha, beta)
//! clients of Li et al. ("`FedProx`", `MLSys` 2020, appendix C.1) with logistic regression. Each claim is a paired difference over seeds
//! with its interval, or it is not made.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Helpers of tests.

use equipoise_core::{ClipNorm, Draw, Fraction, Params, Seed};
use equipoise_eval::stats::paired_difference;
use equipoise_federated::{
    Aggregation, CohortSpec, Divisor, DynSecureSum, FaultSpec, FedAvg, FedProx, Federation, FederationState,
    LocalRule, NoCompression, Plain, Scaffold, ScheduleSpec, ServerSgd, Stragglers, Untimed, VectorSpec,
};
use equipoise_model::{Backward, Loss, ModelSpec, Optimiser, TrainConfig};
use equipoise_privacy::{MechanismSpec, NoNoiseSpec, Quantizer, Rounding};
use equipoise_runner::training::{ClientRows, LocalEpochs};

const COLUMNS: usize = 60;
const CLIENTS: u32 = 30;

/// Client `k`: a separating plane around its own `u_k ~ N(0, alpha)`, features around its own `v_k ~ N(B_k, 1)`, `B_k ~ N(0, beta)`,
/// with variances `j^-1.2`; sizes log-normal from 50 on.
fn synthetic(alpha: f64, beta: f64, seed: Seed) -> Vec<ClientRows> {
    (0..CLIENTS)
        .map(|client| {
            let mut rng = seed.derive("client", u64::from(client)).rng();
            let (u, b) = (alpha.sqrt() * rng.normal(), beta.sqrt() * rng.normal());
            let plane: Vec<f64> = (0..COLUMNS).map(|_| u + rng.normal()).collect();
            let offset = u + rng.normal();
            let centre: Vec<f64> = (0..COLUMNS).map(|_| b + rng.normal()).collect();
            let rows = 50 + rng.log_normal(40.0, 1.0).min(400.0) as usize;
            let mut own = ClientRows { columns: COLUMNS, ..ClientRows::default() };
            for _ in 0..rows {
                let x: Vec<f64> = centre
                    .iter()
                    .enumerate()
                    .map(|(j, centre)| centre + ((j + 1) as f64).powf(-0.6) * rng.normal())
                    .collect();
                let logit: f64 = x.iter().zip(&plane).map(|(x, w)| x * w).sum::<f64>() + offset;
                own.labels.push(f32::from(u8::from(logit > 0.0)));
                own.values.extend(x.iter().map(|&x| x as f32));
                own.weights.push(1.0);
            }
            own
        })
        .collect()
}

/// The loss over all rows after each round.
fn losses(
    clients: &[ClientRows],
    rule: &dyn LocalRule,
    cohorts: CohortSpec,
    rate: f64,
    rounds: u32,
    seed: Seed,
) -> Vec<f64> {
    let spec = ModelSpec::LogisticRegression {};
    let config = TrainConfig {
        trainer: Backward::Fused,
        epochs: 10,
        batch: 10,
        learning_rate: rate,
        weight_decay: 0.0,
        positive_weight: 1.0,
        loss: Loss::CrossEntropy {},
        optimiser: Optimiser::Sgd { momentum: 0.0 },
    };
    let trainers = LocalEpochs::new(&spec, config, clients, 1);
    let quantizer = Quantizer { clip_abs: 64.0, bits: 30 };
    let len = spec.parameters(COLUMNS);
    let sums = VectorSpec { len: len * rule.sends(), quantizer, max_weight: 1, max_clients: CLIENTS };
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers: &trainers,
        local: rule,
        schedule: ScheduleSpec::Synchronous {},
        cohorts,
        tamper: None,
        compression: &NoCompression {},
        quantizer,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(1e6).unwrap(),
        aggregation: Aggregation::Hidden(Plain.session(&sums).unwrap()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed,
        stopwatch: &Untimed,
    };
    let mut state = FederationState::new(Params::zeros(len));
    let mut curve = vec![];
    for _ in 0..rounds {
        state = federation.step(state).unwrap();
        curve.push(loss(clients, &state.params.0));
    }
    curve
}

/// The mean over clients of their mean cross-entropy: what an unweighted federation minimises.
fn loss(clients: &[ClientRows], weights: &[f32]) -> f64 {
    let of = |client: &ClientRows| {
        let rows = client.values.chunks_exact(COLUMNS).zip(&client.labels);
        let row = |(x, label): (&[f32], &f32)| {
            let logit = f64::from(x.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>() + weights[COLUMNS]);
            logit.max(0.0) - logit * f64::from(*label) + (-logit.abs()).exp().ln_1p()
        };
        rows.map(row).sum::<f64>() / client.labels.len() as f64
    };
    clients.iter().map(of).sum::<f64>() / clients.len() as f64
}

fn cohorts(participation: f64, stragglers: Option<Stragglers>) -> CohortSpec {
    let fraction = |value| Fraction::new(value).unwrap();
    let faults = stragglers.map(|stragglers| FaultSpec {
        over_selection: 1.0,
        deadline: 0.5,
        speed_sigma: 0.0,
        round_sigma: 0.6,
        stragglers,
        crash: fraction(0.0),
        away_rounds: 0,
        byzantine: fraction(0.0),
    });
    CohortSpec { participation: fraction(participation), dropout: fraction(0.0), minimum: 1, faults }
}

/// Mean absolute step of a curve: how unsteady it is.
fn unsteadiness(curve: &[f64]) -> f64 {
    curve.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / (curve.len() - 1) as f64
}

fn over_seeds(seeds: u64, of: impl Fn(Seed) -> (f64, f64)) -> (Vec<f64>, Vec<f64>) {
    (0..seeds).map(|seed| of(Seed::root(100 + seed))).unzip()
}

/// Nine in ten clients miss the deadline (a log-normal time with sigma 0.6 is below 0.5 with probability 0.12). `FedAvg` drops them;
/// `FedProx` takes their partial work and pulls them to the global model.
#[test]
fn under_stragglers_fedprox_is_steadier_than_fedavg() {
    let (avg, prox) = over_seeds(6, |seed| {
        let clients = synthetic(1.0, 1.0, seed);
        let curve = |rule: &dyn LocalRule, stragglers| {
            losses(&clients, rule, cohorts(0.34, Some(stragglers)), 0.05, 30, seed)
        };
        let avg = curve(&FedAvg {}, Stragglers::Late);
        let prox = curve(&FedProx { mu: 1.0 }, Stragglers::PartialWork);
        (unsteadiness(&avg), unsteadiness(&prox))
    });
    let paired = paired_difference(&avg, &prox, 0.95).unwrap();
    println!("unsteadiness, FedAvg {avg:.3?}, FedProx {prox:.3?}: {:?}", paired.difference);
    assert!(paired.difference.low > 0.0, "{:?}", paired.difference);
}

/// Rounds until the loss of everybody falls below a level that both reach, all clients taking part.
#[test]
fn under_skew_scaffold_needs_fewer_rounds_than_fedavg() {
    let (avg, scaffold) = over_seeds(6, |seed| {
        let clients = synthetic(1.0, 1.0, seed);
        let curve = |rule: &dyn LocalRule| losses(&clients, rule, cohorts(1.0, None), 0.02, 60, seed);
        let (avg, scaffold) = (curve(&FedAvg {}), curve(&Scaffold {}));
        let level = avg.last().unwrap().max(*scaffold.last().unwrap());
        let rounds = |curve: &[f64]| (1 + curve.iter().position(|loss| *loss <= level).unwrap()) as f64;
        (rounds(&avg), rounds(&scaffold))
    });
    let paired = paired_difference(&avg, &scaffold, 0.95).unwrap();
    println!("rounds, FedAvg {avg:?}, SCAFFOLD {scaffold:?}: {:?}", paired.difference);
    assert!(paired.difference.low > 0.0, "{:?}", paired.difference);
}
