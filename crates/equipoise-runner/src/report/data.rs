//! What a report is made of: plain numbers and words, already computed.
//! The report module computes no metric and draws no random number; it shows what stands here, so a `ReportData` saved
//! as JSON can be rendered again, anywhere, to the same bytes.

use std::collections::BTreeMap;

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

/// A privacy claim with everything that it rests on.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct MechanismCard {
    /// The arm.
    pub arm: String,
    /// The claim as one sentence.
    pub sentence: String,
    /// The unit of protection.
    pub unit: String,
    /// The neighbouring relation.
    pub relation: String,
    /// Epsilon; `None` means no guarantee.
    pub epsilon: Option<f64>,
    /// Delta.
    pub delta: Option<f64>,
    /// Who is assumed to look.
    pub adversary: String,
    /// Noise standard deviation over sensitivity.
    pub noise_multiplier: Option<f64>,
    /// The share sampled in a step.
    pub sampling_rate: Option<f64>,
    /// How many steps are charged: the most that one unit could take part in.
    pub steps: Option<u64>,
    /// How many rounds were planned.
    #[serde(default)]
    pub planned: Option<u64>,
    /// How many were opened: what was released.
    #[serde(default)]
    pub opened: Option<u64>,
    /// Epsilon if every planned round had taken in every platform.
    #[serde(default)]
    pub planned_epsilon: Option<f64>,
    /// Rows that one unit reaches at most (K).
    #[serde(default)]
    pub rows: Option<u64>,
    /// Contacts that a row reads at most (m), where that is part of the claim.
    #[serde(default)]
    pub contacts: Option<u64>,
    /// Rows that bounding an account's contribution kept, and of how many.
    #[serde(default)]
    pub survivors: Option<(u64, u64)>,
    /// What Renyi accounting says of the same steps.
    #[serde(default)]
    pub renyi_epsilon: Option<f64>,
    /// The clipping bound.
    pub clip_norm: Option<f64>,
    /// The accountant's name.
    pub accountant: String,
    /// What is not claimed, one fragment each.
    pub not_protected: Vec<String>,
}

/// What one seat learns under one scheme.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatRow {
    /// The aggregation scheme.
    pub scheme: String,
    /// The scheme in one sentence.
    pub headline: String,
    /// The seat: server, platform, key holder, outsider.
    pub seat: String,
    /// What it learns.
    pub learns: String,
    /// Whether it reads the update of a single platform.
    pub reads_single_updates: bool,
}

/// What one release spent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LedgerRow {
    /// What was released.
    pub release: String,
    /// Epsilon; `None` means no guarantee.
    pub epsilon: Option<f64>,
    /// Delta.
    pub delta: Option<f64>,
    /// The unit of protection.
    pub unit: String,
}

/// One column of what the scores of an arm's reviewed accounts rest on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ExplanationRow {
    /// The arm.
    pub arm: String,
    /// The column in plain words.
    pub words: String,
    /// Its part of all shares, without their sign.
    pub part: f64,
    /// Its mean share, in logits: above zero where it speaks for a review.
    pub mean: f64,
    /// Reviewed accounts, over all worlds.
    pub accounts: u64,
    /// Part of an account's three largest columns that stays when every number moves by up to a hundredth.
    pub stable: f64,
    /// The largest distance of an account's shares from adding up, in logits.
    pub gap: f64,
}

/// How well an arm does, told with a guarantee for the tested accounts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReleasedRow {
    /// The arm.
    pub arm: String,
    /// What it cost.
    pub epsilon: f64,
    /// At this delta.
    pub delta: f64,
    /// Between whom it holds, against whom, and what is not protected.
    pub scope: String,
    /// Deviation of the noise on each count of accounts.
    pub deviation: f64,
    /// The share of accounts with a simulated harmful pattern that were reviewed, from noised counts.
    pub told: Estimate,
    /// Worlds whose noised counts tell no share.
    pub untold: usize,
    /// The same without noise: an oracle's, non-private.
    pub oracle: Estimate,
}

/// How often something other than a whole round's training befell a client, over all worlds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutcomeRow {
    /// The arm.
    pub arm: String,
    /// The platform, the client's number where clients are not platforms, or the devices of a platform together.
    pub client: String,
    /// What: an outcome of training, `dropped`, `away`, `late`, or `partial-work`.
    pub what: String,
    /// In how many rounds.
    pub rounds: u64,
    /// Of how many rounds.
    pub of: u64,
}

/// What an upload costs: counted from the message formats, so without an interval.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CostRow {
    /// The arm.
    pub arm: String,
    /// The aggregation scheme.
    pub scheme: String,
    /// Parameters of the model.
    pub parameters: u64,
    /// Rounds.
    pub rounds: u64,
    /// How long the server waited in all, in the time that a typical client needs for a round; `None` without a clock.
    pub virtual_time: Option<f64>,
    /// Bytes that one platform uploads in one round.
    pub upload_bytes_per_platform_round: f64,
    /// The same for each parameter.
    pub bytes_per_parameter: f64,
    /// Parameters packed in one ciphertext; `None` where nothing is packed.
    pub slots: Option<u64>,
    /// Bits of one slot.
    pub width_bits: Option<u32>,
    /// Bits left between the sum and the largest value that a slot holds.
    pub noise_headroom_bits: Option<f64>,
}

/// What fusing the platforms' scores sent, opened and showed: one world's mean.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FusionRow {
    /// The arm.
    pub arm: String,
    /// The design.
    pub design: String,
    /// How accounts were matched.
    pub matching: String,
    /// Periods with keys of their own, in a world.
    pub sessions: f64,
    /// Accounts that were opened in a period.
    pub accounts: f64,
    /// Bits that all openings of an account in a world can say, at most.
    pub bits_per_account: u64,
    /// Share of openings that gave a value above the lowest.
    pub raised: f64,
    /// Bytes of one score.
    pub bytes_per_score: f64,
    /// Bytes between servers and to those who open, and back, of one opening.
    pub bytes_per_opening: f64,
    /// Bytes of matching, of one account that a platform asks about.
    pub bytes_per_match: f64,
    /// Messages that wait for each other, from upload to value.
    pub rounds: u32,
    /// Bits that smudging exceeds the error by; none where nothing is smudged.
    pub smudging_bits: Option<u32>,
    /// What the server counts because accounts are matched: accounts of each platform, and of each pair.
    pub overlaps: String,
}

/// One feature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FeatureRow {
    /// Its name.
    pub name: String,
    /// How it is computed.
    pub formula: String,
    /// Its unit.
    pub unit: String,
    /// Its group.
    pub group: String,
    /// The platforms that have it.
    pub platforms: Vec<String>,
    /// The kinds of events that it reads.
    pub reads: Vec<String>,
    /// Whether it lies next to the label (reports, blocks).
    pub label_adjacent: bool,
}

/// How the setting of one arm was chosen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TuningRow {
    /// The arm.
    pub arm: String,
    /// Each candidate with its validation value; `None` where it failed.
    pub candidates: Vec<(String, Option<f64>)>,
    /// The chosen candidate.
    pub chosen: String,
}
