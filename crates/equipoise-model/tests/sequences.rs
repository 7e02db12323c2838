//! Models over sequences: two ways to the same gradient, lengths that do not leak, and an order that can be learned.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Helpers of tests.

mod common;

use common::sequences::Told;
use common::{distance, init, length, sgd};
use equipoise_core::Seed;
use equipoise_model::{Backward, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};
use rayon::prelude::*;

const TRANSFORMER: ModelSpec = ModelSpec::Transformer { width: 8, heads: 2, feed_forward: 12, layers: 2 };

/// Every way of training that there is.
fn ways() -> Vec<(ModelSpec, Backward)> {
    let all = ModelSpec::examples_over_sequences().into_iter();
    all.flat_map(|spec| [(spec.clone(), Backward::Fused), (spec, Backward::Burn)])
        .filter(|(spec, backward)| spec.check_trainer(*backward).is_ok())
        .collect()
}

/// What one plain full-batch step of size 1 moves.
fn moved(spec: &ModelSpec, backward: Backward, told: &Told, before: &[f32]) -> Vec<f32> {
    let mut trainer = Trainer::with(spec, told.codebook.columns(), backward).unwrap();
    let config = TrainConfig { batch: 512, optimiser: Optimiser::Sgd { momentum: 0.0 }, ..sgd(1, 1.0) };
    let mut after = before.to_vec();
    trainer.train(&mut after, &told.sequences(), &config, Seed::root(1)).unwrap();
    before.iter().zip(&after).map(|(before, after)| before - after).collect()
}

fn reference(spec: &ModelSpec, told: &Told, weights: &[f32]) -> Vec<f32> {
    let mut trainer = Trainer::with(spec, told.codebook.columns(), Backward::Burn).unwrap();
    trainer.gradient(weights, &told.sequences()).unwrap()
}

#[test]
fn a_training_step_follows_the_reference_gradient() {
    for (spec, backward) in ways() {
        for (columns, rows, longest) in [(1, 3, 2), (6, 50, 17), (16, 64, 40)] {
            let told = Told::random(rows, columns, longest, 6);
            let before = init(&spec, columns, 1);
            let gradient = reference(&spec, &told, &before);
            let error = distance(&moved(&spec, backward, &told, &before), &gradient) / length(&gradient);
            assert!(error < 1e-5, "{} {backward:?} {columns}: {error}", spec.describe());
        }
    }
}

/// Central differences of the mean loss, one parameter after another.
#[test]
fn every_coordinate_of_the_gradient_is_a_finite_difference() {
    for spec in [ModelSpec::Gru { hidden: 3 }, TRANSFORMER] {
        let mut told = Told::random(30, 4, 7, 6);
        told.weights.fill(1.0);
        let mut trainer = Trainer::with(&spec, 4, Backward::Burn).unwrap();
        let mut weights = init(&spec, 4, 1);
        let gradient = trainer.gradient(&weights, &told.sequences()).unwrap();
        let mut loss_at = |weights: &[f32]| {
            let losses = trainer.row_losses(weights, &told.sequences()).unwrap();
            losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / 30.0
        };
        for at in 0..weights.len() {
            let kept = weights[at];
            weights[at] = kept + 0.002;
            let above = loss_at(&weights);
            weights[at] = kept - 0.002;
            let difference = (above - loss_at(&weights)) / 0.004;
            weights[at] = kept;
            let error = (difference - f64::from(gradient[at])).abs();
            assert!(error < 1e-3, "{} {at}: {difference}, {}", spec.describe(), gradient[at]);
        }
    }
}

/// A neighbour of weight zero that is far longer makes everybody else's rectangle longer and must change nothing.
#[test]
fn padding_changes_no_gradient() {
    for (spec, backward) in ways() {
        let mut told = Told::random(20, 5, 9, 3);
        let before = init(&spec, 5, 2);
        let alone = moved(&spec, backward, &told, &before);
        told.codes.extend((0..100).map(|at| at % 40));
        told.ends.push(told.codes.len() as u32);
        told.labels.push(1.0);
        told.weights.push(0.0);
        let beside = moved(&spec, backward, &told, &before);
        let error = distance(&alone, &beside) / length(&alone);
        assert!(error < 2e-6, "{} {backward:?}: {error}", spec.describe());
    }
}

#[test]
fn whole_trainings_of_the_two_paths_agree() {
    for spec in [ModelSpec::Gru { hidden: 16 }, ModelSpec::Gru { hidden: 5 }] {
        let told = Told::random(120, 6, 20, 12);
        let before = init(&spec, 6, 1);
        let run = |backward| {
            let (mut trainer, mut weights) = (Trainer::with(&spec, 6, backward).unwrap(), before.clone());
            trainer.train(&mut weights, &told.sequences(), &sgd(15, 0.05), Seed::root(4)).unwrap();
            weights
        };
        let (fused, burn) = (run(Backward::Fused), run(Backward::Burn));
        let apart = distance(&fused, &burn) / distance(&fused, &before);
        assert!(apart < 1e-3, "{spec:?}: {apart}");
    }
}

fn auc(scores: &[f32], labels: &[f32]) -> f64 {
    let (mut right, mut pairs) = (0.0, 0.0);
    for (a, _) in scores.iter().zip(labels).filter(|(_, label)| **label > 0.5) {
        for (b, _) in scores.iter().zip(labels).filter(|(_, label)| **label < 0.5) {
            right += f64::from(u8::from(a > b));
            pairs += 1.0;
        }
    }
    right / pairs
}

/// Which of two marks came first, among other events: nothing but order tells the classes apart.
#[test]
fn order_alone_can_be_learned() {
    let transformer = ModelSpec::Transformer { width: 16, heads: 2, feed_forward: 24, layers: 1 };
    for (spec, backward) in [(ModelSpec::Gru { hidden: 16 }, Backward::Fused), (transformer, Backward::Burn)]
    {
        let (train, test) = (Told::order_only(400, 1), Told::order_only(300, 2));
        let adam = Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let (mut trainer, mut weights) = (Trainer::with(&spec, 6, backward).unwrap(), init(&spec, 6, 1));
        let config = TrainConfig { optimiser: adam, ..sgd(25, 0.01) };
        trainer.train(&mut weights, &train.sequences(), &config, Seed::root(2)).unwrap();
        let auc = auc(&trainer.score_sequences(&weights, &test.steps()).unwrap(), &test.labels);
        assert!(auc > 0.95, "{}: {auc}", spec.describe());
    }
}

/// Without steps there is nothing but the last bias, which starts at the prior.
#[test]
fn an_account_without_events_scores_the_prior() {
    for (spec, backward) in ways() {
        let mut trainer = Trainer::with(&spec, 6, backward).unwrap();
        let told = Told::random(2, 6, 5, 1);
        let weights = init(&spec, 6, 1);
        let scores = trainer.score_sequences(&weights, &told.steps()).unwrap();
        assert!((scores[0] - 0.5).abs() < 1e-6, "{}: {scores:?}", spec.describe());
        assert!((scores[1] - 0.5).abs() > 1e-4, "{}: {scores:?}", spec.describe());
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes_and_a_worker_carries_nothing() {
    let spec = ModelSpec::Gru { hidden: 12 };
    let trained = |trainer: &mut Trainer, client: u64| -> Vec<u8> {
        let told = Told::random(40 + 3 * client as usize, 6, 15, client);
        let mut weights = init(&spec, 6, 1);
        let seed = Seed::root(2).derive("client", client);
        trainer.train(&mut weights, &told.sequences(), &sgd(2, 0.1), seed).unwrap();
        let scores = trainer.score_sequences(&weights, &told.steps()).unwrap();
        weights.iter().chain(&scores).flat_map(|value| value.to_le_bytes()).collect()
    };
    let run = |threads: usize| -> Vec<Vec<u8>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let fresh = || Trainer::new(&spec, 6).unwrap();
        pool.install(|| (0..16_u64).into_par_iter().map_init(fresh, trained).collect())
    };
    let alone: Vec<Vec<u8>> =
        (0..16).map(|client| trained(&mut Trainer::new(&spec, 6).unwrap(), client)).collect();
    assert_eq!(run(1), alone);
    assert_eq!(run(8), alone);
}

#[test]
fn what_does_not_fit_is_refused_with_its_mend() {
    let message = |result: Result<_, equipoise_model::ModelError>| {
        result.map(|_: equipoise_model::TrainStats| ()).unwrap_err().to_string()
    };
    let why = Trainer::new(&TRANSFORMER, 4).unwrap_err().to_string();
    assert!(why.contains("trainer = \"burn\""), "{why}");
    let told = Told::random(4, 4, 3, 1);
    let rows = Rows { columns: 4, values: &[0.0; 4], labels: &[0.0], weights: &[1.0] };
    let (gru, mlp) = (ModelSpec::Gru { hidden: 3 }, ModelSpec::Mlp { hidden: vec![3] });
    let (mut over_steps, mut over_rows) = (Trainer::new(&gru, 4).unwrap(), Trainer::new(&mlp, 4).unwrap());
    let (mut steps, mut flat) = (init(&gru, 4, 1), init(&mlp, 4, 1));
    let config = sgd(1, 0.1);
    assert!(message(over_steps.train(&mut steps, &rows, &config, Seed::root(1))).contains("reads sequences"));
    assert!(
        message(over_rows.train(&mut flat, &told.sequences(), &config, Seed::root(1))).contains("reads rows")
    );
    assert!(over_steps.score(&steps, 4, &[0.0; 4]).unwrap_err().to_string().contains("reads sequences"));
    assert!(over_rows.score_sequences(&flat, &told.steps()).is_err());
    let wide = Told::random(4, 5, 3, 1);
    assert!(
        message(over_steps.train(&mut steps, &wide.sequences(), &config, Seed::root(1))).contains("a step")
    );
    steps[0] = f32::NAN;
    assert!(
        over_steps.score_sequences(&steps, &told.steps()).unwrap_err().to_string().contains("not finite")
    );
}

#[test]
fn divergence_is_an_error_with_its_step() {
    let (spec, told) = (ModelSpec::Gru { hidden: 4 }, Told::random(64, 5, 8, 6));
    let (mut trainer, mut weights) = (Trainer::new(&spec, 5).unwrap(), init(&spec, 5, 1));
    let error = trainer.train(&mut weights, &told.sequences(), &sgd(80, 3e38), Seed::root(1)).unwrap_err();
    assert!(error.to_string().contains("diverged"), "{error}");
}

#[test]
fn clients_without_rows_or_without_events_are_no_error() {
    for (spec, backward) in ways() {
        let mut trainer = Trainer::with(&spec, 3, backward).unwrap();
        let mut weights = init(&spec, 3, 1);
        let told = Told::random(6, 3, 0, 1);
        let none = told.select(&[]);
        let stats = trainer.train(&mut weights, &none.sequences(), &sgd(2, 0.1), Seed::root(1)).unwrap();
        assert_eq!((stats.steps, &weights), (0, &init(&spec, 3, 1)));
        assert!(trainer.score_sequences(&weights, &none.steps()).unwrap().is_empty());
        trainer.train(&mut weights, &told.sequences(), &sgd(2, 0.1), Seed::root(1)).unwrap();
        let changed: Vec<usize> = (0..weights.len())
            .filter(|&at| weights[at].to_bits() != init(&spec, 3, 1)[at].to_bits())
            .collect();
        assert_eq!(
            changed,
            [weights.len() - 1],
            "only the last bias can learn from nothing: {}",
            spec.describe()
        );
    }
}
