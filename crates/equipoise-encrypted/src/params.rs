//! Parameter sets, by name. Security estimates stand in `lattice.md`; always name the cost model with the figure.

use tfhe::core_crypto::prelude::TUniform;

/// A GLWE parameter set with one mask polynomial (k = 1), a binary secret key and the native modulus 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlweParams {
    /// Name in reports.
    pub name: &'static str,
    /// Number of the set on the wire.
    pub wire_id: u16,
    /// Coefficients in a polynomial; products are modulo X^N + 1.
    pub polynomial_size: usize,
    /// Errors are `TUniform(b)`: bounded by 2^b in absolute value, which makes decryption failure impossible.
    pub noise_bound_log2: u32,
}

/// N = 4096, `TUniform(3)`. Estimated cost of the best known attack (lattice-estimator 27a581b, binary secret): 2^193
/// core-SVP, 2^219 MATZOV. An estimate of known attacks, not a proof.
pub const GLWE64_N4096: GlweParams =
    GlweParams { name: "Glwe64N4096", wire_id: 1, polynomial_size: 4096, noise_bound_log2: 3 };

impl GlweParams {
    /// The largest absolute error of one fresh ciphertext's coefficient.
    #[must_use]
    pub fn noise_bound(&self) -> u64 {
        1 << self.noise_bound_log2
    }

    /// The error distribution in tfhe's own type.
    #[must_use]
    pub(crate) fn noise(&self) -> TUniform<u64> {
        TUniform::new(self.noise_bound_log2)
    }
}
