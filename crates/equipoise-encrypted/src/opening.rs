//! How key holders of the joint key open a sum: a request, their checks, their record, their answers.
//!
//! A holder sees who is in the sum, the second polynomials of the summed ciphertexts, and nothing else: not the sum, not
//! the updates. It refuses a second cohort for a round, a cohort below the floor, a request of another session, and more
//! rounds than its smudging covers; it writes a round down before it answers. It cannot check that the polynomials *are*
//! the sum over the cohort that the server names: adversary is an honest-but-curious server.

use crate::codec::{FRAME_BYTES, Frame, put_wide_words};
use crate::entropy::CryptoSource;
use crate::joint::{JointParams, JointPublic, JointSecret, add_wide};
use crate::members::Members;
use crate::record::{MemoryRecord, RecordStore, RoundRecord};
use crate::roles::SessionId;
use equipoise_federated::{CohortRecord, SumError, Wire};
use std::fmt;

/// What a scheme lets its key holders answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Clients below which nothing opens.
    pub(crate) floor: u32,
    /// Rounds under one key.
    pub(crate) rounds: u32,
    /// The smudge, as a power of two.
    pub(crate) smudge_log2: u32,
    /// Largest cohort.
    pub(crate) max_clients: u32,
    /// Coefficients that a holder answers: all but the last polynomial whole.
    pub(crate) answers: usize,
}

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

/// A holder's share of the secret between two runs. Wiped on drop; cannot be cloned, serialised or printed: how it is kept
/// at rest (a hardware module, a sealed disk) is the holder's business.
pub struct HolderSecret {
    index: u32,
    key: [u8; 32],
    secret: JointSecret,
}

/// A key holder of the joint key, with the record of what it answered.
#[derive(Debug)]
pub struct JointHolder {
    secret: HolderSecret,
    record: RoundRecord,
}

impl JointHolder {
    pub(crate) fn new(
        index: u32,
        secret: JointSecret,
        key: [u8; 32],
        store: Box<dyn RecordStore>,
    ) -> Result<Self, SumError> {
        Self::resume(HolderSecret { index, key, secret }, store)
    }

    /// Ends the seat; its secret goes on, its record lies in the store.
    #[must_use]
    pub fn stop(self) -> HolderSecret {
        self.secret
    }

    /// Takes the seat again, with everything that the record remembers.
    ///
    /// # Errors
    /// [`SumError::Record`] if the record is of another key, torn or changed.
    pub fn resume(secret: HolderSecret, store: Box<dyn RecordStore>) -> Result<Self, SumError> {
        let record = RoundRecord::open(secret.key, store)?;
        Ok(Self { secret, record })
    }

    /// The holder's number.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.secret.index
    }

    pub(crate) fn answer(
        &mut self,
        joint: &JointPublic,
        rules: &Rules,
        request: &OpenRequest,
        cohort: &CohortRecord,
        source: impl CryptoSource,
    ) -> Result<OpenAnswer, SumError> {
        let (members, round) = (&request.members, cohort.round);
        let refuse = |reason: &str| Err(SumError::Refused { round, reason: reason.into() });
        if self.secret.key != joint.name {
            return refuse("the sum belongs to another session");
        }
        if members.round != round {
            return refuse("the sum belongs to another round than the cohort");
        }
        if !members.weights.keys().eq(&cohort.clients) {
            return refuse("the cohort is not the one in the sum");
        }
        if members.count() < rules.floor {
            return refuse("the cohort is too small to hide anybody");
        }
        let size = joint.ring.size();
        if members.count() > rules.max_clients || request.c1.len() != size * rules.answers.div_ceil(size) {
            return refuse("the request is beyond the plan");
        }
        // The record comes first: a failure later must not leave a round that can be asked for twice.
        self.record.commit(round, members.hash(), rules.rounds)?;
        let mut words = vec![0; rules.answers];
        let source =
            source.at("answer of holder", u64::from(self.secret.index)).at("round", u64::from(round));
        for (index, (c1, out)) in request.c1.chunks(size).zip(words.chunks_mut(size)).enumerate() {
            let source = source.at("polynomial", index as u64);
            self.secret.secret.answer(&joint.ring, c1, rules.smudge_log2, out, source)?;
        }
        let holder = self.secret.index;
        Ok(OpenAnswer { session: members.session, round, holder, request: request.fingerprint(), words })
    }
}

/// A new session of `holders`, each with its share of the joint key and an empty record.
pub(crate) fn join<S: CryptoSource>(
    params: &JointParams,
    holders: u32,
    source: S,
) -> Result<(SessionId, JointPublic, Vec<JointHolder>), SumError> {
    let mut session = SessionId([0; 16]);
    source.at("session", 0).fill(&mut session.0)?;
    let drawn = (0..holders).map(|holder| {
        let source = source.at("holder", u64::from(holder));
        JointSecret::generate(params, session, holder, source)
    });
    let (secrets, parts): (Vec<_>, Vec<_>) = drawn.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let joint = JointPublic::combine(params, session, &parts)?;
    let with_record =
        |(index, secret)| JointHolder::new(index, secret, joint.name, Box::new(MemoryRecord::default()));
    let holders = (0..).zip(secrets).map(with_record).collect::<Result<_, _>>()?;
    Ok((session, joint, holders))
}

/// Adds the answers of all holders to the first polynomials of the sum.
pub(crate) fn combine(
    request: &OpenRequest,
    holders: u32,
    answers: &[OpenAnswer],
    phases: &mut [u128],
) -> Result<(), SumError> {
    let malformed = |what: String| Err(SumError::Malformed(what));
    if answers.len() != holders as usize {
        return malformed(format!(
            "{} answers, all of {holders} key holders are needed: ask the missing ones again or drop the round",
            answers.len()
        ));
    }
    let fingerprint = request.fingerprint();
    let mut seen: Vec<u32> = answers.iter().map(|answer| answer.holder).collect();
    seen.sort_unstable();
    if !seen.into_iter().eq(0..holders) {
        return malformed("two answers come from one key holder".into());
    }
    for answer in answers {
        if answer.request != fingerprint || answer.words.len() != phases.len() {
            return malformed(format!("the answer of holder {} does not belong to this sum", answer.holder));
        }
        add_wide(phases, &answer.words);
    }
    Ok(())
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

impl fmt::Debug for HolderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HolderSecret")
            .field("index", &self.index)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
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
