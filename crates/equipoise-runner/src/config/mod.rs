//! An experiment file: the types are the documentation of its keys. Unknown keys are errors, research choices have no
//! hidden defaults, and every number is checked where it is parsed.

mod check;
mod fusion;
mod load;
mod noise;
mod partition;
mod suggest;
mod sweep;
mod unit;

pub use fusion::{FusionFunction, FusionSection};
pub use load::{Loaded, load, load_on};
pub(crate) use load::{parse, read};
pub use noise::NoiseSpec;
pub use partition::PartitionSpec;
pub(crate) use suggest::nearest;
pub(crate) use sweep::tables;
pub use sweep::{Budget, Point, Sweep};
pub(crate) use unit::check as check_unit;
pub use unit::{Contribution, UnitSpec};

use crate::schema::SchemaSpec;
use equipoise_attack::PoisonSpec;
use equipoise_core::{ClipNorm, Delta, Epsilon, Fraction};
use equipoise_encrypted::SchemeSpec;
use equipoise_eval::metric::RmstTimeToDetection;
use equipoise_eval::{Metric, MetricSpec};
use equipoise_features::FeatureSpec;
use equipoise_federated::{AggregatorSpec, CohortSpec, CompressionSpec, LocalSpec, ScheduleSpec, ServerSpec};
use equipoise_model::boosted::BoostedSpec;
use equipoise_model::calibration::CalibrationSpec;
use equipoise_model::{ModelSpec, TrainConfig};
use equipoise_policy::Reviewer;
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

/// How safety is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evaluation {
    /// Reviews that a platform can afford a day, as a share of its tested accounts.
    pub review_budget: Fraction,
    /// The simulated review.
    pub reviewer: Reviewer,
    /// Bootstrap resamples of intervals inside one world.
    pub resamples: u32,
    /// Horizon of the restricted mean time to detection in days; must fit between the label cut-off and the world's end.
    pub horizon_days: f64,
    /// What arms with a guarantee tell about their tested accounts, which are private too: noised counts at this price. Without it they
    /// tell nothing, and what stands in a report are the numbers of an oracle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<EvaluationRelease>,
}

/// The price of telling how well an arm does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EvaluationRelease {
    /// Epsilon of one release, beside the model's; finite.
    pub epsilon: Epsilon,
    /// Its delta.
    pub delta: Delta,
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

impl Evaluation {
    /// Every metric, with this experiment's parameters.
    #[must_use]
    pub fn metrics(&self) -> Vec<Box<dyn Metric>> {
        let own = |spec| match spec {
            MetricSpec::RmstTimeToDetection(metric) => MetricSpec::RmstTimeToDetection(RmstTimeToDetection {
                horizon_days: self.horizon_days,
                ..metric
            }),
            other => other,
        };
        MetricSpec::examples().into_iter().map(|spec| own(spec).build()).collect()
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmKind {
    /// Reviews what users reported, most reports first. No model.
    ReportsOnly,
    /// The founding document's rule, read literally: declared adults who newly contact many declared minors in a day.
    LiteralRule,
    /// Each platform trains alone on its own rows.
    LocalOnly,
    /// Platforms train together; rows stay where they are.
    Federated,
    /// The same, with logistic regression.
    FederatedLogistic,
    /// All rows in one place, accounts not linked to persons. Nobody may do this; it bounds what federation can reach.
    PooledUnlinked,
    /// All rows in one place, accounts of one person linked. Nobody may do this either.
    PooledLinked,
    /// Boosted trees on each platform's own rows: what industry would pick for rows, beside the networks.
    LocalTrees,
    /// Boosted trees grown together from summed histograms of integers; rows stay where they are.
    FederatedTrees,
    /// Boosted trees on all rows in one place, accounts not linked.
    PooledTrees,
    /// Logistic regression on publicly binned features, on each platform's own rows.
    LocalBinned,
    /// The same, trained together by federated averaging, whatever local rule is studied beside it.
    FederatedBinned,
    /// The same on all rows in one place, accounts not linked.
    PooledBinned,
    /// Each platform trains alone; a server reads all their scores of one pseudonymous account and applies a rule to them.
    FusedPlain,
    /// The same rule on encrypted scores: no seat reads one, and only the rule's value is opened.
    FusedEncrypted,
}

impl ArmKind {
    /// Every arm, in the order of the ladder.
    pub const ALL: [Self; 15] = [
        Self::ReportsOnly,
        Self::LiteralRule,
        Self::LocalOnly,
        Self::Federated,
        Self::FederatedLogistic,
        Self::PooledUnlinked,
        Self::PooledLinked,
        Self::LocalTrees,
        Self::FederatedTrees,
        Self::PooledTrees,
        Self::LocalBinned,
        Self::FederatedBinned,
        Self::PooledBinned,
        Self::FusedPlain,
        Self::FusedEncrypted,
    ];

    /// The name in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::ReportsOnly => "reports-only",
            Self::LiteralRule => "literal-rule",
            Self::LocalOnly => "local-only",
            Self::Federated => "federated",
            Self::FederatedLogistic => "federated-logistic",
            Self::PooledUnlinked => "pooled-unlinked",
            Self::PooledLinked => "pooled-linked",
            Self::LocalTrees => "local-trees",
            Self::FederatedTrees => "federated-trees",
            Self::PooledTrees => "pooled-trees",
            Self::LocalBinned => "local-binned",
            Self::FederatedBinned => "federated-binned",
            Self::PooledBinned => "pooled-binned",
            Self::FusedPlain => "fused-plain",
            Self::FusedEncrypted => "fused-encrypted",
        }
    }

    /// One sentence for `describe` and the report.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ReportsOnly => "reviews what users reported, most reports first; no model",
            Self::LiteralRule => {
                "the founding document's rule: new declared-minor contacts a day and accept rate"
            }
            Self::LocalOnly => "each platform trains alone on its own rows",
            Self::Federated => "platforms train one model together; rows stay where they are",
            Self::FederatedLogistic => "the same with logistic regression",
            Self::PooledUnlinked => "all rows in one place, accounts not linked; nobody may do this",
            Self::PooledLinked => "all rows in one place, accounts of one person linked; nobody may do this",
            Self::LocalTrees => "each platform trains boosted trees on its own rows",
            Self::FederatedTrees => "platforms grow boosted trees together from summed histograms",
            Self::PooledTrees => "boosted trees on all rows in one place, not linked; nobody may do this",
            Self::LocalBinned => {
                "each platform trains a logistic regression on publicly binned features alone"
            }
            Self::FederatedBinned => {
                "platforms train a logistic regression on publicly binned features together"
            }
            Self::PooledBinned => "the same on all rows in one place, not linked; nobody may do this",
            Self::FusedPlain => {
                "each platform trains alone, a server reads all scores of a pseudonymous account and applies a rule"
            }
            Self::FusedEncrypted => {
                "the same rule on encrypted scores: nobody reads a score, only the rule's value is opened"
            }
        }
    }

    /// Whether a model is trained.
    #[must_use]
    pub const fn trains(self) -> bool {
        !matches!(self, Self::ReportsOnly | Self::LiteralRule)
    }

    /// Whether the model is boosted trees, with settings of their own.
    #[must_use]
    pub const fn grows_trees(self) -> bool {
        matches!(self, Self::LocalTrees | Self::FederatedTrees | Self::PooledTrees)
    }

    /// Whether the model is a logistic regression on binned features, with bins of its own.
    #[must_use]
    pub const fn is_binned(self) -> bool {
        matches!(self, Self::LocalBinned | Self::FederatedBinned | Self::PooledBinned)
    }

    /// Whether platforms' scores of one account become one value.
    #[must_use]
    pub const fn fuses(self) -> bool {
        matches!(self, Self::FusedPlain | Self::FusedEncrypted)
    }

    /// Whether platforms train together.
    #[must_use]
    pub const fn federates(self) -> bool {
        matches!(self, Self::Federated | Self::FederatedLogistic | Self::FederatedBinned)
    }
}
