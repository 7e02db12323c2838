//! Statistics over seeds and scores: t intervals, paired differences, Holm's adjustment, one-feature AUC.

mod auc;
mod distribution;
mod seeds;

pub use auc::auc_with_interval;
pub use distribution::{incomplete_beta, normal_quantile, t_cdf, t_quantile};
pub use seeds::{
    PairedDifference, Summary, bootstrap_mean, holm, paired_difference, ratio_of_means, summarise,
};
