//! The seat of a key holder: its checks, its record, its answer.

use super::{OpenAnswer, OpenRequest, Rules};
use crate::entropy::CryptoSource;
use crate::joint::{JointPublic, JointSecret};
use crate::record::{RecordStore, RoundRecord};
use equipoise_federated::{CohortRecord, SumError};
use std::fmt;

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
        members.check_cohort(cohort, rules.floor)?;
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

impl fmt::Debug for HolderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HolderSecret")
            .field("index", &self.index)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}
