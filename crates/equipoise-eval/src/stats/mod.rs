//! Statistics over seeds and scores: intervals, paired tests, Holm's adjustment, shares, fronts, and ROC points for attacks.

mod auc;
mod bca;
mod binomial;
mod low_fpr;
mod pareto;
mod seeds;
mod wilcoxon;

pub use auc::auc_with_interval;
pub use bca::{bca_interval, percentile_interval};
pub use binomial::{clopper_pearson, difference_of_shares, fisher_exact, wilson};
pub use equipoise_core::special::{incomplete_beta, normal_cdf, normal_quantile, t_cdf, t_quantile};
pub use low_fpr::{OperatingPoint, REPORTED_RATES, RESOLVING, reported_rates, true_positive_rate_at};
pub use pareto::{pareto_front, pareto_membership};
pub use seeds::{
    PairedDifference, Summary, bootstrap_mean, holm, paired_difference, ratio_of_means, summarise,
};
pub use wilcoxon::{RankMethod, SignedRank, signed_rank};
