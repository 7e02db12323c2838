//! The part of a world file about answers to unwanted contact and about how platforms come to know something.
//! Survey shares (Thorn 2021, 2022) are multi-answer and self-reported; platform figures are a firm's own counts. What
//! platforms know is positive-unlabelled: an account without a label is not known to be benign.

use crate::spec::{Number, Rate};
use crate::spec_harm::{ShareShift, StageShares, positive};
use crate::{Sourced, WorldError};
use serde::{Deserialize, Serialize};

/// How the receiving side answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResponseSpec {
    /// Probability of noticing something unwanted on entering each stage.
    pub notice: StageShares,
    /// Probability that an ordinary unknown request is noticed as unwanted.
    pub notice_ordinary: Rate,
    /// Given notice: nothing at all. Excludes the next three, which may come together.
    pub ignore: Rate,
    /// Given notice: block.
    pub block: Rate,
    /// Given notice: report.
    pub report: Rate,
    /// Given notice: mute.
    pub mute: Rate,
    /// Correlation (phi) of block and report among those who do not ignore; cut at what the two shares allow.
    pub block_report: Number,
    /// Share of minors who tell nobody: no report to the platform, nothing that the police could come to know.
    pub tells_nobody: Rate,
    /// How many times likelier that is from 13 on than below.
    pub tells_nobody_teens: Number,
    /// Probability that a block or report is followed by a request from another existing account of the same actor or
    /// team. 0 switches it off; once a dyad at most; accounts made anew are not modelled here.
    pub recontact: ShareShift,
    /// Median days until then.
    pub recontact_days: Number,
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
    /// Child-safety reports about ordinary accounts by ordinary accounts, per 100 days and harmful account: what makes
    /// the share of reports with action hold at every base rate.
    pub benign_child_safety: Number,
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
    /// Probability that the platform's own detector flags an account in 30 days of its role. Independent of any model
    /// of this project.
    pub proactive: ShareShift,
    /// The same for an ordinary account: the false-positive rate.
    pub proactive_ordinary: Rate,
    /// Factor on both by platform (ephemeral, end-to-end, social, game).
    pub proactive_platforms: Sourced<[f64; 4]>,
    /// Probability that a platform shares the token of an account that it took action on for child safety, or that was
    /// confirmed to it. 0 switches shared signals off.
    pub share: Rate,
    /// Probability that another platform, after its own review, confirms a matching account that is harmful.
    pub verify: Rate,
    /// The same for a matching account that is benign.
    pub verify_wrong: Rate,
    /// Median days from signal to verification.
    pub share_days: Number,
    /// Log-scale of that.
    pub share_sigma: Number,
}

impl ResponseSpec {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        let least = self.block.p().max(self.report.p()).max(self.mute.p());
        if self.ignore.p() + least > 1.0 {
            return bad("responses.ignore", "at most what block, report and mute each leave");
        }
        if !(-1.0..=1.0).contains(&self.block_report.get()) {
            return bad("responses.block-report", "between -1 and 1");
        }
        if !(positive(self.recontact_days.get()) && positive(self.tells_nobody_teens.get())) {
            return bad("responses.recontact-days and tells-nobody-teens", "positive");
        }
        if !(0.0..=1e3).contains(&self.benign_child_safety.get()) {
            return bad("responses.benign-child-safety", "between 0 and 1,000");
        }
        Ok(())
    }
}

impl ModerationSpec {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        if !self.proactive_platforms.value.iter().all(|x| (0.0..=10.0).contains(x)) {
            return bad("moderation.proactive-platforms", "four factors between 0 and 10");
        }
        if !positive(self.share_days.get()) {
            return bad("moderation.share-days", "positive");
        }
        Ok(())
    }
}
