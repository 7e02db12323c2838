//! Clients trained in one stack are the clients trained one by one.
#![allow(clippy::unwrap_used)] // Helpers of tests.

mod common;

use common::{Data, distance, init, sgd};
use equipoise_core::Seed;
use equipoise_model::stacked::{Place, Stacked};
use equipoise_model::{Backward, Loss, ModelError, ModelSpec, Optimiser, TrainConfig, Trainer};

/// Clients of several sizes, one of a single class, one without rows, one whose rows weigh nothing.
fn clients() -> Vec<Data> {
    let mut clients: Vec<Data> = [90, 33, 64, 1, 0, 40, 20]
        .iter()
        .zip(1..)
        .map(|(&rows, seed)| Data::separable(rows, 8, seed))
        .collect();
    clients[5].labels.fill(1.0);
    clients[6].weights.fill(0.0);
    clients
}

fn seed(client: usize) -> Seed {
    Seed::root(4).derive("client", client as u64)
}

fn stacked(spec: &ModelSpec, clients: &[Data], config: &TrainConfig, place: Place) -> Vec<Vec<f32>> {
    let mut weights = vec![init(spec, 8, 1); clients.len()];
    let rows: Vec<_> = clients.iter().map(Data::rows).collect();
    let seeds: Vec<Seed> = (0..clients.len()).map(seed).collect();
    let worker = Stacked::new(spec, 8, place).unwrap();
    let ended = worker.train(&mut weights, &rows, config, &seeds).unwrap();
    assert!(ended.iter().all(Result::is_ok), "{ended:?}");
    weights
}

fn agrees(place: Place) {
    let adam = Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-6 };
    for spec in ModelSpec::examples_over_rows() {
        for optimiser in [Optimiser::Sgd { momentum: 0.9 }, adam.clone()] {
            let config = TrainConfig { positive_weight: 3.0, weight_decay: 0.01, optimiser, ..sgd(4, 0.05) };
            let clients = clients();
            let mut weights = vec![init(&spec, 8, 1); clients.len()];
            let rows: Vec<_> = clients.iter().map(Data::rows).collect();
            let seeds: Vec<Seed> = (0..clients.len()).map(seed).collect();
            let worker = Stacked::new(&spec, 8, place).unwrap();
            let ended = worker.train(&mut weights, &rows, &config, &seeds).unwrap();
            for (client, ((ours, data), ended)) in weights.iter().zip(&clients).zip(ended).enumerate() {
                let mut trainer = Trainer::with(&spec, 8, Backward::Burn).unwrap();
                let mut theirs = init(&spec, 8, 1);
                let want = trainer.train(&mut theirs, &data.rows(), &config, seed(client)).unwrap();
                let got = ended.unwrap();
                let (gap, way) = (distance(ours, &theirs), distance(&theirs, &init(&spec, 8, 1)));
                assert!(gap <= 1e-4 * way.max(0.1), "{spec:?} client {client}: {gap} of {way}");
                assert_eq!((got.steps, got.rows), (want.steps, want.rows), "client {client}");
                assert!((got.loss_first - want.loss_first).abs() < 1e-4, "{got:?} {want:?}");
                assert!((got.loss_last - want.loss_last).abs() < 1e-4, "{got:?} {want:?}");
            }
        }
    }
}

#[test]
fn a_stack_trains_every_client_as_it_would_train_alone() {
    agrees(Place::Processor);
}

/// Needs a GPU: `cargo test --release -p equipoise-model --features gpu --test stacked -- --ignored`.
#[cfg(feature = "gpu")]
#[test]
#[ignore = "needs a GPU that wgpu finds"]
fn a_stack_on_a_gpu_trains_every_client_as_it_would_train_alone() {
    agrees(Place::Gpu);
}

#[test]
fn who_else_is_in_the_stack_does_not_matter() {
    let (spec, config, clients) = (ModelSpec::Mlp { hidden: vec![16] }, sgd(2, 0.1), clients());
    let together = stacked(&spec, &clients, &config, Place::Processor);
    for split in [1, 3] {
        let apart = stacked(&spec, &clients[..split], &config, Place::Processor);
        assert_eq!(apart.len(), split);
        apart.iter().zip(&together).for_each(|(a, b)| assert!(distance(a, b) < 1e-6));
    }
}

#[test]
fn a_client_that_diverges_is_its_own_error() {
    let (spec, config, mut clients) = (ModelSpec::Mlp { hidden: vec![16] }, sgd(2, 0.1), clients());
    let calm = stacked(&spec, &clients, &config, Place::Processor);
    clients[1].values.iter_mut().for_each(|value| *value *= 1e19);
    let rows: Vec<_> = clients.iter().map(Data::rows).collect();
    let seeds: Vec<Seed> = (0..clients.len()).map(seed).collect();
    let mut weights = vec![init(&spec, 8, 1); clients.len()];
    let worker = Stacked::new(&spec, 8, Place::Processor).unwrap();
    let ended = worker.train(&mut weights, &rows, &config, &seeds).unwrap();
    assert!(matches!(ended[1], Err(ModelError::Diverged { step }) if step > 0), "{:?}", ended[1]);
    for (client, (ours, theirs)) in weights.iter().zip(&calm).enumerate().filter(|(client, _)| *client != 1) {
        assert!(ended[client].is_ok() && distance(ours, theirs) < 1e-6, "client {client}");
    }
}

#[test]
fn what_a_stack_does_not_do_is_refused() {
    let worker = Stacked::new(&ModelSpec::LogisticRegression {}, 8, Place::Processor).unwrap();
    let data = Data::separable(10, 8, 1);
    let train = |config: &TrainConfig, parameters: usize| {
        worker.train(&mut [vec![0.0; parameters]], &[data.rows()], config, &[seed(0)])
    };
    let focal = TrainConfig { loss: Loss::Focal { gamma: 2.0 }, ..sgd(1, 0.1) };
    assert!(train(&focal, 9).unwrap_err().to_string().contains("cross-entropy"));
    assert!(train(&sgd(1, 0.1), 8).is_err());
    assert!(Stacked::new(&ModelSpec::Mlp { hidden: vec![] }, 8, Place::Processor).is_err());
    assert!(Stacked::new(&ModelSpec::Gru { hidden: 4 }, 8, Place::Processor).is_err());
}
