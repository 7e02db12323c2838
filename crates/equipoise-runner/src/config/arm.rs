//! The arms of the ladder: what is compared.

use serde::{Deserialize, Serialize};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmKind {
    /// Reviews what users reported, most reports first. No model.
    ReportsOnly,
    /// The founding document's rule, read literally: declared adults who newly contact many declared minors in a day.
    LiteralRule,
    /// Each platform trains alone on its own rows.
    LocalOnly,
    /// Platforms train together; rows stay where they are.
    Federated,
    /// The same, with logistic regression.
    FederatedLogistic,
    /// All rows in one place, accounts not linked to persons. Nobody may do this; it bounds what federation can reach.
    PooledUnlinked,
    /// All rows in one place, accounts of one person linked. Nobody may do this either.
    PooledLinked,
    /// Boosted trees on each platform's own rows: what industry would pick for rows, beside the networks.
    LocalTrees,
    /// Boosted trees grown together from summed histograms of integers; rows stay where they are.
    FederatedTrees,
    /// Boosted trees on all rows in one place, accounts not linked.
    PooledTrees,
    /// Logistic regression on publicly binned features, on each platform's own rows.
    LocalBinned,
    /// The same, trained together by federated averaging, whatever local rule is studied beside it.
    FederatedBinned,
    /// The same on all rows in one place, accounts not linked.
    PooledBinned,
    /// Each platform trains alone; a server reads all their scores of one pseudonymous account and applies a rule to them.
    FusedPlain,
    /// The same rule on encrypted scores: no seat reads one, and only the rule's value is opened.
    FusedEncrypted,
}

impl ArmKind {
    /// Every arm, in the order of the ladder.
    pub const ALL: [Self; 15] = [
        Self::ReportsOnly,
        Self::LiteralRule,
        Self::LocalOnly,
        Self::Federated,
        Self::FederatedLogistic,
        Self::PooledUnlinked,
        Self::PooledLinked,
        Self::LocalTrees,
        Self::FederatedTrees,
        Self::PooledTrees,
        Self::LocalBinned,
        Self::FederatedBinned,
        Self::PooledBinned,
        Self::FusedPlain,
        Self::FusedEncrypted,
    ];

    /// The name in files.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::ReportsOnly => "reports-only",
            Self::LiteralRule => "literal-rule",
            Self::LocalOnly => "local-only",
            Self::Federated => "federated",
            Self::FederatedLogistic => "federated-logistic",
            Self::PooledUnlinked => "pooled-unlinked",
            Self::PooledLinked => "pooled-linked",
            Self::LocalTrees => "local-trees",
            Self::FederatedTrees => "federated-trees",
            Self::PooledTrees => "pooled-trees",
            Self::LocalBinned => "local-binned",
            Self::FederatedBinned => "federated-binned",
            Self::PooledBinned => "pooled-binned",
            Self::FusedPlain => "fused-plain",
            Self::FusedEncrypted => "fused-encrypted",
        }
    }

    /// One sentence for `describe` and the report.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ReportsOnly => "reviews what users reported, most reports first; no model",
            Self::LiteralRule => {
                "the founding document's rule: new declared-minor contacts a day and accept rate"
            }
            Self::LocalOnly => "each platform trains alone on its own rows",
            Self::Federated => "platforms train one model together; rows stay where they are",
            Self::FederatedLogistic => "the same with logistic regression",
            Self::PooledUnlinked => "all rows in one place, accounts not linked; nobody may do this",
            Self::PooledLinked => "all rows in one place, accounts of one person linked; nobody may do this",
            Self::LocalTrees => "each platform trains boosted trees on its own rows",
            Self::FederatedTrees => "platforms grow boosted trees together from summed histograms",
            Self::PooledTrees => "boosted trees on all rows in one place, not linked; nobody may do this",
            Self::LocalBinned => {
                "each platform trains a logistic regression on publicly binned features alone"
            }
            Self::FederatedBinned => {
                "platforms train a logistic regression on publicly binned features together"
            }
            Self::PooledBinned => "the same on all rows in one place, not linked; nobody may do this",
            Self::FusedPlain => {
                "each platform trains alone, a server reads all scores of a pseudonymous account and applies a rule"
            }
            Self::FusedEncrypted => {
                "the same rule on encrypted scores: nobody reads a score, only the rule's value is opened"
            }
        }
    }

    /// Whether a model is trained.
    #[must_use]
    pub const fn trains(self) -> bool {
        !matches!(self, Self::ReportsOnly | Self::LiteralRule)
    }

    /// Whether the model is boosted trees, with settings of their own.
    #[must_use]
    pub const fn grows_trees(self) -> bool {
        matches!(self, Self::LocalTrees | Self::FederatedTrees | Self::PooledTrees)
    }

    /// Whether the model is a logistic regression on binned features, with bins of its own.
    #[must_use]
    pub const fn is_binned(self) -> bool {
        matches!(self, Self::LocalBinned | Self::FederatedBinned | Self::PooledBinned)
    }

    /// Whether platforms' scores of one account become one value.
    #[must_use]
    pub const fn fuses(self) -> bool {
        matches!(self, Self::FusedPlain | Self::FusedEncrypted)
    }

    /// Whether platforms train together.
    #[must_use]
    pub const fn federates(self) -> bool {
        matches!(self, Self::Federated | Self::FederatedLogistic | Self::FederatedBinned)
    }
}
