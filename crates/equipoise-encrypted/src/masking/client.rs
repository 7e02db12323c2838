//! A client's two hands: one masks its update, the other keeps what the others gave it and gives back one share of each.

use super::Public;
use super::agree::{MASK, PARCEL, Sign, Words, agree};
use super::shamir::{Share, split};
use super::wire::{Advert, Parcel, SEALED_BYTES, Shares, Upload};
use crate::entropy::CryptoSource;
use crate::members::check_client;
use chacha20::ChaCha20Rng;
use equipoise_federated::{CohortRecord, SumError};
use equipoise_privacy::OutgoingUpdate;
use rand::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

/// The secrets of one round. Wiped on drop.
struct Secrets {
    round: u32,
    parcel_key: StaticSecret,
    mask_key: StaticSecret,
    seed: Zeroizing<[u8; 32]>,
    /// The others' adverts, once they are known.
    others: BTreeMap<u32, Advert>,
}

/// What a client keeps of the others in one round.
#[derive(Default)]
struct Kept {
    round: u32,
    /// By owner: shares of its mask key and of its seed.
    shares: BTreeMap<u32, [Share; 2]>,
    /// Whether one share of each was given back.
    answered: bool,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.shares.values_mut().for_each(|shares| shares.iter_mut().for_each(Zeroize::zeroize));
    }
}

/// A platform that masks its updates.
pub struct Client {
    client: u32,
    secrets: Option<Secrets>,
    kept: Arc<Mutex<Kept>>,
}

/// The same platform where it gives shares back.
pub struct Keeper {
    client: u32,
    kept: Arc<Mutex<Kept>>,
}

/// Both hands of one client.
pub(super) fn pair(client: u32) -> (Client, Keeper) {
    let kept = Arc::new(Mutex::new(Kept::default()));
    (Client { client, secrets: None, kept: Arc::clone(&kept) }, Keeper { client, kept })
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hash by which a rebuilt seed is recognised.
pub(super) fn seed_hash(seed: &[u8; 32]) -> [u8; 32] {
    blake3::derive_key("equipoise-encrypted 2026-11-27 own mask seed v1", seed)
}

impl Client {
    /// Draws fresh keys and a seed for a round.
    pub(super) fn advertise(
        &mut self,
        public: &Public,
        round: u32,
        source: impl CryptoSource,
    ) -> Result<Advert, SumError> {
        let source = source.at("client", u64::from(self.client)).at("round", u64::from(round));
        let draw = |label| -> Result<Zeroizing<[u8; 32]>, SumError> {
            let mut bytes = Zeroizing::new([0; 32]);
            source.at(label, 0).fill(&mut *bytes)?;
            Ok(bytes)
        };
        let secrets = Secrets {
            round,
            parcel_key: StaticSecret::from(*draw("parcel key")?),
            mask_key: StaticSecret::from(*draw("mask key")?),
            seed: draw("seed")?,
            others: BTreeMap::new(),
        };
        let advert = Advert {
            session: public.session,
            round,
            client: self.client,
            parcel_key: PublicKey::from(&secrets.parcel_key).to_bytes(),
            mask_key: PublicKey::from(&secrets.mask_key).to_bytes(),
            seed_hash: seed_hash(&secrets.seed),
        };
        self.secrets = Some(secrets);
        *lock(&self.kept) = Kept { round, shares: BTreeMap::new(), answered: false };
        Ok(advert)
    }

    fn secrets(&self, round: u32) -> Result<&Secrets, SumError> {
        let reason = "the client has no keys of this round: it was not asked, or it has answered".into();
        let own = self.secrets.as_ref().filter(|secrets| secrets.round == round);
        own.ok_or(SumError::Refused { round, reason })
    }

    /// Splits its secrets and seals a share of each for every other client; keeps its own.
    pub(super) fn share(
        &mut self,
        public: &Public,
        adverts: &BTreeMap<u32, Advert>,
        source: impl CryptoSource,
    ) -> Result<Vec<Parcel>, SumError> {
        let own = self.client;
        let Some(secrets) = &mut self.secrets else { return self.secrets(u32::MAX).map(|_| vec![]) };
        let round = secrets.round;
        secrets.others =
            adverts.iter().filter(|(client, _)| **client != own).map(|(c, a)| (*c, *a)).collect();
        let source = source.at("shares of client", u64::from(own)).at("round", u64::from(round));
        let points: Vec<u32> = adverts.keys().copied().collect();
        let key = Zeroizing::new(secrets.mask_key.to_bytes());
        let keys = split(&key, public.threshold, &points, source.at("mask key", 0))?;
        let seeds = split(&secrets.seed, public.threshold, &points, source.at("seed", 0))?;
        let mut parcels = Vec::with_capacity(points.len());
        for ((to, key), seed) in points.into_iter().zip(keys).zip(seeds) {
            if to == own {
                lock(&self.kept).shares.insert(own, [key, seed]);
                continue;
            }
            let at = (public.session, round);
            let agreed = agree(&secrets.parcel_key, &adverts[&to].parcel_key, PARCEL, at);
            let sealed = seal(&agreed, (own, to), &[key, seed]);
            parcels.push(Parcel { session: public.session, round, from: own, to, sealed });
        }
        Ok(parcels)
    }

    /// Opens a parcel and keeps its shares.
    pub(super) fn receive(
        &mut self,
        public: &Public,
        adverts: &BTreeMap<u32, Advert>,
        parcel: &Parcel,
    ) -> Result<(), SumError> {
        let secrets = self.secrets(parcel.round)?;
        let malformed =
            |what: &str| SumError::Malformed(format!("the parcel of client {}: {what}", parcel.from));
        if parcel.to != self.client || parcel.session != public.session {
            return Err(malformed("it is for somebody else"));
        }
        let advert = adverts.get(&parcel.from).ok_or_else(|| malformed("its sender was not asked"))?;
        let at = (public.session, parcel.round);
        let agreed = agree(&secrets.parcel_key, &advert.parcel_key, PARCEL, at);
        let shares = unseal(&agreed, (parcel.from, parcel.to), &parcel.sealed)
            .ok_or_else(|| malformed("its seal is broken"))?;
        lock(&self.kept).shares.insert(parcel.from, shares);
        Ok(())
    }

    /// Masks an update that was checked before; the round's keys are used up.
    pub(super) fn seal(&mut self, public: &Public, update: &OutgoingUpdate) -> Result<Upload, SumError> {
        check_client(self.client, update)?;
        let (round, client) = (update.round(), update.client());
        self.secrets(round)?;
        let secrets = self.secrets.take().expect("they were just there");
        let mut words = Words::of(public.modulus, update.values());
        words.mask(&secrets.seed, Sign::Plus);
        for (other, advert) in &secrets.others {
            let seed = agree(&secrets.mask_key, &advert.mask_key, MASK, (public.session, round));
            words.mask(&seed, if *other > client { Sign::Plus } else { Sign::Minus });
        }
        Ok(Upload { session: public.session, round, client, weight: update.weight(), words })
    }
}

impl Keeper {
    /// Gives back one share of every asked client, once, to a server that says who is in the sum.
    pub(super) fn unmask(&mut self, public: &Public, cohort: &CohortRecord) -> Result<Shares, SumError> {
        let mut kept = lock(&self.kept);
        let round = cohort.round;
        let refuse = |reason: &str| Err(SumError::Refused { round, reason: reason.into() });
        let empty = Shares { session: public.session, round, client: self.client, shares: vec![] };
        if !cohort.clients.contains(&self.client) {
            return Ok(empty);
        }
        if kept.round != round || kept.shares.is_empty() {
            return refuse("the client keeps no shares of this round");
        }
        if kept.answered {
            return refuse("the round was opened before");
        }
        if cohort.clients.len() < public.threshold as usize {
            return refuse("too few clients answered to take the masks off: the round is lost");
        }
        if cohort.clients.iter().any(|client| !kept.shares.contains_key(client)) {
            return refuse("somebody is in the sum who was not asked");
        }
        kept.answered = true;
        // Of each client one of the two, never both: its seed if it is in the sum, else its mask key.
        let shares = kept
            .shares
            .iter()
            .map(|(owner, [key, seed])| (*owner, if cohort.clients.contains(owner) { *seed } else { *key }));
        Ok(Shares { shares: shares.collect(), ..empty })
    }
}

fn stream_and_tag_key(
    agreed: &[u8; 32],
    (from, to): (u32, u32),
) -> (Zeroizing<[u8; SEALED_BYTES - 32]>, [u8; 32]) {
    // The two directions of a pair have streams of their own.
    let mut hasher = blake3::Hasher::new_keyed(agreed);
    hasher.update(&from.to_le_bytes()).update(&to.to_le_bytes());
    let mut rng = ChaCha20Rng::from_seed(hasher.finalize().into());
    let (mut tag_key, mut stream) = ([0; 32], Zeroizing::new([0; SEALED_BYTES - 32]));
    rng.fill_bytes(&mut tag_key);
    rng.fill_bytes(&mut *stream);
    (stream, tag_key)
}

fn seal(agreed: &[u8; 32], way: (u32, u32), shares: &[Share; 2]) -> [u8; SEALED_BYTES] {
    let (stream, tag_key) = stream_and_tag_key(agreed, way);
    let mut sealed = [0; SEALED_BYTES];
    for (out, word) in sealed.as_chunks_mut::<8>().0.iter_mut().zip(shares.as_flattened()) {
        *out = word.to_le_bytes();
    }
    let (text, tag) = sealed.split_at_mut(SEALED_BYTES - 32);
    text.iter_mut().zip(stream.iter()).for_each(|(byte, key)| *byte ^= key);
    tag.copy_from_slice(blake3::keyed_hash(&tag_key, text).as_bytes());
    sealed
}

fn unseal(agreed: &[u8; 32], way: (u32, u32), sealed: &[u8; SEALED_BYTES]) -> Option<[Share; 2]> {
    let (stream, tag_key) = stream_and_tag_key(agreed, way);
    let (text, tag) = sealed.split_at(SEALED_BYTES - 32);
    let tag: [u8; 32] = tag.try_into().ok()?;
    // The comparison of BLAKE3's hash type takes the same time for all inputs.
    if blake3::keyed_hash(&tag_key, text) != blake3::Hash::from(tag) {
        return None;
    }
    let mut shares = [[0; 5]; 2];
    let plain: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().zip(stream.iter()).map(|(b, k)| b ^ k).collect());
    for (word, bytes) in shares.as_flattened_mut().iter_mut().zip(plain.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    Some(shares)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("client", &self.client).finish_non_exhaustive()
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("client", &self.client).finish_non_exhaustive()
    }
}
