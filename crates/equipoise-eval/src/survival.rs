//! Time to identification with censoring: Kaplan and Meier (1958), and Aalen and Johansen (1978) for competing risks.
//!
//! Kaplan-Meier reads removal as censoring, which is right only if removal tells nothing about detection; the share that
//! review really reached is the Aalen-Johansen curve. Neither corrects for the choice of who is observed.

use crate::Case;
use crate::metric::{Sample, ranking};
use equipoise_core::DAY;

/// How the follow-up of a case ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ending {
    /// Reviewed and upheld.
    Identified,
    /// Closed by the world's own moderation.
    Removed,
    /// Observation ended first.
    Censored,
}

/// One case on the clock that starts with its first harmful contact, or with observation if that is later.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FollowUp {
    /// Days until `ending`.
    pub days: f64,
    /// What came first; identification before removal on the same instant.
    pub ending: Ending,
    /// How often the case counts.
    pub weight: u32,
}

/// A right-continuous step: `value` holds from `days` to the next point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StepPoint {
    /// Days since the clock of each case started.
    pub days: f64,
    /// The curve from here on.
    pub value: f64,
    /// Greenwood's standard error for Kaplan-Meier; 0 for Aalen-Johansen, whose intervals are bootstrapped.
    pub standard_error: f64,
    /// Cases at risk just before `days`.
    pub at_risk: u64,
}

/// Whether a case has a clock: harmful, with a first harmful contact before its observation ends.
pub(crate) fn timed(case: &Case) -> bool {
    case.harmful && case.harm_start.is_some_and(|start| start < case.left) && case.entered < case.left
}

/// The follow-up of a case, and the days it could have been followed at most.
fn follow_up(case: &Case, weight: u32) -> Option<(FollowUp, f64)> {
    let start = case.harm_start.filter(|_| timed(case))?.max(case.entered);
    let days = |until: equipoise_core::SimTime| f64::from(until.since(start).max(0)) / f64::from(DAY);
    let identified = case.identified.map(|at| (at, Ending::Identified));
    let removed = case.removed.map(|at| (at, Ending::Removed));
    let first = [identified, removed, Some((case.left, Ending::Censored))].into_iter().flatten().min_by_key(
        |&(at, ending)| {
            // Identification on the last instant still counts, so the calendar comes last among equals.
            (at, ending)
        },
    );
    first.map(|(at, ending)| (FollowUp { days: days(at), ending, weight }, days(case.left)))
}

/// Follow-ups in order of time, and the longest possible one; `None` without a timed case.
pub(crate) fn weighted_follow_ups(sample: Sample<'_>) -> Option<(Vec<FollowUp>, f64)> {
    let pairs: Vec<(FollowUp, f64)> =
        sample.iter().filter_map(|(case, weight)| follow_up(case, weight)).collect();
    let longest = pairs.iter().map(|pair| pair.1).fold(f64::NEG_INFINITY, f64::max);
    let mut follow_ups: Vec<FollowUp> = pairs.into_iter().map(|pair| pair.0).collect();
    follow_ups.sort_unstable_by(|a, b| a.days.total_cmp(&b.days).then(a.ending.cmp(&b.ending)));
    (!follow_ups.is_empty()).then_some((follow_ups, longest))
}

/// The follow-ups of the timed cases, in order of time.
#[must_use]
pub fn follow_ups(cases: &[Case]) -> Vec<FollowUp> {
    let (weights, order) = (vec![1; cases.len()], ranking(cases));
    weighted_follow_ups(Sample { cases, weights: &weights, order: &order }).map_or(Vec::new(), |pair| pair.0)
}

/// `(days, identified, removed, at risk)` at each distinct time of sorted follow-ups.
#[allow(clippy::float_cmp)] // Times are equal when their seconds are.
fn table(follow_ups: &[FollowUp]) -> impl Iterator<Item = (f64, u64, u64, u64)> + '_ {
    let mut at_risk: u64 = follow_ups.iter().map(|case| u64::from(case.weight)).sum();
    follow_ups.chunk_by(|a, b| a.days == b.days).map(move |tied| {
        let count = |ending| {
            tied.iter().filter(|case| case.ending == ending).map(|case| u64::from(case.weight)).sum()
        };
        let row = (tied[0].days, count(Ending::Identified), count(Ending::Removed), at_risk);
        at_risk -= tied.iter().map(|case| u64::from(case.weight)).sum::<u64>();
        row
    })
}

/// The start of every curve.
fn origin(value: f64, follow_ups: &[FollowUp]) -> Vec<StepPoint> {
    let at_risk = follow_ups.iter().map(|case| u64::from(case.weight)).sum();
    vec![StepPoint { days: 0.0, value, standard_error: 0.0, at_risk }]
}

/// Share not yet identified, removal read as censoring. `follow_ups` sorted by time; a point at 0 and at each identification.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn kaplan_meier(follow_ups: &[FollowUp]) -> Vec<StepPoint> {
    let (mut curve, mut value, mut greenwood) = (origin(1.0, follow_ups), 1.0, 0.0);
    for (days, identified, _, at_risk) in table(follow_ups).filter(|row| row.1 > 0) {
        let (events, risk) = (identified as f64, at_risk as f64);
        value *= 1.0 - events / risk;
        greenwood += if at_risk > identified { events / (risk * (risk - events)) } else { 0.0 };
        curve.push(StepPoint { days, value, standard_error: value * libm::sqrt(greenwood), at_risk });
    }
    curve
}

/// Cumulative incidence of `cause` (identified or removed) with the other as a competing risk. `follow_ups` sorted by
/// time; a point at 0 and at each event of the cause. The two causes never sum to more than 1.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
pub fn aalen_johansen(follow_ups: &[FollowUp], cause: Ending) -> Vec<StepPoint> {
    let (mut curve, mut free, mut value) = (origin(0.0, follow_ups), 1.0, 0.0);
    for (days, identified, removed, at_risk) in table(follow_ups) {
        let events = match cause {
            Ending::Identified => identified,
            Ending::Removed => removed,
            Ending::Censored => 0,
        };
        value += free * events as f64 / at_risk as f64;
        free *= 1.0 - (identified + removed) as f64 / at_risk as f64;
        if events > 0 {
            curve.push(StepPoint { days, value, standard_error: 0.0, at_risk });
        }
    }
    curve
}

/// Share of the timed cases identified by each day, removal competing: the figure of time to detection.
#[must_use]
pub fn detection_curve(cases: &[Case]) -> Vec<StepPoint> {
    aalen_johansen(&follow_ups(cases), Ending::Identified)
}

/// Area under a step curve from 0 to `horizon`.
#[must_use]
pub fn restricted_mean(curve: &[StepPoint], horizon: f64) -> f64 {
    let ends = curve.iter().skip(1).map(|point| point.days).chain([f64::INFINITY]);
    curve.iter().zip(ends).map(|(point, end)| point.value * (end.min(horizon) - point.days).max(0.0)).sum()
}

/// The first day on which a falling step curve is at most `level`; `None` if it never is.
#[must_use]
pub fn crossing(curve: &[StepPoint], level: f64) -> Option<f64> {
    curve.iter().find(|point| point.value <= level + 1e-12).map(|point| point.days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(mut rows: Vec<(f64, Ending)>) -> Vec<FollowUp> {
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        rows.into_iter().map(|(days, ending)| FollowUp { days, ending, weight: 1 }).collect()
    }

    /// Remission times of the 21 patients on 6-MP (Freireich and others, Blood 1963), the textbook example
    /// of the estimator. Survival by lifelines 0.30.3, standard errors by Greenwood's formula over its event table.
    #[test]
    fn kaplan_meier_gives_the_textbook_values() {
        let events =
            [6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0].map(|days| (days, Ending::Identified));
        let censored = [6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0]
            .map(|days| (days, Ending::Censored));
        let curve = kaplan_meier(&sorted(events.into_iter().chain(censored).collect()));
        let got: Vec<(f64, u64)> = curve.iter().map(|point| (point.days, point.at_risk)).collect();
        assert_eq!(
            got,
            [(0.0, 21), (6.0, 21), (7.0, 17), (10.0, 15), (13.0, 12), (16.0, 11), (22.0, 7), (23.0, 6)]
        );
        let want = [1.0, 0.857_143, 0.806_723, 0.752_941, 0.690_196, 0.627_451, 0.537_815, 0.448_179];
        let errors = [0.0, 0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346];
        for ((point, value), error) in curve.iter().zip(want).zip(errors) {
            assert!((point.value - value).abs() < 1e-6, "day {}: {}", point.days, point.value);
            assert!(
                (point.standard_error - error).abs() < 1e-4,
                "day {}: {}",
                point.days,
                point.standard_error
            );
        }
        assert_eq!(crossing(&curve, 0.5), Some(23.0));
    }

    /// Five cases: found 1, removed 2, censored 3, found 4, removed 5. Found: 1/5, then 3/5 free with 2 at risk: + 3/10.
    #[test]
    fn aalen_johansen_of_five_cases_worked_by_hand() {
        use Ending::{Censored, Identified, Removed};
        let cases = sorted(vec![
            (1.0, Identified),
            (2.0, Removed),
            (3.0, Censored),
            (4.0, Identified),
            (5.0, Removed),
        ]);
        let values: Vec<f64> = aalen_johansen(&cases, Identified).iter().map(|point| point.value).collect();
        assert!(
            values.iter().zip([0.0, 0.2, 0.5]).all(|(got, want)| (got - want).abs() < 1e-12),
            "{values:?}"
        );
        let removed = aalen_johansen(&cases, Removed).last().unwrap().value;
        assert!((removed - 0.5).abs() < 1e-12, "{removed}");
    }

    /// Ties, which lifelines jitters: of four at risk on day 1 one is found and one removed, 1/4; half are free and one of two is
    /// found on day 2, + 1/4; the one censored on day 2 is still at risk there.
    #[test]
    fn ties_between_causes_and_censoring_worked_by_hand() {
        use Ending::{Censored, Identified, Removed};
        let four = sorted(vec![(1.0, Identified), (1.0, Removed), (2.0, Identified), (2.0, Censored)]);
        let values: Vec<f64> = aalen_johansen(&four, Identified).iter().map(|point| point.value).collect();
        assert!(
            values.iter().zip([0.0, 0.25, 0.5]).all(|(got, want)| (got - want).abs() < 1e-12),
            "{values:?}"
        );
        let kept = kaplan_meier(&four).last().unwrap().value;
        assert!((kept - 0.75 * 0.5).abs() < 1e-12, "the removed one is censored: 3/4 x 1/2, got {kept}");
    }

    fn rows() -> impl Strategy<Value = Vec<FollowUp>> {
        let ending = prop::sample::select(vec![Ending::Identified, Ending::Removed, Ending::Censored]);
        prop::collection::vec((0_u8..20, ending), 1..60).prop_map(|rows| {
            sorted(rows.into_iter().map(|(days, ending)| (f64::from(days), ending)).collect())
        })
    }

    proptest! {
        #[test]
        fn the_incidences_of_all_causes_never_exceed_one_and_never_fall(rows in rows()) {
            let identified = aalen_johansen(&rows, Ending::Identified);
            let removed = aalen_johansen(&rows, Ending::Removed);
            prop_assert!(identified.last().unwrap().value + removed.last().unwrap().value <= 1.0 + 1e-12);
            prop_assert!(identified.is_sorted_by(|a, b| a.value <= b.value));
        }

        #[test]
        fn without_removals_the_two_estimators_are_one(rows in rows()) {
            let rows: Vec<FollowUp> = rows.into_iter().filter(|row| row.ending != Ending::Removed).collect();
            prop_assume!(!rows.is_empty());
            for (a, b) in kaplan_meier(&rows).iter().zip(&aalen_johansen(&rows, Ending::Identified)) {
                prop_assert!((a.value + b.value - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn a_competing_removal_never_makes_detection_look_better_than_censoring_does(rows in rows()) {
            let free = kaplan_meier(&rows).last().unwrap().value;
            let identified = aalen_johansen(&rows, Ending::Identified).last().unwrap().value;
            prop_assert!(identified <= 1.0 - free + 1e-12);
        }
    }
}
