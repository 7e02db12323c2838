//! The gate: a mechanism is held to the trade-off curve that its claim allows, by several probes of one transcript at one false-alarm
//! rate together.
//!
//! A probe is a test of "was this canary in" whose threshold was fixed in advance. The gate alarms if, with error rates at their
//! unfavourable exact bounds, the test is better than any test of the claimed mechanism could be; and, where the claim is a plain
//! Gaussian, if the Gaussian form of the scores shows more separation than it allows. For a mechanism that keeps its claim with noise
//! that is independent between coordinates, canaries along coordinates are independent trials, and the gate alarms with probability at
//! most its significance (Bonferroni over probes and tests). For others the alarm is the point.

use super::{CanaryScores, GaussianForm, Trials};
use crate::stats::{normal_cdf, normal_quantile};

/// The best test of "was it in" that a claim allows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Allowed {
    /// Two unit normals this far apart: a Gaussian mechanism, one over its noise multiplier.
    Gaussian {
        /// The separation.
        mu: f64,
    },
    /// One step of a Poisson-sampled Gaussian.
    Sampled {
        /// Probability that the canary takes part.
        rate: f64,
        /// Deviation of the noise over the sensitivity.
        noise_multiplier: f64,
    },
}

impl Allowed {
    /// The largest true-positive rate at a false-positive rate.
    #[must_use]
    pub fn power(&self, false_positive: f64) -> f64 {
        let (rate, mu) = match *self {
            Self::Gaussian { mu } => (1.0, mu),
            Self::Sampled { rate, noise_multiplier } => (rate, 1.0 / noise_multiplier),
        };
        (1.0 - rate) * false_positive + rate * normal_cdf(normal_quantile(false_positive) + mu)
    }
}

/// One test of a transcript.
#[derive(Clone, PartialEq, Debug)]
pub struct Probe {
    /// Its name in reports.
    pub name: &'static str,
    /// What it measured of canaries.
    pub scores: CanaryScores,
    /// The threshold of its counting test, fixed in advance.
    pub threshold: f64,
    /// What the claim allows it.
    pub allowed: Allowed,
}

/// What became of one probe.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ProbeVerdict {
    /// Its name.
    pub name: &'static str,
    /// Its error rates.
    pub trials: Trials,
    /// The true-positive rate that the claim allows at the false-positive rate's upper bound.
    pub allowed: f64,
    /// The Gaussian form, where the claim is one.
    pub form: Option<GaussianForm>,
    /// Whether it shows that the claim does not hold.
    pub alarm: bool,
}

/// A false-alarm rate for all probes together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Gate {
    /// The probability, at most, of an alarm on a mechanism that keeps its claim.
    pub significance: f64,
}

impl Gate {
    /// Holds every probe to its claim.
    #[must_use]
    pub fn judge(&self, probes: &[Probe]) -> Vec<ProbeVerdict> {
        let share = self.significance / (2.0 * probes.len() as f64);
        probes.iter().map(|probe| judge(probe, share)).collect()
    }

    /// Whether any probe alarms.
    #[must_use]
    pub fn alarms(&self, probes: &[Probe]) -> bool {
        self.judge(probes).iter().any(|verdict| verdict.alarm)
    }
}

fn judge(probe: &Probe, significance: f64) -> ProbeVerdict {
    let CanaryScores { inside, outside } = &probe.scores;
    let trials = Trials::above(probe.threshold, inside, outside, significance);
    let allowed = probe.allowed.power(trials.false_positive.high);
    let (form, form_alarms) = match probe.allowed {
        Allowed::Gaussian { mu } => {
            let form = GaussianForm::of(&probe.scores, significance);
            (Some(form), form.mu_low > mu)
        }
        Allowed::Sampled { .. } => (None, false),
    };
    let alarm = trials.true_positive.low > allowed || form_alarms;
    ProbeVerdict { name: probe.name, trials, allowed, form, alarm }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_power_of_hand_worked_points() {
        // At threshold 1/2 of two normals 1 apart, both errors are Phi(-1/2).
        let error = normal_cdf(-0.5);
        assert!((Allowed::Gaussian { mu: 1.0 }.power(error) - (1.0 - error)).abs() < 1e-12);
        let sampled = Allowed::Sampled { rate: 0.25, noise_multiplier: 1.0 };
        assert!((sampled.power(error) - (0.75 * error + 0.25 * (1.0 - error))).abs() < 1e-12);
        assert!((Allowed::Gaussian { mu: 0.0 }.power(0.3) - 0.3).abs() < 1e-12);
    }
}
