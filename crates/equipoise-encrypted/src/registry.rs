//! The schemes that an experiment file can name.

use crate::joint_key::JointKey;
use crate::masking::PairwiseMasking;
use crate::one_shot::OneShot;
use crate::shared_key::SharedKeyGlwe;
use crate::smudge::Smudging;
use equipoise_federated::DynSecureSum;
use equipoise_federated::Plain;
use serde::{Deserialize, Serialize};

/// How updates are summed: `[secure-sum.shared-key-glwe]`, or `[secure-sum.plain]` for the control arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum SchemeSpec {
    /// Integers in the clear: hides nothing, and is the oracle of every other scheme.
    Plain {},
    /// Packed GLWE additions under one key that all platforms share.
    SharedKeyGlwe {},
    /// Key-homomorphic additions under fresh keys whose sum alone is opened; the default.
    OneShot {
        /// Holders of the joint key, 2 to 5, none of them a platform.
        key_holders: u32,
        /// Clients below which a key holder opens nothing.
        cohort_floor: u32,
        /// What smudging holds for.
        smudging: Smudging,
    },
    /// Masks that cancel between pairs of platforms; whoever drops out is recovered from shares.
    PairwiseMasking {
        /// Platforms that can rebuild a secret: what a round needs, and what a coalition needs.
        threshold: u32,
    },
    /// Two aggregators and a proof that every value lies in its range.
    #[cfg(feature = "prio3")]
    Prio3 {},
    /// Every integer its own `FheInt32`: for the cost table, at most eight parameters.
    #[cfg(feature = "high-level-fhe")]
    NaiveFheint {},
    /// Updates encrypted directly under the joint key of a few holders.
    JointKey {
        /// Holders of the joint key, 2 to 5, none of them a platform.
        key_holders: u32,
        /// Clients below which a key holder opens nothing.
        cohort_floor: u32,
        /// What smudging holds for.
        smudging: Smudging,
    },
}

impl SchemeSpec {
    /// One of each; law tests and the reference page run over them.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let total = Smudging::Total { rounds: 1000 };
        vec![
            Self::Plain {},
            Self::SharedKeyGlwe {},
            Self::OneShot { key_holders: 3, cohort_floor: 2, smudging: total },
            Self::PairwiseMasking { threshold: 2 },
            Self::JointKey { key_holders: 3, cohort_floor: 2, smudging: Smudging::PerCoefficient {} },
            #[cfg(feature = "prio3")]
            Self::Prio3 {},
        ]
    }

    /// What is built for comparison only and cannot hold a model's update.
    #[must_use]
    pub fn comparisons() -> Vec<Self> {
        vec![
            #[cfg(feature = "high-level-fhe")]
            Self::NaiveFheint {},
        ]
    }

    /// The scheme.
    #[must_use]
    pub fn build(&self) -> Box<dyn DynSecureSum> {
        match self {
            Self::Plain {} => Box::new(Plain),
            Self::SharedKeyGlwe {} => Box::new(SharedKeyGlwe::default()),
            Self::OneShot { key_holders, cohort_floor, smudging } => {
                Box::new(OneShot::new(*key_holders, *cohort_floor, *smudging))
            }
            Self::PairwiseMasking { threshold } => Box::new(PairwiseMasking::new(*threshold)),
            #[cfg(feature = "prio3")]
            Self::Prio3 {} => Box::new(crate::prio3::Prio3),
            #[cfg(feature = "high-level-fhe")]
            Self::NaiveFheint {} => Box::new(crate::naive::NaiveFheInt),
            Self::JointKey { key_holders, cohort_floor, smudging } => {
                Box::new(JointKey::new(*key_holders, *cohort_floor, *smudging))
            }
        }
    }

    /// One sentence for the reference page, on what it costs to trust it.
    #[must_use]
    pub fn describe(&self) -> String {
        let scheme = self.build();
        format!("`{}`: {}", scheme.name(), scheme.leakage().headline)
    }
}
