//! Prior correction (Saerens, Latinne and Decaestecker, Neural Computation 2002; for rare events King and Zeng, Political Analysis 2001): if
//! only the share of positives differs between training and use, the odds differ by a constant factor.

/// What the logit moves by when the prior `from` becomes `to`, each strictly between 0 and 1.
pub(super) fn shift(from: f64, to: f64) -> f64 {
    let odds = |prior: f64| libm::log(prior) - libm::log1p(-prior);
    odds(to) - odds(from)
}

#[cfg(test)]
mod tests {
    use crate::calibration::{CalibrationSpec, ScoreCounts};
    use equipoise_core::Fraction;

    /// By Bayes: with likelihood ratio 3, a prior of one half gives 3/4 and one of one tenth gives 3/12.
    #[test]
    fn a_shift_of_the_prior_is_bayes_rule() {
        let share = |share| Fraction::new(share).unwrap();
        let spec = CalibrationSpec::PriorShift { from: share(0.5), to: share(0.1) };
        let map = spec.fit(&ScoreCounts::default());
        assert!((map.apply(0.75) - 0.25).abs() < 1e-6);
        let back = CalibrationSpec::PriorShift { from: share(0.1), to: share(0.5) };
        assert!((back.fit(&ScoreCounts::default()).apply(map.apply(0.3)) - 0.3).abs() < 1e-6);
    }
}
