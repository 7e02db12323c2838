//! Parameter sets of the fusion, by name. Security estimates stand in `lattice.md`; always name the cost model.

/// A GGSW parameter set with one mask polynomial (k = 1), uniform ternary secrets and the native modulus 2^64.
///
/// The fields are private so that only the sets named here exist outside of this crate's tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FusionParams {
    pub(crate) name: &'static str,
    pub(crate) wire_id: u16,
    pub(crate) polynomial_size: usize,
    pub(crate) noise_bound_log2: u32,
    pub(crate) base_log2: u32,
    pub(crate) levels: usize,
}

/// N = 2048, `TUniform(17)`, base 2^23, one level. Estimated cost of the best known attack (lattice-estimator 27a581b,
/// ternary secret): 2^138 MATZOV, 2^110 core-SVP. An estimate of known attacks, not a proof.
pub const FUSE_N2048: FusionParams = FusionParams {
    name: "FuseN2048",
    wire_id: 17,
    polynomial_size: 2048,
    noise_bound_log2: 17,
    base_log2: 23,
    levels: 1,
};

/// The same ring and errors with base 2^15 and two levels: twice the upload, a hundredth of the error.
pub const FUSE_N2048_L2: FusionParams =
    FusionParams { name: "FuseN2048L2", wire_id: 18, base_log2: 15, levels: 2, ..FUSE_N2048 };

/// N = 4096, `TUniform(3)`, base 2^14, three levels: six times the upload of [`FUSE_N2048`], and the most room for
/// smudging on a 64-bit torus. Estimated (ternary secret): 2^224 MATZOV, 2^199 core-SVP.
pub const FUSE_N4096: FusionParams = FusionParams {
    name: "FuseN4096",
    wire_id: 19,
    polynomial_size: 4096,
    noise_bound_log2: 3,
    base_log2: 14,
    levels: 3,
};

/// A ring too small to hide anything, for grids of a hundred thousand evaluations in tests. Exists in tests only.
#[cfg(test)]
pub(crate) const TOY_N512: FusionParams = FusionParams {
    name: "InsecureToyN512",
    wire_id: u16::MAX,
    polynomial_size: 512,
    noise_bound_log2: 17,
    base_log2: 23,
    levels: 1,
};

impl FusionParams {
    /// Every named set.
    pub const ALL: [Self; 3] = [FUSE_N2048, FUSE_N2048_L2, FUSE_N4096];

    /// Name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Coefficients in a polynomial: every fused sum must stay below.
    #[must_use]
    pub const fn polynomial_size(&self) -> usize {
        self.polynomial_size
    }

    /// What a gadget level multiplies the message by, as a power of two; `level` counts from the coarsest, 1.
    pub(crate) fn gadget_log2(&self, level: usize) -> u32 {
        64 - self.base_log2 * u32::try_from(level).expect("few levels")
    }

    /// Levels in the order in which they lie in memory: finest first, as in tfhe.
    pub(crate) fn levels_in_memory(&self) -> impl Iterator<Item = usize> {
        (1..=self.levels).rev()
    }
}
