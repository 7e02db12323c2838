//! Recall at the review budget that the run actually had: what reviewers reached and upheld, not what ranked high.

use super::{About, Metric, Sample, Unit, ratio};

/// Share of harmful cases that were reviewed and upheld.
#[derive(Clone, Copy, Debug)]
pub struct RecallAtBudget;

impl Metric for RecallAtBudget {
    fn about(&self) -> &'static About {
        &About {
            name: "recall-at-budget",
            unit: Unit::Share,
            higher_is_better: true,
            definition: "harmful cases reviewed and upheld within the review budget / harmful cases",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        sample.share(|case| case.harmful, |case| case.identified.is_some())
    }
}

/// Recall averaged over archetypes, so that a common pattern cannot hide a rare one.
#[derive(Clone, Copy, Debug)]
pub struct MacroRecallAtBudget;

impl Metric for MacroRecallAtBudget {
    fn about(&self) -> &'static About {
        &About {
            name: "macro-recall-at-budget",
            unit: Unit::Index,
            higher_is_better: true,
            definition: "mean over the archetypes present of (harmful cases upheld / harmful cases) within the archetype",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let mut counts = [(0_u64, 0_u64); 256];
        for (case, weight) in sample.iter().filter(|(case, _)| case.harmful) {
            let (upheld, all) = &mut counts[usize::from(case.archetype)];
            *upheld += u64::from(weight) * u64::from(case.identified.is_some());
            *all += u64::from(weight);
        }
        let recalls = counts.iter().filter_map(|&(upheld, all)| ratio(upheld, all));
        let (sum, archetypes) = recalls.fold((0.0, 0_u32), |(sum, n), recall| (sum + recall, n + 1));
        (archetypes > 0).then(|| sum / f64::from(archetypes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Case;
    use crate::laws::benign;
    use equipoise_core::SimTime;

    #[test]
    fn a_rare_archetype_weighs_as_much_as_a_common_one() {
        let case = |archetype, identified: bool| Case {
            harmful: true,
            archetype,
            identified: identified.then_some(SimTime(5)),
            ..benign(0, 0)
        };
        let cases = [case(1, true), case(1, true), case(1, true), case(2, false)];
        assert!((RecallAtBudget.compute(&cases).unwrap() - 0.75).abs() < 1e-12);
        assert!((MacroRecallAtBudget.compute(&cases).unwrap() - 0.5).abs() < 1e-12);
    }
}
