//! The server's side until the key holders are asked: everything adds up, word by word.

use super::{Public, Upload};
use crate::members::Members;
use crate::opening::OpenRequest;
use crate::sum::add_tiled;
use equipoise_federated::SumError;
use std::fmt;

/// The running encrypted sum of one round.
#[derive(Clone)]
pub struct Accumulator {
    pub(crate) members: Members,
    pub(crate) bodies: Vec<u64>,
    pub(crate) c0: Vec<u128>,
    pub(crate) c1: Vec<u128>,
}

impl Accumulator {
    pub(crate) fn new(public: &Public, round: u32) -> Self {
        Self {
            members: Members::new(public.opening.session, round),
            bodies: vec![0; public.plan.bodies.coefficients()],
            c0: vec![0; public.plan.key.coefficients()],
            c1: vec![0; public.opening.joint.params.polynomial_size],
        }
    }

    /// Clients in the sum, ascending.
    #[must_use]
    pub fn clients(&self) -> Vec<u32> {
        self.members.clients()
    }

    /// Adds uploads, four to a pass over the running sum: all of them, or none if one is refused.
    ///
    /// # Errors
    /// If an upload is of another session or round, beyond the plan, or of a client that is in the sum already.
    pub fn add_all(&mut self, public: &Public, uploads: &[Upload]) -> Result<(), SumError> {
        for upload in uploads {
            let (round, client) = (self.members.round, upload.client);
            if upload.params != public.params.wire_id || upload.key.c0.len() != self.c0.len() {
                return Err(SumError::Malformed(format!("the upload of client {client} is of another plan")));
            }
            if upload.bodies.len() != self.bodies.len() || upload.key.c1.len() != self.c1.len() {
                let (got, want) = (upload.bodies.len() * public.plan.bodies.slots, public.plan.bodies.len);
                return Err(SumError::Length { round, client, got, want });
            }
        }
        let who = uploads.iter().map(|upload| (upload.session, upload.round, upload.client, upload.weight));
        self.members.admit_all(&public.spec, who)?;
        let bodies: Vec<&[u64]> = uploads.iter().map(|upload| upload.bodies.as_slice()).collect();
        add_tiled(&mut self.bodies, &bodies);
        let parts: Vec<&[u128]> = uploads.iter().map(|upload| upload.key.c0.as_slice()).collect();
        add_tiled(&mut self.c0, &parts);
        let parts: Vec<&[u128]> = uploads.iter().map(|upload| upload.key.c1.as_slice()).collect();
        add_tiled(&mut self.c1, &parts);
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
