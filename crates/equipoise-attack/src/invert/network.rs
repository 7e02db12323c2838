//! A small network with its own gradient, in `f64`: what an attacker who was sent a gradient runs itself (public architecture, public
//! weights), and what tests train. One hidden layer of softplus or rectified units, one logit, cross-entropy.

use equipoise_core::{Draw, Seed};

/// A network from `inputs` numbers to one logit. Weights are one flat vector: `[hidden, inputs]`, `hidden` biases, `hidden`
/// output weights, one bias.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SmallNetwork {
    /// Columns of a row.
    pub inputs: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Their function.
    pub units: Units,
}

/// What a hidden unit makes of its sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Units {
    /// `ln(1 + e^z)`: smooth, so that tests may difference it.
    Softplus,
    /// `max(z, 0)`: the perceptrons of this project.
    Rectified,
}

impl Units {
    fn value(self, z: f64) -> f64 {
        match self {
            Self::Softplus => softplus(z),
            Self::Rectified => z.max(0.0),
        }
    }

    fn slope(self, z: f64) -> f64 {
        match self {
            Self::Softplus => sigmoid(z),
            Self::Rectified => f64::from(u8::from(z > 0.0)),
        }
    }
}

impl SmallNetwork {
    /// Length of the flat vector.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.hidden * (self.inputs + 2) + 1
    }

    /// Whether there is nothing to train; never.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Starting weights.
    #[must_use]
    pub fn start(&self, seed: Seed) -> Vec<f64> {
        let mut rng = seed.derive("weights", 0).rng();
        let (wide, deep) = (1.0 / libm::sqrt(self.inputs as f64), 1.0 / libm::sqrt(self.hidden as f64));
        let scale = |at: usize| if at < self.hidden * self.inputs { wide } else { deep };
        (0..self.len()).map(|at| scale(at) * rng.normal()).collect()
    }

    /// The hidden units before their function.
    fn before(&self, weights: &[f64], row: &[f64]) -> Vec<f64> {
        let (matrix, rest) = weights.split_at(self.hidden * self.inputs);
        let of =
            |(weights, bias): (&[f64], &f64)| bias + weights.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
        matrix.chunks_exact(self.inputs).zip(rest).map(of).collect()
    }

    fn output<'a>(&self, weights: &'a [f64]) -> &'a [f64] {
        &weights[self.hidden * (self.inputs + 1)..]
    }

    /// The logit of a row.
    #[must_use]
    pub fn logit(&self, weights: &[f64], row: &[f64]) -> f64 {
        let out = self.output(weights);
        out[self.hidden]
            + self.before(weights, row).iter().zip(out).map(|(&z, v)| v * self.units.value(z)).sum::<f64>()
    }

    /// The cross-entropy of a row.
    #[must_use]
    pub fn loss(&self, weights: &[f64], row: &[f64], label: f64) -> f64 {
        let logit = self.logit(weights, row);
        softplus(logit) - label * logit
    }

    /// Adds the gradient of a row's loss in the weights to `sum`, and returns it in the row.
    pub fn add_gradient(&self, weights: &[f64], row: &[f64], label: f64, sum: &mut [f64]) -> Vec<f64> {
        let (before, out) = (self.before(weights, row), self.output(weights));
        let logit =
            out[self.hidden] + before.iter().zip(out).map(|(&z, v)| v * self.units.value(z)).sum::<f64>();
        let error = sigmoid(logit) - label;
        let (to_matrix, rest) = sum.split_at_mut(self.hidden * self.inputs);
        let mut to_row = vec![0.0; self.inputs];
        for (unit, &z) in before.iter().enumerate() {
            let delta = error * out[unit] * self.units.slope(z);
            rest[unit] += delta;
            rest[self.hidden + unit] += error * self.units.value(z);
            let at = unit * self.inputs..(unit + 1) * self.inputs;
            to_matrix[at.clone()].iter_mut().zip(row).for_each(|(sum, x)| *sum += delta * x);
            to_row.iter_mut().zip(&weights[at]).for_each(|(sum, w)| *sum += delta * w);
        }
        rest[2 * self.hidden] += error;
        to_row
    }

    /// The summed gradient of rows, as a platform would send it.
    #[must_use]
    pub fn gradient(&self, weights: &[f64], rows: &[Vec<f64>], labels: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.len()];
        for (row, &label) in rows.iter().zip(labels) {
            self.add_gradient(weights, row, label, &mut sum);
        }
        sum
    }
}

pub(crate) fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-z))
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() {
        for units in [Units::Softplus, Units::Rectified] {
            agree(SmallNetwork { inputs: 3, hidden: 4, units });
        }
    }

    fn agree(network: SmallNetwork) {
        let (weights, row) = (network.start(Seed::root(1)), vec![0.3, -0.8, 1.1]);
        let mut sum = vec![0.0; network.len()];
        let to_row = network.add_gradient(&weights, &row, 1.0, &mut sum);
        let h = 1e-6;
        for at in 0..network.len() {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[at] += by;
                network.loss(&weights, &row, 1.0)
            };
            assert!((sum[at] - (moved(h) - moved(-h)) / (2.0 * h)).abs() < 1e-8, "weight {at}");
        }
        for at in 0..3 {
            let moved = |by: f64| {
                let mut row = row.clone();
                row[at] += by;
                network.loss(&weights, &row, 1.0)
            };
            assert!((to_row[at] - (moved(h) - moved(-h)) / (2.0 * h)).abs() < 1e-8, "column {at}");
        }
    }
}
