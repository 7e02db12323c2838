//! What a platform sends: a public header and the bodies of its ciphertexts. Masks travel as a seed.
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

use crate::mask::{Header, SEED_BYTES};
use crate::roles::{Public, SessionId};
use equipoise_federated::{SumError, Wire};
use std::fmt;

const MAGIC: [u8; 4] = *b"EQGL";
const VERSION: u16 = 1;
/// Bytes before the first body.
pub(crate) const HEADER_BYTES: usize = 4 + 2 + 2 + 16 + 3 * 4 + SEED_BYTES + 8;

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
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 8 * self.bodies.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.params.to_le_bytes());
        bytes.extend(header.session.0);
        for field in [header.round, header.client, header.weight] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(header.seed);
        bytes.extend((self.bodies.len() as u64).to_le_bytes());
        bytes.extend(self.bodies.iter().flat_map(|body| body.to_le_bytes()));
        bytes
    }

    /// Reads a message of `public`'s session. Nothing is allocated before the length and the header are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if the length is not the plan's, or magic, version, parameter set, session or count
    /// differ. Round, client and weight are checked where the upload is added.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let malformed = |what: &str| Err(SumError::Malformed(what.into()));
        let count = public.layout.coefficients();
        let want = HEADER_BYTES + 8 * count;
        if bytes.len() != want {
            let what = if bytes.len() < want { "truncated" } else { "too long" };
            return malformed(&format!("{what}: {} bytes, the plan says {want}", bytes.len()));
        }
        let mut reader = Reader(bytes);
        if reader.take() != MAGIC {
            return malformed("not an upload: wrong magic");
        }
        let version = u16::from_le_bytes(reader.take());
        if version != VERSION {
            return malformed(&format!("version {version}, this reader knows {VERSION}"));
        }
        let params = u16::from_le_bytes(reader.take());
        if params != public.params.wire_id {
            return malformed(&format!("parameter set {params}, the session uses {}", public.params.wire_id));
        }
        let session = SessionId(reader.take());
        if session != public.session {
            return malformed("another session");
        }
        let round = u32::from_le_bytes(reader.take());
        let client = u32::from_le_bytes(reader.take());
        let weight = u32::from_le_bytes(reader.take());
        let seed = reader.take();
        let sent = u64::from_le_bytes(reader.take());
        if sent != count as u64 {
            return malformed(&format!("{sent} bodies, the plan says {count}"));
        }
        let (words, _) = reader.0.as_chunks::<8>();
        let bodies = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        Ok(Self { params, header: Header { session, round, client, weight, seed }, bodies })
    }
}

/// Takes fields off the front; the length was checked before.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the length was checked before the fields");
        self.0 = rest;
        *field
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
