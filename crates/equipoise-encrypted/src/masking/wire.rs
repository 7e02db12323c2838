//! The messages of a round, in the order of the paper: advert, parcel, upload, shares. All have a fixed size but the last,
//! whose number of entries is held against the plan before anything is allocated.

use super::agree::Words;
use super::shamir::Share;
use super::{Modulus, Public};
use crate::codec::{FRAME_BYTES, Frame, Reader, put_words};
use crate::roles::SessionId;
use equipoise_federated::{SumError, Wire};
use std::fmt;

const PARAMS: u16 = 3;
/// Bytes before the first masked integer.
pub(super) const UPLOAD_HEADER: usize = FRAME_BYTES + 8;
/// Two shares and a tag.
pub(super) const SEALED_BYTES: usize = 2 * 40 + 32;

fn frame(magic: &[u8; 4], session: SessionId) -> Frame {
    Frame { magic: *magic, params: PARAMS, session }
}

/// What a client publishes before a round: public keys for parcels and masks, and the hash of its own mask's seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) client: u32,
    pub(crate) parcel_key: [u8; 32],
    pub(crate) mask_key: [u8; 32],
    pub(crate) seed_hash: [u8; 32],
}

/// One client's shares for another, sealed under their agreed key.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) sealed: [u8; SEALED_BYTES],
}

/// One client's masked integers.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) client: u32,
    pub(crate) weight: u32,
    pub(crate) words: Words,
}

/// What a client gives back when the server says who is in the sum: of each asked client one share, of its own seed if it is
/// in the sum and of its mask key if it is not.
#[derive(Clone, PartialEq, Eq)]
pub struct Shares {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) client: u32,
    /// By owner, ascending; empty from a client that is not in the sum.
    pub(crate) shares: Vec<(u32, Share)>,
}

impl Advert {
    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = frame(b"EQMA", self.session).start(self.round, 100);
        bytes.extend(self.client.to_le_bytes());
        [self.parcel_key, self.mask_key, self.seed_hash].iter().for_each(|part| bytes.extend(part));
        bytes
    }

    /// Reads an advert of `public`'s session.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length or frame are not what they must be.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let session = public.session;
        let (round, mut reader) = frame(b"EQMA", session).read(bytes, 100)?;
        let client = reader.number();
        let (parcel_key, mask_key, seed_hash) = (reader.take(), reader.take(), reader.take());
        Ok(Self { session, round, client, parcel_key, mask_key, seed_hash })
    }
}

impl Parcel {
    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = frame(b"EQMP", self.session).start(self.round, 8 + SEALED_BYTES);
        bytes.extend(self.from.to_le_bytes());
        bytes.extend(self.to.to_le_bytes());
        bytes.extend(self.sealed);
        bytes
    }

    /// Reads a parcel of `public`'s session.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length or frame are not what they must be.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let session = public.session;
        let (round, mut reader) = frame(b"EQMP", session).read(bytes, 8 + SEALED_BYTES)?;
        let (from, to) = (reader.number(), reader.number());
        Ok(Self { session, round, from, to, sealed: reader.take() })
    }
}

impl Upload {
    /// The platform that sent it.
    #[must_use]
    pub const fn client(&self) -> u32 {
        self.client
    }

    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let payload = usize::try_from(self.wire_bytes()).expect("a message lies in memory");
        let mut bytes = frame(b"EQMU", self.session).start(self.round, payload);
        bytes.extend(self.client.to_le_bytes());
        bytes.extend(self.weight.to_le_bytes());
        match &self.words {
            Words::Narrow(words) => words.iter().for_each(|word| bytes.extend(word.to_le_bytes())),
            Words::Wide(words) => put_words(&mut bytes, words),
        }
        bytes
    }

    /// Reads an upload of `public`'s session. Nothing is allocated before the length and the frame are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length or frame are not what they must be.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let (session, len) = (public.session, public.spec.len);
        let (round, mut reader) = frame(b"EQMU", session).read(bytes, 8 + public.modulus.bytes() * len)?;
        let (client, weight) = (reader.number(), reader.number());
        let words = match public.modulus {
            Modulus::Narrow => Words::Narrow((0..len).map(|_| reader.number()).collect()),
            Modulus::Wide => Words::Wide(reader.words(len)),
        };
        Ok(Self { session, round, client, weight, words })
    }
}

impl Shares {
    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = frame(b"EQMS", self.session).start(self.round, 8 + 44 * self.shares.len());
        bytes.extend(self.client.to_le_bytes());
        bytes.extend(u32::try_from(self.shares.len()).expect("a cohort fits into 32 bits").to_le_bytes());
        for (owner, share) in &self.shares {
            bytes.extend(owner.to_le_bytes());
            put_words(&mut bytes, share);
        }
        bytes
    }

    /// Reads shares of `public`'s session.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length, frame, count or the order of owners are not what they must be.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let malformed = |what: String| Err(SumError::Malformed(what));
        let Some(count) = bytes.get(FRAME_BYTES + 4..FRAME_BYTES + 8) else {
            return malformed(format!("truncated: {} bytes of shares", bytes.len()));
        };
        let count = Reader(count).number();
        if count > public.spec.max_clients {
            return malformed(format!("{count} shares, the plan says at most {}", public.spec.max_clients));
        }
        let session = public.session;
        let (round, mut reader) = frame(b"EQMS", session).read(bytes, 8 + 44 * count as usize)?;
        let client = reader.number();
        reader.number();
        let mut shares: Vec<(u32, Share)> = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let owner = reader.number();
            if shares.last().is_some_and(|(last, _)| *last >= owner) {
                return malformed("the owners of shares ascend".into());
            }
            shares.push((owner, std::array::from_fn(|_| u64::from_le_bytes(reader.take()))));
        }
        Ok(Self { session, round, client, shares })
    }
}

impl Wire for Advert {
    fn wire_bytes(&self) -> u64 {
        FRAME_BYTES as u64 + 100
    }
}

impl Wire for Parcel {
    fn wire_bytes(&self) -> u64 {
        (FRAME_BYTES + 8 + SEALED_BYTES) as u64
    }
}

impl Wire for Upload {
    fn wire_bytes(&self) -> u64 {
        let bytes = match self.words {
            Words::Narrow(_) => 4,
            Words::Wide(_) => 8,
        };
        (UPLOAD_HEADER + bytes * self.words.len()) as u64
    }
}

impl Wire for Shares {
    fn wire_bytes(&self) -> u64 {
        (FRAME_BYTES + 8 + 44 * self.shares.len()) as u64
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("round", &self.round)
            .field("client", &self.client)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares")
            .field("round", &self.round)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
