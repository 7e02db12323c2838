//! How much of the true rows a guess gives away, beside what somebody guesses who was sent nothing.

use equipoise_core::{Draw, Seed};

/// What a guess at one batch came to, as shares.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Recovered {
    /// Rows of which every column is within the tolerance.
    pub exact: f64,
    /// Columns within the tolerance.
    pub columns: f64,
    /// Rows whose guess lies nearer to the true row than to any other of the population; chance is one over its size.
    pub identified: f64,
}

/// Judges guesses against `truth`, indices into `population`. Guesses are matched to rows greedily, the closest pair first. A column is
/// within tolerance if it lies within `tolerance` of the truth.
#[must_use]
pub fn judge(guesses: &[Vec<f64>], population: &[Vec<f64>], truth: &[usize], tolerance: f64) -> Recovered {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (guess, row) in guesses.iter().enumerate() {
        pairs.extend(
            truth.iter().enumerate().map(|(at, &index)| (square(row, &population[index]), guess, at)),
        );
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut used, mut matched) = (vec![false; guesses.len()], vec![None; truth.len()]);
    for (_, guess, at) in pairs {
        if !used[guess] && matched[at].is_none() {
            used[guess] = true;
            matched[at] = Some(guess);
        }
    }
    let mut found = Recovered::default();
    for (&index, guess) in truth.iter().zip(matched) {
        let Some(guess) = guess.map(|guess| &guesses[guess]) else { continue };
        let close =
            guess.iter().zip(&population[index]).filter(|(a, b)| (*a - *b).abs() <= tolerance).count();
        let own = square(guess, &population[index]);
        let nearest =
            (0..population.len()).all(|other| other == index || square(guess, &population[other]) > own);
        found.exact += f64::from(u8::from(close == guess.len()));
        found.columns += close as f64 / guess.len() as f64;
        found.identified += f64::from(u8::from(nearest));
    }
    let n = truth.len().max(1) as f64;
    Recovered { exact: found.exact / n, columns: found.columns / n, identified: found.identified / n }
}

fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// A guess by somebody who was sent nothing: every column drawn from the column's own values in public rows.
#[must_use]
pub fn marginal_guess(public: &[Vec<f64>], rows: usize, seed: Seed) -> Vec<Vec<f64>> {
    let mut rng = seed.derive("marginal", 0).rng();
    let width = public.first().map_or(0, Vec::len);
    (0..rows).map(|_| (0..width).map(|column| public[rng.below(public.len())][column]).collect()).collect()
}

/// The mean of public rows, for every row.
#[must_use]
pub fn mean_guess(public: &[Vec<f64>], rows: usize) -> Vec<Vec<f64>> {
    let width = public.first().map_or(0, Vec::len);
    let mean = |column: usize| public.iter().map(|row| row[column]).sum::<f64>() / public.len() as f64;
    vec![(0..width).map(mean).collect(); rows]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_hand_made_guess() {
        let population = [vec![0.0, 0.0], vec![1.0, 1.0], vec![5.0, 5.0]];
        // Row 1 exactly; row 0 right in one column, and nearer to row 1.
        let found = judge(&[vec![1.0, 1.0], vec![0.0, 2.5]], &population, &[0, 1], 0.1);
        assert_eq!(found, Recovered { exact: 0.5, columns: 0.75, identified: 0.5 });
        let mean = mean_guess(&population, 1);
        assert_eq!(mean, [[2.0, 2.0]]);
    }
}
