//! Small sets of sequences drawn from addresses.

use equipoise_core::{Draw, Seed};
use equipoise_model::{Codebook, Sequences, Steps};

pub struct Told {
    pub codebook: Codebook,
    pub codes: Vec<u16>,
    pub ends: Vec<u32>,
    pub labels: Vec<f32>,
    pub weights: Vec<f32>,
}

impl Told {
    /// Normal features of 40 codes; lengths 0 to `longest`; labels at random; weights between 0.5 and 1.5.
    pub fn random(rows: usize, columns: usize, longest: usize, seed: u64) -> Self {
        let mut rng = Seed::root(seed).derive("told", 0).rng();
        let values = (0..40 * columns).map(|_| rng.normal() as f32).collect();
        let (mut codes, mut ends) = (Vec::new(), Vec::new());
        for row in 0..rows {
            // One of each extreme, whatever the draw.
            let length = [0, longest].get(row).copied().unwrap_or_else(|| rng.below(longest + 1));
            codes.extend((0..length).map(|_| rng.below(40) as u16));
            ends.push(codes.len() as u32);
        }
        Self {
            codebook: Codebook::new(columns, values).unwrap(),
            codes,
            ends,
            labels: (0..rows).map(|_| f32::from(u8::from(rng.chance(0.4)))).collect(),
            weights: (0..rows).map(|_| (0.5 + rng.uniform()) as f32).collect(),
        }
    }

    /// Two marks among others, once each at random places: positive if the first comes before the second. The multiset of events says
    /// nothing.
    pub fn order_only(rows: usize, seed: u64) -> Self {
        let mut rng = Seed::root(seed).derive("order", 0).rng();
        let mut one_hot = vec![0.0; 6 * 6];
        (0..6).for_each(|code| one_hot[code * 6 + code] = 1.0);
        let mut told = Self {
            codebook: Codebook::new(6, one_hot).unwrap(),
            codes: vec![],
            ends: vec![],
            labels: vec![],
            weights: vec![1.0; rows],
        };
        for _ in 0..rows {
            let mut sequence: Vec<u16> = (0..4 + rng.below(8)).map(|_| 2 + rng.below(4) as u16).collect();
            let mut at: Vec<u32> = (0..sequence.len() as u32).collect();
            rng.shuffle(&mut at);
            (sequence[at[0] as usize], sequence[at[1] as usize]) = (0, 1);
            told.codes.extend(sequence);
            told.ends.push(told.codes.len() as u32);
            told.labels.push(f32::from(u8::from(at[0] < at[1])));
        }
        told
    }

    pub fn steps(&self) -> Steps<'_> {
        Steps { codebook: &self.codebook, codes: &self.codes, ends: &self.ends }
    }

    pub fn sequences(&self) -> Sequences<'_> {
        Sequences { steps: self.steps(), labels: &self.labels, weights: &self.weights }
    }

    /// The sequences named, copied.
    pub fn select(&self, rows: &[usize]) -> Self {
        let pick = |values: &[f32]| rows.iter().map(|&row| values[row]).collect();
        let mut told = Self {
            codebook: self.codebook.clone(),
            codes: vec![],
            ends: vec![],
            labels: pick(&self.labels),
            weights: pick(&self.weights),
        };
        for &row in rows {
            told.codes.extend_from_slice(self.steps().sequence(row));
            told.ends.push(told.codes.len() as u32);
        }
        told
    }
}
