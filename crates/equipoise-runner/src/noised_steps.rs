//! Clipped and noised steps that each platform takes by itself (inter-silo record-level privacy: Lowy and Razaviyayn, ICLR 2023), as the
//! clients of a federation. What they promise is said and accounted by `equipoise_privacy::LocalGaussian`, whose noise they add.

use crate::training::{ClientRows, LocalEpochs, charged, ended, failed, worker};
use equipoise_core::{ClipNorm, Seed, to_change};
use equipoise_federated::{Contribution, LocalTrainer, RoundCtx, TrainError, TrainStats, TrainerFactory};
use equipoise_model::{Backward, Loss, ModelSpec, Optimiser, TrainConfig, Trainer};
use equipoise_privacy::{LocalGaussian, NoiseSource, PoissonSampler};
use std::ops::Range;

/// Clipped and noised steps that each platform takes by itself: the clients of inter-silo record-level privacy. All numbers that leave are
/// made of noised sums, so how an update is weighed, clipped, rounded or left out afterwards costs nothing.
#[derive(Debug)]
pub struct NoisedSteps<'a> {
    /// The clipped sums that are noised, and public weights from 1 to so many levels.
    epochs: LocalEpochs<'a>,
    clip: ClipNorm,
    sampler: PoissonSampler,
    noise: LocalGaussian,
    learning_rate: f64,
}

impl<'a> NoisedSteps<'a> {
    /// Clients that step down noised sums at `learning_rate`, each divided by the number of rows that it expects to sample.
    #[must_use]
    pub fn new(
        spec: &'a ModelSpec,
        clients: &'a [ClientRows],
        clip: ClipNorm,
        sampler: PoissonSampler,
        noise: LocalGaussian,
        learning_rate: f64,
        levels: u32,
    ) -> Self {
        let config = TrainConfig {
            trainer: Backward::Fused,
            epochs: 1,
            batch: 1,
            learning_rate,
            weight_decay: 0.0,
            positive_weight: 1.0,
            loss: Loss::CrossEntropy {},
            optimiser: Optimiser::Sgd { momentum: 0.0 },
        };
        Self { epochs: LocalEpochs::new(spec, config, clients, levels), clip, sampler, noise, learning_rate }
    }

    /// Where the draws of one local step of one platform stand.
    fn at(seed: Seed, step: u32) -> (Seed, Seed) {
        (seed.derive("poisson", u64::from(step)), seed.derive("local-noise", u64::from(step)))
    }
}

struct NoisedWorker<'a> {
    of: &'a NoisedSteps<'a>,
    trainer: Trainer,
    sum: Vec<f32>,
    noised: Vec<f64>,
}

impl LocalTrainer for NoisedWorker<'_> {
    #[allow(clippy::cast_possible_truncation)] // A model is f32.
    fn train(
        &mut self,
        from: &[f32],
        client: u32,
        ctx: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let of = self.of;
        let rows = &of.epochs.clients[client as usize];
        update.copy_from_slice(from);
        let expected = of.sampler.expected(rows.len());
        let steps = if rows.is_empty() { 0 } else { of.noise.local_steps().get() };
        self.sum.resize(from.len(), 0.0);
        let sensitivity = charged(of.clip, rows).get();
        for step in 0..steps {
            let (sampled, noised) = NoisedSteps::at(ctx.seed, step);
            let batch = of.sampler.sample(rows.len(), sampled);
            self.trainer
                .clipped_gradient_sum(update, rows.examples(), &batch, of.clip, &mut self.sum)
                .map_err(|error| failed(client, ctx.round, &error))?;
            self.noised.clear();
            self.noised.extend(self.sum.iter().map(|&slope| f64::from(slope)));
            of.noise
                .on_local_step(&mut self.noised, sensitivity, NoiseSource::Replayable(noised))
                .map_err(|error| TrainError { client, round: ctx.round, reason: error.to_string() })?;
            let rate = of.learning_rate / expected.max(1.0);
            update.iter_mut().zip(&self.noised).for_each(|(weight, slope)| {
                *weight = (f64::from(*weight) - rate * slope) as f32;
            });
        }
        let (_, outcome) = ended(rows, Ok(steps)).map_err(|error| failed(client, ctx.round, &error))?;
        to_change(update, from);
        Ok(TrainStats { rows: rows.len(), steps, outcome, contribution: Contribution::Delta })
    }
}

impl TrainerFactory for NoisedSteps<'_> {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        let trainer = worker(self.epochs.spec, self.epochs.clients, Backward::Fused)?;
        Ok(Box::new(NoisedWorker { of: self, trainer, sum: Vec::new(), noised: Vec::new() }))
    }

    fn clients(&self) -> u32 {
        self.epochs.clients()
    }

    fn layers(&self) -> Vec<Range<usize>> {
        self.epochs.layers()
    }

    fn size(&self, client: u32) -> u64 {
        self.epochs.size(client)
    }

    fn weight(&self, client: u32) -> u32 {
        self.epochs.weight(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Delta, Fraction, NoiseMultiplier};
    use equipoise_federated::Drift;
    use equipoise_privacy::{CentralGaussianSpec, LocalGaussianSpec, NoiseLevel};
    use std::num::NonZeroU32;

    const COLUMNS: usize = 3;

    fn clients() -> Vec<ClientRows> {
        let values = (0..40 * COLUMNS).map(|at| ((at * 37) % 17) as f32 / 17.0 - 0.5).collect();
        let labels = (0..40).map(|row| f32::from(u8::from(row % 3 == 0))).collect();
        vec![ClientRows { columns: COLUMNS, values, sequences: None, labels, weights: vec![1.0; 40] }]
    }

    fn noise(local_steps: u32, multiplier: f64) -> LocalGaussian {
        let step = CentralGaussianSpec {
            clip_norm: ClipNorm::new(0.5).unwrap(),
            sampling_rate: Fraction::new(0.4).unwrap(),
            noise: NoiseLevel::NoiseMultiplier(NoiseMultiplier::new(multiplier).unwrap()),
            delta: Delta::new(1e-5).unwrap(),
            steps: 5,
            rows_per_account: None,
        };
        LocalGaussianSpec { step, local_steps: NonZeroU32::new(local_steps).unwrap() }.build().unwrap()
    }

    fn sent(local_steps: u32, multiplier: f64) -> Vec<f32> {
        let (spec, clients) = (ModelSpec::LogisticRegression {}, clients());
        let sampler = PoissonSampler::new(Fraction::new(0.4).unwrap());
        let clip = ClipNorm::new(0.5).unwrap();
        let trainers =
            NoisedSteps::new(&spec, &clients, clip, sampler, noise(local_steps, multiplier), 0.7, 4);
        let ctx =
            RoundCtx { round: 2, seed: Seed::root(8), drift: Drift::default(), effort: 1.0, layers: &[] };
        let mut update = vec![0.0; COLUMNS + 1];
        trainers.worker().unwrap().train(&[0.1, -0.2, 0.3, 0.0], 0, &ctx, &mut update).unwrap();
        update
    }

    /// Three noised steps written out: sample, clip, sum, noise with the whole deviation, divide by what is expected, step.
    #[test]
    fn noised_local_steps_are_what_the_loop_on_paper_does() {
        let (spec, clients, clip) = (ModelSpec::LogisticRegression {}, clients(), 0.5_f64);
        let from = [0.1_f32, -0.2, 0.3, 0.0];
        let mut weights = from.map(f64::from);
        let sampler = PoissonSampler::new(Fraction::new(0.4).unwrap());
        for step in 0..3_u64 {
            let seed = Seed::root(8);
            let batch = sampler.sample(40, seed.derive("poisson", step));
            let mut sum = [0.0_f64; COLUMNS + 1];
            for row in batch {
                let row = row as usize;
                let values = &clients[0].values[row * COLUMNS..(row + 1) * COLUMNS];
                let input: Vec<f64> = values.iter().map(|v| f64::from(*v)).chain([1.0]).collect();
                let logit: f64 = input.iter().zip(&weights).map(|(a, w)| a * w).sum();
                let slope = 1.0 / (1.0 + libm::exp(-logit)) - f64::from(clients[0].labels[row]);
                let norm = slope.abs() * input.iter().map(|a| a * a).sum::<f64>().sqrt();
                sum.iter_mut().zip(&input).for_each(|(sum, a)| *sum += a * slope * (clip / norm).min(1.0));
            }
            let deviation = 1.5 * charged(ClipNorm::new(clip).unwrap(), &clients[0]).get();
            let source = NoiseSource::Replayable(seed.derive("local-noise", step));
            source.add_gaussian(&mut sum, deviation).unwrap();
            weights.iter_mut().zip(sum).for_each(|(weight, slope)| *weight -= 0.7 / (0.4 * 40.0) * slope);
        }
        let _ = spec;
        for ((got, want), from) in sent(3, 1.5).iter().zip(weights).zip(from) {
            assert!((f64::from(*got) - (want - f64::from(from))).abs() < 1e-5, "{got} {want}");
        }
    }

    /// The deviation of what one step sends is that of the noise that is accounted, and later steps add theirs.
    #[test]
    fn more_noise_and_more_steps_move_what_is_sent() {
        let distance = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum::<f64>().sqrt()
        };
        let (one, louder, longer) = (sent(1, 1.5), sent(1, 15.0), sent(2, 1.5));
        assert!(distance(&one, &louder) > 5.0 * distance(&one, &sent(1, 1.6)));
        assert!(distance(&one, &longer) > 1e-3);
    }
}
