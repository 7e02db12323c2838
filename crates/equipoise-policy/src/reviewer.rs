//! A simulated human review: sometimes wrong, always late.
//!
//! The truth enters as one `bool`, given by the runner, the only crate that holds scores and truth together. The review is no
//! model of how people judge: two rates and a log-normal delay, the same for every account.

use equipoise_core::{Draw, Fraction, Seed};
use serde::{Deserialize, Serialize};

/// How good and how fast reviews are.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Reviewer {
    /// Chance that the review of an account with a simulated harmful pattern is upheld.
    pub sensitivity: Fraction,
    /// Chance that the review of any other account is *not* upheld.
    pub specificity: Fraction,
    /// Median of the delay, in hours.
    pub delay_hours_median: f64,
    /// Log-scale of the delay; 0 makes every delay the median.
    pub delay_sigma: f64,
}

/// A [`Reviewer`] as it stands in a file, not yet checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Fields {
    sensitivity: Fraction,
    specificity: Fraction,
    delay_hours_median: f64,
    delay_sigma: f64,
}

/// A delay that cannot be.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
#[error("{what} must be finite and not negative, got {got}")]
pub struct ReviewerError {
    what: &'static str,
    got: f64,
}

impl TryFrom<Fields> for Reviewer {
    type Error = ReviewerError;

    fn try_from(fields: Fields) -> Result<Self, ReviewerError> {
        let Fields { sensitivity, specificity, delay_hours_median, delay_sigma } = fields;
        Self::new(sensitivity, specificity, delay_hours_median, delay_sigma)
    }
}

impl From<Reviewer> for Fields {
    fn from(reviewer: Reviewer) -> Self {
        let Reviewer { sensitivity, specificity, delay_hours_median, delay_sigma } = reviewer;
        Self { sensitivity, specificity, delay_hours_median, delay_sigma }
    }
}

/// What came out of one review, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Review {
    /// Whether the reviewer agreed that the measure's action is due.
    pub upheld: bool,
    /// Seconds from the selection to the decision, at least 0.
    pub delay_seconds: i32,
}

impl Reviewer {
    /// Checks the delay.
    ///
    /// # Errors
    /// If its median or its log-scale is negative, infinite or not a number.
    pub fn new(
        sensitivity: Fraction,
        specificity: Fraction,
        delay_hours_median: f64,
        delay_sigma: f64,
    ) -> Result<Self, ReviewerError> {
        for (what, got) in [("delay-hours-median", delay_hours_median), ("delay-sigma", delay_sigma)] {
            if !(got.is_finite() && got >= 0.0) {
                return Err(ReviewerError { what, got });
            }
        }
        Ok(Self { sensitivity, specificity, delay_hours_median, delay_sigma })
    }

    /// Reviews one account; `seed` is the account's own address.
    ///
    /// Laws: the same account and seed give the same review; the delay does not depend on the truth or on the rates; a higher
    /// sensitivity (a lower specificity) never turns an upheld review of the same seed into one that is not.
    #[must_use]
    pub fn decide(&self, truth_harmful: bool, seed: Seed) -> Review {
        let rate = if truth_harmful { self.sensitivity.get() } else { 1.0 - self.specificity.get() };
        let upheld = seed.derive("review-outcome", 0).rng().chance(rate);
        let hours =
            seed.derive("review-delay", 0).rng().log_normal(self.delay_hours_median, self.delay_sigma);
        Review { upheld, delay_seconds: whole_seconds(hours * 3_600.0) }
    }
}

/// Rounds to seconds, saturating at the ends of what a delay can be.
#[allow(clippy::cast_possible_truncation, reason = "the number is clamped to the range of i32 before")]
fn whole_seconds(seconds: f64) -> i32 {
    half_up(seconds.clamp(0.0, f64::from(i32::MAX))) as i32
}

/// Half a second up; exact for the range that delays have.
fn half_up(seconds: f64) -> f64 {
    (seconds + 0.5).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(value: f64) -> Fraction {
        Fraction::new(value).unwrap()
    }

    fn reviewer(sensitivity: f64, specificity: f64, median: f64, sigma: f64) -> Reviewer {
        Reviewer::new(fraction(sensitivity), fraction(specificity), median, sigma).unwrap()
    }

    fn seed(account: u64) -> Seed {
        Seed::root(5).derive("account", account)
    }

    #[test]
    fn a_perfect_reviewer_agrees_with_the_truth_at_the_median() {
        let perfect = reviewer(1.0, 1.0, 2.0, 0.0);
        for account in 0..200 {
            assert_eq!(perfect.decide(true, seed(account)), Review { upheld: true, delay_seconds: 7_200 });
            assert_eq!(perfect.decide(false, seed(account)), Review { upheld: false, delay_seconds: 7_200 });
        }
    }

    // 20,000 reviews each: tolerances are five standard errors, so one seed in a million fails by chance.
    #[test]
    fn rates_and_delays_follow_the_parameters() {
        let human = reviewer(0.85, 0.95, 6.0, 1.0);
        let n = 20_000_u32;
        let reviews = |truth| (0..n).map(move |account| human.decide(truth, seed(u64::from(account))));
        let share = |truth| reviews(truth).filter(|review| review.upheld).count() as f64 / f64::from(n);
        assert!((share(true) - 0.85).abs() < 5.0 * (0.85_f64 * 0.15 / f64::from(n)).sqrt());
        assert!((share(false) - 0.05).abs() < 5.0 * (0.05_f64 * 0.95 / f64::from(n)).sqrt());
        let early =
            reviews(true).filter(|review| review.delay_seconds < 6 * 3_600).count() as f64 / f64::from(n);
        assert!((early - 0.5).abs() < 5.0 * (0.25 / f64::from(n)).sqrt());
        let within_one_sigma = (6.0 * 3_600.0 * (-1.0_f64).exp(), 6.0 * 3_600.0 * 1.0_f64.exp());
        let inside = reviews(true)
            .filter(|r| (within_one_sigma.0..within_one_sigma.1).contains(&f64::from(r.delay_seconds)))
            .count() as f64;
        assert!((inside / f64::from(n) - 0.6827).abs() < 0.017);
    }

    #[test]
    fn a_better_reviewer_upholds_all_that_a_worse_one_did() {
        let (worse, better) = (reviewer(0.4, 0.9, 1.0, 1.0), reviewer(0.7, 0.9, 1.0, 1.0));
        let mut more = 0;
        for account in 0..500 {
            let (before, after) = (worse.decide(true, seed(account)), better.decide(true, seed(account)));
            assert!(after.upheld >= before.upheld);
            assert_eq!(after.delay_seconds, before.delay_seconds);
            more += u32::from(after.upheld && !before.upheld);
        }
        assert!(more > 0);
    }

    #[test]
    fn the_delay_does_not_give_the_truth_away() {
        let human = reviewer(0.85, 0.95, 6.0, 1.5);
        for account in 0..200 {
            assert_eq!(
                human.decide(true, seed(account)).delay_seconds,
                human.decide(false, seed(account)).delay_seconds
            );
        }
    }

    #[test]
    fn an_absurd_delay_saturates() {
        let slow = reviewer(1.0, 1.0, 1e300, 0.0);
        assert_eq!(slow.decide(true, seed(0)).delay_seconds, i32::MAX);
    }

    #[test]
    fn a_reviewer_in_a_file_is_checked_where_it_is_read() {
        let read = |text: &str| toml::from_str::<Reviewer>(text).map_err(|error| error.to_string());
        let good = "sensitivity = 0.85\nspecificity = 0.95\ndelay-hours-median = 6.0\ndelay-sigma = 1.0\n";
        let reviewer = read(good).unwrap();
        assert_eq!(read(&toml::to_string(&reviewer).unwrap()).unwrap(), reviewer);
        assert!(
            read(&good.replace("6.0", "-6.0"))
                .unwrap_err()
                .contains("delay-hours-median must be finite and not negative, got -6")
        );
        assert!(
            read(&good.replace("0.85", "1.85")).unwrap_err().contains("a fraction must be between 0 and 1")
        );
        assert!(read(&format!("{good}speed = 1\n")).unwrap_err().contains("unknown field `speed`"));
        assert!(read("sensitivity = 0.85\n").unwrap_err().contains("missing field"));
    }
}
