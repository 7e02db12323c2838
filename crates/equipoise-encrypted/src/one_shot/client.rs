//! The platform's side. It keeps nothing between rounds: its key is born and wiped inside one call.

use super::{Public, Upload};
use crate::entropy::CryptoSource;
use crate::mask::MaskStream;
use crate::ring::{Scratch, WideKey};
use crate::sample::{add_cbd8, cbd8};
use equipoise_federated::SumError;
use rayon::prelude::*;
use zeroize::Zeroizing;

/// A platform's state: who it is.
#[derive(Debug)]
pub struct Client {
    pub(super) client: u32,
}

impl Client {
    pub(crate) fn new(client: u32) -> Self {
        Self { client }
    }

    /// Encrypts integers that were checked before, under a key that exists nowhere else and never again.
    pub(crate) fn seal(
        &self,
        public: &Public,
        round: u32,
        weight: u32,
        values: &[i64],
        source: impl CryptoSource,
    ) -> Result<Upload, SumError> {
        let source = source.at("client", u64::from(self.client)).at("round", u64::from(round));
        let coefficients = cbd8(source.at("key", 0), public.params.polynomial_size)?;
        let key = public.ring.wide_key(&coefficients);
        let mask = MaskStream::of_round(&public.params, public.opening.session, round);
        let layout = &public.plan.bodies;
        let (size, per) = (layout.polynomial_size, layout.polynomial_size * layout.slots);
        let mut bodies = vec![0; layout.coefficients()];
        bodies.par_chunks_mut(size).enumerate().try_for_each_init(
            || public.ring.scratch(),
            |scratch, (index, body)| {
                let values = &values[index * per..values.len().min((index + 1) * per)];
                let source = source.at("polynomial", index as u64);
                seal_polynomial(public, (&key, &mask, index), values, body, scratch, source)
            },
        )?;
        let mut message = Zeroizing::new(vec![0; public.plan.key.coefficients()]);
        public.plan.key.add_packed(&coefficients, &mut message);
        let key = public.opening.joint.encrypt(&message, source.at("transport", 0))?;
        let (session, params) = (public.opening.session, public.params.wire_id);
        Ok(Upload { session, params, round, client: self.client, weight, bodies, key })
    }
}

/// One polynomial: error, message, product.
pub(super) fn seal_polynomial(
    public: &Public,
    (key, mask, index): (&WideKey, &MaskStream, usize),
    values: &[i64],
    body: &mut [u64],
    scratch: &mut Scratch,
    source: impl CryptoSource,
) -> Result<(), SumError> {
    // Noise first: a product without it, left behind by a failing entropy call, would give the key away.
    add_cbd8(source, body, &mut scratch.bytes)?;
    public.plan.bodies.add_packed(values, body);
    scratch.mask.fill(0);
    mask.add_polynomial(index, &mut scratch.mask);
    public.ring.multiply_wide(key, scratch);
    for (coefficient, product) in body.iter_mut().zip(scratch.product.iter()) {
        *coefficient = coefficient.wrapping_add(*product);
    }
    Ok(())
}
