//! The check before any private work: a configuration that would void its own claim is refused with the reason.
//!
//! Numbers that a type already refuses (a negative sigma, an epsilon of 0) come in here raw, so that the reason is given in the
//! words of the whole plan; what is checked comes out typed. Not checked: whether the code that runs does what the plan says.

use crate::SampledStep;
use equipoise_core::{Delta, Epsilon, Fraction, NoiseMultiplier};
use std::num::NonZeroU32;

/// How batches are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sampling {
    /// Each row by itself with the same probability; batches of random size.
    Poisson,
    /// Batches of one size out of a shuffled list.
    Shuffled {
        /// Whether the accountant is told that sampling hides who took part.
        amplification_claimed: bool,
    },
}

/// A private run, as somebody wrote it down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PlannedRun {
    /// Probability that a row takes part in a step.
    pub sampling_rate: f64,
    /// Standard deviation of the noise over the clip norm.
    pub sigma: f64,
    /// The epsilon that is claimed or aimed at.
    pub epsilon: f64,
    /// The delta of that.
    pub delta: f64,
    /// Accounts whose data is used.
    pub accounts: u64,
    /// Rows that an account may stand in.
    pub rows_per_account: u32,
    /// How batches are drawn.
    pub sampling: Sampling,
    /// Whether the clip norm follows the data.
    pub adaptive_clip: bool,
    /// What the ledger has left, if there is one.
    pub budget: Option<Epsilon>,
}

/// Why a plan is refused.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum PlanError {
    /// Epsilon is 0 or below, or no number.
    #[error("epsilon {0} would need infinite noise; give a positive epsilon, or release nothing")]
    Epsilon(f64),
    /// Delta is 0 or below, 1 or above, or no number.
    #[error("delta {0} is no slack between 1e-10 and 1")]
    Delta(f64),
    /// Delta allows publishing somebody.
    #[error(
        "delta {delta} is above 1/N = {limit:e} for {accounts} accounts: publishing one account whole would satisfy it; take a smaller delta"
    )]
    DeltaAboveOneInN {
        /// The delta.
        delta: f64,
        /// One over the number of accounts.
        limit: f64,
        /// The number of accounts.
        accounts: u64,
    },
    /// Sigma is negative, 0 or no number.
    #[error("a noise of {0} clip norms is none; sigma must be positive and finite")]
    Sigma(f64),
    /// The sampling rate is no probability.
    #[error("a sampling rate must lie between 0 and 1, got {0}")]
    Rate(f64),
    /// No account is in any row.
    #[error("K = 0 leaves no account in any row; K must be between 1 and {}", crate::MOST_ROWS)]
    NoRows,
    /// A bound that bounds nothing.
    #[error("K = {rows} is no bounded contribution; K must be between 1 and {}", crate::MOST_ROWS)]
    TooManyRows {
        /// The K.
        rows: u32,
    },
    /// The clip norm follows the data for free.
    #[error(
        "an adaptive clip norm is a release in every step and there is no budget to debit; give a finite budget or a fixed clip norm"
    )]
    AdaptiveClipWithoutBudget,
    /// A shuffled sampler with Poisson's accounting.
    #[error(
        "batches from a shuffled list do not amplify as Poisson samples do (arXiv 2403.17673): the claim would be too small; sample by \
         Poisson, or account every step at sampling rate 1"
    )]
    ShuffledWithAmplification,
}

impl PlannedRun {
    /// The step that may be accounted: at sampling rate 1 where sampling earns nothing.
    ///
    /// # Errors
    /// The first reason to refuse.
    pub fn check(&self) -> Result<(SampledStep, Epsilon, Delta), PlanError> {
        let epsilon = Epsilon::new(self.epsilon).map_err(|_| PlanError::Epsilon(self.epsilon))?;
        let delta = Delta::new(self.delta).map_err(|_| PlanError::Delta(self.delta))?;
        #[allow(clippy::cast_precision_loss, reason = "a number of accounts")]
        let limit = 1.0 / self.accounts.max(1) as f64;
        if delta.get() > limit {
            let (delta, accounts) = (delta.get(), self.accounts);
            return Err(PlanError::DeltaAboveOneInN { delta, limit, accounts });
        }
        let noise = NoiseMultiplier::new(self.sigma).map_err(|_| PlanError::Sigma(self.sigma))?;
        let rate = Fraction::new(self.sampling_rate).map_err(|_| PlanError::Rate(self.sampling_rate))?;
        let rows = NonZeroU32::new(self.rows_per_account).ok_or(PlanError::NoRows)?;
        if self.adaptive_clip && !self.budget.is_some_and(Epsilon::is_finite) {
            return Err(PlanError::AdaptiveClipWithoutBudget);
        }
        let rate = match self.sampling {
            Sampling::Poisson => rate,
            Sampling::Shuffled { amplification_claimed: true } => {
                return Err(PlanError::ShuffledWithAmplification);
            }
            Sampling::Shuffled { amplification_claimed: false } => Fraction::new(1.0).expect("in range"),
        };
        let step = SampledStep::of_rows(rate, noise, rows)
            .map_err(|_| PlanError::TooManyRows { rows: rows.get() })?;
        Ok((step, epsilon, delta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: PlannedRun = PlannedRun {
        sampling_rate: 0.01,
        sigma: 1.1,
        epsilon: 2.0,
        delta: 1e-5,
        accounts: 50_000,
        rows_per_account: 4,
        sampling: Sampling::Poisson,
        adaptive_clip: false,
        budget: None,
    };

    #[test]
    fn a_sound_plan_is_accounted_as_written() {
        let (step, epsilon, delta) = SOUND.check().unwrap();
        assert_eq!((step.rows(), epsilon.get() > 1.9, delta.get() < 2e-5), (4, true, true));
        let budget = Some(Epsilon::new(3.0).unwrap());
        assert!(PlannedRun { adaptive_clip: true, budget, ..SOUND }.check().is_ok());
    }

    #[test]
    fn each_wrong_plan_is_refused_with_its_own_reason() {
        let free = Some(Epsilon::INFINITE);
        let shuffled = Sampling::Shuffled { amplification_claimed: true };
        for (plan, reason) in [
            (PlannedRun { epsilon: 0.0, ..SOUND }, "epsilon 0 would need infinite noise"),
            (PlannedRun { epsilon: f64::NAN, ..SOUND }, "would need infinite noise"),
            (PlannedRun { delta: 0.0, ..SOUND }, "delta 0 is no slack"),
            (
                PlannedRun { delta: 1e-4, ..SOUND },
                "above 1/N = 2e-5 for 50000 accounts: publishing one account whole",
            ),
            (PlannedRun { sigma: -1.0, ..SOUND }, "a noise of -1 clip norms is none"),
            (PlannedRun { sampling_rate: 1.5, ..SOUND }, "a sampling rate must lie between 0 and 1, got 1.5"),
            (PlannedRun { rows_per_account: 0, ..SOUND }, "K = 0 leaves no account in any row"),
            (PlannedRun { adaptive_clip: true, ..SOUND }, "no budget to debit"),
            (PlannedRun { adaptive_clip: true, budget: free, ..SOUND }, "no budget to debit"),
            (PlannedRun { sampling: shuffled, ..SOUND }, "do not amplify as Poisson samples do"),
        ] {
            let error = plan.check().expect_err("a wrong plan passed").to_string();
            assert!(error.contains(reason), "`{reason}` is not in: {error}");
        }
    }

    #[test]
    fn shuffled_batches_without_a_claim_are_accounted_as_if_everybody_took_part() {
        let plan = PlannedRun { sampling: Sampling::Shuffled { amplification_claimed: false }, ..SOUND };
        assert!((plan.check().unwrap().0.rate() - 1.0).abs() < 1e-15);
    }
}
