//! The rule of a fusion: any function of the weighted sum, written out as a public table.
//!
//! A threshold, bands and k-of-n (a threshold on votes) cost the server the same. Functions of more than the sum (a
//! median, a clip a platform) are not offered; "at least two of three above t, for a grid of t" gives a median's band.

use super::error::FusionError;
use super::plan::FusionPlan;
use serde::{Deserialize, Serialize};

/// What is opened of the weighted sum of an account's scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum FusionRule {
    /// 1 if the sum reaches `at`; with votes (`max_score` = 1), "at least `at` of the platforms".
    Threshold {
        /// The smallest sum that is flagged.
        at: u32,
    },
    /// How many of the ascending cuts the sum reaches.
    Bands {
        /// The smallest sum of the second band, of the third, and so on.
        cuts: Vec<u32>,
    },
    /// Any table, indexed by the sum.
    Table {
        /// One value for each sum from 0 to the largest.
        values: Vec<u32>,
    },
}

/// A rule that was held against a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FusionTable {
    pub(crate) values: Vec<u32>,
    pub(crate) fingerprint: [u8; 32],
}

impl FusionRule {
    /// Writes the rule out.
    ///
    /// # Errors
    /// If it returns values that the plan has no room for, or its cuts do not ascend, or a table has another length.
    pub fn table(&self, plan: &FusionPlan) -> Result<FusionTable, FusionError> {
        let refuse = |what: String| Err(FusionError::Rule(what));
        let sums = 0..=plan.max_sum;
        let values: Vec<u32> = match self {
            Self::Threshold { at } => sums.map(|sum| u32::from(sum >= *at)).collect(),
            Self::Bands { cuts } => {
                if !cuts.is_sorted_by(|a, b| a < b) {
                    return refuse("the cuts of the bands must ascend".into());
                }
                let bands = |sum: u32| cuts.iter().filter(|&&cut| sum >= cut).count();
                sums.map(|sum| u32::try_from(bands(sum)).expect("few cuts")).collect()
            }
            Self::Table { values } => {
                let want = plan.max_sum as usize + 1;
                if values.len() != want {
                    return refuse(format!("the table has {} values, sums go over {want}", values.len()));
                }
                values.clone()
            }
        };
        let (largest, bands) = (values.iter().max().copied().unwrap_or(0), plan.spec.bands);
        if largest >= bands {
            return refuse(format!("the rule returns {largest}, the plan has values below {bands}"));
        }
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 fusion rule v1");
        values.iter().for_each(|value| {
            hasher.update(&value.to_le_bytes());
        });
        Ok(FusionTable { values, fingerprint: *hasher.finalize().as_bytes() })
    }
}

impl FusionTable {
    /// The rule applied to a sum in the clear: the oracle of every design.
    #[must_use]
    pub fn apply(&self, sum: u32) -> u32 {
        self.values[sum as usize]
    }

    /// The public polynomial whose coefficient `j` stands for the value at the sum `j`.
    pub(crate) fn polynomial(&self, plan: &FusionPlan) -> Vec<u64> {
        let last = self.values.last().expect("a plan has sums").to_owned();
        let padded = self.values.iter().copied().chain(std::iter::repeat(last));
        padded.take(plan.params.polynomial_size).map(|value| plan.encode(value)).collect()
    }
}
