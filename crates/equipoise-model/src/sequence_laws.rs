//! The laws of models over sequences: those of every model, and that a sequence's score is its own whatever its length and company.

use crate::laws::{normals, same};
use crate::{Backward, Codebook, ModelError, ModelSpec, Sequences, Steps, Trainer};
use equipoise_core::{ClipNorm, Draw, Fraction, Seed};

/// Sequences drawn at a seed, empty ones among them.
struct Drawn {
    codebook: Codebook,
    codes: Vec<u16>,
    ends: Vec<u32>,
    labels: Vec<f32>,
}

impl Drawn {
    #[allow(clippy::cast_possible_truncation)] // Less than 2^16 codes.
    fn new(rows: usize, columns: usize, seed: Seed) -> Result<Self, ModelError> {
        let codebook = Codebook::new(columns, normals(50 * columns, seed))?;
        let mut rng = seed.derive("sequences", 0).rng();
        let (mut codes, mut ends) = (Vec::new(), Vec::new());
        for row in 0..rows {
            let length = if row == 1 { 0 } else { rng.below(12) };
            codes.extend((0..length).map(|_| rng.below(50) as u16));
            ends.push(codes.len() as u32);
        }
        let labels = (0..rows).map(|_| f32::from(u8::from(rng.chance(0.4)))).collect();
        Ok(Self { codebook, codes, ends, labels })
    }

    fn steps(&self) -> Steps<'_> {
        Steps { codebook: &self.codebook, codes: &self.codes, ends: &self.ends }
    }

    /// The sequences named, in that order.
    #[allow(clippy::cast_possible_truncation)] // As above.
    fn select(&self, rows: &[usize]) -> Self {
        let (mut codes, mut ends) = (Vec::new(), Vec::new());
        for &row in rows {
            codes.extend_from_slice(self.steps().sequence(row));
            ends.push(codes.len() as u32);
        }
        let labels = rows.iter().map(|&row| self.labels[row]).collect();
        Self { codebook: self.codebook.clone(), codes, ends, labels }
    }
}

/// Checks the laws on sequences drawn at `seed`.
///
/// # Errors
/// Names the first law broken.
pub(crate) fn check(spec: &ModelSpec, columns: usize, seed: Seed) -> Result<(), String> {
    let text = |error: ModelError| error.to_string();
    let prior = Fraction::new(0.3).map_err(|error| error.to_string())?;
    let weights = spec.init(columns, prior, seed).0;
    if weights.len() != spec.parameters(columns) || weights.iter().any(|weight| !weight.is_finite()) {
        return Err("the initial weights are not finite or not as many as the model says".to_owned());
    }
    same(&weights, &spec.init(columns, prior, seed).0, "the same seed gave other weights")?;
    let backward = if spec.check_trainer(Backward::Fused).is_ok() { Backward::Fused } else { Backward::Burn };
    let mut trainer = Trainer::with(spec, columns, backward).map_err(text)?;
    check_scores(&mut trainer, &weights, &Drawn::new(150, columns, seed).map_err(text)?, seed)?;

    let data = Drawn::new(40, columns, seed.derive("rows", 0)).map_err(text)?;
    let ones = vec![1.0; data.labels.len()];
    let rows = Sequences { steps: data.steps(), labels: &data.labels, weights: &ones };
    let gradient = trainer.gradient(&weights, &rows).map_err(text)?;
    crate::laws::check_slope(&mut trainer, &weights, (&rows).into(), &gradient)?;
    if spec.check_clipping().is_err() {
        return Ok(());
    }
    let mut sum = vec![0.0; weights.len()];
    let batch: Vec<u32> = (0..40).collect();
    let clip = ClipNorm::new(1e9).map_err(|error| error.to_string())?;
    trainer.clipped_gradient_sum(&weights, &rows, &batch, clip, &mut sum).map_err(text)?;
    crate::laws::check_sum(&sum, &gradient, 40.0)
}

fn check_scores(trainer: &mut Trainer, weights: &[f32], data: &Drawn, seed: Seed) -> Result<(), String> {
    let mut score =
        |data: &Drawn| trainer.score_sequences(weights, &data.steps()).map_err(|error| error.to_string());
    let scores = score(data)?;
    if scores.len() != data.ends.len() {
        return Err(format!("{} sequences gave {} scores", data.ends.len(), scores.len()));
    }
    if let Some(score) = scores.iter().find(|score| !(0.0..=1.0).contains(*score)) {
        return Err(format!("a score lies outside [0, 1]: {score}"));
    }
    same(&scores, &score(data)?, "the same call gave other bytes")?;
    let mut order: Vec<usize> = (0..scores.len()).collect();
    seed.derive("order", 0).rng().shuffle(&mut order);
    let expected: Vec<f32> = order.iter().map(|&row| scores[row]).collect();
    same(&expected, &score(&data.select(&order))?, "a score depends on the order of rows")?;
    for row in [0, 1, 17, scores.len() - 1] {
        let alone = score(&data.select(&[row]))?;
        same(&scores[row..=row], &alone, "a score depends on the rows beside it")?;
    }
    if !score(&data.select(&[])).is_ok_and(|scores| scores.is_empty()) {
        return Err("no rows did not give no scores".to_owned());
    }
    Ok(())
}
