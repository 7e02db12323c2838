//! The adapter between federations, which know no model, and models, which know no federation.

use crate::data::TrainRows;
use equipoise_core::ClipNorm;
use equipoise_federated::{Contribution, LocalTrainer, RoundCtx, TrainError, TrainStats, TrainerFactory};
use equipoise_model::{Backward, ModelError, ModelSpec, Rows, TrainConfig, Trainer};
use equipoise_privacy::{PoissonSampler, PrivacyUnit, Relation, Sensitivity};

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
    /// Splits rows by platform. `positive` weighs the loss of positive rows.
    #[must_use]
    pub fn by_platform(rows: &TrainRows, platforms: usize, positive: f32) -> Vec<Self> {
        let mut clients = vec![Self { columns: rows.columns, ..Self::default() }; platforms];
        for (row, platform) in rows.platform.iter().enumerate() {
            clients[usize::from(*platform)].push(rows, row, positive);
        }
        clients
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
}

struct EpochWorker<'a> {
    of: &'a LocalEpochs<'a>,
    trainer: Trainer,
}

impl LocalTrainer for EpochWorker<'_> {
    fn train(
        &mut self,
        global: &[f32],
        client: u32,
        ctx: &RoundCtx,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let rows = &self.of.clients[client as usize];
        update.copy_from_slice(global);
        self.trainer
            .train(update, &rows.rows(), &self.of.config, ctx.seed)
            .map_err(|error| failed(client, ctx.round, &error))?;
        update.iter_mut().zip(global).for_each(|(after, before)| *after -= before);
        Ok(TrainStats { rows: rows.len(), contribution: Contribution::Delta })
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

    /// Levels are agreed before the run and are coarse on purpose: exact row counts would be a release.
    fn weight(&self, client: u32) -> u32 {
        let largest = self.clients.iter().map(ClientRows::len).max().unwrap_or(1).max(1);
        let share =
            u64::from(self.clients[client as usize].len()) * u64::from(self.levels) / u64::from(largest);
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
        ctx: &RoundCtx,
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
        Ok(TrainStats { rows: rows.len(), contribution: Contribution::BoundedSum(bound) })
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

fn worker(spec: &ModelSpec, clients: &[ClientRows], backward: Backward) -> Result<Trainer, TrainError> {
    let columns = clients.first().map_or(0, |client| client.columns);
    Trainer::with(spec, columns, backward).map_err(|error| failed(0, 0, &error))
}

fn failed(client: u32, round: u32, error: &ModelError) -> TrainError {
    TrainError { client, round, reason: error.to_string() }
}
