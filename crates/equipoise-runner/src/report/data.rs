//! What a report is made of: plain numbers and words, already computed.
//! The report module computes no metric and draws no random number; it shows what stands here, so a `ReportData` saved
//! as JSON can be rendered again, anywhere, to the same bytes.

use std::collections::BTreeMap;

pub use super::data_trust::{
    CostRow, ExplanationRow, FeatureRow, FusionRow, LedgerRow, MechanismCard, OutcomeRow, ReleasedRow,
    SeatRow, TuningRow,
};
use serde::{Deserialize, Serialize};

/// Everything that one report shows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ReportData {
    /// The experiment's name.
    pub name: String,
    /// The question, as its file states it.
    pub question: String,
    /// The id of the frozen plan.
    pub plan_id: String,
    /// The version of the code.
    pub version: String,
    /// How many seeds (worlds) were run.
    pub seeds: usize,
    /// Facts about the data: persons, days, platforms, prevalence.
    pub facts: Vec<Fact>,
    /// The share of accounts with a simulated harmful pattern in the assessed population; the line in the
    /// precision-recall figure. `None` leaves the line out.
    pub prevalence: Option<f64>,
    /// The name of the pre-registered metric.
    pub primary: String,
    /// What each metric is.
    pub metrics: Vec<MetricInfo>,
    /// The arms, in the order of the ladder.
    pub arms: Vec<ArmReport>,
    /// Paired differences between arms.
    pub comparisons: Vec<Comparison>,
    /// How much of the learning share federated arms close.
    pub closed: Vec<ClosedRow>,
    /// The gap between training alone and each arm above it, by simulated pattern.
    #[serde(default)]
    pub patterns: Vec<PatternRow>,
    /// What each platform adds, where a run has every coalition.
    pub coalitions: Vec<CoalitionRow>,
    /// How well scores say what they mean, before and after calibration.
    #[serde(default)]
    pub calibration: Vec<CalibrationRow>,
    /// Safety, burden and privacy of every arm that learns, and which of them nobody beats.
    #[serde(default)]
    pub front: Vec<FrontRow>,
    /// The metric that stands for burden in `front`.
    #[serde(default)]
    pub front_burden: String,
    /// The names of the platforms.
    pub platforms: Vec<String>,
    /// What is promised, a line each, what is not among it.
    #[serde(default)]
    pub promises: Vec<String>,
    /// One card for each mechanism that makes a privacy claim.
    pub cards: Vec<MechanismCard>,
    /// Who learns what, by scheme and seat.
    pub seats: Vec<SeatRow>,
    /// What each release spent.
    pub ledger: Vec<LedgerRow>,
    /// What the scores of reviewed accounts rest on.
    #[serde(default)]
    pub explanations: Vec<ExplanationRow>,
    /// What arms with a guarantee told about their tested accounts.
    #[serde(default)]
    pub released: Vec<ReleasedRow>,
    /// What an upload costs.
    pub costs: Vec<CostRow>,
    /// What fusing scores sent, opened and showed.
    #[serde(default)]
    pub fusions: Vec<FusionRow>,
    /// Rounds in which a client did not train as it should, or did not answer.
    pub outcomes: Vec<OutcomeRow>,
    /// The features.
    pub dictionary: Vec<FeatureRow>,
    /// How the settings of each arm were chosen.
    pub tuning: Vec<TuningRow>,
    /// What the results do not show, one sentence each.
    pub limits: Vec<String>,
    /// The commands that make this report again.
    pub reproduce: Vec<String>,
    /// Units that failed, one sentence each.
    pub failures: Vec<String>,
}

/// A named fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// Its value with its unit.
    pub value: String,
}

/// The section of the report whose tables show a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Detection, lead time, children contacted.
    Safety,
    /// Burden on accounts without a harmful pattern.
    Fairness,
    /// Audits of a privacy claim.
    Privacy,
    /// Resources.
    Cost,
    /// Anything else; shown with the ladder.
    #[default]
    Other,
}

/// What a metric is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MetricInfo {
    /// The key used by `summaries` and `comparisons`.
    pub name: String,
    /// The words on an axis.
    pub label: String,
    /// The unit, for example "share" or "days".
    pub unit: String,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// The definition in one sentence.
    pub definition: String,
    /// Where the report shows it.
    pub section: Section,
}

/// An estimate as the report may show it: never a bare number.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimate {
    /// A mean over seeds with its 95 % interval.
    Value {
        /// The mean over seeds.
        mean: f64,
        /// The lower end of the interval.
        low: f64,
        /// The upper end of the interval.
        high: f64,
        /// How many seeds it rests on.
        seeds: usize,
    },
    /// One run: no interval exists.
    SingleRun {
        /// The value of that run.
        value: f64,
    },
    /// Nothing can be said.
    NotAssessable {
        /// Why not, as a fragment.
        reason: String,
    },
}

/// A number with its 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Interval {
    /// The mean over seeds.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What an arm stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmRole {
    /// Reports only: a literal rule that learns nothing.
    Reference,
    /// Each platform learns alone.
    Local,
    /// Platforms learn together without a formal guarantee.
    Federated,
    /// Platforms learn together under a differential-privacy guarantee.
    Private,
    /// All data in one place: an upper reference that nobody should build.
    Pooled,
}

/// One arm of the experiment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ArmReport {
    /// The key used by comparisons, cards and costs.
    pub id: String,
    /// The words in figures.
    pub label: String,
    /// What it stands for.
    pub role: ArmRole,
    /// The claimed epsilon; `None` means no guarantee.
    pub epsilon: Option<f64>,
    /// Metric name to estimate.
    pub summaries: BTreeMap<String, Estimate>,
    /// Metric name to one value a seed, in seed order.
    pub per_seed: BTreeMap<String, Vec<Option<f64>>>,
    /// (recall, precision), seeds pooled.
    pub pr_curve: Vec<(f64, f64)>,
    /// Share identified for review by days since the first harmful contact.
    pub detection: Vec<StepPoint>,
    /// What accounts without a harmful pattern bear, by group.
    pub burden: Vec<BurdenRow>,
    /// The primary metric by platform.
    pub by_platform: Vec<(String, Estimate)>,
    /// The primary metric by archetype of the simulated harmful pattern.
    pub by_archetype: Vec<(String, Estimate)>,
    /// What share of accounts of about one score carry a simulated harmful pattern, worlds pooled.
    #[serde(default)]
    pub reliability: Vec<ReliabilityPoint>,
    /// How its updates are combined, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<String>,
    /// Clients asked in a round, where there are rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<u64>,
    /// Share of clients that send tampered updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostile: Option<f64>,
}

/// Accounts of about one score.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReliabilityPoint {
    /// Their mean score.
    pub score: f64,
    /// The share of them with a simulated harmful pattern.
    pub share: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
    /// How many they are.
    pub accounts: u64,
}

/// Where an arm stands among all: nobody is at least as good in safety, burden and privacy, and better in one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FrontRow {
    /// The arm.
    pub arm: String,
    /// Mean over worlds of the pre-registered metric.
    pub safety: f64,
    /// Mean over worlds of the burden.
    pub burden: f64,
    /// Claimed epsilon of the model that leaves, 0 where nothing leaves a platform; `None` means no guarantee.
    pub epsilon: Option<f64>,
    /// Whether the arm is on the front of the means.
    pub on_front: bool,
    /// In what share of bootstrap draws of the worlds it is.
    pub membership: f64,
}

/// One step of a detection-time curve.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepPoint {
    /// Days since the first harmful contact.
    pub days: f64,
    /// Share identified for review by then.
    pub share: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
}

/// What one group of accounts without a harmful pattern bears.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BurdenRow {
    /// The group, for example "teacher".
    pub group: String,
    /// How many accounts it has, over all seeds.
    pub accounts: u64,
    /// How many of them were identified for review, over all seeds: a count, not an estimate.
    pub reviewed: Option<f64>,
    /// Restrictions for each 10,000 account days.
    pub restricted_per_10k_days: Option<Interval>,
}

/// A paired difference, `a` minus `b`, seed by seed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The arm that is compared.
    pub a: String,
    /// The arm it is compared with.
    pub b: String,
    /// The metric.
    pub metric: String,
    /// `a` minus `b`.
    pub difference: Estimate,
    /// The name of this step of the ladder: "learning share", "linkage share".
    pub share: Option<String>,
    /// What may be said. The report says "higher" or "lower" only where the interval also excludes 0.
    pub verdict: Verdict,
    /// The p-value of the paired t test, adjusted by Holm for the number of comparisons on this metric; none where nothing was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_holm: Option<f64>,
}

/// What one platform adds to the whole, in units of the pre-registered metric.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CoalitionRow {
    /// The platform.
    pub platform: String,
    /// Its Shapley value: its share of what all together gain over everybody alone.
    pub share: Estimate,
    /// What the whole loses when it alone abstains.
    pub missed: Estimate,
}

/// What calibration did to one metric of one arm.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CalibrationRow {
    /// The arm.
    pub arm: String,
    /// The map, as it was fitted in each world.
    pub map: String,
    /// Held-out rows that it was fitted to and the positives among them, over all worlds.
    pub held_out: (u64, u64),
    /// The metric.
    pub metric: String,
    /// Of the scores as the model gives them.
    pub before: Estimate,
    /// Of the probabilities.
    pub after: Estimate,
}

/// How much of the learning share (local only to pooled, unlinked) an arm closes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClosedRow {
    /// The arm.
    pub arm: String,
    /// The metric.
    pub metric: String,
    /// 0 is local only, 1 is pooled, unlinked.
    pub share: Estimate,
}

/// What an arm identifies of one simulated pattern, beside what training alone does, in units of the pre-registered metric.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PatternRow {
    /// The pattern.
    pub pattern: String,
    /// The arm.
    pub arm: String,
    /// Persons that the metric counts, over all worlds.
    pub persons: u64,
    /// The metric when each platform trains alone.
    pub alone: Estimate,
    /// The arm's.
    pub value: Estimate,
    /// The arm minus training alone, paired by world.
    pub difference: Estimate,
    /// What may be said.
    pub verdict: Verdict,
    /// Share of the step from local only to pooled, unlinked, that the arm closes; none for an arm that is no federation.
    pub closed: Option<Estimate>,
}

/// What a comparison allows to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// `a` is higher.
    Higher,
    /// `a` is lower.
    Lower,
    /// No difference at 95 %.
    NoDifference,
    /// Nothing can be said.
    NotAssessable,
}
