//! The two messages of an opening: what the server asks of a key holder, and what the holder answers.
//!
//! Both carry the session and the round; the request says who is in the sum and with what weight, the answer the fingerprint of the
//! request that it belongs to. Lengths follow from the plan and from the number of clients, which is checked first.

use super::Rules;
use crate::codec::{FRAME_BYTES, Frame, put_wide_words};
use crate::members::Members;
use crate::roles::SessionId;
use equipoise_federated::{SumError, Wire};
use std::fmt;

/// What the server asks of a key holder.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenRequest {
    pub(crate) members: Members,
    pub(crate) c1: Vec<u128>,
}

/// What a key holder answers.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenAnswer {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) holder: u32,
    /// The request that it answers.
    pub(crate) request: [u8; 32],
    pub(crate) words: Vec<u128>,
}

const REQUEST: [u8; 4] = *b"EQOR";
const ANSWER: [u8; 4] = *b"EQOA";

impl OpenRequest {
    /// Binds an answer to this very request.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 open request v1");
        hasher.update(&self.members.hash());
        let mut bytes = [0_u8; 16 * 256];
        for tile in self.c1.chunks(256) {
            for (out, word) in bytes.as_chunks_mut::<16>().0.iter_mut().zip(tile) {
                *out = word.to_le_bytes();
            }
            hasher.update(&bytes[..16 * tile.len()]);
        }
        hasher.finalize().into()
    }

    pub(crate) fn write(&self, params: u16) -> Vec<u8> {
        let frame = Frame { magic: REQUEST, params, session: self.members.session };
        let mut bytes =
            frame.start(self.members.round, 4 + 8 * self.members.weights.len() + 16 * self.c1.len());
        bytes.extend(self.members.count().to_le_bytes());
        for (client, weight) in &self.members.weights {
            bytes.extend(client.to_le_bytes());
            bytes.extend(weight.to_le_bytes());
        }
        put_wide_words(&mut bytes, &self.c1);
        bytes
    }

    /// Reads a request. The number of clients is read from its place before anything is allocated, and held against the
    /// plan and the length.
    pub(crate) fn read(
        bytes: &[u8],
        (params, session): (u16, SessionId),
        size: usize,
        rules: &Rules,
    ) -> Result<Self, SumError> {
        let malformed = |what: String| Err(SumError::Malformed(what));
        let Some(count) = bytes.get(FRAME_BYTES..FRAME_BYTES + 4) else {
            return malformed(format!("truncated: {} bytes of a request", bytes.len()));
        };
        let count = u32::from_le_bytes(count.try_into().expect("four bytes"));
        if count > rules.max_clients {
            return malformed(format!("{count} clients, the plan says at most {}", rules.max_clients));
        }
        let words = size * rules.answers.div_ceil(size);
        let frame = Frame { magic: REQUEST, params, session };
        let (round, mut reader) = frame.read(bytes, 4 + 8 * count as usize + 16 * words)?;
        reader.number();
        let mut members = Members::new(session, round);
        for _ in 0..count {
            let (client, weight) = (reader.number(), reader.number());
            if members.weights.last_key_value().is_some_and(|(last, _)| *last >= client) {
                return malformed("the clients of a request ascend".into());
            }
            members.weights.insert(client, weight);
        }
        Ok(Self { members, c1: reader.wide_words(words) })
    }
}

impl OpenAnswer {
    pub(crate) fn write(&self, params: u16) -> Vec<u8> {
        let frame = Frame { magic: ANSWER, params, session: self.session };
        let mut bytes = frame.start(self.round, 36 + 16 * self.words.len());
        bytes.extend(self.holder.to_le_bytes());
        bytes.extend(self.request);
        put_wide_words(&mut bytes, &self.words);
        bytes
    }

    pub(crate) fn read(
        bytes: &[u8],
        (params, session): (u16, SessionId),
        rules: &Rules,
    ) -> Result<Self, SumError> {
        let frame = Frame { magic: ANSWER, params, session };
        let (round, mut reader) = frame.read(bytes, 36 + 16 * rules.answers)?;
        let (holder, request) = (reader.number(), reader.take());
        Ok(Self { session, round, holder, request, words: reader.wide_words(rules.answers) })
    }
}

impl Wire for OpenRequest {
    fn wire_bytes(&self) -> u64 {
        (FRAME_BYTES + 4 + 8 * self.members.weights.len() + 16 * self.c1.len()) as u64
    }
}

impl Wire for OpenAnswer {
    fn wire_bytes(&self) -> u64 {
        (FRAME_BYTES + 36 + 16 * self.words.len()) as u64
    }
}

impl fmt::Debug for OpenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenRequest").field("members", &self.members).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAnswer")
            .field("round", &self.round)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}
