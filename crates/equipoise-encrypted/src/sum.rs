//! The server's side: bodies added modulo 2^64, and the members' headers kept for the key holder.
//!
//! The server does *not* expand masks. That keeps its work at memory speed, and it lets the key holder expand the masks
//! of everybody in the claimed cohort, so that nothing but the sum over exactly that cohort opens.

use crate::mask::Header;
use crate::roles::{Public, SessionId};
use crate::wire::Upload;
use equipoise_federated::SumError;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// Coefficients added at a time, so that the running sum stays in the first-level cache.
const TILE: usize = 512;

/// The running encrypted sum of one round.
#[derive(Clone)]
pub struct Accumulator {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) bodies: Vec<u64>,
    /// Header by client, ascending.
    pub(crate) members: BTreeMap<u32, Header>,
}

impl Accumulator {
    pub(crate) fn new(public: &Public, round: u32) -> Self {
        let bodies = vec![0; public.layout.coefficients()];
        Self { session: public.session, round, bodies, members: BTreeMap::new() }
    }

    /// Clients in the sum, ascending.
    #[must_use]
    pub fn clients(&self) -> Vec<u32> {
        self.members.keys().copied().collect()
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = Header> + '_ {
        self.members.values().copied()
    }

    /// Adds one upload.
    ///
    /// # Errors
    /// As [`Accumulator::add_all`].
    pub fn add(&mut self, public: &Public, upload: &Upload) -> Result<(), SumError> {
        self.add_all(public, std::slice::from_ref(upload))
    }

    /// Adds uploads, four to a pass over the running sum: all of them, or none if one is refused.
    ///
    /// # Errors
    /// If an upload is of another session or round, beyond the plan, or of a client that is in the sum already.
    pub fn add_all(&mut self, public: &Public, uploads: &[Upload]) -> Result<(), SumError> {
        for (index, upload) in uploads.iter().enumerate() {
            if let Err(error) = self.admit(public, upload) {
                for admitted in &uploads[..index] {
                    self.members.remove(&admitted.client());
                }
                return Err(error);
            }
        }
        let bodies: Vec<&[u64]> = uploads.iter().map(|upload| upload.bodies.as_slice()).collect();
        add_tiled(&mut self.bodies, &bodies);
        Ok(())
    }

    /// Checks an upload and notes its header; the bodies are added by the caller.
    fn admit(&mut self, public: &Public, upload: &Upload) -> Result<(), SumError> {
        let (round, client) = (self.round, upload.client());
        if upload.header.session != self.session || upload.params != public.params.wire_id {
            return Err(SumError::Malformed(format!(
                "the upload of client {client} belongs to another session"
            )));
        }
        if upload.round() != round {
            return Err(SumError::Round { client, got: upload.round(), want: round });
        }
        if client >= public.spec.max_clients || upload.weight() > public.spec.max_weight {
            return Err(SumError::BeyondPlan { round, client });
        }
        if upload.bodies.len() != self.bodies.len() {
            let (got, want) = (upload.bodies.len() * public.layout.slots, public.layout.len);
            return Err(SumError::Length { round, client, got, want });
        }
        match self.members.entry(client) {
            Entry::Occupied(_) => Err(SumError::Twice { round, client }),
            Entry::Vacant(free) => {
                free.insert(upload.header);
                Ok(())
            }
        }
    }

    /// Binds a share to this very sum: members, their headers and every body.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-23 sum fingerprint v1");
        hasher.update(&self.session.0).update(&self.round.to_le_bytes());
        for header in self.members.values() {
            hasher
                .update(&header.client.to_le_bytes())
                .update(&header.weight.to_le_bytes())
                .update(&header.seed);
        }
        let mut bytes = [0_u8; 8 * TILE];
        for tile in self.bodies.chunks(TILE) {
            for (out, body) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(tile) {
                *out = body.to_le_bytes();
            }
            hasher.update(&bytes[..8 * tile.len()]);
        }
        hasher.finalize().into()
    }
}

/// Words whose sums wrap.
pub(crate) trait Wrapping: Copy {
    fn plus(self, other: Self) -> Self;
}

impl Wrapping for u64 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Wrapping for u128 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

/// Adds vectors of one length to a running sum, four to a pass over each tile.
pub(crate) fn add_tiled<W: Wrapping>(sum: &mut [W], inputs: &[&[W]]) {
    for (index, tile) in sum.chunks_mut(TILE).enumerate() {
        add_tile(tile, inputs, index * TILE);
    }
}

/// Adds the words from `start` of all inputs to one tile.
fn add_tile<W: Wrapping>(tile: &mut [W], inputs: &[&[W]], start: usize) {
    let len = tile.len();
    let mut quads = inputs.chunks_exact(4);
    for quad in &mut quads {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i: usize| &quad[i][start..start + len]);
        for ((((sum, a), b), c), d) in tile.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum = sum.plus(*a).plus(*b).plus(*c).plus(*d);
        }
    }
    for input in quads.remainder() {
        for (sum, word) in tile.iter_mut().zip(&input[start..start + len]) {
            *sum = sum.plus(*word);
        }
    }
}

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accumulator")
            .field("round", &self.round)
            .field("clients", &self.members.keys())
            .finish_non_exhaustive()
    }
}
