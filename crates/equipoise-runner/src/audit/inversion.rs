//! What rows can be read back from an update. Updates are the product's own (its trainer, its clip, its mechanism's noise) on a world's
//! rows; the attacker is sent what the defence under test leaves, and knows the public model.
//!
//! Columns are taken in deviations of the population that the attacker also has (the other rows of the world), as a platform that scales
//! features by public constants would send them. Columns that are the same in every row say nothing and are left out. Epsilons are of one
//! step in which every row takes part: rounds add up, so these flatter the defence.

use super::file::{Defence, InversionSection, Target};
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::sums;
use crate::training::ClientRows;
use equipoise_attack::invert::{
    FirstLayer, GradientView, Invert, Matching, Recovered, SmallNetwork, Units, judge, marginal_guess,
    mean_guess,
};
use equipoise_core::{ClipNorm, Draw, Fraction, Seed};
use equipoise_model::{ModelSpec, Trainer};
use equipoise_privacy::{CentralGaussianSpec, MechanismSpec, NoiseLevel};
use serde::{Deserialize, Serialize};

/// Far above any gradient: no clip.
const UNCLIPPED: f64 = 1e6;

/// What an attack on one defence and batch recovered, as means over updates.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct InversionResult {
    pub(crate) attack: String,
    pub(crate) updates: u64,
    /// Rows of which every column is right.
    pub(crate) exact: f64,
    /// Columns that are right.
    pub(crate) columns: f64,
    /// Rows told from the population.
    pub(crate) identified: f64,
}

/// A world's rows in deviations, and the attacked perceptron.
#[derive(Debug)]
pub(super) struct Bench {
    population: Vec<Vec<f64>>,
    labels: Vec<f32>,
    platform: Vec<u8>,
    columns: usize,
    spec: ModelSpec,
    network: SmallNetwork,
    start: Vec<f32>,
}

impl Bench {
    /// # Errors
    /// If the experiment's model is no perceptron of one hidden layer, or the world has too few rows.
    pub(super) fn new(
        target: &Target,
        section: &InversionSection,
        world: &WorldData,
        seed: Seed,
    ) -> Result<Self, Fault> {
        let rows = &world.train;
        let spec = target.plan.first().model.clone();
        let hidden = match &spec {
            ModelSpec::Mlp { hidden } if hidden.len() == 1 => usize::from(hidden[0]),
            _ => {
                return Err(Fault::Config(
                    "model: inversion attacks a perceptron with one hidden layer".into(),
                ));
            }
        };
        let mut order: Vec<usize> = (0..rows.label.len()).collect();
        seed.derive("population", 0).rng().shuffle(&mut order);
        order.truncate(section.population);
        if order.len() < section.population {
            let (have, need) = (order.len(), section.population);
            return Err(Fault::Config(format!("inversion.population: {need} rows, and a world has {have}")));
        }
        let of =
            |column: usize| order.iter().map(move |&row| f64::from(rows.values[row * rows.columns + column]));
        let n = order.len() as f64;
        let moments: Vec<(usize, f64, f64)> = (0..rows.columns)
            .filter_map(|column| {
                let mean = of(column).sum::<f64>() / n;
                let spread = libm::sqrt(of(column).map(|value| (value - mean).powi(2)).sum::<f64>() / n);
                (spread > 1e-9).then_some((column, mean, spread))
            })
            .collect();
        let row = |&row: &usize| -> Vec<f64> {
            let value = |column: usize| f64::from(rows.values[row * rows.columns + column]);
            moments.iter().map(|&(column, mean, spread)| (value(column) - mean) / spread).collect()
        };
        let columns = moments.len();
        let prior = target.plan.first().start.prior;
        Ok(Self {
            population: order.iter().map(row).collect(),
            labels: order.iter().map(|&row| rows.label[row]).collect(),
            platform: order.iter().map(|&row| rows.platform[row]).collect(),
            columns,
            start: spec.init(columns, prior, seed.derive("init", 0)).0,
            network: SmallNetwork { inputs: columns, hidden, units: Units::Rectified },
            spec,
        })
    }

    /// The product's sum of the rows' gradients, clipped at `clip`.
    fn sum(&self, rows: &[usize], clip: f64) -> Result<Vec<f64>, Fault> {
        #[allow(clippy::cast_possible_truncation)] // The trainer's rows are f32.
        let values = rows.iter().flat_map(|&row| self.population[row].iter().map(|&value| value as f32));
        let client = ClientRows {
            columns: self.columns,
            values: values.collect(),
            sequences: None,
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            weights: vec![1.0; rows.len()],
        };
        let mut trainer = Trainer::new(&self.spec, self.columns).map_err(runtime)?;
        let mut out = vec![0.0; self.start.len()];
        let batch: Vec<u32> = (0..client.len()).collect();
        let clip = ClipNorm::new(clip).map_err(runtime)?;
        trainer
            .clipped_gradient_sum(&self.start, client.examples(), &batch, clip, &mut out)
            .map_err(runtime)?;
        Ok(out.into_iter().map(f64::from).collect())
    }

    /// The attacker's order of the model's numbers: hidden weights unit by unit, where the model has them input by input.
    fn turned(&self, flat: &[f64]) -> Vec<f64> {
        let SmallNetwork { inputs, hidden, .. } = self.network;
        let (matrix, rest) = flat.split_at(inputs * hidden);
        let turned = (0..hidden).flat_map(|unit| (0..inputs).map(move |input| matrix[input * hidden + unit]));
        turned.chain(rest.iter().copied()).collect()
    }

    /// Rows of one platform: as many as the batch, of a platform that has them.
    fn batch(&self, of: u64, platform: usize, rows: usize, taken: &mut Vec<usize>, seed: Seed) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.population.len()).collect();
        seed.derive("batch", of).derive("platform", platform as u64).rng().shuffle(&mut order);
        let platforms = 1 + usize::from(self.platform.iter().copied().max().unwrap_or(0));
        // Where the platform has too few rows left, another one's stand in for them.
        let home = |row: &usize| usize::from(usize::from(self.platform[*row]) != platform % platforms);
        order.retain(|row| !taken.contains(row));
        order.sort_by_key(home);
        order.truncate(rows);
        taken.extend(&order);
        order
    }
}

/// Attacks a cell's updates, with the baselines of somebody who was sent nothing.
///
/// # Errors
/// If a sum cannot be computed, or no noise gives the epsilon.
pub(super) fn run(
    target: &Target,
    section: &InversionSection,
    bench: &Bench,
    (defence, batch): (Defence, usize),
    seed: Seed,
) -> Result<Vec<InversionResult>, Fault> {
    let privacy = &target.plan.first().privacy;
    let clip = privacy.clip_norm.get();
    let matching = Matching { steps: section.steps, starts: section.starts, rate: 0.05 };
    let attacks: [&dyn Invert; 2] = [&FirstLayer {}, &matching];
    let names = ["first-layer", "matching", "guess: column by column", "guess: the mean"];
    let mut totals = vec![Recovered::default(); names.len()];
    let weights: Vec<f64> = bench.start.iter().map(|&weight| f64::from(weight)).collect();
    let weights = bench.turned(&weights);
    let (platforms, bound) = match defence {
        Defence::Raw {} | Defence::Silent {} => (1, UNCLIPPED),
        Defence::Clipped {} => (1, clip),
        Defence::Aggregate { platforms } | Defence::Noised { platforms, .. } => (platforms, clip),
    };
    let mechanism = match defence {
        Defence::Noised { epsilon, .. } => Some(
            MechanismSpec::CentralGaussian(CentralGaussianSpec {
                clip_norm: privacy.clip_norm,
                sampling_rate: Fraction::new(1.0).map_err(runtime)?,
                noise: NoiseLevel::Epsilon(epsilon),
                delta: privacy.delta,
                steps: 1,
                rows_per_account: None,
            })
            .build()
            .map_err(runtime)?,
        ),
        _ => None,
    };
    for update in 0..section.updates {
        let mut behind = Vec::new();
        let truth = bench.batch(update, 0, batch, &mut behind, seed);
        for platform in 1..platforms {
            let _ = bench.batch(update, platform, batch, &mut behind, seed);
        }
        let mut sum = bench.sum(&behind, bound)?;
        if let Some(mechanism) = &mechanism {
            let sensitivity = sums::private_quantizer(privacy).rounded_sensitivity(clip, sum.len());
            mechanism.on_server(&mut sum, sensitivity, seed.derive("noise", update));
        }
        if defence == (Defence::Silent {}) {
            sum.fill(0.0);
        }
        let sum = bench.turned(&sum);
        let seen = GradientView { network: bench.network, weights: &weights, sum: &sum, rows: behind.len() };
        let public: Vec<Vec<f64>> = (0..bench.population.len())
            .filter(|row| !behind.contains(row))
            .map(|row| bench.population[row].clone())
            .collect();
        let at = seed.derive("attack", update);
        let mut guesses: Vec<Vec<Vec<f64>>> = attacks.iter().map(|attack| attack.rows(&seen, at)).collect();
        guesses.push(marginal_guess(&public, batch, at));
        guesses.push(mean_guess(&public, batch));
        for (total, guess) in totals.iter_mut().zip(&guesses) {
            let found = judge(guess, &bench.population, &truth, section.tolerance);
            let n = section.updates as f64;
            total.exact += found.exact / n;
            total.columns += found.columns / n;
            total.identified += found.identified / n;
        }
    }
    let result = |(name, total): (&str, &Recovered)| InversionResult {
        attack: name.to_owned(),
        updates: section.updates,
        exact: total.exact,
        columns: total.columns,
        identified: total.identified,
    };
    Ok(names.into_iter().zip(&totals).map(result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attacker's own gradient, turned, is what the product's trainer sums: it attacks the real update and no model of it.
    #[test]
    fn the_attackers_network_is_the_products() {
        let mut rng = Seed::root(5).rng();
        let spec = ModelSpec::Mlp { hidden: vec![6] };
        let population: Vec<Vec<f64>> = (0..9).map(|_| (0..4).map(|_| rng.normal()).collect()).collect();
        let bench = Bench {
            labels: (0..9).map(|row| f32::from(u8::from(row % 3 == 0))).collect(),
            platform: vec![0; 9],
            columns: 4,
            start: spec.init(4, Fraction::new(0.2).unwrap(), Seed::root(6)).0,
            network: SmallNetwork { inputs: 4, hidden: 6, units: Units::Rectified },
            spec,
            population,
        };
        let rows: Vec<usize> = (0..9).collect();
        let sent = bench.turned(&bench.sum(&rows, UNCLIPPED).unwrap());
        let weights: Vec<f64> = bench.start.iter().map(|&weight| f64::from(weight)).collect();
        let labels: Vec<f64> = bench.labels.iter().map(|&label| f64::from(label)).collect();
        let own = bench.network.gradient(&bench.turned(&weights), &bench.population, &labels);
        for (at, (sent, own)) in sent.iter().zip(&own).enumerate() {
            assert!((sent - own).abs() < 1e-5 * (1.0 + own.abs()), "{at}: {sent} {own}");
        }
    }
}
