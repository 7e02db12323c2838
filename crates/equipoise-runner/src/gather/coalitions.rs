//! Who must join: what each platform adds, over all coalitions that a run has arms for.
//!
//! The value of a coalition is the primary metric over all accounts when its members train together and the others alone. A
//! platform's share of what the whole gains is its Shapley value (Shapley 1953): the mean, over all orders of joining, of what the
//! whole gains when it joins. Coalitions of none and of one are everybody alone.

use super::ArmResults;
use super::arm::{estimate, primary};
use super::compare::values;
use crate::config::{ArmKind, Experiment, PartitionSpec};
use crate::data::WorldMeta;
use crate::report::data::CoalitionRow;
use equipoise_eval::Case;
use std::collections::BTreeMap;

pub(super) fn shares(
    arms: &[ArmResults<'_>],
    metas: &[WorldMeta],
    experiment: &Experiment,
) -> Vec<CoalitionRow> {
    let names = metas.first().map_or(&[][..], |meta| &meta.platforms);
    let metric = primary(experiment);
    let mut worth: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for arm in
        arms.iter().filter(|arm| arm.plan.slice.arm == ArmKind::Federated && arm.plan.slice.privacy.is_none())
    {
        let partition = arm.plan.slice.federation.as_ref().map(|section| &section.partition);
        let coalition = match partition {
            Some(PartitionSpec::Members { platforms }) => platforms.iter().fold(0, |set, p| set | 1 << p),
            Some(PartitionSpec::Platform {}) => (1_u32 << names.len()) - 1,
            _ => continue,
        };
        worth.extend(values(arm, metric.as_ref()).map(|values| (coalition, values)));
    }
    let local = arms.iter().find(|arm| arm.plan.slice.arm == ArmKind::LocalOnly);
    let Some((local, alone)) = local.and_then(|local| Some((local, values(local, metric.as_ref())?))) else {
        return vec![];
    };
    let alone_sets = std::iter::once(0).chain((0..names.len()).map(|p| 1 << p));
    worth.extend(alone_sets.map(|set| (set, alone.clone())));
    if names.len() < 2 || worth.len() != 1 << names.len() {
        return vec![];
    }
    let cases: Vec<&[Case]> = local.trials.iter().flatten().map(|trial| trial.cases.as_slice()).collect();
    let words = |values: &[f64]| {
        let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
        estimate(metric.as_ref(), &cases, &values)
    };
    let row = |(p, name): (usize, &String)| CoalitionRow {
        platform: name.clone(),
        share: words(&shapley(&worth, names.len(), p)),
        missed: words(&abstains(&worth, names.len(), p)),
    };
    names.iter().enumerate().map(row).collect()
}

/// The Shapley value of player `p`, world by world.
#[allow(clippy::cast_precision_loss)] // A handful of platforms.
fn shapley(worth: &BTreeMap<u32, Vec<f64>>, players: usize, p: usize) -> Vec<f64> {
    let factorial = |n: usize| (1..=n).map(|n| n as f64).product::<f64>();
    let mut value = vec![0.0; worth[&0].len()];
    for (set, without) in worth.iter().filter(|(set, _)| **set & (1 << p) == 0) {
        let size = set.count_ones() as usize;
        let weight = factorial(size) * factorial(players - size - 1) / factorial(players);
        for ((value, with), without) in value.iter_mut().zip(&worth[&(set | 1 << p)]).zip(without) {
            *value += weight * (with - without);
        }
    }
    value
}

/// What the whole loses when `p` alone abstains, world by world.
fn abstains(worth: &BTreeMap<u32, Vec<f64>>, players: usize, p: usize) -> Vec<f64> {
    let all = (1_u32 << players) - 1;
    worth[&all].iter().zip(&worth[&(all & !(1 << p))]).map(|(all, without)| all - without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The glove game: player 0 holds a left glove, 1 and 2 a right one each; a pair is worth 1. The values are 2/3, 1/6, 1/6.
    #[test]
    fn the_glove_game_is_worked_by_hand() {
        let pair = |set: u32| f64::from(set & 1 != 0 && set & 6 != 0);
        let worth: BTreeMap<u32, Vec<f64>> = (0..8).map(|set| (set, vec![pair(set)])).collect();
        let shares: Vec<f64> = (0..3).map(|p| shapley(&worth, 3, p)[0]).collect();
        assert!(shares.iter().zip([2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "the shares are all that there is");
        assert!((abstains(&worth, 3, 0)[0] - 1.0).abs() < 1e-12);
        assert!(abstains(&worth, 3, 1)[0].abs() < 1e-12);
    }
}
