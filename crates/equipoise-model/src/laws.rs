//! Laws that every model and every scorer obeys, as functions, so that this crate's tests, a test of a deliberately wrong
//! scorer and a test of anyone's own share them.

use crate::{Examples, ModelError, ModelSpec, Rows, Trainer};
use equipoise_core::{Draw, Fraction, Seed};

/// Anything that turns rows of features into scores.
///
/// **Laws**, held by [`check_scorer`]: scores lie in `[0, 1]`; a row's score depends on that row alone, bit for bit, whatever
/// stands before, beside or after it; the same call gives the same bytes; a length that is no multiple of the
/// columns is an error.
pub trait Scorer {
    /// Features a row.
    fn columns(&self) -> usize;

    /// Scores rows `values` `[rows, columns]`.
    ///
    /// # Errors
    /// If the length does not fit.
    fn score(&mut self, values: &[f32]) -> Result<Vec<f32>, ModelError>;
}

/// A worker with the weights of one model.
#[derive(Debug)]
pub struct Fitted<'a> {
    /// The worker.
    pub trainer: &'a mut Trainer,
    /// The flat weights.
    pub weights: &'a [f32],
}

impl Scorer for Fitted<'_> {
    fn columns(&self) -> usize {
        self.trainer.columns()
    }

    fn score(&mut self, values: &[f32]) -> Result<Vec<f32>, ModelError> {
        let columns = self.trainer.columns();
        self.trainer.score(self.weights, columns, values)
    }
}

/// Checks the laws of [`Scorer`] on rows drawn at `seed`.
///
/// # Errors
/// Names the first law broken.
pub fn check_scorer(scorer: &mut dyn Scorer, seed: Seed) -> Result<(), String> {
    let columns = scorer.columns();
    let rows = 300;
    let values = normals(rows * columns, seed);
    let scores = scorer.score(&values).map_err(|error| error.to_string())?;
    if scores.len() != rows {
        return Err(format!("{rows} rows gave {} scores", scores.len()));
    }
    if let Some(score) = scores.iter().find(|score| !(0.0..=1.0).contains(*score)) {
        return Err(format!("a score lies outside [0, 1]: {score}"));
    }
    let again = scorer.score(&values).map_err(|error| error.to_string())?;
    same(&scores, &again, "the same call gave other bytes")?;
    let mut order: Vec<usize> = (0..rows).collect();
    seed.derive("order", 0).rng().shuffle(&mut order);
    let moved: Vec<f32> =
        order.iter().flat_map(|&row| &values[row * columns..(row + 1) * columns]).copied().collect();
    let moved = scorer.score(&moved).map_err(|error| error.to_string())?;
    let expected: Vec<f32> = order.iter().map(|&row| scores[row]).collect();
    same(&expected, &moved, "a score depends on the order of rows")?;
    for row in [0, 17, rows - 1] {
        let alone =
            scorer.score(&values[row * columns..(row + 1) * columns]).map_err(|error| error.to_string())?;
        same(&scores[row..=row], &alone, "a score depends on the rows beside it")?;
    }
    if !scorer.score(&[]).is_ok_and(|scores| scores.is_empty()) {
        return Err("no rows did not give no scores".to_owned());
    }
    if columns > 1 && scorer.score(&values[1..]).is_ok() {
        return Err("a length that is no multiple of the columns was accepted".to_owned());
    }
    Ok(())
}

/// Checks what holds of every [`ModelSpec`]: its vector has the length it says; initial weights are finite, a function of the
/// seed, and predict about the prior; scores obey [`check_scorer`]; the gradient points downhill as finite differences say;
/// the clipped sum under a huge bound is the plain gradient. A model over sequences is shown sequences, of steps of `columns`.
///
/// # Errors
/// Names the first law broken.
#[allow(clippy::cast_precision_loss)] // 64 rows.
pub fn check_model(spec: &ModelSpec, columns: usize, seed: Seed) -> Result<(), String> {
    if spec.reads_sequences() {
        return crate::sequence_laws::check(spec, columns, seed);
    }
    let text = |error: ModelError| error.to_string();
    let prior = Fraction::new(0.3).map_err(|error| error.to_string())?;
    let weights = spec.init(columns, prior, seed).0;
    if weights.len() != spec.parameters(columns) || weights.iter().any(|weight| !weight.is_finite()) {
        return Err("the initial weights are not finite or not as many as the model says".to_owned());
    }
    same(&weights, &spec.init(columns, prior, seed).0, "the same seed gave other weights")?;
    let mut trainer = Trainer::new(spec, columns).map_err(text)?;
    check_scorer(&mut Fitted { trainer: &mut trainer, weights: &weights }, seed)?;

    let n = 64;
    let values = normals(n * columns, seed.derive("rows", 0));
    let labels: Vec<f32> = values.chunks(columns).map(|row| f32::from(u8::from(row[0] > 0.0))).collect();
    let rows = Rows { columns, values: &values, labels: &labels, weights: &vec![1.0; n] };
    let gradient = trainer.gradient(&weights, &rows).map_err(text)?;
    check_slope(&mut trainer, &weights, (&rows).into(), &gradient)?;

    let mut sum = vec![0.0; weights.len()];
    let batch: Vec<u32> = (0..64).collect();
    let clip = equipoise_core::ClipNorm::new(1e9).map_err(|error| error.to_string())?;
    trainer.clipped_gradient_sum(&weights, &rows, &batch, clip, &mut sum).map_err(text)?;
    check_sum(&sum, &gradient, n as f64)
}

/// Compares an unclipped sum over `rows` rows with their mean gradient.
pub(crate) fn check_sum(sum: &[f32], gradient: &[f32], rows: f64) -> Result<(), String> {
    let (error, size) = sum.iter().zip(gradient).fold((0.0, 0.0), |(error, size), (&sum, &slope)| {
        let (sum, slope) = (f64::from(sum) / rows, f64::from(slope));
        (error + (sum - slope) * (sum - slope), size + slope * slope)
    });
    if error > 1e-10 * size {
        return Err(format!(
            "an unclipped sum is not the gradient: relative error {}",
            libm::sqrt(error / size)
        ));
    }
    Ok(())
}

/// Compares the derivative along the gradient with a central difference of the mean loss.
#[allow(clippy::cast_possible_truncation)] // Steps enter f32 weights.
pub(crate) fn check_slope(
    trainer: &mut Trainer,
    weights: &[f32],
    rows: Examples<'_>,
    gradient: &[f32],
) -> Result<(), String> {
    let size = libm::sqrt(gradient.iter().map(|&slope| f64::from(slope) * f64::from(slope)).sum());
    let step = 1e-2;
    let mut loss_at = |step: f64| {
        let moved: Vec<f32> = weights
            .iter()
            .zip(gradient)
            .map(|(w, g)| (f64::from(*w) + step * f64::from(*g) / size) as f32)
            .collect();
        let losses = trainer.row_losses(&moved, rows).map_err(|error| error.to_string())?;
        Ok::<f64, String>(
            losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / f64::from(losses.len() as u32),
        )
    };
    let difference = (loss_at(step)? - loss_at(-step)?) / (2.0 * step);
    if (difference - size).abs() > 1e-2 * size {
        return Err(format!("the slope along the gradient is {difference}, its norm {size}"));
    }
    Ok(())
}

#[allow(clippy::cast_possible_truncation)] // Features are f32.
pub(crate) fn normals(count: usize, seed: Seed) -> Vec<f32> {
    let mut rng = seed.derive("normals", 0).rng();
    (0..count).map(|_| rng.normal() as f32).collect()
}

pub(crate) fn same(a: &[f32], b: &[f32], law: &str) -> Result<(), String> {
    let equal = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
    if equal { Ok(()) } else { Err(law.to_owned()) }
}
