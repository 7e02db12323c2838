//! The gap by simulated pattern: what each arm identifies of one pattern, and how far that is from training alone. A mean over patterns
//! hides the quiet ones; a slow single target and a migrator have no volume, so they stand by name.

use super::ArmResults;
use super::arm::{LEVEL, estimate, primary};
use super::compare::{partner, trained_alike};
use crate::config::{ArmKind, Experiment};
use crate::data::WorldMeta;
use crate::report::data::{Estimate, PatternRow, Verdict};
use equipoise_eval::stats::{paired_difference, ratio_of_means};
use equipoise_eval::{Case, Metric};
use std::collections::BTreeSet;

/// One row a pattern and arm that is held against training alone.
pub(super) fn gaps(arms: &[ArmResults<'_>], metas: &[WorldMeta], experiment: &Experiment) -> Vec<PatternRow> {
    let names = metas.first().map_or(&[][..], |meta| meta.archetypes.as_slice());
    let metric = primary(experiment);
    let above = |arm: &&ArmResults<'_>| {
        let kind = arm.plan.slice.arm;
        kind.trains() && !matches!(kind, ArmKind::LocalOnly | ArmKind::LocalTrees)
    };
    let mut rows = Vec::new();
    for (code, name) in (0..).zip(names).skip(1) {
        for arm in arms.iter().filter(above) {
            let kind = arm.plan.slice.arm;
            let (alone, together) = if kind.grows_trees() {
                (ArmKind::LocalTrees, ArmKind::PooledTrees)
            } else {
                (ArmKind::LocalOnly, ArmKind::PooledUnlinked)
            };
            let Some(local) = partner(arms, alone, arm) else { continue };
            let apart = kind.federates() || kind == ArmKind::FederatedTrees;
            let pooled = partner(arms, together, arm)
                .filter(|pooled| apart && trained_alike(pooled, arm) && trained_alike(pooled, local));
            rows.push(row(metric.as_ref(), (code, name), arm, local, pooled));
        }
    }
    rows
}

fn row(
    metric: &dyn Metric,
    (code, name): (u8, &str),
    arm: &ArmResults<'_>,
    local: &ArmResults<'_>,
    pooled: Option<&ArmResults<'_>>,
) -> PatternRow {
    let (own, alone) = (Sliced::of(metric, arm, code), Sliced::of(metric, local, code));
    let persons: BTreeSet<u32> = own
        .cases
        .iter()
        .flatten()
        .filter(|case| (metric.about().counted)(case))
        .map(|case| case.person)
        .collect();
    let value = own.estimate(metric);
    // Too few persons, or a world without any: no difference can be assessed where the value itself cannot.
    let assessable = !matches!(value, Estimate::NotAssessable { .. });
    let pair = if assessable { own.known().zip(alone.known()) } else { None };
    let paired = pair.and_then(|(a, b)| paired_difference(&a, &b, LEVEL));
    let verdict = paired.as_ref().map_or(Verdict::NotAssessable, |paired| {
        match (paired.no_difference(), paired.difference.mean > 0.0) {
            (true, _) => Verdict::NoDifference,
            (false, true) => Verdict::Higher,
            (false, false) => Verdict::Lower,
        }
    });
    let difference = match (&value, paired) {
        (Estimate::NotAssessable { reason }, _) => Estimate::NotAssessable { reason: reason.clone() },
        (_, Some(paired)) => {
            let d = paired.difference;
            Estimate::Value { mean: d.mean, low: d.low, high: d.high, seeds: d.n }
        }
        (_, None) => Estimate::NotAssessable { reason: "worlds do not pair".to_owned() },
    };
    let closed = pooled.map(|pooled| {
        let above = |arm: &Sliced| -> Option<Vec<f64>> {
            Some(arm.known()?.iter().zip(alone.known()?).map(|(arm, local)| arm - local).collect())
        };
        let ratio = above(&own)
            .zip(above(&Sliced::of(metric, pooled, code)))
            .filter(|_| assessable)
            .and_then(|(a, b)| ratio_of_means(&a, &b, LEVEL));
        let unknown = || match &value {
            Estimate::NotAssessable { .. } => value.clone(),
            _ => {
                Estimate::NotAssessable { reason: "the gap itself is not shown to differ from 0".to_owned() }
            }
        };
        ratio.map_or_else(unknown, |(mean, low, high)| Estimate::Value {
            mean,
            low,
            high,
            seeds: arm.trials.len(),
        })
    });
    PatternRow {
        pattern: name.to_owned(),
        arm: arm.plan.id.clone(),
        persons: persons.len() as u64,
        alone: alone.estimate(metric),
        value,
        difference,
        verdict,
        closed,
    }
}

/// One arm's cases of one pattern, beside all benign ones so that ranking metrics keep their negatives, world by world.
struct Sliced {
    cases: Vec<Vec<Case>>,
    values: Vec<Option<f64>>,
}

impl Sliced {
    fn of(metric: &dyn Metric, arm: &ArmResults<'_>, code: u8) -> Self {
        let keep = |case: &Case| !case.harmful || case.archetype == code;
        let trials = arm.trials.iter().flatten();
        let cases: Vec<Vec<Case>> = trials.map(|trial| equipoise_eval::slice(&trial.cases, keep)).collect();
        let values = cases.iter().map(|cases| metric.compute(cases)).collect();
        Self { cases, values }
    }

    fn estimate(&self, metric: &dyn Metric) -> Estimate {
        let cases: Vec<&[Case]> = self.cases.iter().map(Vec::as_slice).collect();
        estimate(metric, &cases, &self.values)
    }

    fn known(&self) -> Option<Vec<f64>> {
        self.values.iter().copied().collect()
    }
}
