//! How one client trains: the local part of federated averaging (McMahan et al., AISTATS 2017).

use crate::{Backward, Loss, ModelError};
use serde::{Deserialize, Serialize};

/// Local training of one client. Every key is a research choice, so none has a default.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainConfig {
    /// Who differentiates: the same model to rounding, at another speed.
    pub trainer: Backward,
    /// Passes over the client's rows, at least 1.
    pub epochs: u16,
    /// Rows a step, at least 1; the last step of an epoch may have fewer.
    pub batch: u16,
    /// Step size, positive.
    pub learning_rate: f64,
    /// L2 penalty added to the gradient (of weights and biases alike, as burn and PyTorch do); 0 for none.
    pub weight_decay: f64,
    /// Factor on the loss of positive rows, positive; 1 leaves them alone. Scores of a model trained with another value
    /// are not probabilities.
    pub positive_weight: f64,
    /// What a step makes small. Sums of clipped rows are of cross-entropy.
    pub loss: Loss,
    /// The update rule.
    pub optimiser: Optimiser,
}

/// The update rule; its state starts afresh for each client and round.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Optimiser {
    /// Stochastic gradient descent, heavy-ball momentum without dampening; 0 for none.
    Sgd {
        /// Share of the last velocity that is kept, in `[0, 1)`.
        momentum: f64,
    },
    /// Adam (Kingma and Ba, ICLR 2015).
    Adam {
        /// Decay of the mean, in `[0, 1)`; the paper takes 0.9.
        beta1: f64,
        /// Decay of the mean square, in `[0, 1)`; the paper takes 0.999.
        beta2: f64,
        /// Added to the root, positive; the paper takes 1e-8.
        epsilon: f64,
    },
}

impl TrainConfig {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// Names the first key outside it.
    pub fn check(&self) -> Result<(), ModelError> {
        let count = |what, n: u16| demand(what, "at least 1", f64::from(n), n > 0);
        let positive = |what, x: f64| demand(what, "positive and finite", x, x > 0.0 && x.is_finite());
        let decay = |what, x: f64| demand(what, "in [0, 1)", x, (0.0..1.0).contains(&x));
        count("epochs", self.epochs)?;
        count("batch", self.batch)?;
        positive("learning-rate", self.learning_rate)?;
        positive("positive-weight", self.positive_weight)?;
        demand(
            "weight-decay",
            "finite and not negative",
            self.weight_decay,
            self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
        )?;
        self.loss.check(self.positive_weight)?;
        match self.optimiser {
            Optimiser::Sgd { momentum } => decay("momentum", momentum),
            Optimiser::Adam { beta1, beta2, epsilon } => {
                decay("beta1", beta1)?;
                decay("beta2", beta2)?;
                positive("epsilon", epsilon)
            }
        }
    }
}

/// Fails unless `ok`.
pub(crate) const fn demand(
    what: &'static str,
    range: &'static str,
    got: f64,
    ok: bool,
) -> Result<(), ModelError> {
    if ok { Ok(()) } else { Err(ModelError::Config { what, range, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "trainer = \"fused\"\nepochs = 1\nbatch = 64\nlearning-rate = 0.1\nweight-decay = 0\npositive-weight = 1\nloss.cross-entropy = {}\n";

    fn parse(rest: &str) -> Result<TrainConfig, toml::de::Error> {
        toml::from_str(&format!("{FILE}{rest}"))
    }

    #[test]
    fn a_file_gives_a_checked_config() {
        let config = parse("optimiser.sgd = { momentum = 0.9 }").unwrap();
        assert_eq!(config.optimiser, Optimiser::Sgd { momentum: 0.9 });
        assert_eq!(config.check(), Ok(()));
        let adam = parse("optimiser.adam = { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }").unwrap();
        assert_eq!(adam.check(), Ok(()));
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        assert!(parse("optimiser.sgd = { momentum = 0.9, nesterov = true }").is_err());
        assert!(parse("clip = 1\noptimiser.sgd = { momentum = 0.9 }").is_err());
        assert!(parse("optimiser.sgd = {}").is_err());
        assert!(parse("").is_err());
    }

    #[test]
    fn numbers_outside_their_range_are_named() {
        let good = parse("optimiser.sgd = { momentum = 0.9 }").unwrap();
        let message = |config: TrainConfig| config.check().unwrap_err().to_string();
        assert_eq!(message(TrainConfig { batch: 0, ..good.clone() }), "batch must be at least 1, got 0");
        assert!(
            message(TrainConfig { learning_rate: f64::NAN, ..good.clone() }).starts_with("learning-rate")
        );
        assert!(message(TrainConfig { weight_decay: -1.0, ..good.clone() }).starts_with("weight-decay"));
        assert!(
            message(TrainConfig { optimiser: Optimiser::Sgd { momentum: 1.0 }, ..good })
                .starts_with("momentum")
        );
    }
}
