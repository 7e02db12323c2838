//! Small data sets drawn from addresses.
#![allow(dead_code, unreachable_pub)] // Each test file uses some of these.

pub mod sequences;

use equipoise_core::{Draw, Fraction, Seed};
use equipoise_model::{Backward, ModelSpec, Optimiser, Rows, TrainConfig};

pub struct Data {
    pub columns: usize,
    pub values: Vec<f32>,
    pub labels: Vec<f32>,
    pub weights: Vec<f32>,
}

impl Data {
    /// Normal features; positive where the first two sum above zero; weights between 0.5 and 1.5.
    pub fn separable(rows: usize, columns: usize, seed: u64) -> Self {
        let mut rng = Seed::root(seed).derive("data", 0).rng();
        let values: Vec<f32> = (0..rows * columns).map(|_| rng.normal() as f32).collect();
        let positive = |row: &[f32]| f32::from(u8::from(row[0] + row.get(1).unwrap_or(&0.0) > 0.0));
        let labels = values.chunks(columns).map(positive).collect();
        let weights = (0..rows).map(|_| (0.5 + rng.uniform()) as f32).collect();
        Self { columns, values, labels, weights }
    }

    pub fn rows(&self) -> Rows<'_> {
        Rows { columns: self.columns, values: &self.values, labels: &self.labels, weights: &self.weights }
    }

    /// The rows named, copied.
    pub fn select(&self, rows: &[usize]) -> Self {
        let pick = |values: &[f32]| rows.iter().map(|&row| values[row]).collect();
        let values = rows
            .iter()
            .flat_map(|&row| &self.values[row * self.columns..(row + 1) * self.columns])
            .copied()
            .collect();
        Self { columns: self.columns, values, labels: pick(&self.labels), weights: pick(&self.weights) }
    }
}

pub fn sgd(epochs: u16, learning_rate: f64) -> TrainConfig {
    TrainConfig {
        trainer: Backward::Fused,
        epochs,
        batch: 32,
        learning_rate,
        weight_decay: 0.0,
        positive_weight: 1.0,
        loss: equipoise_model::Loss::CrossEntropy {},
        optimiser: Optimiser::Sgd { momentum: 0.9 },
    }
}

pub fn init(spec: &ModelSpec, columns: usize, seed: u64) -> Vec<f32> {
    spec.init(columns, Fraction::new(0.5).unwrap(), Seed::root(seed)).0
}

pub fn norm(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().map(|value| value * value).sum::<f64>().sqrt()
}

pub fn distance(a: &[f32], b: &[f32]) -> f64 {
    norm(a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)))
}

pub fn length(a: &[f32]) -> f64 {
    norm(a.iter().map(|&a| f64::from(a)))
}
