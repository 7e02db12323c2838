//! The parties' states. What a type cannot do is the point: no secret here can be cloned, serialised or printed.

use crate::layout::{COHORT_FLOOR, Layout};
use crate::mask::{Header, MaskStream};
use crate::params::GlweParams;
use crate::ring::{BinaryKey, Ring, Scratch};
use crate::sum::Accumulator;
use crate::wire::Share;
use equipoise_federated::{CohortRecord, SlotPlan, SumError, VectorSpec};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names one setup; every message carries it, so that messages of two setups cannot be mixed. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(pub(crate) [u8; 16]);

impl SessionId {
    /// The identifier's bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What everybody knows.
#[derive(Debug)]
pub struct Public {
    pub(crate) params: GlweParams,
    pub(crate) spec: VectorSpec,
    pub(crate) plan: SlotPlan,
    pub(crate) layout: Layout,
    pub(crate) session: SessionId,
    pub(crate) ring: Ring,
}

impl Public {
    /// The parameter set.
    #[must_use]
    pub const fn params(&self) -> &GlweParams {
        &self.params
    }

    /// What is summed.
    #[must_use]
    pub const fn spec(&self) -> &VectorSpec {
        &self.spec
    }

    /// How it is laid out.
    #[must_use]
    pub const fn plan(&self) -> &SlotPlan {
        &self.plan
    }

    /// Where every integer lies.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The setup's name.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The slice of `all` that polynomial `index` carries, `per` items to a coefficient.
    pub(crate) fn piece<'a, T>(&self, all: &'a [T], index: usize, per: usize) -> &'a [T] {
        let size = self.layout.polynomial_size * per;
        &all[index * size..all.len().min((index + 1) * size)]
    }
}

/// A platform's key. Every platform of a session holds the *same* secret: any of them opens every upload.
#[derive(Debug)]
pub struct PlatformKey {
    pub(crate) client: u32,
    pub(crate) key: Arc<BinaryKey>,
}

/// The party that opens sums: it holds the shared secret and remembers what it opened.
///
/// It expands the masks itself, from the seeds of *all* members of the cohort. A server that passes a single upload off
/// as a sum therefore gets noise, which the holder refuses, and not that upload. The record lives as long as the key: a
/// key that cannot be written down cannot come back without its record.
#[derive(Debug)]
pub struct KeyHolder {
    pub(crate) key: Arc<BinaryKey>,
    /// Fingerprint of the one cohort of every opened round.
    pub(crate) opened: BTreeMap<u32, blake3::Hash>,
}

impl KeyHolder {
    /// Opens the sum of a round, once and for one cohort. Returns rounded slots, never the noisy phase, which would
    /// give the key away (IND-CPA^D).
    ///
    /// # Errors
    /// If the round was opened before, the cohort is below the floor or is not the one in the sum, or the sum carries
    /// more noise than its members can have brought.
    pub fn open_round(
        &mut self,
        public: &Public,
        sum: &Accumulator,
        cohort: &CohortRecord,
    ) -> Result<Share, SumError> {
        self.check(public, sum, cohort)?;
        // The record comes first: a failure later must not leave a round that can be asked for twice.
        self.opened.insert(cohort.round, fingerprint(&cohort.clients));
        let messages = self.rounded_messages(public, sum)?;
        let (params, session, round) = (public.params.wire_id, public.session, sum.round);
        Ok(Share { params, session, round, sum: sum.fingerprint(), messages })
    }

    fn check(&self, public: &Public, sum: &Accumulator, cohort: &CohortRecord) -> Result<(), SumError> {
        let round = cohort.round;
        let refuse = |reason: &str| Err(SumError::Refused { round, reason: reason.into() });
        if sum.session != public.session {
            return refuse("the sum belongs to another session");
        }
        if sum.round != round {
            return refuse("the sum belongs to another round than the cohort");
        }
        if !sum.members.keys().eq(&cohort.clients) {
            return refuse("the cohort is not the one in the sum");
        }
        if cohort.clients.len() < COHORT_FLOOR as usize {
            return refuse("the cohort is too small to hide anybody");
        }
        match self.opened.get(&round) {
            Some(opened) if *opened == fingerprint(&cohort.clients) => refuse("the round was opened before"),
            Some(_) => refuse("the round was opened for another cohort"),
            None => Ok(()),
        }
    }

    fn rounded_messages(&self, public: &Public, sum: &Accumulator) -> Result<Vec<i64>, SumError> {
        let masks: Vec<MaskStream> =
            sum.headers().map(|header: Header| MaskStream::new(&public.params, &header)).collect();
        let bound = masks.len() as u64 * public.params.noise_bound();
        let mut messages = vec![0_i64; sum.bodies.len()];
        let largest = messages
            .par_chunks_mut(public.layout.polynomial_size)
            .enumerate()
            .map_init(
                || public.ring.scratch(),
                |scratch, (index, out)| {
                    self.open_polynomial(
                        public,
                        &masks,
                        public.piece(&sum.bodies, index, 1),
                        index,
                        out,
                        scratch,
                    )
                },
            )
            .max()
            .unwrap_or(0);
        if largest > bound {
            let reason = "its noise is beyond what the cohort's uploads can have brought: not a sum of them";
            return Err(SumError::Refused { round: sum.round, reason: reason.into() });
        }
        Ok(messages)
    }

    /// Writes the rounded messages of one polynomial; returns the largest absolute error that rounding removed.
    fn open_polynomial(
        &self,
        public: &Public,
        masks: &[MaskStream],
        body: &[u64],
        index: usize,
        out: &mut [i64],
        scratch: &mut Scratch,
    ) -> u64 {
        scratch.mask.fill(0);
        for mask in masks {
            mask.add_polynomial(index, &mut scratch.mask);
        }
        public.ring.multiply(&self.key, scratch);
        let mut largest = 0;
        for ((message, body), product) in out.iter_mut().zip(body).zip(scratch.product.iter()) {
            let (rounded, error) = public.layout.round(body.wrapping_sub(*product));
            *message = rounded;
            largest = largest.max(error.unsigned_abs());
        }
        largest
    }
}

fn fingerprint(clients: &[u32]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    clients.iter().for_each(|client| {
        hasher.update(&client.to_le_bytes());
    });
    hasher.finalize()
}
