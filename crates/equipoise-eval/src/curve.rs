//! Curves for figures: precision over recall, ROC, reliability. Ties are one point, so no curve depends on input order.

use crate::Case;
use crate::metric::{Sample, ranking, ratio};

/// Running `(harmful, all)` totals down the ranking, one per distinct score.
fn totals(cases: &[Case]) -> Vec<(u64, u64)> {
    let (weights, order) = (vec![1; cases.len()], ranking(cases));
    let sample = Sample { cases, weights: &weights, order: &order };
    let add = |sum: &mut (u64, u64), group: (u64, u64)| {
        *sum = (sum.0 + group.0, sum.1 + group.1);
        Some(*sum)
    };
    sample.tie_groups().scan((0, 0), add).collect()
}

/// `(recall, precision)` at each distinct score, highest score first; empty without a harmful case.
#[must_use]
pub fn precision_recall_curve(cases: &[Case]) -> Vec<(f64, f64)> {
    let totals = totals(cases);
    let harmful = totals.last().map_or(0, |last| last.0);
    totals.iter().filter_map(|&(found, seen)| Some((ratio(found, harmful)?, ratio(found, seen)?))).collect()
}

/// `(false-positive rate, true-positive rate)` at each distinct score from `(0, 0)`; empty without both kinds.
#[must_use]
pub fn roc_curve(cases: &[Case]) -> Vec<(f64, f64)> {
    let totals = totals(cases);
    let (harmful, all) = totals.last().copied().unwrap_or_default();
    let point =
        |&(found, seen): &(u64, u64)| Some((ratio(seen - found, all - harmful)?, ratio(found, harmful)?));
    let mut curve: Vec<_> = totals.iter().filter_map(point).collect();
    if !curve.is_empty() {
        curve.insert(0, (0.0, 0.0));
    }
    curve
}

/// What the precision at a threshold would be at another `prevalence`, given its two rates; `None` if nothing is flagged.
#[must_use]
pub fn precision_at_prevalence(
    true_positive_rate: f64,
    false_positive_rate: f64,
    prevalence: f64,
) -> Option<f64> {
    let flagged = prevalence * true_positive_rate + (1.0 - prevalence) * false_positive_rate;
    (flagged > 0.0).then(|| prevalence * true_positive_rate / flagged)
}

/// One bin of the reliability diagram.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReliabilityBin {
    /// Cases in the bin.
    pub cases: f64,
    /// Their mean score.
    pub mean_score: f64,
    /// Their share of harmful cases.
    pub share_harmful: f64,
}

/// Mean score against share harmful in `bins` of equal mass, highest scores first; equal scores are never split.
#[must_use]
pub fn reliability(cases: &[Case], bins: u32) -> Vec<ReliabilityBin> {
    let (weights, order) = (vec![1; cases.len()], ranking(cases));
    reliability_of(Sample { cases, weights: &weights, order: &order }, bins)
}

/// [`reliability`] over a weighted sample.
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub(crate) fn reliability_of(sample: Sample<'_>, bins: u32) -> Vec<ReliabilityBin> {
    let all = sample.count(|_| true) as f64;
    let (mut out, mut seen) = (Vec::new(), 0.0);
    let (mut cases, mut score, mut harmful) = (0.0, 0.0, 0.0);
    let groups =
        sample.order.chunk_by(|&a, &b| sample.cases[a as usize].score == sample.cases[b as usize].score);
    for group in groups {
        for &index in group {
            let (case, weight) = (&sample.cases[index as usize], f64::from(sample.weights[index as usize]));
            cases += weight;
            score += weight * f64::from(case.score.get());
            harmful += weight * f64::from(u8::from(case.harmful));
        }
        let due = all * (out.len() + 1) as f64 / f64::from(bins.max(1));
        if cases > 0.0 && seen + cases >= due - 1e-9 {
            out.push(ReliabilityBin { cases, mean_score: score / cases, share_harmful: harmful / cases });
            seen += cases;
            (cases, score, harmful) = (0.0, 0.0, 0.0);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::scored;

    #[test]
    fn a_tie_is_one_point_of_the_curve() {
        let cases = scored(&[(0.9, true), (0.5, false), (0.5, true), (0.1, false)]);
        let curve = precision_recall_curve(&cases);
        assert_eq!(curve, [(0.5, 1.0), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
        assert_eq!(roc_curve(&cases), [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
    }

    #[test]
    fn a_curve_without_a_harmful_case_is_empty() {
        assert!(precision_recall_curve(&scored(&[(0.4, false)])).is_empty());
        assert!(roc_curve(&scored(&[(0.4, false)])).is_empty());
    }

    #[test]
    fn precision_falls_with_prevalence() {
        // 0.5 x 0.01 / (0.5 x 0.01 + 0.01 x 0.99) = 0.005 / 0.0149.
        let precision = precision_at_prevalence(0.5, 0.01, 0.01).unwrap();
        assert!((precision - 0.005 / 0.0149).abs() < 1e-12);
        assert_eq!(precision_at_prevalence(0.0, 0.0, 0.5), None);
    }

    #[test]
    fn reliability_bins_hold_all_cases_and_split_no_tie() {
        let cases = scored(&[(0.9, true), (0.5, false), (0.5, true), (0.5, false), (0.1, false)]);
        let bins = reliability(&cases, 5);
        assert_eq!(bins.iter().map(|bin| bin.cases).collect::<Vec<_>>(), [1.0, 3.0, 1.0]);
    }
}
