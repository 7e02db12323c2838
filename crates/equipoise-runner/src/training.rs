//! The adapter between federations, which know no model, and models, which know no federation.

use crate::data::TrainRows;
use equipoise_core::ClipNorm;
use equipoise_federated::{
    Contribution, Drift, LocalTrainer, Outcome, RoundCtx, TrainError, TrainStats, TrainerFactory,
};
use equipoise_model::{Backward, Course, ModelError, ModelSpec, Rows, TrainConfig, Trainer};
use equipoise_privacy::{PoissonSampler, PrivacyUnit, Relation, Sensitivity};
use std::ops::Range;

/// One platform's training rows.
#[derive(Clone, Debug, Default)]
pub struct ClientRows {
    /// Features a row.
    pub columns: usize,
    /// `[rows, columns]`.
    pub values: Vec<f32>,
    /// `[rows]`.
    pub labels: Vec<f32>,
    /// Loss weight of each row.
    pub weights: Vec<f32>,
}

impl ClientRows {
    /// Splits rows by platform.
    #[must_use]
    pub fn by_platform(rows: &TrainRows, platforms: usize) -> Vec<Self> {
        let dealt = rows.platform.iter().map(|&platform| u32::from(platform));
        Self::dealt(rows, dealt, platforms, 1.0)
    }

    /// Splits rows by the client of each (`u32::MAX`: nobody's). `positive` weighs the loss of positive rows.
    #[must_use]
    pub fn dealt(
        rows: &TrainRows,
        dealt: impl IntoIterator<Item = u32>,
        clients: usize,
        positive: f32,
    ) -> Vec<Self> {
        let mut all = vec![Self { columns: rows.columns, ..Self::default() }; clients];
        let held = dealt.into_iter().enumerate().filter(|(_, client)| *client != u32::MAX);
        for (row, client) in held {
            all[client as usize].push(rows, row, positive);
        }
        all
    }

    /// All rows in one place.
    #[must_use]
    pub fn pooled(rows: &TrainRows) -> Self {
        let mut pool = Self { columns: rows.columns, ..Self::default() };
        (0..rows.label.len()).for_each(|row| pool.push(rows, row, 1.0));
        pool
    }

    fn push(&mut self, rows: &TrainRows, row: usize, positive: f32) {
        self.values.extend_from_slice(&rows.values[row * rows.columns..(row + 1) * rows.columns]);
        self.labels.push(rows.label[row]);
        self.weights.push(if rows.label[row] > 0.5 { positive } else { 1.0 });
    }

    /// The rows as a model takes them.
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
    pub levels: u32,
    /// Rows of the largest client.
    pub largest: u32,
}

impl<'a> LocalEpochs<'a> {
    /// Clients whose public weights are whole numbers from 1 to `levels`, by size.
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
        let trained = self.trainer.train_along(update, &rows.rows(), &self.of.config, ctx.seed, &course);
        let (steps, outcome) = ended(rows, trained.map(|stats| stats.steps))
            .map_err(|error| failed(client, ctx.round, &error))?;
        if outcome.takes_part() {
            update.iter_mut().zip(from).for_each(|(after, before)| *after -= before);
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
            .clipped_gradient_sum(global, &rows.rows(), &batch, self.of.clip, update)
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

/// The clip norm with what rounding a sum in `f32` can add to it in the worst case, so that the claim holds for the numbers
/// that are computed and not only for real ones. The batch is private, the number of rows is public under zeroing out.
fn charged(clip: ClipNorm, rows: &ClientRows) -> ClipNorm {
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
