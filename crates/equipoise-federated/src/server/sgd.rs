//! Plain addition of the mean update: `FedAvg` (McMahan et al., AISTATS 2017) at learning rate 1 without momentum,
//! `FedAvgM` (Hsu, Qi, Brown, 2019) with it.

use super::{ServerOptimizer, ServerState};
use equipoise_core::Params;
use serde::{Deserialize, Serialize};

/// Heavy-ball server step: `v = momentum v + delta; model += learning-rate v`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServerSgd {
    /// Step length; 1 is `FedAvg`.
    pub learning_rate: f64,
    /// Share of the previous step that is kept; 0 for none.
    pub momentum: f64,
}

impl ServerOptimizer for ServerSgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    #[allow(clippy::cast_possible_truncation)] // Parameters are f32 by definition; the sum is taken in f64.
    fn step(&self, mut state: ServerState, mut global: Params, delta: &[f64]) -> (ServerState, Params) {
        state.first.resize(delta.len(), 0.0);
        for ((weight, velocity), delta) in global.0.iter_mut().zip(&mut state.first).zip(delta) {
            *velocity = self.momentum * *velocity + delta;
            *weight = (f64::from(*weight) + self.learning_rate * *velocity) as f32;
        }
        state.steps += 1;
        (state, global)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn momentum_keeps_its_share_of_the_last_step() {
        let rule = ServerSgd { learning_rate: 1.0, momentum: 0.5 };
        let (state, model) = rule.step(ServerState::default(), Params::zeros(1), &[2.0]);
        let (_, model) = rule.step(state, model, &[0.0]);
        assert_eq!(model, Params(vec![3.0]));
    }
}
