//! How early an alert comes, counted in what had been seen by then: ERDE (Losada and Crestani, CLEF 2016) and the
//! latency-weighted F1 (Sadeque and others, WSDM 2018).
//!
//! Both count *what was seen* (events of the account on the alerting platform, or days if the caller counts days), so they do
//! not compare between platforms of different traffic. ERDE's known flaws stay: it saturates quickly, and its scale depends on
//! `o` and on the prevalence. An alert before any harmful event is premature and no win ([`crate::metric::PrematureAlertRate`]).

use crate::Unit;

/// One account at the end of a test period.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EarlyCase {
    /// Truth.
    pub harmful: bool,
    /// What had been seen up to and including the alert, at least 1; `None` without an alert.
    pub seen_at_alert: Option<f64>,
}

/// The fixed facts of a metric that the registry cannot compute on [`crate::Case`]s.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Name in snake case.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Direction.
    pub higher_is_better: bool,
    /// Smallest and largest value.
    pub range: (f64, f64),
    /// Who defined it.
    pub source: &'static str,
    /// Where it is `None`.
    pub undefined: &'static str,
}

/// Facts of [`erde`].
pub const ERDE: Facts = Facts {
    name: "erde",
    unit: Unit::Index,
    higher_is_better: false,
    range: (0.0, 1.0),
    source: "Losada and Crestani 2016; eRisk uses o = 5 and 50 and a false-positive cost of the prevalence",
    undefined: "no case",
};

/// Facts of [`latency_weighted_f1`].
pub const LATENCY_WEIGHTED_F1: Facts = Facts {
    name: "latency_weighted_f1",
    unit: Unit::Index,
    higher_is_better: true,
    range: (0.0, 1.0),
    source: "Sadeque and others 2018; eRisk uses p = 0.0078",
    undefined: "no harmful case",
};

/// Early risk detection error at `deadline` (`o`): the mean over cases of 1 for a miss, `false_positive_cost` for a false alert,
/// `1 - 1/(1 + e^(k - o))` for a hit after `k`, and 0 otherwise. `None` without cases.
#[must_use]
#[allow(clippy::cast_precision_loss)] // A count of cases.
pub fn erde(cases: &[EarlyCase], deadline: f64, false_positive_cost: f64) -> Option<f64> {
    let cost = |case: &EarlyCase| match (case.harmful, case.seen_at_alert) {
        (true, None) => 1.0,
        (true, Some(seen)) => 1.0 - 1.0 / (1.0 + libm::exp(seen - deadline)),
        (false, Some(_)) => false_positive_cost,
        (false, None) => 0.0,
    };
    (!cases.is_empty()).then(|| cases.iter().map(cost).sum::<f64>() / cases.len() as f64)
}

/// F1 of the alerts times their speed, where speed is 1 minus the median over hits of `-1 + 2/(1 + e^(-p (k - 1)))`. 0 where
/// nothing is hit; `None` without a harmful case.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of cases.
pub fn latency_weighted_f1(cases: &[EarlyCase], p: f64) -> Option<f64> {
    let harmful = cases.iter().filter(|case| case.harmful).count();
    let alerts = cases.iter().filter(|case| case.seen_at_alert.is_some()).count();
    let mut seen: Vec<f64> =
        cases.iter().filter(|case| case.harmful).filter_map(|case| case.seen_at_alert).collect();
    if harmful == 0 {
        return None;
    }
    if seen.is_empty() {
        return Some(0.0);
    }
    seen.sort_unstable_by(f64::total_cmp);
    let penalty = |seen: f64| -1.0 + 2.0 / (1.0 + libm::exp(-p * (seen - 1.0)));
    let half = seen.len() / 2;
    let lower = if seen.len().is_multiple_of(2) { half - 1 } else { half };
    let speed = 1.0 - f64::midpoint(penalty(seen[lower]), penalty(seen[half]));
    Some(2.0 * seen.len() as f64 / (harmful + alerts) as f64 * speed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn case(harmful: bool, seen_at_alert: Option<f64>) -> EarlyCase {
        EarlyCase { harmful, seen_at_alert }
    }

    const CASES: [EarlyCase; 5] = [
        case(true, Some(5.0)),
        case(true, Some(1.0)),
        case(true, None),
        case(false, Some(9.0)),
        case(false, None),
    ];

    /// o = 5: a hit at 5 costs 1/2, at 1 it costs 1 - 1/(1 + e^-4); a miss 1; a false alert .4: the mean of five.
    #[test]
    fn erde_worked_by_hand() {
        let want = (0.5 + (1.0 - 1.0 / (1.0 + (-4.0_f64).exp())) + 1.0 + 0.4) / 5.0;
        assert!((erde(&CASES, 5.0, 0.4).unwrap() - want).abs() < 1e-15);
        assert_eq!(erde(&[], 5.0, 0.4), None);
    }

    /// Precision 2/3, recall 2/3, F1 2/3. Penalties at 5 and 1 with p = ln 3 / 4: -1 + 2/(1 + 1/3) = 1/2 and 0; their median
    /// is 1/4, so F1 x 3/4 = 1/2.
    #[test]
    fn latency_weighted_f1_worked_by_hand() {
        let p = 3.0_f64.ln() / 4.0;
        assert!((latency_weighted_f1(&CASES, p).unwrap() - 0.5).abs() < 1e-15);
        assert_eq!(latency_weighted_f1(&CASES[2..], p), Some(0.0));
        assert_eq!(latency_weighted_f1(&CASES[3..], p), None);
        let at_once = [case(true, Some(1.0)), case(false, None)];
        assert_eq!(latency_weighted_f1(&at_once, p), Some(1.0));
    }

    #[test]
    fn a_very_late_hit_costs_as_much_as_a_miss_and_overflows_nothing() {
        assert_eq!(erde(&[case(true, Some(1e6))], 50.0, 0.1), Some(1.0));
        assert_eq!(latency_weighted_f1(&[case(true, Some(1e9))], 0.0078), Some(0.0));
    }
}
