//! The opening: first the sum of keys, then the sum of updates. Anybody who has the answers can do it.
//!
//! Honest sums cannot fail: the plan keeps both errors below half a step. What exceeds the plan is therefore not a sum of
//! honest uploads under one joint key, and is an error, never a wrong sum.

use super::{Accumulator, Public};
use crate::mask::MaskStream;
use crate::opening::OpenAnswer;
use crate::sample::CBD8_BOUND;
use equipoise_federated::{IntSum, SumError};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// The sum of the round's keys.
pub(super) fn open_keys(
    public: &Public,
    sum: &Accumulator,
    answers: &[OpenAnswer],
) -> Result<Zeroizing<Vec<i64>>, SumError> {
    let mut phases = Zeroizing::new(sum.c0.clone());
    public.opening.combine(&sum.request(), answers, &mut phases)?;
    let (keys, error) = public.plan.key.unpack(&phases);
    let keys = Zeroizing::new(keys);
    let bound = CBD8_BOUND * u64::from(sum.members.count());
    if error > public.plan.key.noise_bound || keys.iter().any(|key| key.unsigned_abs() > bound) {
        return Err(SumError::Malformed("the sum of keys does not open: not a sum of this session".into()));
    }
    Ok(keys)
}

pub(super) fn open(public: &Public, sum: &Accumulator, answers: &[OpenAnswer]) -> Result<IntSum, SumError> {
    let key = public.ring.wide_key(&open_keys(public, sum, answers)?);
    let mask = MaskStream::of_round(&public.params, public.opening.session, sum.members.round);
    let layout = &public.plan.bodies;
    let mut messages = vec![0_i64; sum.bodies.len()];
    let largest = messages
        .par_chunks_mut(layout.polynomial_size)
        .zip(sum.bodies.par_chunks(layout.polynomial_size))
        .enumerate()
        .map_init(
            || public.ring.scratch(),
            |scratch, (index, (out, bodies))| {
                scratch.mask.fill(0);
                mask.add_polynomial(index, &mut scratch.mask);
                public.ring.multiply_wide(&key, scratch);
                let mut largest = 0;
                for ((message, body), product) in out.iter_mut().zip(bodies).zip(scratch.product.iter()) {
                    let (rounded, error) = layout.round(body.wrapping_sub(*product));
                    *message = rounded;
                    largest = largest.max(error.unsigned_abs());
                }
                largest
            },
        )
        .max()
        .unwrap_or(0);
    if largest > CBD8_BOUND * u64::from(sum.members.count()) {
        return Err(SumError::Malformed("the sum of updates does not open under the sum of keys".into()));
    }
    let values = layout.unpack(&messages);
    if values.iter().any(|value| value.unsigned_abs() > layout.max_abs_sum) {
        return Err(SumError::Malformed("a slot of the opened sum is beyond the plan".into()));
    }
    Ok(IntSum { values, weight: sum.members.weight(), clients: sum.members.count() })
}
