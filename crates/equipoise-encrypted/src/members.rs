//! Who is in a sum, and what admits a platform to it: the same checks for every scheme whose uploads add up.

use crate::roles::SessionId;
use equipoise_federated::{CohortRecord, SumError, VectorSpec};
use equipoise_privacy::OutgoingUpdate;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// An update is sealed by the client that it names, and by nobody else.
pub(crate) fn check_client(client: u32, update: &OutgoingUpdate) -> Result<(), SumError> {
    let named = update.client();
    if named == client {
        return Ok(());
    }
    Err(SumError::Malformed(format!("client {client} was given an update of client {named}")))
}

/// The clients of one round's sum and their public weights, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) weights: BTreeMap<u32, u32>,
}

impl Members {
    pub(crate) fn new(session: SessionId, round: u32) -> Self {
        Self { session, round, weights: BTreeMap::new() }
    }

    /// Notes a client, or says why it must not be in the sum.
    pub(crate) fn admit(
        &mut self,
        spec: &VectorSpec,
        session: SessionId,
        round: u32,
        (client, weight): (u32, u32),
    ) -> Result<(), SumError> {
        if session != self.session {
            return Err(SumError::Malformed(format!(
                "the upload of client {client} belongs to another session"
            )));
        }
        if round != self.round {
            return Err(SumError::Round { client, got: round, want: self.round });
        }
        if client >= spec.max_clients || weight > spec.max_weight {
            return Err(SumError::BeyondPlan { round, client });
        }
        match self.weights.entry(client) {
            Entry::Occupied(_) => Err(SumError::Twice { round, client }),
            Entry::Vacant(free) => {
                free.insert(weight);
                Ok(())
            }
        }
    }

    /// Notes all of them or none.
    pub(crate) fn admit_all(
        &mut self,
        spec: &VectorSpec,
        uploads: impl Iterator<Item = (SessionId, u32, u32, u32)>,
    ) -> Result<(), SumError> {
        let before = self.weights.clone();
        for (session, round, client, weight) in uploads {
            if let Err(error) = self.admit(spec, session, round, (client, weight)) {
                self.weights = before;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Refuses to open for another round or cohort than the sum's, and for fewer than `floor` clients.
    pub(crate) fn check_cohort(&self, cohort: &CohortRecord, floor: u32) -> Result<(), SumError> {
        let round = cohort.round;
        let refuse = |reason: &str| Err(SumError::Refused { round, reason: reason.into() });
        if self.round != round {
            return refuse("the sum belongs to another round than the cohort");
        }
        if !self.weights.keys().eq(&cohort.clients) {
            return refuse("the cohort is not the one in the sum");
        }
        if self.count() < floor {
            return refuse("the cohort is too small to hide anybody");
        }
        Ok(())
    }

    pub(crate) fn clients(&self) -> Vec<u32> {
        self.weights.keys().copied().collect()
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.weights.len()).expect("a cohort fits into 32 bits")
    }

    pub(crate) fn weight(&self) -> u64 {
        self.weights.values().map(|&weight| u64::from(weight)).sum()
    }

    /// Binds a record or an answer to session, round, clients and weights.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 cohort v1");
        hasher.update(&self.session.0).update(&self.round.to_le_bytes());
        for (client, weight) in &self.weights {
            hasher.update(&client.to_le_bytes()).update(&weight.to_le_bytes());
        }
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::spec;

    const SESSION: SessionId = SessionId([1; 16]);

    fn members() -> Members {
        let mut members = Members::new(SESSION, 7);
        members.admit(&spec(5, 8, 3), SESSION, 7, (1, 1)).unwrap();
        members
    }

    #[test]
    fn what_is_of_another_session_round_or_plan_is_not_admitted_and_nobody_twice() {
        let refused = [
            (SessionId([2; 16]), 7, 0, 1, "another session"),
            (SESSION, 6, 0, 1, "round"),
            (SESSION, 7, 3, 1, "plan"),
            (SESSION, 7, 0, 2, "plan"),
            (SESSION, 7, 1, 1, "twice"),
        ];
        for (session, round, client, weight, says) in refused {
            let mut members = members();
            let error = members.admit(&spec(5, 8, 3), session, round, (client, weight)).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(members.clients(), [1]);
        }
    }

    #[test]
    fn a_batch_with_one_refusal_leaves_nobody_behind() {
        let mut members = members();
        let batch = [(SESSION, 7, 0, 1), (SESSION, 7, 2, 1), (SESSION, 7, 0, 1)];
        assert!(members.admit_all(&spec(5, 8, 3), batch.into_iter()).is_err());
        assert_eq!((members.clients(), members.weight()), (vec![1], 1));
        assert!(members.admit_all(&spec(5, 8, 3), batch[..2].iter().copied()).is_ok());
        assert_eq!((members.clients(), members.weight()), (vec![0, 1, 2], 3));
    }

    #[test]
    fn the_hash_names_session_round_clients_and_weights() {
        let all = [
            members(),
            Members { session: SessionId([2; 16]), ..members() },
            Members { round: 8, ..members() },
            Members { weights: BTreeMap::from([(2, 1)]), ..members() },
            Members { weights: BTreeMap::from([(1, 2)]), ..members() },
        ];
        let distinct: std::collections::BTreeSet<[u8; 32]> = all.iter().map(Members::hash).collect();
        assert_eq!(distinct.len(), all.len());
    }
}
