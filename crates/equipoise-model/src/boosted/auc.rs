//! The area under the ROC curve with its variance where rows come in groups (Obuchowski, Biometrics 1997): the rows of one
//! person are not independent. With one row a group it is DeLong, DeLong and Clarke-Pearson (Biometrics 1988).

use std::collections::BTreeMap;

/// An area and the variance of its estimate over fresh groups, the scorer held fixed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Area {
    pub(super) auc: f64,
    pub(super) variance: f64,
    pub(super) positives: usize,
    pub(super) negatives: usize,
}

/// One scored row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) score: f32,
    pub(super) positive: bool,
    pub(super) group: u64,
}

/// Sums over the rows of one group.
#[derive(Clone, Copy, Default)]
struct Group {
    positives: f64,
    negatives: f64,
    of_positives: f64,
    of_negatives: f64,
}

/// The area over `cases`, ties counting half; `None` with fewer than two groups that hold positives or two that hold
/// negatives, for then there is no variance to speak of.
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub(super) fn grouped_auc(cases: &[Case]) -> Option<Area> {
    let sorted = |positive: bool| {
        let mut scores: Vec<f32> =
            cases.iter().filter(|case| case.positive == positive).map(|case| case.score).collect();
        scores.sort_unstable_by(f32::total_cmp);
        scores
    };
    let (positives, negatives) = (sorted(true), sorted(false));
    let (m, n) = (positives.len() as f64, negatives.len() as f64);
    let mut groups: BTreeMap<u64, Group> = BTreeMap::new();
    for case in cases {
        let group = groups.entry(case.group).or_default();
        if case.positive {
            group.positives += 1.0;
            group.of_positives += share_below(&negatives, case.score);
        } else {
            group.negatives += 1.0;
            group.of_negatives += 1.0 - share_below(&positives, case.score);
        }
    }
    let with = |has: fn(&Group) -> bool| groups.values().filter(|group| has(group)).count() as f64;
    let (i10, i01) = (with(|group| group.positives > 0.0), with(|group| group.negatives > 0.0));
    if i10 < 2.0 || i01 < 2.0 {
        return None;
    }
    let auc = groups.values().map(|group| group.of_positives).sum::<f64>() / m;
    let (mut s10, mut s01, mut s11) = (0.0, 0.0, 0.0);
    for group in groups.values() {
        let a = group.of_positives - group.positives * auc;
        let b = group.of_negatives - group.negatives * auc;
        (s10, s01, s11) = (s10 + a * a, s01 + b * b, s11 + a * b);
    }
    let all = groups.len() as f64;
    let variance = i10 / (i10 - 1.0) * s10 / (m * m)
        + i01 / (i01 - 1.0) * s01 / (n * n)
        + 2.0 * all / (all - 1.0) * s11 / (m * n);
    Some(Area { auc, variance: variance.max(0.0), positives: positives.len(), negatives: negatives.len() })
}

/// The share of `sorted` below `score`, equals counting half.
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
fn share_below(sorted: &[f32], score: f32) -> f64 {
    let below = sorted.partition_point(|&other| other < score);
    let up_to = sorted.partition_point(|&other| other <= score);
    (below + up_to) as f64 / (2.0 * sorted.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    fn case(score: f32, positive: bool, group: u64) -> Case {
        Case { score, positive, group }
    }

    /// The eight scores of the test of `equipoise_eval::stats::auc_with_interval`: AUC 0.59375, DeLong's standard error by
    /// numpy 0.226787.
    #[test]
    fn one_row_a_group_is_delong() {
        let scores = [0.9, 0.8, 0.5, 0.3, 0.9, 0.5, 0.5, 0.1];
        let cases: Vec<Case> = scores.iter().zip(0..).map(|(&score, at)| case(score, at < 4, at)).collect();
        let area = grouped_auc(&cases).unwrap();
        assert!((area.auc - 0.59375).abs() < 1e-12);
        assert!((area.variance.sqrt() - 0.226_786_886_011_210_6).abs() < 1e-9, "{}", area.variance.sqrt());
        assert_eq!((area.positives, area.negatives), (4, 4));
    }

    /// Each row five times, copies in one group: five times the rows tell no more about the area.
    #[test]
    fn copies_in_one_group_do_not_narrow_the_interval() {
        let mut rng = Seed::root(3).rng();
        let once: Vec<Case> = (0..80)
            .map(|at| {
                #[allow(clippy::cast_possible_truncation)]
                let score = (rng.normal() + f64::from(u8::from(at < 30))) as f32;
                case(score, at < 30, at)
            })
            .collect();
        let copies: Vec<Case> = once.iter().flat_map(|&case| [case; 5]).collect();
        let alone: Vec<Case> = copies.iter().zip(0..).map(|(c, at)| Case { group: at, ..*c }).collect();
        let [once, copies, alone] = [once, copies, alone].map(|cases| grouped_auc(&cases).unwrap());
        assert!((once.auc - copies.auc).abs() < 1e-12);
        assert!((once.variance / copies.variance - 1.0).abs() < 1e-9);
        assert!(alone.variance < 0.25 * once.variance);
    }

    #[test]
    fn too_few_groups_have_no_area() {
        let cases = [case(0.1, true, 1), case(0.2, true, 1), case(0.3, false, 2), case(0.4, false, 3)];
        assert_eq!(grouped_auc(&cases), None);
        assert_eq!(grouped_auc(&[]), None);
    }
}
