//! What the server does with an aggregated update. State goes in and comes out. To add one: a file here, its lines below.

mod adagrad;
mod adam;
mod sgd;
mod yogi;

pub use adagrad::ServerAdagrad;
pub use adam::ServerAdam;
pub use sgd::ServerSgd;
pub use yogi::ServerYogi;

use equipoise_core::Params;
use serde::{Deserialize, Serialize};

/// The memory of a server optimiser: named moments, empty for those that need none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerState {
    /// Steps taken.
    pub steps: u32,
    /// First moment.
    pub first: Vec<f64>,
    /// Second moment.
    pub second: Vec<f64>,
}

/// Moves the global model along an aggregated update.
///
/// Laws (see [`crate::laws::check_server`]): a zero update from a fresh state leaves the model where it is; the first
/// step goes with the sign of the update in every coordinate; the same input gives the same output.
pub trait ServerOptimizer: Send + Sync {
    /// The optimiser's name in files and reports.
    fn name(&self) -> &'static str;
    /// One step. `delta` points where the model should go.
    fn step(&self, state: ServerState, global: Params, delta: &[f64]) -> (ServerState, Params);
}

/// The step that Yogi and Adagrad share (algorithm 2 of the paper): `m = beta1 m + (1 - beta1) delta`, the second moment by `second`
/// from `tau` squared on, `model += rate m / (sqrt v + tau)`.
#[allow(clippy::cast_possible_truncation)] // Parameters are f32 by definition; the moments are f64.
fn adaptive(
    mut state: ServerState,
    mut global: Params,
    delta: &[f64],
    [rate, beta1, tau]: [f64; 3],
    second: impl Fn(f64, f64) -> f64,
) -> (ServerState, Params) {
    state.first.resize(delta.len(), 0.0);
    state.second.resize(delta.len(), tau * tau);
    state.steps += 1;
    let moments = state.first.iter_mut().zip(&mut state.second);
    for ((weight, (m, v)), delta) in global.0.iter_mut().zip(moments).zip(delta) {
        *m = beta1 * *m + (1.0 - beta1) * delta;
        *v = second(*v, delta * delta);
        *weight = (f64::from(*weight) + rate * *m / (libm::sqrt(*v) + tau)) as f32;
    }
    (state, global)
}

/// The server optimisers by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ServerSpec {
    /// Adds the update, with momentum if asked.
    Sgd(ServerSgd),
    /// `FedAdam`.
    Adam(ServerAdam),
    /// `FedYogi`.
    Yogi(ServerYogi),
    /// `FedAdagrad`.
    Adagrad(ServerAdagrad),
}

impl ServerSpec {
    /// The optimiser itself.
    #[must_use]
    pub fn optimizer(&self) -> &dyn ServerOptimizer {
        match self {
            Self::Sgd(optimizer) => optimizer,
            Self::Adam(optimizer) => optimizer,
            Self::Yogi(optimizer) => optimizer,
            Self::Adagrad(optimizer) => optimizer,
        }
    }

    /// The same optimiser with another learning rate: what a tuning grid varies.
    #[must_use]
    pub fn with_learning_rate(&self, learning_rate: f64) -> Self {
        match *self {
            Self::Sgd(optimizer) => Self::Sgd(ServerSgd { learning_rate, ..optimizer }),
            Self::Adam(optimizer) => Self::Adam(ServerAdam { learning_rate, ..optimizer }),
            Self::Yogi(optimizer) => Self::Yogi(ServerYogi { learning_rate, ..optimizer }),
            Self::Adagrad(optimizer) => Self::Adagrad(ServerAdagrad { learning_rate, ..optimizer }),
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::Sgd(ServerSgd { learning_rate: 1.0, momentum: 0.0 }),
            Self::Sgd(ServerSgd { learning_rate: 0.5, momentum: 0.9 }),
            Self::Adam(ServerAdam { learning_rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-3 }),
            Self::Yogi(ServerYogi { learning_rate: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 }),
            Self::Adagrad(ServerAdagrad { learning_rate: 0.01, beta1: 0.0, tau: 1e-3 }),
        ]
    }
}
