//! The server's side: masked integers add up; what is left of the masks is rebuilt from shares and taken off.

use super::Public;
use super::agree::{MASK, Sign, Words, agree};
use super::client::seed_hash;
use super::shamir::{Share, rebuild};
use super::wire::{Advert, Shares, Upload};
use crate::members::Members;
use equipoise_federated::{IntSum, SumError};
use std::collections::BTreeMap;
use std::fmt;
use x25519_dalek::{PublicKey, StaticSecret};

/// The running masked sum of one round.
#[derive(Clone)]
pub struct Accumulator {
    pub(crate) members: Members,
    pub(crate) words: Words,
}

impl Accumulator {
    pub(super) fn new(public: &Public, round: u32) -> Self {
        let words = Words::zeros(public.modulus, public.spec.len);
        Self { members: Members::new(public.session, round), words }
    }

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
        if upload.words.len() != self.words.len() {
            let (got, want) = (upload.words.len(), self.words.len());
            return Err(SumError::Length { round, client, got, want });
        }
        self.members.admit(&public.spec, upload.session, upload.round, (client, upload.weight))?;
        if self.words.add(&upload.words) {
            return Ok(());
        }
        self.members.weights.remove(&client);
        Err(SumError::Malformed(format!("client {client} masks under another modulus")))
    }
}

pub(super) fn open(public: &Public, mut sum: Accumulator, answers: &[Shares]) -> Result<IntSum, SumError> {
    let round = sum.members.round;
    let malformed = |what: String| SumError::Malformed(what);
    let adverts = public.adverts(round);
    let mut shares: BTreeMap<u32, Vec<(u32, Share)>> = BTreeMap::new();
    for answer in answers {
        if answer.session != public.session || answer.round != round {
            return Err(malformed(format!("the shares of client {} are of another round", answer.client)));
        }
        for (owner, share) in &answer.shares {
            shares.entry(*owner).or_default().push((answer.client, *share));
        }
    }
    let threshold = public.threshold as usize;
    for (owner, advert) in &adverts {
        let all = shares.get(owner).map_or(&[][..], Vec::as_slice);
        if all.len() < threshold {
            let reason = format!("{} shares of client {owner} came, {threshold} are needed", all.len());
            return Err(SumError::Refused { round, reason });
        }
        let rebuilt = rebuild(&all[..threshold])
            .ok_or_else(|| malformed(format!("the shares of client {owner} do not fit together")))?;
        if sum.members.weights.contains_key(owner) {
            if seed_hash(&rebuilt) != advert.seed_hash {
                return Err(malformed(format!("the shares of client {owner} give another seed")));
            }
            sum.words.mask(&rebuilt, Sign::Minus);
        } else {
            take_off(public, &mut sum, (*owner, advert), &StaticSecret::from(*rebuilt), &adverts)?;
        }
    }
    if sum.members.weights.keys().any(|client| !adverts.contains_key(client)) {
        return Err(malformed("somebody is in the sum who was not asked".into()));
    }
    let values = sum.words.signed();
    let most = public.spec.max_abs_sum();
    if values.iter().any(|value| u128::from(value.unsigned_abs()) > most) {
        return Err(malformed("the sum does not open: masks are left in it".into()));
    }
    Ok(IntSum { values, weight: sum.members.weight(), clients: sum.members.count() })
}

/// Takes the masks off that the clients in the sum share with one that dropped out.
fn take_off(
    public: &Public,
    sum: &mut Accumulator,
    (gone, advert): (u32, &Advert),
    key: &StaticSecret,
    adverts: &BTreeMap<u32, Advert>,
) -> Result<(), SumError> {
    if PublicKey::from(key).to_bytes() != advert.mask_key {
        return Err(SumError::Malformed(format!("the shares of client {gone} give another key")));
    }
    let round = sum.members.round;
    for client in sum.members.clients() {
        let Some(there) = adverts.get(&client) else { continue };
        let seed = agree(key, &there.mask_key, MASK, (public.session, round));
        // What the client in the sum added or took off, the other way round.
        sum.words.mask(&seed, if gone > client { Sign::Minus } else { Sign::Plus });
    }
    Ok(())
}

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accumulator").field("members", &self.members).finish_non_exhaustive()
    }
}
