//! Arms against each other, world by world: the ladder and its two shares.

use super::ArmResults;
use super::arm::{LEVEL, counted, person_metric, primary};
use crate::config::{ArmKind, Experiment};
use crate::report::data::{ClosedRow, Comparison, Estimate, Verdict};
use crate::schema::SchemaSpec;
use equipoise_eval::stats::{holm, paired_difference, ratio_of_means};
use equipoise_eval::{Case, Metric, MetricSpec};

/// The differences that every report shows: each rung against local-only, and the gap split into what more rows bring
/// (learning: local to pooled, unlinked) and what linking a person's accounts brings (linkage: unlinked to linked).
/// Federated averaging can only close the first.
pub(super) fn ladder(arms: &[ArmResults<'_>], experiment: &Experiment) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    let find = |kind: ArmKind| {
        arms.iter().find(|arm| arm.plan.slice.arm == kind && arm.plan.slice.privacy.is_none())
    };
    let primary = primary(experiment);
    let mut metrics = vec![primary];
    if metrics[0].name() != "average-precision" {
        metrics.push(MetricSpec::AveragePrecision.build());
    }
    for metric in &metrics {
        let mut add = |a: Option<&ArmResults<'_>>, b: Option<&ArmResults<'_>>, share: Option<&str>| {
            if let (Some(a), Some(b)) = (a, b) {
                comparisons.push(compare(a, b, metric.as_ref(), share));
            }
        };
        for arm in arms.iter().filter(|arm| arm.plan.slice.arm == ArmKind::PooledUnlinked) {
            add(Some(arm), partner(arms, ArmKind::LocalOnly, arm), Some("learning share"));
        }
        for arm in arms.iter().filter(|arm| arm.plan.slice.arm == ArmKind::PooledLinked) {
            add(Some(arm), partner(arms, ArmKind::PooledUnlinked, arm), Some("linkage share"));
        }
        let trees = |kind| arms.iter().find(|arm| arm.plan.slice.arm == kind);
        let alone = trees(ArmKind::LocalTrees);
        add(trees(ArmKind::PooledTrees), alone, Some("learning share of trees"));
        add(trees(ArmKind::FederatedTrees), alone, Some("gain of federating trees"));
        let alone = find(ArmKind::LocalBinned);
        add(find(ArmKind::PooledBinned), alone, Some("learning share of binned"));
        add(find(ArmKind::FederatedBinned), alone, Some("gain of federating binned"));
        for arm in arms {
            let is_local = arm.plan.slice.arm == ArmKind::LocalOnly;
            let listed = arm.plan.slice.arm == ArmKind::PooledUnlinked;
            // Of several federated arms the first is the step that a headline speaks of.
            let first = find(ArmKind::Federated).is_some_and(|first| first.plan.id == arm.plan.id);
            if !is_local && !listed {
                let share = first.then_some("gain of federating");
                add(Some(arm), partner(arms, ArmKind::LocalOnly, arm), share);
            }
        }
        for arm in arms {
            let native = arms.iter().find(|twin| is_native_twin(&twin.plan.slice, &arm.plan.slice));
            add(Some(arm), native, Some("other columns than the platforms' own"));
        }
        let federated = find(ArmKind::Federated);
        for arm in arms
            .iter()
            .filter(|arm| arm.plan.slice.privacy.is_some() && arm.plan.slice.arm == ArmKind::Federated)
        {
            add(Some(arm), federated, Some("price of the guarantee"));
        }
    }
    comparisons
}

pub(super) fn compare(
    a: &ArmResults<'_>,
    b: &ArmResults<'_>,
    metric: &dyn Metric,
    share: Option<&str>,
) -> Comparison {
    let mut comparison = Comparison {
        a: a.plan.id.clone(),
        b: b.plan.id.clone(),
        metric: metric.name().to_owned(),
        difference: Estimate::NotAssessable { reason: String::new() },
        share: share.map(str::to_owned),
        verdict: Verdict::NotAssessable,
        p_holm: None,
    };
    let worlds: Vec<&[Case]> = a.trials.iter().flatten().map(|trial| trial.cases.as_slice()).collect();
    let (positives, needed) = (counted(metric, &worlds), metric.minimum_positives());
    let reason = match (values(a, metric), values(b, metric)) {
        _ if positives < needed => format!("{positives} of at least {needed} persons"),
        (Some(a), Some(b)) => match paired_difference(&a, &b, LEVEL) {
            Some(paired) => {
                let d = paired.difference;
                comparison.verdict = match (paired.no_difference(), d.mean > 0.0) {
                    (true, _) => Verdict::NoDifference,
                    (false, true) => Verdict::Higher,
                    (false, false) => Verdict::Lower,
                };
                comparison.difference =
                    Estimate::Value { mean: d.mean, low: d.low, high: d.high, seeds: d.n };
                comparison.p_holm = Some(paired.p);
                return comparison;
            }
            None => {
                if let ([a], [b]) = (a.as_slice(), b.as_slice()) {
                    comparison.difference = Estimate::SingleRun { value: a - b };
                    return comparison;
                }
                "worlds do not pair".to_owned()
            }
        },
        _ => "some worlds have no value".to_owned(),
    };
    comparison.difference = Estimate::NotAssessable { reason };
    comparison
}

/// Adjusts the p-values of each metric's comparisons for their number. A pair that stands twice, as a step of the ladder and beside its
/// rung, is one question.
pub(super) fn adjust(comparisons: &mut [Comparison]) {
    let mut metrics: Vec<String> = comparisons.iter().map(|c| c.metric.clone()).collect();
    metrics.sort();
    metrics.dedup();
    for metric in metrics {
        let mut asked: Vec<(String, String, f64)> = comparisons
            .iter()
            .filter(|c| c.metric == metric)
            .filter_map(|c| Some((c.a.clone(), c.b.clone(), c.p_holm?)))
            .collect();
        asked.sort_by(|x, y| (&x.0, &x.1).cmp(&(&y.0, &y.1)));
        asked.dedup_by(|x, y| (&x.0, &x.1) == (&y.0, &y.1));
        let adjusted = holm(&asked.iter().map(|row| row.2).collect::<Vec<_>>());
        for c in comparisons.iter_mut().filter(|c| c.metric == metric && c.p_holm.is_some()) {
            c.p_holm =
                asked.iter().zip(&adjusted).find(|(row, _)| row.0 == c.a && row.1 == c.b).map(|(_, p)| *p);
        }
    }
}

/// How much of the learning share each federated arm without a guarantee closes: (arm - local) / (pooled, unlinked - local), a ratio of
/// means over worlds.
pub(super) fn closed(arms: &[ArmResults<'_>], experiment: &Experiment) -> Vec<ClosedRow> {
    let metrics = [primary(experiment), MetricSpec::AveragePrecision.build()];
    let metrics = &metrics[..if metrics[0].name() == "average-precision" { 1 } else { 2 }];
    let federated =
        |arm: &&ArmResults<'_>| arm.plan.slice.arm.federates() && arm.plan.slice.privacy.is_none();
    let row = |arm: &ArmResults<'_>, metric: &dyn Metric| {
        let rung = |kind| partner(arms, kind, arm).filter(|rung| trained_alike(rung, arm));
        let (local, pooled) = (rung(ArmKind::LocalOnly)?, rung(ArmKind::PooledUnlinked)?);
        let above = |arm: &ArmResults<'_>| -> Option<Vec<f64>> {
            let (arm, local) = (values(arm, metric)?, values(local, metric)?);
            Some(arm.iter().zip(local).map(|(arm, local)| arm - local).collect())
        };
        let ratio = above(arm).zip(above(pooled)).and_then(|(a, b)| ratio_of_means(&a, &b, LEVEL));
        let reason = "the learning share itself is not shown to differ from 0";
        let share = ratio.map_or_else(
            || Estimate::NotAssessable { reason: reason.to_owned() },
            |(mean, low, high)| Estimate::Value { mean, low, high, seeds: arm.trials.len() },
        );
        Some(ClosedRow { arm: arm.plan.id.clone(), metric: metric.name().to_owned(), share })
    };
    metrics
        .iter()
        .flat_map(|metric| arms.iter().filter(federated).filter_map(move |arm| row(arm, metric.as_ref())))
        .collect()
}

/// Whether `twin` is the same arm on the platforms' own columns, and `arm` on others.
fn is_native_twin(twin: &crate::plan::ArmSlice, arm: &crate::plan::ArmSlice) -> bool {
    let native = Some(SchemaSpec::Native {});
    arm.schema.is_some()
        && arm.schema != native
        && *twin == crate::plan::ArmSlice { schema: native, ..arm.clone() }
}

/// The rung of a kind that an arm is held against: of several, the one that trains the same model in the same way.
pub(super) fn partner<'a, 'b>(
    arms: &'b [ArmResults<'a>],
    kind: ArmKind,
    like: &ArmResults<'_>,
) -> Option<&'b ArmResults<'a>> {
    let mut rungs = arms.iter().filter(|arm| arm.plan.slice.arm == kind && arm.plan.slice.privacy.is_none());
    rungs.clone().find(|arm| trained_alike(arm, like)).or_else(|| rungs.next())
}

pub(super) fn trained_alike(a: &ArmResults<'_>, b: &ArmResults<'_>) -> bool {
    let (a, b) = (&a.plan.slice, &b.plan.slice);
    a.model == b.model && a.training == b.training && a.schema == b.schema
}

/// A metric by world; none if any world has no value.
pub(super) fn values(arm: &ArmResults<'_>, metric: &dyn Metric) -> Option<Vec<f64>> {
    let value =
        |trial: &Option<super::Trial>| trial.as_ref()?.record.metrics.get(metric.name()).copied().flatten();
    arm.trials.iter().map(value).collect()
}

/// The per-person twin of a metric, for whoever lists metrics.
pub(super) fn person_name(name: &str) -> String {
    person_metric(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_is_adjusted_by_itself_and_a_pair_that_stands_twice_counts_once() {
        let row = |a: &str, metric: &str, p: Option<f64>| Comparison {
            a: a.to_owned(),
            b: "local".to_owned(),
            metric: metric.to_owned(),
            difference: Estimate::NotAssessable { reason: String::new() },
            share: None,
            verdict: Verdict::NotAssessable,
            p_holm: p,
        };
        let mut rows = vec![
            row("x", "recall", Some(0.01)),
            row("y", "recall", Some(0.04)),
            row("x", "recall", Some(0.01)),
            row("z", "recall", None),
            row("x", "precision", Some(0.04)),
        ];
        adjust(&mut rows);
        let adjusted: Vec<Option<f64>> = rows.iter().map(|row| row.p_holm).collect();
        // Two questions on recall: 2 x 0.01, then 0.04; one on precision.
        assert_eq!(adjusted, [Some(0.02), Some(0.04), Some(0.02), None, Some(0.04)]);
    }
}
