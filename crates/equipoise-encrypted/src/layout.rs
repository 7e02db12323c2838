//! The slot layout: how integers share a coefficient, and why no sum can overflow or fail to decode.
//!
//! A coefficient carries `k` signed slots of `w` bits above a scale of 2^d:  `2^d * (m_0 + m_1 2^w + .. )`, with
//! `k w + d = 64`. Two claims, both unconditional:
//!
//! 1. *Noise.* Weights are applied to integers before encryption and every ciphertext is added once. Errors are bounded
//!    by 2^b each, so the error of any sum is at most `P 2^b` in absolute value, always. Rounding to the nearest
//!    multiple of 2^d is right whenever the error is *strictly* below 2^(d-1); at equality a tie would decode wrongly,
//!    which is why `P = 64` at b = 3 needs one bit more than `P = 63`.
//! 2. *Slots.* A coordinate of a sum is at most `max_abs_sum = max_integer * max_weight * P < 2^(w-1)`, so it fits a
//!    signed slot. Unpacking takes the low slot with its sign, subtracts it and shifts: exact for signed slots.
//!
//! What is left over gives each slot a guard bit if it reaches for all of them, and otherwise raises the scale.

use crate::params::GlweParams;
use equipoise_federated::{PlanError, SlotPlan, VectorSpec};

/// Where every integer of an update lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Integers in an update.
    pub len: usize,
    /// Integers in one coefficient.
    pub slots: usize,
    /// Bits of one signed slot.
    pub width_bits: u32,
    /// The message is scaled by two to this power.
    pub delta_log2: u32,
    /// Coefficients in a polynomial.
    pub polynomial_size: usize,
    /// The largest absolute error that a sum over the planned cohort can have.
    pub noise_bound: u64,
    /// The largest absolute value of a coordinate of a sum.
    pub max_abs_sum: u64,
}

/// The smallest cohort that hides anybody.
pub(crate) const COHORT_FLOOR: u32 = 2;

impl Layout {
    /// Lays out `spec` with as many slots in a coefficient as fit.
    ///
    /// # Errors
    /// If there is nothing to sum, the cohort hides nobody, or one slot is already too wide.
    pub fn new(scheme: &'static str, params: &GlweParams, spec: &VectorSpec) -> Result<Self, PlanError> {
        if spec.len == 0 {
            return Err(PlanError::Empty);
        }
        let clients = spec.max_clients;
        if clients < COHORT_FLOOR {
            return Err(PlanError::CohortTooSmall { scheme, clients, floor: COHORT_FLOOR });
        }
        let noise_bound = u64::from(clients) * params.noise_bound();
        // 2^(d-1) > noise_bound, strictly; see claim 1 above.
        let have_bits = 64 - (noise_bound.ilog2() + 2);
        let need_bits = spec.sum_bits();
        let fit = have_bits / need_bits;
        if fit == 0 {
            let weight = spec.max_weight;
            return Err(PlanError::SlotOverflow { scheme, need_bits, have_bits, clients, weight });
        }
        let guard = u32::from(have_bits - fit * need_bits >= fit);
        let width_bits = need_bits + guard;
        let max_abs_sum = u64::try_from(spec.max_abs_sum()).expect("a sum that fits a slot fits 64 bits");
        Ok(Self {
            len: spec.len,
            slots: fit as usize,
            width_bits,
            delta_log2: 64 - fit * width_bits,
            polynomial_size: params.polynomial_size,
            noise_bound,
            max_abs_sum,
        })
    }

    /// Coefficients that an update uses.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        self.len.div_ceil(self.slots)
    }

    /// Polynomials that an update uses; the body of the last one is cut to what is used.
    #[must_use]
    pub fn polynomials(&self) -> usize {
        self.coefficients().div_ceil(self.polynomial_size)
    }

    /// The layout in the words of the trait.
    #[must_use]
    pub fn plan(&self, header_bytes: usize) -> SlotPlan {
        let slots = u32::try_from(self.slots).expect("a coefficient has at most 64 slots");
        // A vector long enough to saturate here cannot lie in memory.
        let polynomials = u32::try_from(self.polynomials()).unwrap_or(u32::MAX);
        #[allow(clippy::cast_precision_loss, reason = "a bound below 2^36 is exact")]
        let noise_bound_log2 = (self.noise_bound as f64).log2();
        SlotPlan {
            slots,
            width_bits: self.width_bits,
            delta_log2: self.delta_log2,
            noise_bound_log2,
            polynomials,
            upload_bytes: header_bytes as u64 + 8 * self.coefficients() as u64,
        }
    }

    /// Packs integers into scaled coefficients, added to what `body` holds.
    pub(crate) fn add_packed(&self, values: &[i64], body: &mut [u64]) {
        debug_assert_eq!(values.len().div_ceil(self.slots), body.len());
        for (coefficient, slots) in body.iter_mut().zip(values.chunks(self.slots)) {
            let message = slots.iter().rev().fold(0_u64, |high, value| {
                high.wrapping_shl(self.width_bits).wrapping_add(value.cast_unsigned())
            });
            *coefficient = coefficient.wrapping_add(message << self.delta_log2);
        }
    }

    /// Splits a phase into the nearest message and the error that rounding removed.
    #[inline]
    pub(crate) fn round(&self, phase: u64) -> (i64, i64) {
        let message = phase.wrapping_add(1 << (self.delta_log2 - 1)).cast_signed() >> self.delta_log2;
        let error = phase.wrapping_sub(message.cast_unsigned() << self.delta_log2).cast_signed();
        (message, error)
    }

    /// Unpacks rounded messages into `len` integers.
    pub(crate) fn unpack(&self, messages: &[i64]) -> Vec<i64> {
        let shift = 64 - self.width_bits;
        let mut values = Vec::with_capacity(messages.len() * self.slots);
        for &message in messages {
            let mut rest = message;
            for _ in 0..self.slots {
                let low = (rest << shift) >> shift;
                values.push(low);
                rest = rest.wrapping_sub(low) >> self.width_bits;
            }
        }
        values.truncate(self.len);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GLWE64_N4096;
    use equipoise_privacy::Quantizer;

    fn spec(bits: u8, max_clients: u32) -> VectorSpec {
        VectorSpec { len: 10, quantizer: quantizer(bits), max_weight: 1, max_clients }
    }

    fn quantizer(bits: u8) -> Quantizer {
        Quantizer { clip_abs: 1.0, bits }
    }

    fn layout(bits: u8, max_clients: u32) -> Layout {
        Layout::new("test", &GLWE64_N4096, &spec(bits, max_clients)).unwrap()
    }

    #[test]
    fn twelve_bits_of_fifty_clients_lie_three_to_a_coefficient() {
        // 2047 * 50 < 2^17: 18 bits signed; noise 50 * 8 = 400 < 2^9, so a scale of 2^10 leaves exactly 54 bits.
        let plan = layout(12, 50);
        assert_eq!((plan.slots, plan.width_bits, plan.delta_log2, plan.noise_bound), (3, 18, 10, 400));
    }

    #[test]
    fn sixteen_bits_of_five_clients_lie_three_to_a_coefficient() {
        let plan = layout(16, 5);
        assert_eq!((plan.slots, plan.width_bits, plan.delta_log2, plan.noise_bound), (3, 19, 7, 40));
    }

    #[test]
    fn a_tie_in_rounding_costs_a_bit() {
        // 63 * 8 = 504 < 512 but 64 * 8 = 512 is not: the third slot is lost rather than decoded wrongly once in a while.
        assert_eq!((layout(12, 63).slots, layout(12, 64).slots), (3, 2));
    }

    #[test]
    fn the_error_bound_is_always_strictly_below_half_the_scale() {
        for clients in 2..2000 {
            for bits in 2..=24 {
                let plan = layout(bits, clients);
                assert!(plan.noise_bound < 1 << (plan.delta_log2 - 1), "{plan:?}");
                assert!(plan.max_abs_sum < 1 << (plan.width_bits - 1), "{plan:?}");
                assert_eq!(plan.slots * plan.width_bits as usize + plan.delta_log2 as usize, 64);
            }
        }
    }

    #[test]
    fn one_more_party_or_one_more_bit_than_fits_is_refused() {
        // 3 clients: noise 24 < 2^5, so 58 bits are left. (2^31 - 1) * weight * 3 with weight 2^25: 31 + 25 + 2 = 58 with sign.
        let fits = VectorSpec { max_weight: (1 << 25) - 1, ..spec(31, 3) };
        assert_eq!((fits.sum_bits(), Layout::new("test", &GLWE64_N4096, &fits).unwrap().slots), (58, 1));
        let party = VectorSpec { max_clients: 4, ..fits.clone() };
        let bit = VectorSpec { quantizer: quantizer(32), ..fits };
        let refused = |spec: &VectorSpec| match Layout::new("test", &GLWE64_N4096, spec) {
            Err(PlanError::SlotOverflow { need_bits, have_bits, .. }) => (need_bits, have_bits),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&party), (58, 57));
        assert_eq!(refused(&bit), (59, 58));
    }

    #[test]
    fn a_cohort_that_hides_nobody_and_an_empty_vector_are_refused() {
        let alone = Layout::new("test", &GLWE64_N4096, &spec(8, 1));
        assert_eq!(alone, Err(PlanError::CohortTooSmall { scheme: "test", clients: 1, floor: 2 }));
        let empty = VectorSpec { len: 0, ..spec(8, 2) };
        assert_eq!(Layout::new("test", &GLWE64_N4096, &empty), Err(PlanError::Empty));
    }

    #[test]
    fn an_overflow_spills_one_into_the_neighbour_and_nowhere_else() {
        let plan = Layout { slots: 3, width_bits: 18, delta_log2: 10, len: 6, ..layout(12, 50) };
        let mut body = [0_u64; 2];
        // 2^17 is one more than a slot of 18 bits holds: it reads as -2^17 and carries 1 into the next slot.
        plan.add_packed(&[1 << 17, 5, -7, 1, 2, 3], &mut body);
        let messages: Vec<i64> = body.iter().map(|&phase| plan.round(phase).0).collect();
        assert_eq!(plan.unpack(&messages), [-(1 << 17), 6, -7, 1, 2, 3]);
    }

    #[test]
    fn packing_and_unpacking_are_inverse_with_any_error_within_the_bound() {
        let plan = Layout { len: 7, ..layout(12, 50) };
        let edge = plan.max_abs_sum.cast_signed();
        let values = [edge, -edge, edge, -edge, -edge, 0, -1];
        for error in [-400_i64, -1, 0, 399, 400] {
            let mut body = [error.cast_unsigned(); 3];
            plan.add_packed(&values, &mut body);
            let rounded: Vec<(i64, i64)> = body.iter().map(|&phase| plan.round(phase)).collect();
            assert!(rounded.iter().all(|&(_, e)| e == error));
            assert_eq!(plan.unpack(&rounded.iter().map(|r| r.0).collect::<Vec<_>>()), values);
        }
    }
}
