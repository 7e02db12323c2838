//! Integers in coefficients of 128 bits under the joint key: as many to one as smudging leaves room for. Rounding is exact as
//! long as the largest error stays below half a step, which the layout keeps for every sum that the plan admits.

use crate::joint::JointParams;
use crate::smudge::{Crowd, Smudging, noise_bound, smudge_log2};
use equipoise_federated::PlanError;

/// Integers in 128-bit coefficients, and what stands above and below them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout128 {
    /// Integers in one message.
    pub len: usize,
    /// Integers in one coefficient.
    pub slots: usize,
    /// Bits of one signed slot.
    pub width_bits: u32,
    /// The message is scaled by two to this power.
    pub delta_log2: u32,
    /// Each holder's smudge is uniform up to two to this power.
    pub smudge_log2: u32,
    /// The largest absolute error of a full, smudged sum.
    pub noise_bound: u128,
    /// Bits of a coefficient that no slot uses.
    pub bits_left: u32,
}

impl Layout128 {
    /// Lays out `len` integers whose sums need `need_bits` with sign, as many to a coefficient as fit.
    ///
    /// # Errors
    /// If smudging leaves too few bits for one.
    pub(crate) fn new(
        scheme: &'static str,
        params: &JointParams,
        crowd: Crowd,
        smudging: Smudging,
        (len, need_bits): (usize, u32),
    ) -> Result<Self, PlanError> {
        let (mut have, mut smudge) = (0, 0);
        for slots in (1..=(128 / need_bits.max(1)).max(1)).rev() {
            smudge = smudge_log2(params, crowd, smudging, len.div_ceil(slots as usize));
            // Far beyond what fits, and the bound itself would overflow.
            if smudge > 120 {
                have = 0;
                continue;
            }
            let noise_bound = noise_bound(params, crowd) + (u128::from(crowd.holders) << smudge);
            have = 128 - (noise_bound.ilog2() + 2).min(128);
            if have >= slots * need_bits {
                return Ok(Self {
                    len,
                    slots: slots as usize,
                    width_bits: need_bits,
                    delta_log2: 128 - slots * need_bits,
                    smudge_log2: smudge,
                    noise_bound,
                    bits_left: have - slots * need_bits,
                });
            }
        }
        Err(PlanError::SmudgingTooLarge {
            scheme,
            need_bits,
            have_bits: have,
            missing_bits: need_bits - have,
            smudge_log2: smudge,
        })
    }

    /// Coefficients that a message uses.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        self.len.div_ceil(self.slots)
    }

    /// Packs integers into scaled coefficients, added to what `out` holds.
    pub(crate) fn add_packed(&self, values: &[i64], out: &mut [u128]) {
        debug_assert_eq!(values.len().div_ceil(self.slots), out.len());
        for (coefficient, slots) in out.iter_mut().zip(values.chunks(self.slots)) {
            let message = slots.iter().rev().fold(0_u128, |high, value| {
                high.checked_shl(self.width_bits)
                    .unwrap_or(0)
                    .wrapping_add(i128::from(*value).cast_unsigned())
            });
            *coefficient = coefficient.wrapping_add(message << self.delta_log2);
        }
    }

    /// Rounds phases and takes the slots apart; also the largest absolute error that rounding removed.
    pub(crate) fn unpack(&self, phases: &[u128]) -> (Vec<i64>, u128) {
        let mut values = Vec::with_capacity(phases.len() * self.slots);
        let mut largest = 0;
        let shift = 128 - self.width_bits;
        for &phase in phases {
            let mut rest = phase.wrapping_add(1 << (self.delta_log2 - 1)).cast_signed() >> self.delta_log2;
            let error = phase.wrapping_sub(rest.cast_unsigned() << self.delta_log2).cast_signed();
            largest = largest.max(error.unsigned_abs());
            for _ in 0..self.slots {
                let low = (rest << shift) >> shift;
                values.push(i64::try_from(low).expect("the plan keeps a slot within 64 bits"));
                rest = rest.wrapping_sub(low) >> self.width_bits;
            }
        }
        values.truncate(self.len);
        (values, largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joint::JOINT128_N4096;

    const TOTAL: Smudging = Smudging::Total { rounds: 1000 };
    const EACH: Smudging = Smudging::PerCoefficient {};

    fn crowd(clients: u32, holders: u32) -> Crowd {
        Crowd { clients, holders }
    }

    #[test]
    fn the_largest_error_is_always_strictly_below_half_a_step() {
        for clients in 2..200 {
            for holders in 2..=5 {
                for need in [5, 10, 11, 19] {
                    for smudging in [TOTAL, EACH] {
                        let crowd = crowd(clients, holders);
                        let Ok(plan) = Layout128::new("test", &JOINT128_N4096, crowd, smudging, (4096, need))
                        else {
                            panic!("{clients} {holders} {need}")
                        };
                        assert!(plan.noise_bound < 1 << (plan.delta_log2 - 1), "{plan:?}");
                        assert_eq!(plan.slots * need as usize + plan.delta_log2 as usize, 128);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_said_in_bits() {
        let plan = |need| Layout128::new("test", &JOINT128_N4096, crowd(5, 3), TOTAL, (100_000, need));
        let fits = (1..60).rev().find(|&need| plan(need).is_ok()).unwrap();
        let Err(PlanError::SmudgingTooLarge { need_bits, have_bits, missing_bits, .. }) = plan(fits + 4)
        else {
            panic!("four bits too many are refused")
        };
        assert_eq!((need_bits, have_bits, missing_bits), (fits + 4, fits, 4));
    }

    #[test]
    fn packing_and_unpacking_are_inverse_with_any_error_within_the_bound() {
        let plan = Layout128::new("test", &JOINT128_N4096, crowd(50, 3), TOTAL, (7, 10)).unwrap();
        let values = [400, -400, 0, -1, 399, -400, 5];
        let edge = plan.noise_bound.cast_signed();
        for error in [-edge, -1, 0, 1, edge] {
            let mut out = vec![error.cast_unsigned(); plan.coefficients()];
            plan.add_packed(&values, &mut out);
            assert_eq!(plan.unpack(&out), (values.to_vec(), error.unsigned_abs()));
        }
    }
}
