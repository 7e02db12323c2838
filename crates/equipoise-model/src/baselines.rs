//! Rules without training that any model has to beat, or it has learnt nothing worth its privacy cost.
//!
//! They read public declarations (an adult account, a declared minor) and counts. Their constants are assumed, not fitted:
//! a baseline that is tuned on the labels would be a model.

use equipoise_core::RiskScore;

/// New contacts with declared minors a day at which volume alone counts half.
const HALF_VOLUME: f32 = 5.0;
/// Reports at which the reports-only score is one half.
const HALF_REPORTS: f32 = 2.0;

/// The literal rule: an adult who contacts many distinct declared minors a day, most of whom do not accept.
///
/// `max_new_minor_contacts_per_day` is the largest number of distinct declared minors newly contacted on one day,
/// `accept_rate` the share of these requests that were accepted, in `[0, 1]`. The score is `v (1 + r) / 2` with
/// `v = n / (n + 5)` and `r` the refused share: it rises with volume, falls with acceptance, and is 0 for an account that does
/// not declare an adult. It sees nothing of slow, accepted, one-to-one contact; that is what makes it a baseline.
#[must_use]
pub fn literal_rule_score(
    max_new_minor_contacts_per_day: f32,
    accept_rate: f32,
    declared_adult: bool,
) -> RiskScore {
    if !declared_adult {
        return RiskScore::new(0.0);
    }
    let contacts = max_new_minor_contacts_per_day.max(0.0);
    let refused = 1.0 - RiskScore::new(accept_rate).get();
    RiskScore::new(volume(contacts, HALF_VOLUME) * f32::midpoint(1.0, refused))
}

/// Reports received so far, and nothing else: `n / (n + 2)`. What a platform that only reacts would sort its queue by.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of reports are far below 2^24.
pub fn reports_only_score(reports: u32) -> RiskScore {
    RiskScore::new(volume(reports as f32, HALF_REPORTS))
}

/// `n / (n + half)`, and 1 in the limit.
fn volume(count: f32, half: f32) -> f32 {
    if count.is_infinite() { 1.0 } else { count / (count + half) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_literal_rule_is_worked_by_hand() {
        assert!((literal_rule_score(5.0, 1.0, true).get() - 0.25).abs() < 1e-6);
        assert!((literal_rule_score(5.0, 0.0, true).get() - 0.5).abs() < 1e-6);
        assert!((literal_rule_score(15.0, 0.5, true).get() - 0.5625).abs() < 1e-6);
        assert!((reports_only_score(2).get() - 0.5).abs() < 1e-6);
    }

    #[test]
    fn accounts_that_declare_no_adult_and_quiet_accounts_score_zero() {
        assert_eq!(literal_rule_score(100.0, 0.0, false), RiskScore::new(0.0));
        assert_eq!(literal_rule_score(0.0, 0.0, true), RiskScore::new(0.0));
        assert_eq!(reports_only_score(0), RiskScore::new(0.0));
    }

    #[test]
    fn numbers_from_the_edge_stay_scores() {
        assert!((literal_rule_score(f32::INFINITY, 0.0, true).get() - 1.0).abs() < 1e-6);
        assert_eq!(literal_rule_score(f32::NAN, 0.5, true), RiskScore::new(0.0));
    }

    proptest! {
        #[test]
        fn more_contacts_and_fewer_acceptances_never_lower_the_score(
            n in 0.0_f32..500.0, more in 0.0_f32..500.0, rate in 0.0_f32..1.0, less in 0.0_f32..1.0,
        ) {
            let score = literal_rule_score(n, rate, true);
            prop_assert!(literal_rule_score(n + more, rate, true) >= score);
            prop_assert!(literal_rule_score(n, rate * less, true) >= score);
        }
    }
}
