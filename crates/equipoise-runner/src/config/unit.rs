//! Whose guarantee an epsilon is, and how an account's rows are bounded for it. A unit that sampled rows cannot earn has a name
//! here so that asking for it is answered with the reason.

use super::{Experiment, PrivacySection};
use crate::schema::SchemaSpec;
use equipoise_privacy::{PlanError, PlannedRun, PrivacyUnit, Sampling};
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// The unit of a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitSpec {
    /// One training row: a baseline, never account privacy, because rows read contacts' data.
    Row,
    /// One account on one platform, while who contacts whom is public. Rows are left out until no account stands in too many.
    AccountFixedGraph(Contribution),
    /// What one account did, as far as it stands in its own row. Only with `schema = own`: other columns hold what contacts did.
    AccountSenderOwned,
    /// Refused: rows count mutual contacts, which are the contact of others.
    Pair,
    /// Refused: the bound looks at the graph.
    AccountPrivateGraph,
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

impl PrivacySection {
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
    if privacy.unit == Some(UnitSpec::AccountSenderOwned) && !e.federation.partition.is_natural() {
        return Err("partition: with `account-sender-owned` use `platform`".into());
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

fn offered(unit: Option<UnitSpec>, own: bool) -> Result<(), String> {
    let why = match unit {
        None | Some(UnitSpec::Row | UnitSpec::AccountFixedGraph(_)) => return Ok(()),
        Some(UnitSpec::AccountSenderOwned) if own => return Ok(()),
        Some(UnitSpec::AccountSenderOwned) => {
            "rows hold what an account received as well, so hiding what it sent does not null them (`schema = { own = {} }` leaves only \
             columns that read no contact)"
        }
        Some(UnitSpec::Pair) => {
            "rows count mutual contacts, so the contact of two accounts may stand in the rows of others"
        }
        Some(UnitSpec::AccountPrivateGraph) => {
            "which rows are kept depends on who contacts whom, so sampled rows do not hide it; only noised aggregation would"
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
