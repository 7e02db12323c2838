//! `shared-key-glwe`: packed GLWE additions under one secret key that all platforms hold.
//!
//! A platform packs its integers into coefficients (`layout`), and sends `b = a s + e + 2^d m` with a fresh public mask
//! `a`, expanded from a seed, and a bounded error `e`. The server adds bodies. The key holder subtracts `(sum of a) s`
//! and rounds: exact, always (the proof stands in `layout`). Follows tfhe-rs' GLWE encryption; tests open our
//! ciphertexts with tfhe and tfhe's with ours.
//!
//! Not promised: anything against a server that knows one platform's key, or against dishonest updates. Use it as the
//! baseline that it is, and write [`LeakageProfile::headline`] wherever its cost is written.

use crate::entropy::{CryptoSource, SystemSource};
use crate::layout::Layout;
use crate::mask::{Header, MaskStream, SEED_BYTES};
use crate::noise::add_noise;
use crate::params::{GLWE64_N4096, GlweParams};
use crate::ring::{Ring, Scratch};
use crate::roles::{KeyHolder, PlatformKey, Public, SessionId};
use crate::sum::Accumulator;
use crate::wire::{HEADER_BYTES, Share, Upload};
use equipoise_federated::LeakageProfile;
use equipoise_federated::check_update;
use equipoise_federated::{
    CohortRecord, IntSum, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError, VectorSpec,
};
use equipoise_privacy::OutgoingUpdate;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAME: &str = "shared-key-glwe";

/// The scheme. Stateless: keys are made by [`SecureSum::setup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedKeyGlwe<S = SystemSource> {
    params: GlweParams,
    stock_products: bool,
    source: S,
}

impl Default for SharedKeyGlwe {
    fn default() -> Self {
        Self { params: GLWE64_N4096, stock_products: false, source: SystemSource }
    }
}

impl SharedKeyGlwe {
    /// The same scheme on tfhe's own (Karatsuba) products: the slow, obvious peer to measure and test against.
    #[must_use]
    pub fn with_stock_products() -> Self {
        Self { stock_products: true, ..Self::default() }
    }
}

impl<S: CryptoSource> SharedKeyGlwe<S> {
    /// The same scheme on another source of randomness.
    #[must_use]
    pub fn on<T: CryptoSource>(self, source: T) -> SharedKeyGlwe<T> {
        SharedKeyGlwe { params: self.params, stock_products: self.stock_products, source }
    }

    /// The parameter set.
    #[must_use]
    pub const fn params(&self) -> &GlweParams {
        &self.params
    }

    /// [`SecureSum::setup`] on a layout made elsewhere: tests bypass the plan to show that its bounds are real.
    pub(crate) fn setup_with(&self, spec: &VectorSpec, layout: Layout) -> Result<SetupOf<Self>, SumError> {
        let size = self.params.polynomial_size;
        let ring = if self.stock_products { Ring::karatsuba(size) } else { Ring::new(size) };
        let mut session = SessionId([0; 16]);
        self.source.at("session", 0).fill(&mut session.0)?;
        let key = Arc::new(ring.new_key(self.source.at("key", 0))?);
        let clients =
            (0..spec.max_clients).map(|client| PlatformKey { client, key: Arc::clone(&key) }).collect();
        let plan = layout.plan(HEADER_BYTES);
        let public = Public { params: self.params, spec: spec.clone(), plan, layout, session, ring };
        Ok(Setup { public, clients, holders: vec![KeyHolder { key, opened: BTreeMap::new() }] })
    }
}

impl PlatformKey {
    /// Encrypts integers that were checked before. The mask seed is drawn here and cannot be passed in: under the system's
    /// entropy no seed is used twice under a key.
    pub(crate) fn seal_on(
        &self,
        public: &Public,
        round: u32,
        weight: u32,
        values: &[i64],
        source: impl CryptoSource,
    ) -> Result<Upload, SumError> {
        let source = source.at("client", u64::from(self.client)).at("round", u64::from(round));
        let mut seed = [0; SEED_BYTES];
        source.at("seed", 0).fill(&mut seed)?;
        let header = Header { session: public.session, round, client: self.client, weight, seed };
        let mask = MaskStream::new(&public.params, &header);
        let mut bodies = vec![0; public.layout.coefficients()];
        bodies.par_chunks_mut(public.layout.polynomial_size).enumerate().try_for_each_init(
            || public.ring.scratch(),
            |scratch, (index, body)| {
                let values = public.piece(values, index, public.layout.slots);
                let source = source.at("polynomial", index as u64);
                self.seal_polynomial(public, (&mask, index), values, body, scratch, source)
            },
        )?;
        Ok(Upload { params: public.params.wire_id, header, bodies })
    }

    #[cfg(test)]
    pub(crate) fn seal(
        &self,
        public: &Public,
        round: u32,
        weight: u32,
        values: &[i64],
    ) -> Result<Upload, SumError> {
        self.seal_on(public, round, weight, values, SystemSource)
    }

    pub(crate) fn seal_polynomial(
        &self,
        public: &Public,
        (mask, index): (&MaskStream, usize),
        values: &[i64],
        body: &mut [u64],
        scratch: &mut Scratch,
        source: impl CryptoSource,
    ) -> Result<(), SumError> {
        // Noise first: a product without it, left behind by a failing entropy call, would give the key away.
        add_noise(source, public.params.noise(), body, &mut scratch.bytes)?;
        public.layout.add_packed(values, body);
        scratch.mask.fill(0);
        mask.add_polynomial(index, &mut scratch.mask);
        public.ring.multiply(&self.key, scratch);
        for (coefficient, product) in body.iter_mut().zip(scratch.product.iter()) {
            *coefficient = coefficient.wrapping_add(*product);
        }
        Ok(())
    }
}

impl<S: CryptoSource> SecureSum for SharedKeyGlwe<S> {
    type Public = Public;
    type Client = PlatformKey;
    type Holder = KeyHolder;
    type Upload = Upload;
    type Accumulator = Accumulator;
    type Share = Share;

    fn name(&self) -> &'static str {
        NAME
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        Ok(Layout::new(NAME, &self.params, spec)?.plan(HEADER_BYTES))
    }

    fn setup(&self, spec: &VectorSpec) -> Result<SetupOf<Self>, SumError> {
        self.setup_with(spec, Layout::new(NAME, &self.params, spec)?)
    }

    fn protect(
        &self,
        public: &Public,
        client: &mut PlatformKey,
        update: &OutgoingUpdate,
    ) -> Result<Upload, SumError> {
        check_update(&public.spec, update)?;
        crate::members::check_client(client.client, update)?;
        client.seal_on(public, update.round(), update.weight(), update.values(), self.source)
    }

    fn empty(&self, public: &Public, round: u32) -> Accumulator {
        Accumulator::new(public, round)
    }

    fn accumulate(&self, public: &Public, sum: &mut Accumulator, upload: &Upload) -> Result<(), SumError> {
        sum.add(public, upload)
    }

    fn partial_open(
        &self,
        public: &Public,
        holder: &mut KeyHolder,
        sum: &Accumulator,
        cohort: &CohortRecord,
    ) -> Result<Share, SumError> {
        holder.open_round(public, sum, cohort)
    }

    fn open(&self, public: &Public, sum: Accumulator, shares: &[Share]) -> Result<IntSum, SumError> {
        let [share] = shares else {
            return Err(SumError::Malformed(format!(
                "{} shares, this scheme has one key holder",
                shares.len()
            )));
        };
        if share.sum != sum.fingerprint() || share.messages.len() != sum.bodies.len() {
            return Err(SumError::Malformed("the share does not belong to this sum".into()));
        }
        let values = public.layout.unpack(&share.messages);
        // Only a platform that broke the protocol gets here: honest sums are within the bound by the plan.
        if values.iter().any(|value| value.unsigned_abs() > public.layout.max_abs_sum) {
            return Err(SumError::Malformed("a slot of the opened sum is beyond the plan".into()));
        }
        let weight = sum.headers().map(|header| u64::from(header.weight)).sum();
        let clients = u32::try_from(sum.members.len()).expect("a cohort fits into 32 bits");
        Ok(IntSum { values, weight, clients })
    }

    fn leakage(&self) -> LeakageProfile {
        LeakageProfile::new(
            NAME,
            &S::headline(
                "Shared-key baseline: the server together with any one platform reads every update.",
            ),
            &[
                ("server", "sizes, weights and who took part in which round; the opened sum", false),
                (
                    "server with one platform",
                    "every platform's update of every round: one key opens them all",
                    true,
                ),
                ("platform", "the broadcast model only", false),
                ("platform that sees the wire", "every platform's update of every round", true),
                ("key holder", "every round's sum, and who took part", false),
                ("server with the key holder", "every platform's update of every round", true),
            ],
        )
    }
}
