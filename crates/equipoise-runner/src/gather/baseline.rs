//! Every point of a sweep against its baseline, metric by metric, paired by world. The primary metric was chosen before;
//! the others are exploratory and say so by standing after it.

use super::ArmResults;
use super::compare::compare;
use crate::config::Experiment;
use crate::report::data::Comparison;
use std::collections::BTreeMap;

/// What the report calls a comparison with the baseline.
pub(super) const SHARE: &str = "against the baseline";

/// One comparison an arm and metric, where the arm has another arm as baseline.
pub(super) fn rows(
    arms: &[ArmResults<'_>],
    baseline: &BTreeMap<String, String>,
    experiment: &Experiment,
) -> Vec<Comparison> {
    let find = |id: &String| arms.iter().find(|arm| arm.plan.id == *id);
    let mut metrics = experiment.evaluation.metrics();
    metrics.sort_by_key(|metric| metric.name() != experiment.experiment.primary);
    let pairs = baseline.iter().filter_map(|(arm, base)| Some((find(arm)?, find(base)?)));
    pairs
        .flat_map(|(arm, base)| {
            metrics.iter().map(move |metric| compare(arm, base, metric.as_ref(), Some(SHARE)))
        })
        .collect()
}
