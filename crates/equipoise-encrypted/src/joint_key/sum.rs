//! The server's side until the key holders are asked: ciphertexts add up, word by word.

use super::{Public, Upload};
use crate::joint::add_wide;
use crate::members::Members;
use crate::opening::OpenRequest;
use equipoise_federated::SumError;
use std::fmt;

/// The running encrypted sum of one round.
#[derive(Clone)]
pub struct Accumulator {
    pub(crate) members: Members,
    pub(crate) c0: Vec<u128>,
    pub(crate) c1: Vec<u128>,
}

impl Accumulator {
    /// Clients in the sum, ascending.
    #[must_use]
    pub fn clients(&self) -> Vec<u32> {
        self.members.clients()
    }

    /// Adds one upload.
    ///
    /// # Errors
    /// If it is of another session or round, beyond the plan, or of a client that is in the sum already.
    pub fn add(&mut self, public: &Public, upload: &Upload) -> Result<(), SumError> {
        let (round, client) = (self.members.round, upload.client);
        if upload.c0.len() != self.c0.len() || upload.c1.len() != self.c1.len() {
            let (got, want) = (upload.c0.len() * public.layout.slots, public.layout.len);
            return Err(SumError::Length { round, client, got, want });
        }
        self.members.admit(&public.spec, upload.session, upload.round, (client, upload.weight))?;
        add_wide(&mut self.c0, &upload.c0);
        add_wide(&mut self.c1, &upload.c1);
        Ok(())
    }

    /// What every key holder is asked.
    #[must_use]
    pub fn request(&self) -> OpenRequest {
        OpenRequest { members: self.members.clone(), c1: self.c1.clone() }
    }
}

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accumulator").field("members", &self.members).finish_non_exhaustive()
    }
}
