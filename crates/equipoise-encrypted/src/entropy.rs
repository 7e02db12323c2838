//! The only source of keys, mask seeds and noise: the operating system.
//!
//! There is no replayable form. An encryption whose randomness can be replayed is a two-time pad, and what must be
//! reproducible here is the opened sum, which is exact for any randomness.

use equipoise_federated::SumError;
use rand::rand_core::TryRng;
use rand::rngs::SysRng;

/// Entropy from the operating system's call; stateless, so that every thread may use it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemSource;

impl SystemSource {
    /// Fills `bytes` with fresh randomness.
    pub(crate) fn fill(self, bytes: &mut [u8]) -> Result<(), SumError> {
        SysRng.try_fill_bytes(bytes).map_err(|error| SumError::Entropy(error.to_string()))
    }
}
