//! Shares of every model that reads rows obey the laws of an explanation, beside differentiation by hand.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Helpers of tests.

mod common;

use common::{Data, sgd};
use equipoise_core::{Fraction, Seed};
use equipoise_model::boosted::{Boosted, BoostedSpec};
use equipoise_model::{ModelError, ModelSpec, Trainer, overlap};

const COLUMNS: usize = 6;

fn trained(spec: &ModelSpec) -> (Trainer, Vec<f32>, Data) {
    let data = Data::separable(400, COLUMNS, 3).for_model(spec);
    let mut trainer = Trainer::new(spec, COLUMNS).unwrap();
    let mut weights = spec.init(COLUMNS, Fraction::new(0.5).unwrap(), Seed::root(1)).0;
    trainer.train(&mut weights, &data.rows(), &sgd(4, 0.05), Seed::root(2)).unwrap();
    (trainer, weights, data)
}

fn logit(trainer: &mut Trainer, weights: &[f32], row: &[f32]) -> f64 {
    let score = f64::from(trainer.score(weights, COLUMNS, row).unwrap()[0]);
    (score / (1.0 - score)).ln()
}

#[test]
fn shares_sum_to_the_difference_of_logits_and_columns_that_agree_have_none() {
    for spec in ModelSpec::examples().iter().filter(|spec| !spec.reads_sequences()) {
        let (mut trainer, weights, data) = trained(spec);
        let reference = &data.values[..COLUMNS];
        for row in data.values.chunks_exact(COLUMNS).skip(1).take(20) {
            let mut row = row.to_vec();
            row[4] = reference[4];
            let shares = trainer.explain(&weights, &row, reference).unwrap();
            let want = logit(&mut trainer, &weights, &row) - logit(&mut trainer, &weights, reference);
            // A score is f32, so the logit of one near 0 or 1 is known to a few digits.
            let slack = 1e-3 + 2e-7 * logit(&mut trainer, &weights, &row).abs().max(1.0).exp();
            assert!(
                (shares.difference - want).abs() < slack,
                "{}: {} {want}",
                spec.describe(),
                shares.difference
            );
            // Rectified units have slopes that jump, so a sum over a line is not exact.
            assert!(shares.gap() < 0.02 * (1.0 + want.abs()), "{}: {}", spec.describe(), shares.gap());
            assert!(shares.shares[4] == 0.0);
            assert!(overlap(&shares, &shares, 3).is_none_or(|share| share > 0.99));
        }
    }
}

/// Labels come from the sum of the first two columns, and so do most of the shares.
#[test]
fn what_decides_has_the_largest_shares() {
    for spec in [ModelSpec::LogisticRegression {}, ModelSpec::Mlp { hidden: vec![16] }] {
        let (mut trainer, weights, data) = trained(&spec);
        let mut named = 0;
        for row in data.values.chunks_exact(COLUMNS).take(100) {
            let shares = trainer.explain(&weights, row, &[0.0; COLUMNS]).unwrap();
            named += usize::from(shares.largest(1)[0] < 2);
        }
        assert!(named > 80, "{named}");
    }
}

/// An untrained layer with weights 1, 2, 4, ...: shares are weight times way.
#[test]
fn a_linear_model_is_worked_by_hand() {
    let mut trainer = Trainer::new(&ModelSpec::LogisticRegression {}, 3).unwrap();
    let shares = trainer.explain(&[1.0, 2.0, 4.0, 9.0], &[1.0, 0.5, 0.0], &[0.0, 1.0, 0.0]).unwrap();
    assert_eq!(shares.shares, [1.0, -1.0, 0.0]);
}

#[test]
fn trees_are_explained_and_wrong_rows_refused() {
    let data = Data::separable(400, COLUMNS, 3);
    let model = Boosted::fit(&data.rows(), &BoostedSpec::examples()[0], Seed::root(1)).unwrap();
    let shares = model.explain(&data.values[..COLUMNS], &[0.0; COLUMNS]).unwrap();
    assert!(shares.gap() < 1e-9 && shares.largest(1)[0] < 2);
    assert!(matches!(model.explain(&[0.0], &[0.0]), Err(ModelError::Length { .. })));
    let (mut trainer, weights, _) = trained(&ModelSpec::LogisticRegression {});
    let broken = trainer.explain(&weights, &[f32::NAN; COLUMNS], &[0.0; COLUMNS]);
    assert!(matches!(broken, Err(ModelError::Value { .. })), "{broken:?}");
}
