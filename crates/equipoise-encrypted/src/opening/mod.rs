//! How key holders of the joint key open a sum: a request, their checks, their record, their answers.
//!
//! A holder sees who is in the sum, the second polynomials of the summed ciphertexts, and nothing else: not the sum, not
//! the updates. It refuses a second cohort for a round, a cohort below the floor, a request of another session, and more
//! rounds than its smudging covers; it writes a round down before it answers. It cannot check that the polynomials *are*
//! the sum over the cohort that the server names: adversary is an honest-but-curious server.

mod holder;
mod message;

pub use holder::{HolderSecret, JointHolder};
pub use message::{OpenAnswer, OpenRequest};

use crate::entropy::CryptoSource;
use crate::joint::{JointParams, JointPublic, JointSecret, add_wide};
use crate::layout128::Layout128;
use crate::record::MemoryRecord;
use crate::roles::SessionId;
use crate::smudge::{Crowd, Smudging, check_crowd};
use equipoise_federated::{CohortRecord, PlanError, SumError, VectorSpec};

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

/// Who holds the joint key of a scheme, and how its holders answer: what a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quorum {
    pub(crate) holders: u32,
    pub(crate) floor: u32,
    pub(crate) smudging: Smudging,
}

impl Quorum {
    /// Refuses what no scheme on the joint key can plan for.
    pub(crate) fn crowd(&self, scheme: &'static str, spec: &VectorSpec) -> Result<Crowd, PlanError> {
        check_crowd(scheme, spec, self.holders, self.floor)?;
        Ok(Crowd { clients: spec.max_clients, holders: self.holders })
    }

    /// Clients below which nothing opens.
    pub(crate) fn cohort_floor(&self) -> u32 {
        self.floor.max(2)
    }

    /// A new session: what everybody knows of the joint key, and its holders, each with an empty record.
    pub(crate) fn join<S: CryptoSource>(
        &self,
        params: &JointParams,
        spec: &VectorSpec,
        layout: &Layout128,
        source: S,
    ) -> Result<(Opening, Vec<JointHolder>), SumError> {
        let mut session = SessionId([0; 16]);
        source.at("session", 0).fill(&mut session.0)?;
        let drawn = (0..self.holders).map(|holder| {
            let source = source.at("holder", u64::from(holder));
            JointSecret::generate(params, session, holder, source)
        });
        let (secrets, parts): (Vec<_>, Vec<_>) = drawn.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let joint = JointPublic::combine(params, session, &parts)?;
        let with_record =
            |(index, secret)| JointHolder::new(index, secret, joint.name, Box::new(MemoryRecord::default()));
        let holders = (0..).zip(secrets).map(with_record).collect::<Result<_, _>>()?;
        let rules = Rules {
            floor: self.floor,
            rounds: self.smudging.rounds(),
            smudge_log2: layout.smudge_log2,
            max_clients: spec.max_clients,
            answers: layout.coefficients(),
        };
        Ok((Opening { session, joint, holders: self.holders, rules }, holders))
    }

    /// The seats of every scheme on the joint key, for its leakage profile; `server` is what the server alone learns.
    pub(crate) fn seats(server: &'static str) -> [(&'static str, &'static str, bool); 6] {
        [
            ("server", server, false),
            (
                "server with some platforms",
                "the sum over the other platforms (their update, if only one is left)",
                false,
            ),
            ("platform", "the broadcast model only", false),
            ("key holder", "who took part in which round", false),
            (
                "server with all key holders but one",
                "no more than the server, by the lattice assumption and smudging",
                false,
            ),
            ("server with all key holders", "every platform's update of every round", true),
        ]
    }
}

/// What everybody knows of how a session is opened; writes and reads the messages of an opening.
#[derive(Debug)]
pub struct Opening {
    pub(crate) session: SessionId,
    pub(crate) joint: JointPublic,
    pub(crate) holders: u32,
    pub(crate) rules: Rules,
}

impl Opening {
    /// The joint key's parameter set.
    #[must_use]
    pub const fn params(&self) -> &JointParams {
        &self.joint.params
    }

    /// The setup's name.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The request that the server sends to every key holder.
    #[must_use]
    pub fn request_bytes(&self, request: &OpenRequest) -> Vec<u8> {
        request.write(self.joint.params.wire_id)
    }

    /// Reads a request of this session.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length, frame or clients are not what the plan says.
    pub fn read_request(&self, bytes: &[u8]) -> Result<OpenRequest, SumError> {
        let frame = (self.joint.params.wire_id, self.session);
        OpenRequest::read(bytes, frame, self.joint.ring.size(), &self.rules)
    }

    /// A key holder's answer as bytes.
    #[must_use]
    pub fn answer_bytes(&self, answer: &OpenAnswer) -> Vec<u8> {
        answer.write(self.joint.params.wire_id)
    }

    /// Reads an answer of this session.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length or frame are not what the plan says.
    pub fn read_answer(&self, bytes: &[u8]) -> Result<OpenAnswer, SumError> {
        OpenAnswer::read(bytes, (self.joint.params.wire_id, self.session), &self.rules)
    }

    /// A holder's answer to a request.
    pub(crate) fn answer(
        &self,
        holder: &mut JointHolder,
        request: &OpenRequest,
        cohort: &CohortRecord,
        source: impl CryptoSource,
    ) -> Result<OpenAnswer, SumError> {
        holder.answer(&self.joint, &self.rules, request, cohort, source)
    }

    /// Adds the answers of all holders to the first polynomials of the sum.
    pub(crate) fn combine(
        &self,
        request: &OpenRequest,
        answers: &[OpenAnswer],
        phases: &mut [u128],
    ) -> Result<(), SumError> {
        let holders = self.holders;
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
                return malformed(format!(
                    "the answer of holder {} does not belong to this sum",
                    answer.holder
                ));
            }
            add_wide(phases, &answer.words);
        }
        Ok(())
    }
}
