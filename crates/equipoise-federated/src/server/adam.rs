//! `FedAdam` (Reddi et al., "Adaptive federated optimization", ICLR 2021), with bias correction as in Kingma and Ba.
//! Post-processing of the aggregate: it costs no privacy.

use super::{ServerOptimizer, ServerState};
use equipoise_core::Params;
use serde::{Deserialize, Serialize};

/// Adam on the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServerAdam {
    /// Step length.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Keeps small second moments from exploding (`tau` in the paper).
    pub epsilon: f64,
}

impl ServerOptimizer for ServerAdam {
    fn name(&self) -> &'static str {
        "adam"
    }

    #[allow(clippy::cast_possible_truncation)] // Parameters are f32 by definition; the moments are f64.
    fn step(&self, mut state: ServerState, mut global: Params, delta: &[f64]) -> (ServerState, Params) {
        state.first.resize(delta.len(), 0.0);
        state.second.resize(delta.len(), 0.0);
        state.steps += 1;
        let correct = |beta: f64| 1.0 - power_by_squaring(beta, state.steps);
        let (one, two) = (correct(self.beta1), correct(self.beta2));
        let moments = state.first.iter_mut().zip(&mut state.second);
        for ((weight, (first, second)), delta) in global.0.iter_mut().zip(moments).zip(delta) {
            *first = self.beta1 * *first + (1.0 - self.beta1) * delta;
            *second = self.beta2 * *second + (1.0 - self.beta2) * delta * delta;
            let step = (*first / one) / ((*second / two).sqrt() + self.epsilon);
            *weight = (f64::from(*weight) + self.learning_rate * step) as f32;
        }
        (state, global)
    }
}

/// `base^exponent` by squaring: plain multiplications, so the same bytes on every machine.
fn power_by_squaring(mut base: f64, mut exponent: u32) -> f64 {
    let mut power = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_has_the_length_of_the_learning_rate() {
        let rule = ServerAdam { learning_rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 0.0 };
        let (_, model) = rule.step(ServerState::default(), Params::zeros(2), &[5.0, -0.001]);
        assert!((model.0[0] - 0.1).abs() < 1e-6 && (model.0[1] + 0.1).abs() < 1e-6, "{model:?}");
    }

    #[test]
    fn powers_by_squaring_are_powers() {
        assert!((power_by_squaring(0.9, 10) - 0.348_678_440_1).abs() < 1e-12);
    }
}
