//! Whose guarantee an epsilon is, and how an account's rows are bounded for it. A unit that sampled rows cannot earn has a name
//! here so that asking for it is answered with the reason.

use super::{Experiment, PrivacySection};
use crate::schema::SchemaSpec;
use equipoise_core::{ClipNorm, Fraction};
use equipoise_privacy::{PlanError, PlannedRun, PrivacyUnit, Sampling};
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// The unit of a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitSpec {
    /// One training row: a baseline, never account privacy, because rows read contacts' data.
    Row,
    /// One account on one platform, while who contacts whom is public. Rows are left out until no account stands in too many.
    AccountFixedGraph(Contribution),
    /// What one account did, as far as it stands in its own row. Only with `schema = own`: other columns hold what contacts did.
    AccountSenderOwned,
    /// Refused by itself: rows count mutual contacts, which are the contact of others. It is promised beside `account-private-graph`.
    Pair,
    /// One account on one platform, while who contacts whom is private. Rows hold their own account's columns and noised sums over
    /// contacts. Only with `schema = own`: other columns hold contacts' data without noise.
    AccountPrivateGraph(Aggregation),
    /// Refused: nobody in a federation links accounts, so nothing bounds a person's rows.
    LinkedPerson,
    /// Refused: with few platforms the noise would exceed the sum.
    Platform,
}

/// How an account's rows are bounded. All of it is public, and none of it looks at what anybody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Contribution {
    /// Rows that an account may stand in (K), its own and those that read it as a contact.
    pub rows: u32,
    /// Contacts that a row may read (m); rows that read more are left out. At most `features.max-contacts`.
    pub contacts: u16,
    /// The order in which rows are kept.
    pub seed: u64,
}

/// Noised sums over contacts. All of it is public.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Aggregation {
    /// Rows that an account adds to at most, besides its own.
    pub rows: u32,
    /// Largest L2 norm of what it adds to one row.
    pub contact_clip: ClipNorm,
    /// Part of epsilon that the sums alone would cost; the steps of training get what is left.
    pub share: Fraction,
    /// Which rows an account adds to, where there are more.
    pub seed: u64,
    /// What the rows to decide on hold.
    pub scoring: Scoring,
}

/// How sums over contacts are read when accounts are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scoring {
    /// As they are: a platform reads its own accounts. The guarantee is the released model's alone.
    Clear,
    /// Noised anew for every decision, and charged as often: the guarantee covers what other accounts' scores say as well.
    Noised,
}

impl PrivacySection {
    /// How sums over contacts are noised, where rows hold those.
    #[must_use]
    pub const fn aggregation(&self) -> Option<Aggregation> {
        match self.unit {
            Some(UnitSpec::AccountPrivateGraph(aggregation)) => Some(aggregation),
            _ => None,
        }
    }

    /// Whether rows hold noised sums over contacts.
    #[must_use]
    pub const fn sums_over_contacts(&self) -> bool {
        self.epsilon.is_finite() && self.aggregation().is_some()
    }

    /// Noised steps that a platform takes by itself in a round; nothing where it sends sums.
    #[must_use]
    pub fn local_steps(&self) -> Option<NonZeroU32> {
        self.noise.and_then(super::NoiseSpec::in_local_steps).and_then(NonZeroU32::new)
    }

    /// Whose guarantees come with it.
    #[must_use]
    pub const fn promised_beside(&self) -> &'static [PrivacyUnit] {
        if self.aggregation().is_some() { &[PrivacyUnit::Pair] } else { &[] }
    }

    /// How an account's rows are bounded, where they are.
    #[must_use]
    pub const fn contribution(&self) -> Option<Contribution> {
        match self.unit {
            Some(UnitSpec::AccountFixedGraph(contribution)) => Some(contribution),
            _ => None,
        }
    }

    /// The rows that an account may stand in, where they are bounded.
    #[must_use]
    pub fn rows_per_account(&self) -> Option<NonZeroU32> {
        match self.unit {
            // One row an account, and no other row reads it.
            Some(UnitSpec::AccountSenderOwned) => Some(NonZeroU32::MIN),
            _ => self.contribution().and_then(|contribution| NonZeroU32::new(contribution.rows)),
        }
    }

    /// Whose guarantee its epsilon is.
    #[must_use]
    pub const fn promised(&self) -> PrivacyUnit {
        match self.unit {
            Some(UnitSpec::AccountFixedGraph(_)) => PrivacyUnit::AccountFixedGraph,
            Some(UnitSpec::AccountSenderOwned) => PrivacyUnit::AccountSenderOwned,
            Some(UnitSpec::AccountPrivateGraph(_)) => PrivacyUnit::AccountPrivateGraph,
            _ => PrivacyUnit::Row,
        }
    }

    /// As an arm reads it: a row is what is meant where nothing is said.
    #[must_use]
    pub fn of_arm(&self) -> Self {
        Self { unit: self.unit.filter(|unit| *unit != UnitSpec::Row), ..self.clone() }
    }
}

/// Whether the guarantee can be given at all.
///
/// # Errors
/// Why not, beginning with the key that mends it.
pub(crate) fn check(e: &Experiment, world: &WorldSpec) -> Result<(), String> {
    let privacy = &e.privacy;
    let own = e.schema == Some(SchemaSpec::Own {});
    offered(privacy.unit, own)?;
    let own_rows = match privacy.unit {
        Some(UnitSpec::AccountSenderOwned) => Some("account-sender-owned"),
        Some(UnitSpec::AccountPrivateGraph(_)) => Some("account-private-graph"),
        _ => None,
    };
    if let Some(unit) = own_rows {
        if !e.federation.partition.is_natural() {
            return Err(format!("partition: with `{unit}` use `platform`"));
        }
        if e.model.reads_sequences() {
            return Err(format!(
                "model: a sequence holds contacts' events, so with `{unit}` use a model over rows"
            ));
        }
    }
    if privacy.aggregation().is_some() {
        check_aggregation(e)?;
    }
    let rows = privacy.contribution().map_or(1, |contribution| contribution.rows);
    if privacy.epsilon.is_finite() {
        // An upper bound: how many accounts will have rows is not known before the world is made.
        let accounts = u64::from(world.persons) * world.platform.len() as u64;
        let run = PlannedRun {
            sampling_rate: privacy.sampling_rate.get(),
            sigma: 1.0,
            epsilon: privacy.epsilon.get(),
            delta: privacy.delta.get(),
            accounts,
            rows_per_account: rows,
            sampling: Sampling::Poisson,
            adaptive_clip: false,
            budget: None,
        };
        run.check().map_err(|error| {
            let key = match error {
                PlanError::DeltaAboveOneInN { .. } | PlanError::Delta(_) => "delta",
                PlanError::NoRows | PlanError::TooManyRows { .. } => "rows",
                PlanError::Rate(_) => "sampling-rate",
                _ => "privacy.epsilon",
            };
            format!("{key}: {error}")
        })?;
    }
    let Some(contribution) = privacy.contribution() else { return Ok(()) };
    if contribution.contacts > e.features.max_contacts {
        return Err(format!(
            "contacts: no row reads more than the {} contacts of `max-contacts`, so a bound of {} says nothing; at most {0}",
            e.features.max_contacts, contribution.contacts
        ));
    }
    if !e.federation.partition.is_natural() {
        return Err(
            "partition: the rounds that an account is charged for are its platform's, so with `account-fixed-graph` use `platform`"
                .into(),
        );
    }
    Ok(())
}

/// What noised sums over contacts cannot be combined with.
fn check_aggregation(e: &Experiment) -> Result<(), String> {
    let Some(aggregation) = e.privacy.aggregation() else { return Ok(()) };
    if aggregation.rows == 0 {
        return Err("rows: an account that adds to no row leaves no sums; at least 1".into());
    }
    if aggregation.share.get() <= 0.0 || aggregation.share.get() >= 1.0 {
        return Err("share: the noised sums take a part of epsilon above 0 and below 1".into());
    }
    let opened = |noise| matches!(noise, super::NoiseSpec::CentralGaussian {});
    if !e.privacy.noise.is_none_or(opened) {
        return Err("noise: with `account-private-graph` steps are accounted with noise on the opened sum; use `central-gaussian`".into());
    }
    Ok(())
}

fn offered(unit: Option<UnitSpec>, own: bool) -> Result<(), String> {
    let why = match unit {
        None | Some(UnitSpec::Row | UnitSpec::AccountFixedGraph(_)) => return Ok(()),
        Some(UnitSpec::AccountSenderOwned) if own => return Ok(()),
        Some(UnitSpec::AccountSenderOwned) => {
            "rows hold what an account received as well, so hiding what it sent does not null them (`schema = { own = {} }` leaves only \
             columns that read no contact)"
        }
        Some(UnitSpec::AccountPrivateGraph(_)) if own => return Ok(()),
        Some(UnitSpec::Pair) => {
            "rows count mutual contacts, so the contact of two accounts may stand in the rows of others; a pair is promised beside \
             `account-private-graph`"
        }
        Some(UnitSpec::AccountPrivateGraph(_)) => {
            "rows hold contacts' data without noise as well; only noised sums may (`schema = { own = {} }` leaves only columns that read \
             no contact, and the sums are put behind them)"
        }
        Some(UnitSpec::LinkedPerson) => {
            "nobody in a federation links a person's accounts, so nothing bounds the rows of a person"
        }
        Some(UnitSpec::Platform) => {
            "privacy of a whole platform is not offered: with 3 to 10 platforms the noise that hides one of them exceeds the sum of all"
        }
    };
    Err(format!("unit: {why}; use `row` or `account-fixed-graph`"))
}
