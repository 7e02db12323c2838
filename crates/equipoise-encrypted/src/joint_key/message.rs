//! What a platform sends: frame, client, weight, first polynomials (the last one cut), second polynomials.

use super::{HEADER_BYTES, Public, polynomials};
use crate::codec::{Frame, put_wide_words};
use crate::entropy::CryptoSource;
use crate::joint::{Ciphertext, JOINT128_N4096};
use crate::roles::SessionId;
use equipoise_federated::{SumError, Wire};
use rayon::prelude::*;
use std::fmt;
use zeroize::Zeroizing;

const MAGIC: [u8; 4] = *b"EQJU";

/// A platform's state: who it is.
#[derive(Debug)]
pub struct Client {
    pub(super) client: u32,
}

/// One platform's protected update.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) client: u32,
    pub(crate) weight: u32,
    pub(crate) c0: Vec<u128>,
    pub(crate) c1: Vec<u128>,
}

impl Client {
    pub(crate) fn seal(
        &self,
        public: &Public,
        round: u32,
        weight: u32,
        values: &[i64],
        source: impl CryptoSource,
    ) -> Result<Upload, SumError> {
        let source = source.at("client", u64::from(self.client)).at("round", u64::from(round));
        let mut message = Zeroizing::new(vec![0; public.layout.coefficients()]);
        public.layout.add_packed(values, &mut message);
        let size = public.opening.joint.ring.size();
        let parts: Vec<Ciphertext> = message
            .par_chunks(size)
            .enumerate()
            .map(|(index, part)| public.opening.joint.encrypt(part, source.at("polynomial", index as u64)))
            .collect::<Result<_, _>>()?;
        let mut upload = Upload {
            session: public.opening.session,
            round,
            client: self.client,
            weight,
            c0: Vec::with_capacity(message.len()),
            c1: Vec::with_capacity(parts.len() * size),
        };
        for part in parts {
            upload.c0.extend(part.c0);
            upload.c1.extend(part.c1);
        }
        Ok(upload)
    }
}

impl Upload {
    fn frame(session: SessionId) -> Frame {
        Frame { magic: MAGIC, params: JOINT128_N4096.wire_id, session }
    }

    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let payload = 8 + 16 * (self.c0.len() + self.c1.len());
        let mut bytes = Self::frame(self.session).start(self.round, payload);
        bytes.extend(self.client.to_le_bytes());
        bytes.extend(self.weight.to_le_bytes());
        put_wide_words(&mut bytes, &self.c0);
        put_wide_words(&mut bytes, &self.c1);
        bytes
    }

    /// Reads a message of `public`'s session. Nothing is allocated before the length and the frame are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length, magic, version, parameter set or session differ.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let c0 = public.layout.coefficients();
        let c1 = polynomials(&public.layout) * public.opening.joint.ring.size();
        let (round, mut reader) = Self::frame(public.opening.session).read(bytes, 8 + 16 * (c0 + c1))?;
        let (client, weight) = (reader.number(), reader.number());
        let (c0, c1) = (reader.wide_words(c0), reader.wide_words(c1));
        Ok(Self { session: public.opening.session, round, client, weight, c0, c1 })
    }
}

impl Wire for Upload {
    fn wire_bytes(&self) -> u64 {
        (HEADER_BYTES + 16 * (self.c0.len() + self.c1.len())) as u64
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("round", &self.round)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
