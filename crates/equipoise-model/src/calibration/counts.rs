//! Held-out rows as whole numbers: how many rows, and how many of them positive, have a logit in each of 1,536 public bins. Enough to fit a
//! map, and all that a platform would have to send; not protected by noise, so an arm with a finite epsilon must not fit one.

use serde::{Deserialize, Serialize};

/// Logits beyond this stand in the last bin: odds of one in 26 thousand million.
const REACH: f64 = 24.0;
/// Bins in one unit of logit: odds within a bin differ by 3 %.
const FINE: f64 = 32.0;
/// Number of bins.
const BINS: usize = 1536;

/// Counts of held-out rows by bins of their logit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScoreCounts {
    rows: Vec<u64>,
    positives: Vec<u64>,
}

impl Default for ScoreCounts {
    fn default() -> Self {
        Self { rows: vec![0; BINS], positives: vec![0; BINS] }
    }
}

impl ScoreCounts {
    /// Counts one row.
    pub fn add(&mut self, score: f32, positive: bool) {
        let bin = bin(score);
        self.rows[bin] += 1;
        self.positives[bin] += u64::from(positive);
    }

    /// Adds the counts of another platform.
    pub fn merge(&mut self, other: &Self) {
        self.rows.iter_mut().zip(&other.rows).for_each(|(sum, rows)| *sum += rows);
        self.positives.iter_mut().zip(&other.positives).for_each(|(sum, positives)| *sum += positives);
    }

    /// Rows in all.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// Positive rows in all.
    #[must_use]
    pub fn positives(&self) -> u64 {
        self.positives.iter().sum()
    }

    pub(super) fn has_both_classes(&self) -> bool {
        (1..self.rows()).contains(&self.positives())
    }

    /// `(bin, rows, positives)` of every bin that holds rows, rising.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, u64, u64)> + '_ {
        let all = self.rows.iter().zip(&self.positives).enumerate();
        all.filter(|(_, (rows, _))| **rows > 0).map(|(bin, (rows, positives))| (bin, *rows, *positives))
    }
}

/// The bin of a score.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // Clamped to the bins.
pub(super) fn bin(score: f32) -> usize {
    ((logit(score) + REACH) * FINE).clamp(0.0, (BINS - 1) as f64) as usize
}

/// The logit in the middle of a bin.
#[allow(clippy::cast_precision_loss)] // 1,536 bins.
pub(super) fn middle(bin: usize) -> f64 {
    (bin as f64 + 0.5) / FINE - REACH
}

/// The log odds of a score, finite at both ends: a stored score of 0 or 1 is one that a float could not tell from it.
pub(super) fn logit(score: f32) -> f64 {
    let score = f64::from(score).clamp(f64::from(f32::MIN_POSITIVE), 1.0 - f64::EPSILON);
    libm::log(score) - libm::log1p(-score)
}

/// The logistic function, without overflow at either end.
pub(super) fn sigmoid(logit: f64) -> f64 {
    let e = libm::exp(-logit.abs());
    if logit >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_stands_in_the_bin_around_its_logit() {
        for score in [1e-9_f32, 0.001, 0.3, 0.5, 0.9, 0.99999] {
            assert!((middle(bin(score)) - logit(score)).abs() <= 0.5 / FINE + 1e-9, "{score}");
        }
        assert_eq!((bin(0.0), bin(1.0)), (0, BINS - 1));
    }

    #[test]
    fn every_score_has_a_finite_logit() {
        assert!(logit(0.0).is_finite() && logit(1.0).is_finite());
        assert!((sigmoid(logit(0.2)) - 0.2).abs() < 1e-7);
    }
}
