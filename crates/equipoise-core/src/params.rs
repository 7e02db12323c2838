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

/// Whether every number is finite. Without a branch for each, so that a compiler lays the comparisons side by side: it is asked of
/// every feature of every client in every round.
#[must_use]
pub fn all_finite(values: &[f32]) -> bool {
    // An exponent of ones is an infinity or no number.
    const EXPONENT: u32 = 0x7F80_0000;
    let broken = |value: &f32| u32::from(value.to_bits() & EXPONENT == EXPONENT);
    crate::wide(|| {
        values.chunks(256).all(|block| block.iter().fold(0, |any, value| any | broken(value)) == 0)
    })
}

/// Turns weights after training into what should be added to those before it: `after -= before`, as far as both reach.
pub fn to_change(after: &mut [f32], before: &[f32]) {
    crate::wide(|| after.iter_mut().zip(before).for_each(|(after, before)| *after -= before));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_that_is_not_finite_is_found_wherever_it_stands() {
        for length in [1, 3, 256, 257, 1000] {
            let mut values = [f32::MAX, -0.0, f32::MIN_POSITIVE / 4.0, -1.0].repeat(250);
            values.truncate(length);
            assert!(all_finite(&values));
            for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                values[length - 1] = broken;
                assert!(!all_finite(&values), "{broken} at {length}");
            }
        }
        assert!(all_finite(&[]));
    }
}
