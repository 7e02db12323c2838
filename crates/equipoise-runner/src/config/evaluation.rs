//! How safety is measured, and the price of telling it.

use equipoise_core::{Delta, Epsilon, Fraction};
use equipoise_eval::metric::RmstTimeToDetection;
use equipoise_eval::{Metric, MetricSpec};
use equipoise_policy::Reviewer;
use serde::{Deserialize, Serialize};

/// How safety is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evaluation {
    /// Reviews that a platform can afford a day, as a share of its tested accounts.
    pub review_budget: Fraction,
    /// The simulated review.
    pub reviewer: Reviewer,
    /// Bootstrap resamples of intervals inside one world.
    pub resamples: u32,
    /// Horizon of the restricted mean time to detection in days; must fit between the label cut-off and the world's end.
    pub horizon_days: f64,
    /// What arms with a guarantee tell about their tested accounts, which are private too: noised counts at this price. Without it they
    /// tell nothing, and what stands in a report are the numbers of an oracle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<EvaluationRelease>,
}

/// The price of telling how well an arm does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EvaluationRelease {
    /// Epsilon of one release, beside the model's; finite.
    pub epsilon: Epsilon,
    /// Its delta.
    pub delta: Delta,
}

impl Evaluation {
    /// Every metric, with this experiment's parameters.
    #[must_use]
    pub fn metrics(&self) -> Vec<Box<dyn Metric>> {
        let own = |spec| match spec {
            MetricSpec::RmstTimeToDetection(metric) => MetricSpec::RmstTimeToDetection(RmstTimeToDetection {
                horizon_days: self.horizon_days,
                ..metric
            }),
            other => other,
        };
        MetricSpec::examples().into_iter().map(|spec| own(spec).build()).collect()
    }
}
