//! One arm over all worlds: every metric with its interval over worlds, curves, burden by group.

use super::ArmResults;
use crate::config::{AggregationSpec, ArmKind, Experiment};
use crate::data::WorldMeta;
use crate::report::data::{ArmReport, ArmRole, BurdenRow, Estimate, Interval, ReliabilityPoint, StepPoint};
use equipoise_core::DAY;
use equipoise_eval::stats::{summarise, wilson};
use equipoise_eval::survival::{self, Ending, aalen_johansen, follow_ups};
use equipoise_eval::{Case, Metric, MetricSpec, burden_by_group, per_person, precision_recall_curve};
use std::collections::{BTreeMap, BTreeSet};

/// Confidence of every interval.
pub(super) const LEVEL: f64 = 0.95;
/// Points of a drawn curve; more cannot be seen.
const CURVE_POINTS: usize = 120;
/// Where bins of a reliability curve end, as shares of the accounts from the highest score down.
const RELIABILITY_SHARES: [f64; 8] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 1.0];

pub(super) fn report(arm: &ArmResults<'_>, metas: &[WorldMeta], experiment: &Experiment) -> ArmReport {
    let worlds: Vec<&[Case]> = arm.trials.iter().flatten().map(|trial| trial.cases.as_slice()).collect();
    let persons: Vec<Vec<Case>> = worlds.iter().map(|cases| per_person(cases)).collect();
    let mut per_seed = BTreeMap::new();
    let mut summaries = BTreeMap::new();
    for metric in experiment.evaluation.metrics() {
        let values: Vec<Option<f64>> = arm
            .trials
            .iter()
            .map(|t| t.as_ref().and_then(|t| t.record.metrics.get(metric.name()).copied().flatten()))
            .collect();
        summaries.insert(metric.name().to_owned(), estimate(metric.as_ref(), &worlds, &values));
        per_seed.insert(metric.name().to_owned(), values);
        let by_person: Vec<&[Case]> = persons.iter().map(Vec::as_slice).collect();
        let values: Vec<Option<f64>> = by_person.iter().map(|cases| metric.compute(cases)).collect();
        let name = person_metric(metric.name());
        summaries.insert(name.clone(), estimate(metric.as_ref(), &by_person, &values));
        per_seed.insert(name, values);
    }
    let pooled: Vec<Case> = worlds.iter().copied().flatten().cloned().collect();
    let primary = primary(experiment);
    let names = metas.first().map_or(&[][..], |meta| meta.platforms.as_slice());
    let patterns = metas.first().map_or(&[][..], |meta| meta.archetypes.as_slice());
    ArmReport {
        id: arm.plan.id.clone(),
        label: arm.plan.label.clone(),
        role: role(arm),
        epsilon: arm.claim().map(|claim| claim.epsilon),
        summaries,
        per_seed,
        pr_curve: thin(&precision_recall_curve(&pooled)),
        detection: detection(&worlds),
        burden: burden(&worlds, metas),
        by_platform: (0..)
            .zip(names)
            .map(|(p, name)| {
                (name.clone(), sliced(primary.as_ref(), &worlds, |case| case.platform.index() == p))
            })
            .collect(),
        // Benign accounts belong to every pattern's slice, so that ranking metrics keep their negatives.
        by_archetype: (0..)
            .zip(patterns)
            .skip(1)
            .map(|(code, name)| {
                (name.clone(), sliced(primary.as_ref(), &worlds, |c| !c.harmful || c.archetype == code))
            })
            .collect(),
        reliability: if claims_probability(arm) { reliability(&pooled) } else { vec![] },
        aggregation: combined(arm),
        clients: clients(arm),
        hostile: hostile(arm),
    }
}

/// Whether an arm's score is a model's probability; counts of reports and fused levels are not.
fn claims_probability(arm: &ArmResults<'_>) -> bool {
    let slice = &arm.plan.slice;
    slice.fusion.is_none() && (slice.model.is_some() || slice.trees.is_some())
}

/// Share harmful by score, from the top down: reviews read the top, so bins are fine there. Equal scores are never split; Wilson
/// intervals.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)] // Counts of accounts.
fn reliability(cases: &[Case]) -> Vec<ReliabilityPoint> {
    let order = equipoise_eval::ranking(cases);
    let case = |rank: usize| &cases[order[rank] as usize];
    let (mut points, mut from) = (vec![], 0);
    for share in RELIABILITY_SHARES {
        let mut to = (share * cases.len() as f64).ceil() as usize;
        while to > 0 && to < cases.len() && case(to).score == case(to - 1).score {
            to += 1;
        }
        if to <= from {
            continue;
        }
        let found = (from..to).filter(|&rank| case(rank).harmful).count();
        let score =
            (from..to).map(|rank| f64::from(case(rank).score.get())).sum::<f64>() / (to - from) as f64;
        let all = (to - from) as u64;
        let share = found as f64 / all as f64;
        if let Some((low, high)) = wilson(found as u64, all, LEVEL) {
            let (low, high) = (low.clamp(0.0, share), high.clamp(share, 1.0));
            points.push(ReliabilityPoint { score, share, low, high, accounts: all });
        }
        from = to;
    }
    points
}

/// How an arm's updates become one.
fn combined(arm: &ArmResults<'_>) -> Option<String> {
    Some(match arm.plan.slice.aggregation.as_ref()? {
        AggregationSpec::Hidden(scheme) => scheme.build().name().to_owned(),
        AggregationSpec::Visible(rule) => rule.rule().name().to_owned(),
    })
}

/// How many clients a round asks, of the rounds that happened: the most.
fn clients(arm: &ArmResults<'_>) -> Option<u64> {
    let rounds = arm.trials.iter().flatten().flat_map(|trial| &trial.rounds);
    rounds.map(|round| round.cohort.clients.len() as u64).max()
}

/// The share of clients that send tampered updates, where an experiment has any.
fn hostile(arm: &ArmResults<'_>) -> Option<f64> {
    Some(arm.plan.slice.federation.as_ref()?.cohort.faults.as_ref()?.byzantine.get())
}

/// The name of a metric that is counted by person.
pub(super) fn person_metric(name: &str) -> String {
    format!("{name}-per-person")
}

/// Values of worlds as an estimate.
pub(super) fn plain_estimate(summary: Option<equipoise_eval::stats::Summary>, values: &[f64]) -> Estimate {
    match (summary, values) {
        (Some(s), _) => Estimate::Value { mean: s.mean, low: s.low, high: s.high, seeds: s.n },
        (None, [value]) => Estimate::SingleRun { value: *value },
        (None, _) => Estimate::NotAssessable { reason: "no world has it".into() },
    }
}

/// The pre-registered metric.
pub(super) fn primary(experiment: &Experiment) -> Box<dyn Metric> {
    let metrics = experiment.evaluation.metrics();
    metrics
        .into_iter()
        .find(|metric| metric.name() == experiment.experiment.primary)
        .unwrap_or_else(|| MetricSpec::RecallAtBudget.build())
}

fn role(arm: &ArmResults<'_>) -> ArmRole {
    match arm.plan.slice.arm {
        ArmKind::ReportsOnly | ArmKind::LiteralRule => ArmRole::Reference,
        ArmKind::LocalOnly | ArmKind::LocalTrees | ArmKind::LocalBinned => ArmRole::Local,
        kind if kind.federates() && arm.plan.slice.privacy.is_some() => ArmRole::Private,
        ArmKind::Federated
        | ArmKind::FederatedLogistic
        | ArmKind::FederatedBinned
        | ArmKind::FederatedTrees
        | ArmKind::FusedPlain
        | ArmKind::FusedEncrypted => ArmRole::Federated,
        ArmKind::PooledUnlinked | ArmKind::PooledLinked | ArmKind::PooledTrees | ArmKind::PooledBinned => {
            ArmRole::Pooled
        }
    }
}

fn sliced(metric: &dyn Metric, worlds: &[&[Case]], keep: impl Fn(&Case) -> bool) -> Estimate {
    let slices: Vec<Vec<Case>> = worlds.iter().map(|cases| equipoise_eval::slice(cases, &keep)).collect();
    let values: Vec<Option<f64>> = slices.iter().map(|cases| metric.compute(cases)).collect();
    let slices: Vec<&[Case]> = slices.iter().map(Vec::as_slice).collect();
    estimate(metric, &slices, &values)
}

/// The mean over worlds with its t interval. The cell is the metric over all worlds: with fewer than the minimum of
/// counted persons in it, there is no number.
pub(super) fn estimate(metric: &dyn Metric, worlds: &[&[Case]], values: &[Option<f64>]) -> Estimate {
    let (positives, needed) = (counted(metric, worlds), metric.minimum_positives());
    if positives < needed {
        return Estimate::NotAssessable { reason: format!("{positives} of at least {needed} persons") };
    }
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    if known.len() < values.len() {
        return Estimate::NotAssessable {
            reason: format!("exists in {} of {} worlds", known.len(), values.len()),
        };
    }
    match (summarise(&known, LEVEL), known.as_slice()) {
        (Some(s), _) => Estimate::Value { mean: s.mean, low: s.low, high: s.high, seeds: s.n },
        (None, [value]) => Estimate::SingleRun { value: *value },
        (None, _) => Estimate::NotAssessable { reason: "no finished world".into() },
    }
}

/// Distinct persons in the denominator of a metric, over all worlds.
pub(super) fn counted(metric: &dyn Metric, worlds: &[&[Case]]) -> usize {
    let counts = metric.about().counted;
    worlds
        .iter()
        .copied()
        .flatten()
        .filter(|case| counts(case))
        .map(|case| case.person)
        .collect::<BTreeSet<_>>()
        .len()
}

/// Evenly spaced points of a long curve, ends included.
fn thin(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if curve.len() <= CURVE_POINTS {
        return curve.to_vec();
    }
    (0..CURVE_POINTS).map(|at| curve[at * (curve.len() - 1) / (CURVE_POINTS - 1)]).collect()
}

/// Share identified for review by days since the first harmful contact: Aalen-Johansen in each world (removal by the
/// platform's own moderation competes), mean and t interval over worlds.
fn detection(worlds: &[&[Case]]) -> Vec<StepPoint> {
    let curves: Vec<_> =
        worlds.iter().map(|cases| aalen_johansen(&follow_ups(cases), Ending::Identified)).collect();
    let horizon =
        worlds.iter().copied().flatten().map(|case| case.left.since(case.entered)).max().unwrap_or(0);
    let at = |curve: &[survival::StepPoint], day: f64| {
        curve.iter().rev().find(|point| point.days <= day).map_or(0.0, |point| point.value)
    };
    (0..=horizon / DAY)
        .map(|day| {
            let days = f64::from(day);
            let shares: Vec<f64> = curves.iter().map(|curve| at(curve, days)).collect();
            match summarise(&shares, LEVEL) {
                Some(s) => StepPoint { days, share: s.mean, low: s.low.max(0.0), high: s.high.min(1.0) },
                None => {
                    let share = shares.first().copied().unwrap_or(0.0);
                    StepPoint { days, share, low: share, high: share }
                }
            }
        })
        .collect()
}

#[allow(clippy::cast_precision_loss)]
fn burden(worlds: &[&[Case]], metas: &[WorldMeta]) -> Vec<BurdenRow> {
    let names: Vec<&str> =
        metas.first().map_or(vec![], |meta| meta.groups.iter().map(String::as_str).collect());
    let by_world: Vec<_> = worlds.iter().map(|cases| burden_by_group(cases, &names)).collect();
    names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let groups: Vec<_> = by_world.iter().map(|groups| &groups[at]).collect();
            let accounts: u64 = groups.iter().map(|group| group.accounts as u64).sum();
            let known: Vec<f64> = groups.iter().filter_map(|group| group.per_10k_account_days).collect();
            let interval = (known.len() == groups.len()).then(|| summarise(&known, LEVEL)).flatten();
            BurdenRow {
                group: (*name).to_owned(),
                accounts,
                reviewed: interval.map(|_| groups.iter().map(|group| group.reviewed as f64).sum()),
                restricted_per_10k_days: interval.map(|s| Interval {
                    mean: s.mean,
                    low: s.low.max(0.0),
                    high: s.high,
                }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_eval::laws::scored;

    #[test]
    fn a_reliability_curve_holds_every_account_once_and_splits_no_tie() {
        let mut all = vec![(0.9, true), (0.9, false), (0.9, true)];
        all.extend((0..997).map(|i| (0.5 - f32::from(u16::try_from(i).unwrap()) * 1e-4, i % 100 == 0)));
        let points = reliability(&scored(&all));
        assert_eq!(points.iter().map(|p| p.accounts).sum::<u64>(), 1000);
        // The top thousandth is one account; the three of its score stay together.
        assert_eq!((points[0].accounts, points[1].accounts), (3, 7));
        assert!((points[0].share - 2.0 / 3.0).abs() < 1e-12 && (points[0].score - 0.9).abs() < 1e-6);
        assert!(points.iter().all(|p| p.low <= p.share && p.share <= p.high));
    }
}
