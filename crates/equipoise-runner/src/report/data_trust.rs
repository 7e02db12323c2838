//! Rows of a report about trust and what it costs: claims, seats, ledgers, releases, uploads, and what models read and were tuned to.

use super::data::Estimate;
use serde::{Deserialize, Serialize};

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
