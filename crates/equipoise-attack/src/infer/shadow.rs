//! Shadow models: what the recipient of a model trains itself, on halves of the candidates that it knows, to learn what membership looks
//! like. Training comes in as a trait, so that this crate knows no model library.

use equipoise_core::{Draw, Seed};

/// What one model says of one row, with the row's own label: the cross-entropy.
pub type Loss = f32;

/// Trains one model on the candidates that are in, and says the loss of every candidate under it.
pub trait ShadowTrainer {
    /// The losses of all candidates under a model trained on those that `inside` marks.
    fn losses(&self, inside: &[bool], seed: Seed) -> Vec<Loss>;
}

/// Models with known members: `losses[model][candidate]` and `inside[model][candidate]`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Shadows {
    /// Losses.
    pub losses: Vec<Vec<Loss>>,
    /// Who was trained on.
    pub inside: Vec<Vec<bool>>,
}

impl Shadows {
    /// Trains `pairs` pairs of models; each pair splits the candidates by fair coins, so every candidate is in exactly half of all
    /// models (Carlini et al., S&P 2022).
    #[must_use]
    pub fn train(trainer: &dyn ShadowTrainer, candidates: usize, pairs: usize, seed: Seed) -> Self {
        let mut shadows = Self::default();
        for pair in 0..pairs {
            let at = seed.derive("shadow-pair", pair as u64);
            let mut rng = at.derive("coin", 0).rng();
            let first: Vec<bool> = (0..candidates).map(|_| rng.chance(0.5)).collect();
            let second = first.iter().map(|is_in| !is_in).collect();
            for (half, inside) in [first, second].into_iter().enumerate() {
                shadows.losses.push(trainer.losses(&inside, at.derive("half", half as u64)));
                shadows.inside.push(inside);
            }
        }
        shadows
    }

    /// Number of models.
    #[must_use]
    pub fn len(&self) -> usize {
        self.losses.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.losses.is_empty()
    }

    /// All models but one, and that one's losses and members: a rehearsal with a known outcome.
    #[must_use]
    pub fn without(&self, model: usize) -> (Self, &[Loss], &[bool]) {
        let mut rest = self.clone();
        rest.losses.remove(model);
        rest.inside.remove(model);
        (rest, &self.losses[model], &self.inside[model])
    }

    /// `of(loss)` for one candidate under the models that it was in, or those that it was out of.
    pub(crate) fn of(&self, candidate: usize, is_in: bool, of: impl Fn(Loss) -> f64) -> Vec<f64> {
        let models = self.losses.iter().zip(&self.inside);
        let kept = models.filter(|(_, inside)| inside[candidate] == is_in);
        kept.map(|(losses, _)| of(losses[candidate])).collect()
    }
}

/// `ln(p / (1 - p))` of the probability that a model gives the row's own label, from its loss; what LiRA takes to be normal. Losses are
/// kept within what single precision resolves.
#[must_use]
pub fn logit_of_loss(loss: Loss) -> f64 {
    let loss = if loss.is_nan() { 30.0 } else { f64::from(loss).clamp(1e-7, 30.0) };
    -loss - libm::log(-libm::expm1(-loss))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Members;
    impl ShadowTrainer for Members {
        fn losses(&self, inside: &[bool], _: Seed) -> Vec<Loss> {
            inside.iter().map(|&is_in| if is_in { 0.0 } else { 1.0 }).collect()
        }
    }

    #[test]
    fn every_candidate_is_in_half_of_the_models() {
        let shadows = Shadows::train(&Members, 50, 3, Seed::root(1));
        assert_eq!(shadows.len(), 6);
        for candidate in 0..50 {
            assert_eq!(shadows.of(candidate, true, f64::from), [0.0; 3]);
            assert_eq!(shadows.of(candidate, false, f64::from), [1.0; 3]);
        }
    }

    #[test]
    fn the_logit_of_an_even_bet_is_nothing() {
        assert!(logit_of_loss(std::f32::consts::LN_2).abs() < 1e-6);
        assert!((logit_of_loss(-(0.9_f32.ln())) - 9.0_f64.ln()).abs() < 1e-5);
        assert!([f32::NAN, f32::INFINITY, 0.0].iter().all(|&loss| logit_of_loss(loss).is_finite()));
    }
}
