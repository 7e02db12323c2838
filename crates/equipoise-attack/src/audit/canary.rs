//! Canaries: rows whose gradients are orthogonal and as long as the clip allows, so that the released sum can be asked for each of them
//! apart (white-box gradient canaries: Nasr et al., S&P 2021; Steinke et al. 2023).

use equipoise_core::{Draw, Seed};

/// Scores of the canaries that were in and of those that were out.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CanaryScores {
    /// Of those that were in.
    pub inside: Vec<f64>,
    /// Of those that were out.
    pub outside: Vec<f64>,
}

/// A fair coin for each canary: whether it is in.
#[must_use]
pub fn canary_coins(canaries: usize, seed: Seed) -> Vec<bool> {
    let mut rng = seed.derive("canary-coin", 0).rng();
    (0..canaries).map(|_| rng.chance(0.5)).collect()
}

/// How far a released sum leans towards a canary: their inner product over the canary's bound.
#[must_use]
pub fn canary_score(released: &[f64], direction: &[f64], bound: f64) -> f64 {
    released.iter().zip(direction).map(|(sum, along)| sum * along).sum::<f64>() / bound
}

/// What one Poisson-sampled Gaussian step says of a canary: the logarithm of the likelihood of its `score` if it was in over that if it
/// was out. Summed over steps it is the strongest score there is (Neyman and Pearson).
#[must_use]
pub fn sampled_log_ratio(score: f64, rate: f64, noise_multiplier: f64) -> f64 {
    let taken = (2.0 * score - 1.0) / (2.0 * noise_multiplier * noise_multiplier);
    if taken > 0.0 {
        // The larger term before the sum, so that nothing overflows.
        taken + libm::log(rate + (1.0 - rate) * libm::exp(-taken))
    } else {
        libm::log1p(rate * libm::expm1(taken))
    }
}

/// The same for a canary that stands in `rows` rows, each of which is sampled by itself: the number of its rows in a batch is
/// binomial. One row gives [`sampled_log_ratio`].
#[must_use]
pub fn repeated_log_ratio(score: f64, rows: u32, rate: f64, noise_multiplier: f64) -> f64 {
    let mut logs = Vec::with_capacity(rows as usize + 1);
    let mut ways = 0.0;
    for taken in 0..=rows {
        let (k, rest) = (f64::from(taken), f64::from(rows - taken));
        let chance = |count: f64, ln: f64| if count > 0.0 { count * ln } else { 0.0 };
        let among = ways + chance(k, libm::log(rate)) + chance(rest, libm::log1p(-rate));
        logs.push(among + (2.0 * k * score - k * k) / (2.0 * noise_multiplier * noise_multiplier));
        ways += libm::log(rest.max(1.0)) - libm::log(k + 1.0);
    }
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + libm::log(logs.iter().map(|log| libm::exp(log - largest)).sum())
}

/// What the auditor's guesses came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guesses {
    /// Canaries in all.
    pub canaries: u32,
    /// Guesses made.
    pub made: u32,
    /// Of which correct.
    pub correct: u32,
}

impl CanaryScores {
    /// Sorts scores by the coin of each canary.
    #[must_use]
    pub fn split(scores: &[f64], inside: &[bool]) -> Self {
        let mut split = Self::default();
        for (&score, &is_in) in scores.iter().zip(inside) {
            if is_in { split.inside.push(score) } else { split.outside.push(score) }
        }
        split
    }

    /// Calls the `each` highest scores in and the `each` lowest out. The number must be fixed before scores are seen. Equal scores are
    /// taken against the auditor.
    ///
    /// # Panics
    /// If there are not `2 each` canaries.
    #[must_use]
    pub fn guess(&self, each: usize) -> Guesses {
        let of = |scores: &[f64], is_in: bool| scores.iter().map(|&score| (score, is_in)).collect::<Vec<_>>();
        let mut all = [of(&self.inside, true), of(&self.outside, false)].concat();
        assert!(2 * each <= all.len(), "more guesses than canaries");
        let count =
            |all: &[(f64, bool)], want: bool| all[..each].iter().filter(|guess| guess.1 == want).count();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut correct = count(&all, true);
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        correct += count(&all, false);
        Guesses { canaries: all.len() as u32, made: 2 * each as u32, correct: correct as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_of_a_hand_made_ranking() {
        let scores = CanaryScores { inside: vec![5.0, 3.0, 1.0], outside: vec![4.0, 2.0, 0.0] };
        assert_eq!(scores.guess(1), Guesses { canaries: 6, made: 2, correct: 2 });
        assert_eq!(scores.guess(2), Guesses { canaries: 6, made: 4, correct: 2 });
        let equal = CanaryScores { inside: vec![1.0; 2], outside: vec![1.0; 2] };
        assert_eq!(equal.guess(1).correct, 0);
    }

    /// At score 1/2 both are as likely; at 1 with unit noise the ratio is 1 - q + q sqrt(e).
    #[test]
    fn log_ratios_of_hand_worked_scores() {
        assert!(sampled_log_ratio(0.5, 0.3, 1.0).abs() < 1e-15);
        let want = (0.7 + 0.3 * 0.5_f64.exp()).ln();
        assert!((sampled_log_ratio(1.0, 0.3, 1.0) - want).abs() < 1e-14);
        assert!((sampled_log_ratio(-1e4, 0.3, 1.0) - 0.7_f64.ln()).abs() < 1e-12);
        assert!(sampled_log_ratio(1e6, 0.3, 1.0).is_finite());
    }

    #[test]
    fn a_canary_of_several_rows_has_the_ratio_of_their_mixture() {
        for score in [-30.0, -1.0, 0.5, 2.0, 40.0] {
            let plain = sampled_log_ratio(score, 0.3, 1.5);
            assert!((repeated_log_ratio(score, 1, 0.3, 1.5) - plain).abs() < 1e-12, "{score}");
        }
        // Two rows at rate 1/2 and unit noise, at score 1: 1/4 + 1/2 e^(1/2) + 1/4 e^0.
        let want = (0.25 + 0.5 * 0.5_f64.exp() + 0.25).ln();
        assert!((repeated_log_ratio(1.0, 2, 0.5, 1.0) - want).abs() < 1e-14);
        assert!(
            repeated_log_ratio(1e6, 4, 0.1, 1.0).is_finite()
                && repeated_log_ratio(1.0, 3, 1.0, 1.0).is_finite()
        );
    }

    #[test]
    fn a_canary_is_read_along_its_own_direction_only() {
        assert!((canary_score(&[6.0, 100.0], &[1.0, 0.0], 2.0) - 3.0).abs() < 1e-15);
    }
}
