//! The joint public key of a few key holders: anybody encrypts, only all of them together open (Mouchet et al., PoPETs
//! 2021, "Multiparty homomorphic encryption from ring-learning-with-errors"; N of N, local steps only).
//!
//! Common words a come from a public stream. Holder i keeps a ternary `s_i` and publishes `b_i = -a s_i + e_i`; the joint
//! key is `b = sum b_i`. A ciphertext is `(b r + e0 + 2^d m, a r + e1)` with a ternary r. Ciphertexts add up. A holder's
//! answer is `c1 s_i + smudge`; `c0 + sum of answers` is the scaled sum and a bounded error. With one answer missing the
//! rest is uniform under the lattice assumption.
//!
//! Ternary, centred secrets: binary ones have mean 1/2, so that noise grows like P^2. Shamir shares would need invertible
//! differences, which Z/2^128 does not have: a holder who is away stops the round. Adversary: honest but curious. A holder
//! that chooses its `b_i` after seeing the others', or a server that hands over one ciphertext as a sum, is outside.

use crate::codec::{Frame, put_wide_words};
use crate::entropy::CryptoSource;
use crate::ring128::{Image128, Ring128};
use crate::roles::SessionId;
use crate::sample::{add_tuniform128, ternary};
use equipoise_federated::{SumError, Wire};
use std::fmt;

/// A parameter set for the joint key: ternary secrets, modulus 2^128, `TUniform` errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JointParams {
    /// Name in reports.
    pub name: &'static str,
    /// Number of the set on the wire.
    pub wire_id: u16,
    /// Coefficients in a polynomial; products are modulo X^N + 1.
    pub polynomial_size: usize,
    /// Errors are `TUniform(b)`: bounded by 2^b in absolute value.
    pub noise_bound_log2: u32,
}

/// N = 4096, q = 2^128, `TUniform(30)`, ternary secrets. Estimated cost of the best known attack (lattice-estimator
/// 27a581b): 2^107 core-SVP, 2^136 MATZOV. An estimate of known attacks, not a proof; below Kyber512 in core-SVP.
pub const JOINT128_N4096: JointParams =
    JointParams { name: "Joint128N4096", wire_id: 2, polynomial_size: 4096, noise_bound_log2: 30 };

/// What everybody knows of the joint key.
pub(crate) struct JointPublic {
    pub(crate) params: JointParams,
    pub(crate) ring: Ring128,
    a: Image128,
    b: Image128,
    /// Names the joint key; records and sums are bound to it.
    pub(crate) name: [u8; 32],
}

/// One holder's share of the secret. Wiped on drop; cannot be cloned, serialised or printed.
pub(crate) struct JointSecret(Image128);

/// What a holder publishes while the joint key is made.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyContribution {
    pub(crate) session: SessionId,
    pub(crate) params: u16,
    /// The holder, from 0.
    pub holder: u32,
    pub(crate) words: Vec<u128>,
}

/// Two polynomials; the first is cut to the coefficients that carry a message.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ciphertext {
    pub(crate) c0: Vec<u128>,
    pub(crate) c1: Vec<u128>,
}

/// The common words of a session.
fn common_words(params: &JointParams, session: SessionId) -> Vec<u128> {
    let mut hasher =
        blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 joint key common words v1");
    hasher.update(&params.wire_id.to_le_bytes()).update(&session.0);
    let mut bytes = vec![0_u8; 16 * params.polynomial_size];
    hasher.finalize_xof().fill(&mut bytes);
    bytes.as_chunks().0.iter().map(|word| u128::from_le_bytes(*word)).collect()
}

impl JointSecret {
    /// Draws a share of the key and what is published of it.
    pub(crate) fn generate(
        params: &JointParams,
        session: SessionId,
        holder: u32,
        source: impl CryptoSource,
    ) -> Result<(Self, KeyContribution), SumError> {
        let ring = Ring128::new(params.polynomial_size);
        let secret = ring.ternary(&ternary(source.at("secret", 0), ring.size())?);
        let mut words = vec![0; ring.size()];
        ring.multiply(&ring.words(&common_words(params, session)), &secret, &mut ring.room(), &mut words);
        words.iter_mut().for_each(|word| *word = word.wrapping_neg());
        add_tuniform128(source.at("error", 0), params.noise_bound_log2, &mut words)?;
        let contribution = KeyContribution { session, params: params.wire_id, holder, words };
        Ok((Self(secret), contribution))
    }

    /// A holder's answer to one summed polynomial, cut to the length of `out`; `out` is overwritten.
    pub(crate) fn answer(
        &self,
        ring: &Ring128,
        c1: &[u128],
        smudge_log2: u32,
        out: &mut [u128],
        source: impl CryptoSource,
    ) -> Result<(), SumError> {
        // Noise first: a product without it, left behind by a failing entropy call, would give the key away.
        out.fill(0);
        add_tuniform128(source, smudge_log2, out)?;
        let mut product = zeroize::Zeroizing::new(vec![0; ring.size()]);
        ring.multiply(&ring.words(c1), &self.0, &mut ring.room(), &mut product);
        out.iter_mut().zip(product.iter()).for_each(|(out, word)| *out = out.wrapping_add(*word));
        Ok(())
    }
}

impl JointPublic {
    /// Adds the contributions of all `holders`.
    pub(crate) fn combine(
        params: &JointParams,
        session: SessionId,
        contributions: &[KeyContribution],
    ) -> Result<Self, SumError> {
        let ring = Ring128::new(params.polynomial_size);
        let mut words = vec![0_u128; ring.size()];
        for (index, part) in contributions.iter().enumerate() {
            if part.session != session || part.params != params.wire_id || part.words.len() != ring.size() {
                return Err(SumError::Malformed("a key contribution of another session".into()));
            }
            if part.holder as usize != index {
                return Err(SumError::Malformed(format!(
                    "the key contribution of holder {index} is missing"
                )));
            }
            words.iter_mut().zip(&part.words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
        }
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 joint key name v1");
        hasher.update(&session.0);
        words.iter().for_each(|word| {
            hasher.update(&word.to_le_bytes());
        });
        let (a, b) = (ring.words(&common_words(params, session)), ring.words(&words));
        Ok(Self { params: *params, ring, a, b, name: hasher.finalize().into() })
    }

    /// Encrypts a scaled message of at most one polynomial.
    pub(crate) fn encrypt(
        &self,
        message: &[u128],
        source: impl CryptoSource,
    ) -> Result<Ciphertext, SumError> {
        let (ring, bound) = (&self.ring, self.params.noise_bound_log2);
        let r = ring.ternary(&ternary(source.at("r", 0), ring.size())?);
        let mut room = ring.room();
        let mut product = zeroize::Zeroizing::new(vec![0; ring.size()]);
        let mut c0 = message.to_vec();
        add_tuniform128(source.at("e0", 0), bound, &mut c0)?;
        ring.multiply(&self.b, &r, &mut room, &mut product);
        c0.iter_mut().zip(product.iter()).for_each(|(c, word)| *c = c.wrapping_add(*word));
        let mut c1 = vec![0; ring.size()];
        add_tuniform128(source.at("e1", 0), bound, &mut c1)?;
        ring.multiply(&self.a, &r, &mut room, &mut product);
        c1.iter_mut().zip(product.iter()).for_each(|(c, word)| *c = c.wrapping_add(*word));
        Ok(Ciphertext { c0, c1 })
    }
}

const MAGIC: [u8; 4] = *b"EQJK";

impl KeyContribution {
    fn frame(params: u16, session: SessionId) -> Frame {
        Frame { magic: MAGIC, params, session }
    }

    /// The message's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let payload = 4 + 16 * self.words.len();
        let mut bytes = Self::frame(self.params, self.session).start(0, payload);
        bytes.extend(self.holder.to_le_bytes());
        put_wide_words(&mut bytes, &self.words);
        bytes
    }

    /// Reads a contribution to the joint key of `session`.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if the length or any field of the frame is not what it must be.
    pub fn from_bytes(bytes: &[u8], params: &JointParams, session: SessionId) -> Result<Self, SumError> {
        let size = params.polynomial_size;
        let (round, mut reader) = Self::frame(params.wire_id, session).read(bytes, 4 + 16 * size)?;
        if round != 0 {
            return Err(SumError::Malformed(format!(
                "a key contribution has no round, this one says {round}"
            )));
        }
        let holder = reader.number();
        Ok(Self { session, params: params.wire_id, holder, words: reader.wide_words(size) })
    }
}

impl Wire for KeyContribution {
    fn wire_bytes(&self) -> u64 {
        (crate::codec::FRAME_BYTES + 4 + 16 * self.words.len()) as u64
    }
}

impl fmt::Debug for KeyContribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyContribution").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl fmt::Debug for JointPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JointPublic").field("params", &self.params.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for JointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JointSecret(..)")
    }
}

/// Adds the words of one polynomial to a running sum, modulo 2^128.
pub(crate) fn add_wide(sum: &mut [u128], words: &[u128]) {
    sum.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
}
