//! What a platform sends: frame, client, weight, bodies, and the key part (`c0` cut to the coefficients that carry the key,
//! then `c1` whole). Every count is the plan's, so that none travels.

use super::{Public, UPLOAD_HEADER};
use crate::codec::{Frame, put_wide_words, put_words};
use crate::joint::Ciphertext;
use crate::roles::SessionId;
use equipoise_federated::{SumError, Wire};
use std::fmt;

const MAGIC: [u8; 4] = *b"EQOS";
/// Bytes before the first body.
pub(super) const HEADER_BYTES: usize = UPLOAD_HEADER;

/// One platform's protected update.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    pub(crate) session: SessionId,
    pub(crate) params: u16,
    pub(crate) round: u32,
    pub(crate) client: u32,
    pub(crate) weight: u32,
    pub(crate) bodies: Vec<u64>,
    pub(crate) key: Ciphertext,
}

impl Upload {
    /// The round that it is for.
    #[must_use]
    pub const fn round(&self) -> u32 {
        self.round
    }

    /// The platform that sent it.
    #[must_use]
    pub const fn client(&self) -> u32 {
        self.client
    }

    /// Its public weight.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// The ciphertexts' bodies, as the server sees them.
    #[must_use]
    pub fn bodies(&self) -> &[u64] {
        &self.bodies
    }

    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let frame = Frame { magic: MAGIC, params: self.params, session: self.session };
        let payload = usize::try_from(self.wire_bytes()).expect("a message lies in memory");
        let mut bytes = frame.start(self.round, payload);
        bytes.extend(self.client.to_le_bytes());
        bytes.extend(self.weight.to_le_bytes());
        put_words(&mut bytes, &self.bodies);
        put_wide_words(&mut bytes, &self.key.c0);
        put_wide_words(&mut bytes, &self.key.c1);
        bytes
    }

    /// Reads a message of `public`'s session. Nothing is allocated before the length and the frame are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length, magic, version, parameter set or session differ. Round, client and weight are
    /// checked where the upload is added.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let (session, params) = (public.opening.session, public.params.wire_id);
        let (bodies, c0) = (public.plan.bodies.coefficients(), public.plan.key.coefficients());
        let c1 = public.opening.joint.params.polynomial_size;
        let frame = Frame { magic: MAGIC, params, session };
        let (round, mut reader) = frame.read(bytes, 8 + 8 * bodies + 16 * (c0 + c1))?;
        let (client, weight) = (reader.number(), reader.number());
        let bodies = reader.words(bodies);
        let key = Ciphertext { c0: reader.wide_words(c0), c1: reader.wide_words(c1) };
        Ok(Self { session, params, round, client, weight, bodies, key })
    }
}

impl Wire for Upload {
    fn wire_bytes(&self) -> u64 {
        (HEADER_BYTES + 8 * self.bodies.len() + 16 * (self.key.c0.len() + self.key.c1.len())) as u64
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("round", &self.round)
            .field("client", &self.client)
            .field("weight", &self.weight)
            .field("bodies", &self.bodies.len())
            .finish_non_exhaustive()
    }
}
