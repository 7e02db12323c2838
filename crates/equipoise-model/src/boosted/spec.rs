//! The settings of boosted trees, each a research choice and therefore without a default.

use crate::ModelError;
use crate::config::demand;
use equipoise_core::Fraction;
use serde::{Deserialize, Serialize};

/// Largest number of leaves: each open leaf keeps a histogram (24 bytes a slot, 540 KB over 88 columns of 255 bins).
const MOST_LEAVES: u16 = 1024;

/// How boosted trees grow. In a file, a table with every key; unknown keys are errors.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BoostedSpec {
    /// Trees, at least 1.
    pub rounds: u16,
    /// Factor on every leaf (shrinkage), in `(0, 1]`.
    pub learning_rate: f64,
    /// Leaves a tree at most, in `2..=1024`. The leaf with the largest gain is split first.
    pub max_leaves: u16,
    /// Splits above a leaf at most, at least 1.
    pub max_depth: u16,
    /// Rows in a leaf at least (counted, not weighed), at least 1.
    pub min_samples_leaf: u32,
    /// Weighted sum of `p (1 - p)` in a leaf at least, positive.
    pub min_hessian: f64,
    /// What a split must gain more than, not negative: the gamma of XGBoost, on the loss summed over rows.
    pub min_gain: f64,
    /// L2 penalty on a leaf, not negative: the lambda of XGBoost.
    pub l2: f64,
    /// Where a column is cut.
    pub binning: Binning,
    /// Share of rows a round draws, above 0. A row is drawn or not by its own address.
    pub row_share: Fraction,
    /// Share of columns a round draws, above 0, rounded up.
    pub column_share: Fraction,
}

/// Where a column is cut into at most 255 bins. Missing values have a bin of their own beside these.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Binning {
    /// At quantiles; between all distinct values where they are no more than `bins`.
    Quantile {
        /// Bins of a column at most, in `2..=255`.
        bins: u8,
    },
    /// At equal distances between the smallest and the largest value, which are all that this reveals of a column.
    UniformWidth {
        /// Bins of a column at most, in `2..=255`.
        bins: u8,
    },
}

impl BoostedSpec {
    /// Some of each kind: what the law tests run over.
    ///
    /// # Panics
    /// Never: one half and one are fractions.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let share = |value| Fraction::new(value).expect("a constant between 0 and 1");
        let plain = Self {
            rounds: 20,
            learning_rate: 0.3,
            max_leaves: 15,
            max_depth: 6,
            min_samples_leaf: 5,
            min_hessian: 1e-3,
            min_gain: 0.0,
            l2: 1.0,
            binning: Binning::Quantile { bins: 255 },
            row_share: share(1.0),
            column_share: share(1.0),
        };
        let drawn = Self {
            binning: Binning::UniformWidth { bins: 32 },
            row_share: share(0.5),
            column_share: share(0.5),
            ..plain.clone()
        };
        vec![plain, drawn]
    }

    /// Checks every number against its range.
    ///
    /// # Errors
    /// Names the first key outside it.
    pub fn check(&self) -> Result<(), ModelError> {
        let count = |what, n: u32| demand(what, "at least 1", f64::from(n), n > 0);
        let not_negative =
            |what, x: f64| demand(what, "finite and not negative", x, x >= 0.0 && x.is_finite());
        let share = |what, x: Fraction| demand(what, "above 0", x.get(), x.get() > 0.0);
        count("rounds", self.rounds.into())?;
        let rate = self.learning_rate;
        demand("learning-rate", "above 0 and at most 1", rate, rate > 0.0 && rate <= 1.0)?;
        let leaves = self.max_leaves;
        demand("max-leaves", "between 2 and 1024", f64::from(leaves), (2..=MOST_LEAVES).contains(&leaves))?;
        count("max-depth", self.max_depth.into())?;
        count("min-samples-leaf", self.min_samples_leaf)?;
        let hessian = self.min_hessian;
        demand("min-hessian", "positive and finite", hessian, hessian > 0.0 && hessian.is_finite())?;
        not_negative("min-gain", self.min_gain)?;
        not_negative("l2", self.l2)?;
        self.binning.check()?;
        share("row-share", self.row_share)?;
        share("column-share", self.column_share)
    }
}

impl Binning {
    /// Checks the number of bins.
    pub(super) fn check(self) -> Result<(), ModelError> {
        let (Self::Quantile { bins } | Self::UniformWidth { bins }) = self;
        demand("bins", "between 2 and 255", f64::from(bins), bins >= 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "rounds = 100\nlearning-rate = 0.1\nmax-leaves = 31\nmax-depth = 12\nmin-samples-leaf = 20\n\
        min-hessian = 1e-3\nmin-gain = 0.0\nl2 = 0.0\nrow-share = 1.0\ncolumn-share = 1.0\n";

    fn parse(rest: &str) -> Result<BoostedSpec, toml::de::Error> {
        toml::from_str(&format!("{FILE}{rest}"))
    }

    #[test]
    fn a_file_gives_a_checked_spec() {
        let spec = parse("binning.quantile = { bins = 255 }").unwrap();
        assert_eq!((spec.max_leaves, spec.binning), (31, Binning::Quantile { bins: 255 }));
        assert_eq!(spec.check(), Ok(()));
        assert!(parse("binning.uniform-width = { bins = 64 }").is_ok());
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        for rest in
            ["", "binning.quantile = {}", "gamma = 1\nbinning.quantile = { bins = 9 }", "binning.exact = {}"]
        {
            assert!(parse(rest).is_err(), "{rest}");
        }
    }

    #[test]
    fn numbers_outside_their_range_are_named() {
        let good = BoostedSpec::examples().remove(0);
        assert_eq!(good.check(), Ok(()));
        let message = |spec: BoostedSpec| spec.check().unwrap_err().to_string();
        assert_eq!(message(BoostedSpec { rounds: 0, ..good.clone() }), "rounds must be at least 1, got 0");
        assert!(message(BoostedSpec { learning_rate: 0.0, ..good.clone() }).starts_with("learning-rate"));
        assert!(message(BoostedSpec { max_leaves: 1, ..good.clone() }).starts_with("max-leaves"));
        assert!(message(BoostedSpec { min_hessian: 0.0, ..good.clone() }).starts_with("min-hessian"));
        assert!(message(BoostedSpec { l2: f64::NAN, ..good.clone() }).starts_with("l2"));
        let binning = Binning::Quantile { bins: 1 };
        assert!(message(BoostedSpec { binning, ..good.clone() }).starts_with("bins"));
        let row_share = Fraction::new(0.0).unwrap();
        assert!(message(BoostedSpec { row_share, ..good }).starts_with("row-share"));
    }
}
