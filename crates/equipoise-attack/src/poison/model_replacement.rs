//! Model replacement (Bagdasaryan, Veit, Hua, Estrin, Shmatikov, "How to backdoor federated learning", AISTATS 2020): the update is
//! multiplied, so that the mean of the cohort becomes the attacker's model. It is cut to the range of the public grid, as an upload
//! outside it would be thrown away.

use super::Poison;
use equipoise_core::Seed;
use equipoise_privacy::{OutgoingUpdate, Quantizer};
use serde::{Deserialize, Serialize};

/// Multiplies the update by `boost`, about the size of the cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelReplacement {
    /// How many times.
    pub boost: u32,
}

impl Poison for ModelReplacement {
    fn name(&self) -> &'static str {
        "model-replacement"
    }

    fn tamper(&self, honest: OutgoingUpdate, grid: &Quantizer, _seed: Seed) -> OutgoingUpdate {
        let bound = i64::from(honest.weight()) * grid.max_integer();
        let louder = |value: &i64| value.saturating_mul(i64::from(self.boost)).clamp(-bound, bound);
        let values = honest.values().iter().map(louder).collect();
        honest.tampered(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_federated::laws::{outgoing_integers, unit_quantizer};

    #[test]
    fn values_are_multiplied_and_cut_to_the_grid() {
        let grid = unit_quantizer();
        let sent = ModelReplacement { boost: 10 }.tamper(
            outgoing_integers(0, 1, 2, &[3, -2000]),
            &grid,
            Seed::root(1),
        );
        assert_eq!(sent.values(), [60, -2 * grid.max_integer()]);
    }
}
