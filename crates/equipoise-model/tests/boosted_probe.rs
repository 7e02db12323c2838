//! The probe finds what is there, finds nothing where nothing is, and says how sure it is.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Helpers of tests.

use equipoise_core::{Draw, Seed};
use equipoise_model::Rows;
use equipoise_model::boosted::{BoostedSpec, Probe, auc_probe};

fn spec() -> BoostedSpec {
    BoostedSpec { rounds: 10, learning_rate: 0.1, max_leaves: 8, ..BoostedSpec::examples().remove(0) }
}

/// `persons` persons with two rows each; a column of normals shifted by `shift` for positives, then noise.
fn rows(persons: usize, shift: f64, seed: Seed) -> (Vec<f32>, Vec<f32>, Vec<u64>) {
    let (mut values, mut labels, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for person in 0..persons as u64 {
        let mut rng = seed.derive("person", person).rng();
        let positive = rng.chance(0.4);
        for _ in 0..2 {
            let moved = if positive { shift } else { 0.0 };
            values.extend((0..5).map(|column| (rng.normal() + if column == 0 { moved } else { 0.0 }) as f32));
            labels.push(f32::from(u8::from(positive)));
            groups.push(person);
        }
    }
    (values, labels, groups)
}

fn probe(persons: usize, shift: f64, seed: Seed) -> Probe {
    let (values, labels, groups) = rows(persons, shift, seed);
    let rows = Rows { columns: 5, values: &values, labels: &labels, weights: &vec![1.0; labels.len()] };
    auc_probe(&rows, &groups, 5, &spec(), seed).unwrap()
}

/// One row's AUC for normals 1.5 apart is Phi(1.5 / sqrt 2) = 0.856.
#[test]
fn a_shift_is_found() {
    let found = probe(300, 1.5, Seed::root(1));
    assert!((found.auc - 0.856).abs() < 0.06, "{found:?}");
    assert!(found.standard_error < 0.04 && found.positives + found.negatives == 600, "{found:?}");
}

/// 200 probes of noise. The deviation of z is about 0.9 (see the module), so that its mean has a standard error of 0.064
/// and its deviation one of 0.045; the bounds lie four and more away. The naive standard error gives 1.2 to 1.3.
#[test]
fn at_chance_the_standard_error_is_honest() {
    let z: Vec<f64> = (0..200)
        .map(|trial| {
            let found = probe(100, 0.0, Seed::root(2).derive("trial", trial));
            (found.auc - 0.5) / found.standard_error
        })
        .collect();
    let mean = z.iter().sum::<f64>() / 200.0;
    let deviation = (z.iter().map(|z| (z - mean) * (z - mean)).sum::<f64>() / 199.0).sqrt();
    assert!(mean.abs() < 0.27 && (0.7..1.12).contains(&deviation), "mean {mean}, deviation {deviation}");
}

/// A column that names the person gives the label away if another row of the same person was trained on.
#[test]
fn no_model_is_asked_about_a_person_that_it_trained_on() {
    let (mut values, labels, persons) = rows(200, 0.0, Seed::root(3));
    values.chunks_mut(5).zip(&persons).for_each(|(row, &person)| row[0] = person as f32);
    let rows = Rows { columns: 5, values: &values, labels: &labels, weights: &vec![1.0; labels.len()] };
    let spec = BoostedSpec { rounds: 40, min_samples_leaf: 1, ..spec() };
    let grouped = auc_probe(&rows, &persons, 5, &spec, Seed::root(4)).unwrap();
    let rows_apart: Vec<u64> = (0..persons.len() as u64).collect();
    let leaky = auc_probe(&rows, &rows_apart, 5, &spec, Seed::root(4)).unwrap();
    assert!((grouped.auc - 0.5).abs() < 4.0 * grouped.standard_error, "{grouped:?}");
    assert!(leaky.auc > grouped.auc + 0.1, "{leaky:?} {grouped:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_other_folds() {
    let twice = [5, 5, 6].map(|seed| {
        let (values, labels, groups) = rows(80, 0.5, Seed::root(9));
        let rows = Rows { columns: 5, values: &values, labels: &labels, weights: &vec![1.0; labels.len()] };
        auc_probe(&rows, &groups, 4, &spec(), Seed::root(seed)).unwrap().auc.to_bits()
    });
    assert!(twice[0] == twice[1] && twice[1] != twice[2]);
}

#[test]
fn what_cannot_be_assessed_is_an_error() {
    let rows =
        Rows { columns: 1, values: &[0.0; 6], labels: &[0.0, 1.0, 0.0, 1.0, 0.0, 0.5], weights: &[1.0; 6] };
    let message = |rows: &Rows<'_>, folds| {
        auc_probe(rows, &[0, 1, 2, 3, 4, 5], folds, &spec(), Seed::root(1)).unwrap_err().to_string()
    };
    assert!(message(&rows, 2).starts_with("the label of row 5"));
    let rows = Rows { labels: &[0.0, 1.0, 0.0, 1.0, 0.0, 0.0], ..rows };
    assert!(message(&rows, 1).starts_with("folds must be at least 2"));
    assert!(message(&rows, 3).contains("fewer than two groups"));
}
