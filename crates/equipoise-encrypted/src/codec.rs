//! The frame of every message: magic, version, parameter set, session, round. All numbers are little-endian.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | magic, one for each kind of message |
//! | 2 | version, 1 |
//! | 2 | parameter set |
//! | 16 | session |
//! | 4 | round |
//!
//! What follows is of a length that the plan fixes, so that a reader knows it before it allocates.

use crate::roles::SessionId;
use equipoise_federated::SumError;

const VERSION: u16 = 1;
/// Bytes of the frame.
pub(crate) const FRAME_BYTES: usize = 4 + 2 + 2 + 16 + 4;

/// What a reader expects of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) magic: [u8; 4],
    pub(crate) params: u16,
    pub(crate) session: SessionId,
}

impl Frame {
    /// Starts a message of `payload` bytes after the frame.
    pub(crate) fn start(&self, round: u32, payload: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FRAME_BYTES + payload);
        bytes.extend(self.magic);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.params.to_le_bytes());
        bytes.extend(self.session.0);
        bytes.extend(round.to_le_bytes());
        bytes
    }

    /// Checks length and frame; returns the round and what follows.
    pub(crate) fn read<'a>(&self, bytes: &'a [u8], payload: usize) -> Result<(u32, Reader<'a>), SumError> {
        let malformed = |what: String| Err(SumError::Malformed(what));
        let want = FRAME_BYTES + payload;
        if bytes.len() != want {
            let what = if bytes.len() < want { "truncated" } else { "too long" };
            return malformed(format!("{what}: {} bytes, the plan says {want}", bytes.len()));
        }
        let mut reader = Reader(bytes);
        if reader.take() != self.magic {
            return malformed("another kind of message: wrong magic".into());
        }
        let version = u16::from_le_bytes(reader.take());
        if version != VERSION {
            return malformed(format!("version {version}, this reader knows {VERSION}"));
        }
        let params = u16::from_le_bytes(reader.take());
        if params != self.params {
            return malformed(format!("parameter set {params}, the session uses {}", self.params));
        }
        if reader.take() != self.session.0 {
            return malformed("another session".into());
        }
        Ok((u32::from_le_bytes(reader.take()), reader))
    }
}

/// Takes fields off the front; the length was checked before.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl Reader<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the length was checked before the fields");
        self.0 = rest;
        *field
    }

    pub(crate) fn number(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    /// Words of eight bytes.
    pub(crate) fn words(&mut self, count: usize) -> Vec<u64> {
        (0..count).map(|_| u64::from_le_bytes(self.take())).collect()
    }

    /// Words of sixteen bytes.
    pub(crate) fn wide_words(&mut self, count: usize) -> Vec<u128> {
        (0..count).map(|_| u128::from_le_bytes(self.take())).collect()
    }
}

/// Writes words of eight bytes.
pub(crate) fn put_words(bytes: &mut Vec<u8>, words: &[u64]) {
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
}

/// Writes words of sixteen bytes.
pub(crate) fn put_wide_words(bytes: &mut Vec<u8>, words: &[u128]) {
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
}
