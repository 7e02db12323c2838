//! What a platform sends: a public header and the bodies of its ciphertexts. Masks travel as a seed. And what the key holder answers.
//!
//! | bytes | field |
//! |---|---|
//! | 4 | magic `EQGL` |
//! | 2 | version, 1 |
//! | 2 | parameter set |
//! | 16 | session |
//! | 4, 4, 4 | round, client, weight |
//! | 32 | mask seed |
//! | 8 | number of bodies |
//! | 8 each | bodies, little-endian, every value valid |
//!
//! Every number is little-endian. The plan fixes the length, so that a reader knows it before it allocates.

use crate::codec::{FRAME_BYTES, Frame, put_words};
use crate::mask::{Header, SEED_BYTES};
use crate::roles::{Public, SessionId};
use equipoise_federated::{SumError, Wire};
use std::fmt;

const MAGIC: [u8; 4] = *b"EQGL";
const SHARE: [u8; 4] = *b"EQGS";
/// Bytes before the first body.
pub(crate) const HEADER_BYTES: usize = FRAME_BYTES + 8 + SEED_BYTES + 8;

/// One platform's protected update.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    pub(crate) params: u16,
    pub(crate) header: Header,
    pub(crate) bodies: Vec<u64>,
}

impl Upload {
    /// The round that it is for.
    #[must_use]
    pub const fn round(&self) -> u32 {
        self.header.round
    }

    /// The platform that sent it.
    #[must_use]
    pub const fn client(&self) -> u32 {
        self.header.client
    }

    /// Its public weight.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.header.weight
    }

    /// The ciphertexts' bodies, as the server sees them.
    #[must_use]
    pub fn bodies(&self) -> &[u64] {
        &self.bodies
    }

    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = &self.header;
        let frame = Frame { magic: MAGIC, params: self.params, session: header.session };
        let mut bytes = frame.start(header.round, HEADER_BYTES - FRAME_BYTES + 8 * self.bodies.len());
        bytes.extend(header.client.to_le_bytes());
        bytes.extend(header.weight.to_le_bytes());
        bytes.extend(header.seed);
        bytes.extend((self.bodies.len() as u64).to_le_bytes());
        put_words(&mut bytes, &self.bodies);
        bytes
    }

    /// Reads a message of `public`'s session. Nothing is allocated before the length and the header are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if the length is not the plan's, or magic, version, parameter set, session or count
    /// differ. Round, client and weight are checked where the upload is added.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let (count, params, session) = (public.layout.coefficients(), public.params.wire_id, public.session);
        let frame = Frame { magic: MAGIC, params, session };
        let (round, mut reader) = frame.read(bytes, HEADER_BYTES - FRAME_BYTES + 8 * count)?;
        let (client, weight, seed) = (reader.number(), reader.number(), reader.take());
        let sent = u64::from_le_bytes(reader.take());
        if sent != count as u64 {
            return Err(SumError::Malformed(format!("{sent} bodies, the plan says {count}")));
        }
        let header = Header { session, round, client, weight, seed };
        Ok(Self { params, header, bodies: reader.words(count) })
    }
}

/// A key holder's answer: the sum's rounded slots, bound to the sum that it answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    pub(crate) params: u16,
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) sum: [u8; 32],
    pub(crate) messages: Vec<i64>,
}

impl Share {
    /// The message's bytes: frame, fingerprint of the sum, rounded coefficients.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let frame = Frame { magic: SHARE, params: self.params, session: self.session };
        let mut bytes = frame.start(self.round, 32 + 8 * self.messages.len());
        bytes.extend(self.sum);
        self.messages.iter().for_each(|message| bytes.extend(message.to_le_bytes()));
        bytes
    }

    /// Reads an answer of `public`'s session. Nothing is allocated before the length and the frame are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length or frame are not what the plan says.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let (count, params, session) = (public.layout.coefficients(), public.params.wire_id, public.session);
        let (round, mut reader) = Frame { magic: SHARE, params, session }.read(bytes, 32 + 8 * count)?;
        let sum = reader.take();
        let messages = reader.words(count).into_iter().map(u64::cast_signed).collect();
        Ok(Self { params, session, round, sum, messages })
    }
}

impl Wire for Share {
    fn wire_bytes(&self) -> u64 {
        (FRAME_BYTES + 32 + 8 * self.messages.len()) as u64
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("round", &self.round).finish_non_exhaustive()
    }
}

impl Wire for Upload {
    fn wire_bytes(&self) -> u64 {
        HEADER_BYTES as u64 + 8 * self.bodies.len() as u64
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("round", &self.header.round)
            .field("client", &self.header.client)
            .field("weight", &self.header.weight)
            .field("bodies", &self.bodies.len())
            .finish_non_exhaustive()
    }
}
