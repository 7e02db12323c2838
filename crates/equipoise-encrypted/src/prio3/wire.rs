//! What a platform sends, as bytes: our frame, client, weight and nonce, then the draft's own encoding of the public share and of the
//! two input shares. The circuit fixes every length, so that a message is refused by its length before anything is read.

use super::{Input, Public, SEED};
use crate::codec::{FRAME_BYTES, Frame};
use crate::roles::SessionId;
use equipoise_federated::{SumError, VectorSpec, Wire};
use prio::codec::{Encode, ParameterizedDecode};
use prio::field::{Field128, FieldElement};
use prio::flp::Type;
use prio::flp::gadgets::{Mul, ParallelSum};
use prio::flp::types::SumVec;
use prio::vdaf::prio3::Prio3PublicShare;
use std::fmt;

const MAGIC: [u8; 4] = *b"EQPU";
const PARAMS: u16 = 5;
const HEADER: usize = 8 + 16;
/// Two seeds of joint randomness.
const PUBLIC_SHARE: usize = 2 * SEED;
/// The second aggregator's part: a seed that expands to its share, and a blind.
const SECOND: usize = 2 * SEED;

/// One platform's report: a part for each aggregator, and what both see.
#[derive(Clone)]
pub struct Upload {
    pub(super) session: SessionId,
    pub(super) round: u32,
    pub(super) client: u32,
    pub(super) weight: u32,
    pub(super) nonce: [u8; 16],
    pub(super) public: Prio3PublicShare<SEED>,
    pub(super) inputs: [Input; 2],
}

/// Bytes of the first aggregator's part: a share of every bit, the proof, a blind.
fn first_bytes(spec: &VectorSpec) -> Option<usize> {
    let (most, chunk) = super::circuit(spec);
    let circuit: SumVec<Field128, ParallelSum<Field128, Mul>> = SumVec::new(most, spec.len, chunk).ok()?;
    Some(Field128::ENCODED_SIZE * (circuit.input_len() + circuit.proof_len()) + SEED)
}

/// Bytes of a message, whatever it holds.
pub(super) fn upload_bytes(spec: &VectorSpec) -> Option<usize> {
    Some(FRAME_BYTES + HEADER + PUBLIC_SHARE + first_bytes(spec)? + SECOND)
}

impl Upload {
    fn frame(session: SessionId) -> Frame {
        Frame { magic: MAGIC, params: PARAMS, session }
    }

    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Self::frame(self.session).start(self.round, HEADER);
        bytes.extend(self.client.to_le_bytes());
        bytes.extend(self.weight.to_le_bytes());
        bytes.extend(self.nonce);
        self.public.encode(&mut bytes).expect("seeds have one form");
        for input in &self.inputs {
            input.encode(&mut bytes).expect("field elements and seeds have one form");
        }
        bytes
    }

    /// Reads a message of `public`'s session. Nothing is allocated before the length and the frame are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length or frame are not what the plan says, or a field element is none.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let malformed = |error: prio::codec::CodecError| SumError::Malformed(format!("prio3: {error}"));
        let session = public.session;
        let first = public.report_bytes - FRAME_BYTES - HEADER - PUBLIC_SHARE - SECOND;
        let (round, mut reader) = Self::frame(session).read(bytes, public.report_bytes - FRAME_BYTES)?;
        let (client, weight, nonce) = (reader.number(), reader.number(), reader.take());
        let (seeds, rest) = reader.0.split_at(PUBLIC_SHARE);
        let (leader, helper) = rest.split_at(first);
        let seeds = Prio3PublicShare::get_decoded_with_param(&public.vdaf, seeds).map_err(malformed)?;
        let read = |at: usize, part: &[u8]| {
            Input::get_decoded_with_param(&(&public.vdaf, at), part).map_err(malformed)
        };
        let inputs = [read(0, leader)?, read(1, helper)?];
        Ok(Self { session, round, client, weight, nonce, public: seeds, inputs })
    }
}

impl Wire for Upload {
    fn wire_bytes(&self) -> u64 {
        let parts: u64 = self.inputs.iter().map(super::encoded).sum();
        (FRAME_BYTES + HEADER) as u64 + super::encoded(&self.public) + parts
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("client", &self.client).finish_non_exhaustive()
    }
}
