//! The adapter between federations, which know no model, and models, which know no federation.

use crate::data::{SequenceRows, TrainRows, WorldData};
use equipoise_core::{ClipNorm, to_change};
use equipoise_features::Token;
use equipoise_federated::{
    Contribution, Drift, LocalTrainer, Outcome, RoundCtx, TrainError, TrainStats, TrainerFactory,
};
use equipoise_model::{
    Backward, Codebook, Course, Examples, ModelError, ModelSpec, Rows, Sequences, Steps, TrainConfig, Trainer,
};
use equipoise_privacy::{PoissonSampler, PrivacyUnit, Relation, Sensitivity};
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

pub(crate) fn worker(
    spec: &ModelSpec,
    clients: &[ClientRows],
    backward: Backward,
) -> Result<Trainer, TrainError> {
    let columns = clients.first().map_or(0, |client| client.columns);
    Trainer::with(spec, columns, backward).map_err(|error| failed(0, 0, &error))
}

pub(crate) fn failed(client: u32, round: u32, error: &ModelError) -> TrainError {
    TrainError { client, round, reason: error.to_string() }
}
