//! Inference of one fact about an account or a pair from what was released: is the holder a minor, were two in contact, was this child a
//! target. The question is never how well the fact is guessed, but how much better with the release than without it (Jayaraman and
//! Evans, "Are attribute inference attacks just imputation?", CCS 2022).

use crate::logistic::Logistic;
use crate::roc::Roc;

/// What is guessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fact {
    /// An attribute of an account's holder.
    Attribute,
    /// A property of a platform's whole population, from what it sent.
    Property,
    /// Whether two accounts were in contact. A guarantee with a fixed public contact graph does not protect it.
    Contact,
    /// Whether a child was a target.
    Target,
}

/// What the seat knows of each case anyway, and what was released about it.
#[derive(Clone, Copy, Debug)]
pub struct FactView<'a> {
    /// Columns known without the release, one row a case.
    pub known: &'a [Vec<f64>],
    /// Columns that were released, one row a case.
    pub released: &'a [Vec<f64>],
}

/// The area under the curve of two guesses at the same cases.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Advantage {
    /// What was guessed.
    pub fact: Fact,
    /// From what is known anyway: the baseline.
    pub without: f64,
    /// With the release.
    pub with: f64,
    /// The deviation of either area if scores said nothing.
    pub deviation_by_chance: f64,
}

impl Advantage {
    /// How much the release adds. Between cases that were trained on and cases that were not, only a *difference* of this is a leak
    /// of training data; the rest is a model that does what it is for.
    #[must_use]
    pub fn of_release(&self) -> f64 {
        self.with - self.without
    }
}

/// Learns on the cases that `learn` marks, whose fact the attacker knows, and guesses at the rest. `None` if the rest do not hold both.
///
/// # Panics
/// If the view, the facts and the marks are not of the same cases, or none may be learned from.
#[must_use]
pub fn infer_fact(fact: Fact, seen: &FactView<'_>, truth: &[bool], learn: &[bool]) -> Option<Advantage> {
    assert!(
        seen.known.len() == truth.len() && seen.released.len() == truth.len() && learn.len() == truth.len()
    );
    let known: Vec<Vec<f64>> = standardised(seen.known);
    let released = standardised(seen.released);
    let both: Vec<Vec<f64>> = known.iter().zip(&released).map(|(a, b)| [&a[..], &b[..]].concat()).collect();
    let roc = |columns: &[Vec<f64>]| {
        let of = |want: bool| (0..truth.len()).filter(move |&case| learn[case] == want);
        let rows: Vec<Vec<f64>> = of(true).map(|case| columns[case].clone()).collect();
        let labels: Vec<bool> = of(true).map(|case| truth[case]).collect();
        let model = Logistic::fit(&rows, &labels, 1e-3);
        let scores: Vec<f64> = of(false).map(|case| model.logit(&columns[case])).collect();
        let asked: Vec<bool> = of(false).map(|case| truth[case]).collect();
        Roc::split(&scores, &asked)
    };
    let (without, with) = (roc(&known)?, roc(&both)?);
    let deviation_by_chance = with.deviation_by_chance();
    Some(Advantage { fact, without: without.auc(), with: with.auc(), deviation_by_chance })
}

/// Each column with mean 0 and deviation 1.
fn standardised(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (n, width) = (rows.len().max(1) as f64, rows.first().map_or(0, Vec::len));
    let mut out = vec![Vec::with_capacity(width); rows.len()];
    for column in 0..width {
        let mean = rows.iter().map(|row| row[column]).sum::<f64>() / n;
        let spread =
            libm::sqrt(rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / n).max(1e-12);
        out.iter_mut().zip(rows).for_each(|(out, row)| out.push((row[column] - mean) / spread));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    /// The fact shows in a known column and, where `shown`, in the release beside it.
    fn advantage(shown: f64, echo: bool) -> Advantage {
        let mut rng = Seed::root(61).rng();
        let truth: Vec<bool> = (0..2_000).map(|_| rng.chance(0.3)).collect();
        let level = |is: &bool| f64::from(u8::from(*is));
        let known: Vec<Vec<f64>> = truth.iter().map(|is| vec![level(is) + rng.normal()]).collect();
        let released: Vec<Vec<f64>> = truth
            .iter()
            .zip(&known)
            .map(|(is, known)| vec![if echo { 2.0 * known[0] } else { shown * level(is) + rng.normal() }])
            .collect();
        let learn: Vec<bool> = (0..2_000).map(|case| case % 2 == 0).collect();
        infer_fact(Fact::Attribute, &FactView { known: &known, released: &released }, &truth, &learn).unwrap()
    }

    #[test]
    fn only_what_the_release_adds_counts() {
        // A deviation of an area by chance is 0.02 here; both guesses are at the same cases, so their difference has less.
        let (adds, nothing, echo) = (advantage(1.5, false), advantage(0.0, false), advantage(0.0, true));
        assert!(adds.of_release() > 0.08, "{adds:?}");
        assert!(nothing.of_release().abs() < 0.02 && nothing.without > 0.7, "{nothing:?}");
        assert!(
            echo.of_release().abs() < 1e-3 && echo.with > 0.7,
            "a score that repeats what is known: {echo:?}"
        );
    }
}
