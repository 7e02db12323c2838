//! How far harm got: stages entered with and without a policy, weighted; stage at detection; what alerts add to reports.
//!
//! The weights are invented (assumed, never monetary), so three weightings are published together and the headline is a count of
//! children, never this share.

use crate::early::Facts;
use crate::metric::ratio;
use crate::{MINIMUM_COHORT, Unit};
use serde::{Deserialize, Serialize};

/// Stages of a simulated harmful contact: 0 none, then 1 to 5.
pub const STAGES: usize = 6;

/// A weight for each stage entered.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HarmWeights {
    /// Name.
    pub name: &'static str,
    /// Weight of entering stage 0 to 5.
    pub weights: [f64; STAGES],
}

/// The three published weightings, all assumed: the default; every stage alike; only the two last.
pub const WEIGHTINGS: [HarmWeights; 3] = [
    HarmWeights { name: "graded", weights: [0.0, 0.05, 0.15, 0.4, 1.0, 1.5] },
    HarmWeights { name: "every-stage-alike", weights: [0.0, 1.0, 1.0, 1.0, 1.0, 1.0] },
    HarmWeights { name: "last-stages-only", weights: [0.0, 0.0, 0.0, 0.0, 1.0, 1.0] },
];

/// Facts of [`prevented_fraction`].
pub const PREVENTED_FRACTION: Facts = Facts {
    name: "harm_weighted_prevented_fraction",
    unit: Unit::Index,
    higher_is_better: true,
    range: (f64::NEG_INFINITY, 1.0),
    source: "design of this project; weights assumed",
    undefined: "no weighted harm without the policy",
};

/// `1 - H(policy) / H(no policy)`, `H` the sum over pairs of account and child of the weights of the stages entered. Inputs count
/// pairs that entered each stage, in worlds on common random numbers. Below 0 where the policy does harm.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn prevented_fraction(
    with: &[u64; STAGES],
    without: &[u64; STAGES],
    weights: &HarmWeights,
) -> Option<f64> {
    let harm = |entered: &[u64; STAGES]| {
        entered.iter().zip(weights.weights).map(|(count, weight)| *count as f64 * weight).sum::<f64>()
    };
    let before = harm(without);
    (before > 0.0).then(|| 1.0 - harm(with) / before)
}

/// At which stage harmful accounts were detected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StageAtDetection {
    /// Accounts by the highest stage that any of their contacts had reached at detection.
    pub detected: [u64; STAGES],
    /// Accounts never detected.
    pub never: u64,
}

impl StageAtDetection {
    /// Counts one account.
    ///
    /// # Panics
    /// If the stage is not below [`STAGES`].
    pub fn count(&mut self, stage: Option<usize>) {
        match stage {
            Some(stage) => self.detected[stage] += 1,
            None => self.never += 1,
        }
    }

    /// Share of all harmful accounts detected at stage 2 or before; `None` without any.
    #[must_use]
    pub fn early_share(&self) -> Option<f64> {
        ratio(self.detected[..=2].iter().sum(), self.detected.iter().sum::<u64>() + self.never)
    }
}

/// A harmful account in two worlds on common random numbers: with scores, and with user reports only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Whether review upheld it in the world with scores.
    pub upheld: bool,
    /// Whether an alert came before any user report of it there.
    pub alert_first: bool,
    /// Whether it was upheld in the world with reports only.
    pub by_reports_only: bool,
}

/// What alerts add to reports.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Proactive {
    /// Upheld with the alert before any report / upheld: **of accounts**, not of removed content; grows when reporting fails, so
    /// it never stands without the next number. `None` where nothing is upheld.
    pub rate: Option<f64>,
    /// Recall with scores minus recall with reports only, in `[-1, 1]`. `None` without harmful accounts.
    pub incremental_recall: Option<f64>,
    /// Accounts found only with scores.
    pub gained: u64,
    /// Accounts found only without them.
    pub lost: u64,
}

/// The proactive rate and, beside it, the incremental recall.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn proactive(harmful: &[Found]) -> Proactive {
    let count = |holds: fn(&Found) -> bool| harmful.iter().filter(|found| holds(found)).count() as u64;
    let gained = count(|found| found.upheld && !found.by_reports_only);
    let lost = count(|found| !found.upheld && found.by_reports_only);
    Proactive {
        rate: ratio(count(|found| found.upheld && found.alert_first), count(|found| found.upheld)),
        incremental_recall: (!harmful.is_empty())
            .then(|| (gained as f64 - lost as f64) / harmful.len() as f64),
        gained,
        lost,
    }
}

/// A child whom a harmful account contacted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Target<'a> {
    /// Age band, gender or platform of the child.
    pub group: &'a str,
    /// Whether the account was ever identified.
    pub identified: bool,
    /// Whether it was identified before it contacted this child.
    pub spared: bool,
}

/// How one group of children fared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TargetGroup {
    /// The group.
    pub group: String,
    /// Children in it; `None` below the minimum cohort, as is every other number.
    pub children: Option<u64>,
    /// Share whose account was identified.
    pub recall: Option<f64>,
    /// Share whose account was identified before it contacted them.
    pub spared: Option<f64>,
}

/// Outcomes by group of children, in order of name; fewer than [`MINIMUM_COHORT`] children get no number.
#[must_use]
pub fn target_equity(targets: &[Target<'_>]) -> Vec<TargetGroup> {
    let mut counts: std::collections::BTreeMap<&str, (u64, u64, u64)> = std::collections::BTreeMap::new();
    for target in targets {
        let (all, identified, spared) = counts.entry(target.group).or_default();
        *all += 1;
        *identified += u64::from(target.identified);
        *spared += u64::from(target.spared);
    }
    let row = |(group, (all, identified, spared)): (&str, (u64, u64, u64))| {
        let enough = all >= MINIMUM_COHORT as u64;
        TargetGroup {
            group: group.to_owned(),
            children: enough.then_some(all),
            recall: ratio(identified, all).filter(|_| enough),
            spared: ratio(spared, all).filter(|_| enough),
        }
    };
    counts.into_iter().map(row).collect()
}

/// Unevenness of a value over groups.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spread {
    /// The group of the highest value.
    pub most: String,
    /// The group of the lowest.
    pub least: String,
    /// Highest minus lowest.
    pub gap: f64,
    /// Highest over lowest; `None` where the lowest is 0.
    pub ratio: Option<f64>,
}

/// Highest against lowest of the groups that have a number; `None` with fewer than two. Of equal groups the first by name.
#[must_use]
pub fn spread<'a>(groups: impl IntoIterator<Item = (&'a str, Option<f64>)>) -> Option<Spread> {
    let mut known: Vec<(&str, f64)> =
        groups.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    known.sort_by(|a, b| a.0.cmp(b.0));
    let most = known.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let least = known.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    (known.len() > 1).then(|| Spread {
        most: most.0.to_owned(),
        least: least.0.to_owned(),
        gap: most.1 - least.1,
        ratio: (least.1 > 0.0).then(|| most.1 / least.1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without: 10 pairs entered stage 1, 4 stage 3, 1 stage 5: .5 + 1.6 + 1.5 = 3.6. With: 10 and 1: .9. Prevented 3/4;
    /// with all stages alike 4/15; with the last alone, all.
    #[test]
    fn three_weightings_worked_by_hand() {
        let (without, with) = ([0, 10, 0, 4, 0, 1], [0, 10, 0, 1, 0, 0]);
        let got = WEIGHTINGS.map(|weights| prevented_fraction(&with, &without, &weights).unwrap());
        let want = [0.75, 4.0 / 15.0, 1.0];
        assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-12), "{got:?}");
        assert!(prevented_fraction(&without, &with, &WEIGHTINGS[0]).unwrap() < 0.0, "a policy can do harm");
        assert_eq!(prevented_fraction(&with, &with, &WEIGHTINGS[2]), None);
    }

    #[test]
    fn the_early_share_counts_the_never_detected_too() {
        let mut stages = StageAtDetection::default();
        [Some(1), Some(2), Some(3), Some(5), None].into_iter().for_each(|stage| stages.count(stage));
        assert_eq!(stages.early_share(), Some(0.4));
        assert_eq!(StageAtDetection::default().early_share(), None);
    }

    /// Five accounts: three upheld, two of them by an alert first; reports alone find one of those and one that scores miss.
    /// The rate looks fine (2/3), the gain is one of five.
    #[test]
    fn a_high_proactive_rate_is_not_a_gain() {
        let found = |upheld, alert_first, by_reports_only| Found { upheld, alert_first, by_reports_only };
        let got = proactive(&[
            found(true, true, true),
            found(true, true, false),
            found(true, false, false),
            found(false, false, true),
            found(false, false, false),
        ]);
        assert_eq!((got.rate, got.gained, got.lost), (Some(2.0 / 3.0), 2, 1));
        assert!((got.incremental_recall.unwrap() - 0.2).abs() < 1e-15);
        assert_eq!(proactive(&[found(false, true, false)]).rate, None);
        assert_eq!(proactive(&[]).incremental_recall, None);
    }

    #[test]
    fn groups_of_nineteen_children_get_no_number_and_no_part_in_the_spread() {
        let child = |group, identified, spared| Target { group, identified, spared };
        let mut targets = vec![child("13-15", true, true); 5];
        targets.extend(vec![child("13-15", false, false); 15]);
        targets.extend(vec![child("10-12", true, false); 10]);
        targets.extend(vec![child("10-12", false, false); 10]);
        targets.extend(vec![child("16-17", true, true); 19]);
        let groups = target_equity(&targets);
        let row = |at: usize| {
            (groups[at].group.as_str(), groups[at].children, groups[at].recall, groups[at].spared)
        };
        assert_eq!(row(0), ("10-12", Some(20), Some(0.5), Some(0.0)));
        assert_eq!(row(1), ("13-15", Some(20), Some(0.25), Some(0.25)));
        assert_eq!(row(2), ("16-17", None, None, None));
        let recall = spread(groups.iter().map(|group| (group.group.as_str(), group.recall))).unwrap();
        assert_eq!(
            (recall.most.as_str(), recall.least.as_str(), recall.ratio),
            ("10-12", "13-15", Some(2.0))
        );
        let spared = spread(groups.iter().map(|group| (group.group.as_str(), group.spared))).unwrap();
        assert_eq!((spared.gap, spared.ratio), (0.25, None));
        assert_eq!(spread([("alone", Some(1.0)), ("small", None)]), None);
    }
}
