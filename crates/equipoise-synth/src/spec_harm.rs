//! The part of a world file about simulated harmful patterns. Abstract event rates only: each parameter of a pattern
//! stands beside the same parameter of its benign look-alike, and one knob (`detectability`) moves between them.

use crate::spec::{Number, Rate};
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
    /// The patterns.
    pub archetype: Vec<ArchetypeSpec>,
}

/// One pattern beside its look-alikes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArchetypeSpec {
    /// Which pattern.
    pub kind: HarmArchetype,
    /// Its share among harmful actors; normalised over the list.
    pub mixture: Rate,
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
    /// Share of targets that are minors.
    pub minors: ShareShift,
    /// Share of girls among minor targets.
    pub girls: ShareShift,
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

/// A benign role with its weight.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cover {
    /// The role.
    pub group: BenignGroup,
    /// Its weight among the covers.
    pub weight: f64,
}

/// How the receiving side answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResponseSpec {
    /// Probability of noticing something unwanted on entering each stage.
    pub notice: StageShares,
    /// Probability that an ordinary unknown request is noticed as unwanted.
    pub notice_ordinary: Rate,
    /// Given notice: block.
    pub block: Rate,
    /// Given notice: report.
    pub report: Rate,
    /// Given notice: mute.
    pub mute: Rate,
    /// Share of such reports in the category of child safety.
    pub category: ShareShift,
    /// Probability that an ordinary request with shared contacts is accepted.
    pub accept_known: Rate,
    /// Probability that a request that is not accepted is declined rather than ignored.
    pub decline: Rate,
    /// Median hours to answer a request.
    pub delay_hours: Number,
    /// Log-scale of that.
    pub delay_sigma: Number,
    /// Probability per ordinary session of blocking a contact.
    pub ordinary_block: Rate,
    /// Probability per ordinary session of reporting a contact.
    pub ordinary_report: Rate,
    /// Probability of going on after a warning.
    pub proceed_after_warning: Rate,
}

/// What platforms and police do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModerationSpec {
    /// Probability that a reviewed report in the category of child safety leads to action.
    pub action: ShareShift,
    /// The same in any other category, whoever is reported.
    pub action_other: Rate,
    /// Median minutes from a report to its decision.
    pub review_minutes: Number,
    /// Log-scale of that.
    pub review_sigma: Number,
    /// Probability that a harmful dyad that reaches S3 is later confirmed to the platform by the police.
    pub police: Rate,
    /// Median days until then.
    pub police_days: Number,
    /// Log-scale of that.
    pub police_sigma: Number,
    /// Share of confirmations that name a benign account instead.
    pub wrong_confirmation: Rate,
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
            let rates = [one.requests.value, one.conversations.value];
            let stages = one.stage_rate.value.matched.iter().chain(&one.stage_rate.value.full);
            if rates
                .iter()
                .flat_map(|r| [&r.matched, &r.full])
                .chain(stages)
                .any(|r| !(*r > 0.0 && r.is_finite()))
            {
                return bad("harm.archetype rates", "positive and finite");
            }
        }
        Ok(())
    }
}
