//! Whose contribution is bounded, between which neighbouring data sets, and by how much.
//!
//! One number without its unit is not a guarantee, so every bound travels as a [`Sensitivity`]. There is no unit for a whole
//! platform, and asking for one by name is an error that says why.

use equipoise_core::ClipNorm;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What may differ between two neighbouring data sets. Platform-level privacy is not offered: with 3 to 10 platforms the
/// noise would exceed the sum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrivacyUnit {
    /// One training row is nulled. A baseline: never account privacy once a row reads contacts' data.
    Row,
    /// One account's attributes and every event it sent or received are nulled; which rows use which accounts is fixed
    /// and public (after contribution bounding).
    AccountFixedGraph,
    /// Every event that one account *sent* is nulled. For rows built from the owner's outgoing events only.
    AccountSenderOwned,
    /// All events between two accounts are nulled: was there contact?
    Pair,
    /// One account is added or removed with all its edges, the graph being private.
    AccountPrivateGraph,
    /// All linked accounts of one human, on every platform, are nulled. Rests on an assumption about linkage.
    LinkedPerson,
}

impl PrivacyUnit {
    /// What a guarantee for this unit hides, as a clause of a sentence.
    #[must_use]
    pub const fn protects(self) -> &'static str {
        match self {
            Self::Row => "the contents of one training row (one account on one platform, as one row)",
            Self::AccountFixedGraph => {
                "all attributes of one account on one platform and the content of every event that it sent or received"
            }
            Self::AccountSenderOwned => "every event that one account on one platform sent",
            Self::Pair => "whether two accounts of one platform were in contact, and all their contact",
            Self::AccountPrivateGraph => {
                "the presence of one account on one platform, its events and its contacts"
            }
            Self::LinkedPerson => {
                "all events and attributes of one person's linked accounts on every platform"
            }
        }
    }

    /// What a guarantee for this unit leaves open, as a clause of a sentence.
    #[must_use]
    pub const fn does_not_protect(self) -> &'static str {
        match self {
            Self::Row => "the same account's data where other rows read it, and who contacts whom",
            Self::AccountFixedGraph => "who contacts whom, and the other accounts of the same person",
            Self::AccountSenderOwned => "events that the account received, and the existence of the account",
            Self::Pair => "the account's contact with everybody else, and its attributes",
            Self::AccountPrivateGraph => "the other accounts of the same person",
            Self::LinkedPerson => "accounts of the person that the linkage missed",
        }
    }

    /// The one thing that differs, as a noun phrase.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Row => "one training row",
            Self::AccountFixedGraph => "one account on one platform (contact graph fixed and public)",
            Self::AccountSenderOwned => "the sent events of one account on one platform",
            Self::Pair => "the contact of one pair of accounts",
            Self::AccountPrivateGraph => "one account on one platform (contact graph private)",
            Self::LinkedPerson => "the linked accounts of one person",
        }
    }

    /// All units, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Row,
        Self::AccountFixedGraph,
        Self::AccountSenderOwned,
        Self::Pair,
        Self::AccountPrivateGraph,
        Self::LinkedPerson,
    ];
}

/// A name that is no unit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrivacyUnitError {
    /// Privacy of a platform as a whole.
    #[error(
        "privacy of a whole platform is not offered: with 3 to 10 platforms the noise that hides one of them exceeds the sum of all; \
         name one of {}",
        PrivacyUnit::names()
    )]
    NotOffered,
    /// Anything else.
    #[error("there is no privacy unit `{name}`; name one of {}", PrivacyUnit::names())]
    Unknown {
        /// The name.
        name: String,
    },
}

impl PrivacyUnit {
    /// Its name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::AccountFixedGraph => "account-fixed-graph",
            Self::AccountSenderOwned => "account-sender-owned",
            Self::Pair => "pair",
            Self::AccountPrivateGraph => "account-private-graph",
            Self::LinkedPerson => "linked-person",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The rows that one unit reaches under Poisson-sampled rows, if an account is bounded to `rows_per_account` rows on each of
    /// `platforms`; nothing if sampled rows earn no guarantee for the unit, with any number of rows.
    #[must_use]
    pub const fn rows_reached(self, rows_per_account: u32, platforms: u32) -> Option<u32> {
        match self {
            Self::Row => Some(1),
            // What an account sent stands in its own rows alone, of which the same bound allows as many.
            Self::AccountFixedGraph | Self::AccountSenderOwned => Some(rows_per_account),
            // One-hop features of a pair's contact stand in the rows of the two.
            Self::Pair => Some(2),
            Self::AccountPrivateGraph => None,
            Self::LinkedPerson => Some(rows_per_account.saturating_mul(platforms)),
        }
    }
}

impl std::str::FromStr for PrivacyUnit {
    type Err = PrivacyUnitError;
    fn from_str(name: &str) -> Result<Self, PrivacyUnitError> {
        if matches!(name, "platform" | "client" | "silo") {
            return Err(PrivacyUnitError::NotOffered);
        }
        let found = Self::ALL.into_iter().find(|unit| unit.name() == name);
        found.ok_or_else(|| PrivacyUnitError::Unknown { name: name.to_owned() })
    }
}

/// How the neighbouring data set differs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The unit's contribution becomes zero; everything else, the number of rows included, stays.
    ZeroOut,
    /// The unit is added or taken away.
    AddRemove,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroOut => "nulling",
            Self::AddRemove => "adding or removing",
        })
    }
}

/// The largest L2 change of a sum when one `unit` changes by `relation`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sensitivity {
    /// Whose contribution is bounded.
    pub unit: PrivacyUnit,
    /// Between which neighbours.
    pub relation: Relation,
    /// The bound, in the units of the update.
    pub value: ClipNorm,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_unit_says_something_of_its_own() {
        let hidden: BTreeSet<_> = PrivacyUnit::ALL.iter().map(|unit| unit.protects()).collect();
        let open: BTreeSet<_> = PrivacyUnit::ALL.iter().map(|unit| unit.noun()).collect();
        assert_eq!((hidden.len(), open.len()), (6, 6));
        assert!(PrivacyUnit::ALL.iter().all(|unit| !unit.does_not_protect().is_empty()));
    }

    #[test]
    fn a_unit_is_found_by_its_name_and_a_platform_is_refused_with_the_reason() {
        for unit in PrivacyUnit::ALL {
            assert_eq!(unit.name().parse(), Ok(unit));
            assert_eq!(serde_json::to_string(&unit).unwrap(), format!("\"{}\"", unit.name()));
        }
        let refused = "platform".parse::<PrivacyUnit>().unwrap_err();
        assert!(
            refused.to_string().contains("the noise that hides one of them exceeds the sum"),
            "{refused}"
        );
        assert!("household".parse::<PrivacyUnit>().unwrap_err().to_string().contains("account-fixed-graph"));
    }

    #[test]
    fn a_unit_reaches_the_rows_that_the_bound_allows() {
        let reached = PrivacyUnit::ALL.map(|unit| unit.rows_reached(4, 3));
        assert_eq!(reached, [Some(1), Some(4), Some(4), Some(2), None, Some(12)]);
    }

    #[test]
    fn units_are_written_in_kebab_case() {
        assert_eq!(
            serde_json::to_string(&PrivacyUnit::AccountFixedGraph).unwrap(),
            "\"account-fixed-graph\""
        );
        assert!(serde_json::from_str::<PrivacyUnit>("\"platform\"").is_err());
    }
}
