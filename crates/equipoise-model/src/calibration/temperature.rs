//! Temperature scaling (Guo, Pleiss, Sun and Weinberger, ICML 2017): the one number by which logits are divided so that held-out rows are as
//! likely as they can be. One parameter cannot overfit, and cannot mend a prior that is off.

use super::counts::{ScoreCounts, middle, sigmoid};

/// Inverse temperatures beyond these mean that rows are told apart perfectly, or not at all.
const ENDS: (f64, f64) = (1.0 / 64.0, 64.0);

/// The temperature, by bisection: the mean loss is convex in its inverse `a`, with derivative `Σ z (n σ(a z) - positives)`.
pub(super) fn fit(counts: &ScoreCounts) -> f64 {
    let (mut low, mut high) = ENDS;
    for _ in 0..60 {
        let inverse = f64::midpoint(low, high);
        if slope(counts, inverse) < 0.0 { low = inverse } else { high = inverse }
    }
    1.0 / f64::midpoint(low, high)
}

#[allow(clippy::cast_precision_loss)] // Counts stay far below 2^53.
fn slope(counts: &ScoreCounts, inverse: f64) -> f64 {
    let of = |(bin, rows, positives): (usize, u64, u64)| {
        let logit = middle(bin);
        logit * (rows as f64 * sigmoid(inverse * logit) - positives as f64)
    };
    counts.each().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores of 0.9 and 0.1 that are right in 3 of 4 rows: the logit ln 9 has to become ln 3, a temperature of 2.
    #[test]
    fn the_temperature_is_worked_by_hand() {
        let mut counts = ScoreCounts::default();
        for (score, positive, rows) in [(0.9, true, 3), (0.9, false, 1), (0.1, true, 1), (0.1, false, 3)] {
            (0..rows).for_each(|_| counts.add(score, positive));
        }
        // Logits are counted in bins of 1/32.
        assert!((fit(&counts) - 2.0).abs() < 2.0 / 32.0 / 3.0_f64.ln(), "{}", fit(&counts));
    }

    #[test]
    fn no_other_temperature_makes_the_rows_likelier() {
        let mut counts = ScoreCounts::default();
        for (score, positive) in
            [(0.8, true), (0.7, false), (0.2, false), (0.4, true), (0.3, false), (0.9, true)]
        {
            counts.add(score, positive);
        }
        let loss = |temperature: f64| -> f64 {
            let of = |(bin, rows, positives): (usize, u64, u64)| {
                let p = sigmoid(middle(bin) / temperature);
                -(positives as f64 * p.ln() + (rows - positives) as f64 * (1.0 - p).ln())
            };
            counts.each().map(of).sum()
        };
        let best = fit(&counts);
        for factor in [0.5, 0.9, 0.99, 1.01, 1.1, 2.0] {
            assert!(loss(best) <= loss(best * factor), "{best} {factor}");
        }
    }

    #[test]
    fn scores_without_information_are_cooled_to_one_half() {
        let mut counts = ScoreCounts::default();
        for score in [0.9, 0.1] {
            [true, false].into_iter().for_each(|positive| counts.add(score, positive));
        }
        assert!(fit(&counts) > 60.0);
    }
}
