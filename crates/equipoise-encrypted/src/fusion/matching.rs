//! Account matching: platforms name the same person's accounts alike without telling anybody who it is.
//!
//! A pseudonym is a verifiable oblivious pseudorandom function (RFC 9497, crate `voprf`, ristretto255) of an identifier that
//! two platforms may share. The platform blinds, the *matcher* (a seat of its own, not the server) evaluates without
//! seeing, the proof shows that everybody got the same key. Without the matcher's key nobody can try identifiers; the
//! matcher counts evaluations, because with it a platform can.
//!
//! What matching reveals, always: to the server, which pseudonyms are on which platforms, hence the size of every
//! overlap ([`overlaps`]) and the platform count of every account; to a platform nothing about the others, until flags
//! come back. [`plain_hash`] is the labelled control: a hash without a key is undone by trying identifiers, and the test
//! beside it does so.

use super::error::FusionError;
use super::noise::fill;
use super::pseudonym::Pseudonym;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use voprf::{BlindedElement, EvaluationElement, Group, Proof, Ristretto255, VoprfClient, VoprfServer};
use zeroize::Zeroize;

/// The generator that `voprf` draws from: BLAKE3's stream under 32 fresh bytes of the operating system, because its
/// interface has no way to report that entropy failed.
struct Stream(blake3::OutputReader);

impl Stream {
    fn new() -> Result<Self, FusionError> {
        let mut seed = [0; 32];
        fill(&mut seed)?;
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 matching stream v1");
        hasher.update(&seed);
        seed.zeroize();
        Ok(Self(hasher.finalize_xof()))
    }
}

impl rand_core_06::RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Stream {}

/// Bytes of a group element.
const ELEMENT: usize = 32;
/// Bytes of a proof: two scalars.
const PROOF: usize = 64;

fn failed(what: &str) -> impl Fn(voprf::Error) -> FusionError + '_ {
    move |error| FusionError::Matching(format!("{what}: {error}"))
}

/// The matcher: holds the key of the pseudonyms, and evaluates what it cannot read, up to a quota a platform.
pub struct Matcher {
    server: VoprfServer<Ristretto255>,
    quota: u64,
    used: BTreeMap<u32, u64>,
}

impl Matcher {
    /// A matcher with a fresh key; `quota` evaluations a platform, in the life of the key.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn new(quota: u64) -> Result<Self, FusionError> {
        let server = VoprfServer::new(&mut Stream::new()?).map_err(failed("no key"))?;
        Ok(Self { server, quota, used: BTreeMap::new() })
    }

    /// What platforms hold proofs against; they must all have got the same.
    #[must_use]
    pub fn public_key(&self) -> [u8; ELEMENT] {
        <Ristretto255 as Group>::serialize_elem(self.server.get_public_key()).into()
    }

    /// Evaluates a platform's blinded identifiers; the answer is one element each, then the proof.
    ///
    /// # Errors
    /// If the message is malformed or the platform's quota is used up.
    pub fn evaluate(&mut self, platform: u32, blinded: &[u8]) -> Result<Vec<u8>, FusionError> {
        let elements = elements(blinded)?
            .map(|bytes| BlindedElement::<Ristretto255>::deserialize(bytes).map_err(failed("an element")))
            .collect::<Result<Vec<_>, _>>()?;
        let used = self.used.entry(platform).or_default();
        if *used + elements.len() as u64 > self.quota {
            let what = format!("platform {platform} used up its quota of {}", self.quota);
            return Err(FusionError::Matching(what));
        }
        *used += elements.len() as u64;
        let result = self
            .server
            .batch_blind_evaluate(&mut Stream::new()?, &elements)
            .map_err(failed("the evaluation"))?;
        let mut bytes = Vec::with_capacity(elements.len() * ELEMENT + PROOF);
        result.messages.iter().for_each(|element| bytes.extend(element.serialize()));
        bytes.extend(result.proof.serialize());
        Ok(bytes)
    }
}

/// A platform between blinding and the answer. Holds identifiers and blinds; prints neither.
pub struct PendingMatch {
    identifiers: Vec<Vec<u8>>,
    states: Vec<VoprfClient<Ristretto255>>,
}

impl PendingMatch {
    /// Blinds identifiers; the bytes are for the matcher.
    ///
    /// # Errors
    /// If an identifier is empty or too long, there are more than 65,535, or the system gives no randomness.
    pub fn blind(identifiers: Vec<Vec<u8>>) -> Result<(Self, Vec<u8>), FusionError> {
        let sizes = identifiers.iter().map(Vec::len).chain([identifiers.len()]);
        if sizes.into_iter().any(|size| size == 0 || size > usize::from(u16::MAX)) {
            let what = "identifiers, and their list, have 1 to 65,535 entries";
            return Err(FusionError::Matching(what.into()));
        }
        let (mut stream, mut bytes) = (Stream::new()?, Vec::with_capacity(identifiers.len() * ELEMENT));
        let mut states = Vec::with_capacity(identifiers.len());
        for identifier in &identifiers {
            let blinded = VoprfClient::blind(identifier, &mut stream).map_err(failed("an identifier"))?;
            bytes.extend(blinded.message.serialize());
            states.push(blinded.state);
        }
        Ok((Self { identifiers, states }, bytes))
    }

    /// Checks the proof and unblinds: one pseudonym for each identifier, in order.
    ///
    /// # Errors
    /// If the answer is malformed or the proof fails: the matcher used another key than its public one.
    pub fn finish(self, answer: &[u8], public_key: &[u8; ELEMENT]) -> Result<Vec<Pseudonym>, FusionError> {
        let split = answer.len().checked_sub(PROOF);
        let Some((bytes, proof)) = split.and_then(|at| answer.split_at_checked(at)) else {
            return Err(FusionError::Malformed("an answer without a proof".into()));
        };
        let proof = Proof::<Ristretto255>::deserialize(proof).map_err(failed("the proof"))?;
        let key = <Ristretto255 as Group>::deserialize_elem(public_key)
            .map_err(|error| FusionError::Matching(format!("the public key: {error:?}")))?;
        let messages = elements(bytes)?
            .map(|bytes| EvaluationElement::<Ristretto255>::deserialize(bytes).map_err(failed("an element")))
            .collect::<Result<Vec<_>, _>>()?;
        if messages.len() != self.states.len() {
            return Err(FusionError::Malformed("an answer of another length than was asked".into()));
        }
        let inputs: Vec<&[u8]> = self.identifiers.iter().map(Vec::as_slice).collect();
        let outputs = VoprfClient::batch_finalize(&inputs, &self.states, &messages, &proof, key)
            .map_err(failed("the proof"))?;
        outputs
            .map(|output| {
                let output = output.map_err(failed("an output"))?;
                Ok(Pseudonym::new(*output.first_chunk().expect("a digest of 64 bytes")))
            })
            .collect()
    }
}

fn elements(bytes: &[u8]) -> Result<impl Iterator<Item = &[u8]>, FusionError> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(ELEMENT) {
        return Err(FusionError::Malformed("not a list of group elements".into()));
    }
    Ok(bytes.chunks(ELEMENT))
}

/// The control: a public hash. Anybody who can list identifiers undoes it; never use it outside of comparisons.
#[must_use]
pub fn plain_hash(identifier: &[u8]) -> Pseudonym {
    Pseudonym::new(blake3::derive_key(
        "equipoise-encrypted 2026-11-27 plain hash, no protection v1",
        identifier,
    ))
}

/// How many pseudonyms each pair of platforms shares: what the server learns from matching itself.
#[must_use]
pub fn overlaps(platforms: &[BTreeSet<Pseudonym>]) -> BTreeMap<(usize, usize), usize> {
    let pairs = (0..platforms.len()).flat_map(|a| (a + 1..platforms.len()).map(move |b| (a, b)));
    pairs.map(|(a, b)| ((a, b), platforms[a].intersection(&platforms[b]).count())).collect()
}

impl Drop for PendingMatch {
    fn drop(&mut self) {
        self.identifiers.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for PendingMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingMatch(..)")
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher").field("quota", &self.quota).finish_non_exhaustive()
    }
}
