//! Two ways back from a gradient to rows. Both see a [`GradientView`] and nothing else; what stands between the platform's raw sum and
//! that view (clip, a sum over platforms, noise) is the defence under test.

use super::network::SmallNetwork;
use equipoise_core::{Draw, Seed};

/// What a seat that is sent a summed gradient holds: the public network and weights, the number of rows, and the sum as it saw it.
#[derive(Clone, Copy, Debug)]
pub struct GradientView<'a> {
    /// The public architecture.
    pub network: SmallNetwork,
    /// The public weights of this round.
    pub weights: &'a [f64],
    /// The sum that was sent.
    pub sum: &'a [f64],
    /// How many rows are behind it.
    pub rows: usize,
}

/// An attack from the seat that is sent updates.
///
/// Laws: as many rows as the view says, each as wide as the network's input, all finite.
pub trait Invert: Send + Sync {
    /// The attack's name in files and reports.
    fn name(&self) -> &'static str;
    /// The guessed rows, in no order.
    fn rows(&self, seen: &GradientView<'_>, seed: Seed) -> Vec<Vec<f64>>;
}

/// The first layer in closed form (Geiping et al., NeurIPS 2020; Fowl et al., "Robbing the Fed", ICLR 2022): a unit's weight gradient over
/// its bias gradient is the row, exactly, where one row is behind it; for more rows it is a mixture of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstLayer {}

impl Invert for FirstLayer {
    fn name(&self) -> &'static str {
        "first-layer"
    }

    fn rows(&self, seen: &GradientView<'_>, _: Seed) -> Vec<Vec<f64>> {
        let SmallNetwork { inputs, hidden, .. } = seen.network;
        let (matrix, rest) = seen.sum.split_at(hidden * inputs);
        let weight = |unit: usize| rest[unit] * rest[unit];
        // The units with the clearest bias first; one row uses all of them, weighted as least squares would.
        let mut units: Vec<usize> = (0..hidden).collect();
        units.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)));
        let mixture = |units: &[usize]| -> Vec<f64> {
            let total: f64 = units.iter().map(|&unit| weight(unit)).sum::<f64>().max(1e-300);
            let column =
                |at: usize| units.iter().map(|&unit| rest[unit] * matrix[unit * inputs + at]).sum::<f64>();
            (0..inputs).map(|at| column(at) / total).collect()
        };
        match seen.rows {
            1 => vec![mixture(&units)],
            rows => (0..rows).map(|at| mixture(&units[at % hidden..=at % hidden])).collect(),
        }
    }
}

/// Gradient matching by cosine distance (Geiping et al., NeurIPS 2020), rows and soft labels together, by Adam from several starts, of
/// which the closest is kept. A second derivative is not needed: how the gradient's part along `v` moves with a row is the row's
/// gradient at weights moved along `v`, a central difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matching {
    /// Steps of each start.
    pub steps: u32,
    /// Starts.
    pub starts: u32,
    /// Step size.
    pub rate: f64,
}

impl Matching {
    /// `1 - cos` of the guess's gradient and what was seen, and its gradient in rows and in the labels' log-odds.
    fn distance(seen: &GradientView<'_>, guess: &[Vec<f64>], odds: &[f64]) -> (f64, Vec<Vec<f64>>, Vec<f64>) {
        let labels: Vec<f64> = odds.iter().map(|&odds| super::network::sigmoid(odds)).collect();
        let own = seen.network.gradient(seen.weights, guess, &labels);
        let norm =
            |values: &[f64]| libm::sqrt(values.iter().map(|value| value * value).sum::<f64>()).max(1e-12);
        let (ours, theirs) = (norm(&own), norm(seen.sum));
        let cosine = own.iter().zip(seen.sum).map(|(a, b)| a * b).sum::<f64>() / (ours * theirs);
        // The derivative of the cosine in our gradient.
        let along: Vec<f64> =
            own.iter().zip(seen.sum).map(|(a, b)| (b / theirs - cosine * a / ours) / ours).collect();
        let h = 1e-4 / norm(&along);
        let moved = |by: f64| -> Vec<f64> {
            seen.weights.iter().zip(&along).map(|(weight, along)| weight + by * along).collect()
        };
        let (ahead, behind) = (moved(h), moved(-h));
        let mut waste = vec![0.0; seen.network.len()];
        let mut to_rows = Vec::new();
        let mut to_odds = Vec::new();
        for (row, &label) in guess.iter().zip(&labels) {
            let forward = seen.network.add_gradient(&ahead, row, label, &mut waste);
            let backward = seen.network.add_gradient(&behind, row, label, &mut waste);
            to_rows.push(forward.iter().zip(&backward).map(|(f, b)| -(f - b) / (2.0 * h)).collect());
            // The loss is `softplus(logit) - label logit`, so a label turns the gradient against the logit's.
            let slope = (seen.network.logit(&ahead, row) - seen.network.logit(&behind, row)) / (2.0 * h);
            to_odds.push(slope * label * (1.0 - label));
        }
        (1.0 - cosine, to_rows, to_odds)
    }
}

impl Invert for Matching {
    fn name(&self) -> &'static str {
        "matching"
    }

    fn rows(&self, seen: &GradientView<'_>, seed: Seed) -> Vec<Vec<f64>> {
        let width = seen.network.inputs;
        let mut best = (f64::INFINITY, vec![vec![0.0; width]; seen.rows]);
        for start in 0..self.starts {
            let mut rng = seed.derive("start", u64::from(start)).rng();
            let size = seen.rows * (width + 1);
            let mut point: Vec<f64> = (0..size).map(|_| rng.normal()).collect();
            let (mut first, mut second) = (vec![0.0; size], vec![0.0; size]);
            for step in 0..self.steps {
                let (rows, odds) = parts(&point, seen.rows, width);
                let (distance, to_rows, to_odds) = Self::distance(seen, &rows, &odds);
                if distance < best.0 {
                    best = (distance, rows);
                }
                // Smaller steps towards the end.
                let left = 1.0 - f64::from(step) / f64::from(self.steps);
                let age = f64::from(step) + 1.0;
                let (fade_first, fade_second) = (1.0 - libm::pow(0.9, age), 1.0 - libm::pow(0.999, age));
                for (at, slope) in to_rows.into_iter().flatten().chain(to_odds).enumerate() {
                    first[at] = 0.9 * first[at] + 0.1 * slope;
                    second[at] = 0.999 * second[at] + 0.001 * slope * slope;
                    let step = first[at] / fade_first / (libm::sqrt(second[at] / fade_second) + 1e-12);
                    point[at] -= self.rate * left * step;
                }
            }
        }
        best.1
    }
}

/// Rows and the labels' log-odds of one flat point.
fn parts(point: &[f64], rows: usize, width: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let (values, odds) = point.split_at(rows * width);
    (values.chunks_exact(width).map(<[f64]>::to_vec).collect(), odds.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invert::Units;

    #[test]
    fn the_distance_has_the_slope_that_it_says() {
        let network = SmallNetwork { inputs: 3, hidden: 5, units: Units::Softplus };
        let weights = network.start(Seed::root(2));
        let sum = network.gradient(&weights, &[vec![0.5, -1.0, 0.2], vec![1.0, 0.1, -0.4]], &[1.0, 0.0]);
        let seen = GradientView { network, weights: &weights, sum: &sum, rows: 2 };
        let point = vec![0.1, 0.7, -0.3, -0.2, 0.4, 0.9, 0.3, -0.6];
        let at = |point: &[f64]| {
            let (rows, odds) = parts(point, 2, 3);
            Matching::distance(&seen, &rows, &odds)
        };
        let (_, to_rows, to_odds) = at(&point);
        for (i, slope) in to_rows.into_iter().flatten().chain(to_odds).enumerate() {
            let moved = |by: f64| {
                let mut point = point.clone();
                point[i] += by;
                at(&point).0
            };
            let want = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - want).abs() < 1e-6, "coordinate {i}: {slope}, {want}");
        }
    }
}
