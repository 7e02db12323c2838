//! The part of a world file about simulated harmful patterns. Abstract event rates only: each parameter of a pattern
//! stands beside the same parameter of its benign look-alike, and one knob (`detectability`) moves between them.

use crate::spec::{Number, Rate};
use crate::spec_targeting::TargetingSpec;
use crate::truth::{BenignGroup, HarmArchetype};
use crate::{Shift, Sourced, WorldError};
use equipoise_core::Fraction;
use serde::{Deserialize, Serialize};

/// A probability, interpolated on the logit scale.
pub type ShareShift = Sourced<Shift<Fraction>>;
/// A positive rate, interpolated on the log scale.
pub type RateShift = Sourced<Shift<f64>>;
/// Five positive multipliers (stages S1 to S5), interpolated on the log scale.
pub type StageRates = Sourced<Shift<[f64; 5]>>;
/// Five probabilities (stages S1 to S5), interpolated on the logit scale.
pub type StageShares = Sourced<Shift<[Fraction; 5]>>;

/// All harmful patterns.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HarmSpec {
    /// Accounts with a harmful pattern as a share of ordinary accounts.
    pub prevalence: Rate,
    /// 0: exactly like the look-alikes. 1: the full parameters. Above 1 extrapolates.
    pub detectability: f64,
    /// Matched look-alike actors per harmful actor.
    pub lookalikes: Number,
    /// Standard deviation of every actor's own offset on the link scale.
    pub actor_sigma: Number,
    /// Share of dyads whose stages pass within hours, on a game platform.
    pub fast_game: Rate,
    /// The same share elsewhere.
    pub fast: Rate,
    /// Median hours that a fast dyad stays in a stage.
    pub fast_hours: Number,
    /// Log-scale of that.
    pub fast_sigma: Number,
    /// Median days that a slow dyad stays in a stage.
    pub slow_days: Number,
    /// Log-scale of that.
    pub slow_sigma: Number,
    /// Probability that a transition skips a stage.
    pub skip: Rate,
    /// Probability that it goes back by one.
    pub back: Rate,
    /// Probability that the dyad ends at a transition.
    pub drop: Rate,
    /// Share of role accounts of recent making that were made after the window began.
    pub recent_in_window: Rate,
    /// Odds multipliers, by stage, of the off-hours share.
    pub stage_off_hours: StageRates,
    /// Odds multipliers, by stage, of the media share.
    pub stage_media: StageRates,
    /// Odds multipliers, by stage, of the share of conversations that the actor starts.
    pub stage_initiation: StageRates,
    /// Factor, by stage entered, on the archetype's probability of going on at a second platform.
    pub stage_moves: Sourced<[f64; 5]>,
    /// Log-scale, over actors, of the number of dyads that an actor keeps up at a time.
    pub concurrency_sigma: Number,
    /// The largest such number, 1 to 1,000.
    pub concurrency_most: u16,
    /// Whom actors turn to, who accepts, who tells.
    pub targeting: TargetingSpec,
    /// The patterns.
    pub archetype: Vec<ArchetypeSpec>,
}

/// One pattern beside its look-alikes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArchetypeSpec {
    /// Which pattern.
    pub kind: HarmArchetype,
    /// Its share among harmful accounts; normalised over the list.
    pub mixture: Rate,
    /// A detectability of its own; without the key the common one holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectability: Option<f64>,
    /// Set if accounts of this pattern act in teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamSpec>,
    /// The benign roles that look like it, with weights.
    pub covers: Vec<Cover>,
    /// Weights of the platforms (ephemeral, end-to-end, social, game) that it starts on.
    pub platforms: Sourced<[f64; 4]>,
    /// Probability that the actor keeps an account of the same kind on a second platform.
    pub second_platform: Rate,
    /// New targets per day.
    pub requests: RateShift,
    /// Log-scale of that over actors.
    pub requests_sigma: Number,
    /// Median number of dyads kept up at a time; at that number an actor seeks no more.
    pub concurrency: RateShift,
    /// Share of targets that are minors.
    pub minors: ShareShift,
    /// Share of targets found among contacts of contacts.
    pub triadic: ShareShift,
    /// Share of targets that are contacts already.
    pub existing: ShareShift,
    /// Probability that a request is accepted.
    pub accept: ShareShift,
    /// Share of conversations that the actor starts.
    pub initiation: ShareShift,
    /// Share of conversations between 22 and 6 o'clock.
    pub off_hours: ShareShift,
    /// Media share of the actor's messages.
    pub media: ShareShift,
    /// Probability that the target replies.
    pub reply: ShareShift,
    /// Conversations per day in stage S1.
    pub conversations: RateShift,
    /// Multipliers of that by stage.
    pub stage_rate: StageRates,
    /// Probability, on entering S3, that the dyad goes on at the actor's second platform.
    pub moves: ShareShift,
    /// Probability that the account was made recently.
    pub recent: ShareShift,
}

/// Accounts that act together: overlapping targets, and dyads that pass from one to another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TeamSpec {
    /// Smallest and largest number of accounts.
    pub size: [u8; 2],
    /// Probability that two of a team are contacts.
    pub linked: Rate,
    /// Share of the first account's contacts that each of the others has too.
    pub shared_contacts: Rate,
    /// Share of new targets that somebody of the team is in touch with already.
    pub overlap: ShareShift,
    /// Probability, on entering each of S2 to S4, that somebody else of the team takes the dyad up.
    pub hand_over: ShareShift,
}

/// A benign role with its weight.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cover {
    /// The role.
    pub group: BenignGroup,
    /// Its weight among the covers.
    pub weight: f64,
}

impl HarmSpec {
    /// Checks shapes and signs.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        if !(0.0..=1.5).contains(&self.detectability) {
            return bad("harm.detectability", "between 0 and 1.5");
        }
        if self.prevalence.p() > 0.2 {
            return bad("harm.prevalence", "at most 0.2");
        }
        if !(0.0..=100.0).contains(&self.lookalikes.get()) {
            return bad("harm.lookalikes", "between 0 and 100");
        }
        if !(self.fast_hours.get() > 0.0 && self.slow_days.get() > 0.0) {
            return bad("harm.fast-hours and harm.slow-days", "positive");
        }
        let stages = [&self.stage_off_hours, &self.stage_media, &self.stage_initiation];
        if !stages.iter().flat_map(|s| s.value.matched.iter().chain(&s.value.full)).all(|x| positive(*x)) {
            return bad("harm.stage-off-hours, stage-media and stage-initiation", "positive and finite");
        }
        if !self.stage_moves.value.iter().all(|x| (0.0..=1.0).contains(x)) {
            return bad("harm.stage-moves", "five factors between 0 and 1");
        }
        if !(1..=1_000).contains(&self.concurrency_most) {
            return bad("harm.concurrency-most", "between 1 and 1,000");
        }
        self.targeting.validate()?;
        if self.archetype.is_empty() {
            return bad("harm.archetype", "at least one pattern");
        }
        for one in &self.archetype {
            if one.covers.is_empty() || one.covers.iter().any(|c| !(c.weight > 0.0 && c.weight.is_finite())) {
                return bad("harm.archetype.covers", "at least one, each of positive weight");
            }
            if one.platforms.value.iter().any(|w| !(*w >= 0.0 && w.is_finite())) {
                return bad("harm.archetype.platforms", "four weights, none negative");
            }
            if one.detectability.is_some_and(|d| !(0.0..=1.5).contains(&d)) {
                return bad("harm.archetype.detectability", "between 0 and 1.5");
            }
            if one.team.as_ref().is_some_and(|t| t.size[0] < 2 || t.size[0] > t.size[1] || t.size[1] > 20) {
                return bad("harm.archetype.team.size", "a smallest and a largest number from 2 to 20");
            }
            let rates = [one.requests.value, one.conversations.value, one.concurrency.value];
            let stages = one.stage_rate.value.matched.iter().chain(&one.stage_rate.value.full);
            if !rates.iter().flat_map(|r| [&r.matched, &r.full]).chain(stages).all(|r| positive(*r)) {
                return bad("harm.archetype rates", "positive and finite");
            }
        }
        Ok(())
    }
}

pub(crate) fn positive(number: f64) -> bool {
    number > 0.0 && number.is_finite()
}
