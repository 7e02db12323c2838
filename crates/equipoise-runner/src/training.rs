//! The adapter between federations, which know no model, and models, which know no federation.

use crate::data::{SequenceRows, TrainRows, WorldData};
use equipoise_core::{ClipNorm, Seed, to_change};
use equipoise_features::Token;
use equipoise_federated::{
    Contribution, Drift, LocalTrainer, Outcome, RoundCtx, TrainError, TrainStats, TrainerFactory,
};
use equipoise_model::{
    Backward, Codebook, Course, Examples, ModelError, ModelSpec, Rows, Sequences, Steps, TrainConfig, Trainer,
};
use equipoise_privacy::{LocalGaussian, NoiseSource, PoissonSampler, PrivacyUnit, Relation, Sensitivity};
use std::ops::Range;
use std::sync::OnceLock;

/// What every event code means to a model: public and the same everywhere.
pub(crate) fn codebook() -> &'static Codebook {
    static TABLE: OnceLock<Codebook> = OnceLock::new();
    TABLE.get_or_init(|| {
        Codebook::new(Token::COLUMNS, Token::table()).expect("the table of tokens is finite and whole")
    })
}

/// What a model reads of the rows to train on: their features, or the events beside them.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Labels, platforms and features.
    pub rows: &'a TrainRows,
    /// Read instead of the features.
    pub sequences: Option<&'a SequenceRows>,
}

impl<'a> From<&'a TrainRows> for Material<'a> {
    fn from(rows: &'a TrainRows) -> Self {
        Self { rows, sequences: None }
    }
}

impl<'a> Material<'a> {
    /// What `model` reads of a world. A world that keeps no sequences gives its rows, which a model over sequences then refuses.
    #[must_use]
    pub fn of(model: Option<&ModelSpec>, world: &'a WorldData) -> Self {
        let reads = model.is_some_and(ModelSpec::reads_sequences);
        let sequences = world.sequences.as_ref().filter(|_| reads).map(|sequences| &sequences.train);
        Self { rows: &world.train, sequences }
    }

    /// Features of a row, or of a step of a sequence.
    #[must_use]
    pub const fn columns(&self) -> usize {
        if self.sequences.is_some() { Token::COLUMNS } else { self.rows.columns }
    }
}

/// One platform's training rows.
#[derive(Clone, Debug, Default)]
pub struct ClientRows {
    /// Features a row, or a step of a sequence.
    pub columns: usize,
    /// `[rows, columns]`; nothing where events are read instead.
    pub values: Vec<f32>,
    /// The events, where the model reads those.
    pub sequences: Option<SequenceRows>,
    /// `[rows]`.
    pub labels: Vec<f32>,
    /// Loss weight of each row.
    pub weights: Vec<f32>,
}

impl ClientRows {
    /// Splits rows by platform.
    #[must_use]
    pub fn by_platform<'a>(material: impl Into<Material<'a>>, platforms: usize) -> Vec<Self> {
        let material = material.into();
        let dealt = material.rows.platform.iter().map(|&platform| u32::from(platform));
        Self::dealt(material, dealt, platforms, 1.0)
    }

    /// Splits rows by the client of each (`u32::MAX`: nobody's). `positive` weighs the loss of positive rows.
    #[must_use]
    pub fn dealt<'a>(
        material: impl Into<Material<'a>>,
        dealt: impl IntoIterator<Item = u32>,
        clients: usize,
        positive: f32,
    ) -> Vec<Self> {
        let material = material.into();
        let mut all = vec![Self::empty(material); clients];
        let held = dealt.into_iter().enumerate().filter(|(_, client)| *client != u32::MAX);
        for (row, client) in held {
            all[client as usize].push(material, row, positive);
        }
        all
    }

    /// All rows in one place.
    #[must_use]
    pub fn pooled<'a>(material: impl Into<Material<'a>>) -> Self {
        let material = material.into();
        let mut pool = Self::empty(material);
        (0..material.rows.label.len()).for_each(|row| pool.push(material, row, 1.0));
        pool
    }

    fn empty(material: Material<'_>) -> Self {
        let sequences = material.sequences.map(|_| SequenceRows::default());
        Self { columns: material.columns(), sequences, ..Self::default() }
    }

    fn push(&mut self, Material { rows, sequences }: Material<'_>, row: usize, positive: f32) {
        if let (Some(own), Some(all)) = (&mut self.sequences, sequences) {
            own.push(all.of(row));
        } else {
            self.values.extend_from_slice(&rows.values[row * rows.columns..(row + 1) * rows.columns]);
        }
        self.labels.push(rows.label[row]);
        self.weights.push(if rows.label[row] > 0.5 { positive } else { 1.0 });
    }

    /// What a model trains on.
    #[must_use]
    pub fn examples(&self) -> Examples<'_> {
        match &self.sequences {
            Some(SequenceRows { codes, ends }) => Examples::Sequences(Sequences {
                steps: Steps { codebook: codebook(), codes, ends },
                labels: &self.labels,
                weights: &self.weights,
            }),
            None => Examples::Rows(self.rows()),
        }
    }

    /// The rows as a model over rows takes them.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows { columns: self.columns, values: &self.values, labels: &self.labels, weights: &self.weights }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.labels.len()).unwrap_or(u32::MAX)
    }

    /// Whether all labels are on one side of one half.
    #[must_use]
    pub fn one_class(&self) -> bool {
        let positive = self.labels.iter().filter(|label| **label > 0.5).count();
        positive == 0 || positive == self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// Local epochs on each platform: the clients of federated averaging.
#[derive(Debug)]
pub struct LocalEpochs<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// How a platform trains.
    pub config: TrainConfig,
    /// The platforms' rows.
    pub clients: &'a [ClientRows],
    /// Public weights are whole numbers from 1 to this.
    levels: u32,
    /// Rows of the largest client.
    largest: u32,
}

impl<'a> LocalEpochs<'a> {
    /// Clients that train as `config` says, with public weights from 1 to `levels`. Looks at every client once, so that a round
    /// looks at its cohort only.
    #[must_use]
    pub fn new(spec: &'a ModelSpec, config: TrainConfig, clients: &'a [ClientRows], levels: u32) -> Self {
        let largest = clients.iter().map(ClientRows::len).max().unwrap_or(1).max(1);
        Self { spec, config, clients, levels, largest }
    }
}

struct EpochWorker<'a> {
    of: &'a LocalEpochs<'a>,
    trainer: Trainer,
}

impl LocalTrainer for EpochWorker<'_> {
    fn train(
        &mut self,
        from: &[f32],
        client: u32,
        ctx: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let rows = &self.of.clients[client as usize];
        update.copy_from_slice(from);
        let Drift { towards, each_step } = ctx.drift;
        let course = Course { towards, each_step, effort: ctx.effort };
        let trained = self.trainer.train_along(update, rows.examples(), &self.of.config, ctx.seed, &course);
        let (steps, outcome) = ended(rows, trained.map(|stats| stats.steps))
            .map_err(|error| failed(client, ctx.round, &error))?;
        if outcome.takes_part() {
            to_change(update, from);
        } else {
            update.fill(0.0);
        }
        Ok(TrainStats { rows: rows.len(), steps, outcome, contribution: Contribution::Delta })
    }
}

/// What came of training on some rows: what data can do is an outcome, the rest is an error.
///
/// # Errors
/// If the program or its settings are wrong.
pub(crate) fn ended(rows: &ClientRows, steps: Result<u32, ModelError>) -> Result<(u32, Outcome), ModelError> {
    match steps {
        Ok(_) if rows.is_empty() => Ok((0, Outcome::NoRows)),
        Ok(steps) if rows.one_class() => Ok((steps, Outcome::OneClass)),
        Ok(steps) => Ok((steps, Outcome::Trained)),
        Err(ModelError::Diverged { step }) => Ok((step, Outcome::Diverged)),
        Err(error) => Err(error),
    }
}

impl TrainerFactory for LocalEpochs<'_> {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        let trainer = worker(self.spec, self.clients, self.config.trainer)?;
        Ok(Box::new(EpochWorker { of: self, trainer }))
    }

    fn clients(&self) -> u32 {
        u32::try_from(self.clients.len()).unwrap_or(u32::MAX)
    }

    fn layers(&self) -> Vec<Range<usize>> {
        layers(self.spec, self.clients)
    }

    fn size(&self, client: u32) -> u64 {
        u64::from(self.clients[client as usize].len())
    }

    /// Levels are agreed before the run and are coarse on purpose: exact row counts would be a release.
    fn weight(&self, client: u32) -> u32 {
        let rows = u64::from(self.clients[client as usize].len());
        let share = rows * u64::from(self.levels) / u64::from(self.largest);
        u32::try_from(share).unwrap_or(self.levels).clamp(1, self.levels)
    }
}

/// One sum of clipped row gradients a round: the clients of DP-FedSGD.
#[derive(Debug)]
pub struct ClippedSums<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// The platforms' rows, one an account.
    pub clients: &'a [ClientRows],
    /// Bound on one row's gradient.
    pub clip: ClipNorm,
    /// Who takes part in a round.
    pub sampler: PoissonSampler,
}

struct SumWorker<'a> {
    of: &'a ClippedSums<'a>,
    trainer: Trainer,
}

impl LocalTrainer for SumWorker<'_> {
    fn train(
        &mut self,
        global: &[f32],
        client: u32,
        ctx: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let rows = &self.of.clients[client as usize];
        let batch = self.of.sampler.sample(rows.len(), ctx.seed.derive("poisson", 0));
        self.trainer
            .clipped_gradient_sum(global, rows.examples(), &batch, self.of.clip, update)
            .map_err(|error| failed(client, ctx.round, &error))?;
        // A gradient points uphill; an update says where the model should go.
        update.iter_mut().for_each(|value| *value = -*value);
        let bound = Sensitivity {
            unit: PrivacyUnit::Row,
            relation: Relation::ZeroOut,
            value: charged(self.of.clip, rows),
        };
        let (steps, outcome) = ended(rows, Ok(1)).map_err(|error| failed(client, ctx.round, &error))?;
        Ok(TrainStats { rows: rows.len(), steps, outcome, contribution: Contribution::BoundedSum(bound) })
    }
}

impl TrainerFactory for ClippedSums<'_> {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        let trainer = worker(self.spec, self.clients, Backward::Fused)?;
        Ok(Box::new(SumWorker { of: self, trainer }))
    }

    fn clients(&self) -> u32 {
        u32::try_from(self.clients.len()).unwrap_or(u32::MAX)
    }

    fn layers(&self) -> Vec<Range<usize>> {
        layers(self.spec, self.clients)
    }

    fn size(&self, client: u32) -> u64 {
        u64::from(self.clients[client as usize].len())
    }

    fn weight(&self, _client: u32) -> u32 {
        1
    }
}

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
            loss: equipoise_model::Loss::CrossEntropy {},
            optimiser: equipoise_model::Optimiser::Sgd { momentum: 0.0 },
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

/// The clip norm with what rounding a sum in `f32` can add to it in the worst case, so that the claim holds for the numbers
/// that are computed and not only for real ones. The batch is private, the number of rows is public under zeroing out.
pub(crate) fn charged(clip: ClipNorm, rows: &ClientRows) -> ClipNorm {
    let slack = 2.0 * equipoise_model::rounding_slack(rows.labels.len());
    ClipNorm::new(clip.get() * (1.0 + slack)).unwrap_or(clip)
}

/// Where each layer of the model stands in its flat vector.
fn layers(spec: &ModelSpec, clients: &[ClientRows]) -> Vec<Range<usize>> {
    let columns = clients.first().map_or(0, |client| client.columns);
    spec.layers(columns).iter().map(|layer| layer.offset..layer.end()).collect()
}

fn worker(spec: &ModelSpec, clients: &[ClientRows], backward: Backward) -> Result<Trainer, TrainError> {
    let columns = clients.first().map_or(0, |client| client.columns);
    Trainer::with(spec, columns, backward).map_err(|error| failed(0, 0, &error))
}

fn failed(client: u32, round: u32, error: &ModelError) -> TrainError {
    TrainError { client, round, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Delta, Fraction, NoiseMultiplier};
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
