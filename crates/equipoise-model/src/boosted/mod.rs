//! Histogram gradient-boosted trees for a binary label.
//!
//! Second-order boosting of the logistic loss (Friedman 2001; XGBoost, Chen and Guestrin, KDD 2016), columns cut into at most
//! 255 bins and trees grown by their best leaf (LightGBM, Ke et al., NeurIPS 2017); settings mean what they mean in
//! scikit-learn's `HistGradientBoostingClassifier`, against which a test holds the scores. Gradients are integers, so the
//! same rows, settings and seed give the same bytes on any number of threads, and [`Histogram`]s of several platforms
//! add up to exactly the histogram of their rows together.
//!
//! Why not a crate: `perpetual` and `forust` sum `f32` or `f64` histograms, which neither add up exactly nor in any order
//! (`perpetual` also stops by a budget of its own, `forust` needs GMP), `gbdt` searches exact splits on one
//! thread, and `lightgbm3` compiles C++ and hides its histograms.
//!
//! Not promised: scores are probabilities only at the prevalence and weights of training. Categories, constraints, early stopping
//! and other losses do not exist. What each column contributes is deliberately not published: a list of telling columns would
//! serve evasion.

mod auc;
mod bins;
mod edges;
mod explain;
mod federate;
mod gradient;
mod grow;
mod histogram;
mod probe;
mod spec;
mod split;
#[cfg(test)]
mod textbook;
mod tree;

pub use bins::{Binned, Binner};
pub use federate::Sent;
pub use gradient::{Gradients, Scale};
pub use histogram::{Histogram, Totals};
pub use probe::{Probe, auc_probe};
pub use spec::{Binning, BoostedSpec};
pub use split::{Split, best_split};

use crate::explain::Attribution;
use crate::laws::Scorer;
use crate::rows::length;
use crate::{ModelError, Rows};
use equipoise_core::{Draw, Seed};
use gradient::sigmoid;
use grow::Grower;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use tree::{Forest, Stored, leaf_value};

/// Rows that one task draws or scores.
const CHUNK: usize = 1024;

/// A trained model.
///
/// ```
/// use equipoise_core::Seed;
/// use equipoise_model::Rows;
/// use equipoise_model::boosted::{Boosted, BoostedSpec};
///
/// let spec = BoostedSpec { min_samples_leaf: 1, ..BoostedSpec::examples().remove(0) };
/// let rows = Rows { columns: 1, values: &[1.0, 2.0, f32::NAN], labels: &[0.0, 1.0, 1.0], weights: &[1.0; 3] };
/// let model = Boosted::fit(&rows, &spec, Seed::root(1))?;
/// let scores = model.score(1, &[0.0, f32::NAN])?;
/// assert!(scores[0] < 0.5 && scores[1] > 0.5);
/// # Ok::<(), equipoise_model::ModelError>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Boosted(Forest);

impl Boosted {
    /// Trains on `rows`; a feature that is not a number is missing, a row of weight 0 is left out.
    ///
    /// A model of fewer rounds is the beginning of one of more. Randomness is used only where a share is below 1.
    ///
    /// # Errors
    /// If a setting, a length or a number does not fit, or no row carries weight.
    pub fn fit(rows: &Rows<'_>, spec: &BoostedSpec, seed: Seed) -> Result<Self, ModelError> {
        check(rows)?;
        spec.check()?;
        let binner = Binner::fit(rows, spec.binning)?;
        let binned = binner.encode(rows.values)?;
        let scale = Scale::for_weights_up_to(rows.weights.iter().copied().fold(0.0, f32::max))?;
        let columns = u16::try_from(rows.columns).expect("checked by the binner");
        let base = prior_logit(rows);
        let mut forest = Forest { columns, base, sizes: Vec::new(), nodes: Vec::new() };
        let mut logits = vec![base; rows.len()];
        let mut gradients = Gradients::at(&logits, rows, scale);
        let mut grower = Grower::new(&binner, &binned, &gradients, spec);
        for round in 0..u64::from(spec.rounds) {
            let seed = seed.derive("round", round);
            draw_columns(&mut grower.looked_at, spec.column_share.get(), seed);
            let left_out = draw_rows(&mut grower.order, rows, spec.row_share.get(), seed);
            if round > 0 {
                gradients.update(&logits, rows);
            }
            let grown = grower.grow(&gradients);
            for (value, range) in grown.leaves {
                for &row in &grower.order[range] {
                    logits[row as usize] += f64::from(value);
                }
            }
            for row in left_out {
                logits[row as usize] += f64::from(leaf_value(&grown.nodes, rows.row(row as usize)));
            }
            forest.sizes.push(u32::try_from(grown.nodes.len()).expect("a tree has at most 2047 nodes"));
            forest.nodes.extend(grown.nodes);
        }
        Ok(Self(forest))
    }

    /// Features a row.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.0.columns.into()
    }

    /// Scores rows `values` `[rows, columns]`, each in `[0, 1]`; what is not a number is missing. A row's score depends on that
    /// row alone.
    ///
    /// # Errors
    /// If lengths do not fit or a feature is infinite.
    pub fn score(&self, columns: usize, values: &[f32]) -> Result<Vec<f32>, ModelError> {
        length("a row", self.columns(), columns)?;
        let rows = bins::check_values(values, columns)?;
        let mut scores = vec![0.0; rows];
        scores.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK * columns)).for_each(|(scores, values)| {
            for (score, row) in scores.iter_mut().zip(values.chunks_exact(columns)) {
                *score = as_score(sigmoid(self.0.logit(row)));
            }
        });
        Ok(scores)
    }

    /// The exact Shapley values of `row`'s columns in its logit, held against `reference`; what is not a number is missing.
    ///
    /// # Errors
    /// If lengths do not fit or a feature is infinite.
    pub fn explain(&self, row: &[f32], reference: &[f32]) -> Result<Attribution, ModelError> {
        for values in [row, reference] {
            length("a row", self.columns(), values.len())?;
            bins::check_values(values, self.columns())?;
        }
        Ok(explain::explain(&self.0, row, reference))
    }
}

impl TryFrom<Stored> for Boosted {
    type Error = ModelError;

    fn try_from(stored: Stored) -> Result<Self, ModelError> {
        Forest::try_from(stored).map(Self)
    }
}

impl From<Boosted> for Stored {
    fn from(model: Boosted) -> Self {
        model.0.into()
    }
}

/// Tells its size and not its splits.
impl fmt::Debug for Boosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boosted")
            .field("columns", &self.0.columns)
            .field("trees", &self.0.sizes.len())
            .finish_non_exhaustive()
    }
}

impl Scorer for Boosted {
    fn columns(&self) -> usize {
        Self::columns(self)
    }

    fn score(&mut self, values: &[f32]) -> Result<Vec<f32>, ModelError> {
        Self::score(self, self.columns(), values)
    }
}

#[allow(clippy::cast_possible_truncation)] // A score is f32.
const fn as_score(probability: f64) -> f32 {
    probability as f32
}

/// Checks the lengths and all that the binner does not look at.
fn check(rows: &Rows<'_>) -> Result<(), ModelError> {
    length("the features", rows.len() * rows.columns, rows.values.len())?;
    length("the row weights", rows.len(), rows.weights.len())?;
    // Features may be missing here, so only labels and weights pass through the common check.
    Rows { columns: 1, values: &[], ..*rows }.check_values()
}

/// The logit of the weighted share of positives, kept within 1e-6 of the ends.
fn prior_logit(rows: &Rows<'_>) -> f64 {
    logit_of(rows.labels.iter().zip(rows.weights))
}

fn logit_of<'a>(rows: impl Iterator<Item = (&'a f32, &'a f32)>) -> f64 {
    let (mut positive, mut all) = (0.0, 0.0);
    for (&label, &weight) in rows {
        positive += f64::from(weight) * f64::from(label);
        all += f64::from(weight);
    }
    let prior = (positive / all).clamp(1e-6, 1.0 - 1e-6);
    libm::log(prior / (1.0 - prior))
}

/// Marks the columns of a round.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // At most 65,535.
fn draw_columns(looked_at: &mut [bool], share: f64, seed: Seed) {
    let wanted = libm::ceil(share * looked_at.len() as f64) as usize;
    if wanted >= looked_at.len() {
        return;
    }
    let mut columns: Vec<usize> = (0..looked_at.len()).collect();
    seed.derive("columns", 0).rng().shuffle(&mut columns);
    looked_at.fill(false);
    columns[..wanted].iter().for_each(|&column| looked_at[column] = true);
}

/// Puts the rows of a round into `order` and gives those left out that carry weight.
#[allow(clippy::cast_possible_truncation)] // Rows fit 32 bits, checked by the binner.
fn draw_rows(order: &mut Vec<u32>, rows: &Rows<'_>, share: f64, seed: Seed) -> Vec<u32> {
    let mut left_out = Vec::new();
    order.clear();
    for (chunk, weights) in rows.weights.chunks(CHUNK).enumerate() {
        let mut rng = seed.derive("rows", chunk as u64).rng();
        for (offset, &weight) in weights.iter().enumerate() {
            let drawn = share >= 1.0 || rng.chance(share);
            if weight > 0.0 {
                let side = if drawn { &mut *order } else { &mut left_out };
                side.push((chunk * CHUNK + offset) as u32);
            }
        }
    }
    left_out
}
