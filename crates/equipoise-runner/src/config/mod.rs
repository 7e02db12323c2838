//! An experiment file: the types are the documentation of its keys. Unknown keys are errors, research choices have no
//! hidden defaults, and every number is checked where it is parsed.

mod arm;
mod check;
mod evaluation;
mod fusion;
mod load;
mod noise;
mod partition;
mod suggest;
mod sweep;
mod unit;

pub use arm::ArmKind;
pub use evaluation::{Evaluation, EvaluationRelease};
pub use fusion::{FusionFunction, FusionSection};
pub use load::{Loaded, load, load_on};
pub(crate) use load::{parse, read};
pub use noise::NoiseSpec;
pub use partition::PartitionSpec;
pub(crate) use suggest::nearest;
pub(crate) use sweep::tables;
pub use sweep::{Budget, Point, Sweep};
pub(crate) use unit::check as check_unit;
pub use unit::{Aggregation, Contribution, Scoring, UnitSpec};

use crate::schema::SchemaSpec;
use equipoise_attack::PoisonSpec;
use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction};
use equipoise_encrypted::SchemeSpec;
use equipoise_features::FeatureSpec;
use equipoise_federated::{AggregatorSpec, CohortSpec, CompressionSpec, LocalSpec, ScheduleSpec, ServerSpec};
use equipoise_model::boosted::BoostedSpec;
use equipoise_model::calibration::CalibrationSpec;
use equipoise_model::{ModelSpec, TrainConfig};
use equipoise_privacy::{Quantizer, Rounding};
use serde::{Deserialize, Serialize};

/// One experiment: a question, a world, arms that are compared on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Experiment {
    /// What is asked, and how often.
    pub experiment: Meta,
    /// The world that everything happens in.
    pub world: WorldSection,
    /// What a platform computes about its accounts.
    pub features: FeatureSpec,
    /// Which of the platforms' columns a model reads; all of them without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaSpec>,
    /// When rows are cut, when labels are read, when decisions are made.
    pub protocol: Protocol,
    /// The risk model.
    pub model: ModelSpec,
    /// Boosted trees, where an arm grows some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trees: Option<BoostedSpec>,
    /// Bins of a logistic regression, where an arm is one on binned features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binned: Option<Binned>,
    /// How scores become probabilities, where they do; queues are sorted by the score either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationSpec>,
    /// What the model says before any training.
    pub start: Start,
    /// How a platform trains it.
    pub training: TrainConfig,
    /// How platforms train together.
    pub federation: FederationSection,
    /// How updates become one.
    pub aggregation: AggregationSpec,
    /// How the platforms' scores of one account become one value, where an arm fuses them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fusion: Option<FusionSection>,
    /// What is promised about the released model.
    pub privacy: PrivacySection,
    /// How learning rates are chosen: the same budget for every arm, on development worlds only.
    pub tuning: Tuning,
    /// How safety is measured.
    pub evaluation: Evaluation,
    /// The arms, in the order of the report.
    pub arms: Vec<ArmKind>,
    /// Keys that take several values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Meta {
    /// Name of the run directory: letters, digits and hyphens.
    pub name: String,
    /// The question, one sentence.
    pub question: String,
    /// The root of all randomness.
    pub seed: u64,
    /// Number of test worlds. Each gives one value to every interval.
    pub seeds: u32,
    /// The metric that was chosen before any arm was compared.
    pub primary: String,
}

/// Which world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorldSection {
    /// World file, relative to the experiment file.
    pub dataset: String,
    /// Number of persons; replaces the number in the world file.
    pub persons: u32,
    /// Number of observed days; replaces the number in the world file.
    pub days: u16,
}

/// The protocol of time. All days are counted from the start of the observed window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Protocol {
    /// Days at which training rows may be cut, ascending. A labelled account's row is cut at the last of them that lies
    /// strictly before its label was known.
    pub train_cutoffs: Vec<u32>,
    /// Labels known up to this day are training labels; decisions begin here.
    pub label_cutoff: u32,
    /// Days between decisions.
    pub decision_every: u32,
    /// Share of persons whose accounts are tested and never trained on.
    pub test_share: Fraction,
    /// Which of their accounts are tested.
    pub population: Population,
    /// What training rows are labelled with.
    pub labels: Labels,
}

/// What training rows are labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// What the platform knew by the label cut-off: late, incomplete, partly wrong.
    PlatformKnown,
    /// Whether a harmful contact had happened by the row's cut-off. An oracle: nobody has it; it tells a pattern that cannot
    /// be learned from labels that do not tell it.
    Truth,
    /// A control: what platforms knew, dealt anew among each platform's rows, and what happened to tested accounts dealt anew among
    /// each platform's tested accounts. Nothing can be learned and no arm is better than another; a study that finds a
    /// difference here finds its own error rate.
    Permuted,
}

/// Which accounts of the test persons are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Population {
    /// All of them: what a platform faces.
    All,
    /// Accounts with a simulated harmful pattern and the benign look-alikes that were made to match them: the hardest
    /// question, and at delta = 0 one that nobody can answer.
    Matched,
}

/// Public bins of a logistic regression on binned features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Binned {
    /// Bins of equal width over each feature's documented range, at least 2; not seen and exactly 0 have their own.
    pub bins: u16,
}

/// What a model says before any training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Start {
    /// The score that every row gets: a public guess of how rare positives are, never computed from data. Far above the
    /// truth it makes every early step a step against the many negatives, which clipping and noise do not forgive.
    pub prior: Fraction,
}

/// How platforms train together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FederationSection {
    /// Number of rounds without a privacy guarantee; arms without federation make as many passes in all.
    pub rounds: u32,
    /// How rows are dealt out to the clients of the federated arms.
    pub partition: PartitionSpec,
    /// What a platform does in a round besides following its gradient.
    pub local: LocalSpec,
    /// When the server takes a step: in rounds, or for whoever comes first.
    pub schedule: ScheduleSpec,
    /// What is sent of an update: a public linear map, so that hidden sums of it are sums, or a choice that each client makes for itself,
    /// for visible rules alone.
    pub compression: CompressionSpec,
    /// Which of its two neighbours on the grid a number becomes; the nearest without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    /// Who takes part, and what goes wrong.
    pub cohort: CohortSpec,
    /// What byzantine clients do, where the cohort's faults have any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poison: Option<PoisonSpec>,
    /// Public weights of platforms are whole numbers from 1 to this, by size.
    pub weight_levels: u32,
    /// Largest L2 norm of a platform's update: robustness and range, not privacy.
    pub update_clip: ClipNorm,
    /// How updates become integers.
    pub quantizer: Quantizer,
    /// What the server does with the mean update.
    pub server: ServerSpec,
}

/// Hidden in a sum, or visible and ranked. Never both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AggregationSpec {
    /// The server sees the sum only, as far as the scheme holds.
    Hidden(SchemeSpec),
    /// The server sees every update.
    Visible(AggregatorSpec),
}

/// What is promised about the released model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PrivacySection {
    /// Epsilon of one released model, or `"inf"` for no guarantee (then the federation averages local epochs).
    pub epsilon: Epsilon,
    /// Delta of the guarantee.
    pub delta: Delta,
    /// Whose guarantee it is; a row's without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitSpec>,
    /// Largest L2 norm of one row's gradient.
    pub clip_norm: ClipNorm,
    /// Probability with which a row takes part in a round, independently of all others.
    pub sampling_rate: Fraction,
    /// Rounds, one clipped step each.
    pub rounds: u32,
    /// Bits of the quantised sums.
    pub bits: u8,
    /// Where noise is made; on the opened sum without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseSpec>,
    /// What the server does with the noised mean gradient.
    pub server: ServerSpec,
}

/// How learning rates are chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tuning {
    /// Development worlds, disjoint from all test worlds.
    pub worlds: u32,
    /// Candidates for arms that train by local epochs.
    pub learning_rates: Vec<f64>,
    /// Candidates for the server's step in arms with a privacy guarantee; as many as above.
    pub private_learning_rates: Vec<f64>,
}

impl Experiment {
    /// Features that the model reads: of a row, or of a step of a sequence.
    #[must_use]
    pub fn model_columns(&self) -> usize {
        if self.model.reads_sequences() {
            equipoise_features::Token::COLUMNS
        } else {
            equipoise_features::dictionary(self.features.label_adjacent).len()
        }
    }
}
