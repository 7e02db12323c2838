//! `FedAdagrad` (Reddi et al., "Adaptive federated optimization", ICLR 2021, algorithm 2): the second moment is the sum of all
//! squares since the start, from `tau` squared on, so that steps only get shorter. Post-processing of the aggregate.

use super::{ServerOptimizer, ServerState};
use equipoise_core::Params;
use serde::{Deserialize, Serialize};

/// Adagrad on the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServerAdagrad {
    /// Step length.
    pub learning_rate: f64,
    /// Decay of the first moment; the paper takes 0.
    pub beta1: f64,
    /// Degree of adaptivity: added to the root of the second moment.
    pub tau: f64,
}

impl ServerOptimizer for ServerAdagrad {
    fn name(&self) -> &'static str {
        "adagrad"
    }

    fn step(&self, state: ServerState, global: Params, delta: &[f64]) -> (ServerState, Params) {
        let all = |second: f64, square: f64| second + square;
        super::adaptive(state, global, delta, [self.learning_rate, self.beta1, self.tau], all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// v = .01 + 4, step .1 * 2 / (sqrt 4.01 + .1); the same update again steps less far.
    #[test]
    fn steps_get_shorter() {
        let rule = ServerAdagrad { learning_rate: 0.1, beta1: 0.0, tau: 0.1 };
        let (state, one) = rule.step(ServerState::default(), Params::zeros(1), &[2.0]);
        assert!((f64::from(one.0[0]) - 0.2 / (4.01_f64.sqrt() + 0.1)).abs() < 1e-7, "{one:?}");
        let (_, two) = rule.step(state, one.clone(), &[2.0]);
        assert!(two.0[0] - one.0[0] < one.0[0]);
    }
}
