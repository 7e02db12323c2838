//! The plan of a fusion: what fits, how far the error stays from the margin, how much smudging there is room for.
//!
//! An external product with a fresh GGSW adds two errors: the gadget's digits times the fresh errors of the rows, and the
//! part of the accumulator that the digits drop, times the secret. Digits of a masked accumulator are taken as uniform
//! and independent of the next platform's errors (they are, up to RLWE). Variances, N the ring's size, B the base, l the
//! levels, v the variance of `TUniform(b)`, K the key holders (Chillotti et al., TFHE, 2020, with our key):
//!
//! * a row's error: `v` under a secret key; `v (1 + 4 N K / 3)` under the joint one, from `E r + e0 - e1 s`;
//! * a product: `2 N l (B^2 / 12) row + 2^(2 (64 - l log2 B)) / 12 (1 + 2 N K / 3)`, and the rounding of the transform.
//!
//! The planned bound is fourteen standard deviations: a Gaussian leaves it with probability below 2^-140, which is what
//! "exact" means here. `tests.rs` measures errors against both the deviation and the bound.

use super::error::FusionPlanError;
use super::params::FusionParams;
use serde::Serialize;

/// Whose key protects the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FusionKeys {
    /// One secret key that all platforms and the opener hold: a labelled baseline.
    Shared,
    /// The joint public key of key holders who are not platforms; all of them must answer.
    Joint {
        /// How many.
        holders: u32,
    },
}

/// What has to be fused: known before any key exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FusionSpec {
    /// The largest score of a platform; 255 for eight bits, 1 for votes.
    pub max_score: u32,
    /// One public integer weight a platform.
    pub weights: Vec<u32>,
    /// How many different values a rule may return: 2 for a flag.
    pub bands: u32,
    /// How many openings an account may have in the life of the keys.
    pub openings_per_account: u32,
}

/// A checked plan. Everybody knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct FusionPlan {
    pub(crate) params: FusionParams,
    pub(crate) spec: FusionSpec,
    pub(crate) keys: FusionKeys,
    /// The largest weighted sum.
    pub max_sum: u32,
    /// Standard deviation of the error of an evaluated flag, as a power of two.
    pub error_std_log2: f64,
    /// The error's bound, fourteen deviations, as a power of two.
    pub error_bound_log2: f64,
    /// Errors below this cannot change a value, as a power of two.
    pub margin_log2: f64,
    /// Each key holder's smudging is `TUniform` of this; none under a shared key.
    pub smudge_log2: Option<u32>,
}

/// Bounds are this many standard deviations: `2 exp(-14^2 / 2) < 2^-140`.
const DEVIATIONS: f64 = 14.0;
/// The most values of a rule.
const MOST_BANDS: u32 = 64;

impl FusionPlan {
    /// Checks that everything fits.
    ///
    /// # Errors
    /// Says what does not fit and which knob mends it.
    pub fn new(params: FusionParams, keys: FusionKeys, spec: FusionSpec) -> Result<Self, FusionPlanError> {
        if spec.weights.len() < 2 {
            return Err(FusionPlanError::TooFewPlatforms(spec.weights.len()));
        }
        if let FusionKeys::Joint { holders } = keys
            && !(2..=5).contains(&holders)
        {
            return Err(FusionPlanError::KeyHolders(holders));
        }
        if spec.max_score == 0 {
            return Err(FusionPlanError::Zero("max_score"));
        }
        if spec.weights.contains(&0) {
            return Err(FusionPlanError::Zero("weights"));
        }
        if spec.openings_per_account == 0 {
            return Err(FusionPlanError::Zero("openings_per_account"));
        }
        if !(2..=MOST_BANDS).contains(&spec.bands) {
            return Err(FusionPlanError::Bands { got: spec.bands, limit: MOST_BANDS });
        }
        let limit = params.polynomial_size as u64;
        let weights = spec.weights.iter().map(|&weight| u64::from(weight));
        let max_sum = weights
            .fold(0_u64, |sum, weight| sum.saturating_add(weight.saturating_mul(u64::from(spec.max_score))));
        let Some(fits) = u32::try_from(max_sum).ok().filter(|_| max_sum < limit) else {
            return Err(FusionPlanError::SumTooLarge { params: params.name, max_sum, limit });
        };
        let error_std_log2 = error_variance(&params, keys, spec.weights.len(), spec.bands).log2() / 2.0;
        let error_bound_log2 = error_std_log2 + DEVIATIONS.log2();
        let margin_log2 = f64::from(63 - bands_log2(spec.bands));
        // Half of the margin is for the smudging of all holders, the rest for the error.
        if error_bound_log2 > margin_log2 - 1.0 {
            let (error_log2, bands) = (error_bound_log2, spec.bands);
            return Err(FusionPlanError::ErrorTooLarge {
                params: params.name,
                error_log2,
                margin_log2,
                bands,
            });
        }
        let smudge_log2 = match keys {
            FusionKeys::Shared => None,
            FusionKeys::Joint { holders } => (0..63 - bands_log2(spec.bands)).rev().find(|&bits| {
                let smudge = f64::from(holders) * f64::from(bits).exp2();
                smudge + error_bound_log2.exp2() < margin_log2.exp2()
            }),
        };
        Ok(Self {
            params,
            spec,
            keys,
            max_sum: fits,
            error_std_log2,
            error_bound_log2,
            margin_log2,
            smudge_log2,
        })
    }

    /// The parameter set.
    #[must_use]
    pub const fn params(&self) -> &FusionParams {
        &self.params
    }

    /// What is fused.
    #[must_use]
    pub const fn spec(&self) -> &FusionSpec {
        &self.spec
    }

    /// Whose key protects the scores.
    #[must_use]
    pub const fn keys(&self) -> FusionKeys {
        self.keys
    }

    /// By how many bits one holder's smudging exceeds the error that it hides; 40 would be wanted and does not fit a
    /// 64-bit torus (limit (a) of the module).
    #[must_use]
    pub fn smudging_bits(&self) -> Option<f64> {
        self.smudge_log2.map(|smudge| f64::from(smudge) - self.error_bound_log2)
    }

    /// The most that all openings of one account can say, in bits.
    #[must_use]
    pub fn bits_per_account(&self) -> f64 {
        f64::from(self.spec.openings_per_account) * f64::from(self.spec.bands).log2()
    }

    /// Bytes of one score on the wire.
    #[must_use]
    pub fn upload_bytes(&self) -> u64 {
        let (polynomials, seed) = match self.keys {
            FusionKeys::Shared => (2 * self.params.levels, super::messages::SEED),
            FusionKeys::Joint { .. } => (4 * self.params.levels, 0),
        };
        (super::wire::UPLOAD_HEADER + seed + 8 * polynomials * self.params.polynomial_size) as u64
    }

    /// The torus value that stands for `value`: the middle of its interval.
    pub(crate) fn encode(&self, value: u32) -> u64 {
        let shift = self.value_shift();
        (u64::from(value) << shift) + (1 << (shift - 1))
    }

    /// The value whose interval holds `phase`.
    pub(crate) fn decode(&self, phase: u64) -> u32 {
        u32::try_from(phase >> self.value_shift()).expect("at most six bits are left")
    }

    fn value_shift(&self) -> u32 {
        64 - bands_log2(self.spec.bands)
    }
}

fn bands_log2(bands: u32) -> u32 {
    bands.next_power_of_two().ilog2()
}

/// Variance of `TUniform(b)`.
pub(crate) fn tuniform_variance(bound_log2: u32) -> f64 {
    (f64::from(2 * bound_log2 + 1).exp2() + 1.0) / 6.0
}

fn error_variance(params: &FusionParams, keys: FusionKeys, platforms: usize, bands: u32) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "ring sizes and counts are small")]
    let (size, levels, products) = (params.polynomial_size as f64, params.levels as f64, platforms as f64);
    let fresh = tuniform_variance(params.noise_bound_log2);
    let (row, holders) = match keys {
        FusionKeys::Shared => (fresh, 1.0),
        FusionKeys::Joint { holders } => {
            (fresh * (1.0 + 4.0 * size * f64::from(holders) / 3.0), f64::from(holders))
        }
    };
    let base = f64::from(params.base_log2);
    let digits = (2.0 * base).exp2() / 12.0;
    let dropped = 64.0 - base * levels;
    let key = 1.0 + 2.0 * size * holders / 3.0;
    let rounding = (2.0 * dropped).exp2() / 12.0 * key;
    // The transform's rounding, relative 2^-53 a value, on integers of about sqrt(2 N l) B 2^64 / 12.
    let transform = 2.0 * size * levels * digits * 22.0_f64.exp2() / 12.0 * size.log2() * key;
    let product = 2.0 * size * levels * digits * row + rounding + transform;
    // The first accumulator is the public rule: no mask, no rounding, digits of the coarsest level only, but all as wide
    // as the outermost value.
    let widest = (2.0 * base - 2.0).exp2() * (1.0 - 1.0 / f64::from(bands.next_power_of_two())).powi(2);
    let first = size * widest * row + transform;
    // A flag's mask travels in 32 bits a coefficient.
    let sent = 64.0_f64.exp2() / 12.0 * key;
    first + (products - 1.0) * product + sent
}
