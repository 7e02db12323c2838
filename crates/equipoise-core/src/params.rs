//! A model's parameters as one flat vector: what federation, privacy, encryption and hashing all see.

use serde::{Deserialize, Serialize};

/// Flat `f32` parameters, in the order that the model's layout defines.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(pub Vec<f32>);

impl Params {
    /// `len` zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self(vec![0.0; len])
    }

    /// Number of parameters.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parameters as little-endian bytes: what a hash of a model is taken over.
    #[must_use]
    pub fn to_le_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}
