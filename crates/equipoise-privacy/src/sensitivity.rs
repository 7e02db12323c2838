//! Whose contribution is bounded, between which neighbouring data sets, and by how much.
//!
//! One number without its unit is not a guarantee, so every bound travels as a [`Sensitivity`].

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
    fn units_are_written_in_kebab_case() {
        assert_eq!(
            serde_json::to_string(&PrivacyUnit::AccountFixedGraph).unwrap(),
            "\"account-fixed-graph\""
        );
        assert!(serde_json::from_str::<PrivacyUnit>("\"platform\"").is_err());
    }
}
