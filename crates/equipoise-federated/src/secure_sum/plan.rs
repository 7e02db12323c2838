//! What is to be summed, how it lies in slots, and why a plan cannot be made: all of it known before any key exists.

use equipoise_privacy::Quantizer;
use serde::{Deserialize, Serialize};

/// What has to be summed: known before the first round.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSpec {
    /// Number of integers in one update.
    pub len: usize,
    /// How reals became integers.
    pub quantizer: Quantizer,
    /// The largest public integer weight of one client.
    pub max_weight: u32,
    /// The largest cohort of one round.
    pub max_clients: u32,
}

impl VectorSpec {
    /// The largest absolute value that one coordinate of a sum can take.
    #[must_use]
    pub fn max_abs_sum(&self) -> u128 {
        u128::from(self.quantizer.max_integer().unsigned_abs())
            * u128::from(self.max_weight)
            * u128::from(self.max_clients)
    }

    /// Bits of a signed slot that holds every possible sum.
    #[must_use]
    pub fn sum_bits(&self) -> u32 {
        128 - self.max_abs_sum().leading_zeros() + 1
    }
}

/// How updates are laid into ciphertexts, and why nothing can overflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotPlan {
    /// Slots in one coefficient; 0 where the scheme has no slots.
    pub slots: u32,
    /// Bits of one signed slot.
    pub width_bits: u32,
    /// Scale of the message above the noise, as a power of two.
    pub delta_log2: u32,
    /// Bound on the absolute noise of a full sum, as a power of two; below `delta_log2 - 1` decoding cannot fail. 0 where
    /// there is no noise.
    pub noise_bound_log2: f64,
    /// Ciphertext polynomials in one update.
    pub polynomials: u32,
    /// Bytes that one platform sends in one round.
    pub upload_bytes: u64,
}

/// Why a plan cannot be made. Always known before any work.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The sum does not fit into a slot.
    #[error(
        "the slots of `{scheme}` hold {have_bits} bits but a sum over {clients} clients with weights up to {weight} needs {need_bits}: lower `bits`, `weight-levels` or the number of clients in a round"
    )]
    SlotOverflow {
        /// The scheme.
        scheme: &'static str,
        /// Bits needed.
        need_bits: u32,
        /// Bits there are.
        have_bits: u32,
        /// Clients planned for.
        clients: u32,
        /// Largest weight planned for.
        weight: u32,
    },
    /// The cohort is below what hides anybody.
    #[error(
        "`{scheme}` needs at least {floor} clients in a round so that a sum hides anybody, got {clients}"
    )]
    CohortTooSmall {
        /// The scheme.
        scheme: &'static str,
        /// Clients planned for.
        clients: u32,
        /// The smallest number allowed.
        floor: u32,
    },
    /// Smudging leaves too few bits of a coefficient.
    #[error(
        "`{scheme}` leaves {have_bits} bits for a sum that needs {need_bits}, because smudging up to 2^{smudge_log2} takes the rest; bits missing: {missing_bits}; they come from lower `bits`, `weight-levels` or clients in a round, from fewer `rounds` under one key, or from `smudging.per-coefficient`, which claims less"
    )]
    SmudgingTooLarge {
        /// The scheme.
        scheme: &'static str,
        /// Bits needed.
        need_bits: u32,
        /// Bits there are.
        have_bits: u32,
        /// The difference.
        missing_bits: u32,
        /// Each key holder's smudge, as a power of two.
        smudge_log2: u32,
    },
    /// The number of key holders is not one that the scheme is made for.
    #[error("`{scheme}` is made for 2 to 5 key holders, got {holders}: set `key-holders`")]
    KeyHolders {
        /// The scheme.
        scheme: &'static str,
        /// Key holders asked for.
        holders: u32,
    },
    /// More would be encrypted under one key than its security estimates cover.
    #[error(
        "`{scheme}` encrypts {coefficients} coefficients under one key, its estimates cover {limit}: send fewer parameters in a round (`compression`)"
    )]
    KeyExhausted {
        /// The scheme.
        scheme: &'static str,
        /// Coefficients of one update.
        coefficients: u64,
        /// The limit.
        limit: u64,
    },
    /// The cohort is beyond what the scheme's arithmetic holds.
    #[error("`{scheme}` sums at most {limit} clients in a round, got {clients}: lower `participation`")]
    CohortTooLarge {
        /// The scheme.
        scheme: &'static str,
        /// Clients planned for.
        clients: u32,
        /// The largest number allowed.
        limit: u32,
    },
    /// Nothing to sum.
    #[error("an update must have at least one parameter")]
    Empty,
}
