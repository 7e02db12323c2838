//! One arm over all worlds: every metric with its interval over worlds, curves, burden by group.

use super::ArmResults;
use crate::config::{ArmKind, Experiment};
use crate::data::WorldMeta;
use crate::report::data::{ArmReport, ArmRole, BurdenRow, Estimate, Interval, StepPoint};
use equipoise_core::DAY;
use equipoise_eval::stats::summarise;
use equipoise_eval::survival::{self, Ending, aalen_johansen, follow_ups};
use equipoise_eval::{Case, Metric, MetricSpec, burden_by_group, per_person, precision_recall_curve};
use std::collections::{BTreeMap, BTreeSet};

/// Confidence of every interval.
pub(super) const LEVEL: f64 = 0.95;
/// Points of a drawn curve; more cannot be seen.
const CURVE_POINTS: usize = 120;

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
    }
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
