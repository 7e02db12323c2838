//! The update rules on flat vectors: one pass over the parameters, no allocation once warm.
//! burn's own SGD and Adam are the oracle (see the test in `trainer`); their ~11 small tensor operations a parameter
//! would cost more than the gradient itself.

use crate::{Optimiser, TrainConfig};

/// Momentum or moments; kept between clients only as memory, never as values.
#[derive(Debug, Default)]
pub(crate) struct OptimiserState {
    first: Vec<f32>,
    second: Vec<f32>,
    step: i32,
}

impl OptimiserState {
    /// Forgets the last client.
    pub(crate) fn reset(&mut self, optimiser: &Optimiser, parameters: usize) {
        let fill = |buffer: &mut Vec<f32>, used: bool| {
            buffer.clear();
            buffer.resize(if used { parameters } else { 0 }, 0.0);
        };
        let adam = matches!(optimiser, Optimiser::Adam { .. });
        let momentum = matches!(optimiser, Optimiser::Sgd { momentum } if *momentum > 0.0);
        fill(&mut self.first, adam || momentum);
        fill(&mut self.second, adam);
        self.step = 0;
    }

    /// Moves `weights` one step against `gradient`.
    #[allow(clippy::cast_possible_truncation)] // Settings are f64 in files, the arithmetic is f32.
    pub(crate) fn step(&mut self, weights: &mut [f32], gradient: &[f32], config: &TrainConfig) {
        let (rate, decay) = (config.learning_rate as f32, config.weight_decay as f32);
        self.step = self.step.saturating_add(1);
        match config.optimiser {
            Optimiser::Sgd { momentum } if momentum > 0.0 => {
                let momentum = momentum as f32;
                for ((weight, &slope), velocity) in weights.iter_mut().zip(gradient).zip(&mut self.first) {
                    *velocity = momentum * *velocity + (slope + decay * *weight);
                    *weight -= rate * *velocity;
                }
            }
            Optimiser::Sgd { .. } => {
                for (weight, &slope) in weights.iter_mut().zip(gradient) {
                    *weight -= rate * (slope + decay * *weight);
                }
            }
            Optimiser::Adam { beta1, beta2, epsilon } => {
                let root = libm::sqrt(1.0 - libm::pow(beta2, f64::from(self.step)));
                let scale =
                    (config.learning_rate * root / (1.0 - libm::pow(beta1, f64::from(self.step)))) as f32;
                let floor = (epsilon * root) as f32;
                let (beta1, beta2) = (beta1 as f32, beta2 as f32);
                let moments = self.first.iter_mut().zip(&mut self.second);
                for ((weight, &slope), (mean, square)) in weights.iter_mut().zip(gradient).zip(moments) {
                    let slope = slope + decay * *weight;
                    *mean = beta1 * *mean + (1.0 - beta1) * slope;
                    *square = beta2 * *square + (1.0 - beta2) * slope * slope;
                    *weight -= scale * *mean / (square.sqrt() + floor);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Backward;

    fn config(optimiser: Optimiser) -> TrainConfig {
        TrainConfig {
            trainer: Backward::Fused,
            epochs: 1,
            batch: 1,
            learning_rate: 0.5,
            weight_decay: 0.0,
            positive_weight: 1.0,
            loss: crate::Loss::CrossEntropy {},
            optimiser,
        }
    }

    fn two_steps(config: &TrainConfig) -> f32 {
        let (mut state, mut weights) = (OptimiserState::default(), [1.0_f32]);
        state.reset(&config.optimiser, 1);
        state.step(&mut weights, &[1.0], config);
        state.step(&mut weights, &[1.0], config);
        weights[0]
    }

    #[test]
    fn momentum_is_worked_by_hand() {
        // Velocities 1 and 1.5, steps 0.5 and 0.75.
        assert!((two_steps(&config(Optimiser::Sgd { momentum: 0.5 })) + 0.25).abs() < 1e-6);
        assert!(two_steps(&config(Optimiser::Sgd { momentum: 0.0 })).abs() < 1e-6);
    }

    #[test]
    fn weight_decay_is_an_l2_penalty() {
        // 1 -> 1 - 0.5 (1 + 0.2 * 1) = 0.4 -> 0.4 - 0.5 (1 + 0.2 * 0.4) = -0.14.
        let config = TrainConfig { weight_decay: 0.2, ..config(Optimiser::Sgd { momentum: 0.0 }) };
        assert!((two_steps(&config) + 0.14).abs() < 1e-6);
    }

    #[test]
    fn adam_takes_steps_of_the_learning_rate_on_a_constant_gradient() {
        let adam = Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        assert!(two_steps(&config(adam)).abs() < 1e-4);
    }
}
