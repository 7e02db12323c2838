//! Boosted trees keep their promises: laws, determinism, weights, missing values, storage, sums over platforms.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Helpers of tests.

mod common;

use common::Data;
use equipoise_core::{Draw, Fraction, Seed};
use equipoise_model::Rows;
use equipoise_model::boosted::{
    Binner, Binning, Boosted, BoostedSpec, Gradients, Histogram, Scale, best_split,
};
use equipoise_model::laws::check_scorer;

fn spec() -> BoostedSpec {
    BoostedSpec::examples().remove(0)
}

fn drawn() -> BoostedSpec {
    BoostedSpec::examples().remove(1)
}

fn fit(rows: &Rows<'_>, spec: &BoostedSpec) -> Boosted {
    Boosted::fit(rows, spec, Seed::root(4)).unwrap()
}

fn scores(data: &Data, spec: &BoostedSpec) -> Vec<f32> {
    fit(&data.rows(), spec).score(data.columns, &data.values).unwrap()
}

/// Weighted mean cross-entropy.
fn loss(data: &Data, scores: &[f32]) -> f64 {
    let each = data.labels.iter().zip(scores).map(|(&label, &score)| {
        let p = f64::from(if label > 0.5 { score } else { 1.0 - score });
        -p.max(1e-12).ln()
    });
    let weights = data.weights.iter().map(|&weight| f64::from(weight));
    each.zip(weights.clone()).map(|(loss, weight)| loss * weight).sum::<f64>() / weights.sum::<f64>()
}

/// Labels by chance, so that there is noise to fit and no round can reach zero loss.
fn noisy(rows: usize, columns: usize) -> Data {
    let mut data = Data::separable(rows, columns, 5);
    let mut rng = Seed::root(6).rng();
    data.labels.iter_mut().for_each(|label| {
        if rng.chance(0.2) {
            *label = 1.0 - *label;
        }
    });
    data
}

#[test]
fn every_example_obeys_the_laws_of_a_scorer() {
    let data = Data::separable(500, 6, 1);
    for spec in BoostedSpec::examples() {
        assert_eq!(check_scorer(&mut fit(&data.rows(), &spec), Seed::root(2)), Ok(()));
    }
}

#[test]
fn the_training_loss_falls_with_every_round() {
    let data = noisy(800, 5);
    let after = |rounds| loss(&data, &scores(&data, &BoostedSpec { rounds, ..spec() }));
    let losses: Vec<f64> = (1..=25).map(after).collect();
    assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
    assert!(losses[0] < std::f64::consts::LN_2 && losses[24] < 0.75 * losses[0], "{losses:?}");
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let data = noisy(4000, 30);
    for spec in [spec(), drawn()] {
        let bytes = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| serde_json::to_string(&fit(&data.rows(), &spec)).unwrap())
        };
        let one = bytes(1);
        assert!(one.len() > 5000 && bytes(2) == one && bytes(8) == one);
    }
}

#[test]
fn the_seed_matters_only_where_something_is_drawn() {
    let data = noisy(600, 6);
    let bytes = |spec: &BoostedSpec, seed| {
        serde_json::to_string(&Boosted::fit(&data.rows(), spec, Seed::root(seed)).unwrap()).unwrap()
    };
    assert_eq!(bytes(&spec(), 1), bytes(&spec(), 2));
    assert_ne!(bytes(&drawn(), 1), bytes(&drawn(), 2));
}

/// No single column tells anything; fresh points between the training rows are told apart by both together.
#[test]
fn exclusive_or_is_learnt() {
    let mut rng = Seed::root(3).rng();
    let values: Vec<f32> = (0..2000).map(|_| rng.normal() as f32).collect();
    let labels: Vec<f32> =
        values.chunks(2).map(|row| f32::from(u8::from((row[0] > 0.0) != (row[1] > 0.0)))).collect();
    let rows = Rows { columns: 2, values: &values, labels: &labels, weights: &vec![1.0; 1000] };
    let model = fit(&rows, &BoostedSpec { rounds: 50, ..spec() });
    let corners = model.score(2, &[1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0, 1.0]).unwrap();
    assert!(corners[..2].iter().all(|&score| score < 0.1), "{corners:?}");
    assert!(corners[2..].iter().all(|&score| score > 0.9), "{corners:?}");
}

/// The least number of rows, which counts copies, is out of play. Rounding to integer units differs between the two by 2^-28 a
/// row.
#[test]
fn a_weight_of_three_is_a_row_three_times() {
    let mut data = noisy(300, 4);
    data.weights = (0..300).map(|row| [1.0, 3.0][usize::from(row % 4 == 0)]).collect();
    let rows: Vec<usize> = (0..300).flat_map(|row| vec![row; data.weights[row] as usize]).collect();
    let mut copies = data.select(&rows);
    copies.weights.fill(1.0);
    let spec = BoostedSpec { min_samples_leaf: 1, min_hessian: 1.0, ..spec() };
    let weighted = fit(&data.rows(), &spec).score(4, &data.values).unwrap();
    let copied = fit(&copies.rows(), &spec).score(4, &data.values).unwrap();
    let gap = weighted.iter().zip(&copied).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(gap < 1e-5, "{gap}");
    let plain = Data { weights: vec![1.0; 300], ..data };
    let plain = fit(&plain.rows(), &spec).score(4, &plain.values).unwrap();
    assert!(weighted.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 0.05), "the weights do nothing");
}

#[test]
fn rows_without_weight_are_left_out() {
    let mut data = noisy(400, 4);
    let kept: Vec<usize> = (0..400).filter(|row| row % 3 > 0).collect();
    let alone = fit(&data.select(&kept).rows(), &spec());
    (0..400).filter(|row| row % 3 == 0).for_each(|row| {
        data.weights[row] = 0.0;
        data.labels[row] = 1.0;
    });
    assert_eq!(fit(&data.rows(), &spec()), alone);
}

/// The label shows only in whether the column is missing, then only in its value: both directions are learnt, and a column
/// without missing values sends a later one to the larger side.
#[test]
fn missing_values_are_told_apart() {
    let values: Vec<f32> = (0..200_u8).map(|at| if at % 2 == 0 { f32::NAN } else { f32::from(at) }).collect();
    let labels: Vec<f32> = values.iter().map(|value| f32::from(u8::from(value.is_nan()))).collect();
    let rows = Rows { columns: 1, values: &values, labels: &labels, weights: &[1.0; 200] };
    let scores = fit(&rows, &spec()).score(1, &[f32::NAN, 7.0, -1e9, 1e9]).unwrap();
    assert!(scores[0] > 0.9 && scores[1..].iter().all(|&score| score < 0.1), "{scores:?}");

    let values: Vec<f32> = (0..200_u8).map(f32::from).collect();
    let labels: Vec<f32> = values.iter().map(|&value| f32::from(u8::from(value < 150.0))).collect();
    let rows = Rows { columns: 1, values: &values, labels: &labels, weights: &[1.0; 200] };
    assert!(fit(&rows, &spec()).score(1, &[f32::NAN]).unwrap()[0] > 0.9);
}

#[test]
fn a_stored_model_is_the_same_model() {
    let data = noisy(300, 4);
    let model = fit(&data.rows(), &spec());
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<Boosted>(&text).unwrap(), model);
    let damaged = text.replacen("\"base\":", "\"bias\":", 1);
    assert!(serde_json::from_str::<Boosted>(&damaged).is_err());
    assert_eq!(format!("{model:?}"), "Boosted { columns: 4, trees: 20, .. }");
}

/// Three platforms sum over their own rows; the server that adds the sums finds the split of all rows together.
#[test]
fn platforms_add_up_to_the_rows_together() {
    let data = noisy(900, 10);
    let binning = Binning::Quantile { bins: 40 };
    let binner = Binner::fit(&data.rows(), binning).unwrap();
    let scale = Scale::for_weights_up_to(1.5).unwrap();
    let sum = |range: std::ops::Range<usize>| {
        let part = data.select(&range.collect::<Vec<_>>());
        let binned = binner.encode(&part.values).unwrap();
        let gradients = Gradients::at(&vec![0.3; binned.len()], &part.rows(), scale);
        let mut histogram = Histogram::zeros(&binner);
        histogram.accumulate(&binner, &binned, &gradients, &(0..binned.len() as u32).collect::<Vec<_>>());
        histogram
    };
    let together = sum(0..900);
    let mut added = sum(0..200);
    added.add(&sum(200..650));
    let rest = sum(650..900);
    added.add(&rest);
    assert_eq!(added, together);
    assert_eq!(Histogram::from_words(&binner, added.words().to_vec()).unwrap(), together);
    let columns: Vec<u16> = (0..10).collect();
    let best = |histogram: &Histogram| best_split(histogram, &binner, scale, &spec(), &columns);
    assert!(best(&together).is_some() && best(&added) == best(&together));
    added.subtract(&rest);
    assert_eq!(added, sum(0..650));
    assert!(Histogram::from_words(&binner, vec![0; 3]).is_err());
}

#[test]
fn what_does_not_fit_is_named() {
    let message = |rows: &Rows<'_>, spec: &BoostedSpec| {
        Boosted::fit(rows, spec, Seed::root(1)).unwrap_err().to_string()
    };
    let rows = Rows { columns: 2, values: &[0.0; 4], labels: &[0.0, 1.0], weights: &[1.0; 2] };
    assert_eq!(
        message(&Rows { values: &[0.0; 3], ..rows }, &spec()),
        "the features must hold 4 numbers, got 3"
    );
    assert!(message(&Rows { labels: &[0.0, 2.0], ..rows }, &spec()).starts_with("the label of row 1"));
    assert!(message(&Rows { weights: &[0.0; 2], ..rows }, &spec()).starts_with("the largest row weight"));
    let column_share = Fraction::new(0.0).unwrap();
    assert!(message(&rows, &BoostedSpec { column_share, ..spec() }).starts_with("column-share"));
    let model = fit(&rows, &spec());
    assert!(model.score(3, &[0.0; 3]).is_err() && model.score(2, &[0.0; 3]).is_err());
    assert!(model.score(2, &[0.0, f32::INFINITY]).is_err());
}

fn equal_widths() -> BoostedSpec {
    BoostedSpec { binning: Binning::UniformWidth { bins: 40 }, rounds: 12, max_leaves: 15, ..spec() }
}

/// Adds what platforms send, in the clear.
fn add(sent: Vec<Vec<i64>>) -> Result<Vec<i64>, equipoise_model::ModelError> {
    let mut sum = vec![0_i64; sent[0].len()];
    sent.iter().for_each(|words| sum.iter_mut().zip(words).for_each(|(sum, word)| *sum += word));
    Ok(sum)
}

#[test]
fn trees_over_platforms_are_the_trees_over_all_rows_bit_for_bit() {
    let mut data = noisy(1_200, 9);
    // Missing values in two columns, in one platform only.
    for row in 0..200 {
        data.values[row * 9 + 3] = f32::NAN;
        data.values[row * 9 + 7 * usize::from(row % 3 == 0)] = f32::NAN;
    }
    let half = Fraction::new(0.5).unwrap();
    for spec in [equal_widths(), BoostedSpec { column_share: half, max_depth: 3, ..equal_widths() }] {
        let parts = [0..200, 200..201, 201..1_200].map(|range| data.select(&range.collect::<Vec<_>>()));
        let rows: Vec<Rows<'_>> = parts.iter().map(Data::rows).collect();
        let (together, sent) = Boosted::fit_parts(&rows, &spec, Seed::root(4), &mut add).unwrap();
        let pooled = fit(&data.rows(), &spec);
        assert_eq!(serde_json::to_string(&together).unwrap(), serde_json::to_string(&pooled).unwrap());
        assert!(sent.sums > 12 && sent.words > sent.sums, "{sent:?}");
    }
}

#[test]
fn trees_over_platforms_refuse_what_would_need_rows() {
    let data = noisy(50, 3);
    let refused =
        |spec: BoostedSpec| Boosted::fit_parts(&[data.rows()], &spec, Seed::root(1), &mut add).unwrap_err();
    assert!(
        refused(BoostedSpec { row_share: Fraction::new(0.5).unwrap(), ..equal_widths() })
            .to_string()
            .contains("row-share")
    );
    assert!(
        refused(BoostedSpec { binning: Binning::Quantile { bins: 9 }, ..equal_widths() })
            .to_string()
            .contains("uniform-width")
    );
    assert!(
        Boosted::fit_parts(&[], &equal_widths(), Seed::root(1), &mut add).is_err(),
        "no platform has a row"
    );
}

#[test]
fn a_sum_that_loses_a_platform_gives_another_forest() {
    let data = noisy(400, 4);
    let parts = [0..100, 100..400].map(|range| data.select(&range.collect::<Vec<_>>()));
    let rows: Vec<Rows<'_>> = parts.iter().map(Data::rows).collect();
    let lossy = &mut |sent: Vec<Vec<i64>>| add(sent[1..].to_vec());
    let (lost, _) = Boosted::fit_parts(&rows, &equal_widths(), Seed::root(4), lossy).unwrap();
    assert_ne!(lost, fit(&data.rows(), &equal_widths()));
}
