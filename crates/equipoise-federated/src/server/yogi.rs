//! `FedYogi` (Reddi et al., "Adaptive federated optimization", ICLR 2021, algorithm 2): as `FedAdam`, but the second moment moves
//! by a fixed share of the new square towards it, so that one large update does not shorten steps for long. Without bias
//! correction, as in the paper; the second moment begins at `tau` squared. Post-processing of the aggregate.

use super::{ServerOptimizer, ServerState};
use equipoise_core::Params;
use serde::{Deserialize, Serialize};

/// Yogi on the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServerYogi {
    /// Step length.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Degree of adaptivity: added to the root of the second moment.
    pub tau: f64,
}

impl ServerOptimizer for ServerYogi {
    fn name(&self) -> &'static str {
        "yogi"
    }

    fn step(&self, state: ServerState, global: Params, delta: &[f64]) -> (ServerState, Params) {
        let toward = |second: f64, square: f64| {
            let sign = if second < square { -1.0 } else { f64::from(u8::from(second > square)) };
            second - (1.0 - self.beta2) * square * sign
        };
        super::adaptive(state, global, delta, [self.learning_rate, self.beta1, self.tau], toward)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// v = .01 - .5 * 4 * (-1) = 2.01, m = .5 * 2 = 1: step .1 / (sqrt 2.01 + .1). Then v > 0, so it falls by .5 * 0.
    #[test]
    fn the_second_moment_moves_by_a_share_of_the_square() {
        let rule = ServerYogi { learning_rate: 0.1, beta1: 0.5, beta2: 0.5, tau: 0.1 };
        let (state, model) = rule.step(ServerState::default(), Params::zeros(1), &[2.0]);
        assert!((state.second[0] - 2.01).abs() < 1e-12);
        assert!((f64::from(model.0[0]) - 0.1 / (2.01_f64.sqrt() + 0.1)).abs() < 1e-7, "{model:?}");
        let (state, _) = rule.step(state, model, &[1.0]);
        assert!((state.second[0] - 1.51).abs() < 1e-12, "{state:?}");
    }
}
