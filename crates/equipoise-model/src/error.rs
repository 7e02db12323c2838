//! What can go wrong when a model is made, trained or scored.

/// A model, its data or its configuration does not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// Two lengths that must agree do not.
    #[error("{what} must hold {expected} numbers, got {got}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// The length that the model or the rows ask for.
        expected: usize,
        /// The length found.
        got: usize,
    },
    /// A specification that describes no model.
    #[error("{0}")]
    Spec(&'static str),
    /// A training setting outside its range.
    #[error("{what} must be {range}, got {got}")]
    Config {
        /// The key as it is written in an experiment file.
        what: &'static str,
        /// The values allowed.
        range: &'static str,
        /// The value found.
        got: f64,
    },
    /// A number in the data that no loss is defined for.
    #[error("{what} of row {row} must be {range}, got {got}")]
    Value {
        /// Feature, label or weight.
        what: &'static str,
        /// The row's index.
        row: usize,
        /// The values allowed.
        range: &'static str,
        /// The value found.
        got: f32,
    },
    /// A batch names a row that does not exist.
    #[error("the batch names row {row}, but there are only {rows} rows")]
    Row {
        /// The index named.
        row: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A sequence holds a code that the codebook does not explain.
    #[error("a sequence holds code {code}, but the codebook has {codes} codes")]
    Code {
        /// The code.
        code: u16,
        /// How many there are.
        codes: usize,
    },
    /// The loss left the finite numbers; the weights must not be used. A lower learning rate mends it.
    #[error("training diverged at step {step}: the loss is not finite; lower the learning rate or clip")]
    Diverged {
        /// The step, counted from 0.
        step: u32,
    },
    /// A logit is not a number, so the weights are not those of a trained model.
    #[error("the score of row {row} is not a number: the weights are not finite")]
    Score {
        /// The row's index.
        row: usize,
    },
    /// burn returned no gradient for a parameter (tracel-ai/burn#5573): stop rather than train on a part.
    #[error("burn returned no gradient for the {part} of layer {layer}; report this with the burn version")]
    MissingGradient {
        /// The layer, from 0.
        layer: usize,
        /// Weight or bias.
        part: &'static str,
    },
    /// burn could not hand over a tensor's numbers.
    #[error("burn could not read a tensor back: {0}")]
    Burn(String),
}
