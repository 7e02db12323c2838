//! What everybody of one fusion knows: the plan, the session's name, the common reference of a joint key.

use super::error::FusionError;
use super::noise::fill;
use super::plan::FusionPlan;
use super::ring::Ring64;
use crate::roles::SessionId;
use std::sync::Arc;

/// The public part of one fusion session. Keys, uploads, flags and records carry its identifier.
#[derive(Clone, Debug)]
pub struct FusionPublic {
    pub(crate) plan: Arc<FusionPlan>,
    pub(crate) session: SessionId,
    pub(crate) ring: Arc<Ring64>,
}

impl FusionPublic {
    /// A new session under a fresh identifier.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn new(plan: FusionPlan) -> Result<Self, FusionError> {
        let mut session = SessionId([0; 16]);
        fill(&mut session.0)?;
        Ok(Self::of_session(plan, session))
    }

    /// A session that was begun before.
    pub(crate) fn of_session(plan: FusionPlan, session: SessionId) -> Self {
        let ring = Arc::new(Ring64::new(plan.params.polynomial_size));
        Self { plan: Arc::new(plan), session, ring }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &FusionPlan {
        &self.plan
    }

    /// The session's name.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// A public stream of this session and parameter set.
    fn stream(&self, context: &str, seed: &[u8]) -> blake3::OutputReader {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(&self.plan.params.wire_id.to_le_bytes()).update(&self.session.0).update(seed);
        hasher.finalize_xof()
    }

    /// The uniform polynomial under which all key holders make their contributions.
    pub(crate) fn common_reference(&self) -> Vec<u64> {
        let mut out = vec![0; self.plan.params.polynomial_size];
        self.expand("equipoise-encrypted 2026-11-27 fusion common reference v1", &[], 0, &mut out);
        out
    }

    /// Polynomial `index` of the masks of an upload with this header and seed.
    pub(crate) fn upload_mask(&self, header: &[u8], index: usize, out: &mut [u64]) {
        self.expand("equipoise-encrypted 2026-11-27 fusion upload mask v1", header, index, out);
    }

    fn expand(&self, context: &str, seed: &[u8], index: usize, out: &mut [u64]) {
        let mut stream = self.stream(context, seed);
        stream.set_position(8 * (index * out.len()) as u64);
        let mut bytes = [0_u8; 4096];
        for tile in out.chunks_mut(512) {
            let bytes = &mut bytes[..8 * tile.len()];
            stream.fill(bytes);
            let (words, _) = bytes.as_chunks::<8>();
            tile.iter_mut().zip(words).for_each(|(out, word)| *out = u64::from_le_bytes(*word));
        }
    }
}
