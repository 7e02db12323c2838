//! How many children a harmful case reached before it was identified; an unidentified case counts to the end.

use super::{About, Metric, Sample, Unit};

/// Mean over harmful cases.
#[derive(Clone, Copy, Debug)]
pub struct ChildrenContactedBeforeDetection;

impl Metric for ChildrenContactedBeforeDetection {
    fn about(&self) -> &'static About {
        &About {
            name: "children-contacted-before-detection",
            unit: Unit::Children,
            higher_is_better: false,
            definition: "mean over harmful cases of the distinct children contacted up to identification or the end of observation",
            counted: |case| case.harmful,
        }
    }

    #[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (mut children, mut harmful) = (0_u64, 0_u64);
        for (case, weight) in sample.iter().filter(|(case, _)| case.harmful) {
            children += u64::from(weight) * case.children_before_identification() as u64;
            harmful += u64::from(weight);
        }
        super::ratio(children, harmful)
    }
}

/// The 90th percentile over harmful cases: the burden of the worst tenth.
#[derive(Clone, Copy, Debug)]
pub struct NinetiethChildrenContactedBeforeDetection;

impl Metric for NinetiethChildrenContactedBeforeDetection {
    fn about(&self) -> &'static About {
        &About {
            name: "ninetieth-children-contacted-before-detection",
            unit: Unit::Children,
            higher_is_better: false,
            definition: "smallest k such that nine in ten harmful cases contacted at most k children before identification or the end",
            counted: |case| case.harmful,
        }
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let harmful = sample.iter().filter(|(case, _)| case.harmful);
        let mut counts: Vec<(usize, u32)> =
            harmful.map(|(case, weight)| (case.children_before_identification(), weight)).collect();
        counts.sort_unstable();
        let all: u64 = counts.iter().map(|&(_, weight)| u64::from(weight)).sum();
        let mut below = 0;
        let at = counts.iter().find(|&&(_, weight)| {
            below += u64::from(weight);
            below * 10 >= all * 9
        })?;
        u32::try_from(at.0).ok().map(f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::benign;
    use crate::{Case, ContactTimes};
    use equipoise_core::SimTime;

    #[test]
    fn mean_and_ninetieth_worked_by_hand() {
        let contacts = |n: u32| ContactTimes::new((0..n).map(|child| (child, SimTime::from_days(1))));
        let cases: Vec<Case> =
            (1..=10).map(|n| Case { harmful: true, contacts: contacts(n), ..benign(n, n) }).collect();
        assert!((ChildrenContactedBeforeDetection.compute(&cases).unwrap() - 5.5).abs() < 1e-12);
        assert!((NinetiethChildrenContactedBeforeDetection.compute(&cases).unwrap() - 9.0).abs() < 1e-12);
    }
}
