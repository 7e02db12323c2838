//! The section `[fusion]`: how the risk scores that several platforms have of one account become one value.
//!
//! Each platform puts its own score on a grid of levels (cut on scores of development worlds, in equal steps of the logarithm of the share
//! above, so that a sum of levels is Fisher's sum of logarithms of tail shares), weighs it, and a public function of the weighted sum is
//! opened. Every decision is a period of its own: fresh keys, every account opened at most `openings-per-account` times.

use super::ArmKind;
use equipoise_encrypted::fusion::{
    FUSE_N2048, FusionDesign, FusionKeys, FusionPlan, FusionRule, FusionSpec, FusionTable,
};
use serde::{Deserialize, Serialize};

/// How scores become one value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FusionSection {
    /// What hides the scores of the arm `fused-encrypted`; `fused-plain` hides nothing.
    pub design: FusionDesign,
    /// One public weight a platform, in the world's order.
    pub weights: Vec<u32>,
    /// Levels of the grid of scores; 256 for eight bits.
    pub levels: u32,
    /// What is opened of the weighted sum.
    pub function: FusionFunction,
    /// How often an account may be opened in a period. Every further opening may say as much again.
    pub openings_per_account: u32,
}

/// A function of the weighted sum of an account's levels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FusionFunction {
    /// A flag: whether the sum reaches `at`.
    Threshold {
        /// The smallest sum that is flagged.
        at: u32,
    },
    /// How many of the ascending cuts the sum reaches.
    Bands {
        /// The smallest sum of the second band, of the third, and so on.
        cuts: Vec<u32>,
    },
    /// A flag: whether platforms with a weight of at least `k` together put the account at `level` or above.
    KOfN {
        /// How many; with weights of 1, platforms.
        k: u32,
        /// The level from which a platform votes.
        level: u32,
    },
}

impl FusionFunction {
    /// One of each, for tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::Threshold { at: 300 },
            Self::Bands { cuts: vec![150, 300] },
            Self::KOfN { k: 2, level: 150 },
        ]
    }

    /// One sentence for the reference page.
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::Threshold { .. } => "flags an account whose weighted sum of levels reaches a threshold",
            Self::Bands { .. } => "opens how many cuts the weighted sum of levels reaches",
            Self::KOfN { .. } => "flags an account that k platforms put at a level or above; no sum is used",
        }
    }
}

impl FusionSection {
    /// The section as an arm reads it.
    #[must_use]
    pub fn of(&self, arm: ArmKind) -> Self {
        let design = if arm == ArmKind::FusedPlain { FusionDesign::Plain {} } else { self.design };
        Self { design, ..self.clone() }
    }

    /// What a platform sends of a level: the level itself, or its vote.
    #[must_use]
    pub fn sent(&self, level: u32) -> u32 {
        match self.function {
            FusionFunction::KOfN { level: from, .. } => u32::from(level >= from),
            FusionFunction::Threshold { .. } | FusionFunction::Bands { .. } => level,
        }
    }

    /// What is fused.
    #[must_use]
    pub fn spec(&self) -> FusionSpec {
        let votes = matches!(self.function, FusionFunction::KOfN { .. });
        FusionSpec {
            max_score: if votes { 1 } else { self.levels.saturating_sub(1) },
            weights: self.weights.clone(),
            bands: self.bands(),
            openings_per_account: self.openings_per_account,
        }
    }

    /// How many different values can be opened.
    #[must_use]
    pub fn bands(&self) -> u32 {
        match &self.function {
            FusionFunction::Bands { cuts } => u32::try_from(cuts.len()).unwrap_or(u32::MAX - 1) + 1,
            FusionFunction::Threshold { .. } | FusionFunction::KOfN { .. } => 2,
        }
    }

    /// The function as the designs take it.
    #[must_use]
    pub fn rule(&self) -> FusionRule {
        match &self.function {
            FusionFunction::Threshold { at } => FusionRule::Threshold { at: *at },
            FusionFunction::KOfN { k, .. } => FusionRule::Threshold { at: *k },
            FusionFunction::Bands { cuts } => FusionRule::Bands { cuts: cuts.clone() },
        }
    }

    /// The plan that every design is held against, and the function written out.
    ///
    /// # Errors
    /// If something does not fit: a fragment that begins with the section's name.
    pub fn plan(&self) -> Result<(FusionPlan, FusionTable), String> {
        let keys = match self.design {
            FusionDesign::GgswJoint { holders } => FusionKeys::Joint { holders },
            _ => FusionKeys::Shared,
        };
        let plan =
            FusionPlan::new(FUSE_N2048, keys, self.spec()).map_err(|error| format!("fusion: {error}"))?;
        let table = self.rule().table(&plan).map_err(|error| format!("function: {error}"))?;
        Ok((plan, table))
    }

    /// Holds the section against the number of platforms.
    pub(super) fn check(&self, platforms: usize) -> Result<(), String> {
        if self.weights.len() != platforms {
            let got = self.weights.len();
            return Err(format!("weights: one for each of the world's {platforms} platforms, got {got}"));
        }
        if self.levels < 2 {
            return Err("levels: at least 2".into());
        }
        let (plan, _) = self.plan()?;
        let (what, reached) = match &self.function {
            FusionFunction::Threshold { at } => (*at, plan.max_sum),
            FusionFunction::Bands { cuts } => (cuts.last().copied().unwrap_or(0), plan.max_sum),
            FusionFunction::KOfN { k, level } if *level >= self.levels || *level == 0 => {
                return Err(format!("level: 1 to {}, got {level}; k is {k}", self.levels - 1));
            }
            FusionFunction::KOfN { k, .. } => (*k, plan.max_sum),
        };
        if what == 0 || what > reached {
            return Err(format!(
                "function: sums go from 0 to {reached}, so {what} would flag everybody or nobody"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(function: FusionFunction) -> FusionSection {
        FusionSection {
            design: FusionDesign::GgswJoint { holders: 3 },
            weights: vec![1, 2, 1],
            levels: 256,
            function,
            openings_per_account: 1,
        }
    }

    #[test]
    fn votes_are_sent_where_votes_are_counted() {
        let votes = section(FusionFunction::KOfN { k: 2, level: 200 });
        assert_eq!([199, 200, 255].map(|level| votes.sent(level)), [0, 1, 1]);
        assert_eq!((votes.spec().max_score, votes.bands()), (1, 2));
        let (_, table) = votes.plan().unwrap();
        assert_eq!([0, 1, 2, 4].map(|sum| table.apply(sum)), [0, 0, 1, 1]);
        let bands = section(FusionFunction::Bands { cuts: vec![100, 400] });
        assert_eq!((bands.sent(77), bands.spec().max_score, bands.bands()), (77, 255, 3));
        assert_eq!([99, 100, 400, 1020].map(|sum| bands.plan().unwrap().1.apply(sum)), [0, 1, 2, 2]);
    }

    #[test]
    fn what_cannot_be_opened_is_refused_with_its_place() {
        let refused = |section: FusionSection, platforms| section.check(platforms).unwrap_err();
        let flag = section(FusionFunction::Threshold { at: 300 });
        assert_eq!(flag.check(3), Ok(()));
        assert!(refused(flag.clone(), 4).starts_with("weights: one for each of the world's 4"));
        assert!(refused(section(FusionFunction::Threshold { at: 1021 }), 3).contains("nobody"));
        assert!(refused(section(FusionFunction::Bands { cuts: vec![5, 5] }), 3).contains("ascend"));
        assert!(
            refused(section(FusionFunction::KOfN { k: 1, level: 256 }), 3).starts_with("level: 1 to 255")
        );
        let one = FusionSection { design: FusionDesign::GgswJoint { holders: 1 }, ..flag.clone() };
        assert!(refused(one, 3).starts_with("fusion:"));
        assert!(refused(FusionSection { levels: 2000, ..flag }, 3).starts_with("fusion:"));
    }

    #[test]
    fn the_plain_arm_reads_everything_but_the_design() {
        let of = section(FusionFunction::Threshold { at: 300 }).of(ArmKind::FusedPlain);
        assert_eq!(of.design, FusionDesign::Plain {});
        assert_eq!(of.spec(), section(FusionFunction::Threshold { at: 300 }).spec());
    }
}
